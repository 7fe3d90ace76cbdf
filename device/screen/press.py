"""What a press would do now, asked of the session machine itself, so that the page can never promise anything else."""

from collections.abc import Iterable, Mapping
from enum import StrEnum
from typing import Final

from device.session import limits, windows
from device.session.clock import Instant
from device.session.machine import step
from device.session.states import ROLES, Fact, Phase, Pressed, State
from wire.schedule import Booking


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


_IDLE: Final = {
    "session.continued": Does.CONTINUE,
    "session.started": Does.START,
    "start.refused": Does.REFUSED,
}
_RUNNING: Final = {"session.ended": Does.NEXT, "session.paused": Does.PAUSE}


def does(state: State, now: Instant) -> tuple[Does, Booking | None]:
    """What a press at `now` would do, and the booking that it would start, if any."""
    after, facts = step(state, Pressed("screen", now.mono_ns), now)
    booking = after.session.booking if after.session else None
    match state.phase:
        case Phase.IDLE:
            found = _first(_IDLE, facts) or Does.ASK
        case Phase.FAULT:
            found = _first(_IDLE, facts) or Does.NOTHING
        case Phase.LIVE | Phase.BUFFERING:
            found = _first(_RUNNING, facts) or Does.NOTHING
        case Phase.PAUSED:
            found = Does.GO_ON if state.countdown_ns is None else Does.STAY
        case Phase.ENDING:
            found = Does.UNDO
        case Phase.BOOTING if state.session is None:
            found = Does.HEARD
        case _:
            found = Does.NOTHING
    return found, booking if found in {Does.START, Does.CONTINUE, Does.NEXT} else None


def _first(meanings: Mapping[str, Does], facts: Iterable[Fact]) -> Does | None:
    return next((meanings[fact.type] for fact in facts if fact.type in meanings), None)


def refusal(state: State, now: Instant) -> str | None:
    """Why a start would be refused now, even if nobody has pressed yet."""
    booking = windows.due(state.schedule, now, state.done)
    return limits.refusal(state, frozenset(booking.needs if booking else ROLES))
