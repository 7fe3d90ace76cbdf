"""Bookings in the store."""

import json
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Connection, Row, Select, delete, select, tuple_, update

from fleet.clock import micros, moment
from fleet.planning import Attending, Plan, State
from fleet.store.engine import chunks
from fleet.store.schedule_tables import booking_students, bookings

_PLANNED: Final = bookings.c.state == State.PLANNED.value


def add(connection: Connection, plans: Sequence[Plan], at: datetime) -> None:
    """Keep new bookings."""
    if not plans:
        return
    fixed = {"created_us": micros(at)}
    connection.execute(
        bookings.insert(), [{"id": one.id, **_values(one, at), **fixed, "created_by": one.created_by} for one in plans]
    )
    _add_students(connection, plans)


def change(connection: Connection, plan: Plan, at: datetime) -> None:
    """Let a booking be as `plan` says from now on."""
    connection.execute(update(bookings).where(bookings.c.id == plan.id).values(**_values(plan, at)))
    connection.execute(delete(booking_students).where(booking_students.c.booking == plan.id))
    _add_students(connection, [plan])


def one(connection: Connection, booking: str) -> Plan | None:
    """One booking."""
    return next(iter(_plans(connection, select(bookings).where(bookings.c.id == booking))), None)


def by_id(connection: Connection, ids: Iterable[str]) -> dict[str, Plan]:
    """Bookings by their ids."""
    found: dict[str, Plan] = {}
    for some in chunks(ids):
        query = select(bookings).where(bookings.c.id.in_(some))
        found.update({plan.id: plan for plan in _plans(connection, query)})
    return found


@dataclass(frozen=True, slots=True)
class Question:
    """Which bookings are asked for; what is null leaves open."""

    campuses: frozenset[str] | None = None
    room: str | None = None
    therapist: str | None = None
    since: datetime | None = None
    """Those that begin then or later."""
    until: datetime | None = None
    """Those that begin before."""
    cancelled: bool = False
    """Whether cancelled ones are among them."""


def newest(connection: Connection, asked: Question, limit: int, before: tuple[int, str] | None = None) -> list[Plan]:
    """Bookings, those that begin last first."""
    query = select(bookings).order_by(bookings.c.start_us.desc(), bookings.c.id.desc()).limit(limit)
    if asked.campuses is not None:
        query = query.where(bookings.c.campus.in_(sorted(asked.campuses)))
    if asked.room is not None:
        query = query.where(bookings.c.room == asked.room)
    if asked.therapist is not None:
        query = query.where(bookings.c.therapist == asked.therapist)
    if asked.since is not None:
        query = query.where(bookings.c.start_us >= micros(asked.since))
    if asked.until is not None:
        query = query.where(bookings.c.start_us < micros(asked.until))
    if not asked.cancelled:
        query = query.where(bookings.c.state != State.CANCELLED.value)
    if before is not None:
        query = query.where(tuple_(bookings.c.start_us, bookings.c.id) < before)
    return _plans(connection, query)


def between(
    connection: Connection,
    since: datetime,
    until: datetime,
    *,
    campus: str | None = None,
    rooms: Iterable[str] | None = None,
    only_planned: bool = True,
) -> list[Plan]:
    """Bookings that overlap the stretch from `since` to `until`, by start."""
    query = (
        select(bookings)
        .where(bookings.c.end_us > micros(since), bookings.c.start_us < micros(until))
        .order_by(bookings.c.start_us, bookings.c.id)
    )
    if only_planned:
        query = query.where(_PLANNED)
    if campus is not None:
        query = query.where(bookings.c.campus == campus)
    if rooms is not None:
        query = query.where(bookings.c.room.in_(sorted(rooms)))
    return _plans(connection, query)


def same_slot_or_source(connection: Connection, plans: Sequence[Plan]) -> list[Plan]:
    """Bookings, whatever became of them, that begin when one of these does or were made of the same entry."""
    found: dict[str, Plan] = {}
    like = [bookings.c.start_us.in_(some) for some in chunks(micros(one.start) for one in plans)]
    like += [bookings.c.source.in_(some) for some in chunks(one.source for one in plans if one.source)]
    for is_so in like:
        found.update({plan.id: plan for plan in _plans(connection, select(bookings).where(is_so))})
    return list(found.values())


def of_student(connection: Connection, student: str, campuses: frozenset[str] | None) -> list[Plan]:
    """Every booking of a student, by start."""
    has = select(booking_students.c.booking).where(booking_students.c.student == student)
    query = select(bookings).where(bookings.c.id.in_(has)).order_by(bookings.c.start_us)
    if campuses is not None:
        query = query.where(bookings.c.campus.in_(sorted(campuses)))
    return _plans(connection, query)


def rooms_of_students(connection: Connection, campus: str, students: Iterable[str]) -> set[str]:
    """The rooms in which one of these students was ever booked."""
    query = (
        select(bookings.c.room)
        .join(booking_students, booking_students.c.booking == bookings.c.id)
        .where(bookings.c.campus == campus, booking_students.c.student.in_(sorted(students)))
        .distinct()
    )
    return set(connection.execute(query).scalars())


def students_of_rooms(connection: Connection, rooms: Iterable[str], students: Iterable[str]) -> dict[str, set[str]]:
    """Of these students, those who were ever booked in each of these rooms."""
    query = (
        select(bookings.c.room, booking_students.c.student)
        .join(booking_students, booking_students.c.booking == bookings.c.id)
        .where(bookings.c.room.in_(sorted(rooms)), booking_students.c.student.in_(sorted(students)))
        .distinct()
    )
    found: dict[str, set[str]] = defaultdict(set)
    for room, student in connection.execute(query):
        found[room].add(student)
    return found


def _add_students(connection: Connection, plans: Iterable[Plan]) -> None:
    rows = [
        {"booking": plan.id, "student": one.student, "goals": json.dumps(one.goals), "makes_up": one.makes_up}
        for plan in plans
        for one in plan.attending
    ]
    if rows:
        connection.execute(booking_students.insert(), rows)


def _values(plan: Plan, at: datetime) -> dict[str, Any]:
    return {
        "campus": plan.campus,
        "room": plan.room,
        "therapist": plan.therapist,
        "start_us": micros(plan.start),
        "end_us": micros(plan.end),
        "model": plan.model,
        "record": plan.record,
        "point_person": plan.point_person,
        "link": plan.link,
        "late_min": plan.late_min,
        "state": plan.state.value,
        "reason": plan.reason,
        "settled_us": None if plan.state is State.PLANNED else micros(at),
        "closure": plan.closure,
        "source": plan.source,
        "changed_us": micros(at),
    }


def _plans(connection: Connection, query: Select[Any]) -> list[Plan]:
    rows = connection.execute(query).all()
    attending: dict[str, list[Attending]] = defaultdict(list)
    for ids in chunks(row.id for row in rows):
        told = select(booking_students).where(booking_students.c.booking.in_(ids)).order_by(booking_students.c.student)
        for row in connection.execute(told):
            attending[row.booking].append(Attending(row.student, tuple(json.loads(row.goals)), row.makes_up))
    return [_plan(row, attending[row.id]) for row in rows]


def _plan(row: Row[Any], attending: Sequence[Attending]) -> Plan:
    start = moment(row.start_us)
    return Plan(
        id=row.id,
        campus=row.campus,
        room=row.room,
        therapist=row.therapist,
        start=start,
        planned=moment(row.end_us) - start,
        attending=tuple(attending),
        model=row.model,
        record=row.record,
        point_person=row.point_person,
        link=row.link,
        late_min=row.late_min,
        state=State(row.state),
        reason=row.reason,
        source=row.source,
        closure=row.closure,
        created_by=row.created_by,
    )
