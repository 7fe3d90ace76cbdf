"""What may be kept of a session's pictures: pure. In doubt nothing, and the reason is said.

Consent travels in the schedule and counts only while that schedule is fresh, so that a kiosk which has been cut off
from the fleet for a day cannot go on recording a child whose consent was taken back meanwhile.
"""

from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from device.cameras.recording import Keep
from device.session import cards, windows
from device.session.clock import Instant
from device.session.states import Phase, State
from wire.schedule import Booking, Schedule

FRESH: Final = timedelta(hours=24)
AHEAD: Final = timedelta(minutes=5)
"""A schedule from further in the future shows that the kiosk's clock cannot tell how old it is."""

_RUNNING: Final = frozenset({Phase.STARTING, Phase.LIVE, Phase.BUFFERING})
_REFUSALS: Final = {
    **{one: one for one in ("paused", "unplanned", "push-in", "no-consent", "schedule-old", "not-this-student")},
    "not-scheduled": "unplanned",
}
"""What is asked for from outside is refused with one of these words, or `no-session`: they are in the contract."""


@dataclass(frozen=True, slots=True)
class Permission:
    """What may be kept, and why it is that."""

    keep: Keep
    reason: str


def permission(state: State, now: Instant) -> Permission:
    """What may be kept of the pictures at this moment; disk and keys are another matter."""
    found = _consented(state, now)
    if isinstance(found, str):
        return Permission(Keep.NOTHING, found)
    policy = _by_policy(found, link_up=state.link_up)
    stopped = policy.keep is not Keep.NOTHING and cards.stops(state)
    return Permission(Keep.NOTHING, "other-card") if stopped else policy


def still_refusal(state: State, now: Instant) -> str | None:
    """Why a person at the fleet may have no still of this session, as a short stable word; None when they may.

    The booking's recording policy has no say in it (docs/adr/0015).
    """
    found = _consented(state, now)
    if isinstance(found, str):
        return _REFUSALS.get(found, "no-session")
    return "other-card" if cards.stops(state) else None


def _consented(state: State, now: Instant) -> Booking | str:
    """The booking whose session runs and whose every student consented to pictures, or why there is none."""
    session = state.session
    if session is None or state.phase not in _RUNNING:
        return "no-session" if session is None else state.phase.value
    if state.wrong_student == session.id:
        return "not-this-student"
    if session.booking is None:
        return "unplanned"
    held = windows.usable(state.schedule, now)
    if held is None or not is_fresh(held, now):
        return "schedule-old"
    booking = next((one for one in held.bookings if one.id == session.booking.id), None)
    return "not-scheduled" if booking is None else _by_consent(booking, now)


def _by_consent(booking: Booking, now: Instant) -> Booking | str:
    if booking.model == "push-in":  # others than the booked students are in the room
        return "push-in"
    return booking if has_consent(booking, now) else "no-consent"


def _by_policy(booking: Booking, *, link_up: bool) -> Permission:
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

    A consent taken back outweighs every other of the same student but those said to be given after that.
    """
    return bool(booking.students) and all(_in_force(booking, student, now) for student in booking.students)


def _in_force(booking: Booking, student: str, now: Instant) -> bool:
    own = [one for one in booking.consents if one.student == student]
    last = max((one.revoked_at for one in own if one.revoked_at and one.revoked_at <= now.wall), default=None)
    return any(
        (one.revoked_at is None or now.wall < one.revoked_at)
        and (one.until is None or now.wall < one.until)
        and (one.since is None or one.since <= now.wall)
        and (last is None or (one.since is not None and one.since >= last))
        for one in own
    )
