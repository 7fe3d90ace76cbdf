"""A sheet of labels as PDF: vectors, the standard fonts, and the same bytes each time."""

import io
from collections.abc import Iterable, Sequence
from typing import Any, Final

from reportlab.graphics.barcode.qrencoder import QRCode, QRErrorCorrectLevel
from reportlab.lib.units import mm
from reportlab.pdfbase.pdfmetrics import stringWidth
from reportlab.pdfgen.canvas import Canvas

from provisioning.labels.label import LAYOUTS, Label

_MASK: Final = 2
"""Any of the eight masks of ISO/IEC 18004 can be read; trying all for the prettiest takes eight times as long."""
_QUIET: Final = 4
"""Modules of white around a QR code, as the standard wants."""
_MARGIN_MM: Final = 2.0


def sheet(labels: Iterable[Label], paper: str, skip: int = 0) -> bytes:
    """The PDF.

    Args:
        labels: in the order of printing, row by row.
        paper: one of `LAYOUTS`.
        skip: how many labels of the first sheet were used before.
    """
    layout = LAYOUTS[paper]
    out = io.BytesIO()
    canvas = Canvas(out, pagesize=(layout.page[0] * mm, layout.page[1] * mm), invariant=1, pageCompression=1)
    canvas.setTitle("Carrel kiosk labels")
    canvas.setCreator("Carrel")
    canvas.setAuthor("Carrel")
    canvas.setViewerPreference("PrintScaling", "None")
    for number, label in enumerate(labels, skip):
        at = number % layout.each
        if at == 0 and number > skip:
            canvas.showPage()
        left = layout.corner[0] + at % layout.columns * layout.pitch[0]
        top = layout.page[1] - layout.corner[1] - at // layout.columns * layout.pitch[1]
        canvas.saveState()
        canvas.translate(left * mm, (top - layout.label[1]) * mm)
        _draw(canvas, label, layout.label)
        canvas.restoreState()
    canvas.showPage()
    canvas.save()
    return out.getvalue()


def modules(text: str) -> Sequence[Sequence[bool]]:
    """The QR code of `text`, row by row, dark is True; medium correction, no quiet zone."""
    qr: Any = QRCode(None, QRErrorCorrectLevel.M)
    qr.addData(text)
    qr.version = qr.calculate_version()
    qr.makeImpl(False, _MASK)  # noqa: FBT003  # the library's own order of arguments
    found: Sequence[Sequence[bool]] = qr.modules
    return found


def _draw(canvas: Canvas, label: Label, size: tuple[float, float]) -> None:
    width, height = size
    side = height - 2 * _MARGIN_MM
    _qr(canvas, label.link, _MARGIN_MM, side)
    left = side + 2 * _MARGIN_MM
    room = width - left - _MARGIN_MM
    lines = [
        (label.room, "Helvetica-Bold", 4.6), (label.kiosk, "Helvetica", 3.2), (label.code, "Courier-Bold", 4.6),
        (label.asset or "", "Helvetica", 3.2),
    ]  # fmt: skip
    pitch = side / len(lines)
    for number, (words, font, high) in enumerate(lines):
        fitting = min(high * mm, high * mm * room * mm / max(1.0, stringWidth(words, font, high * mm)))
        canvas.setFont(font, fitting)
        canvas.drawString(left * mm, (_MARGIN_MM + side - (number + 0.75) * pitch) * mm, words)


def _qr(canvas: Canvas, text: str, margin: float, side: float) -> None:
    """All of it in one path, in modules: runs of dark ones, so that no hairline shows where two meet."""
    rows = modules(text)
    scale = side * mm / (len(rows) + 2 * _QUIET)
    canvas.saveState()
    canvas.translate(margin * mm, margin * mm)
    canvas.scale(scale, scale)
    canvas.addLiteral(" ".join(_runs(rows)) + " f")
    canvas.restoreState()


def _runs(rows: Sequence[Sequence[bool]]) -> Iterable[str]:
    many = len(rows)
    for row, cells in enumerate(rows):
        start = None
        for column, dark in enumerate([*cells, False]):
            if dark and start is None:
                start = column
            elif not dark and start is not None:
                yield f"{start + _QUIET} {many - 1 - row + _QUIET} {column - start} 1 re"
                start = None
