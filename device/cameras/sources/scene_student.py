"""`scene:student`: the front camera's view. A drawn child at a desk in a classroom, who writes, looks up, and blinks."""

from typing import TYPE_CHECKING, Final

import numpy as np

from device.cameras.sources.canvas import Layer, Points, Sprite, Stage, box, limb, oval, smooth

if TYPE_CHECKING:
    import numpy.typing as npt

    from device.cameras.source import Image

_DESK_Y: Final = 598.0
_NECK: Final = (640.0, 402.0)
_LOOKS: Final = 7
_SKIN: Final = "#c68f6c"
_SKIN_DARK: Final = "#ab7654"
_HAIR: Final = "#3d2c24"
_HAIR_LIGHT: Final = "#59423a"
_JUMPER: Final = "#47708f"
_JUMPER_DARK: Final = "#375971"


class StudentScene:
    """A child at a desk, seen from the front, in a quiet classroom. Drawn like a picture book: nobody's likeness.

    Args:
        stage: the size of the pictures.
        seed: the same seed gives the same moments of looking up and blinking.
    """

    def __init__(self, stage: Stage, seed: int) -> None:
        self._stage = stage
        self._phase = float(np.random.default_rng(seed).uniform(0, 2))
        self._room = _paint_room(stage)
        desk = _paint_desk(stage)
        self._desk, self._desk_row = desk.image()[: stage.height - desk.top, : stage.width], desk.top
        self._body = _paint_body(stage)
        self._heads = [
            [_paint_head(stage, look / (_LOOKS - 1), closed=closed) for closed in (False, True)] for look in range(_LOOKS)
        ]
        self._arm = _paint_writing_arm(stage)

    def draw(self, time_s: float) -> "Image":
        """See `Scene.draw`."""
        t = time_s + self._phase
        scale = self._stage.scale
        down = _looking_down(t)
        sway = 5.0 * np.sin(t * 0.83) + 2.5 * np.sin(t * 1.9)
        breath = 1.2 * np.sin(t * 1.7)
        frame = self._room.copy()
        upright = self._stage.px(np.array(_NECK)) + (sway * scale, 0.0)
        self._body.paste(frame, (sway * scale, breath * scale), (0.25 * float(sway) / 5, upright))
        head = self._heads[round(down * (_LOOKS - 1))][_blinks(t)]
        nod = (1.4 * sway * scale, (breath + 9 * down) * scale)
        head.paste(frame, nod, (float(0.35 * sway + 1.2 * np.sin(t * 0.6)), self._stage.px(np.array(_NECK))))
        frame[self._desk_row :] = self._desk
        x, y = _writing_hand(t, down)
        self._arm.paste(frame, ((x + 0.4 * sway) * scale, y * scale))
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
    line = 78 * along / 6.2 if along < 6.2 else 78 * (7.0 - along) / 0.8
    busy = down
    return line + busy * 3.0 * np.sin(t * 17), busy * (2.2 * np.sin(t * 23) + 1.2 * np.sin(t * 11))


def _paint_room(stage: Stage) -> "Image":
    layer = Layer(stage)
    layer.cover[:] = 1
    layer.bgr[:] = (0.74, 0.81, 0.83)
    wall = stage.px(np.array([(0, 0), (0, 446.0)]))
    layer.bgr[int(wall[1, 1]) :] = (0.66, 0.70, 0.66)
    left, right = -stage.origin[0] / stage.scale - 1, 1281 + stage.origin[0] / stage.scale
    layer.fill(box(left, 440, right, 454), "#e7e2d6")
    layer.fill(box(left, 453, right, 458), "#7f8983", opacity=0.5)
    _paint_window(layer)
    _paint_board(layer)
    _paint_shelf(layer)
    # The chair's back, behind the child.
    layer.fill(box(512, 430, 778, 660, 34), "#1f2a2c", opacity=0.3, soft=14)
    layer.fill(box(508, 420, 772, 660, 34), "#8d6e4f", shade=0.15)
    layer.fill(box(532, 444, 748, 660, 22), "#a5835f", shade=0.15)
    layer.light(_daylight(stage))
    return layer.image()


def _paint_window(layer: Layer) -> None:
    layer.fill(box(70, 52, 362, 392, 4), "#5d5a50", opacity=0.35, soft=8)
    layer.fill(box(64, 44, 356, 384, 4), "#ebe7dd")
    layer.fill(box(82, 62, 338, 366), "#c3d7e0")
    layer.fill(box(82, 250, 338, 366), "#cfdccf")
    for x, y, r, colour in (
        (128, 262, 62, "#8fb08a"),
        (196, 286, 54, "#9dba92"),
        (286, 256, 68, "#86a884"),
        (330, 300, 40, "#9dba92"),
    ):
        # Beyond the pane nothing may show, so the trees are cut at its edges.
        tree = oval(x, y, r, r)
        layer.fill(np.clip(tree, (82, 62), (338, 366)), colour, soft=3)
    for x0, y0, x1, y1 in ((205, 62, 215, 366), (82, 196, 338, 205), (74, 54, 82, 374), (338, 54, 346, 374)):
        layer.fill(box(x0, y0, x1, y1), "#ebe7dd")
    layer.fill(box(50, 376, 370, 394, 4), "#f0ece3", shade=0.1)
    # A plant on the sill.
    for bend, tip in ((-34, 300), (-14, 282), (12, 276), (32, 298)):
        leaf = smooth([(108, 356), (108 + bend * 0.9, tip + 18), (108 + bend, tip), (108 + bend * 0.4, tip + 34)])
        layer.fill(leaf, "#5f8a62", shade=0.2)
    layer.fill(np.array([(88, 340), (128, 340), (122, 378), (94, 378)]), "#b8694d", shade=0.2)
    layer.fill(box(85, 334, 131, 346, 3), "#c4775a", shade=0.1)


def _paint_board(layer: Layer) -> None:
    layer.fill(box(918, 66, 1226, 330, 5), "#5d5a50", opacity=0.4, soft=8)
    layer.fill(box(910, 58, 1220, 322, 5), "#9a7a55")
    layer.fill(box(920, 68, 1210, 312), "#c8aa7e")
    papers = (
        (940, 88, 1020, 188, "#e6e3d8", -3),
        (1040, 84, 1110, 160, "#e0b95f", 2),
        (1128, 92, 1192, 180, "#a9c3ce", -2),
        (944, 208, 1034, 288, "#a8c09a", 2),
        (1056, 182, 1112, 290, "#e6e3d8", 1),
        (1130, 204, 1194, 286, "#d39a86", 3),
    )
    for x0, y0, x1, y1, colour, lean in papers:
        paper = np.array([(x0 + lean, y0), (x1 + lean, y0 + lean), (x1 - lean, y1), (x0 - lean, y1 - lean)], float)
        layer.fill(paper + (3, 4), "#4d4030", opacity=0.35, soft=3)
        layer.fill(paper, colour)
    # What the children drew: a house, a sun, a flower, waves, a tree.
    layer.fill(box(958, 134, 1000, 170), "#c56f57")
    layer.fill(np.array([(952, 136), (979, 108), (1006, 136)]), "#6f8796")
    layer.fill(oval(1076, 120, 18, 18), "#c9772f")
    for wave in range(3):
        points = [(1138 + i * 9, 122 + wave * 18 + (5 if i % 2 else -3)) for i in range(6)]
        layer.line(smooth(points, closed=False), "#557f98", 3)
    layer.line(np.array([(989, 282), (989, 248)]), "#4d7a4f", 4)
    for petal in range(6):
        angle = petal * np.pi / 3
        layer.fill(oval(989 + 11 * np.cos(angle), 240 + 11 * np.sin(angle), 8, 8), "#e8e0cf")
    layer.fill(oval(989, 240, 7, 7), "#d9a441")
    for number in range(5):
        layer.fill(box(1066, 198 + number * 17, 1100 - (number % 3) * 8, 204 + number * 17, 3), "#9aa5aa")
    layer.fill(box(1157, 246, 1166, 276), "#7b5a43")
    layer.fill(oval(1161, 236, 20, 20), "#5f8a62")


def _paint_shelf(layer: Layer) -> None:
    layer.fill(box(938, 424, 1300, 660), "#3a3d38", opacity=0.35, soft=12)
    layer.fill(box(934, 410, 1300, 660), "#b08d66", shade=0.1)
    layer.fill(box(950, 432, 1300, 540), "#6b5440")
    layer.fill(box(950, 556, 1300, 660), "#6b5440")
    colours = ("#b5574c", "#d9a441", "#557f98", "#7a9a78", "#8a6d8f", "#cfc7b4", "#47708f", "#c4775a")
    x = 958.0
    number = 0
    while x < 1270:
        wide, high = 15.0 + (number * 7) % 11, 70.0 + (number * 13) % 27
        layer.fill(box(x, 540 - high, x + wide, 540, 2), colours[number * 3 % len(colours)], shade=0.2)
        layer.fill(box(x + 2, 550 - high, x + wide - 2, 554 - high), "#efe9dc", opacity=0.6)
        x += wide + 2
        number += 1
    layer.fill(box(970, 584, 1080, 660, 8), "#7d98a6", shade=0.15)
    layer.fill(box(1104, 576, 1220, 660, 8), "#c7a25a", shade=0.15)


def _daylight(stage: Stage) -> "npt.NDArray[np.float32]":
    """Soft light from the window, `(height, width) float`."""
    y, x = np.mgrid[0 : stage.height, 0 : stage.width].astype(np.float32)
    far = np.hypot(x / stage.width - 0.30, (y / stage.height - 0.35) * 0.7)
    return np.asarray(1.02 - 0.24 * far**1.4, np.float32)


def _paint_desk(stage: Stage) -> Layer:
    left, right = -stage.origin[0] / stage.scale, 1280 + stage.origin[0] / stage.scale
    layer = Layer(stage, (left, _DESK_Y, right, 720 + stage.origin[1] / stage.scale))
    layer.cover[:] = 1
    rows = np.linspace(0, 1, len(layer.bgr), dtype=np.float32)[:, np.newaxis, np.newaxis]
    layer.bgr[:] = np.array([0.47, 0.61, 0.72], np.float32) * (1.0 - 0.16 * rows)
    layer.fill(box(left, _DESK_Y - 4, right, _DESK_Y + 4), "#d9b48a")
    for y, bend in ((628, 3), (655, -4), (690, 5)):
        grain = smooth([(left, y), (400, y + bend), (900, y - bend), (right, y + 2)], closed=False)
        layer.line(grain, "#94714b", 2, opacity=0.35)
    # The child's shadow on the desk, then the worksheet.
    layer.fill(oval(640, 606, 230, 26), "#2a1f16", opacity=0.4, soft=14)
    sheet = np.array([(498, 632), (792, 632), (872, 722), (428, 722)], float)
    layer.fill(sheet + (5, 5), "#2a1f16", opacity=0.35, soft=4)
    layer.fill(sheet, "#e6e5df")
    for row in range(5):
        y = 646 + row * 17 + row * row * 1.0
        half = 128 + (y - 632) * 0.80
        layer.line(np.array([(640 - half, y), (640 + half, y)]), "#a3b5c0", 2)
    return layer


def _paint_body(stage: Stage) -> Sprite:
    layer = Layer(stage, (400, 370, 880, 690))
    torso = smooth(
        [(600, 410), (560, 426), (500, 458), (470, 520), (458, 640), (480, 684), (800, 684), (822, 640), (810, 520),
         (780, 458), (720, 426), (680, 410)]  # fmt: skip
    )
    layer.fill(torso + (6, 4), "#1c2224", opacity=0.3, soft=10)
    layer.fill(torso, _JUMPER, shade=0.22)
    # Arms fall from the shoulders; the creases part them from the body.
    for side in (-1, 1):
        crease = smooth([(640 + side * 112, 500), (640 + side * 122, 560), (640 + side * 110, 620)], closed=False)
        layer.line(crease, _JUMPER_DARK, 6, opacity=0.7)
    layer.fill(limb((640, 380), (640, 424), 37, 43), _SKIN_DARK)
    layer.fill(limb((640, 372), (640, 416), 34, 38), _SKIN, shade=0.1)
    layer.fill(oval(640, 404, 40, 12), "#8f5f42", opacity=0.35, soft=5)
    # A round collar and a star on the chest.
    layer.line(smooth([(590, 412), (604, 440), (640, 452), (676, 440), (690, 412)], closed=False), "#5d88a8", 13)
    layer.line(smooth([(592, 418), (606, 447), (640, 459), (674, 447), (688, 418)], closed=False), _JUMPER_DARK, 3)
    spikes = [
        (640 + r * np.sin(a), 520 - r * np.cos(a))
        for i in range(10)
        for r, a in [(32 if i % 2 == 0 else 14, i * np.pi / 5)]
    ]
    layer.fill(np.array(spikes), "#e0c274")
    return layer.sprite()


def _paint_head(stage: Stage, down: float, *, closed: bool) -> Sprite:
    """The head, in one of its positions.

    Args:
        stage: the size of the pictures.
        down: 0 looking at the screen to 1 looking at the page.
        closed: in the middle of a blink.
    """
    layer = Layer(stage, (490, 120, 790, 420))
    low = 20 * down
    # Hair at the back, ears, face, then what is on it.
    layer.fill(
        smooth([(640, 148), (726, 172), (762, 256), (758, 344), (722, 388), (558, 388), (522, 344), (518, 256), (554, 172)]),
        _HAIR,
        shade=0.2,
    )
    for x in (549, 731):
        layer.fill(oval(x, 296 + 0.5 * low, 17, 24), _SKIN_DARK)
        layer.fill(oval(x, 296 + 0.5 * low, 13, 20), "#bd8563")
    face = smooth(
        [(640, 186), (706, 206), (730, 268), (724, 330), (694, 376), (640, 396 + 0.2 * low), (586, 376), (556, 330),
         (550, 268), (574, 206)]  # fmt: skip
    )
    layer.fill(face, _SKIN, shade=0.12)
    for side in (-1, 1):
        layer.fill(oval(640 + side * 56, 336 + low, 20, 13), "#c9745c", opacity=0.45, soft=7)
        _paint_eye(layer, 640 + side * 37, 298 + low, down, closed=closed)
        brow = [(640 + side * 18, 268 + low), (640 + side * 38, 260 + low), (640 + side * 58, 268 + low)]
        layer.line(smooth(brow, closed=False), _HAIR, 7, opacity=0.9)
    layer.fill(oval(640, 331 + low, 13, 8), _SKIN_DARK, opacity=0.5, soft=2)
    layer.fill(oval(640, 327 + low, 11, 8), "#cf9a78", soft=1)
    mouth = smooth([(616, 353 + low), (640, 362 + 0.9 * low), (664, 353 + low)], closed=False)
    layer.line(mouth, "#8d4a3c", 5)
    layer.fill(oval(640, 370 + 0.9 * low, 14, 4), _SKIN_DARK, opacity=0.4, soft=2)
    _paint_fringe(layer, 12 * down)
    return layer.sprite()


def _paint_eye(layer: Layer, x: float, y: float, down: float, *, closed: bool) -> None:
    half, open_by = 17.0, 13.0 * (1 - 0.55 * down)
    lash = [(x - half - 2, y + 1), (x, y - open_by), (x + half + 2, y + 1)]
    if closed:
        lash = [(x - half, y + 2), (x, y + 7), (x + half, y + 2)]
    else:
        white = smooth([(x - half, y + 1), (x, y - open_by), (x + half, y + 1), (x, y + 10)])
        layer.fill(white, "#eeebe4")
        top, bottom = y - open_by, y + 9.0
        gaze = y + 5 * down
        iris = oval(x, gaze, 9.5, 10.5)
        iris[:, 1] = np.clip(iris[:, 1], top + 1, bottom)
        layer.fill(iris, "#4a3224")
        pupil = oval(x, gaze, 5, 5.5)
        pupil[:, 1] = np.clip(pupil[:, 1], top + 1, bottom)
        layer.fill(pupil, "#211611")
        if down < 0.6:
            layer.fill(oval(x - 3, gaze - 4, 2.6, 2.6), "#f4f1ea")
    layer.line(smooth(lash, closed=False), "#2e201a", 5)


def _paint_fringe(layer: Layer, low: float) -> None:
    fringe: Points = smooth(
        [(640, 146), (716, 164), (752, 236), (748, 320), (732, 300), (722, 236 + low), (690, 216 + low), (664, 228 + low),
         (628, 210 + low), (590, 232 + low), (562, 238 + low), (550, 300), (532, 322), (528, 236), (564, 164)]  # fmt: skip
    )
    layer.fill(fringe + (2, 7), "#7d5136", opacity=0.4, soft=5)
    layer.fill(fringe, _HAIR, shade=0.3)
    for x, lean in ((586, -22), (618, -8), (660, 10), (694, 24)):
        strand = smooth([(640 + (x - 640) * 0.35, 158), (x, 184), (x + lean * 0.5, 212 + low)], closed=False)
        layer.line(strand, _HAIR_LIGHT, 4, opacity=0.55)


def _paint_writing_arm(stage: Stage) -> Sprite:
    """Both forearms on the desk would move together; this is the writing one, with its pencil."""
    layer = Layer(stage, (380, 560, 720, 730))
    layer.fill(limb((470, 668), (584, 690), 30, 22), "#2a1f16", opacity=0.4, soft=7)
    layer.fill(limb((572, 588), (618, 688), 5.5, 5.5), "#d9a53c", shade=0.2)
    layer.fill(limb((616, 683), (621, 694), 4.6, 1.2), "#dcb98b")
    layer.fill(oval(620.5, 694, 1.8, 2.4), "#3a3634")
    layer.fill(oval(582, 660, 34, 27, 12), _SKIN, shade=0.2)
    layer.fill(limb((446, 622), (548, 660), 46, 33), _JUMPER, shade=0.25)
    layer.fill(limb((546, 652), (551, 668), 27, 26), "#5d88a8", shade=0.15)
    for x, y in ((600, 668), (596, 656), (588, 645)):
        finger = smooth([(580, y - 3), (602, y - 8), (613, y + 5)], closed=False)
        layer.line(finger + (1, 2.5), _SKIN_DARK, 17, opacity=0.6)
        layer.line(finger, "#cb9472", 15)
    layer.fill(limb((578, 668), (608, 678), 9, 8), "#cb9472")
    return layer.sprite()
