"""The writing hand of `scene:desk`, painted once."""

from typing import Final

import numpy as np

from device.cameras.sources.art.canvas import Layer, Points, Sprite, Stage, limb, oval, shifted, smooth

_SKIN: Final = "#c68f6c"
_SKIN_LIT: Final = "#cb9472"
_SKIN_DARK: Final = "#a8714f"
_NAIL: Final = "#dcb199"
_SLEEVE: Final = "#47708f"


def paint_hand(stage: Stage) -> Sprite:
    """A right hand with a pencil, the tip of the pencil at the stage's corner."""
    layer = Layer(stage, (-24, -30, 400, 690))
    arm = limb((187, 274), (330, 780), 41, 74)
    for outline in (arm, smooth([(40, 52), (120, 40), (176, 110), (196, 210), (120, 236), (66, 150)])):
        layer.fill(shifted(outline, 12, 16), "#10100e", opacity=0.42, soft=11)
    layer.fill(limb((10, 12), (60, 70), 4, 14), "#10100e", opacity=0.3, soft=5)
    layer.fill(limb((128, 140), (174, 232), 50, 35), _SKIN, shade=0.14)
    layer.fill(arm, _SLEEVE, shade=0.22)
    layer.fill(limb((146, 249), (212, 226), 12, 12), "#5d88a8", shade=0.2)
    for fold in ((200, 330, 262, 322), (214, 420, 296, 404), (238, 520, 318, 512)):
        x0, y0, x1, y1 = fold
        layer.line(smooth([(x0, y0), ((x0 + x1) / 2, y0 + 12), (x1, y1)], closed=False), "#38596f", 5, opacity=0.5)
    layer.fill(
        smooth([(92, 70), (140, 62), (182, 98), (194, 168), (166, 214), (118, 196), (82, 138)]), _SKIN, shade=0.16
    )
    # Curled little, ring and middle finger.
    for root, knuckle, tip, thick in (
        ((172.0, 122.0), (128.0, 122.0), (96.0, 128.0), 15.0),
        ((164.0, 98.0), (112.0, 96.0), (76.0, 106.0), 16.0),
        ((150.0, 78.0), (92.0, 68.0), (52.0, 78.0), 16.5),
    ):
        bent = smooth([root, knuckle, tip], closed=False)
        layer.line(shifted(bent, 1.5, 3.5), _SKIN_DARK, 2 * thick, opacity=0.55)
        layer.line(bent, _SKIN, 2 * thick - 2)
    _paint_pencil(layer)
    # Thumb from the left, index finger from above, closing on the pencil.
    thumb = smooth([(108, 168), (70, 134), (44, 88), (39, 62)], closed=False)
    layer.line(shifted(thumb, 2, 4), _SKIN_DARK, 33, opacity=0.45)
    layer.line(thumb, _SKIN_LIT, 30)
    layer.fill(oval(38, 62, 8, 11, -18), _NAIL, opacity=0.9)
    index = smooth([(142, 74), (112, 42), (74, 36), (42, 45)], closed=False)
    layer.line(shifted(index, 1, 4), _SKIN_DARK, 31, opacity=0.5)
    layer.line(index, _SKIN_LIT, 28)
    layer.fill(oval(41, 43, 10, 7, 18), _NAIL, opacity=0.9)
    return layer.sprite()


def _paint_pencil(layer: Layer) -> None:
    along = np.array([0.66, 0.75]) / np.hypot(0.66, 0.75)
    across = np.array([-along[1], along[0]])

    def part(start: float, end: float, w0: float, w1: float) -> Points:
        a, b = start * along, end * along
        return np.array([a + w0 * across, b + w1 * across, b - w1 * across, a - w0 * across])

    layer.fill(part(0, 8, 0.6, 2.6), "#3a3634")
    layer.fill(part(7, 26, 2.4, 7), "#dcb98b")
    layer.fill(part(25, 216, 7, 7), "#d9a53c")
    layer.fill(part(25, 216, 7, 7) - 2.6 * across, "#e9bf5f", opacity=0.75)
    layer.fill(part(25, 216, 2.2, 2.2) + 4.8 * across, "#b5832a")
    layer.fill(part(216, 230, 7.4, 7.4), "#b9bcbc")
    layer.fill(part(230, 246, 7, 6.4), "#cf8d86")
