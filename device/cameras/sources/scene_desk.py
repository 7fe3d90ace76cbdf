"""`scene:desk`: the overhead camera's view. A desk mat with its four markers, a worksheet, and a hand that writes on it."""

from typing import TYPE_CHECKING, Final

import cv2
import numpy as np

from device.cameras.sources.canvas import Layer, Points, Sprite, Stage, box, limb, oval, smooth, turned
from device.cameras.sources.handwriting import Writing, write

if TYPE_CHECKING:
    import numpy.typing as npt

    from device.cameras.source import Image

MAT: Final = (205.0, 38.0, 1075.0, 682.0)
MARKER_SIDE: Final = 80.0
# Clockwise from the upper left, as ids 0 to 3 of DICT_4X4_50.
MARKERS: Final = ((225.0, 58.0), (975.0, 58.0), (975.0, 582.0), (225.0, 582.0))

_SHEET: Final = (412.0, 62.0, 868.0, 664.0)
_SHEET_TURN_DEG: Final = -2.5
_PIVOT: Final = (640.0, 363.0)
_LEFT, _TOP, _LINE_STEP, _BODY = 462.0, 214.0, 68.0, 19.0
_LINES: Final = (
    "the sun is out",
    "a little red hen",
    "sat on a stone",
    "the moon is round",
    "a train has come",
    "it is time to rest",
)
_INK: Final = (78, 70, 66)  # graphite, blue-green-red
_REST: Final = np.array([905.0, 600.0])
_ARRIVE_S: Final = 1.5
_LEAVE_S: Final = 2.5

_SKIN: Final = "#c68f6c"
_SKIN_DARK: Final = "#a8714f"
_SLEEVE: Final = "#47708f"


class DeskScene:
    """A child's desk from above, in steady soft light.

    Args:
        stage: the size of the pictures.
        seed: the same seed gives the same handwriting and the same wood.
    """

    def __init__(self, stage: Stage, seed: int) -> None:
        self._stage = stage
        self._writing = _on_sheet(
            write([(words, _LEFT, _TOP + i * _LINE_STEP) for i, words in enumerate(_LINES)], _BODY, seed)
        )
        self._blank = _paint_desk(stage, np.random.default_rng(seed))
        self._written = self._blank.copy()
        self._drawn_to = 0
        self._hand = _paint_hand(stage)

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
        wide = max(1, round(2.6 * self._stage.scale))
        pixels = np.round(self._stage.px(self._writing.tip) * 16).astype(int)
        for i in range(self._drawn_to, upto):
            if self._writing.down[i]:
                start, end = pixels[i].tolist(), pixels[i + 1].tolist()
                cv2.line(self._written, start, end, _INK, wide, cv2.LINE_AA, 4)
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


def _on_sheet(writing: Writing) -> Writing:
    return Writing(turned(writing.tip, _SHEET_TURN_DEG, _PIVOT), writing.down)


def _paint_desk(stage: Stage, chance: np.random.Generator) -> "Image":
    layer = Layer(stage)
    layer.cover[:] = 1
    layer.bgr[:] = _wood(stage, chance)
    _paint_mat(layer)
    _paint_sheet(layer)
    _paint_things(layer)
    layer.light(_lamp(stage))
    image = layer.image()
    for number, corner in enumerate(MARKERS):
        _paint_marker(image, stage, number, corner)
    return image


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
        grain[top:bottom] = np.roll(grain[top:bottom], number * 137, axis=1) + (0.03, -0.02, 0.015, -0.03)[number % 4]
        grain[max(0, top - 1) : top + max(1, round(stage.scale))] -= 0.13
    tone = np.array([0.50, 0.645, 0.765], np.float32)
    return np.asarray(np.clip(tone * (1 + grain[..., np.newaxis]), 0, 1), np.float32)


def _paint_mat(layer: Layer) -> None:
    x0, y0, x1, y1 = MAT
    layer.fill(box(x0 + 5, y0 + 9, x1 + 7, y1 + 11, 26), "#1d1712", opacity=0.45, soft=9)
    layer.fill(box(x0, y0, x1, y1, 24), "#6f9690", shade=0.05)
    layer.line(np.vstack([edge := box(x0 + 9, y0 + 9, x1 - 9, y1 - 9, 18), edge[:1]]), "#8fb0aa", 2)
    for x, y in MARKERS:
        layer.fill(box(x - 10, y - 10, x + MARKER_SIDE + 10, y + MARKER_SIDE + 10, 5), "#e9ece8")


def _paint_marker(image: "Image", stage: Stage, number: int, corner: tuple[float, float]) -> None:
    dictionary = cv2.aruco.getPredefinedDictionary(cv2.aruco.DICT_4X4_50)
    # A whole number of pixels to the cell keeps the edges sharp.
    side = max(1, round(MARKER_SIDE * stage.scale / 6)) * 6
    centre = stage.px(np.array(corner) + MARKER_SIDE / 2)
    x, y = np.round(centre - side / 2).astype(int)
    marker = cv2.aruco.generateImageMarker(dictionary, number, side)
    # Printed black and white, in the same soft light as everything else.
    image[y : y + side, x : x + side] = (marker[..., np.newaxis] * 0.76 + 32).astype(np.uint8)


def _paint_sheet(layer: Layer) -> None:
    def put(outline: Points) -> Points:
        return turned(outline, _SHEET_TURN_DEG, _PIVOT)

    def rule(x0: float, x1: float, y: float, colour: str, width: float) -> None:
        layer.line(put(np.array([(x0, y), (x1, y)])), colour, width)

    x0, y0, x1, y1 = _SHEET
    layer.fill(put(box(x0 + 4, y0 + 6, x1 + 5, y1 + 6)), "#14211f", opacity=0.4, soft=5)
    layer.fill(put(box(x0, y0, x1, y1)), "#e8e7e1", shade=0.04)
    # A printed heading and a picture, as worksheets have them.
    layer.fill(put(box(_LEFT, y0 + 30, _LEFT + 176, y0 + 46, 8)), "#54748c")
    layer.fill(put(box(_LEFT, y0 + 60, _LEFT + 238, y0 + 68, 4)), "#a9b3b8")
    layer.fill(put(box(_LEFT, y0 + 76, _LEFT + 196, y0 + 84, 4)), "#a9b3b8")
    sun = (x1 - 78.0, y0 + 62.0)
    for ray in range(12):
        angle = ray * np.pi / 6
        out = np.array([np.cos(angle), np.sin(angle)])
        layer.line(put(np.array([sun + 27 * out, sun + 36 * out])), "#d9a441", 4)
    layer.fill(put(oval(*sun, 21, 21)), "#e6b955")
    for number in range(len(_LINES)):
        base = _TOP + number * _LINE_STEP
        rule(x0 + 34, x1 - 34, base, "#7d99ad", 2)
        rule(x0 + 34, x1 - 34, base - 2 * _BODY, "#b9c8d2", 1.6)
        for dash in np.arange(x0 + 34, x1 - 40, 14):
            rule(float(dash), float(dash) + 7, base - _BODY, "#b9c8d2", 1.4)


def _paint_things(layer: Layer) -> None:
    """An eraser and a spare crayon beside the sheet, and a ruler on the wood."""
    middle = (940.0, 300.0)
    layer.fill(turned(box(909, 283, 975, 323, 7), 18, middle), "#14211f", opacity=0.4, soft=4)
    layer.fill(turned(box(905, 280, 971, 318, 6), 18, middle), "#e2e0d8", shade=0.1)
    layer.fill(turned(box(905, 280, 946, 318, 6), 18, middle), "#5c87ad", shade=0.1)
    layer.fill(limb((930, 405), (958, 520), 8, 7), "#14211f", opacity=0.35, soft=4)
    layer.fill(limb((926, 400), (954, 514), 8, 8), "#b5574c", shade=0.2)
    layer.fill(limb((927, 410), (951, 506), 8.6, 8.6), "#c96c5e", shade=0.2)
    layer.fill(limb((954, 512), (957, 527), 5, 2), "#9c463c")
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


def _paint_hand(stage: Stage) -> Sprite:
    """A right hand with a pencil, the tip of the pencil at the stage's corner."""
    layer = Layer(stage, (-24, -30, 470, 860))
    arm = limb((168, 214), (330, 780), 43, 74)
    for outline in (arm, smooth([(40, 52), (120, 40), (176, 110), (196, 210), (120, 236), (66, 150)])):
        layer.fill(outline + (12, 16), "#10100e", opacity=0.42, soft=11)
    layer.fill(limb((10, 12), (60, 70), 4, 14), "#10100e", opacity=0.3, soft=5)
    layer.fill(arm, _SLEEVE, shade=0.22)
    for fold in ((200, 330, 262, 322), (214, 420, 296, 404), (238, 520, 318, 512)):
        x0, y0, x1, y1 = fold
        layer.line(smooth([(x0, y0), ((x0 + x1) / 2, y0 + 12), (x1, y1)], closed=False), "#38596f", 5, opacity=0.5)
    # Wrist and the back of the hand.
    layer.fill(limb((128, 140), (174, 232), 50, 35), _SKIN, shade=0.14)
    layer.fill(smooth([(92, 70), (140, 62), (182, 98), (194, 168), (166, 214), (118, 196), (82, 138)]), _SKIN, shade=0.16)
    layer.fill(limb((160, 206), (184, 258), 41, 44), "#3d627d", shade=0.2)
    layer.fill(limb((163, 216), (186, 262), 39, 43), _SLEEVE, shade=0.22)
    # Curled little, ring and middle finger.
    for root, knuckle, tip, thick in (
        ((172, 122), (128, 122), (96, 128), 15.0),
        ((164, 98), (112, 96), (76, 106), 16.0),
        ((150, 78), (92, 68), (52, 78), 16.5),
    ):
        bent = smooth([root, knuckle, tip], closed=False)
        layer.line(bent + (1.5, 3.5), _SKIN_DARK, 2 * thick, opacity=0.55)
        layer.line(bent, _SKIN, 2 * thick - 2)
    _paint_pencil(layer)
    # Thumb from the left, index finger from above, closing on the pencil.
    thumb = smooth([(108, 168), (70, 134), (44, 88), (39, 62)], closed=False)
    layer.line(thumb + (2, 4), _SKIN_DARK, 33, opacity=0.45)
    layer.line(thumb, "#cb9472", 30)
    layer.fill(oval(38, 62, 8, 11, -18), "#dcb199", opacity=0.9)
    index = smooth([(142, 74), (112, 42), (74, 36), (42, 45)], closed=False)
    layer.line(index + (1, 4), _SKIN_DARK, 31, opacity=0.5)
    layer.line(index, "#cd9775", 28)
    layer.fill(oval(41, 43, 10, 7, 18), "#dcb199", opacity=0.9)
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

