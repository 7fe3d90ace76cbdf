"""Where the desk mat lies in a picture, by the ArUco markers in its corners, and how sure that is.

Pixels are counted as OpenCV counts them: the middle of the upper left pixel is (0, 0). Millimetres are the mat's own,
from its upper left corner as the student sees it, x to the right and y down.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import TYPE_CHECKING, Final, TypeAlias

import cv2
import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from device.cameras.source import Image
    from device.kit import KitMat

Points: TypeAlias = npt.NDArray[np.float64]
"""`(n, 2)`, x and y."""
Matrix: TypeAlias = npt.NDArray[np.float64]
"""`(3, 3)`, a homography."""

_LARGE_PX: Final = 640
"""A picture less wide is looked at in double size: for a millisecond that finds a fifth more."""
_MIN_SIDE_PX: Final = 16
"""A lower or narrower picture holds no marker of 8 modules, its white included, at 2 pixels to each."""
_CORNER_PX: Final = 0.1
"""What one corner is off, standard deviation: 0.03 to 0.06 measured on drawn mats with noise, blur and tilt."""
_MISFIT: Final = 1 / 12
"""Of a marker's side, root mean square: half a module. Markers that fit one flat mat less well are not all its own."""
_MOST_MARKERS: Final = 6
"""How many are tried in all ways; more than the mat has means that somebody shows pictures of it."""
_SURE_MM: Final = 2.0
"""How far off a corner of the mat may be: half the body of a child's letter, which is about 4 mm high."""
_STEEPEST: Final = 4.0
"""How much larger the near edge may look than the far one; beyond, the camera looks along the desk, not down on it."""

NEEDED: Final = 2
"""Markers that place a page: opposite ones leave half a pixel of doubt at any size, a single one leaves fifteen."""
_SAME_MM: Final = 5.0
"""Within which a marker is where it was: a mat is nudged by less, and pulled by more."""
_CONFIRMED: Final = 3
"""Looks in a row that must find the mat at a new place: an odd detection does not repeat itself."""
_WORSE: Final = 2.0
"""A place that is known this much less well does not take the held one's stead: arms leave markers of one side only."""
_FORGET_S: Final = 30.0
"""Without any marker where it was, longer than a child leans on all four; the mat may be gone by then."""


@dataclass(frozen=True, slots=True, eq=False)
class MatGeometry:
    """How large the mat is and where its markers are, millimetres."""

    width_mm: float
    height_mm: float
    markers_mm: dict[int, Points]
    """The corners of each marker's black square, `(4, 2)`, clockwise from its upper left."""

    @classmethod
    def of(cls, mat: "KitMat") -> "MatGeometry":
        """The mat of the kit."""
        markers = {number: np.array(mat.marker_corners_mm(number), np.float64) for number in mat.marker_ids}
        return cls(mat.width_mm, mat.height_mm, markers)

    @property
    def corners_mm(self) -> Points:
        """The mat's own corners, `(4, 2)`, clockwise from its upper left."""
        right, bottom = self.width_mm, self.height_mm
        return np.array([(0, 0), (right, 0), (right, bottom), (0, bottom)], np.float64)


@dataclass(frozen=True, slots=True, eq=False)
class Marker:
    """One ArUco marker in a picture."""

    number: int
    corners_px: Points
    """`(4, 2)`, clockwise from the marker's own upper left."""

    @property
    def area_px(self) -> float:
        """Square pixels."""
        x, y = self.corners_px.T
        return float(abs(x @ np.roll(y, -1) - y @ np.roll(x, -1)) / 2)


@dataclass(frozen=True, slots=True, eq=False)
class Place:
    """Where the mat lies in a picture of some size, and how well that is known."""

    homography: Matrix
    """Millimetres of the mat to pixels."""
    size_px: tuple[int, int]
    """Width and height of the picture."""
    markers: int
    """How many it rests on."""
    rms_px: float
    """How well their corners fit."""
    error_px: float
    """How far off the worst known corner of the mat may be, one standard deviation; large for a single marker."""
    px_per_mm: float
    """At the mat's middle, along the axis that has fewer."""
    turn_deg: float
    """How the mat is turned in the picture, clockwise as seen, -180 to 180."""
    tilt: float
    """By which share its middle looks shorter one way than the other: 0 from straight above, 0.3 at 45 degrees."""
    is_whole: bool
    """Whether all of the mat is in the picture."""

    @property
    def is_sure(self) -> bool:
        """Whether it is known well enough to write measurements on: by two markers at least."""
        return self.markers > 1 and self.error_px <= _SURE_MM * self.px_per_mm

    def corners_px(self, geometry: MatGeometry) -> Points:
        """Where the mat's corners are."""
        return project(self.homography, geometry.corners_mm)

    def fits(self, marker: Marker, geometry: MatGeometry) -> bool:
        """Whether a marker is where this place has it."""
        off_px = project(self.homography, geometry.markers_mm[marker.number]) - marker.corners_px
        return bool(np.sqrt(np.mean(np.sum(off_px**2, axis=1))) <= _SAME_MM * self.px_per_mm)

    def homography_for(self, width_px: int, height_px: int) -> Matrix:
        """The homography for a picture of the same view in another size."""
        across, down = width_px / self.size_px[0], height_px / self.size_px[1]
        grown = np.array([(across, 0, (across - 1) / 2), (0, down, (down - 1) / 2), (0, 0, 1)])
        return np.asarray(grown @ self.homography)


@dataclass(frozen=True, slots=True, eq=False)
class MatSeen:
    """What one look found of the mat."""

    markers: tuple[Marker, ...]
    """Those of the mat."""
    place: Place | None
    """Where it lies, where that can be told."""

    def summary(self) -> dict[str, float]:
        """What the agent is told of it; nothing but numbers, so that it goes through JSON."""
        found: dict[str, float] = {"markers": len({one.number for one in self.markers})}
        if self.place is not None:
            found |= {
                "px_per_mm": round(self.place.px_per_mm, 3),
                "error_px": round(self.place.error_px, 2),
                "turn_deg": round(self.place.turn_deg, 1),
                "tilt": round(self.place.tilt, 3),
                "whole": float(self.place.is_whole),
                "sure": float(self.place.is_sure),
            }
        return found


@dataclass(frozen=True, slots=True, eq=False)
class MatHeld:
    """What is known of the mat now."""

    place: Place | None
    """Where it lies, by the last good look; None if that is not known, or not any more."""
    age_s: float | None
    """Since a look last agreed with that; None without a place."""
    markers: int
    """How many the newest look found."""
    missing_s: float
    """For how long fewer were found than are needed: `NEEDED`, or one where it was."""


class MatPose:
    """Where the mat lies, over time: an odd look moves nothing, and arms over the markers lose nothing.

    Args:
        geometry: the mat that is looked for.
    """

    def __init__(self, geometry: MatGeometry) -> None:
        self._geometry = geometry
        self._place: Place | None = None
        self._elsewhere: list[Place] = []
        self._agreed_ns = 0
        self._enough_ns: int | None = None
        self._markers = 0
        self._last_ns: int | None = None

    def update(self, seen: MatSeen, captured_ns: int) -> MatHeld:
        """Take a look into account.

        Args:
            seen: what it found; always in pictures of one size, or what was known is forgotten.
            captured_ns: CLOCK_MONOTONIC; a look that is not newer than the last one says nothing.
        """
        if self._last_ns is not None and captured_ns <= self._last_ns:
            return self._held(self._last_ns)
        self._last_ns = captured_ns
        self._enough_ns = captured_ns if self._enough_ns is None else self._enough_ns
        self._markers = len({one.number for one in seen.markers})
        place = seen.place if seen.place is not None and seen.place.markers >= NEEDED else None
        if place is not None and self._place is not None and place.size_px != self._place.size_px:
            self._place = None
        if self._look(seen, place):
            self._agreed_ns = captured_ns
        elif captured_ns - self._agreed_ns > _FORGET_S * 1e9:
            self._place = None
        if place is not None or self._agreed_ns == captured_ns:
            self._enough_ns = captured_ns
        return self._held(captured_ns)

    def _look(self, seen: MatSeen, place: Place | None) -> bool:
        """Whether what is known after this look agrees with it."""
        if self._place is None:
            self._place = place
            self._elsewhere.clear()
            return place is not None
        fitting = sum(self._place.fits(one, self._geometry) for one in seen.markers)
        if fitting >= (1 if place is None else place.markers):
            self._elsewhere.clear()
            if place is not None and place.error_px <= _WORSE * self._place.error_px:
                self._place = place
            return True
        if place is None:
            return False
        if self._elsewhere and not all(self._elsewhere[-1].fits(one, self._geometry) for one in seen.markers):
            self._elsewhere.clear()
        self._elsewhere.append(place)
        if len(self._elsewhere) < _CONFIRMED:
            return False
        self._place = min(self._elsewhere, key=lambda one: one.error_px)
        self._elsewhere.clear()
        return True

    def _held(self, now_ns: int) -> MatHeld:
        age_s = None if self._place is None else (now_ns - self._agreed_ns) / 1e9
        missing_s = 0.0 if self._enough_ns is None else (now_ns - self._enough_ns) / 1e9
        return MatHeld(self._place, age_s, self._markers, missing_s)


def find_mat(grey: "Image", geometry: MatGeometry) -> MatSeen:
    """Look for the mat.

    Args:
        grey: `(height, width) uint8`, of any size; what is none holds no mat.
        geometry: the mat that is looked for.
    """
    return seen_by(find_markers(grey), geometry, (grey.shape[1], grey.shape[0]) if grey.ndim == 2 else (0, 0))


def seen_by(markers: Iterable[Marker], geometry: MatGeometry, size_px: tuple[int, int]) -> MatSeen:
    """Where the mat is by markers that are found already, so that cards and mat need one search only."""
    own = sorted((one for one in markers if one.number in geometry.markers_mm), key=lambda one: -one.area_px)
    return MatSeen(tuple(own), _place(own[:_MOST_MARKERS], geometry, size_px))


def find_markers(grey: "Image") -> tuple[Marker, ...]:
    """All markers of DICT_4X4_50 in a picture, `(height, width) uint8`; none in what is no such picture."""
    if grey.ndim != 2 or grey.dtype != np.uint8 or min(grey.shape) < _MIN_SIDE_PX:
        return ()
    grown = 2 if grey.shape[1] < _LARGE_PX else 1
    picture = cv2.resize(grey, None, fx=grown, fy=grown, interpolation=cv2.INTER_CUBIC) if grown > 1 else grey
    # Where it finds none, the numbers are None, and the corners are empty.
    found, numbers, _ = _detector().detectMarkers(np.ascontiguousarray(picture))
    if not found:
        return ()
    corners = _to_the_edge(grey, (np.array(found, np.float64).reshape(-1, 4, 2) + 0.5) / grown - 0.5)
    pairs = zip(np.ravel(numbers), corners, strict=True)
    return tuple(Marker(int(number), one) for number, one in pairs if np.isfinite(one).all())


def project(homography: Matrix, points: Points) -> Points:
    """Points through a homography; what lies on its horizon goes to infinity."""
    through = np.column_stack([points, np.ones(len(points))]) @ homography.T
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray(through[:, :2] / through[:, 2:])


def _detector() -> cv2.aruco.ArucoDetector:
    """Made afresh for each look, which costs nothing: a still is made in a thread of its own."""
    how = cv2.aruco.DetectorParameters()
    how.cornerRefinementMethod = cv2.aruco.CORNER_REFINE_CONTOUR
    # Only the middle half of a module is asked for its colour: at 3 pixels to the module the rest is its neighbours'.
    how.perspectiveRemovePixelPerCell = 8
    how.perspectiveRemoveIgnoredMarginPerCell = 0.25
    return cv2.aruco.ArucoDetector(cv2.aruco.getPredefinedDictionary(cv2.aruco.DICT_4X4_50), how)


def _to_the_edge(grey: "Image", corners: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Markers' corners, `(n, 4, 2)`, where lines through the middles of the steps to white cross."""
    following = np.roll(corners, -1, axis=1)
    along = following - corners
    length = np.linalg.norm(along, axis=2, keepdims=True)
    out = np.stack([along[..., 1], -along[..., 0]], axis=-1) / length
    # Up to half a module to either side, black within and white without, looked at twice a pixel.
    reach = np.clip(_MISFIT * length.mean(axis=1), 1.5, 4.0)[:, np.newaxis, np.newaxis]
    part, far = np.linspace(0.08, 0.92, 24), reach * np.linspace(-1, 1, 17)
    at = (corners[:, :, np.newaxis] + along[:, :, np.newaxis] * part[:, np.newaxis])[:, :, :, np.newaxis]
    at = (at + out[:, :, np.newaxis, np.newaxis] * far[..., np.newaxis]).astype(np.float32)
    flat = at.reshape(-1, part.size * far.shape[-1], 2)
    levels = cv2.remap(grey, flat[..., 0], flat[..., 1], cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    rise = np.maximum(np.diff(levels.reshape(at.shape[:-1]).astype(np.float64)), 0)
    rise[rise < rise.max(axis=-1, keepdims=True) / 8] = 0
    weight = rise.sum(axis=-1) + 1e-9
    off = (rise * (far[..., 1:] + far[..., :-1]) / 2).sum(axis=-1) / weight
    start, end, trust = np.zeros(off.shape[:2]), np.zeros(off.shape[:2]), weight
    for _ in range(3):
        # Least squares, then less of those that are off (Huber).
        s0, s1, s2, y0, y1 = ((trust * one).sum(axis=-1) for one in (1, part, part**2, off, off * part))
        start, slope = (y0 * s2 - y1 * s1, s0 * y1 - s1 * y0) / (s0 * s2 - s1**2)
        end = start + slope
        trust = weight / np.maximum(1, 4 * np.abs(off - start[..., np.newaxis] - slope[..., np.newaxis] * part))
    ends = (corners + out * start[..., np.newaxis], following + out * end[..., np.newaxis])
    first, last = (np.concatenate([one, np.ones_like(length)], axis=-1) for one in ends)
    edges = np.cross(first, last)
    crossing = np.cross(np.roll(edges, 1, axis=1), edges)
    return np.asarray(crossing[..., :2] / crossing[..., 2:])


def _place(markers: Sequence[Marker], geometry: MatGeometry, size_px: tuple[int, int]) -> Place | None:
    """The place that most markers agree on; a single one that nothing speaks against has to do."""
    if len(markers) == 1:
        return _fit(markers, geometry, size_px)
    for count in range(min(len(markers), len(geometry.markers_mm)), 1, -1):
        fits = [_fit(group, geometry, size_px) for group in combinations(markers, count)]
        if good := [one for one in fits if one is not None]:
            return min(good, key=lambda one: one.rms_px)
    return None


def _fit(markers: Sequence[Marker], geometry: MatGeometry, size_px: tuple[int, int]) -> Place | None:
    """The place by exactly these markers; None if they do not belong to one mat that is seen from above."""
    if len({one.number for one in markers}) < len(markers):
        return None
    mm = np.vstack([geometry.markers_mm[one.number] for one in markers])
    px = np.vstack([one.corners_px for one in markers])
    found, _ = cv2.findHomography(mm, px)
    homography = np.asarray(found, np.float64)
    if not np.isfinite(homography).all():  # None too is no number
        return None
    middle = geometry.corners_mm.mean(axis=0, keepdims=True)
    across, down = _scales(homography, np.vstack([middle, geometry.corners_mm]))
    areas = across[:, 0] * down[:, 1] - across[:, 1] * down[:, 0]
    if not (np.isfinite(areas).all() and (areas > 0).all() and areas.max() < _STEEPEST**3 * areas.min()):
        return None
    longer, shorter = np.linalg.svd(np.array([across[0], down[0]]), compute_uv=False).tolist()
    px_per_mm = float(min(np.linalg.norm(across[0]), np.linalg.norm(down[0])))
    rms_px = float(np.sqrt(np.mean(np.sum((project(homography, mm) - px) ** 2, axis=1))))
    side_mm = float(np.linalg.norm(mm[1] - mm[0]))
    if rms_px > _MISFIT * side_mm * px_per_mm:
        return None
    corners = project(homography, geometry.corners_mm)
    return Place(
        homography=homography,
        size_px=size_px,
        markers=len(markers),
        rms_px=rms_px,
        error_px=_error_px(homography, mm, geometry.corners_mm, max(rms_px, _CORNER_PX)),
        px_per_mm=px_per_mm,
        turn_deg=float(np.degrees(np.arctan2(across[0, 1], across[0, 0]))),
        tilt=1 - shorter / longer,
        is_whole=bool((corners >= 0).all() and (corners <= np.array(size_px) - 1).all()),
    )


def _scales(homography: Matrix, at_mm: Points) -> tuple[Points, Points]:
    """How many pixels, right and down, a millimetre to the right is at some points, and a millimetre down."""
    px = project(homography, at_mm)
    depth = at_mm @ homography[2, :2] + homography[2, 2]
    across, down = ((homography[:2, i] - px * homography[2, i]) / depth[:, np.newaxis] for i in (0, 1))
    return np.asarray(across), np.asarray(down)


def _error_px(homography: Matrix, known_mm: Points, asked_mm: Points, corner_px: float) -> float:
    """How far off the worst of some points may be when each known corner is off by `corner_px`.

    The covariance of a least-squares fit, carried to the points that are asked for (Hartley and Zisserman 2004, 5.2).
    """
    spread = np.ptp(asked_mm, axis=0).max()
    centre = asked_mm.mean(axis=0)
    known, asked = (_slopes(homography, points, centre, spread) for points in (known_mm, asked_mm))
    sure = known.T @ known
    if np.linalg.cond(sure) > 1 / np.finfo(np.float64).eps:
        return float("inf")
    # Both axes of a corner are off by corner_px together.
    variance = np.sum((asked @ np.linalg.inv(sure)) * asked, axis=1) * corner_px**2 / 2
    return float(np.sqrt(variance.reshape(-1, 2).sum(axis=1).max()))


def _slopes(homography: Matrix, points: Points, centre: Points, spread: float) -> npt.NDArray[np.float64]:
    """How the pixels of some points change with the eight freedoms, `(2 n, 8)`, in units that make these alike."""
    u, v = project(homography, points).T
    depth = points @ homography[2, :2] + homography[2, 2]
    x, y = ((points - centre) / spread).T
    slopes = np.zeros((2 * len(points), 8))
    for row, value in enumerate((u, v)):
        weights = np.column_stack([x, y, np.ones(len(points))]) / depth[:, np.newaxis]
        slopes[row::2, 3 * row : 3 * row + 3] = weights
        slopes[row::2, 6:] = -value[:, np.newaxis] * weights[:, :2]
    return slopes
