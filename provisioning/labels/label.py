"""What stands on a label, and where the labels are on the sheets that shops sell."""

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Label:
    """What stands on one label."""

    link: str
    """What the QR code leads a phone to."""
    room: str
    kiosk: str
    code: str
    asset: str | None


@dataclass(frozen=True, slots=True)
class Layout:
    """Where the labels are on a sheet, in millimetres, upright."""

    page: tuple[float, float]
    columns: int
    rows: int
    label: tuple[float, float]
    corner: tuple[float, float]
    """The first label's upper left, from the page's."""
    pitch: tuple[float, float]

    @property
    def each(self) -> int:
        """How many labels a sheet has."""
        return self.columns * self.rows


LAYOUTS: Final = {
    # Avery's own templates: 5160 has 30 labels of 1 by 2 5/8 inches, L7160 has 21 of 63.5 by 38.1 mm.
    "letter": Layout((215.9, 279.4), 3, 10, (66.675, 25.4), (4.7625, 12.7), (69.85, 25.4)),
    "a4": Layout((210.0, 297.0), 3, 7, (63.5, 38.1), (7.2, 15.15), (66.0, 38.1)),
}
