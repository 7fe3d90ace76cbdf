"""The child of `scene:student`, in parts that move. Drawn like a picture book: nobody's likeness."""

from typing import Final

import numpy as np

from device.cameras.sources.art.canvas import Layer, Points, Sprite, Stage, limb, oval, shifted, smooth

NECK: Final = (640.0, 402.0)
"""What the head turns about, in units."""

_SKIN: Final = "#c68f6c"
_SKIN_LIT: Final = "#cb9472"
_SKIN_DARK: Final = "#ab7654"
_HAIR: Final = "#3d2c24"
_HAIR_LIGHT: Final = "#59423a"
_JUMPER: Final = "#47708f"
_JUMPER_LIGHT: Final = "#5d88a8"
_JUMPER_DARK: Final = "#375971"


def paint_body(stage: Stage) -> Sprite:
    """Shoulders, neck and chest, to be hidden from the desk down."""
    layer = Layer(stage, (400, 370, 880, 690))
    half = [(680.0, 410.0), (720.0, 426.0), (780.0, 458.0), (810.0, 520.0), (822.0, 640.0), (800.0, 684.0)]
    torso = smooth(_both_sides(half))
    layer.fill(shifted(torso, 6, 4), "#1c2224", opacity=0.3, soft=10)
    layer.fill(torso, _JUMPER, shade=0.22)
    # Arms fall from the shoulders; the creases part them from the body.
    for side in (-1, 1):
        crease = smooth([(640 + side * 112, 500), (640 + side * 122, 560), (640 + side * 110, 620)], closed=False)
        layer.line(crease, _JUMPER_DARK, 6, opacity=0.7)
    layer.fill(limb((640, 372), (640, 402), 35, 41), _SKIN, shade=0.1)
    layer.fill(oval(640, 404, 40, 12), "#8f5f42", opacity=0.35, soft=5)
    # A round collar and a star on the chest.
    layer.line(smooth([(590, 412), (604, 440), (640, 452), (676, 440), (690, 412)], closed=False), _JUMPER_LIGHT, 13)
    layer.line(smooth([(592, 418), (606, 447), (640, 459), (674, 447), (688, 418)], closed=False), _JUMPER_DARK, 3)
    spikes = [
        (640 + r * np.sin(a), 520 - r * np.cos(a))
        for i in range(10)
        for r, a in [(32 if i % 2 == 0 else 14, i * np.pi / 5)]
    ]
    layer.fill(np.array(spikes), "#e0c274")
    return layer.sprite()


def paint_head(stage: Stage, down: float, *, closed: bool) -> Sprite:
    """The head, in one of its positions.

    Args:
        stage: the size of the pictures.
        down: 0 looking at the screen to 1 looking at the page.
        closed: in the middle of a blink.
    """
    layer = Layer(stage, (490, 120, 790, 420))
    low = 20 * down
    # Hair at the back, ears, face, then what is on it.
    back = [(640.0, 148.0), (726.0, 172.0), (762.0, 256.0), (758.0, 344.0), (722.0, 388.0)]
    layer.fill(smooth(_both_sides(back)), _HAIR, shade=0.2)
    for x in (549, 731):
        layer.fill(oval(x, 296 + 0.5 * low, 17, 24), _SKIN_DARK)
        layer.fill(oval(x, 296 + 0.5 * low, 13, 20), "#bd8563")
    cheek = [(640.0, 186.0), (706.0, 206.0), (730.0, 268.0), (724.0, 330.0), (694.0, 376.0), (640.0, 396 + 0.2 * low)]
    face = smooth(_both_sides(cheek))
    layer.fill(face, _SKIN, shade=0.12)
    for side in (-1, 1):
        layer.fill(oval(640 + side * 56, 336 + low, 20, 13), "#c9745c", opacity=0.45, soft=7)
        _paint_eye(layer, 640 + side * 37, 298 + low, down, closed=closed)
        brow = [(640 + side * 22, 265 + low), (640 + side * 40, 258 + low), (640 + side * 58, 264 + low)]
        layer.line(smooth(brow, closed=False), _HAIR_LIGHT, 5, opacity=0.85)
    layer.fill(oval(640, 331 + low, 13, 8), _SKIN_DARK, opacity=0.5, soft=2)
    layer.fill(oval(640, 327 + low, 11, 8), "#cf9a78", soft=1)
    across = np.linspace(-1, 1, 13)
    smile = np.column_stack([640 + 25 * across, 361 + 0.85 * low - 9 * across**2])
    layer.line(smile, "#94503f", 4)
    layer.fill(oval(640, 371 + 0.85 * low, 13, 4), _SKIN_DARK, opacity=0.35, soft=2)
    _paint_fringe(layer, 12 * down)
    return layer.sprite()


def _paint_eye(layer: Layer, x: float, y: float, down: float, *, closed: bool) -> None:
    half, open_by = 16.0, 13.0 * (1 - 0.5 * down)
    lash = [(x - half - 2, y + 1), (x, y - open_by), (x + half + 2, y + 1)]
    if closed:
        lash = [(x - half, y + 2), (x, y + 7), (x + half, y + 2)]
    else:
        white = smooth([(x - half, y + 1), (x, y - open_by), (x + half, y + 1), (x, y + 11)])
        layer.fill(white, "#eeebe4")
        top, bottom = y - open_by, y + 10.5
        gaze = y + 5 * down
        iris = oval(x, gaze, 10, 11)
        iris[:, 1] = np.clip(iris[:, 1], top + 1, bottom)
        layer.fill(iris, "#4a3224")
        pupil = oval(x, gaze, 5, 5.5)
        pupil[:, 1] = np.clip(pupil[:, 1], top + 1, bottom)
        layer.fill(pupil, "#211611")
        if down < 0.6:
            layer.fill(oval(x - 3, gaze - 4, 2.6, 2.6), "#f4f1ea")
    layer.line(smooth(lash, closed=False), "#35251d", 4)


def _paint_fringe(layer: Layer, low: float) -> None:
    crown = [
        (532.0, 322.0),
        (528.0, 236.0),
        (564.0, 164.0),
        (640.0, 146.0),
        (716.0, 164.0),
        (752.0, 236.0),
        (748.0, 320.0),
    ]
    edge = [(732, 300), (722, 236), (690, 216), (664, 228), (628, 210), (590, 232), (562, 238), (550, 300)]
    fringe = smooth(crown + [(x, y + low if y < 300 else y) for x, y in edge])
    layer.fill(shifted(fringe, 2, 7), "#7d5136", opacity=0.4, soft=5)
    layer.fill(fringe, _HAIR, shade=0.3)
    for x, lean in ((586, -22), (618, -8), (660, 10), (694, 24)):
        strand = smooth([(640 + (x - 640) * 0.35, 158), (x, 184), (x + lean * 0.5, 212 + low)], closed=False)
        layer.line(strand, _HAIR_LIGHT, 4, opacity=0.55)


def paint_writing_arm(stage: Stage) -> Sprite:
    """The forearm on the desk whose hand holds the pencil."""
    layer = Layer(stage, (400, 560, 720, 730))
    layer.fill(limb((500, 668), (584, 690), 30, 22), "#2a1f16", opacity=0.4, soft=7)
    layer.fill(limb((572, 588), (618, 688), 5.5, 5.5), "#d9a53c", shade=0.2)
    layer.fill(limb((616, 683), (621, 694), 4.6, 1.2), "#dcb98b")
    layer.fill(oval(620.5, 694, 1.8, 2.4), "#3a3634")
    layer.fill(oval(582, 660, 34, 27, 12), _SKIN, shade=0.2)
    layer.fill(limb((482, 626), (546, 657), 42, 34), _JUMPER_DARK, shade=0.2)
    layer.fill(limb((484, 623), (546, 655), 42, 33), _JUMPER, shade=0.25)
    _paint_cuff(layer, (548, 656))
    for y in (668, 656, 645):
        finger = smooth([(580, y - 3), (602, y - 8), (613, y + 5)], closed=False)
        layer.line(shifted(finger, 1, 2.5), _SKIN_DARK, 17, opacity=0.6)
        layer.line(finger, _SKIN_LIT, 15)
    layer.fill(limb((578, 668), (608, 678), 9, 8), _SKIN_LIT)
    return layer.sprite()


def paint_resting_arm(stage: Stage) -> Sprite:
    """The other arm lies on the desk and its hand keeps the sheet from slipping."""
    layer = Layer(stage, (640, 560, 890, 730))
    layer.fill(limb((796, 664), (716, 682), 30, 20), "#2a1f16", opacity=0.4, soft=7)
    layer.fill(limb((806, 626), (742, 655), 42, 33), _JUMPER_DARK, shade=0.2)
    layer.fill(limb((804, 623), (742, 653), 42, 32), _JUMPER, shade=0.25)
    layer.fill(oval(712, 664, 30, 22, -14), _SKIN, shade=0.2)
    _paint_cuff(layer, (739, 655))
    for x, y in ((676, 654), (670, 666), (674, 678)):
        finger = smooth([(712, y - 4), (692, y - 5), (x, y + 3)], closed=False)
        layer.line(shifted(finger, 1, 2.5), _SKIN_DARK, 16, opacity=0.6)
        layer.line(finger, _SKIN_LIT, 14)
    return layer.sprite()


def _paint_cuff(layer: Layer, middle: tuple[float, float]) -> None:
    x, y = middle
    lean = 14 if x < 640 else -14
    layer.fill(limb((x + lean * 0.4, y - 24), (x - lean * 0.4, y + 24), 11, 11), _JUMPER_LIGHT, shade=0.2)


def _both_sides(half: list[tuple[float, float]]) -> Points:
    """The right half of a shape, and its mirror image about the middle of the stage."""
    right = np.array(half)
    left = np.column_stack([2 * NECK[0] - right[::-1, 0], right[::-1, 1]])
    # A point on the axis is there once.
    return np.concatenate([right, left[left[:, 0] < NECK[0]]])
