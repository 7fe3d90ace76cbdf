"""The mount drawing: the plate that carries the overhead camera, its lamp and its shutter, true to scale."""

from typing import Any, Final

from hardware.drawing import BLACK, GREY, PALE, WHITE, Drawing
from hardware.tables import kit_table

PAPERS: Final = ("a4", "letter")
RULE_MM: Final = 100.0
"""The line to hold a ruler to after printing."""

_DASH: Final = (2.0, 1.4)
_FAINT: Final = "#8a6bb1"


def mount_picture() -> Drawing:
    """The plate from below, as the desk sees it, and from the side; in its true size."""
    mount = kit_table("mount")
    plate, board = mount["plate"], mount["board"]
    wide, high = plate["width_mm"], plate["height_mm"]
    drawing = Drawing(
        240, 160, "Plate of the overhead camera",
        f"A plate of {wide:g} by {high:g} by {plate['thickness_mm']:g} mm with four holes of {board['hole_mm']:g} mm, "
        f"{board['hole_across_mm']:g} by {board['hole_down_mm']:g} mm apart, around an opening of "
        f"{mount['lens_opening_mm']:g} mm for the lens, a hole of {mount['arm_hole_mm']:g} mm for the arm, one of "
        f"{mount['lamp_hole_mm']:g} mm for the lamp, and two of {mount['shutter']['switch_hole_mm']:g} mm for the "
        "shutter's switch.",
    )  # fmt: skip
    drawing.text(6, 8, "Plate of the overhead camera, from below, true to scale", 4, "start")
    drawing.text(6, 14, "Millimetres. Drawn from hardware/kit.toml.", 2.8, "start")
    left, top = 46.0, 40.0
    drawing.box(left, top, wide, high, PALE)
    drawing.across(left, left + wide, top - 14, f"{wide:g}")
    drawing.upright(top, top + high, left - 22, f"{high:g}", "end")
    lens = left + wide / 2, top + high / 2
    _camera(drawing, lens, board, mount["lens_opening_mm"], left + wide)
    _arm(drawing, left, top, mount["arm_hole_mm"])
    _lamp(drawing, left, top + high, mount["lamp_hole_mm"])
    _shutter(drawing, lens, top + high, mount)
    _side(drawing, 176, mount)
    _rule(drawing, 6, 142)
    _notes(drawing)
    return drawing


def _camera(drawing: Drawing, lens: tuple[float, float], board: dict[str, float], opening: float, right: float) -> None:
    """The board lies behind the plate; its holes are given from its upper edge, and so is its lens."""
    x, y = lens
    upper = y - board["lens_below_top_mm"]
    drawing.box(x - board["width_mm"] / 2, upper, board["width_mm"], board["height_mm"], WHITE, GREY)
    drawing.disc(x, y, opening / 2, PALE)
    _cross(drawing, x, y, opening / 2 + 2)
    across, first = board["hole_across_mm"] / 2, upper + board["hole_edge_mm"]
    second = first + board["hole_down_mm"]
    for hole in ((x - across, first), (x + across, first), (x - across, second), (x + across, second)):
        drawing.disc(*hole, board["hole_mm"] / 2, WHITE)
        _cross(drawing, *hole, board["hole_mm"] / 2 + 1)
    drawing.across(x - across, x + across, upper - 4, f"{board['hole_across_mm']:g}")
    drawing.upright(first, second, right + 4, f"{board['hole_down_mm']:g}")
    for level in (first, second):
        drawing.line((x + across + 2, level), (right + 17, level), colour=GREY, width=0.12)
    drawing.text(right + 4, first - 3, f"4 holes of {board['hole_mm']:g}, M2", 2.6, "start")
    drawing.text(right + 4, y + 6, f"opening of {opening:g},", 2.6, "start")
    drawing.text(right + 4, y + 10, "in line with the lower holes", 2.6, "start")


def _arm(drawing: Drawing, left: float, top: float, hole: float) -> None:
    x, y = left + 10, top + 10
    drawing.disc(x, y, hole / 2, WHITE)
    _cross(drawing, x, y, hole / 2 + 1.5)
    drawing.across(left, x, top - 4, "10")
    drawing.upright(top, y, left - 5, "10", "end")
    drawing.text(left + 2, y + 8, f"arm, {hole:g}", 2.6, "start")


def _lamp(drawing: Drawing, left: float, bottom: float, hole: float) -> None:
    x, y = left + 10, bottom - 10
    drawing.disc(x, y, hole / 2, "#e8a79d")
    _cross(drawing, x, y, hole / 2 + 1.5)
    drawing.upright(y, bottom, left - 5, "10", "end")
    drawing.text(left + 2, y - 5, f"lamp, {hole:g}", 2.6, "start")


def _shutter(drawing: Drawing, lens: tuple[float, float], bottom: float, mount: dict[str, Any]) -> None:
    """A blade that is slid to the left over the lens; there it presses the switch."""
    x, y = lens
    of = mount["shutter"]
    blade, travel = of["blade_mm"], of["travel_mm"]
    drawing.line((x + travel - blade / 2, y - blade / 2), (x + travel + blade / 2, y - blade / 2),
                 (x + travel + blade / 2, y + blade / 2), (x + travel - blade / 2, y + blade / 2),
                 (x + travel - blade / 2, y - blade / 2), colour=_FAINT, dash=_DASH)  # fmt: skip
    drawing.across(x, x + travel, y + blade / 2 + 5, f"slides {travel:g}")
    drawing.text(x + travel + 10.5, y + blade / 2 + 9, "blade, open", 2.6)
    first = x - blade / 2 - 8
    for hole in (first, first - of["switch_holes_mm"]):
        drawing.disc(hole, y, of["switch_hole_mm"] / 2, WHITE)
        _cross(drawing, hole, y, of["switch_hole_mm"] / 2 + 1)
    drawing.across(first - of["switch_holes_mm"], first, y + 5, f"{of['switch_holes_mm']:g}")
    drawing.across(first, x, bottom + 6, f"{x - first:g}")
    for level in (first, x):
        drawing.line((level, y + 3), (level, bottom + 7), colour=GREY, width=0.12)
    drawing.text(first - of["switch_holes_mm"], y - 4, f"switch, 2 of {of['switch_hole_mm']:g}", 2.6, "middle")


def _side(drawing: Drawing, left: float, mount: dict[str, Any]) -> None:
    """Plate and camera on edge, the desk being to the left."""
    plate, board = mount["plate"], mount["board"]
    top = 40.0
    thick = plate["thickness_mm"]
    drawing.text(left + 10, top - 18, "from the side", 2.8)
    drawing.box(left, top, thick, plate["height_mm"], PALE)
    upper = top + plate["height_mm"] / 2 - board["lens_below_top_mm"]
    drawing.box(left + thick + 5, upper, 1.2, board["height_mm"], WHITE)
    drawing.box(left + thick - 1.5, upper + board["lens_below_top_mm"] - 4.2, 6.5, 8.4, "#3c4a4f")
    for y in (upper + board["hole_edge_mm"], upper + board["hole_edge_mm"] + board["hole_down_mm"]):
        drawing.box(left + thick, y - 1.5, 5, 3, GREY)
    drawing.across(left, left + thick, top - 4, f"{thick:g}")
    drawing.across(left + thick, left + thick + 5, top + plate["height_mm"] + 6, "5")
    drawing.text(left + thick + 8, upper - 3, "camera, M2 x 12", 2.6, "start")
    drawing.text(left + thick + 8, upper + 1, "and sleeves of 5", 2.6, "start")
    drawing.text(left - 2, upper + 16, "desk", 2.6, "end")


def _rule(drawing: Drawing, left: float, y: float) -> None:
    drawing.line((left, y), (left + RULE_MM, y), width=0.2)
    for number in range(int(RULE_MM / 10) + 1):
        x = left + 10 * number
        drawing.line((x, y - (2.5 if number % 5 == 0 else 1.5)), (x, y), width=0.2)
    drawing.text(left + RULE_MM / 2, y + 4.5, f"Print at 100 %. This line is {RULE_MM:g} mm long.", 2.8)


def _notes(drawing: Drawing) -> None:
    for line, words in enumerate((
        "Lay camera and switch on the print before you drill: boards and switches of other makers differ.",
        "The lens is central. The lamp is beside it, where the student and everybody in the room see it.",
        "The blade runs in two strips of felt; over the lens it presses the switch, whose contact then closes.",
    )):  # fmt: skip
        drawing.text(6, 121 + 5 * line, words, 2.8, "start")


def _cross(drawing: Drawing, x: float, y: float, reach: float) -> None:
    drawing.line((x - reach, y), (x + reach, y), colour=BLACK, width=0.12)
    drawing.line((x, y - reach), (x, y + reach), colour=BLACK, width=0.12)
