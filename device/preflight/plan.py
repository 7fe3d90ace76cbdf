"""When a kiosk looks itself over before a booking: pure arithmetic on the cached schedule, so that it works offline."""

from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from device.session.clock import Instant
from device.session.states import Phase, State
from device.session.windows import upcoming, usable
from wire.preflight import BEFORE_MIN
from wire.schedule import Booking, Schedule

UNPLANNED_S: Final = 3_600.0
"""A session without a booking ends by itself after an hour."""


@dataclass(frozen=True, slots=True)
class Due:
    """A look that is due, and every turn that it serves."""

    booking: Booking
    """The next of them to start."""
    turns: frozenset[str]


def due(state: State, now: Instant, made: AbstractSet[str]) -> Due | None:
    """The look that is due now; None while there is none, in a session, or with a clock that cannot tell.

    Args:
        state: the session machine's.
        now: the kiosk's time.
        made: the turns that were taken already, as `Due.turns` named them.
    """
    held = usable(state.schedule, now)
    if held is None or state.session is not None or state.phase is not Phase.IDLE or not allowed(held, now):
        return None
    open_now = [
        (one, turn) for one in held.bookings if one.id not in state.done if (turn := turn_of(one, now.wall)) is not None
    ]
    waiting = [(one, turn) for one, turn in open_now if turn not in made]
    if not waiting:
        return None
    first = min((one for one, _ in waiting), key=lambda one: (one.start, one.id))
    return Due(first, frozenset(turn for _, turn in waiting))


def turn_of(booking: Booking, at: datetime) -> str | None:
    """The turn whose time it is, as `b-1 2026-11-24T15:15:00+00:00 10`; None before the first and from the start on.

    A turn passes when the next comes, the last at the start.
    A booking that is moved has turns of its own.
    """
    left = booking.start - at
    if left <= timedelta(0):
        return None
    begun = [minutes for minutes in BEFORE_MIN if left <= timedelta(minutes=minutes)]
    return f"{booking.id} {booking.start.isoformat()} {min(begun)}" if begun else None


def allowed(schedule: Schedule | None, now: Instant) -> bool:
    """Whether the campus lets cameras be opened for a look now: within its bells, where it has told them."""
    held = usable(schedule, now)
    if held is None or held.days is None:
        return True
    return any(one.opens <= now.wall < one.closes for one in held.days)


def still_of_use(made: AbstractSet[str], schedule: Schedule | None) -> frozenset[str]:
    """Those of `made` whose bookings are held: what is kept does not grow with the years."""
    held = {f"{one.id} {one.start.isoformat()}" for one in schedule.bookings} if schedule else set()
    return frozenset(turn for turn in made if turn.rpartition(" ")[0] in held)


def planned_s(state: State, now: Instant, booking: Booking | None) -> float:
    """How long the session is planned to last that a look is about: the next one, where nobody says which."""
    about = booking or upcoming(state.schedule, now, state.done)
    return UNPLANNED_S if about is None else about.planned_ms / 1_000
