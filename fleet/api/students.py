"""Consents by student, and what a student is owed beside what is booked and held. References are opaque."""

import asyncio
from datetime import UTC, date, datetime
from http import HTTPStatus
from typing import Annotated, Any, Final, Literal

from fastapi import APIRouter, Path, Query, Response
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, TypeAdapter
from sqlalchemy import Connection

from fleet import consents, owed
from fleet.api.deps import Fleet, LedgerReader, Planner, known_campus
from fleet.api.kiosks import Cursor
from fleet.api.paging import Page, cursor_of, place_in
from fleet.api.problems import answers
from fleet.clock import micros
from fleet.errors import BadValue, NotFound
from fleet.store import bookings, campuses, confirmations, sessions
from fleet.store import consents as store
from fleet.store.consents import RECORDING, Given
from fleet.zones import zone
from wire.ids import Id, StudentRef

router: Final = APIRouter(prefix="/students/{student}", tags=["students"])

_PLACE: Final = TypeAdapter(tuple[int, str])
_LONGEST_DAYS: Final = 400
Student = Annotated[StudentRef, Path(description="An opaque reference")]


class NewConsent(BaseModel):
    """That a consent is on record."""

    model_config = ConfigDict(extra="forbid")

    campus: Id
    scope: Literal["recording", "telepractice"] = RECORDING
    since: AwareDatetime | None = Field(None, description="Null is now")
    until: AwareDatetime | date | None = Field(None, description="An instant, or its last day; null does not end")


class ConsentView(BaseModel):
    """A consent as it was given, and taken back if it was."""

    id: str
    campus: str
    student: str
    scope: str
    since: datetime
    until: datetime | None
    revoked_at: datetime | None
    created_by: str


class Revoked(ConsentView):
    """A consent that was taken back in this moment."""

    destroyed: int = Field(description="Recordings and stills of the time after it that the fleet had")


class StretchView(BaseModel):
    """Minutes of one week or month; `provided` is only what a clinician confirmed, null while none is."""

    first: date
    last: date
    per: str
    owed_minutes: float
    booked_minutes: int
    settled_minutes: int
    held_minutes: float
    provided_minutes: float | None


class MinutesView(BaseModel):
    """What a student is owed, beside what is booked and held, by week or month."""

    student: str
    campus: str
    items: list[StretchView]


@router.get("/consents", operation_id="listConsents", summary="A student's consents", responses=answers(403, 422))
async def list_consents(
    student: Student,
    fleet: Fleet,
    reader: LedgerReader,
    cursor: Cursor = None,
    limit: Annotated[int, Query(ge=1, le=500)] = 100,
) -> Page[ConsentView]:
    """The newest first, those that were taken back among them."""
    before = place_in(cursor, _PLACE)

    def read() -> list[Given]:
        with fleet.database.read() as connection:
            return store.of(connection, None, [student]).get(student, [])

    seen = [one for one in reversed(await asyncio.to_thread(read)) if reader.sees(one.campus)]
    found = [one for one in seen if before is None or (micros(one.since), one.id) < before]
    more = (micros(found[limit - 1].since), found[limit - 1].id) if len(found) > limit else None
    return Page[ConsentView](items=[_view(one) for one in found[:limit]], next=cursor_of(more))


@router.post(
    "/consents",
    operation_id="giveConsent",
    summary="Put a consent on record",
    status_code=HTTPStatus.CREATED,
    responses=answers(403, 404, 422),
)
async def give_consent(
    student: Student, new: NewConsent, response: Response, fleet: Fleet, planner: Planner
) -> ConsentView:
    """After one was taken back, this is how it is given anew: it counts from `since` on."""
    known_campus(planner, new.campus)

    def write() -> Given:
        now = fleet.clock.now().at
        with fleet.database.write() as connection:
            until = _until(connection, new, fleet.settings.time_zone)
            since = (new.since or now).astimezone(UTC)
            if until is not None and until <= since:
                raise BadValue("until", "is not after it begins")
            taken_back = [
                one.revoked_at for one in store.of(connection, new.campus, [student]).get(student, ()) if one.revoked_at
            ]
            if taken_back and since < max(taken_back):
                raise BadValue("since", "is before a consent was taken back: what was recorded then is destroyed")
            return consents.give(connection, planner, Given("", new.campus, student, new.scope, since, until), now)

    given = await asyncio.to_thread(write)
    response.headers["Location"] = f"/api/v1/students/{student}/consents"
    return _view(given)


@router.post(
    "/consents/{consent}/revoke",
    operation_id="revokeConsent",
    summary="Take a consent back",
    responses=answers(403, 404, 409),
)
async def revoke_consent(student: Student, consent: str, fleet: Fleet, planner: Planner) -> Revoked:
    """Kiosks are told at once; what was recorded from this moment on is destroyed unopened, on both sides."""

    def write() -> tuple[Given, int]:
        now = fleet.clock.now().at
        with fleet.database.write() as connection:
            held = store.one(connection, consent)
            if held is None or held.student != student or not planner.sees(held.campus):
                raise NotFound("There is no such consent here.")
            destroyed = consents.revoke(connection, planner, held, now, fleet.uploads)
            after = store.one(connection, consent)
            assert after is not None
        if destroyed:
            fleet.database.forget()
        return after, destroyed

    given, destroyed = await asyncio.to_thread(write)
    return Revoked(**_view(given).model_dump(), destroyed=destroyed)


@router.get(
    "/minutes", operation_id="getMinutes", summary="Owed, booked and held minutes", responses=answers(403, 404, 422)
)
async def get_minutes(
    student: Student,
    fleet: Fleet,
    reader: LedgerReader,
    since: Annotated[date | None, Query(alias="from", description="Null is three weeks before this one")] = None,
    until: Annotated[date | None, Query(alias="to", description="Null is the end of this week")] = None,
) -> MinutesView:
    """In the campus's own weeks or months, as its mandates are written."""

    def read() -> MinutesView:
        with fleet.database.read() as connection:
            plans = bookings.of_student(connection, student, reader.campuses)
            mandates = campuses.mandates_of(connection, reader.campuses, student)
            where = sorted({one.campus for one in mandates} | {one.campus for one in plans})
            if not where:
                raise NotFound("There is neither a booking nor a mandate of this student here.")
            here = zone(campuses.calendar(connection, where[0]), fleet.settings.time_zone)
            first, last = owed.default_days(fleet.clock.now().at, here)
            days = (since or first, until or last)
            if days[1] < days[0] or (days[1] - days[0]).days > _LONGEST_DAYS:
                raise BadValue("to", f"is before `from`, or more than {_LONGEST_DAYS} days after it")
            held = sessions.elapsed_by_booking(connection, student)
            provided = confirmations.provided_by_booking(connection, student)
            found = owed.stretches(mandates, plans, held, days, here, provided)
        items = [StretchView.model_validate(one, from_attributes=True) for one in found]
        return MinutesView(student=student, campus=where[0], items=items)

    return await asyncio.to_thread(read)


def _until(connection: Connection, new: NewConsent, zone_setting: str | None) -> datetime | None:
    if new.until is None or isinstance(new.until, datetime):
        return None if new.until is None else new.until.astimezone(UTC)
    return consents.end_of(new.until, zone(campuses.calendar(connection, new.campus), zone_setting))


def _view(given: Given) -> ConsentView:
    names: tuple[Any, ...] = ("id", "campus", "student", "scope", "since", "until", "revoked_at", "created_by")
    return ConsentView(**{name: getattr(given, name) for name in names})
