"""What a press would do now, asked of the session machine itself, so that the page can never promise anything else."""

from enum import StrEnum

from device.session import limits, windows
from device.session.clock import Instant
from device.session.machine import step
from device.session.states import ROLES, Phase, Pressed, State
from wire.messages import Booking


class Does(StrEnum):
    """What a press would do."""

    NOTHING = "nothing"
    HEARD = "heard"
    """Kept until the kiosk has started."""
    START = "start"
    CONTINUE = "continue"
    ASK = "ask"
    REFUSED = "refused"
    PAUSE = "pause"
    NEXT = "next"
    """It ends this session and starts the next."""
    GO_ON = "go_on"
    STAY = "stay"
    UNDO = "undo"


def does(state: State, now: Instant) -> tuple[Does, Booking | None]:
    """What a press at `now` would do, and the booking that it would start, if any."""
    after, facts = step(state, Pressed("screen", now.mono_ns), now)
    types = {fact.type for fact in facts}
    booking = after.session.booking if after.session else None
    match state.phase:
        case Phase.IDLE if "session.continued" in types:
            return Does.CONTINUE, booking
        case Phase.IDLE if "session.started" in types:
            return Does.START, booking
        case Phase.IDLE if "start.refused" in types:
            return Does.REFUSED, None
        case Phase.IDLE:
            return Does.ASK, None
        case Phase.LIVE | Phase.BUFFERING if "session.ended" in types:
            return Does.NEXT, booking
        case Phase.LIVE | Phase.BUFFERING if "session.paused" in types:
            return Does.PAUSE, None
        case Phase.PAUSED:
            return (Does.GO_ON if state.countdown_ns is None else Does.STAY), None
        case Phase.ENDING:
            return Does.UNDO, None
        case Phase.BOOTING if state.session is None:
            return Does.HEARD, None
        case _:
            return Does.NOTHING, None


def refusal(state: State, now: Instant) -> str | None:
    """Why a start would be refused now, even if nobody has pressed yet."""
    booking = windows.due(state.schedule, now, state.done)
    return limits.refusal(state, frozenset(booking.needs if booking else ROLES))
