"""The desk of `scene:desk`: wood, the mat with its markers, the worksheet, and what lies beside it. Painted once."""

import tomllib
from importlib.resources import files
from typing import TYPE_CHECKING, Final

import cv2
import numpy as np

from device.cameras.sources.art.canvas import STAGE_H, STAGE_W, Layer, Points, Stage, box, limb, oval, turned

if TYPE_CHECKING:
    import numpy.typing as npt

    from device.cameras.source import Image

MAT: Final = (205.0, 38.0, 1075.0, 682.0)
UNITS_PER_MM: Final = 2.0
"""The kit's markers then begin and end on whole pixels at 640, 1280 and 1920 across: 435 x 322 mm of desk pad."""
_KIT: Final = tomllib.loads(files("hardware").joinpath("kit.toml").read_text(encoding="utf-8"))["mat"]
"""The kit's mat as the file has it: its model (device/kit.py) would bring pydantic into every worker."""
MARKER_SIDE: Final = _KIT["marker_side_mm"] * UNITS_PER_MM
MARKERS: Final = {
    int(one["id"]): (
        STAGE_W / 2 + (one["x_mm"] - _KIT["width_mm"] / 2) * UNITS_PER_MM,
        STAGE_H / 2 + (one["y_mm"] - _KIT["height_mm"] / 2) * UNITS_PER_MM,
    )
    for one in _KIT["markers"]
}
"""The middle of each marker, by its id."""

LINES: Final = tuple((462.0, 214.0 + 68.0 * number) for number in range(6))
"""Where each ruled line starts on the sheet, before it is turned; `on_sheet` turns it."""
BODY: Final = 19.0
"""The height the rules give to a letter's body."""

_MODULES: Final = 6
"""How many squares a marker is wide, its border included."""
_SAMPLES: Final = 8
"""In how many places along a pixel it is looked whether there is ink."""
_BLACK: Final = 32
"""How dark printed black is in the lamp's light, of 255."""
_SHEET: Final = (412.0, 62.0, 868.0, 664.0)
_SHEET_TURN_DEG: Final = -2.5
_PIVOT: Final = (640.0, 363.0)


def paint_desk(stage: Stage, chance: np.random.Generator) -> "Image":
    """The desk with a blank sheet on it, `(height, width, 3) uint8`."""
    layer = Layer(stage)
    layer.cover[:] = 1
    layer.bgr[:] = _wood(stage, chance)
    _paint_mat(layer)
    _paint_sheet(layer)
    _paint_things(layer)
    layer.light(_lamp(stage))
    image = layer.image()
    for number, centre in MARKERS.items():
        _paint_marker(image, stage, number, centre)
    return image


def on_sheet(points: Points) -> Points:
    """Points of the upright sheet as it lies on the desk: a little turned, as children put it."""
    return turned(points, _SHEET_TURN_DEG, _PIVOT)


def _wood(stage: Stage, chance: np.random.Generator) -> "npt.NDArray[np.float32]":
    """Planks of light wood, `(height, width, 3) float`, 0 to 1."""
    height, width = stage.height, stage.width
    grain = np.zeros((height, width), np.float32)
    for rows, columns, strength in ((2.2, 300.0, 0.030), (7.0, 500.0, 0.025), (40.0, 700.0, 0.02)):
        # Noise much longer than it is high, at three sizes: fibres, grain, and slow changes of colour.
        size = max(2, int(height / (rows * stage.scale))), max(2, int(width / (columns * stage.scale)) + 2)
        coarse = chance.standard_normal(size).astype(np.float32)
        grain += strength * cv2.resize(coarse, (width, height), interpolation=cv2.INTER_CUBIC)
    plank = 182 * stage.scale
    for number in range(int(height / plank) + 1):
        top, bottom = round(number * plank), round((number + 1) * plank)
        turned_plank = grain[top:bottom, :: -1 if number % 2 else 1]
        grain[top:bottom] = turned_plank + (0.03, -0.02, 0.015, -0.03)[number % 4]
        grain[max(0, top - 1) : top + max(1, round(stage.scale))] -= 0.13
    tone = np.array([0.50, 0.645, 0.765], np.float32)
    return np.asarray(np.clip(tone * (1 + grain[..., np.newaxis]), 0, 1), np.float32)


def _paint_mat(layer: Layer) -> None:
    x0, y0, x1, y1 = MAT
    layer.fill(box(x0 + 5, y0 + 9, x1 + 7, y1 + 11, 26), "#1d1712", opacity=0.45, soft=9)
    layer.fill(box(x0, y0, x1, y1, 24), "#6f9690", shade=0.05)
    layer.line(np.vstack([edge := box(x0 + 9, y0 + 9, x1 - 9, y1 - 9, 18), edge[:1]]), "#8fb0aa", 2)
    half = MARKER_SIDE / 2 + _KIT["quiet_mm"] * UNITS_PER_MM
    for x, y in MARKERS.values():
        layer.fill(box(x - half, y - half, x + half, y + half, 5), "#e9ece8")


def _paint_marker(image: "Image", stage: Stage, number: int, centre: tuple[float, float]) -> None:
    """Ink, by its share of each pixel: edges lie where they do in millimetres, at any size."""
    dictionary = cv2.aruco.getPredefinedDictionary(getattr(cv2.aruco, _KIT["dictionary"]))
    # With a rim of no ink, in which all lies that is beyond the marker.
    inked = np.pad(cv2.aruco.generateImageMarker(dictionary, number, _MODULES) == 0, 1)
    side = MARKER_SIDE * stage.scale
    corner = stage.px(np.array(centre)) - side / 2
    x, y = np.floor(corner).astype(int)
    size = int(np.ceil(side)) + 1
    samples = (np.arange(size * _SAMPLES) + 0.5) / _SAMPLES
    column, row = (
        np.clip((samples + start - exact) * _MODULES / side + 1, 0, _MODULES + 1).astype(int)
        for start, exact in ((x, corner[0]), (y, corner[1]))
    )
    share = inked[np.ix_(row, column)].reshape(size, _SAMPLES, size, _SAMPLES).mean(axis=(1, 3))[..., np.newaxis]
    part = image[y : y + size, x : x + size]
    part[:] = np.round(part * (1 - share) + _BLACK * share)


def _paint_sheet(layer: Layer) -> None:
    def rule(x0: float, x1: float, y: float, colour: str, width: float) -> None:
        layer.line(on_sheet(np.array([(x0, y), (x1, y)])), colour, width)

    x0, y0, x1, y1 = _SHEET
    left = LINES[0][0]
    layer.fill(on_sheet(box(x0 + 4, y0 + 6, x1 + 5, y1 + 6)), "#14211f", opacity=0.4, soft=5)
    layer.fill(on_sheet(box(x0, y0, x1, y1)), "#e8e7e1", shade=0.04)
    # A printed heading and a picture, as worksheets have them.
    layer.fill(on_sheet(box(left, y0 + 30, left + 176, y0 + 46, 8)), "#54748c")
    layer.fill(on_sheet(box(left, y0 + 60, left + 238, y0 + 68, 4)), "#a9b3b8")
    layer.fill(on_sheet(box(left, y0 + 76, left + 196, y0 + 84, 4)), "#a9b3b8")
    sun = (x1 - 78.0, y0 + 62.0)
    for ray in range(12):
        angle = ray * np.pi / 6
        out = np.array([np.cos(angle), np.sin(angle)])
        layer.line(on_sheet(np.array([sun + 27 * out, sun + 36 * out])), "#d9a441", 4)
    layer.fill(on_sheet(oval(*sun, 21, 21)), "#e6b955")
    for _, base in LINES:
        rule(x0 + 34, x1 - 34, base, "#7d99ad", 2)
        rule(x0 + 34, x1 - 34, base - 2 * BODY, "#b9c8d2", 1.6)
        for dash in np.arange(x0 + 34, x1 - 40, 14):
            rule(float(dash), float(dash) + 7, base - BODY, "#b9c8d2", 1.4)


def _paint_things(layer: Layer) -> None:
    """An eraser and a spare crayon beside the sheet, and a ruler on the wood."""
    middle = (940.0, 300.0)
    layer.fill(turned(box(909, 283, 975, 323, 7), 18, middle), "#14211f", opacity=0.4, soft=4)
    layer.fill(turned(box(905, 280, 971, 318, 6), 18, middle), "#e2e0d8", shade=0.1)
    layer.fill(turned(box(905, 280, 946, 318, 6), 18, middle), "#5c87ad", shade=0.1)
    layer.fill(limb((930, 385), (958, 500), 8, 7), "#14211f", opacity=0.35, soft=4)
    layer.fill(limb((926, 380), (954, 494), 8, 8), "#b5574c", shade=0.2)
    layer.fill(limb((927, 390), (951, 486), 8.6, 8.6), "#c96c5e", shade=0.2)
    layer.fill(limb((954, 492), (957, 507), 5, 2), "#9c463c")
    layer.fill(turned(box(86, 128, 136, 560), 3, (110, 340)), "#1d1712", opacity=0.35, soft=5)
    layer.fill(turned(box(82, 122, 132, 554, 3), 3, (110, 340)), "#dccf9e", shade=0.06)
    for mark in range(41):
        y, long = 138 + mark * 10.0, 22.0 if mark % 5 == 0 else 12.0
        layer.line(turned(np.array([(132 - long, y), (131, y)]), 3, (110, 340)), "#776a45", 1.4)


def _lamp(stage: Stage) -> "npt.NDArray[np.float32]":
    """Soft light from the upper left, `(height, width) float`."""
    y, x = np.mgrid[0 : stage.height, 0 : stage.width].astype(np.float32)
    far = np.hypot(x / stage.width - 0.40, (y / stage.height - 0.34) * 0.8)
    return np.asarray(1.03 - 0.30 * far**1.6, np.float32)
