"""What lies on a lens: caps, cloths, hands, paper; out of focus as a thing at the lens is.

At a few millimetres nothing finer than the lens's opening, about 1.5 mm, is told apart, and 5 to 20 mm are seen
across: so folds and weaves are soft and large, a fifteenth of the picture and more, however sharp the lens.
"""

from collections.abc import Callable
from typing import Final, TypeAlias, cast

import cv2
import numpy as np

from lab.bench.vision_light import Light, clouds, defocused

Shape: TypeAlias = tuple[int, int]
Cover: TypeAlias = Callable[[Light, float], Light]
MakeCover: TypeAlias = Callable[[Shape, np.random.Generator], Cover]

_BLACK, _GREY, _WHITE, _COLOURED = 0.004, 0.18, 0.7, 0.09
_SKINS: Final = (0.28, 0.09, 0.022)
"""Lit from outside, darker skin, and what little red light comes through a hand that shuts out all else."""
_SWAY_PX: Final = 1.5
"""Nothing that hangs or is held is quite still."""


def _still(picture: Light) -> Cover:
    """What hardly moves: a breath of a pixel and a half."""

    def covered(_light: Light, seconds: float) -> Light:
        x, y = (_SWAY_PX * float(np.sin(seconds * speed)) for speed in (0.7, 1.1))
        size = picture.shape[1], picture.shape[0]
        moved = np.array([(1, 0, x), (0, 1, y)])
        return cast("Light", cv2.warpAffine(picture, moved, size, borderMode=cv2.BORDER_REPLICATE))

    return covered


def _axes(shape: Shape) -> tuple[Light, Light]:
    height, width = shape
    across, down = np.meshgrid(np.arange(width, dtype=np.float32) / width, np.arange(height, dtype=np.float32) / width)
    return cast("Light", across), cast("Light", down)


def _cloth(bright: float, folds: float, slope: float = 0.0, weave: float = 0.0, parts: float = 0.0) -> MakeCover:
    """Cloth in soft folds, brighter to one side, with a weave of so many parts to the width.

    Args:
        bright: its luminance.
        folds: how deep, deviation as a share of its brightness.
        slope: how much brighter one side is than the other, as a share of the middle.
        weave: the contrast of its threads against its holes, before the lens makes it soft.
        parts: threads across the picture; the blur of the lens is half of one.
    """

    def make(shape: Shape, chance: np.random.Generator) -> Cover:
        across, down = _axes(shape)
        folded = 1 + folds * np.clip(_folds(shape, int(chance.integers(1 << 30))), -2.5, 2.5)
        turn = float(chance.uniform(0, 2 * np.pi))
        side = 1 + slope * 2 * ((across - 0.5) * np.cos(turn) + (down - 0.3) * np.sin(turn))
        cloth = bright * folded * np.maximum(side, 0.02)
        if weave:
            u = across * np.cos(turn / 4) + down * np.sin(turn / 4)
            v = down * np.cos(turn / 4) - across * np.sin(turn / 4)
            threads = np.maximum(np.sin(2 * np.pi * parts * u), np.sin(2 * np.pi * parts * v))
            cloth = cloth * (1 + weave * threads)
        return _still(
            defocused(np.maximum(cloth, 0).astype(np.float32), max(12.0, shape[1] / parts / 4) if weave else 20.0)
        )

    return make


def _folds(shape: Shape, seed: int) -> Light:
    return defocused(clouds(shape, seed, slope=2.2), 20)


def _cap(leak: float) -> MakeCover:
    """A cap, with some light coming in at a corner."""

    def make(shape: Shape, chance: np.random.Generator) -> Cover:
        across, down = _axes(shape)
        x, y = float(chance.choice([0.0, 1.0])), float(chance.choice([0.0, shape[0] / shape[1]]))
        light = 0.0005 + leak * np.exp(-((across - x) ** 2 + (down - y) ** 2) / 0.01)
        return _still(light.astype(np.float32))

    return make


def _hand(skin: float, gaps: float) -> MakeCover:
    """A hand laid on: soft, uneven, light between the fingers."""

    def make(shape: Shape, chance: np.random.Generator) -> Cover:
        across, down = _axes(shape)
        turn = float(chance.uniform(0, np.pi))
        along = across * np.cos(turn) + down * np.sin(turn)
        fingers = gaps * np.maximum(0, np.cos(2 * np.pi * (3.2 * along + float(chance.uniform())))) ** 6
        shade = 1 + 0.25 * np.clip(_folds(shape, int(chance.integers(1 << 30))), -2.5, 2.5)
        picture = np.maximum(shade + fingers, 0.05) * skin
        return _still(defocused(picture.astype(np.float32), 30))

    return make


def _nearly(share: float) -> MakeCover:
    """A black thing over nearly all of the lens, its edge soft; the rest of the scene goes on."""

    def make(shape: Shape, chance: np.random.Generator) -> Cover:
        across, down = _axes(shape)
        turn = float(chance.uniform(0, 2 * np.pi))
        along = (across - 0.5) * np.cos(turn) + (down - shape[0] / shape[1] / 2) * np.sin(turn)
        edge = float(np.quantile(along, share))
        seen = (1 / (1 + np.exp(np.clip(-(along - edge) / 0.02, -40, 40)))).astype(np.float32)
        return lambda light, _s: cast("Light", light * seen + 0.003 * (1 - seen))

    return make


COVERS: Final[dict[str, MakeCover]] = {
    "cap": _cap(0.0),
    "cap, light leaks in": _cap(0.5),
    "black thing over 94 %": _nearly(0.94),
    "black cloth": _cloth(_BLACK, 0.3),
    "grey cloth": _cloth(_GREY, 0.25, 0.2),
    "white cloth": _cloth(_WHITE, 0.08),
    "white cloth, lit from a side": _cloth(_WHITE, 0.08, 0.6),
    "white cloth, a third of it clipped": _cloth(0.85, 0.05, 0.45),
    "red cloth": _cloth(_COLOURED, 0.2, 0.3),
    "green cloth": _cloth(0.22, 0.2, 0.3),
    "blue cloth": _cloth(0.13, 0.2, 0.3),
    "black weave": _cloth(0.02, 0.15, 0.2, 0.5, 14),
    "coarse weave": _cloth(0.28, 0.1, 0.2, 0.35, 9),
    "very coarse weave": _cloth(0.28, 0.1, 0.2, 0.35, 5),
    "white weave": _cloth(0.6, 0.05, 0.2, 0.2, 12),
    "hand in the light": _hand(_SKINS[0], 0.3),
    "dark hand": _hand(_SKINS[1], 0.4),
    "hand that shuts out the light": _hand(_SKINS[2], 0.5),
    "yellow note": _cloth(0.6, 0.02, 0.25),
}
