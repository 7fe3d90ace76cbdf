"""One camera when it was well, and how that is learned: once, from seconds in which nothing was wrong, then kept.

A reference that went on learning would follow a fault that comes slowly: a mount that sags, a lens that gets greasy.
"""

import statistics
from collections import deque
from dataclasses import dataclass

import numpy as np

from device.vision.pose import Corners, Landmarks, most_central
from device.vision.statistics import Plane, Statistics
from device.vision.thresholds import TABLE


@dataclass(frozen=True, slots=True, eq=False)
class Reference:
    """One camera when it was well."""

    sharpness: float
    tiles: Plane | None = None
    """`(6, 8)`, how its picture is laid out in light and dark."""
    landmarks: Landmarks | None = None
    """Of an overhead camera, in its usual pose."""
    relief: Plane | None = None
    """What stood out from what, where; see `Statistics.relief`."""
    fine: float | None = None
    """The contrast of its finest lines."""
    mat: Corners | None = None
    """Where the mat lay, where it was seen most of the time."""


class Lesson:
    """The healthy looks so far."""

    def __init__(self) -> None:
        self._looks: deque[tuple[Statistics, Landmarks | None, Corners | None]] = deque(maxlen=TABLE.learn_looks)

    def add(self, now: Statistics, marks: Landmarks | None, mat: Corners | None = None) -> Reference | None:
        """Add a healthy look.

        Args:
            now: what it measured.
            marks: its landmarks; None for a camera whose pose does not matter.
            mat: where the mat lies in it, where that is known well.

        Returns:
            What was learned, once it is enough.
        """
        if self._looks and now.captured_ns - self._looks[-1][0].captured_ns < TABLE.learn_every_s * 1e9:
            return None
        self._looks.append((now, marks, mat))
        if len(self._looks) < TABLE.learn_looks:
            return None
        views = [view for _, view, _ in self._looks if view is not None]
        usual = most_central(views) if views else None
        if views and usual is None:
            return None  # the desk was too busy; one of the next looks will do
        sharpness = statistics.median(look.sharpness for look, _, _ in self._looks)
        tiles = np.median(np.array([look.tiles for look, _, _ in self._looks]), axis=0).astype(np.float32)
        relief = np.median(np.array([look.relief for look, _, _ in self._looks]), axis=0).astype(np.float32)
        fine = statistics.median(look.fine for look, _, _ in self._looks)
        mats = [corners for _, _, corners in self._looks if corners is not None]
        mat = np.median(mats, axis=0) if 2 * len(mats) > TABLE.learn_looks else None
        return Reference(sharpness, tiles, usual, relief, fine, mat)

    def forget(self) -> None:
        """Something was wrong: start afresh."""
        self._looks.clear()
