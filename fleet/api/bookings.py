"""Bookings: planned sessions, each of a room."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, replace
from http import HTTPStatus
from typing import Annotated, Final, TypeVar

from fastapi import APIRouter, Depends, Query, Response
from pydantic import AwareDatetime, TypeAdapter
from sqlalchemy import Connection

from fleet import confirming
from fleet.access.roles import Principal
from fleet.api.booking_forms import BookingView, Change, NewBooking, NewReason, changed, views_of
from fleet.api.deps import Clinician, Fleet, Planner, Reader
from fleet.api.kiosks import Cursor
from fleet.api.paging import Page, cursor_of, place_in
from fleet.api.problems import answers
from fleet.bookings import Desk
from fleet.clock import micros
from fleet.errors import BadRows, BadValue, Conflict, NotFound
from fleet.parts import FleetParts
from fleet.planning import Attending, Plan, State
from fleet.store import audit
from fleet.store import bookings as store
from fleet.store import rooms as rooms_store
from fleet.store.bookings import Question
from fleet.wishes import Wish

router: Final = APIRouter(prefix="/bookings", tags=["bookings"])

_PLACE: Final = TypeAdapter(tuple[int, str])
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class _Asked:
    question: Question
    kiosk: str | None


def _asked(
    kiosk: Annotated[str | None, Query(max_length=40, description="Of the room of this kiosk only")] = None,
    room: Annotated[str | None, Query(max_length=40, description="Of this room only")] = None,
    therapist: Annotated[str | None, Query(max_length=40)] = None,
    since: Annotated[AwareDatetime | None, Query(alias="from", description="Begin at this time or later")] = None,
    until: Annotated[AwareDatetime | None, Query(alias="to", description="Begin before this time")] = None,
    *,
    cancelled: Annotated[bool, Query(description="Cancelled ones as well")] = False,
) -> _Asked:
    if since is not None and until is not None and until < since:
        raise BadValue("to", "is earlier than `from`")
    return _Asked(Question(None, room, therapist, since, until, cancelled), kiosk)


Asked = Annotated[_Asked, Depends(_asked)]


@router.get("", operation_id="listBookings", summary="Bookings, those that begin last first", responses=answers(422))
async def list_bookings(
    fleet: Fleet,
    reader: Reader,
    asked: Asked,
    cursor: Cursor = None,
    limit: Annotated[int, Query(ge=1, le=500, description="Items on a page")] = 100,
) -> Page[BookingView]:
    """What is planned, and what will not be held with its reason."""
    before = place_in(cursor, _PLACE)

    def read() -> tuple[list[BookingView], tuple[int, str] | None]:
        with fleet.database.read() as connection:
            question = replace(asked.question, campuses=reader.campuses)
            if asked.kiosk is not None:
                held = rooms_store.room_of(connection, asked.kiosk)
                question = replace(question, room=held.id if held and question.room in {None, held.id} else "")
            found = store.newest(connection, question, limit + 1, before)
            views = views_of(connection, fleet.roll, found[:limit], reader)
        last = found[limit - 1] if len(found) > limit else None
        return views, None if last is None else (micros(last.start), last.id)

    items, more = await asyncio.to_thread(read)
    return Page[BookingView](items=items, next=cursor_of(more))


@router.post(
    "",
    operation_id="createBooking",
    summary="Plan a session",
    status_code=HTTPStatus.CREATED,
    responses={200: {"model": BookingView, "description": "It is planned already"}, **answers(403, 409, 422)},
)
async def create_booking(new: NewBooking, response: Response, fleet: Fleet, planner: Planner) -> BookingView:
    """Another student at the same room, therapist, start and minutes joins that booking, which is a group's then."""
    wish = new.wish()

    def write() -> tuple[BookingView, bool]:
        at = fleet.clock.now().at
        with fleet.database.write() as connection:
            made = settled_by(lambda: desk(fleet, connection, planner).book([wish]))
            (plan,) = (*made.added, *made.changed, *made.unchanged)
            if plan.state is not State.PLANNED:
                plan = _anew(fleet, connection, planner, plan, wish)
            if plan not in made.unchanged:
                audit.note(connection, at, planner.name, "booking.put", plan.id, campus=plan.campus)
            return views_of(connection, fleet.roll, [plan], planner)[
                0
            ], plan not in made.unchanged and plan not in made.changed

    view, is_new = await asyncio.to_thread(write)
    response.status_code = HTTPStatus.CREATED if is_new else HTTPStatus.OK
    response.headers["Location"] = f"/api/v1/bookings/{view.id}"
    await asyncio.to_thread(tell, fleet, [view.kiosk])
    return view


@router.get("/{booking}", operation_id="getBooking", summary="One booking", responses=answers(404))
async def get_booking(booking: str, fleet: Fleet, reader: Reader) -> BookingView:
    """As it is now; one that was cancelled goes on being told."""

    def read() -> BookingView:
        with fleet.database.read() as connection:
            return views_of(connection, fleet.roll, [known_booking(connection, booking, reader)], reader)[0]

    return await asyncio.to_thread(read)


@router.patch(
    "/{booking}", operation_id="changeBooking", summary="Change a booking", responses=answers(403, 404, 409, 422)
)
async def change_booking(booking: str, change: Change, fleet: Fleet, planner: Planner) -> BookingView:
    """Move it, say that the therapist is late, or settle it with a reason."""

    def write() -> BookingView:
        at = fleet.clock.now().at
        with fleet.database.write() as connection:
            held = known_booking(connection, booking, planner)
            if held.state is State.CANCELLED:
                raise Conflict("This booking was cancelled; plan a new one.")
            at_desk = desk(fleet, connection, planner)
            after = settled_by(lambda: at_desk.change(held, changed(held, change, at_desk)))
            if after != held:
                names = ", ".join(sorted(change.model_fields_set))
                audit.note(connection, at, planner.name, "booking.changed", held.id, names, campus=held.campus)
            return views_of(connection, fleet.roll, [after], planner)[0]

    view = await asyncio.to_thread(write)
    await asyncio.to_thread(tell, fleet, [view.kiosk])
    return view


@router.delete(
    "/{booking}",
    operation_id="cancelBooking",
    summary="Cancel a booking",
    status_code=HTTPStatus.NO_CONTENT,
    responses=answers(403, 404),
)
async def cancel_booking(booking: str, fleet: Fleet, planner: Planner) -> Response:
    """It is planned no more; that it was stays on record."""

    def write() -> str | None:
        at = fleet.clock.now().at
        with fleet.database.write() as connection:
            held = known_booking(connection, booking, planner)
            if held.state is not State.CANCELLED:
                desk(fleet, connection, planner).change(held, replace(held, state=State.CANCELLED, reason="cancelled"))
                audit.note(connection, at, planner.name, "booking.cancelled", held.id, campus=held.campus)
            room = rooms_store.one(connection, held.room)
            return None if room is None else room.kiosk

    kiosk = await asyncio.to_thread(write)
    await asyncio.to_thread(tell, fleet, [kiosk])
    return Response(status_code=HTTPStatus.NO_CONTENT)


@router.post(
    "/{booking}/reason",
    operation_id="giveReason",
    summary="Say why a booking was not held",
    responses=answers(403, 404, 409, 422),
)
async def give_reason(booking: str, told: NewReason, fleet: Fleet, clinician: Clinician) -> BookingView:
    """Kept beside what the room said; where a session was held it is given with its confirmation."""

    def write() -> BookingView:
        plan = confirming.explain(fleet, clinician, booking, told.reason, told.clinician)
        with fleet.database.read() as connection:
            return views_of(connection, fleet.roll, [plan], clinician)[0]

    view = await asyncio.to_thread(write)
    await asyncio.to_thread(tell, fleet, [view.kiosk])
    return view


def desk(fleet: FleetParts, connection: Connection, principal: Principal, campus: str | None = None) -> Desk:
    """Where this principal books."""
    return Desk(connection, fleet.roll, principal, fleet.clock.now().at, fleet.settings.time_zone, campus)


def tell(fleet: FleetParts, kiosks: list[str | None]) -> None:
    """Readers of the board are told that these kiosks have news; the sender finds out by itself."""
    fleet.days.stale()
    fleet.changes.tell({kiosk for kiosk in kiosks if kiosk})


def settled_by(work: Callable[[], T]) -> T:
    """What a request asked for; two that cannot both be held are a conflict, told as one."""
    try:
        return work()
    except BadRows as error:
        if all(one.is_conflict for one in error.faults):
            raise Conflict("; ".join(one.message for one in error.faults)) from error
        raise


def _anew(fleet: FleetParts, connection: Connection, planner: Principal, fell: Plan, wish: Wish) -> Plan:
    """Plan again what was cancelled or settled: a person asked for it, where a list read twice would not."""
    at_desk = desk(fleet, connection, planner)
    attending = tuple(Attending(one, wish.goals, wish.makes_up) for one in sorted(wish.students))
    fresh = replace(
        fell, state=State.PLANNED, reason=None, closure=None, late_min=None, attending=attending,
        model=wish.model or ("group" if len(attending) > 1 else "pull-out"), record=wish.record or "never",
        link=wish.link, point_person=wish.point_person,
    )  # fmt: skip
    return settled_by(lambda: at_desk.change(fell, fresh))


def known_booking(connection: Connection, booking: str, principal: Principal) -> Plan:
    """A booking of this principal's campuses; raises `NotFound`."""
    plan = store.one(connection, booking)
    if plan is None or not principal.sees(plan.campus):
        raise NotFound("There is no such booking here.")
    return plan
