"""The desk mat as a PDF, true to scale: python -m hardware.desk_mat --paper a3 -o mat.pdf."""

from collections.abc import Sequence
from typing import Final

from hardware.command import write_pdf
from hardware.sheet import Point, Sheet
from hardware.tables import kit_table

PAPERS: Final = ("a3", "tabloid")

_SOFT: Final = "#b7c9c1"
_BORDER_MM: Final = 12.0
"""From the face's edge to the soft line around the work; the rule and the small print lie outside it."""
_AROUND_MM: Final = 3.0
"""From a marker's white to the soft line."""
_SMALL_PRINT_MM: Final = 3.2


def desk_mat(paper: str) -> bytes:
    """The mat for `paper`, one of `PAPERS`, as a PDF. What is printed is the same on each, in the paper's middle."""
    mat = kit_table("mat")
    width, height = mat["width_mm"], mat["height_mm"]
    sheet = Sheet(paper, "Carrel desk mat")
    with sheet.at((sheet.width_mm - width) / 2, (sheet.height_mm - height) / 2):
        beside = mat["marker_side_mm"] + mat["quiet_mm"] + _AROUND_MM
        sheet.outline(_border(width, height, beside), _SOFT, width=1.2, radius=6)
        for marker in mat["markers"]:
            sheet.marker(mat["dictionary"], marker["id"], (marker["x_mm"], marker["y_mm"]), mat["marker_side_mm"])
        _draw_rule(sheet, width / 2, mat["rule_mm"])
        sheet.text(width / 2, height - 2.5, "The student sits at this side.", _SMALL_PRINT_MM)
    return sheet.pdf()


def _border(width: float, height: float, beside: float) -> list[Point]:
    """Around the work, and around the markers' corners, clockwise."""
    x0, y0, x1, y1 = _BORDER_MM, _BORDER_MM, width - _BORDER_MM, height - _BORDER_MM
    left, top, right, bottom = beside, beside, width - beside, height - beside
    return [
        *[(left, y0), (right, y0), (right, top), (x1, top)],
        *[(x1, bottom), (right, bottom), (right, y1), (left, y1)],
        *[(left, bottom), (x0, bottom), (x0, top), (left, top)],
    ]


def _draw_rule(sheet: Sheet, middle: float, length: float) -> None:
    """A line to hold a ruler to, with a tick every 10 mm."""
    start, base = middle - length / 2, 3.0
    sheet.line([(start, base), (start + length, base)], "#000000", 0.2)
    for number in range(int(length / 10) + 1):
        x = start + 10 * number
        sheet.line([(x, base - (2.5 if number % 5 == 0 else 1.5)), (x, base)], "#000000", 0.2)
    sheet.text(middle, base + 4.5, f"Print at 100 %. This line is {length:g} mm long.", _SMALL_PRINT_MM)


def main(argv: Sequence[str] | None = None) -> None:
    """Write the PDF."""
    write_pdf("python -m hardware.desk_mat", "the desk mat", desk_mat, PAPERS, argv)


if __name__ == "__main__":
    main()
