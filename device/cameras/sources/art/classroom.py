"""The classroom of `scene:student`: wall, window, pin board, book shelf, and the desk in front. Painted once."""

from typing import TYPE_CHECKING

import numpy as np

from device.cameras.sources.art.canvas import Layer, Stage, box, oval, shifted, smooth

if TYPE_CHECKING:
    import numpy.typing as npt

    from device.cameras.source import Image

_DESK_Y = 598.0


def paint_room(stage: Stage) -> "Image":
    """Everything behind the child, `(height, width, 3) uint8`."""
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


def paint_desk(stage: Stage) -> Layer:
    """The desk with the worksheet on it: the lower part of the picture, over the full width."""
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
    layer.fill(shifted(sheet, 5, 5), "#2a1f16", opacity=0.35, soft=4)
    layer.fill(sheet, "#e6e5df")
    for rule in (646.0, 664.0, 684.0, 706.0):
        half = 128 + (rule - 632) * 0.80
        layer.line(np.array([(640 - half, rule), (640 + half, rule)]), "#a3b5c0", 2)
    return layer


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
        layer.fill(shifted(paper, 3, 4), "#4d4030", opacity=0.35, soft=3)
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
