"""A day's bookings with their forecasts: the board.

What kiosks say stands in the roll, in memory, and is looked up by the kiosk: a board costs as much as its bookings,
however many kiosks there are. Plans, rooms and sessions of a day are read from the store by index and kept for a second
at most: another process may change them. What this process changes itself, it says (`stale`).
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, Row

from fleet.access.roles import Principal, Right
from fleet.clock import Instant, moment, moment_or_none
from fleet.forecast import Held, forecast
from fleet.forecast_views import ForecastView, HeldView, evidence_of, link_view
from fleet.incidents import Key
from fleet.places import name_of
from fleet.planning import Plan, State
from fleet.roll import Roll
from fleet.store import bookings, campuses, room_words, rooms, sessions
from fleet.store.engine import Database
from fleet.store.rooms import Room
from fleet.zones import zone
from wire.minutes import Minutes

_DAY: Final = timedelta(days=1)
_HOUR: Final = timedelta(hours=1)
KEPT_S: Final = 1.0
_MOST_KEPT: Final = 16


@dataclass(frozen=True, slots=True)
class _Read:
    """What stood in the store of one stretch of time."""

    at_s: float
    version: int
    plans: tuple[Plan, ...]
    zones: dict[str, ZoneInfo]
    rooms: dict[str, Room]
    held: dict[str, Held]
    room_says: dict[str, str]


class Days:
    """Answers for any day; may be asked from any thread."""

    def __init__(
        self,
        database: Database,
        roll: Roll,
        suppressed: Callable[[str, Instant], frozenset[Key]] = lambda _kiosk, _now: frozenset(),
        zone_setting: str | None = None,
    ) -> None:
        self._database, self._roll, self._suppressed, self._zone_setting = database, roll, suppressed, zone_setting
        self._version = 0
        self._kept: dict[datetime, _Read] = {}

    def stale(self) -> None:
        """Bookings or sessions changed: the next reader asks the store."""
        self._version += 1

    def day(self, principal: Principal, at: datetime, now: Instant, therapist: str | None = None) -> list[ForecastView]:
        """The bookings of the campus day in which `at` lies, as this principal may know them, by start, room and id.

        What was cancelled is not among them; what was settled with a reason is.
        """
        read = self._read_around(at, now)
        found = [
            self._view(one, read, principal, now)
            for one in read.plans
            if principal.sees(one.campus)
            and one.state is not State.CANCELLED
            and therapist in {None, one.therapist}
            and _is_of(one, at, read.zones[one.campus])
        ]
        return sorted(found, key=place)

    def one(self, principal: Principal, plan: Plan, now: Instant) -> ForecastView:
        """One booking."""
        with self._database.read() as connection:
            return self._view(plan, self._read(connection, [plan], now), principal, now)

    def _read_around(self, at: datetime, now: Instant) -> _Read:
        key = at.replace(minute=0, second=0, microsecond=0)
        kept = self._kept.get(key)
        version = self._version  # before the store is asked: a change meanwhile makes what is read old at once
        if kept is not None and kept.version == version and 0 <= now.mono_s - kept.at_s < KEPT_S:
            return kept
        with self._database.read() as connection:
            plans = bookings.between(connection, key - _DAY, key + _DAY + _HOUR, only_planned=False)
            read = replace(self._read(connection, plans, now), version=version)
        if len(self._kept) >= _MOST_KEPT:
            self._kept.clear()
        self._kept[key] = read
        return read

    def _read(self, connection: Connection, plans: Sequence[Plan], now: Instant) -> _Read:
        rows = sessions.of_bookings(connection, (one.id for one in plans))
        missed = [one for one in plans if one.state is State.PLANNED and one.end <= now.at and one.id not in rows]
        return _Read(
            now.mono_s,
            self._version,
            tuple(plans),
            self._zones(connection, plans),
            rooms.some(connection, (one.room for one in plans)),
            {booking: _held(row) for booking, row in rows.items()},
            room_words.missed_by_room(connection, [(one.id, one.campus) for one in missed]),
        )

    def _zones(self, connection: Connection, plans: Iterable[Plan]) -> dict[str, ZoneInfo]:
        of = {one.campus for one in plans}
        calendars = campuses.all_calendars(connection, of) if of else {}
        return {campus: zone(calendars.get(campus), self._zone_setting) for campus in of}

    def _view(self, plan: Plan, read: _Read, principal: Principal, now: Instant) -> ForecastView:
        room, held, here = read.rooms.get(plan.room), read.held.get(plan.id), read.zones[plan.campus]
        kiosk = room.kiosk if room else None
        entry = self._roll.get(kiosk) if kiosk else None
        suppressed = self._suppressed(kiosk, now) if kiosk else frozenset()
        told = forecast(plan, kiosk, entry, held, now, here, suppressed, read.room_says.get(plan.id))
        said = entry.readiness if entry else None
        return ForecastView(
            booking=plan.id,
            campus=plan.campus,
            time_zone=here.key,
            room=plan.room,
            room_name=name_of(room, self._roll) if room else plan.room,
            kiosk=kiosk,
            start=plan.start,
            end=plan.end,
            minutes=plan.minutes,
            late_min=plan.late_min,
            therapist=plan.therapist,
            students=plan.students if principal.may(Right.READ_LEDGER) else None,
            state=plan.state,
            phase=told.phase,
            verdict=told.verdict,
            reasons=told.reasons,
            needs=told.needs,
            evidence=evidence_of(told, now),
            next_look_at=told.next_look_at,
            link=link_view(told.link),
            presence=entry.presence.reach(now).value if entry else None,
            doing=said.state if said else None,
            in_session=told.in_session,
            overdue=told.overdue,
            session=None if held is None else _held_view(held, now),
            preflight=said.preflight if said else None,
            point_person=plan.point_person or (room.point_person if room else None),
            office=room.office if room else None,
        )


def place(one: ForecastView) -> tuple[datetime, str, str]:
    """Where a booking stands on the board."""
    return one.start, one.room, one.booking


def _is_of(plan: Plan, at: datetime, zone: ZoneInfo) -> bool:
    """Whether a booking begins on the campus's day of `at`."""
    return plan.start.astimezone(zone).date() == at.astimezone(zone).date()


def _held(row: Row[Any]) -> Held:
    return Held(
        id=row.id,
        kiosk=row.kiosk,
        state=row.state,
        started_at=moment_or_none(row.started_us),
        minutes=Minutes.model_validate_json(row.minutes),
        received_at=moment(row.received_us),
    )


def _held_view(held: Held, now: Instant) -> HeldView:
    age_s = max(0.0, (now.at - held.received_at).total_seconds())
    return HeldView(
        id=held.id, state=held.state, started_at=held.started_at, minutes=held.minutes, age_s=round(age_s, 3)
    )
