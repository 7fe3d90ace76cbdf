"""A child's handwriting as a path in time: where the pencil is, and what it has drawn."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from device.cameras.sources.art.canvas import Points, smooth

if TYPE_CHECKING:
    import numpy.typing as npt

# Strokes of the letters: x to the right, y up, the body one high, the baseline at 0.
_LETTERS: Final[dict[str, tuple[list[tuple[float, float]], ...]]] = {
    "a": (
        [(0.8, 0.85), (0.5, 1), (0.15, 0.75), (0.1, 0.35), (0.35, 0), (0.65, 0.2), (0.82, 0.95)],
        [(0.82, 0.95), (0.82, 0.2), (0.98, 0)],
    ),
    "c": ([(0.8, 0.85), (0.5, 1), (0.15, 0.75), (0.1, 0.3), (0.4, 0), (0.8, 0.18)],),
    "d": (
        [(0.8, 0.85), (0.5, 1), (0.15, 0.75), (0.1, 0.35), (0.35, 0), (0.65, 0.2), (0.82, 0.9)],
        [(0.82, 1.95), (0.82, 0.1), (0.95, 0)],
    ),
    "e": ([(0.12, 0.5), (0.78, 0.55), (0.72, 0.88), (0.42, 1), (0.12, 0.7), (0.12, 0.3), (0.4, 0), (0.8, 0.18)],),
    "h": ([(0.1, 2), (0.1, 0)], [(0.1, 0.55), (0.4, 1), (0.7, 0.85), (0.74, 0)]),
    "i": ([(0.1, 1), (0.1, 0.12), (0.22, 0)], [(0.1, 1.42), (0.13, 1.46)]),
    "l": ([(0.1, 2), (0.1, 0.12), (0.25, 0)],),
    "m": (
        [(0.1, 1), (0.1, 0)],
        [(0.1, 0.55), (0.34, 1), (0.54, 0.8), (0.56, 0)],
        [(0.56, 0.55), (0.8, 1), (1, 0.8), (1.02, 0)],
    ),
    "n": ([(0.1, 1), (0.1, 0)], [(0.1, 0.55), (0.4, 1), (0.7, 0.82), (0.72, 0)]),
    "o": ([(0.5, 1), (0.15, 0.8), (0.1, 0.35), (0.45, 0), (0.85, 0.3), (0.82, 0.78), (0.48, 1)],),
    "r": ([(0.1, 1), (0.1, 0)], [(0.1, 0.5), (0.35, 0.95), (0.62, 0.95)]),
    "s": ([(0.7, 0.85), (0.4, 1), (0.14, 0.8), (0.38, 0.54), (0.68, 0.28), (0.45, 0), (0.1, 0.14)],),
    "t": ([(0.35, 1.6), (0.35, 0.2), (0.6, 0.02)], [(0.05, 1), (0.65, 1)]),
    "u": ([(0.1, 1), (0.12, 0.25), (0.4, 0), (0.72, 0.35), (0.75, 1)], [(0.75, 1), (0.75, 0.1), (0.9, 0)]),
}
_GAP: Final = 0.28
_SPACE: Final = 0.75
_WRITE_PER_S: Final = 3.4  # letter bodies a second: an unhurried child
_MOVE_PER_S: Final = 9.0
_STEP_S: Final = 0.03


@dataclass(frozen=True, slots=True)
class Writing:
    """Where the pencil's tip is, every 30 ms."""

    tip: Points
    """`(n, 2)` in the units of the page."""
    down: "npt.NDArray[np.bool_]"
    """`(n,)`, whether the tip draws on its way to the next point."""

    @property
    def length_s(self) -> float:
        """How long it takes to write it all."""
        return len(self.tip) * _STEP_S

    def index(self, time_s: float) -> int:
        """The last point reached at a time."""
        return min(int(time_s / _STEP_S), len(self.tip) - 1)

    def at(self, time_s: float) -> Points:
        """Where the tip is at a time, between points too; `(2,)`."""
        i = self.index(time_s)
        part = min(1.0, time_s / _STEP_S - i)
        following = self.tip[min(i + 1, len(self.tip) - 1)]
        return np.asarray(self.tip[i] + (following - self.tip[i]) * part)


def write(lines: list[tuple[str, float, float]], size: float, seed: int) -> Writing:
    """Write lines of text by hand.

    Args:
        lines: the words, and where on the page their baselines start.
        size: the height of a letter's body, in units of the page.
        seed: the same seed writes the same hand.
    """
    chance = np.random.default_rng(seed)
    strokes: list[Points] = []
    for words, left, baseline in lines:
        x = left
        for letter in words:
            if letter == " ":
                x += _SPACE * size
                continue
            height, lift = size * chance.normal(1, 0.05), size * chance.normal(0, 0.035)
            for model in _LETTERS[letter]:
                body = np.array(model) + chance.normal(0, 0.025, (len(model), 2))
                curve = smooth(body, closed=False, steps=8)
                strokes.append(np.column_stack([x + curve[:, 0] * height, baseline - lift - curve[:, 1] * height]))
            x += (max(point[0] for stroke in _LETTERS[letter] for point in stroke) + _GAP) * size
    tips: list[Points] = []
    downs: list[npt.NDArray[np.bool_]] = []
    here = strokes[0][:1]
    for stroke in strokes:
        way = _evenly(np.concatenate([here[-1:], stroke[:1]]), _MOVE_PER_S * size * _STEP_S)
        drawn = _evenly(stroke, _WRITE_PER_S * size * _STEP_S)
        tips += [way, drawn]
        downs += [np.zeros(len(way), np.bool_), np.arange(len(drawn)) < len(drawn) - 1]
        here = drawn
    return Writing(np.concatenate(tips), np.concatenate(downs))


def _evenly(points: Points, step: float) -> Points:
    """The same path, in steps of even length."""
    lengths = np.concatenate([[0.0], np.cumsum(np.hypot(*np.diff(points, axis=0).T))])
    count = max(2, int(lengths[-1] / step) + 1)
    at = np.linspace(0, lengths[-1], count)
    return np.column_stack([np.interp(at, lengths, points[:, axis]) for axis in (0, 1)])
