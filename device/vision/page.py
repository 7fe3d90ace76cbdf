"""Where a page lies in a picture that shows no mat: a sheet on a desk, or a page of an open book.

First the paper is found, as what is bright and plain once its ink is taken out. Then each of its four sides: of the
straight edges all along that side the innermost, since a book has another page beyond it. A side that the picture cuts
off, or an arm hides, is where the paper ends.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, TypeAlias, cast

import cv2
import numpy as np
import numpy.typing as npt

from device.vision.mat import Points

if TYPE_CHECKING:
    from device.cameras.source import Image

Plane: TypeAlias = npt.NDArray[np.float32]

_WORK_PX: Final = 480
"""The longer side of the picture that is looked at, whose pixels all others are: strokes are one or two wide there."""
_MIN_SIDE_PX: Final = 32
"""A picture lower or narrower shows no page worth straightening."""
_INK_PX: Final = 11
"""Wider than any stroke: a closing by this takes the ink out."""
_PLAIN: Final = 0.02
"""Of the brightness, the slope per pixel that paper stays under: light from one side makes a tenth of it."""
_SMALLEST: Final = 0.06
"""Share of the picture: a page on the desk fills more, a card or an eraser less."""
_LARGEST: Final = 0.5
"""Share beyond which more area does not make it any more likely a page."""
_STEP: Final = 0.025
"""Of the brightness, from one side of an edge to the other; the eye needs 0.02 (Weber)."""
_STEP_PX: Final = 4
"""How far to either side of an edge: beyond its blur."""
_PEAK_PX: Final = 6
"""Of two edges nearer to each other only the stronger counts."""
_NEAR_PX: Final = 1.5
"""How far the edge of a real sheet lies from a straight line, standard deviation."""
_SLANT: Final = 0.27
"""How far a side may slant against the paper's frame, as the tangent: 15 degrees."""
_INNER: Final = 0.3
"""Of the paper's width, how far in a side is looked for: beyond it the other page of a book is the larger one."""
_MARGIN_PX: Final = 20
"""How much of the picture around the paper is looked at ..."""
_OUTSIDE_PX: Final = 8
"""... and how far outside it a side may lie: its rim, where it is not plain, and some bend."""
_THROUGHOUT: Final = 0.7
"""Share of a side along which its edge shows: what is printed on a page ends before."""
_MOSTLY: Final = 0.4
"""The same where an arm lies over a side, or the page is bent: there the edge that shows most is taken."""
_STRAIGHT: Final = 0.6
"""Share of a side within a pixel of the straight line: a sheet's has more even under an arm, a bent page's less."""
_ROWS: Final = 64
"""Places along a side at which its edge is asked for."""
_END: Final = (2, 6)
"""Of these, which are at an end: tables and boxes end before, a twentieth of the page from its side or more."""
_SIDES: Final = 2
"""A page shows so many of its sides at least ..."""
CLEAR: Final = 0.25
"""... or lines of writing that stand out: then it fills the picture ..."""
_WRITTEN: Final = 2000
"""... and that are more than a few marks: of the points of ink that are looked at."""

_INK: Final = 0.12
"""How much darker than its paper, as a share: a pencil's stroke is 0.3, print more, a stain less."""
_LETTER: Final = 0.05
"""Of the page's longer side: what is larger is no letter ..."""
_STROKE: Final = 0.012
"""... and what is thicker, on the whole, no rule or frame."""
_SPECK_PX: Final = 4
_POINTS: Final = 20_000
_SEARCH: Final = (
    (8, 1.0, 2.0, 8, 6),
    (4, 0.5, 1.0, 2, 2),
    (3, 0.25, 0.5, 2, 2),
    (2, 0.125, 0.25, 2, 2),
    (2, 0.06, 0.12, 2, 2),
)
"""Pixels that count as one line, steps of slope and of fan in degrees, and how many of each to either side."""
_LINE_PX: Final = 48
"""What lies around a line: two lines of print, or the one between two rules."""
_RIM: Final = 0.04
"""Share of a page at each side that is not read: shadows and other pages' edges run along there."""
READ_PX: Final = 1000
"""The longer side of a page at which its lines are looked for."""


@dataclass(frozen=True, slots=True, eq=False)
class Page:
    """A page in a picture."""

    corners_px: Points
    """`(4, 2)`, clockwise from the upper left as the camera sees it, in the picture's pixels; may lie outside it."""
    is_whole: bool
    """Whether all four sides were seen; else the picture cuts it off, or something hides a side."""
    straight: tuple[bool, ...]
    """Which of its sides were seen to be straight, clockwise from its top; a bent page's top and bottom are not."""

    @property
    def is_flat(self) -> bool:
        """Whether its top or bottom is straight, so that it tells what is level."""
        return self.straight[0] or self.straight[2]


@dataclass(frozen=True, slots=True)
class Lines:
    """How the lines of a page run."""

    clear: float
    """How much they stand out from what is between them: 0 is not at all; dense scribble has 0.3, print 0.6 or more."""
    slope_deg: float
    """How they slope half way down the page, degrees, down to the right ..."""
    fan_deg: float
    """... and how much more at its bottom than at its top."""


def page(image: "Image") -> Page | None:
    """Find the page in a picture.

    Args:
        image: `(height, width, 3) uint8`, blue-green-red.

    Returns:
        None where none is seen, as in what is no such picture.
    """
    if image.ndim != 3 or image.dtype != np.uint8 or image.shape[2] != 3 or min(image.shape[:2]) < _MIN_SIDE_PX:
        return None
    scale = min(1.0, _WORK_PX / max(image.shape[:2]))
    small = cast("Image", cv2.resize(image, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA))
    paper = _without_ink(small)
    outline = _paper(paper)
    if outline is None:
        return _filling(image)
    frame = _Frame.around(outline)
    view, picture = frame.cut(paper), frame.cut(cast("Image", cv2.medianBlur(small, 3)))
    sides = [_side(*(np.ascontiguousarray(np.rot90(one, turn)) for one in (view, picture))) for turn in range(4)]
    found = [side for side in sides if side.straight is not None]
    if len(found) < _SIDES:
        return _filling(image)
    # Turned to the left once, the top is on the left.
    left, top, right, bottom = (_turned_back(side.ends, turn, view.shape) for turn, side in enumerate(sides))
    corners = [_crossing(*pair) for pair in ((top, left), (top, right), (bottom, right), (bottom, left))]
    return Page(
        corners_px=(frame.placed(np.array(corners)) + 0.5) / scale - 0.5,
        is_whole=len(found) == len(sides),
        straight=tuple((sides[turn].straight or 0.0) >= _STRAIGHT for turn in (1, 2, 3, 0)),
    )


def _filling(image: "Image") -> Page | None:
    """The page that fills the picture, where there is writing and no sides are seen."""
    height, width = image.shape[:2]
    scale = READ_PX / max(height, width)
    grey = cv2.cvtColor(image, cv2.COLOR_BGR2GRAY)
    grey = cv2.resize(grey, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    ink = writing(cast("Image", grey))
    if len(ink) < _WRITTEN or lines(ink, (grey.shape[1], grey.shape[0])).clear < CLEAR:
        return None
    corners = np.array([(0, 0), (width, 0), (width, height), (0, height)], np.float64) - 0.5
    return Page(corners, is_whole=False, straight=(False, False, False, False))


def _without_ink(image: "Image") -> "Image":
    """The paper alone: writing, print and rules taken out."""
    brush = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (_INK_PX, _INK_PX))
    return cast("Image", cv2.medianBlur(cv2.morphologyEx(image, cv2.MORPH_CLOSE, brush), 5))


def writing(grey: "Image") -> Points:
    """Where writing, print and rules are: small or thin marks darker than the paper round them.

    Args:
        grey: `(height, width) uint8`, a page of about 1,000 pixels.

    Returns:
        `(n, 2)`, x and y of some 20,000 of their pixels.
    """
    longer = max(grey.shape)
    brush = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (longer // 45 | 1, longer // 45 | 1))
    around = cv2.morphologyEx(grey, cv2.MORPH_CLOSE, brush).astype(np.float32)
    dark = ((around - grey) / (around + 10) > _INK).astype(np.uint8)
    _, labels, marks, _ = cv2.connectedComponentsWithStats(dark)
    long = marks[:, [cv2.CC_STAT_WIDTH, cv2.CC_STAT_HEIGHT]].max(axis=1)
    area = marks[:, cv2.CC_STAT_AREA]
    is_ink = (area >= _SPECK_PX) & ((long < _LETTER * longer) | (area < _STROKE * longer * long))
    is_ink[0] = False
    height, width = grey.shape
    rows, columns = round(_RIM * height), round(_RIM * width)
    inner = is_ink[labels][rows : height - rows, columns : width - columns]
    points = np.argwhere(inner)[:, ::-1] + np.array([columns, rows], np.float64)
    return np.asarray(points[:: len(points) // _POINTS + 1], np.float64)


def lines(points: Points, size: tuple[int, int]) -> Lines:
    """How the lines of some writing run: so that, looked along, they stand out most (projection profile).

    Args:
        points: where writing is, `(n, 2)`.
        size: width and height of the page.
    """
    slope_deg, fan_deg, clear = 0.0, 0.0, 0.0
    for bin_px, slope_step, fan_step, slopes, fans in _SEARCH:
        clear, slope_deg, fan_deg = max(
            (_clear(points, size, slope, fan, bin_px), slope, fan)
            for slope in slope_deg + slope_step * np.arange(-slopes, slopes + 1)
            for fan in fan_deg + fan_step * np.arange(-fans, fans + 1)
        )
    return Lines(clear, float(slope_deg), float(fan_deg))


def _clear(points: Points, size: tuple[int, int], slope_deg: float, fan_deg: float, bin_px: int) -> float:
    """How unevenly ink lies in lines of this slope, against what lies around each: 0 when it is spread over all."""
    width, height = size
    slope = np.radians(slope_deg + fan_deg * (points[:, 1] / height - 0.5))
    level = (points[:, 1] - slope * (points[:, 0] - width / 2)) / bin_px
    count = height // bin_px
    profile = np.bincount(level[(level >= 0) & (level < count)].astype(int), minlength=count).astype(np.float64)
    around = _LINE_PX // bin_px
    uneven = profile - np.convolve(profile, np.ones(around) / around, mode="same")
    return float(np.sum(uneven**2)) * count / max(1.0, float(profile.sum()) ** 2)


def _paper(paper: "Image") -> Points | None:
    """The hull of what is most likely the page: large, plain, bright, and all in one piece."""
    soft = cv2.GaussianBlur(paper.astype(np.float32), (0, 0), 1)
    slopes = cv2.magnitude(cv2.Scharr(soft, cv2.CV_32F, 1, 0), cv2.Scharr(soft, cv2.CV_32F, 0, 1)) / 32
    plain = (slopes.max(axis=2) / (soft.max(axis=2) + 20) < _PLAIN).astype(np.uint8)
    count, labels, patches, _ = cv2.connectedComponentsWithStats(cv2.erode(plain, np.ones((3, 3), np.uint8)))
    best, outline = 0.0, None
    for number in range(1, count):
        area = patches[number, cv2.CC_STAT_AREA] / plain.size
        if area < _SMALLEST:
            continue
        patch = labels == number
        hull = cv2.convexHull(cv2.findNonZero(patch.astype(np.uint8)))
        solid = area * plain.size / max(1.0, cv2.contourArea(hull))
        bright = float(np.median(paper.max(axis=2)[patch])) / 255
        if (likely := min(area, _LARGEST) * solid**2 * bright**2) > best:
            best, outline = likely, hull
    return None if outline is None else outline.reshape(-1, 2).astype(np.float64)


@dataclass(frozen=True, slots=True, eq=False)
class _Frame:
    """The paper and a margin around it, as an upright picture of its own."""

    matrix: npt.NDArray[np.float64]
    """`(2, 3)`, from its pixels to those of the small picture."""
    size: tuple[int, int]

    @classmethod
    def around(cls, outline: Points) -> "_Frame":
        """The smallest upright frame; of its four turns the one nearest to the camera's own up."""
        _, _, angle_deg = cv2.minAreaRect(outline.astype(np.float32))
        angle = np.radians((angle_deg + 45) % 90 - 45)
        axes = np.array([(np.cos(angle), np.sin(angle)), (-np.sin(angle), np.cos(angle))])
        low, high = (outline @ axes.T).min(axis=0), (outline @ axes.T).max(axis=0)
        width, height = (int(side) for side in np.ceil(high - low) + 2 * _MARGIN_PX + 1)
        return cls(np.column_stack([axes.T, axes.T @ (low - _MARGIN_PX)]), (width, height))

    def cut(self, picture: "Image") -> "Image":
        how = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
        return cast(
            "Image", cv2.warpAffine(picture, self.matrix, self.size, flags=how, borderMode=cv2.BORDER_REPLICATE)
        )

    def placed(self, points: Points) -> Points:
        return np.asarray(points @ self.matrix[:, :2].T + self.matrix[:, 2])


@dataclass(frozen=True, slots=True, eq=False)
class _Side:
    """The left side of a page that stands upright."""

    ends: Points
    """`(2, 2)`, above and below."""
    straight: float | None
    """Share of it that lies on the straight line; None if no edge was seen there."""


def _side(paper: "Image", picture: "Image") -> _Side:
    """Find the left side.

    Args:
        paper: the page and a margin around it, without ink, `(height, width, 3) uint8`.
        picture: the same with its ink.
    """
    top, bottom = _MARGIN_PX, paper.shape[0] - _MARGIN_PX
    inner = round(_INNER * (paper.shape[1] - 2 * _MARGIN_PX))
    edges = _edges(paper)
    starts, ends, shown, at_ends = _straight_lines(
        edges, np.arange(_MARGIN_PX - _OUTSIDE_PX, _MARGIN_PX + inner), top, bottom
    )
    if (throughout := (shown >= _THROUGHOUT) & (at_ends >= _MOSTLY)).any():
        place = (starts + ends) / 2
        shown = np.where(place >= place[throughout].max() - _PEAK_PX, shown, 0)
    best = int(shown.argmax())
    if shown[best] < _MOSTLY:
        return _Side(np.array([(_MARGIN_PX, top), (_MARGIN_PX, bottom)], np.float64), None)
    side = _fitted(edges, np.array([(starts[best], top), (ends[best], bottom)], np.float64))
    # What took out the ink has filled the gutter of a book as well.
    finer = _fitted(_edges(picture, _STEP_PX // 2), side.ends)
    return finer if (finer.straight or 0.0) >= (side.straight or 0.0) else side


def _edges(paper: "Image", far: int = _STEP_PX) -> npt.NDArray[np.bool_]:
    """Where the picture is another one to the left than to the right: the middles of such steps, row by row."""
    # Averaged, so that the step is largest at the edge itself, and not as large all along the way across it.
    level = cv2.blur(paper.astype(np.float32), (2 * far - 1, 1))
    before, after = level[:, : -2 * far], level[:, 2 * far :]
    step = np.zeros(level.shape[:2], np.float32)
    step[:, far:-far] = (np.abs(after - before) / (np.maximum(after, before) + 20)).max(axis=2)
    around = cv2.dilate(step, np.ones((1, 2 * _PEAK_PX + 1), np.uint8))
    return (step >= _STEP) & (step >= around)


def _straight_lines(
    edges: npt.NDArray[np.bool_], columns: npt.NDArray[np.int_], top: int, bottom: int
) -> tuple[npt.NDArray[np.int_], npt.NDArray[np.int_], Plane, Plane]:
    """Every line from top to bottom through these columns: where it starts and ends, and along which share it shows."""
    reach = 2 * round(_NEAR_PX)
    near = edges.astype(np.float32)
    for step in range(1, reach):
        weight = np.float32(np.exp(-(step**2) / (2 * _NEAR_PX**2)))
        near[:, step:] = np.maximum(near[:, step:], weight * edges[:, :-step])
        near[:, :-step] = np.maximum(near[:, :-step], weight * edges[:, step:])
    starts, ends = (one.ravel() for one in np.meshgrid(columns[::2], columns[::2], indexing="ij"))
    possible = np.abs(starts - ends) <= _SLANT * (bottom - top)
    starts, ends = starts[possible], ends[possible]
    part = np.linspace(0, 1, _ROWS)
    rows = np.round(top + (bottom - 1 - top) * part).astype(int)
    across = np.round(starts[:, np.newaxis] + np.outer(ends - starts, part)).astype(int)
    shown = near[rows, across]
    at_ends = np.minimum(shown[:, _END[0] : _END[1]].mean(axis=1), shown[:, -_END[1] : -_END[0]].mean(axis=1))
    return starts, ends, np.asarray(shown.mean(axis=1)), at_ends


def _fitted(edges: npt.NDArray[np.bool_], ends: Points) -> _Side:
    """The line through the edges near a line, whatever some of them do (Huber)."""
    (start, top), (end, bottom) = ends
    rows, columns = np.nonzero(edges)
    straight = 0.0
    for reach in (2 * _PEAK_PX, _PEAK_PX, _PEAK_PX // 2):
        off = np.abs(columns - (start + (end - start) * (rows - top) / (bottom - top)))
        on_it = (off <= reach) & (rows >= top) & (rows < bottom)
        straight = len(np.unique(rows[on_it & (off <= 1.0)])) / (bottom - top)
        if np.count_nonzero(on_it) < _MOSTLY / 2 * (bottom - top):
            break
        points = np.column_stack([columns[on_it], rows[on_it]]).astype(np.float32)
        right, down, x, y = (float(one) for one in cv2.fitLine(points, cv2.DIST_HUBER, 0, 0.01, 0.01).ravel())
        if abs(right) > 2 * _SLANT * abs(down):
            break
        start, end = (x + right / down * (row - y) for row in (top, bottom))
    return _Side(np.array([(start, top), (end, bottom)]), straight)


def _turned_back(points: Points, turns: int, shape: tuple[int, ...]) -> Points:
    """Points of a picture that was turned left a number of times, in the picture as it was."""
    height, width = shape[:2] if turns % 2 == 0 else shape[1::-1]
    for _ in range(turns):
        points = np.column_stack([height - 1 - points[:, 1], points[:, 0]])
        height, width = width, height
    return points


def _crossing(one: Points, other: Points) -> Points:
    """Where two lines cross, each given by two points."""
    (first, second), (third, fourth) = (np.column_stack([line, np.ones(2)]) for line in (one, other))
    x, y, far = np.cross(np.cross(first, second), np.cross(third, fourth))
    return np.array([x / far, y / far])
