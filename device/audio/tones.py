"""A tone as samples, and when the probe tone may be heard at all. Pure: children are startled by surprises."""

import math
from collections.abc import Sequence
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from device.session.clock import Instant
from device.session.states import Phase, State
from device.session.windows import planned_end, usable
from wire.ledger import ClockTrust

RATE_HZ: Final = 48_000
_EASE_S: Final = 0.04
_PROBE_HZ: Final = 523.25
"""C5: in the middle of what a small loudspeaker plays well."""
_PROBE_S: Final = 0.5
_PROBE_PEAK: Final = 0.1
"""-20 dBFS: soft."""
CLEAR_OF_BELL: Final = timedelta(minutes=15)
"""The first children stand in the room before the bell."""
NOT_EARLIER: Final = timedelta(hours=2)
"""A tone at midnight says nothing of the loudspeaker in the morning."""


class Occasion(StrEnum):
    """Why the probe tone would be played."""

    MORNING = "morning"
    """By itself, before anyone is there."""
    ASKED = "asked"
    """Campus IT asked for it, and knows who is in the room."""
    START = "start"
    """As the tone of a session's start, which the room expects."""


def refusal(occasion: Occasion, state: State, now: Instant, first_bell: datetime | None) -> str | None:
    """Why no tone may be heard now, as a short stable word; None when it may.

    Args:
        occasion: why it would be played.
        state: the session machine's.
        now: the kiosk's time.
        first_bell: when the school day begins that is not over yet; None when nobody told: never early enough.
    """
    if state.phase in {Phase.PAUSED, Phase.ENDING}:
        return "paused"
    match occasion:
        case Occasion.START:
            return None if state.phase is Phase.STARTING else "no-start"
        case Occasion.ASKED:
            return None if state.session is None else "in-session"
        case Occasion.MORNING:
            return "in-session" if state.session is not None else _too_late(state, now, first_bell)


def _too_late(state: State, now: Instant, first_bell: datetime | None) -> str | None:
    """Why somebody may be there already."""
    if now.trust is ClockTrust.UNSET:
        return "clock"
    if first_bell is None:
        return "no-bells"
    if now.wall >= first_bell - CLEAR_OF_BELL:
        return "bell-rang"
    if now.wall < first_bell - NOT_EARLIER:
        return "night"
    held = usable(state.schedule, now)
    taken = held is not None and any(one.start - CLEAR_OF_BELL <= now.wall < planned_end(one) for one in held.bookings)
    return "booking" if taken else None


def probe() -> list[float]:
    """The probe tone: half a second of C5, soft, with soft edges; -1 to 1 at `RATE_HZ`."""
    count, ease = round(_PROBE_S * RATE_HZ), round(_EASE_S * RATE_HZ)
    return [
        _PROBE_PEAK * min(1.0, n / ease, (count - n) / ease) * math.sin(2 * math.pi * _PROBE_HZ * n / RATE_HZ)
        for n in range(count)
    ]


def as_pcm(samples: Sequence[float]) -> bytes:
    """Samples from -1 to 1 as 16-bit little-endian words; what is beyond is cut, never wrapped."""
    return b"".join(round(32_767 * max(-1.0, min(1.0, one))).to_bytes(2, "little", signed=True) for one in samples)
