"""Rooms in the store, and which kiosks have to be told that their schedule changed."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, func, select, update

from fleet.clock import micros
from fleet.store.engine import chunks, insert
from fleet.store.schedule_tables import rooms, schedules
from fleet.store.tables import kiosks


@dataclass(frozen=True, slots=True)
class Room:
    """Where bookings belong."""

    id: str
    campus: str
    name: str | None = None
    kiosk: str | None = None
    point_person: str | None = None
    office: str | None = None


def rooms_of(connection: Connection, campuses: frozenset[str] | None = None) -> list[Room]:
    """Every room, of these campuses if given, by campus and id."""
    query = select(rooms).order_by(rooms.c.campus, rooms.c.id)
    if campuses is not None:
        query = query.where(rooms.c.campus.in_(sorted(campuses)))
    return [_room(row) for row in connection.execute(query)]


def some(connection: Connection, ids: Iterable[str]) -> dict[str, Room]:
    """These rooms, by their ids."""
    found: dict[str, Room] = {}
    for wanted in chunks(ids):
        query = select(rooms).where(rooms.c.id.in_(wanted))
        found.update({row.id: _room(row) for row in connection.execute(query)})
    return found


def room_of(connection: Connection, kiosk: str) -> Room | None:
    """The room in which a kiosk stands, as far as the schedule knows."""
    row = connection.execute(select(rooms).where(rooms.c.kiosk == kiosk)).one_or_none()
    return None if row is None else _room(row)


def one(connection: Connection, room: str) -> Room | None:
    """One room."""
    row = connection.execute(select(rooms).where(rooms.c.id == room)).one_or_none()
    return None if row is None else _room(row)


def put(connection: Connection, room: Room, at: datetime) -> None:
    """Keep a room, or change one; the kiosk that it names stands in no other room from now on."""
    if room.kiosk is not None:
        moved = (rooms.c.kiosk == room.kiosk) & (rooms.c.id != room.id)
        connection.execute(update(rooms).where(moved).values(kiosk=None))
    values = {name: getattr(room, name) for name in ("campus", "name", "kiosk", "point_person", "office")}
    adding = insert(connection, rooms).values(id=room.id, created_us=micros(at), **values)
    connection.execute(adding.on_conflict_do_update(index_elements=["id"], set_=values))


def add(connection: Connection, new: Iterable[Room], at: datetime) -> None:
    """Keep rooms that are used for the first time, each with its own kiosk, which stands in no other."""
    names = ("id", "campus", "name", "kiosk", "point_person", "office")
    rows = [{**{name: getattr(room, name) for name in names}, "created_us": micros(at)} for room in new]
    if rows:
        connection.execute(insert(connection, rooms).on_conflict_do_nothing(index_elements=["id"]), rows)


def kiosks_of(connection: Connection, campuses: Iterable[str]) -> list[str]:
    """The kiosks of these campuses that were told a schedule before."""
    query = select(schedules.c.kiosk).where(schedules.c.campus.in_(sorted(campuses)))
    return list(connection.execute(query).scalars())


def touch(connection: Connection, of: Iterable[str | None], at: datetime) -> None:
    """These kiosks' schedules changed: the next revision is due, or the first."""
    for wanted in chunks(kiosk for kiosk in of if kiosk):
        query = select(kiosks.c.id, kiosks.c.campus).where(kiosks.c.id.in_(wanted))
        rows = [
            {"kiosk": row.id, "campus": row.campus, "revision": 1, "changed_us": micros(at)}
            for row in connection.execute(query)
        ]
        if rows:
            adding = insert(connection, schedules)
            changing = {"revision": schedules.c.revision + 1, "changed_us": micros(at)}
            connection.execute(adding.on_conflict_do_update(index_elements=["kiosk"], set_=changing), rows)


def revisions(connection: Connection, of: Iterable[str] | None = None) -> list[Row[Any]]:
    """Kiosk, campus and revision of every schedule, or of these kiosks'."""
    query = select(schedules.c.kiosk, schedules.c.campus, schedules.c.revision)
    if of is not None:
        query = query.where(schedules.c.kiosk.in_(sorted(of)))
    return list(connection.execute(query))


def mark(connection: Connection) -> tuple[int, int]:
    """Moves whenever any schedule changes: reading this costs next to nothing, all revisions of a district do not."""
    count, total = connection.execute(select(func.count(), func.sum(schedules.c.revision)).select_from(schedules)).one()
    return count, total or 0


def _room(row: Row[Any]) -> Room:
    return Room(row.id, row.campus, row.name, row.kiosk, row.point_person, row.office)
