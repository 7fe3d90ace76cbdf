"""What a small grey picture measures: brightness, detail, noise, clipping, and whether it changed. Pure."""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, TypeAlias, cast

import cv2
import numpy as np
import numpy.typing as npt

from device.vision.thresholds import TABLE

if TYPE_CHECKING:
    from device.cameras.source import Image

Plane: TypeAlias = npt.NDArray[np.float32]

TILES: Final = (8, 6)
"""Columns and rows."""
MIN_SIZE_PX: Final = (40, 32)
"""In a narrower or lower picture a tile would have no pixel of its own at a quarter of its size, the rim left out."""
COARSE: Final = 4
"""How much smaller the coarse picture is: two octaves."""

_LAPLACIAN_GAIN: Final = 20.0
"""Energy that white noise of one level leaves in OpenCV's Laplacian: 4 * 1 + 4 * 4."""
_RELIEF_SOFT_PX: Final = (3, 3)
_RELIEF_AROUND_PX: Final = (9, 9)
"""Of the coarse picture: a ninth of its width, the size of a hand, a face or a paragraph."""
_SWAY_PX: Final = 4
"""Of the coarse picture, half of what counts as moved."""
_EVEN: Final = 1e-3
"""Deviation of a relief that has none: rounding alone makes a hundred times as much."""
_NOISE_KERNEL: Final = np.array([[1, -2, 1], [-2, 4, -2], [1, -2, 1]], np.float32)
_NOISE_GAIN: Final = 36.0
"""Immerkaer 1996: the difference of two Laplacians, blind to edges and slopes; the sum of its squares."""


@dataclass(frozen=True, slots=True, eq=False)
class Statistics:
    """What one picture measures; levels are 0 to 255, shares 0 to 1."""

    captured_ns: int
    """CLOCK_MONOTONIC."""
    mean: float
    p05: float
    p80: float
    """Four fifths of the pixels are at or under this level."""
    p90: float
    p95: float
    black: float
    """Share at or under the black threshold."""
    white: float
    """Share at or over the white threshold."""
    tiles: Plane = field(repr=False)
    """`(6, 8)`, the mean level of each tile."""
    structured: float
    """Share of tiles that show something, of those that are not clipped: clipped light says neither."""
    relief: Plane = field(repr=False)
    """`(height / 4, width / 4)`, how each spot stands out from what is around it; the same in dim light and out of
    focus."""
    fine: float
    """Contrast of the finest lines: the Laplacian's root mean square, noise taken off, over the mean level."""
    detail: float
    """Levels, root mean square of the coarse picture's Laplacian, noise taken off."""
    sharpness: float
    """Fine detail over coarse; the same in dim light, and for a page as for a face."""
    noise: float
    """Levels, standard deviation; print counts as some."""
    glare: float
    """Share in the largest clipped patch that is a lamp's image; 0 when none is large enough to matter."""
    difference: float | None
    """Levels, mean, from the picture since which nothing changed; None for the first."""
    still_since_ns: int
    """When that picture was taken."""
    still: "Image" = field(repr=False)
    """That picture."""

    @property
    def still_s(self) -> float:
        """For how long nothing changed, not even noise."""
        return (self.captured_ns - self.still_since_ns) / 1e9


def is_usable(grey: "Image") -> bool:
    """Whether this is a picture that can be measured: two axes, `uint8`, and not tiny."""
    return (
        grey.ndim == len(MIN_SIZE_PX)
        and grey.dtype == np.uint8
        and grey.shape[1] >= MIN_SIZE_PX[0]
        and grey.shape[0] >= MIN_SIZE_PX[1]
    )


def measure(grey: "Image", captured_ns: int, previous: Statistics | None = None) -> Statistics:
    """Measure a picture.

    Args:
        grey: `(height, width) uint8`, about 320 wide, made smaller by averaging; see `is_usable`. Nobody may write to
            it afterwards.
        captured_ns: CLOCK_MONOTONIC.
        previous: of the look before, which says since when nothing changed.
    """
    level = grey.astype(np.float32)
    upto = np.cumsum(cv2.calcHist([grey], [0], None, [256], [0, 256])).astype(np.float64) / grey.size
    small = _small(level)
    fine, coarse, noise = _energies(grey, small)
    tiles = _tiles(level)
    coarse_noise = _LAPLACIAN_GAIN * noise / COARSE**2
    detail = max(0.0, float(coarse.mean()) - coarse_noise)
    sharp = max(0.0, fine - _LAPLACIAN_GAIN * noise)
    difference, since_ns, still = _change(grey, captured_ns, previous)
    mean, p80 = float(level.mean()), _percentile(upto, 0.80)
    return Statistics(
        captured_ns=captured_ns,
        mean=mean,
        p05=_percentile(upto, 0.05),
        p80=p80,
        p90=_percentile(upto, 0.90),
        p95=_percentile(upto, 0.95),
        black=float(upto[TABLE.black]),
        white=max(0.0, 1.0 - float(upto[TABLE.white - 1])),
        tiles=tiles,
        structured=_structured(tiles, _tiles(coarse), coarse_noise),
        relief=_relief(small, brightest=TABLE.dark if p80 < TABLE.dark else 255.0),
        fine=sharp**0.5 / max(1.0, mean),
        detail=detail**0.5,
        sharpness=(sharp / detail) ** 0.5 if detail else 0.0,
        noise=noise**0.5,
        glare=_largest_glare(grey),
        difference=difference,
        still_since_ns=since_ns,
        still=still,
    )


def likeness(one: Plane, other: Plane) -> float | None:
    """How much of one relief is in another, displaced by a twentieth of the width at most: a mount sways that far.

    Returns:
        The best correlation, 1 for the same; None for pictures of two sizes.
    """
    if one.shape != other.shape:
        return None
    reach = min(_SWAY_PX, min(other.shape) // 4)
    middle = np.ascontiguousarray(other[reach:-reach, reach:-reach])
    if min(one.std(), middle.std()) < _EVEN:
        return 0.0  # where there is nothing, OpenCV finds it everywhere
    best = float(cv2.matchTemplate(one, middle, cv2.TM_CCOEFF_NORMED).max())
    return best if np.isfinite(best) else 0.0


def _small(level: Plane) -> Plane:
    height, width = level.shape
    return cast("Plane", cv2.resize(level, (width // COARSE, height // COARSE), interpolation=cv2.INTER_AREA))


def _relief(small: Plane, brightest: float) -> Plane:
    """Soft enough for a lens out of focus to leave it, and over its own strength, so that one bright edge is not all.

    What is brighter is left out: a gap beside a cover, or a screen in a dark room, says nothing of the rest.
    """
    soft = cv2.blur(small, _RELIEF_SOFT_PX)
    relief = soft - cv2.blur(soft, _RELIEF_AROUND_PX)
    strength = cv2.sqrt(cv2.blur(relief * relief, _RELIEF_AROUND_PX))
    relief[soft > brightest] = 0
    return cast("Plane", relief / (strength + 1.0))  # one grey level: less is rounding


def _energies(grey: "Image", small: Plane) -> tuple[float, Plane, float]:
    """Mean energy of the fine Laplacian, the coarse one's pixel by pixel, and the noise's variance."""
    # At the rim the Laplacian takes a slope for an edge; a hand on the lens has slopes and nothing else.
    coarse = np.square(cv2.Laplacian(small, cv2.CV_32F)[1:-1, 1:-1])
    fine = _mean_square(cv2.Laplacian(grey, cv2.CV_16S))
    noise = _mean_square(cv2.filter2D(grey, cv2.CV_16S, _NOISE_KERNEL)) / _NOISE_GAIN
    return fine, cast("Plane", coarse), noise


def _mean_square(response: "cv2.typing.MatLike") -> float:
    mean, deviation = cv2.meanStdDev(response)  # ten times as fast as numpy, and exact on 16 bits
    return float(mean[0, 0] ** 2 + deviation[0, 0] ** 2)


def _structured(means: Plane, energies: Plane, noise: float) -> float:
    """Share of tiles with more contrast than noise makes, of those not clipped; 1 where too few are left to tell."""
    needed = np.maximum(TABLE.structure_floor, TABLE.structure * means)
    shows = energies > np.square(needed) + TABLE.structure_noise * noise
    open_tiles = means < TABLE.white
    if open_tiles.mean() < TABLE.covered_tells:
        return 1.0
    return float(np.mean(shows[open_tiles]))


def _largest_glare(grey: "Image") -> float:
    """Share in the largest clipped patch of a lamp's light; white paper ends sharply, or is as bright beyond."""
    clipped = cv2.threshold(grey, TABLE.white - 1, 1, cv2.THRESH_BINARY)[1]
    if cv2.countNonZero(clipped) <= TABLE.glare * grey.size:
        return 0.0
    whole = cv2.morphologyEx(clipped, cv2.MORPH_OPEN, _square(TABLE.glare_gap_px))
    _, labels, patches, _ = cv2.connectedComponentsWithStats(whole)
    areas = patches[:, cv2.CC_STAT_AREA] / grey.size
    large = [label for label in range(1, len(areas)) if areas[label] > TABLE.glare]
    return max((float(areas[label]) for label in large if _is_lamp(grey, labels == label)), default=0.0)


def _is_lamp(grey: "Image", patch: npt.NDArray[np.bool_]) -> bool:
    """Whether a clipped patch fades out: a long way on what is dark, a shorter one on what is bright itself.

    Where most around it is as good as clipped too, paper lies in a little too much light, and shows its print.
    """
    rings = [_around(grey, patch, reach) for reach in (TABLE.glare_near_px, TABLE.glare_far_px)]
    near, far = (float(ring.mean()) if ring.size else 0.0 for ring in rings)
    if rings[1].size and np.median(rings[1]) > TABLE.glare_slow:
        return False
    fades = (near - far) / max(1.0, 255 - far)
    return fades > (TABLE.glare_fades_on_paper if near > TABLE.glare_paper else TABLE.glare_fades)


def _around(grey: "Image", patch: npt.NDArray[np.bool_], reach_px: tuple[int, int]) -> "Image":
    """The levels from so far to so far outside a patch."""
    inner, outer = (cv2.dilate(patch.astype(np.uint8), _square(2 * reach + 1)) for reach in reach_px)
    return grey[outer > inner]


def _square(side_px: int) -> "Image":
    return np.ones((side_px, side_px), np.uint8)


def _change(grey: "Image", captured_ns: int, previous: Statistics | None) -> tuple[float | None, int, "Image"]:
    """How far the picture is from the one since which nothing changed, when that was, and that picture.

    Not from the look before: what changes little by little would never count as change.
    """
    if previous is None or previous.still.shape != grey.shape:
        return None, captured_ns, grey
    difference = cv2.norm(grey, previous.still, cv2.NORM_L1) / grey.size
    if difference < TABLE.frozen:
        return difference, previous.still_since_ns, previous.still
    return difference, captured_ns, grey


def _tiles(plane: Plane) -> Plane:
    return cast("Plane", cv2.resize(plane, TILES, interpolation=cv2.INTER_AREA))


def _percentile(upto: npt.NDArray[np.float64], share: float) -> float:
    return float(np.searchsorted(upto, share))
