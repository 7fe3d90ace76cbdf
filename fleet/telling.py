"""Reads from the store all that kiosks are told: for many at once, because after an outage all of them are due."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

from sqlalchemy import Connection

from fleet import schedule
from fleet.planning import Plan
from fleet.schedule import Facts
from fleet.store import bookings, campuses, consents, rooms
from fleet.store.rooms import Room
from fleet.zones import zone_name
from wire.schedule import Schedule


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
    given = {
        campus: consents.of(connection, campus, gone | _students_of(wanted, campus, standing, plans))
        for campus in where
    }  # fmt: skip
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
                closures=tuple(one for one in closures if one.campus == campus),
            )
        )
    return found


def told_to(connection: Connection, kiosk: str, now: datetime, zone_setting: str | None = None) -> Schedule | None:
    """The schedule of one kiosk as it is sent at `now`; None for one that is told none."""
    rows = rooms.revisions(connection, [kiosk])
    if not rows:
        return None
    (facts,) = facts_of(connection, [(kiosk, rows[0].campus)], now, zone_setting)
    return schedule.told(facts, rows[0].revision, now)


def bookings_of_kiosk(connection: Connection, kiosk: str, since: datetime, until: datetime) -> list[Plan]:
    """The planned bookings of the room in which a kiosk stands that run at some moment of that stretch, by start."""
    room = rooms.room_of(connection, kiosk)
    return [] if room is None else bookings.between(connection, since, until, rooms=[room.id])


def _students_of(
    wanted: Sequence[tuple[str, str]], campus: str, standing: Mapping[str, Room], plans: dict[str, list[Plan]]
) -> set[str]:
    of = [room for kiosk, at in wanted if at == campus and (room := standing.get(kiosk)) is not None]
    return {student for room in of for plan in plans.get(room.id, ()) for student in plan.students}


def _by_room(plans: Iterable[Plan]) -> dict[str, list[Plan]]:
    found: dict[str, list[Plan]] = {}
    for plan in plans:
        found.setdefault(plan.room, []).append(plan)
    return found
