"""What may be kept of a session's pictures: pure. In doubt nothing, and the reason is said.

Consent travels in the schedule and counts only while that schedule is fresh, so that a kiosk which has been cut off
from the fleet for a day cannot go on recording a child whose consent was taken back meanwhile.
"""

from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from device.cameras.recording import Keep
from device.session import windows
from device.session.clock import Instant
from device.session.states import Phase, State
from wire.messages import Booking, Schedule

FRESH: Final = timedelta(hours=24)
AHEAD: Final = timedelta(minutes=5)
"""A schedule from further in the future shows that the kiosk's clock cannot tell how old it is."""

_RUNNING: Final = frozenset({Phase.STARTING, Phase.LIVE, Phase.BUFFERING})


@dataclass(frozen=True, slots=True)
class Permission:
    """What may be kept, and why it is that."""

    keep: Keep
    reason: str


def permission(state: State, now: Instant) -> Permission:
    """What may be kept of the pictures at this moment; disk and keys are another matter."""
    session = state.session
    if session is None or state.phase not in _RUNNING:
        return Permission(Keep.NOTHING, "no-session" if session is None else state.phase.value)
    if state.wrong_student == session.id:
        return Permission(Keep.NOTHING, "not-this-student")
    if session.booking is None:
        return Permission(Keep.NOTHING, "unplanned")
    held = windows.usable(state.schedule, now)
    if held is None or not is_fresh(held, now):
        return Permission(Keep.NOTHING, "schedule-old")
    booking = next((one for one in held.bookings if one.id == session.booking.id), None)
    if booking is None:
        return Permission(Keep.NOTHING, "not-scheduled")
    return _by_booking(booking, now, link_up=state.link_up)


def _by_booking(booking: Booking, now: Instant, *, link_up: bool) -> Permission:
    if booking.model == "push-in":  # others than the booked students are in the room
        return Permission(Keep.NOTHING, "push-in")
    if not has_consent(booking, now):
        return Permission(Keep.NOTHING, "no-consent")
    match booking.record:
        case "always":
            return Permission(Keep.ALL, "always")
        case "when-offline":
            return Permission(Keep.PRE_ROLL if link_up else Keep.ALL, "when-offline")
        case _:
            return Permission(Keep.NOTHING, "policy")


def is_fresh(schedule: Schedule, now: Instant) -> bool:
    """Whether what a schedule says of consent still counts."""
    return -AHEAD <= now.wall - schedule.as_of < FRESH


def has_consent(booking: Booking, now: Instant) -> bool:
    """Whether every student of the booking has a consent in force; a booking without students has nobody's.

    A consent taken back outweighs every other of the same student: which of them is the newer, nobody here can know.
    """
    given = {one.student for one in booking.consents if one.until is None or now.wall < one.until}
    revoked = {one.student for one in booking.consents if one.revoked_at is not None and one.revoked_at <= now.wall}
    return bool(booking.students) and (given - revoked).issuperset(booking.students)
