"""Reads from the store all that kiosks are told: for many at once, because after an outage all of them are due."""

from collections.abc import Iterable
from datetime import datetime

from sqlalchemy import Connection

from fleet import schedule
from fleet.planning import Plan
from fleet.schedule import Facts
from fleet.store import bookings, campuses, consents, rooms
from fleet.store.campuses import Closure
from fleet.store.consents import Given
from fleet.zones import zone_name


def facts_of(
    connection: Connection, kiosks: Iterable[tuple[str, str]], now: datetime, zone_setting: str | None = None
) -> list[Facts]:
    """What the schedules of these kiosks (kiosk and campus) are made of, in their order."""
    wanted = list(kiosks)
    where = {campus for _, campus in wanted}
    standing = {one.kiosk: one for one in rooms.rooms_of(connection, frozenset(where)) if one.kiosk}
    used = {room.id for kiosk, _ in wanted if (room := standing.get(kiosk)) is not None}
    plans = _by_room(bookings.between(connection, now - schedule.BEHIND, now + schedule.AHEAD, rooms=used,
                                      only_planned=False))  # fmt: skip
    calendars = campuses.all_calendars(connection, where)
    cards = campuses.cards_of(connection, where)
    closures = campuses.closures_of(connection, where, now - schedule.BEHIND)
    taken_back = consents.revoked_since(connection, now - schedule.REVOKED_FOR, where)
    gone = {one.student for one in taken_back}
    was_here = bookings.students_of_rooms(connection, used, gone) if gone else {}
    found = []
    booked = {student for of in plans.values() for plan in of for student in plan.students}
    given: dict[str, dict[str, list[Given]]] = {campus: {} for campus in where}
    for student, of_all in consents.of(connection, None, gone | booked).items():
        for one in of_all:
            given.setdefault(one.campus, {}).setdefault(student, []).append(one)
    at_campus: dict[str, list[Closure]] = {}
    for closure in closures:
        at_campus.setdefault(closure.campus, []).append(closure)
    for kiosk, campus in wanted:
        room = standing.get(kiosk)
        calendar = calendars.get(campus)
        found.append(
            Facts(
                kiosk=kiosk,
                campus=campus,
                time_zone=zone_name(calendar, zone_setting),
                room=room,
                plans=tuple(plans.get(room.id, ())) if room else (),
                consents=given[campus],
                was_here=frozenset(was_here.get(room.id, ())) if room else frozenset(),
                cards=cards.get(campus, {}) if room else {},
                calendar=calendar,
                closures=tuple(at_campus.get(campus, ())),
            )
        )
    return found


def _by_room(plans: Iterable[Plan]) -> dict[str, list[Plan]]:
    found: dict[str, list[Plan]] = {}
    for plan in plans:
        found.setdefault(plan.room, []).append(plan)
    return found
