"""The pictures on the student cards: each told apart by its shape alone, so that colour-blind children know theirs too.

All are drawn in a square of 100 x 100 units.
"""

from collections.abc import Callable, Sequence
from math import cos, pi, sin
from typing import Final

from hardware.sheet import Colour, Point, Sheet

SIDE: Final = 100.0

_LINE: Final = "#3c4a4f"
_PALE: Final = "#f6f1e7"


def _both(points: Sequence[Point], draw: Callable[[list[Point]], None]) -> None:
    """Draw on the left, and as in a mirror on the right."""
    draw(list(points))
    draw([(SIDE - x, y) for x, y in points])


def _asleep(sheet: Sheet, x: float, y: float, width: float = 9) -> None:
    """A closed, content eye."""
    sheet.curve([(x - width / 2, y), (x, y + width * 0.35), (x + width / 2, y)], _LINE, 2.2)


def _dots(sheet: Sheet, points: Sequence[Point], radius: float, colour: Colour) -> None:
    for x, y in points:
        sheet.oval(x, y, radius, radius, colour)


def blue_fox(sheet: Sheet) -> None:
    """A fox's head, asleep."""
    blue, dark = "#5b8fc4", "#3f6f9f"
    _both([(10, 8), (46, 30), (16, 56)], lambda ear: sheet.shape(ear, blue, radius=3))
    _both([(17, 20), (34, 31), (20, 43)], lambda ear: sheet.shape(ear, dark, radius=2))
    sheet.blob([(50, 25), (76, 32), (93, 60), (70, 79), (50, 94), (30, 79), (7, 60), (24, 32)], blue)
    _both([(9, 61), (26, 58), (40, 66), (50, 80), (51, 93), (47, 92), (30, 79)], lambda cheek: sheet.blob(cheek, _PALE))
    _asleep(sheet, 33, 54)
    _asleep(sheet, 67, 54)
    sheet.oval(50, 90, 6, 4.5, _LINE)


def red_boat(sheet: Sheet) -> None:
    """A boat with two sails on calm water."""
    sheet.line([(50, 10), (50, 70)], _LINE, 3)
    sheet.shape([(54, 10), (54, 58), (86, 58)], "#e8a79d", radius=2)
    sheet.shape([(46, 22), (46, 58), (20, 58)], _PALE, radius=2)
    sheet.outline([(46, 22), (46, 58), (20, 58)], "#e8a79d", 1.6, radius=2)
    sheet.shape([(6, 65), (94, 65), (78, 86), (22, 86)], "#c8473c", radius=6)
    sheet.line([(16, 73), (84, 73)], _PALE, 2)
    for y in (89.5, 95.5):
        wave = [(x, y + (1.6 if number % 2 else -1.6)) for number, x in enumerate(range(4, 101, 8))]
        sheet.curve(wave, "#8fb6cf", 2.4)


def green_turtle(sheet: Sheet) -> None:
    """A turtle, walking to the right."""
    green, skin, dark = "#5f9e62", "#a9c98a", "#447a49"
    sheet.shape([(3, 77), (24, 66), (24, 77)], skin, radius=2)
    for x in (20, 58):
        sheet.shape([(x, 66), (x + 16, 66), (x + 16, 90), (x, 90)], skin, radius=6)
    sheet.blob([(68, 62), (78, 46), (92, 42), (98, 53), (92, 63), (80, 78), (68, 78)], skin)
    sheet.blob([(8, 72), (13, 46), (28, 29), (44, 24), (60, 29), (75, 46), (80, 72), (44, 77)], green)
    sheet.curve([(9, 71), (44, 75), (79, 71)], dark, 3)
    sheet.outline([(34, 36), (54, 36), (62, 50), (54, 64), (34, 64), (26, 50)], dark, 2.6, radius=3)
    for start, end in (((34, 36), (30, 29)), ((54, 36), (58, 29)), ((62, 50), (74, 49)), ((26, 50), (14, 49))):
        sheet.line([start, end], dark, 2.6)
    for start, end in (((34, 64), (31, 72)), ((54, 64), (57, 72))):
        sheet.line([start, end], dark, 2.6)
    sheet.oval(90, 50, 2.2, 2.6, _LINE)
    sheet.curve([(88, 59), (92, 59), (96, 56.5)], _LINE, 1.6)


def yellow_kite(sheet: Sheet) -> None:
    """A kite with bows on its tail."""
    tail = [(44.0, 70.0), (49, 77), (60, 79), (66, 86), (77, 88), (83, 95), (93, 96)]
    sheet.curve(tail, _LINE, 1.8)
    for x, y, turn in ((57, 79.5, 1.4), (70, 87, 1.5), (85, 95, 1.4)):
        for side in (1, -1):
            wing = [(x, y), *((x + side * 7 * cos(turn + by), y + side * 7 * sin(turn + by)) for by in (-0.55, 0.55))]
            sheet.shape(wing, "#b9862a", radius=1)
    top, right, bottom, left = (44, 4), (74, 31), (44, 70), (14, 31)
    sheet.shape([top, right, bottom, left], "#f0c64a")
    sheet.shape([top, right, (44, 31)], "#f7dd8a")
    sheet.shape([left, (44, 31), bottom], "#dfae35")
    sheet.line([top, bottom], _LINE, 1.6)
    sheet.line([left, right], _LINE, 1.6)
    sheet.outline([top, right, bottom, left], _LINE, 2)


def purple_umbrella(sheet: Sheet) -> None:
    """An open umbrella."""
    purple, light, dark = "#8a6bb1", "#a88fc9", "#67498d"
    sheet.line([(50, 6), (50, 14)], _LINE, 3.4)
    sheet.curve([(50, 40), (50, 62), (50, 84), (45, 94), (36, 94), (32, 85)], _LINE, 4.5)
    # The roof, its lower edge hanging in four bows.
    rim = [(94 - 88 * number / 32, 54 - 5.5 * abs(sin(number * pi / 8))) for number in range(33)]
    roof = [(50 - 44 * cos(number * pi / 24), 54 - 42 * sin(number * pi / 24)) for number in range(25)]
    sheet.shape([*roof, *rim], purple)
    middle = [(72 - 44 * number / 16, 54 - 5.5 * abs(sin(number * pi / 8))) for number in range(17)]
    sheet.shape([*((50 - 22 * cos(n * pi / 24), 54 - 42 * sin(n * pi / 24)) for n in range(25)), *middle], light)
    sheet.line([(50, 12), (50, 54)], dark, 1.8)
    for side in (-1, 1):
        sheet.curve([(50 + side * 22 * sin(n * pi / 16), 54 - 42 * cos(n * pi / 16)) for n in range(9)], dark, 1.8)


def orange_fish(sheet: Sheet) -> None:
    """A fish, swimming to the left."""
    orange, light, dark = "#e58a3c", "#f4bd84", "#bd6620"
    sheet.blob([(70, 50), (84, 34), (97, 27), (94, 50), (97, 73), (84, 66)], dark)
    sheet.blob([(34, 30), (48, 15), (66, 18), (64, 34)], dark)
    sheet.blob([(40, 70), (50, 85), (62, 82), (60, 66)], dark)
    sheet.blob([(4, 52), (16, 35), (38, 26), (60, 33), (79, 50), (60, 67), (38, 75), (16, 67)], orange)
    for x, half in ((47, 17), (60, 12)):
        sheet.curve([(x, 50 - half), (x + 6, 50), (x, 50 + half)], light, 4)
    sheet.curve([(31, 36), (37, 50), (31, 65)], dark, 2.2)
    sheet.oval(19, 46, 4.6, 4.6, _PALE)
    sheet.oval(18.2, 46, 2.4, 2.4, _LINE)
    sheet.curve([(6.5, 57), (11, 59.5), (16, 58)], _LINE, 1.8)
    for x, y, radius in ((4, 30, 2.6), (10, 18, 3.4), (3, 8, 2.4)):
        sheet.oval(x, y, radius, radius, "#a9c6d8")


def grey_owl(sheet: Sheet) -> None:
    """An owl on a branch."""
    grey, light, dark = "#8c979c", "#c3cbce", "#66737a"
    sheet.curve([(4, 93), (30, 91), (70, 93), (96, 90)], "#8a7358", 5)
    _both([(22, 6), (42, 16), (22, 34)], lambda tuft: sheet.shape(tuft, dark, radius=2))
    sheet.blob(
        [(50, 11), (74, 18), (82, 42), (80, 68), (66, 88), (50, 92), (34, 88), (20, 68), (18, 42), (26, 18)], grey
    )
    sheet.blob([(50, 48), (66, 56), (68, 74), (50, 88), (32, 74), (34, 56)], light)
    for row, y in enumerate((62.0, 70.0, 78.0)):
        for x in (43, 57) if row % 2 else (36.5, 50, 63.5):
            if y < 75 or 40 < x < 60:
                sheet.curve([(x - 4, y), (x, y + 3), (x + 4, y)], dark, 1.8)
    _both([(20, 44), (27, 52), (29, 68), (24, 80), (16, 66), (15, 52)], lambda wing: sheet.blob(wing, dark))
    _dots(sheet, [(36, 34), (64, 34)], 13, _PALE)
    _dots(sheet, [(37.5, 35), (62.5, 35)], 6, _LINE)
    _dots(sheet, [(39.5, 33), (64.5, 33)], 1.8, _PALE)
    sheet.shape([(45, 40), (55, 40), (50, 51)], "#d9a441", radius=1.5)
    for x in (41, 59):
        for toe in (-4, 0, 4):
            sheet.line([(x + toe, 88), (x + toe, 93)], "#d9a441", 3)


def pink_snail(sheet: Sheet) -> None:
    """A snail, creeping to the left."""
    pink, light, body = "#d987a3", "#f0bfce", "#e9d3b8"
    for x, y in ((8, 30), (22, 27)):
        sheet.curve([(17, 56), ((17 + x) / 2 + 1, 42), (x, y)], body, 3.4)
        sheet.oval(x, y, 3.4, 3.4, _LINE)
    sheet.blob(
        [(9, 54), (17, 46), (26, 52), (32, 70), (50, 78), (76, 79), (98, 89), (60, 92), (28, 92), (13, 80), (9, 66)],
        body,
    )
    sheet.oval(59, 51, 32, 31, pink)
    spiral = [(1.5 + 25 * turn / 44, turn * pi / 8 + 0.6) for turn in range(45)]
    sheet.curve([(59 + far * cos(angle), 51 + far * sin(angle)) for far, angle in spiral], light, 4.2)
    sheet.curve([(10.5, 66), (14, 68.5), (18, 67)], _LINE, 1.8)


PICTURES: Final[dict[str, Callable[[Sheet], None]]] = {
    "blue fox": blue_fox,
    "red boat": red_boat,
    "green turtle": green_turtle,
    "yellow kite": yellow_kite,
    "purple umbrella": purple_umbrella,
    "orange fish": orange_fish,
    "grey owl": grey_owl,
    "pink snail": pink_snail,
}
"""By the names in kit.toml."""
