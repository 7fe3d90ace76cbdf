"""A technical drawing in millimetres of paper, as a list of strokes that becomes SVG or PDF, the same each time."""

import xml.etree.ElementTree as ET
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final, Literal, TypeAlias

from hardware.sheet import Colour, Point, Sheet

Anchor: TypeAlias = Literal["start", "middle", "end"]
"""Which end of a text its point is."""

BLACK: Final = "#1c2422"
GREY: Final = "#8a9490"
PALE: Final = "#e9efec"
WHITE: Final = "#ffffff"

_ARROW_MM: Final = 1.8
_SMALL_MM: Final = 2.6
"""The height of letters beside a dimension."""


@dataclass(frozen=True, slots=True)
class Stroke:
    """Straight from point to point."""

    points: tuple[Point, ...]
    colour: Colour
    width: float
    dash: tuple[float, ...] = ()


@dataclass(frozen=True, slots=True)
class Area:
    """A filled polygon, with an edge if `edge` names a colour."""

    points: tuple[Point, ...]
    colour: Colour
    edge: Colour | None = None


@dataclass(frozen=True, slots=True)
class Disc:
    """A filled circle, with an edge if `edge` names a colour."""

    middle: Point
    radius: float
    colour: Colour
    edge: Colour | None = None


@dataclass(frozen=True, slots=True)
class Words:
    """One line of text on the base line that goes through `at`."""

    at: Point
    words: str
    height: float
    anchor: Anchor


Item: TypeAlias = Stroke | Area | Disc | Words

_EDGE_MM: Final = 0.35


@dataclass(slots=True)
class Drawing:
    """One drawing, x to the right and y down, in the order in which things are put on it."""

    width_mm: float
    height_mm: float
    title: str
    says: str
    """What is to be seen, in a sentence: for those who cannot see it."""
    items: list[Item] = field(default_factory=list)

    def line(self, *points: Point, colour: Colour = BLACK, width: float = _EDGE_MM, dash: Sequence[float] = ()) -> None:
        """Draw straight from point to point."""
        self.items.append(Stroke(points, colour, width, tuple(dash)))

    def area(self, points: Sequence[Point], colour: Colour, edge: Colour | None = BLACK) -> None:
        """Fill a polygon."""
        self.items.append(Area(tuple(points), colour, edge))

    def box(self, x: float, y: float, width: float, height: float, colour: Colour, edge: Colour | None = BLACK) -> None:
        """Fill a rectangle whose upper left corner is `(x, y)`."""
        self.area([(x, y), (x + width, y), (x + width, y + height), (x, y + height)], colour, edge)

    def disc(self, x: float, y: float, radius: float, colour: Colour, edge: Colour | None = BLACK) -> None:
        """Fill a circle."""
        self.items.append(Disc((x, y), radius, colour, edge))

    def text(self, x: float, y: float, words: str, height: float = _SMALL_MM, anchor: Anchor = "middle") -> None:
        """Write one line."""
        self.items.append(Words((x, y), words, height, anchor))

    def across(self, x0: float, x1: float, y: float, words: str) -> None:
        """A dimension from left to right, its words above the line."""
        self.line((x0, y), (x1, y), width=0.2)
        for x, way in ((x0, 1), (x1, -1)):
            self._arrow((x, y), (way, 0))
        self.text((x0 + x1) / 2, y - 1, words)

    def upright(self, y0: float, y1: float, x: float, words: str, anchor: Anchor = "start") -> None:
        """A dimension from top to bottom, its words beside the line: to the right, or with `end` to the left."""
        self.line((x, y0), (x, y1), width=0.2)
        for y, way in ((y0, 1), (y1, -1)):
            self._arrow((x, y), (0, way))
        self.text(x + (1.2 if anchor == "start" else -1.2), (y0 + y1) / 2 + 1, words, anchor=anchor)

    def _arrow(self, tip: Point, way: Point) -> None:
        x, y = tip[0] + way[0] * _ARROW_MM, tip[1] + way[1] * _ARROW_MM
        aside = _ARROW_MM / 4
        self.area(
            [tip, (x + way[1] * aside, y + way[0] * aside), (x - way[1] * aside, y - way[0] * aside)], BLACK, None
        )


def svg(drawing: Drawing) -> str:
    """The drawing as an SVG of its true size, with a title and a description for screen readers."""
    root = ET.Element(
        "svg", xmlns="http://www.w3.org/2000/svg", width=f"{drawing.width_mm:g}mm", height=f"{drawing.height_mm:g}mm",
        viewBox=f"0 0 {drawing.width_mm:g} {drawing.height_mm:g}", role="img",
    )  # fmt: skip
    root.set("aria-labelledby", "title says")
    root.set("font-family", "Helvetica, Arial, sans-serif")
    ET.SubElement(root, "title", id="title").text = drawing.title
    ET.SubElement(root, "desc", id="says").text = drawing.says
    ET.SubElement(root, "rect", width="100%", height="100%", fill=WHITE)
    for item in drawing.items:
        root.append(_element(item))
    ET.indent(root, " ")
    return ET.tostring(root, encoding="unicode") + "\n"


def pdf(drawing: Drawing, paper: str) -> bytes:
    """The drawing in the middle of `paper`, one of `hardware.sheet.PAPERS_MM`, in its true size."""
    sheet = Sheet(paper, drawing.title)
    with sheet.at((sheet.width_mm - drawing.width_mm) / 2, (sheet.height_mm - drawing.height_mm) / 2):
        for item in drawing.items:
            _put(sheet, item)
    return sheet.pdf()


def _element(item: Item) -> ET.Element:
    match item:
        case Stroke():
            made = ET.Element("polyline", points=_points(item.points), fill="none", stroke=item.colour)
            made.set("stroke-width", _number(item.width))
            if item.dash:
                made.set("stroke-dasharray", " ".join(map(_number, item.dash)))
        case Area():
            made = ET.Element("polygon", points=_points(item.points), fill=item.colour)
            _edge(made, item.edge)
        case Disc():
            x, y = map(_number, item.middle)
            made = ET.Element("circle", cx=x, cy=y, r=_number(item.radius), fill=item.colour)
            _edge(made, item.edge)
        case Words():
            x, y = map(_number, item.at)
            made = ET.Element("text", x=x, y=y, fill=BLACK)
            made.set("font-size", _number(item.height))
            made.set("text-anchor", item.anchor)
            made.text = item.words
    return made


def _put(sheet: Sheet, item: Item) -> None:
    match item:
        case Stroke():
            sheet.line(item.points, item.colour, item.width, item.dash)
        case Area():
            sheet.shape(item.points, item.colour)
            if item.edge:
                sheet.outline(item.points, item.edge, _EDGE_MM)
        case Disc():
            if item.edge:
                sheet.oval(*item.middle, item.radius + _EDGE_MM / 2, item.radius + _EDGE_MM / 2, item.edge)
            inner = item.radius - (_EDGE_MM / 2 if item.edge else 0)
            sheet.oval(*item.middle, inner, inner, item.colour)
        case Words():
            sheet.text(*item.at, item.words, item.height, item.anchor)


def _edge(made: ET.Element, colour: Colour | None) -> None:
    if colour:
        made.set("stroke", colour)
        made.set("stroke-width", _number(_EDGE_MM))


def _points(points: Sequence[Point]) -> str:
    return " ".join(f"{_number(x)},{_number(y)}" for x, y in points)


def _number(value: float) -> str:
    """To a hundredth of a millimetre, and no minus before a zero."""
    return f"{round(value, 2) + 0.0:g}"
