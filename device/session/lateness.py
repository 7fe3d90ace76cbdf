"""Who has not come: a room that did not press, a therapist who did not join. Pure; what is not known is not claimed."""

from datetime import timedelta

from device.session import windows
from device.session.clock import Instant
from device.session.states import State
from wire.minutes import SessionRecord
from wire.schedule import OVERDUE_AFTER, Booking


def overdue(state: State, now: Instant) -> str | None:
    """The earliest booking whose start passed 3 minutes ago with nobody pressing and nobody saying why."""
    if state.session is not None:
        return None
    found = windows.overdue(state.schedule, now, state.done | state.explained)
    return min(found, key=lambda one: (one.start, one.id)).id if found else None


def therapist_missing_s(state: State, record: SessionRecord | None, now: Instant) -> int | None:
    """For how long the therapist has not been there, from 3 minutes on; None before, and where nothing can know it.

    A therapist who said to come later is missed from then on.
    """
    session = state.session
    if session is None or record is None or not record.spans or record.spans[-1].therapist is not False:
        return None
    since_ms = record.spans[-1].start_ms
    for span in reversed(record.spans):
        if span.therapist is not False:
            break
        since_ms = span.start_ms
    missing = timedelta(milliseconds=record.spans[-1].end_ms - since_ms)
    booking = _as_told_now(state)
    if booking is not None and windows.usable(state.schedule, now) is not None:
        missing = min(missing, now.wall - booking.start - windows.late(booking))
    return round(missing.total_seconds()) if missing >= OVERDUE_AFTER else None


def late_min(state: State) -> int | None:
    """By how much the therapist of the running session's booking said to come later, as the newest schedule has it."""
    booking = _as_told_now(state)
    return booking.late_min or None if booking else None


def _as_told_now(state: State) -> Booking | None:
    """The running session's booking in the schedule that is held now; a session keeps the one it began with."""
    booking = state.session.booking if state.session else None
    if booking is None or state.schedule is None:
        return booking
    return next((one for one in state.schedule.bookings if one.id == booking.id), booking)
