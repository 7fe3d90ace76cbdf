"""What follows from the session machine's state: lamp and cameras, derived each time and stored nowhere."""

from datetime import timedelta
from typing import Final

from device.panel import Lamp
from device.session.clock import Instant
from device.session.states import Phase, State
from device.session.windows import usable

OPEN_BEFORE: Final = timedelta(minutes=30)

CODED: Final = frozenset({Phase.STARTING, Phase.LIVE, Phase.BUFFERING})
"""The phases in which the cameras' pictures are encoded: for the therapist, and for what may be kept."""

_LAMPS: Final = {
    Phase.STARTING: Lamp.STARTING,
    Phase.LIVE: Lamp.RUNNING,
    Phase.BUFFERING: Lamp.RUNNING,
    Phase.PAUSED: Lamp.PAUSED,
    Phase.ENDING: Lamp.ENDING,
}


def lamp_for(state: State) -> Lamp:
    """What the button's lamp shows."""
    if state.refused is not None and state.phase in {Phase.IDLE, Phase.FAULT}:
        return Lamp.REFUSED
    return _LAMPS.get(state.phase, Lamp.OFF)


def cameras_for(state: State, now: Instant, *, idle: str, purpose: str | None) -> tuple[bool, str]:
    """Whether the cameras are to be open, and the reason that goes into the ledger with each opening and closing.

    Args:
        state: the session machine's.
        now: the kiosk's time.
        idle: what the settings say of cameras outside sessions.
        purpose: what asks for them outside sessions now, such as `preflight`; None when nothing does.
    """
    if state.phase in CODED:
        return True, "session"
    if state.session is not None:  # paused, ending, or announced after a power cut and not gone on with yet
        return False, {Phase.PAUSED: "pause", Phase.ENDING: "ending"}.get(state.phase, "power")
    if purpose is not None:
        return True, purpose
    if idle == "watch":
        return True, "watch"
    if idle == "before-bookings" and _before_booking(state, now):
        return True, "before-booking"
    return False, "idle"


def _before_booking(state: State, now: Instant) -> bool:
    held = usable(state.schedule, now)
    return held is not None and any(
        one.start - OPEN_BEFORE <= now.wall < one.start for one in held.bookings if one.id not in state.done
    )
