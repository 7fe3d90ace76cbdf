"""What a campus's schedule rests on: rooms, cards, its calendar, closures."""

import asyncio
from datetime import date, datetime, time
from http import HTTPStatus
from typing import Annotated, Final

from fastapi import APIRouter, Path, Query, Response
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, TypeAdapter

from fleet import closing
from fleet.api.bookings import tell
from fleet.api.deps import Fleet, LedgerReader, Planner, Reader, known_campus
from fleet.api.kiosks import Cursor
from fleet.api.paging import Page, cursor_of, place_in
from fleet.api.problems import answers
from fleet.clock import micros
from fleet.errors import BadValue, Conflict, NotFound
from fleet.parts import FleetParts
from fleet.places import name_of
from fleet.planning import Plan
from fleet.store import audit, rooms
from fleet.store import campuses as store
from fleet.store.campuses import Closure
from fleet.store.rooms import Room
from fleet.zones import zone
from wire.cards import CardNumber
from wire.ids import Id, StudentRef
from wire.school_day import Calendar

router: Final = APIRouter(prefix="/campuses/{campus}", tags=["campuses"])

_ID: Final = TypeAdapter(tuple[str])
_PLACE: Final = TypeAdapter(tuple[int, str])
Campus = Annotated[Id, Path(description="A campus's id")]
Limit = Annotated[int, Query(ge=1, le=500, description="Items on a page")]


class RoomView(BaseModel):
    """A room of a campus."""

    id: str
    campus: str
    name: str
    kiosk: str | None
    point_person: str | None = Field(description="Who is told first: an opaque reference or a role")
    office: str | None = Field(description="The extension of the school's office")


class RoomChange(BaseModel):
    """What is to be otherwise; what is not named stays."""

    model_config = ConfigDict(extra="forbid")

    name: Annotated[str | None, Field(min_length=1, max_length=80)] = None
    kiosk: Id | None = None
    point_person: Id | None = None
    office: Annotated[str | None, Field(max_length=20, pattern=r"^[0-9 +*#-]*\z")] = None


class Cards(BaseModel):
    """Who holds which picture card."""

    model_config = ConfigDict(extra="forbid")

    cards: dict[CardNumber, StudentRef]


class NewClosure(BaseModel):
    """A day that ends early, or has no school after all."""

    model_config = ConfigDict(extra="forbid")

    day: date | None = Field(None, alias="date", description="In the campus's own time; null is today")
    dismissal: Annotated[time | None, Field(description="Local: what begins at or after it is settled")] = None
    start: Annotated[AwareDatetime | None, Field(alias="from", description="Instead of `dismissal`")] = None
    until: AwareDatetime | None = Field(None, alias="to", description="Null is the end of that day")
    reason: Annotated[str, Field(min_length=1, max_length=80)] = "early dismissal"


class ReopenedView(BaseModel):
    """What became of the bookings that a closure had settled."""

    planned: list[str]
    settled: list[str]
    """Over, or their therapist or student is booked elsewhere by now."""


class ClosureView(BaseModel):
    """A closure and what it settled."""

    id: str
    campus: str
    start: datetime = Field(serialization_alias="from")
    until: datetime = Field(serialization_alias="to")
    reason: str
    created_by: str
    settled: list[str] = Field(description="The bookings that will not be held because of it")
    therapists: list[str] = Field(description="Whose bookings those are")


@router.get("/rooms", operation_id="listRooms", summary="A campus's rooms", responses=answers(404, 422))
async def list_rooms(
    campus: Campus, fleet: Fleet, reader: Reader, cursor: Cursor = None, limit: Limit = 100
) -> Page[RoomView]:
    """Rooms that were booked, or had something said of them."""
    known_campus(reader, campus)
    after = place_in(cursor, _ID)

    def read() -> list[Room]:
        with fleet.database.read() as connection:
            return rooms.rooms_of(connection, frozenset({campus}))

    found = [one for one in await asyncio.to_thread(read) if after is None or (one.id,) > after]
    more = (found[limit - 1].id,) if len(found) > limit else None
    return Page[RoomView](items=[_room(one, fleet) for one in found[:limit]], next=cursor_of(more))


@router.patch(
    "/rooms/{room}", operation_id="putRoom", summary="Say of a room what is so", responses=answers(403, 404, 409, 422)
)
async def put_room(campus: Campus, room: Id, change: RoomChange, fleet: Fleet, planner: Planner) -> RoomView:
    """Name it, exchange its kiosk, name its point person; a room is there from the first time something is said."""
    known_campus(planner, campus)

    def write() -> Room:
        at = fleet.clock.now().at
        with fleet.database.write() as connection:
            held = rooms.one(connection, room)
            if held is not None and held.campus != campus:
                raise NotFound("There is no such room here.")
            entry = fleet.roll.get(room)
            if held is None and entry is not None and entry.campus != campus:
                raise Conflict(f"{room} is a kiosk of another campus; a room cannot be called so.")
            before = held or Room(room, campus, None, room if entry is not None else None)
            told = {name: getattr(change, name) for name in change.model_fields_set}
            after = Room(
                before.id, campus, told.get("name", before.name), told.get("kiosk", before.kiosk),
                told.get("point_person", before.point_person), told.get("office", before.office),
            )  # fmt: skip
            known = None if after.kiosk is None else fleet.entry(planner, after.kiosk)
            if after.kiosk is not None and (known is None or known.campus != campus):
                raise BadValue("kiosk", f"there is no kiosk {after.kiosk!r} at {campus}")
            if after != held:
                moved_from = None if after.kiosk is None else rooms.room_of(connection, after.kiosk)
                rooms.put(connection, after, at)
                names = ", ".join(sorted(told)) or "first heard of"
                audit.note(connection, at, planner.name, "room.put", room, names, campus=campus)
                is_told = {row.kiosk for row in rooms.revisions(connection)}
                has_news = {before.kiosk, after.kiosk} & is_told
                if before.kiosk in is_told or (moved_from is not None and after.kiosk in is_told):
                    has_news |= {after.kiosk}
                rooms.touch(connection, has_news, at)
            return after

    after = await asyncio.to_thread(write)
    await asyncio.to_thread(tell, fleet, [after.kiosk])
    return _room(after, fleet)


@router.get("/cards", operation_id="getCards", summary="A campus's picture cards", responses=answers(403, 404))
async def get_cards(campus: Campus, fleet: Fleet, reader: LedgerReader) -> Cards:
    """By the number on the card."""
    known_campus(reader, campus)

    def read() -> dict[int, str]:
        with fleet.database.read() as connection:
            return store.cards_of(connection, [campus])[campus]

    return Cards(cards=await asyncio.to_thread(read))


@router.put("/cards", operation_id="putCards", summary="Say who holds which card", responses=answers(403, 404, 422))
async def put_cards(campus: Campus, told: Cards, fleet: Fleet, planner: Planner) -> Cards:
    """These are all of them: one that is not named is nobody's."""
    known_campus(planner, campus)
    if len(set(told.cards.values())) < len(told.cards):
        raise BadValue("cards", "a student can hold one card only")

    def write() -> None:
        at = fleet.clock.now().at
        with fleet.database.write() as connection:
            if store.put_cards(connection, campus, told.cards):
                detail = f"{len(told.cards)} cards"
                audit.note(connection, at, planner.name, "cards.put", campus, detail, campus=campus)
                rooms.touch(connection, rooms.kiosks_of(connection, [campus]), at)

    await asyncio.to_thread(write)
    return told


@router.get("/calendar", operation_id="getCalendar", summary="A campus's calendar", responses=answers(404))
async def get_calendar(campus: Campus, fleet: Fleet, reader: Reader) -> Calendar:
    """Its zone, bells, holidays, early releases, A and B days."""
    known_campus(reader, campus)

    def read() -> Calendar | None:
        with fleet.database.read() as connection:
            return store.calendar(connection, campus)

    found = await asyncio.to_thread(read)
    if found is None:
        raise NotFound(f"There is no calendar of {campus} here.")
    return found


@router.put("/calendar", operation_id="putCalendar", summary="Set the calendar", responses=answers(403, 404, 422))
async def put_calendar(campus: Campus, told: Calendar, fleet: Fleet, planner: Planner) -> Calendar:
    """Its kiosks are told the school days of the next 14; bookings stay at their instants."""
    known_campus(planner, campus)

    def write() -> None:
        at = fleet.clock.now().at
        with fleet.database.write() as connection:
            if store.put_calendar(connection, campus, told, at):
                audit.note(connection, at, planner.name, "calendar.put", campus, told.time_zone, campus=campus)
                rooms.touch(connection, rooms.kiosks_of(connection, [campus]), at)

    await asyncio.to_thread(write)
    return told


@router.get("/closures", operation_id="listClosures", summary="Closures, newest first", responses=answers(404))
async def list_closures(
    campus: Campus, fleet: Fleet, reader: Reader, cursor: Cursor = None, limit: Limit = 100
) -> Page[ClosureView]:
    """Days that ended early after they were planned."""
    known_campus(reader, campus)
    before = place_in(cursor, _PLACE)

    def read() -> tuple[list[ClosureView], tuple[int, str] | None]:
        with fleet.database.read() as connection:
            found = store.closures_of(connection, [campus], datetime.fromisoformat("2000-01-01T00:00:00+00:00"))[::-1]
            places = {one.id: (micros(one.since), one.id) for one in found}
            found = [one for one in found if before is None or places[one.id] < before]
            shown = [_closure(one, closing.settled_by(connection, one)) for one in found[:limit]]
        return shown, places[found[limit - 1].id] if len(found) > limit else None

    items, more = await asyncio.to_thread(read)
    return Page[ClosureView](items=items, next=cursor_of(more))


@router.post(
    "/closures",
    operation_id="createClosure",
    summary="Close a campus early",
    status_code=HTTPStatus.CREATED,
    responses=answers(403, 404, 409, 422),
)
async def create_closure(
    campus: Campus, new: NewClosure, response: Response, fleet: Fleet, planner: Planner
) -> ClosureView:
    """One action: later bookings of that day are settled as `school-event`, kiosks and therapists are told."""
    known_campus(planner, campus)

    def write() -> tuple[Closure, list[Plan]]:
        now = fleet.clock.now().at
        with fleet.database.write() as connection:
            here = zone(store.calendar(connection, campus), fleet.settings.time_zone)
            since, until = closing.stretch(new.day, new.dismissal, new.start, new.until, here, now)
            return closing.close(connection, planner, campus, since, until, new.reason, now, here)

    closure, settled = await asyncio.to_thread(write)
    response.headers["Location"] = f"/api/v1/campuses/{campus}/closures"
    await asyncio.to_thread(closing.tell, fleet, campus)
    return _closure(closure, settled)


@router.delete(
    "/closures/{closure}",
    operation_id="deleteClosure",
    summary="Take a closure back",
    responses=answers(403, 404),
)
async def delete_closure(
    campus: Campus, closure: Annotated[str, Path(max_length=40)], fleet: Fleet, planner: Planner
) -> ReopenedView:
    """What is not over is planned again, if nobody of it is booked elsewhere by now; kiosks and therapists are told."""
    known_campus(planner, campus)

    def write() -> ReopenedView:
        now = fleet.clock.now().at
        with fleet.database.write() as connection:
            here = zone(store.calendar(connection, campus), fleet.settings.time_zone)
            back, stay = closing.reopen(connection, planner, campus, closure, now, here)
        return ReopenedView(planned=[one.id for one in back], settled=[one.id for one in stay])

    told = await asyncio.to_thread(write)
    await asyncio.to_thread(closing.tell, fleet, campus)
    return told


def _room(room: Room, fleet: FleetParts) -> RoomView:
    return RoomView(
        id=room.id, campus=room.campus, name=name_of(room, fleet.roll), kiosk=room.kiosk,
        point_person=room.point_person, office=room.office,
    )  # fmt: skip


def _closure(closure: Closure, settled: list[Plan]) -> ClosureView:
    return ClosureView(
        id=closure.id, campus=closure.campus, start=closure.since, until=closure.until, reason=closure.reason,
        created_by=closure.created_by, settled=[one.id for one in settled],
        therapists=sorted({one.therapist for one in settled}),
    )  # fmt: skip
