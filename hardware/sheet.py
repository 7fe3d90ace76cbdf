"""A sheet of paper in millimetres, to draw on: vectors only, and the same bytes each time."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from io import BytesIO
from typing import Final, TypeAlias

import cv2
from reportlab.lib.colors import HexColor
from reportlab.lib.units import mm
from reportlab.pdfgen.canvas import Canvas
from reportlab.pdfgen.pathobject import PDFPathObject

Point: TypeAlias = tuple[float, float]
"""x to the right and y down."""
Colour: TypeAlias = str
"""`#rrggbb`."""

INK: Final = "#55605c"
"""Small print, for adults."""
MODULES: Final = 6
"""How many modules a marker of DICT_4X4 is wide: four, and the black border on both sides."""
PAPERS_MM: Final = {
    "a3": (420.0, 297.0),  # ISO 216
    "a4": (297.0, 210.0),
    "tabloid": (431.8, 279.4),  # ANSI/ASME Y14.1, size B
    "letter": (279.4, 215.9),
}
"""Width and height of each paper, lying on its long side."""

_ARC: Final = 0.5523  # a Bezier curve this far towards the corner is a quarter of a circle, to 0.03 %


class Sheet:
    """One page to draw on.

    Args:
        paper: one of `PAPERS_MM`.
        title: what the document is called in a viewer's title bar.
    """

    def __init__(self, paper: str, title: str) -> None:
        self.width_mm, self.height_mm = PAPERS_MM[paper]
        self._pdf = BytesIO()
        # Invariant: no time of printing and no chance in the file.
        self._canvas = Canvas(
            self._pdf, pagesize=(self.width_mm * mm, self.height_mm * mm), invariant=1, pageCompression=0
        )
        self._canvas.setTitle(title)
        self._canvas.setCreator("Carrel")
        self._canvas.setAuthor("Carrel")
        # The print dialog then starts at 100 %, where "fit to page" is the custom.
        self._canvas.setViewerPreference("PrintScaling", "None")
        self._canvas.transform(mm, 0, 0, -mm, 0, self.height_mm * mm)

    @contextmanager
    def at(self, x: float, y: float, scale: float = 1.0) -> Iterator[None]:
        """Draw from `(x, y)` on, in units of `scale` millimetres."""
        self._canvas.saveState()
        self._canvas.translate(x, y)
        self._canvas.scale(scale, scale)
        yield
        self._canvas.restoreState()

    def shape(self, points: Sequence[Point], colour: Colour, radius: float = 0.0) -> None:
        """Fill a polygon, its corners rounded."""
        self._fill(self._polygon(points, radius), colour)

    def outline(self, points: Sequence[Point], colour: Colour, width: float, radius: float = 0.0) -> None:
        """Draw the edge of a polygon, its corners rounded."""
        self._stroke(self._polygon(points, radius), colour, width)

    def blob(self, points: Sequence[Point], colour: Colour) -> None:
        """Fill a round shape whose edge goes through the points."""
        self._fill(self._smooth([*points, points[0]], points[-1], points[1]), colour)

    def oval(self, x: float, y: float, rx: float, ry: float, colour: Colour) -> None:
        """Fill an ellipse around `(x, y)`."""
        path = self._canvas.beginPath()
        path.ellipse(x - rx, y - ry, 2 * rx, 2 * ry)
        self._fill(path, colour)

    def line(self, points: Sequence[Point], colour: Colour, width: float, dash: Sequence[float] = ()) -> None:
        """Draw straight from point to point."""
        path = self._canvas.beginPath()
        path.moveTo(*points[0])
        for point in points[1:]:
            path.lineTo(*point)
        self._stroke(path, colour, width, dash)

    def curve(self, points: Sequence[Point], colour: Colour, width: float) -> None:
        """Draw roundly from point to point."""
        self._stroke(self._smooth(points, points[0], points[-1]), colour, width)

    def text(self, x: float, y: float, words: str, height: float, anchor: str = "middle") -> None:
        """Write small print, its `anchor` (start, middle, end) at `x`, its base line at `y`; `height` is the font's."""
        self._canvas.saveState()
        self._canvas.translate(x, y)
        self._canvas.scale(1, -1)
        self._canvas.setFillColor(HexColor(INK))
        self._canvas.setFont("Helvetica", height)
        put = {"start": self._canvas.drawString, "end": self._canvas.drawRightString}
        put.get(anchor, self._canvas.drawCentredString)(0, 0, words)
        self._canvas.restoreState()

    def marker(self, dictionary: str, marker_id: int, centre: Point, side: float) -> None:
        """Print an ArUco marker."""
        bits = cv2.aruco.generateImageMarker(
            cv2.aruco.getPredefinedDictionary(getattr(cv2.aruco, dictionary)), marker_id, MODULES
        )
        module = side / MODULES
        # All of it in one path: squares that are filled one by one show hairlines where they meet.
        path = self._canvas.beginPath()
        for row, column in zip(*(bits == 0).nonzero(), strict=True):
            x, y = centre[0] - side / 2 + float(column) * module, centre[1] - side / 2 + float(row) * module
            path.rect(x, y, module, module)
        self._fill(path, "#000000")

    def pdf(self) -> bytes:
        """The finished document. Nothing can be drawn after it."""
        self._canvas.showPage()
        self._canvas.save()
        return self._pdf.getvalue()

    def _fill(self, path: PDFPathObject, colour: Colour) -> None:
        self._canvas.setFillColor(HexColor(colour))
        self._canvas.drawPath(path, stroke=0, fill=1)

    def _stroke(self, path: PDFPathObject, colour: Colour, width: float, dash: Sequence[float] = ()) -> None:
        self._canvas.setStrokeColor(HexColor(colour))
        self._canvas.setLineWidth(width)
        self._canvas.setLineCap(0 if dash else 1)
        self._canvas.setLineJoin(1)
        self._canvas.setDash(list(dash))
        self._canvas.drawPath(path)

    def _polygon(self, points: Sequence[Point], radius: float) -> PDFPathObject:
        path = self._canvas.beginPath()
        for number, corner in enumerate(points):
            before, after = points[number - 1], points[(number + 1) % len(points)]
            start, end = (_towards(corner, other, radius) if radius else corner for other in (before, after))
            (path.lineTo if number else path.moveTo)(*start)
            if radius:
                path.curveTo(*_between(start, corner, _ARC), *_between(end, corner, _ARC), *end)
        path.close()
        return path

    def _smooth(self, points: Sequence[Point], before: Point, after: Point) -> PDFPathObject:
        """A Catmull-Rom curve through the points; `before` and `after` say how it enters and leaves them."""
        path = self._canvas.beginPath()
        path.moveTo(*points[0])
        around = [before, *points, after]
        for a, b, c, d in zip(around, points, points[1:], around[3:], strict=False):
            leave = b[0] + (c[0] - a[0]) / 6, b[1] + (c[1] - a[1]) / 6
            arrive = c[0] - (d[0] - b[0]) / 6, c[1] - (d[1] - b[1]) / 6
            path.curveTo(*leave, *arrive, *c)
        return path


def _between(start: Point, end: Point, share: float) -> Point:
    return start[0] + share * (end[0] - start[0]), start[1] + share * (end[1] - start[1])


def _towards(start: Point, end: Point, far: float) -> Point:
    length = ((end[0] - start[0]) ** 2 + (end[1] - start[1]) ** 2) ** 0.5
    return _between(start, end, far / length)
