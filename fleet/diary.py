"""What incidents ask of the schedule, answered from the store: bells, zones, point persons, bookings.

Read anew every quarter minute, because it is asked at every look. Where a campus has no bells, the settings answer.
"""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import Connection

from fleet.clock import Clock
from fleet.errors import StoreDown
from fleet.notices import URGENT_BEFORE, Booked
from fleet.planning import Plan
from fleet.schedule import is_in_school
from fleet.school import SettledSchool
from fleet.store import bookings, campuses, rooms, sessions
from fleet.store.campuses import Closure
from fleet.store.engine import Database
from wire.school_day import Calendar

READ_EVERY_S: Final = 15.0
_AHEAD: Final = URGENT_BEFORE + timedelta(minutes=5)
"""Bookings are read a little further ahead than they are asked for: what was read may be a moment old."""


@dataclass(frozen=True, slots=True)
class _Read:
    """What stood in the store at a moment."""

    at_s: float = float("-inf")
    calendars: dict[str, Calendar] = field(default_factory=dict)
    closures: dict[str, list[Closure]] = field(default_factory=dict)
    point_persons: dict[str, str] = field(default_factory=dict)
    plans: dict[str, list[Plan]] = field(default_factory=dict)
    """By kiosk, what is planned in its room now and soon, by start."""


class StoredDiary:
    """`Diary` by the schedule that this fleet keeps; may be asked from any thread."""

    def __init__(self, database: Database, clock: Clock, settled: SettledSchool) -> None:
        self._database, self._clock, self._settled = database, clock, settled
        self._read = _Read()
        self._rang: dict[str, tuple[datetime, bool]] = {}

    def local(self, campus: str, at: datetime) -> datetime:
        """See `School.local`."""
        calendar = self._current().calendars.get(campus)
        return self._settled.local(campus, at) if calendar is None else at.astimezone(calendar.zone)

    def bells(self, campus: str, at: datetime) -> bool:
        """See `School.bells`; closures count."""
        asked, answer = self._rang.get(campus, (None, False))
        if asked == at:
            return answer
        kept = self._current()
        calendar = kept.calendars.get(campus)
        closures = kept.closures.get(campus, [])
        if calendar is None or not calendar.bells:
            answer = self._settled.bells(campus, at) and not any(one.covers(at) for one in closures)
        else:
            answer = is_in_school(calendar, at, closures)
        self._rang[campus] = (at, answer)
        return answer

    def point_person(self, kiosk: str, at: datetime) -> str | None:
        """See `School.point_person`."""
        kept = self._current()
        plan = next(iter(_near(kept, kiosk, at)), None)
        own = None if plan is None else plan.point_person
        return own or kept.point_persons.get(kiosk)

    def booked(self, kiosk: str, at: datetime) -> list[Booked]:
        """See `School.booked`."""
        return [Booked(one.start, one.end) for one in _near(self._current(), kiosk, at)]

    def touches_booking(self, connection: Connection, kiosk: str, since: datetime, until: datetime) -> bool:
        """See `Diary`: a booking of the kiosk's room, whatever became of it, or a session of the kiosk."""
        if sessions.ran(connection, kiosk, since, until):
            return True
        room = rooms.room_of(connection, kiosk)
        return room is not None and bool(
            bookings.between(connection, since, until, rooms=[room.id], only_planned=False)
        )

    def _current(self) -> _Read:
        now = self._clock.now()
        if now.mono_s - self._read.at_s < READ_EVERY_S:
            return self._read
        try:
            with self._database.read() as connection:
                found = rooms.rooms_of(connection)
                named = {one.campus for one in found}
                calendars = campuses.all_calendars(connection)
                closures: dict[str, list[Closure]] = {}
                for one in campuses.closures_of(connection, named | calendars.keys(), now.at):
                    closures.setdefault(one.campus, []).append(one)
                standing = {one.id: one.kiosk for one in found if one.kiosk}
                near = bookings.between(connection, now.at, now.at + _AHEAD, rooms=standing)
        except StoreDown:
            return self._read
        persons = {one.kiosk: one.point_person for one in found if one.kiosk and one.point_person}
        plans: dict[str, list[Plan]] = {}
        for plan in near:
            plans.setdefault(standing[plan.room], []).append(plan)
        self._read = _Read(now.mono_s, calendars, closures, persons, plans)
        self._rang = {}
        return self._read


def _near(kept: _Read, kiosk: str, at: datetime) -> list[Plan]:
    """What runs in the kiosk's room at that instant or begins soon after, by start."""
    return [one for one in kept.plans.get(kiosk, ()) if one.start - URGENT_BEFORE <= at < one.end]
