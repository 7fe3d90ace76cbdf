"""`scene:student`: the front camera's view of a drawn child at a desk, who writes, looks up, and blinks."""

from typing import TYPE_CHECKING, Final

import numpy as np

from device.cameras.sources.art import child, classroom
from device.cameras.sources.art.canvas import Stage, shifted

if TYPE_CHECKING:
    from device.cameras.source import Image

_LOOKS: Final = 7


class StudentScene:
    """A child at a desk, seen from the front, in a quiet classroom. Drawn like a picture book: nobody's likeness.

    Args:
        stage: the size of the pictures.
        seed: the same seed gives the same moments of looking up and blinking.
    """

    def __init__(self, stage: Stage, seed: int) -> None:
        self._stage = stage
        self._phase = float(np.random.default_rng(seed).uniform(0, 2))
        self._room = classroom.paint_room(stage)
        desk = classroom.paint_desk(stage)
        self._desk, self._desk_row = desk.image()[: stage.height - desk.top, : stage.width], desk.top
        self._body = child.paint_body(stage)
        self._heads = [
            [child.paint_head(stage, look / (_LOOKS - 1), closed=closed) for closed in (False, True)]
            for look in range(_LOOKS)
        ]
        self._writing_arm = child.paint_writing_arm(stage)
        self._resting_arm = child.paint_resting_arm(stage)

    def draw(self, time_s: float) -> "Image":
        """See `Scene.draw`."""
        t = time_s + self._phase
        scale = self._stage.scale
        down = _looking_down(t)
        sway = 5.0 * np.sin(t * 0.83) + 2.5 * np.sin(t * 1.9)
        breath = 1.2 * np.sin(t * 1.7)
        frame = self._room.copy()
        upright = shifted(self._stage.px(np.array(child.NECK)), sway * scale, 0.0)
        self._body.paste(frame, (sway * scale, breath * scale), (0.25 * float(sway) / 5, upright))
        head = self._heads[round(down * (_LOOKS - 1))][_blinks(t)]
        nod = (1.4 * sway * scale, (breath + 9 * down) * scale)
        head.paste(frame, nod, (float(0.35 * sway + 1.2 * np.sin(t * 0.6)), self._stage.px(np.array(child.NECK))))
        frame[self._desk_row :] = self._desk
        self._resting_arm.paste(frame, (0.5 * sway * scale, 0.0))
        x, y = _writing_hand(t, down)
        self._writing_arm.paste(frame, ((x + 0.4 * sway) * scale, y * scale))
        return frame


def _looking_down(t: float) -> float:
    """0 looking up to 1 looking down at the page: nine seconds each round, six of them down."""
    part = t % 9.0
    rise, fall = np.clip((part - 5.6) / 0.7, 0, 1), np.clip((part - 8.3) / 0.7, 0, 1)
    up = rise - fall
    return float(1 - up * up * (3 - 2 * up))


def _blinks(t: float) -> bool:
    # Two rhythms without a common beat make it irregular enough.
    return t % 3.7 < 0.14 or t % 5.9 < 0.14


def _writing_hand(t: float, down: float) -> tuple[float, float]:
    """How far the writing hand is from where it was painted, in units."""
    along = t % 7.0
    line = 42 * along / 6.2 if along < 6.2 else 42 * (7.0 - along) / 0.8
    busy = down
    return line + busy * 3.0 * np.sin(t * 17), busy * (2.2 * np.sin(t * 23) + 1.2 * np.sin(t * 11))
