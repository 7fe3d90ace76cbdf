"""What the edges of one button mean: a press once it has been down 30 ms, a hold after 2 s, stuck after 10 s. Pure.

gpiozero's own debounce is not used: its mock pins ignore it, so it could not be proven. Every edge starts the 30 ms
anew, so that a bouncing contact is one press and a glitch is none. A button that is down when the kiosk starts does
nothing until it is let go, and a contact that chatters for seconds counts as stuck.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

SETTLE_NS: Final = 30_000_000
HOLD_NS: Final = 2_000_000_000
STUCK_NS: Final = 10_000_000_000
CHATTER_EDGES: Final = 150
"""More edges in a second than a hand can make; for three seconds in a row it is a fault."""
_SECOND_NS: Final = 1_000_000_000
_CHATTER_SECONDS: Final = 3


class Kind(StrEnum):
    """What the hand, or the fault, did."""

    PRESS = "press"
    HOLD = "hold"
    STUCK = "stuck"
    FREED = "freed"


@dataclass(frozen=True, slots=True)
class Gesture:
    """`down_ns` is when the button went down for good; `at_ns` when it counted."""

    kind: Kind
    down_ns: int
    at_ns: int


class Gestures:
    """The button's edges in, gestures out; time comes only from the caller."""

    def __init__(self, now_ns: int, *, down: bool) -> None:
        self._raw = self._stable = down
        self._raw_since_ns = self._down_ns = now_ns
        self._armed = not down
        self._held = self._stuck = False
        self._edges, self._second_ns, self._noisy_seconds = 0, now_ns, 0

    def edge(self, now_ns: int, *, down: bool) -> list[Gesture]:
        """The pin changed at `now_ns`; what became true until then."""
        found = self.advance(now_ns)
        self._edges += 1
        self._raw, self._raw_since_ns = down, now_ns
        return found

    def advance(self, now_ns: int) -> list[Gesture]:
        """What became true until `now_ns`."""
        found = self._chatter(now_ns)
        if self._raw is not self._stable and now_ns - self._raw_since_ns >= SETTLE_NS:
            found += self._settle(now_ns)
        if self._stable:
            down_for_ns = now_ns - self._down_ns
            if self._armed and not self._held and down_for_ns >= HOLD_NS:
                self._held = True
                found.append(Gesture(Kind.HOLD, self._down_ns, self._down_ns + HOLD_NS))
            if not self._stuck and down_for_ns >= STUCK_NS:
                self._stuck = True
                found.append(Gesture(Kind.STUCK, self._down_ns, self._down_ns + STUCK_NS))
        return found

    def wake_ns(self) -> int | None:
        """When `advance` would next find something, if no edge comes."""
        moments = []
        if self._raw is not self._stable:
            moments.append(self._raw_since_ns + SETTLE_NS)
        if self._stable and self._armed and not self._held:
            moments.append(self._down_ns + HOLD_NS)
        if self._stable and not self._stuck:
            moments.append(self._down_ns + STUCK_NS)
        if self._edges or self._noisy_seconds:
            moments.append(self._second_ns + _SECOND_NS)
        return min(moments, default=None)

    def _settle(self, now_ns: int) -> list[Gesture]:
        self._stable = self._raw
        if self._stable:
            self._down_ns, self._held = self._raw_since_ns, False
            return [Gesture(Kind.PRESS, self._down_ns, self._raw_since_ns + SETTLE_NS)] if self._armed else []
        was_stuck, self._stuck, self._armed = self._stuck, False, True
        return [Gesture(Kind.FREED, self._down_ns, now_ns)] if was_stuck else []

    def _chatter(self, now_ns: int) -> list[Gesture]:
        if now_ns - self._second_ns < _SECOND_NS:
            return []
        noisy = self._edges >= CHATTER_EDGES
        quiet = not self._edges
        self._edges, self._second_ns = 0, now_ns
        self._noisy_seconds = self._noisy_seconds + 1 if noisy else 0
        if self._noisy_seconds >= _CHATTER_SECONDS and not self._stuck:
            self._stuck, self._armed = True, False
            return [Gesture(Kind.STUCK, now_ns - self._noisy_seconds * _SECOND_NS, now_ns)]
        if quiet and self._stuck and not self._stable and not self._raw:
            self._stuck, self._armed = False, True
            return [Gesture(Kind.FREED, now_ns, now_ns)]
        return []
