"""How long a session was interrupted, also where no clock could tell: at least and at most, outwards to minutes."""

from typing import Final

from device.screen.scene import Scene, duration
from wire.minutes import Bounds, Minutes

_WORTH_SAYING_MS: Final = 1_000
_MINUTE_MS: Final = 60_000


def interrupted_for(scene: Scene, minutes: Minutes) -> str:
    """The figure of all interruptions; empty when there was none worth a line."""
    ms = sum(minutes.interrupted_ms.values())
    bounds = minutes.bounds
    if bounds is None:
        return duration(ms) if ms >= _WORTH_SAYING_MS else ""
    certain_ms = ms - sum(gap.counted_ms for gap in bounds.gaps)
    return _said(scene.w.length_between, scene.w.length_at_least, scene.w.unknown_length, bounds, certain_ms)


def lost(scene: Scene) -> str:
    """What was lost while nothing could measure it, in a sentence; empty when every minute is known."""
    bounds = scene.record.minutes.bounds if scene.record else None
    if bounds is None:
        return ""
    return _said(scene.w.lost_between, scene.w.lost_at_least, scene.w.lost_unknown, bounds, 0)


def _said(between: str, at_least: str, unknown: str, bounds: Bounds, more_ms: int) -> str:
    least, most_ms = (bounds.lost_min_ms + more_ms) // _MINUTE_MS, bounds.lost_max_ms
    if most_ms is not None:
        return between.format(least=least, most=-(-(most_ms + more_ms) // _MINUTE_MS))
    return at_least.format(least=least) if least else unknown
