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
    p95: float
    black: float
    """Share at or under the black threshold."""
    white: float
    """Share at or over the white threshold."""
    tiles: Plane = field(repr=False)
    """`(6, 8)`, the mean level of each tile."""
    structured: float
    """Share of tiles that show something: an edge, or clipped light."""
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
    fine, coarse, noise = _energies(grey, level)
    tiles = _tiles(level)
    coarse_noise = _LAPLACIAN_GAIN * noise / COARSE**2
    detail = max(0.0, float(coarse.mean()) - coarse_noise)
    sharp = max(0.0, fine - _LAPLACIAN_GAIN * noise)
    difference, since_ns, still = _change(grey, captured_ns, previous)
    return Statistics(
        captured_ns=captured_ns,
        mean=float(level.mean()),
        p05=_percentile(upto, 0.05),
        p80=_percentile(upto, 0.80),
        p95=_percentile(upto, 0.95),
        black=float(upto[TABLE.black]),
        white=max(0.0, 1.0 - float(upto[TABLE.white - 1])),
        tiles=tiles,
        structured=_structured(tiles, _tiles(coarse), coarse_noise),
        detail=detail**0.5,
        sharpness=(sharp / detail) ** 0.5 if detail else 0.0,
        noise=noise**0.5,
        glare=_largest_glare(grey),
        difference=difference,
        still_since_ns=since_ns,
        still=still,
    )


def _energies(grey: "Image", level: Plane) -> tuple[float, Plane, float]:
    """Mean energy of the fine Laplacian, the coarse one's pixel by pixel, and the noise's variance."""
    height, width = grey.shape
    small = cv2.resize(level, (width // COARSE, height // COARSE), interpolation=cv2.INTER_AREA)
    # At the rim the Laplacian takes a slope for an edge; a hand on the lens has slopes and nothing else.
    coarse = np.square(cv2.Laplacian(small, cv2.CV_32F)[1:-1, 1:-1])
    fine = _mean_square(cv2.Laplacian(grey, cv2.CV_16S))
    noise = _mean_square(cv2.filter2D(grey, cv2.CV_16S, _NOISE_KERNEL)) / _NOISE_GAIN
    return fine, cast("Plane", coarse), noise


def _mean_square(response: cv2.typing.MatLike) -> float:
    mean, deviation = cv2.meanStdDev(response)  # ten times as fast as numpy, and exact on 16 bits
    return float(mean[0, 0] ** 2 + deviation[0, 0] ** 2)


def _structured(means: Plane, energies: Plane, noise: float) -> float:
    """Share of tiles with more contrast than noise makes, or clipped: light from outside is no cover."""
    needed = np.maximum(TABLE.structure_floor, TABLE.structure * means)
    shows = energies > np.square(needed) + TABLE.structure_noise * noise
    return float(np.mean(shows | (means >= TABLE.white)))


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
    """Whether a clipped patch fades out: a long way on what is dark, a shorter one on what is bright itself."""
    near, far = (_mean_around(grey, patch, reach) for reach in (TABLE.glare_near_px, TABLE.glare_far_px))
    fades = (near - far) / max(1.0, 255 - far)
    return fades > (TABLE.glare_fades_on_paper if near > TABLE.glare_paper else TABLE.glare_fades)


def _mean_around(grey: "Image", patch: npt.NDArray[np.bool_], reach_px: tuple[int, int]) -> float:
    """The mean level from so far to so far outside a patch; 0 where there is nothing outside."""
    inner, outer = (cv2.dilate(patch.astype(np.uint8), _square(2 * reach + 1)) for reach in reach_px)
    return float(cv2.mean(grey, outer - inner)[0])


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
