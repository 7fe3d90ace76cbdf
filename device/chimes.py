"""Four soft tones for what the button did: started, paused, ended, refused. Each is also in words and in light.

A tone is a few sine notes with slow edges, soft and under a second: children are startled by surprises. They differ in
direction and number of notes, not in pitch alone: up for a start, down for an end, one low note for a pause, two short
equal ones for a refusal.
"""

import math
from collections.abc import Iterable, Sequence
from enum import StrEnum
from functools import cache
from itertools import accumulate
from typing import Final, Protocol

from device.session.states import Fact, Phase, State

RATE_HZ: Final = 48_000
PEAK: Final = 0.12
"""Of full scale: -18 dBFS."""
EASE_S: Final = 0.03
"""How long a note takes to come, and to go: no click."""


class Chime(StrEnum):
    """What a tone says."""

    START = "start"
    PAUSE = "pause"
    END = "end"
    REFUSED = "refused"


NOTES: Final[dict[Chime, tuple[tuple[float, float], ...]]] = {
    Chime.START: ((392.00, 0.16), (523.25, 0.26)),
    Chime.PAUSE: ((329.63, 0.38),),
    Chime.END: ((523.25, 0.16), (440.00, 0.16), (349.23, 0.30)),
    Chime.REFUSED: ((293.66, 0.14), (0.0, 0.08), (293.66, 0.14)),
}
"""Hertz and seconds of each note; 0 Hz is a rest. Equal temperament, A4 = 440 Hz."""


_RUNS: Final = frozenset({Phase.STARTING, Phase.LIVE, Phase.BUFFERING})


class Speaker(Protocol):
    """Where tones are played. It returns at once; a kiosk without a loudspeaker stays silent."""

    def play(self, samples: Sequence[float], rate_hz: int) -> None:
        """Play these samples (-1 to 1, one channel), if nothing is being played already."""


class Silence:
    """The speaker of a kiosk that has none, or that is to make no sound."""

    def play(self, samples: Sequence[float], rate_hz: int) -> None:
        """Nothing is heard."""


def chime_for(before: State, after: State, facts: Iterable[Fact]) -> Chime | None:
    """Which tone belongs to this step, if any; the newest change wins, as only one can be heard."""
    if any(one.type == "start.refused" for one in facts):
        return Chime.REFUSED
    if after.session is None:
        return Chime.END if before.session is not None else None
    if after.phase is Phase.PAUSED:
        return Chime.PAUSE if before.phase not in {Phase.PAUSED, Phase.BOOTING} else None
    ran = before.phase in _RUNS and before.session is not None and before.session.id == after.session.id
    return Chime.START if after.phase in _RUNS and not ran else None


@cache
def samples(chime: Chime) -> tuple[float, ...]:
    """The tone, -1 to 1 at `RATE_HZ`, one channel."""
    return tuple(sample for hertz, seconds in NOTES[chime] for sample in _note(hertz, seconds))


def _note(hertz: float, seconds: float) -> list[float]:
    count, ease = round(seconds * RATE_HZ), round(EASE_S * RATE_HZ)
    turn = 2 * math.pi * hertz / RATE_HZ
    return [
        PEAK * _eased(min(1.0, n / ease, (count - 1 - n) / ease)) * math.sin(angle)
        for n, angle in enumerate(accumulate([0.0, *[turn] * (count - 1)]))
    ]


def _eased(share: float) -> float:
    """A raised cosine: the envelope has no corner that could be heard."""
    return (1 - math.cos(math.pi * share)) / 2
