"""The student cards as a PDF, eight to a sheet: python -m hardware.cards --paper a4 -o cards.pdf."""

from collections.abc import Sequence
from typing import Any, Final

from hardware.command import write_pdf
from hardware.pictures import PICTURES, SIDE
from hardware.sheet import Sheet
from hardware.tables import kit_table

PAPERS: Final = ("a4", "letter")
CARD_MM: Final = (63.0, 96.0)
"""Wide and high: four by two fit on both papers, and one in a child's hand."""

_COLUMNS: Final = 4
_ROWS: Final = 2
_PICTURE_MM: Final = 38.0
_PICTURE_TOP_MM: Final = 5.0
_NAME_BASE_MM: Final = 47.0
_CUT: Final = "#b4b9b6"


def cards(paper: str) -> bytes:
    """The cards of the kit on one sheet of `paper`, one of `PAPERS`, as a PDF."""
    table = kit_table("cards")
    sheet = Sheet(paper, "Carrel student cards")
    width, height = CARD_MM
    with sheet.at((sheet.width_mm - _COLUMNS * width) / 2, (sheet.height_mm - _ROWS * height) / 2):
        _draw_cuts(sheet)
        for number, picture in enumerate(table["pictures"]):
            row, column = divmod(number, _COLUMNS)
            with sheet.at(column * width, row * height):
                _draw_card(sheet, table, picture)
    return sheet.pdf()


def _draw_card(sheet: Sheet, table: dict[str, Any], picture: dict[str, Any]) -> None:
    width, height = CARD_MM
    with sheet.at((width - _PICTURE_MM) / 2, _PICTURE_TOP_MM, _PICTURE_MM / SIDE):
        PICTURES[picture["name"]](sheet)
    sheet.text(width / 2, _NAME_BASE_MM, picture["name"], 2.6)
    side = table["marker_side_mm"]
    sheet.marker(table["dictionary"], picture["id"], (width / 2, height - table["quiet_mm"] - side / 2), side)


def _draw_cuts(sheet: Sheet) -> None:
    """Where to cut: dashes from one end of the cards to the other."""
    width, height = CARD_MM
    for column in range(_COLUMNS + 1):
        sheet.line([(column * width, 0), (column * width, _ROWS * height)], _CUT, 0.2, dash=(2, 2))
    for row in range(_ROWS + 1):
        sheet.line([(0, row * height), (_COLUMNS * width, row * height)], _CUT, 0.2, dash=(2, 2))


def main(argv: Sequence[str] | None = None) -> None:
    """Write the PDF."""
    write_pdf("python -m hardware.cards", "the student cards", cards, PAPERS, argv)


if __name__ == "__main__":
    main()
