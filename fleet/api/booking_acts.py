"""What a therapist does with a booking of the day: have its kiosk looked over, come later, not come."""

import asyncio
import json
from collections.abc import Callable
from dataclasses import replace
from typing import Annotated, Final, Literal, Self

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator
from sqlalchemy import Connection

from fleet import commands, wishes
from fleet.access.roles import Principal
from fleet.api.bookings import desk, known_booking, settled_by, tell
from fleet.api.deps import Commander, Fleet, Planner
from fleet.api.problems import answers
from fleet.clock import Instant
from fleet.errors import BadValue, Conflict
from fleet.forecast import in_session
from fleet.forecast_views import ForecastView
from fleet.parts import FleetParts
from fleet.planning import Plan, State
from fleet.presence import Reach
from fleet.roll import Entry
from fleet.schedule import is_in_school
from fleet.store import audit, campuses, rooms
from fleet.store import commands as command_store
from fleet.wishes import Unfit
from wire.messages import Reply
from wire.preflight import Preflight

router: Final = APIRouter(prefix="/bookings/{booking}", tags=["bookings"])

ANSWERS_WITHIN_S: Final = 10.0
_LOOK_EVERY_S: Final = 0.2
SILENT: Final = "No answer within 10 s. Nothing new is known."


class Checked(BaseModel):
    """What came of a look."""

    answered: bool
    words: str
    """What to tell a person."""
    command: str
    """The request's id at the kiosk."""
    preflight: Preflight | None
    """What the kiosk found; null also from one that tells its verdict alone."""
    forecast: ForecastView


class Late(BaseModel):
    """The therapist comes later than planned."""

    model_config = ConfigDict(extra="forbid")

    minutes: Literal[0, 5, 10, 15] = Field(description="After the planned start; 0 takes it back")


class CannotCome(BaseModel):
    """The therapist cannot come: exactly one of the two."""

    model_config = ConfigDict(extra="forbid")

    hand_to: Annotated[str | None, Field(max_length=40, description="The reference of who comes instead")] = None
    cancel: Literal[True] | None = Field(None, description="It is not held, because the therapist could not come")

    @model_validator(mode="after")
    def _one(self) -> Self:
        if (self.hand_to is None) == (self.cancel is None):
            raise ValueError("give either `hand_to` or `cancel`")
        return self


@router.post(
    "/check",
    operation_id="checkBooking",
    summary="Have the kiosk looked over now",
    responses=answers(403, 404, 409, 503),
)
async def check_booking(booking: str, fleet: Fleet, commander: Commander) -> Checked:
    """Answers within 10 s, or says that the kiosk did not; never in a session, and not while it has no school."""
    until_s = asyncio.get_running_loop().time() + ANSWERS_WITHIN_S
    plan, entry = await asyncio.to_thread(_may_be_checked, fleet, commander, booking)
    command = await asyncio.to_thread(commands.send, fleet, commander, entry, "preflight", {}, int(ANSWERS_WITHIN_S))
    reply = None
    while reply is None and asyncio.get_running_loop().time() < until_s - _LOOK_EVERY_S:
        await asyncio.sleep(_LOOK_EVERY_S)
        reply = await asyncio.to_thread(_reply, fleet, entry.id, command)
    told = await asyncio.to_thread(fleet.days.one, commander, plan, fleet.clock.now())
    found = _found(reply)
    return Checked(answered=reply is not None, words=_words(reply), command=command, preflight=found, forecast=told)


@router.post(
    "/late", operation_id="comeLater", summary="Say that the therapist is late", responses=answers(403, 404, 409, 422)
)
async def come_later(booking: str, late: Late, fleet: Fleet, planner: Planner) -> ForecastView:
    """The kiosk shows it, and nobody is called absent before that time."""

    def after(held: Plan) -> Plan:
        return replace(held, late_min=late.minutes or None)

    return await _changed(fleet, planner, booking, after, "booking.late", str(late.minutes))


@router.post(
    "/cannot-come",
    operation_id="cannotCome",
    summary="Hand a booking to another therapist, or cancel it",
    responses=answers(403, 404, 409, 422),
)
async def cannot_come(booking: str, told: CannotCome, fleet: Fleet, planner: Planner) -> ForecastView:
    """The kiosk shows it; one that was cancelled stays on record with its reason."""
    try:
        instead = None if told.hand_to is None else wishes.a_therapist(told.hand_to.strip())
    except Unfit as error:
        raise BadValue("hand_to", str(error)) from error

    def after(held: Plan) -> Plan:
        if instead is None:
            return replace(held, state=State.SETTLED, reason="therapist-absent")
        if instead == held.therapist:
            raise BadValue("hand_to", f"{instead} holds this booking already")
        return replace(held, therapist=instead, late_min=None)

    what = "booking.cannot-come" if instead is None else "booking.handed"
    return await _changed(fleet, planner, booking, after, what, instead or "cancelled")


async def _changed(
    fleet: FleetParts, planner: Principal, booking: str, after: Callable[[Plan], Plan], what: str, detail: str
) -> ForecastView:
    def write() -> tuple[Plan, str | None]:
        now = fleet.clock.now()
        with fleet.database.write() as connection:
            held = known_booking(connection, booking, planner)
            _refuse_over(held, now)
            changed = settled_by(lambda: desk(fleet, connection, planner).change(held, after(held)))
            if changed != held:
                audit.note(connection, now.at, planner.name, what, held.id, detail, campus=held.campus)
            room = rooms.one(connection, held.room)
        return changed, room.kiosk if room else None

    plan, kiosk = await asyncio.to_thread(write)
    await asyncio.to_thread(tell, fleet, [kiosk])
    return await asyncio.to_thread(fleet.days.one, planner, plan, fleet.clock.now())


def _refuse_over(held: Plan, now: Instant) -> None:
    if held.state is not State.PLANNED:
        raise Conflict(f"This booking will not be held: {held.reason or held.state.value}.")
    if held.end <= now.at:
        raise Conflict("This booking is over. Say with `PATCH` why it was not held.")


def _may_be_checked(fleet: FleetParts, commander: Principal, booking: str) -> tuple[Plan, Entry]:
    now = fleet.clock.now()
    with fleet.database.read() as connection:
        plan = known_booking(connection, booking, commander)
        room = rooms.one(connection, plan.room)
        _refuse_without_school(connection, plan.campus, now)
    entry = fleet.roll.get(room.kiosk) if room and room.kiosk else None
    if entry is None:
        raise Conflict("No kiosk stands in this room, or it was never heard.")
    if entry.presence.reach(now) is Reach.ONLINE and in_session(entry):
        raise Conflict("A session runs at this kiosk; it is not looked over meanwhile.")
    return plan, entry


def _refuse_without_school(connection: Connection, campus: str, now: Instant) -> None:
    """Nobody opens a room's cameras when its campus has no school; one without a calendar here allows it."""
    calendar = campuses.calendar(connection, campus)
    if calendar is None or not calendar.bells:
        return
    if not is_in_school(calendar, now.at, campuses.closures_of(connection, [campus], now.at)):
        raise Conflict(f"{campus} has no school now; its cameras stay closed.")


def _reply(fleet: FleetParts, kiosk: str, command: str) -> Reply | None:
    with fleet.database.read() as connection:
        row = command_store.one(connection, kiosk, command)
    if row is None or not row.reply:
        return None
    return Reply.model_validate({**json.loads(row.reply), "id": command})


def _found(reply: Reply | None) -> Preflight | None:
    if reply is None or not reply.ok:
        return None
    try:
        return Preflight.model_validate(reply.result)
    except ValidationError:  # an older kiosk tells its verdict and signals
        return None


def _words(reply: Reply | None) -> str:
    if reply is None:
        return SILENT
    if not reply.ok:
        return f"The kiosk could not: {reply.detail or reply.error or 'it does not say why'}."
    told = {"ready": "ready", "attention": "it needs a hand", "blocked": "it cannot run a session"}
    verdict = told.get(str((reply.result or {}).get("verdict")))
    return f"It checked itself: {verdict}." if verdict else "It checked itself and answered."
