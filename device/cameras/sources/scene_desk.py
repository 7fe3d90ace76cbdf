"""`scene:desk`: the overhead camera's view of a desk mat, a worksheet, and a hand that writes on it."""

from typing import TYPE_CHECKING, Final

import cv2
import numpy as np

from device.cameras.sources.art.canvas import Points, Stage
from device.cameras.sources.art.desk_top import BODY, LINES, on_sheet, paint_desk
from device.cameras.sources.art.hand import paint_hand
from device.cameras.sources.art.handwriting import Writing, write

if TYPE_CHECKING:
    from device.cameras.source import Image

_WORDS: Final = (
    "the sun is out",
    "a little red hen",
    "sat on a stone",
    "the moon is round",
    "a train has come",
    "it is time to rest",
)
_GRAPHITE: Final = (78, 70, 66)  # blue, green, red
_REST: Final = np.array([770.0, 640.0])
_ARRIVE_S: Final = 1.5
_LEAVE_S: Final = 2.5


class DeskScene:
    """A child's desk from above, in steady soft light.

    Args:
        stage: the size of the pictures.
        seed: the same seed gives the same handwriting and the same wood.
    """

    def __init__(self, stage: Stage, seed: int) -> None:
        self._stage = stage
        lines = [(words, left, base) for words, (left, base) in zip(_WORDS, LINES, strict=True)]
        upright = write(lines, BODY, seed)
        self._writing = Writing(on_sheet(upright.tip), upright.down)
        self._blank = paint_desk(stage, np.random.default_rng(seed))
        self._written = self._blank.copy()
        self._drawn_to = 0
        self._hand = paint_hand(stage)

    def draw(self, time_s: float) -> "Image":
        """See `Scene.draw`."""
        now_s = time_s % (_ARRIVE_S + self._writing.length_s + _LEAVE_S)
        self._write_to(now_s - _ARRIVE_S)
        frame = self._written.copy()
        tip = self._stage.px(self._tip(now_s))
        nib = self._stage.px(np.zeros(2))
        # The hand turns a little about the pencil's tip as it writes.
        turn = 1.5 * np.sin(time_s * 2.9) + 0.8 * np.sin(time_s * 7.1)
        move = tip - nib
        self._hand.paste(frame, (float(move[0]), float(move[1])), (float(turn), nib))
        return frame

    def _write_to(self, writing_s: float) -> None:
        """Bring the written sheet up to a time; a sheet that is full, or a time gone by, starts a fresh one."""
        upto = self._writing.index(writing_s) if writing_s > 0 else 0
        if upto < self._drawn_to:
            self._written, self._drawn_to = self._blank.copy(), 0
        wide = max(1, round(2.2 * self._stage.scale))
        pixels = np.round(self._stage.px(self._writing.tip) * 16).astype(int)
        for i in range(self._drawn_to, upto):
            if self._writing.down[i]:
                start, end = pixels[i].tolist(), pixels[i + 1].tolist()
                cv2.line(self._written, start, end, _GRAPHITE, wide, cv2.LINE_AA, 4)
        self._drawn_to = upto

    def _tip(self, now_s: float) -> Points:
        """Where the pencil's tip is, in units: it comes from the side, writes, and goes to the side."""
        writing_s = now_s - _ARRIVE_S
        if writing_s < 0:
            return _glide(_REST, self._writing.tip[0], 1 + writing_s / _ARRIVE_S)
        if writing_s <= self._writing.length_s:
            return self._writing.at(writing_s)
        return _glide(self._writing.tip[-1], _REST, (writing_s - self._writing.length_s) / _LEAVE_S * 1.5)


def _glide(start: Points, end: Points, part: float) -> Points:
    part = min(1.0, max(0.0, part))
    return np.asarray(start + (end - start) * (part * part * (3 - 2 * part)))
