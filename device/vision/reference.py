"""One camera when it was well, and how that is learned: once, from seconds in which nothing was wrong, then kept.

A reference that went on learning would follow a fault that comes slowly: a mount that sags, a lens that gets greasy.
"""

import statistics
from dataclasses import dataclass

from device.vision.pose import Landmarks, most_central
from device.vision.statistics import Statistics
from device.vision.thresholds import TABLE


@dataclass(frozen=True, slots=True, eq=False)
class Reference:
    """One camera when it was well."""

    sharpness: float
    landmarks: Landmarks | None = None
    """Of an overhead camera, in its usual pose."""


class Lesson:
    """The healthy looks so far."""

    def __init__(self) -> None:
        self._looks: list[tuple[Statistics, Landmarks | None]] = []

    def add(self, now: Statistics, marks: Landmarks | None) -> Reference | None:
        """Add a healthy look.

        Args:
            now: what it measured.
            marks: its landmarks; None for a camera whose pose does not matter.

        Returns:
            What was learned, once it is enough.
        """
        if self._looks and now.captured_ns - self._looks[-1][0].captured_ns < TABLE.learn_every_s * 1e9:
            return None
        self._looks.append((now, marks))
        if len(self._looks) < TABLE.learn_looks:
            return None
        sharpness = statistics.median(look.sharpness for look, _ in self._looks)
        views = [view for _, view in self._looks if view is not None]
        usual = most_central(views) if views else None
        # A view that agrees with no other is learned from later, when whoever works there keeps still enough.
        (_, first), *self._looks = self._looks
        return None if first is not None and usual is None else Reference(sharpness, usual)

    def forget(self) -> None:
        """Something was wrong: start afresh."""
        self._looks.clear()
