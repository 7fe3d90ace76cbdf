"""Which booking a press starts: pure arithmetic on the cached schedule."""

from collections.abc import Set as AbstractSet
from datetime import UTC, date, datetime, timedelta, tzinfo
from typing import Final

from device.session.clock import Instant, zone_of
from device.session.states import State
from wire.ledger import ClockTrust
from wire.schedule import OVERDUE_AFTER, Booking, Schedule, Settled

OPENS_BEFORE: Final = timedelta(minutes=15)
SAID_BEFORE: Final = timedelta(hours=1)
"""From then on the room is told that a booking will not be held."""
MISSED_FOR: Final = timedelta(hours=1)


def planned_end(booking: Booking | Settled) -> datetime:
    """When the booking is planned to end."""
    try:
        return booking.start + timedelta(milliseconds=booking.planned_ms)
    except OverflowError:  # no calendar goes that far
        return datetime.max.replace(tzinfo=UTC)


def late(booking: Booking) -> timedelta:
    """By how much the therapist said to come later."""
    return timedelta(minutes=min(booking.late_min or 0, 24 * 60))


def called_off(schedule: Schedule | None, now: Instant) -> list[tuple[datetime, str]]:
    """Start and reason of what will not be held and would be on now or soon, the earliest first."""
    held = usable(schedule, now)
    if held is None:
        return []
    soon = (one for one in held.settled if one.start <= now.wall + SAID_BEFORE and now.wall < planned_end(one))
    return sorted((one.start, one.reason) for one in soon)


def usable(schedule: Schedule | None, now: Instant) -> Schedule | None:
    """The schedule, if one is held and the clock can be compared with it."""
    return None if now.trust is ClockTrust.UNSET else schedule


def first_bell(state: State, now: Instant) -> datetime | None:
    """When the school day began that is not over, or begins that comes next; None while nobody can tell."""
    held = usable(state.schedule, now)
    return min((one.opens for one in (held.days or () if held else ()) if now.wall < one.closes), default=None)


def today(state: State, now: Instant) -> list[Booking]:
    """The bookings of this day in the room's own time; none while no clock can tell what day it is."""
    held, zone = usable(state.schedule, now), zone_of(state.time_zone)
    if held is None:
        return []
    day = now.wall.astimezone(zone).date()
    return [one for one in held.bookings if _day(one.start, zone) == day]


def _day(at: datetime, zone: tzinfo) -> date | None:
    try:
        return at.astimezone(zone).date()
    except OverflowError:  # no calendar goes that far
        return None


def due(schedule: Schedule | None, now: Instant, done: AbstractSet[str]) -> Booking | None:
    """The booking that a press starts: the earliest whose window is open and that had no session."""
    held = usable(schedule, now)
    if held is None:
        return None
    open_now = [
        booking
        for booking in held.bookings
        if booking.id not in done and booking.start <= now.wall + OPENS_BEFORE and now.wall < planned_end(booking)
    ]
    return min(open_now, key=lambda booking: (booking.start, booking.id), default=None)


def upcoming(schedule: Schedule | None, now: Instant, done: AbstractSet[str]) -> Booking | None:
    """The next booking that has not begun and had no session, open window or not."""
    held = usable(schedule, now)
    if held is None:
        return None
    later = [one for one in held.bookings if one.id not in done and now.wall < planned_end(one)]
    return min(later, key=lambda booking: (booking.start, booking.id), default=None)


def overdue(schedule: Schedule | None, now: Instant, settled: AbstractSet[str]) -> list[Booking]:
    """The bookings whose start passed 3 minutes ago, whose window is still open and that nobody pressed for."""
    held = usable(schedule, now)
    if held is None:
        return []
    return [
        booking
        for booking in held.bookings
        if booking.id not in settled
        and booking.start <= now.wall - OVERDUE_AFTER - late(booking)
        and now.wall < planned_end(booking)
    ]


def missed(schedule: Schedule | None, now: Instant) -> list[Booking]:
    """The bookings whose window closed within the last hour, the latest first."""
    held = usable(schedule, now)
    if held is None:
        return []
    over = [one for one in held.bookings if planned_end(one) <= now.wall < planned_end(one) + MISSED_FOR]
    return sorted(over, key=lambda one: (planned_end(one), one.id), reverse=True)
