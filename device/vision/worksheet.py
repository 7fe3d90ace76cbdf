"""The worksheet, straight: the mat seen from above at a known scale, or, without a mat, a page set upright.

A flat sheet is set upright by its edges alone, since how a child's lines run is for the therapist to judge. Only a page
whose top and bottom do not tell what is level, as a book's, is levelled by its lines of print.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Final, TypeAlias, cast

import cv2
import numpy as np
import numpy.typing as npt

from device.vision.mat import MatGeometry, Matrix, Place, Points, find_mat, project
from device.vision.page import CLEAR, READ_PX, Lines, Page, lines, page, writing

if TYPE_CHECKING:
    from device.cameras.source import Image

Levels: TypeAlias = npt.NDArray[np.float32]
"""Grey levels or colours, 0 to 255."""

AROUND_MM: Final = 20.0
"""How much of the desk around the mat a worksheet shows: an A4 sheet, 297 mm long, hangs over it at both ends."""

_MAX_SIDE_PX: Final = 4000
"""No worksheet is larger: at 6 pixels to the millimetre that is 66 cm of desk."""
_MAX_DRAWN_PX: Final = 16_000_000
"""Nor does it ever take more than 48 MB to draw one: a camera's worker has a Pi's memory."""
_PAPERS: Final = (297 / 210, 11 / 8.5, 14 / 8.5)
"""Long side over short: A4 and its kin, US Letter, US Legal."""
_SHEET: Final = 3
"""Sides that have to be straight for a page to count as a flat sheet of such paper; an arm may lie over one."""
_NEAR_PAPER: Final = 0.035
"""As a share: half of what lies between A4 and Letter is 0.045, and a page's sides are found to 0.01."""
_FOCAL: Final = 0.9
"""Focal length over the picture's width where perspective does not tell: a view 58 degrees wide."""
_FOCALS: Final = (0.5, 3.0)
"""From 90 to 19 degrees wide; what is found beyond is not a flat page's perspective."""
_LEVELLINGS: Final = 3
"""The later ones see what was outside the page before, and what is left over."""
_SIDEWAYS: Final = 1.3
"""How much more lines must stand out that run up the page before it is turned."""

_BEYOND: Final = (255, 255, 255)
"""What lies beyond the picture is shown as blank paper."""
_LIGHT_PX: Final = 320
"""The longer side of the picture in which light is told from ink."""
_STROKES_PX: Final = 13
"""Of that picture: wider than any stroke, narrower than a shadow."""
_WHITE: Final = 240.0
"""Grey level that paper is brought to: white, and not clipped."""
_GAIN: Final = (0.8, 3.5)
"""How much light may be taken off or put on: in a shadow 1.8 stops deep noise is all there is to see."""
_TINT: Final = 0.045
"""How far paper's colour may be off that of the paper round it, as a share of its brightness: pale crayon is 0.06."""
_TINT_PX: Final = 40
"""How far around its colour is the mean of: far enough for a window's light to pass into a lamp's."""
_TINTS: Final = 4
"""So often it is carried on, to find all of the page."""
_DARKEST: Final = 0.18
"""Of the bright paper's level, 2.5 stops down; darker is no shadow but something black."""
_NEARBY_PX: Final = (6.0, 24.0, 96.0)
"""How far light is carried from paper to what is not paper: from close by where there is some."""


class BadView(ValueError):
    """This picture, pose or scale cannot be made into a worksheet; the text says which."""


class Origin(StrEnum):
    """What a worksheet was set straight by."""

    MAT = "mat"
    PAGE = "page"


@dataclass(frozen=True, slots=True, eq=False)
class Worksheet:
    """A worksheet, upright for its reader."""

    image: "Image"
    """`(height, width, 3) uint8`, blue-green-red."""
    px_per_mm: float | None
    """Its scale, both ways the same; None where only a page was seen."""
    origin: Origin
    corners_px: Points
    """`(4, 2)`, where its corners are in the camera's picture, clockwise from its own upper left."""
    evened: bool
    """Whether shadows were taken out."""


def worksheet(
    image: "Image",
    geometry: MatGeometry,
    held: Place | None = None,
    *,
    px_per_mm: float | None = None,
    evened: bool = True,
) -> Worksheet | None:
    """The worksheet in a picture: by the mat where it is placed, else by the page itself.

    Args:
        image: `(height, width, 3) uint8`, blue-green-red, in full size.
        geometry: the mat.
        held: where it lay by earlier looks, in pictures of the same view in any size; for when arms hide it now.
        px_per_mm: the scale wanted; by default that of the picture, so that no pixel is invented.
        evened: whether to take out shadows.

    Returns:
        None where neither mat nor page is seen, as in what is no such picture.
    """
    if not _is_picture(image):
        return None
    now = find_mat(cast("Image", cv2.cvtColor(image, cv2.COLOR_BGR2GRAY)), geometry).place
    place = now if now is not None and now.is_sure else held
    try:
        straight = _by_mat(image, geometry, place, px_per_mm) if place is not None else None
    except BadView:
        straight = None
    straight = straight or _by_page(image)
    if straight is None or not evened:
        return straight
    return Worksheet(even_light(straight.image), straight.px_per_mm, straight.origin, straight.corners_px, evened=True)


def rectified(
    image: "Image", homography_mm_to_px: Matrix, geometry: MatGeometry, px_per_mm: float, around_mm: float = 0.0
) -> "Image":
    """The mat seen straight from above, the student's side at the bottom.

    Args:
        image: `(height, width, 3) uint8`.
        homography_mm_to_px: where the mat lies in it, for its size.
        geometry: the mat.
        px_per_mm: the scale of the result, exactly.
        around_mm: how much of the desk around the mat is shown too.

    Returns:
        `(height_mm * px_per_mm, width_mm * px_per_mm, 3) uint8`, rounded to whole pixels.

    Raises:
        BadView: what was given is no picture, no pose or no scale.
    """
    if not _is_picture(image):
        raise BadView(f"a picture is (height, width, 3) uint8, not {image.shape} {image.dtype}")
    if homography_mm_to_px.shape != (3, 3) or not np.isfinite(homography_mm_to_px).all():
        raise BadView("the mat's pose is no homography of finite numbers")
    sides_mm = geometry.width_mm + 2 * around_mm, geometry.height_mm + 2 * around_mm
    if not (np.isfinite(px_per_mm) and px_per_mm * min(sides_mm) >= 1 and px_per_mm * max(sides_mm) <= _MAX_SIDE_PX):
        raise BadView(f"a worksheet cannot have {px_per_mm} pixels to the millimetre; about 3 to 6 are useful")
    # The middle of pixel (0, 0) is half a pixel into the view.
    first_mm = 0.5 / px_per_mm - around_mm
    to_mm = np.array([(1 / px_per_mm, 0, first_mm), (0, 1 / px_per_mm, first_mm), (0, 0, 1)])
    return _warped(image, homography_mm_to_px @ to_mm, (round(sides_mm[0] * px_per_mm), round(sides_mm[1] * px_per_mm)))


def straightened(image: "Image", found: Page) -> tuple["Image", Points]:
    """A page set upright.

    Which way up it lies cannot be told without reading: of the two ways in which its lines run level it is the one
    nearer to the camera's own up.

    Args:
        image: `(height, width, 3) uint8`.
        found: the page in it.

    Returns:
        `(height, width, 3) uint8`, about as fine as the picture, and where its corners are in the picture, `(4, 2)`
        pixels, clockwise from its own upper left.

    Raises:
        BadView: what was given is no picture, or no page that has an inside.
    """
    if not _is_picture(image):
        raise BadView(f"a picture is (height, width, 3) uint8, not {image.shape} {image.dtype}")
    corners = np.asarray(found.corners_px, np.float64)
    if not _is_quad(corners):
        raise BadView("the page's corners do not go round it")
    straight = np.array(found.straight)
    is_sheet = found.is_whole and np.count_nonzero(straight) >= _SHEET
    ratio = _height_over_width(corners, image.shape[1], image.shape[0], snap=bool(is_sheet))
    small = _upright(image, corners, _size(corners, ratio, READ_PX))
    if _lines(np.ascontiguousarray(np.rot90(small))).clear > _SIDEWAYS * _lines(small).clear:
        turn = _turn_of(corners)
        corners, ratio, straight = np.roll(corners, turn, axis=0), 1 / ratio, np.roll(straight, turn)
    if not (straight[0] or straight[2]):
        corners = _levelled(image, corners, ratio)
    return _upright(image, corners, _size(corners, ratio)), corners


def even_light(image: "Image") -> "Image":
    """Take out shadows and uneven light: paper gets the same white all over, ink and colours stay what they are.

    Args:
        image: `(height, width, 3) uint8`.

    Returns:
        The same shape and type.
    """
    if not _is_picture(image):
        return image
    height, width = image.shape[:2]
    scale = min(1.0, _LIGHT_PX / max(height, width))
    small = cv2.resize(image, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    brush = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (_STROKES_PX, _STROKES_PX))
    paper = cv2.medianBlur(cv2.morphologyEx(small, cv2.MORPH_CLOSE, brush), 5).astype(np.float32)
    level = np.asarray(cv2.cvtColor(paper, cv2.COLOR_BGR2GRAY), np.float32)
    bright = float(np.percentile(level, 95))
    is_paper = _bare_paper(paper, level, _DARKEST * bright)
    if not is_paper.any():
        return image
    light = _carried(level, is_paper, bright)
    gain = cv2.resize(np.clip(_WHITE / np.maximum(light, 1), *_GAIN), (width, height), interpolation=cv2.INTER_LINEAR)
    return cast("Image", cv2.multiply(image, cv2.merge([gain] * 3), dtype=cv2.CV_8U))


def _by_mat(image: "Image", geometry: MatGeometry, place: Place, px_per_mm: float | None) -> Worksheet:
    height, width = image.shape[:2]
    homography = place.homography_for(width, height)
    scale = round(place.px_per_mm * width / place.size_px[0], 2) if px_per_mm is None else px_per_mm
    straight = rectified(image, homography, geometry, scale, AROUND_MM)
    outward = AROUND_MM * np.array([(-1, -1), (1, -1), (1, 1), (-1, 1)])
    return Worksheet(straight, scale, Origin.MAT, project(homography, geometry.corners_mm + outward), evened=False)


def _by_page(image: "Image") -> Worksheet | None:
    found = page(image)
    if found is None:
        return None
    try:
        straight, corners = straightened(image, found)
    except BadView:
        return None
    return Worksheet(straight, None, Origin.PAGE, corners, evened=False)


def _is_picture(image: "Image") -> bool:
    return image.ndim == 3 and image.shape[2] == 3 and image.dtype == np.uint8 and min(image.shape[:2]) > 1


def _warped(image: "Image", to_picture: Matrix, size: tuple[int, int]) -> "Image":
    """The picture through a homography from the result's pixels to its own, without letting fine lines flicker."""
    width, height = size
    grid = np.array([[(0, 0), (width, 0), (width, height), (0, height)]], np.float64)
    area_px = abs(cv2.contourArea(cv2.perspectiveTransform(grid, to_picture)[0].astype(np.float32)))
    if not np.isfinite(area_px):
        raise BadView("seen so flat, the desk's horizon is in the picture")
    # What gets smaller is drawn larger first and then averaged.
    most = max(1, int(np.sqrt(_MAX_DRAWN_PX / (width * height))))
    finer = int(np.clip(np.ceil(np.sqrt(area_px / (width * height)) - 0.25), 1, min(4, most)))
    shift = (finer - 1) / 2
    back = np.array([(1, 0, -shift), (0, 1, -shift), (0, 0, finer)]) / finer
    how = cv2.INTER_CUBIC | cv2.WARP_INVERSE_MAP
    large = cv2.warpPerspective(
        image, to_picture @ back, (width * finer, height * finer), flags=how, borderValue=_BEYOND
    )
    return cast("Image", large if finer == 1 else cv2.resize(large, size, interpolation=cv2.INTER_AREA))


def _upright(image: "Image", corners: Points, size: tuple[int, int]) -> "Image":
    return _warped(image, _to_picture(corners, size), size)


def _to_picture(corners: Points, size: tuple[int, int]) -> Matrix:
    width, height = size
    own = np.array([(0, 0), (width, 0), (width, height), (0, height)], np.float32) - np.float32(0.5)
    return np.asarray(cv2.getPerspectiveTransform(own, corners.astype(np.float32)), np.float64)


def _is_quad(corners: Points) -> bool:
    """Whether four corners go round an inside, clockwise."""
    if corners.shape != (4, 2) or not np.isfinite(corners).all():
        return False
    sides = np.roll(corners, -1, axis=0) - corners
    following = np.roll(sides, -1, axis=0)
    return bool((sides[:, 0] * following[:, 1] - sides[:, 1] * following[:, 0] > 1).all())


def _turn_of(corners: Points) -> int:
    """By how many corners to turn a page that lies on its side: so that its top gets nearer to the camera's own."""
    left, right = corners[0] + corners[3], corners[1] + corners[2]
    return 1 if left[1] <= right[1] else -1


def _size(corners: Points, ratio: float, longer_px: float | None = None) -> tuple[int, int]:
    """Width and height of the upright page: as fine as in the picture, unless its longer side is given."""
    sides = np.linalg.norm(np.roll(corners, -1, axis=0) - corners, axis=1)
    width = max(sides[0], sides[2], max(sides[1], sides[3]) / ratio)
    longest = width * max(1.0, ratio)
    width *= (longer_px or min(longest, _MAX_SIDE_PX)) / longest
    return max(2, round(width)), max(2, round(width * ratio))


def _height_over_width(corners: Points, width_px: int, height_px: int, *, snap: bool) -> float:
    """A page's shape from how it looks through a pinhole (Zhang and He 2007, equations 11 to 20)."""
    middle = np.array([(width_px - 1) / 2, (height_px - 1) / 2])
    upper_left, upper_right, lower_right, lower_left = np.column_stack([(corners - middle) / width_px, np.ones(4)])
    diagonal = np.cross(upper_left, lower_right)
    across = (diagonal @ lower_left) / (np.cross(upper_right, lower_right) @ lower_left) * upper_right - upper_left
    down = (diagonal @ upper_right) / (np.cross(lower_left, lower_right) @ upper_right) * lower_left - upper_left
    focal = _FOCAL
    if abs(across[2] * down[2]) > 1e-6:
        squared = -(across[:2] @ down[:2]) / (across[2] * down[2])
        focal = float(np.sqrt(squared)) if _FOCALS[0] ** 2 <= squared <= _FOCALS[1] ** 2 else _FOCAL
    scale = np.array([1 / focal, 1 / focal, 1])
    ratio = float(np.linalg.norm(down * scale) / np.linalg.norm(across * scale))
    if not snap:
        return ratio
    paper = min((shape**sign for shape in _PAPERS for sign in (1, -1)), key=lambda one: abs(np.log(one / ratio)))
    return paper if abs(np.log(paper / ratio)) <= _NEAR_PAPER else ratio


def _levelled(image: "Image", corners: Points, ratio: float) -> Points:
    """The page's corners moved so that its lines of print run level; nothing of it is cut off by that."""
    for _ in range(_LEVELLINGS):
        size = width, height = _size(corners, ratio, READ_PX)
        run = _lines(_upright(image, corners, size))
        if run.clear < CLEAR:
            break
        above, below = (float(np.tan(np.radians(run.slope_deg + side * run.fan_deg))) for side in (-0.5, 0.5))
        upper, lower = min(0.0, -above * width), max(float(height), height - below * width)
        own = np.array([(0, upper), (width, upper + above * width), (width, lower + below * width), (0, lower)]) - 0.5
        moved = cv2.perspectiveTransform(own[np.newaxis], _to_picture(corners, size))[0]
        if not _is_quad(moved):
            break
        corners = np.asarray(moved, np.float64)
    return corners


def _lines(image: "Image") -> Lines:
    grey = cast("Image", cv2.cvtColor(image, cv2.COLOR_BGR2GRAY))
    return lines(writing(grey), (image.shape[1], image.shape[0]))


def _bare_paper(paper: Levels, level: Levels, darkest: float) -> npt.NDArray[np.bool_]:
    """Where the paper is bare: of the colour of most of it, or of that which the light gives it farther on."""
    tint = np.asarray(cv2.GaussianBlur(paper / (level[..., np.newaxis] + 1), (0, 0), 3))
    usual = np.broadcast_to(np.median(tint[level >= np.median(level)], axis=0), tint.shape)
    bare = np.zeros(level.shape, np.uint8)
    for _ in range(_TINTS):
        bare = ((np.abs(tint - usual).max(axis=2) <= _TINT) & (level >= darkest)).astype(np.uint8)
        bare = np.asarray(cv2.morphologyEx(bare, cv2.MORPH_OPEN, np.ones((9, 9), np.uint8)), np.uint8)
        weight = bare[..., np.newaxis] + np.float32(1e-3)
        blurred = [np.asarray(cv2.GaussianBlur(one, (0, 0), _TINT_PX)) for one in (tint * weight, weight)]
        usual = blurred[0] / blurred[1][..., np.newaxis]
    return bare > 0


def _carried(level: Levels, is_paper: npt.NDArray[np.bool_], bright: float) -> Levels:
    """The light on paper, carried over what lies on it: from the nearest paper there is."""
    weight = is_paper.astype(np.float32)
    light = np.full_like(level, bright)
    for reach in reversed(_NEARBY_PX):
        near = cv2.GaussianBlur(weight, (0, 0), reach)
        mean = cv2.GaussianBlur(level * weight, (0, 0), reach) / np.maximum(near, 1e-6)
        share = np.clip(near * 4, 0, 1)
        light = np.asarray(share * mean + (1 - share) * light, np.float32)
    return light
