"""The picture of the desk: how high the overhead camera hangs, and what it sees of the desk from there."""

from typing import Final

from hardware.drawing import GREY, PALE, WHITE, Drawing
from hardware.geometry import View, lenses, view
from hardware.tables import kit

_SCALE: Final = 0.2
"""Millimetres on paper for one on the desk: one to five."""
_RED: Final = "#c8473c"
_SEEN: Final = "#dcebf5"
_MAT: Final = "#f3e9d2"
_BLUE: Final = "#3f6f9f"


def desk_picture() -> Drawing:
    """The side on the left, as somebody beside the student sees it; the desk from above on the right."""
    table = kit()
    mount, mat = table["mount"], table["mat"]
    lens = lenses()[mount["overhead_lens"]]
    height = mount["overhead_height_mm"]
    seen = view(lens, height, table["boards"][0]["overhead"]["width"])
    drawing = Drawing(
        308, 160, "Overhead camera: height and field of view",
        f"From the side: the lens hangs {height:g} mm above the middle of the desk mat, on an arm at the far edge of "
        f"the desk. From above: the camera sees {seen.width_mm:.0f} by {seen.height_mm:.0f} mm of the desk, and the "
        f"mat of {mat['width_mm']:g} by {mat['height_mm']:g} mm lies in the middle of it.",
    )  # fmt: skip
    drawing.text(8, 11, f"{lens.name}, {lens.focal_mm:g} mm, {height:g} mm above the mat", 4, "start")
    drawing.text(8, 17, _figures(seen), 3, "start")
    _side(drawing, mount, mat["height_mm"], seen)
    _above(drawing, mount, mat, seen)
    return drawing


def _figures(seen: View) -> str:
    return (
        f"{seen.px_per_mm:.2f} pixels to the millimetre; focus {seen.focus_dioptres:.2f} dioptres; drawn one to five, "
        "worked out by python -m hardware.geometry"
    )


def _side(drawing: Drawing, mount: dict[str, float], mat_mm: float, seen: View) -> None:
    """The student sits at the left."""
    left, top, desk = 14.0, 140.0, mount["desk_depth_mm"] * _SCALE
    middle = left + desk / 2
    lens = top - mount["overhead_height_mm"] * _SCALE
    half = seen.height_mm / 2 * _SCALE
    drawing.area([(middle, lens), (middle - half, top), (middle + half, top)], _SEEN, None)
    drawing.line((middle, lens), (middle - half, top), colour=_BLUE, dash=(2, 1.4))
    drawing.line((middle, lens), (middle + half, top), colour=_BLUE, dash=(2, 1.4))
    drawing.box(left, top, desk, 4, PALE)
    drawing.box(middle - mat_mm / 2 * _SCALE, top - 0.8, mat_mm * _SCALE, 0.8, _MAT)
    post = left + desk - 3
    drawing.line((post, top + 8), (post, lens - 6), (middle, lens - 6), colour=GREY, width=2)
    drawing.box(post - 4, top - 2, 6, 10, GREY)
    drawing.box(middle - 8, lens - 5, 16, 3, WHITE)
    drawing.box(middle - 2.5, lens - 2, 5, 2, "#3c4a4f")
    drawing.disc(middle - 6, lens - 1.2, 0.8, _RED)
    drawing.text(middle - 10, lens - 2, "camera lamp", 2.6, "end")
    drawing.upright(lens, top - 0.8, middle, f"{mount['overhead_height_mm']:g} mm")
    drawing.across(left, left + desk, top + 14, f"desk, {mount['desk_depth_mm']:g} mm deep")
    drawing.text(left, top - 3, "student", 2.8, "start")
    drawing.text(post + 4, top - 30, "arm at the", 2.6, "start")
    drawing.text(post + 4, top - 26, "far edge", 2.6, "start")


def _above(drawing: Drawing, mount: dict[str, float], mat: dict[str, float], seen: View) -> None:
    left, top = 148.0, 34.0
    wide, deep = mount["desk_width_mm"] * _SCALE, mount["desk_depth_mm"] * _SCALE
    x, y = left + wide / 2, top + deep / 2
    drawing.box(left, top, wide, deep, PALE)
    _middle(drawing, (x, y), (seen.width_mm, seen.height_mm), _SEEN, _BLUE)
    _middle(drawing, (x, y), (mat["width_mm"], mat["height_mm"]), _MAT, GREY)
    _middle(drawing, (x, y), (297, 210), WHITE, GREY)
    drawing.text(x, y - 2, "A4 page", 2.8)
    drawing.text(x, y + 24.7, f"desk mat {mat['width_mm']:g} x {mat['height_mm']:g} mm", 2.6)
    beside, above = seen.margins_mm(mat["width_mm"], mat["height_mm"])
    edge = seen.width_mm / 2 * _SCALE
    drawing.across(x - edge, x - mat["width_mm"] / 2 * _SCALE, y, f"{beside:.0f} mm")
    drawing.upright(y - seen.height_mm / 2 * _SCALE, y - mat["height_mm"] / 2 * _SCALE, x, f"{above:.0f} mm")
    drawing.across(x - edge, x + edge, top + 11, f"the camera sees {seen.width_mm:.0f} x {seen.height_mm:.0f} mm")
    drawing.text(x, top + deep + 5, "student", 2.8)
    drawing.text(x, top - 2, "display and front camera", 2.8)
    drawing.across(left, left + wide, top + deep + 12, f"desk, {mount['desk_width_mm']:g} mm for one student")
    drawing.box(left + wide + 3, y + 20, 6, 6, WHITE)
    drawing.disc(left + wide + 6, y + 23, 2, "#5f9e62")
    drawing.text(left + wide + 6, y + 30, "button", 2.6)
    drawing.text(left + wide + 6, y + 33.5, "adult's side", 2)


def _middle(drawing: Drawing, at: tuple[float, float], size_mm: tuple[float, float], colour: str, edge: str) -> None:
    width, height = size_mm[0] * _SCALE, size_mm[1] * _SCALE
    drawing.box(at[0] - width / 2, at[1] - height / 2, width, height, colour, edge)
