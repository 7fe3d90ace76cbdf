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
MIN_SIZE_PX: Final = (32, 24)
"""A picture that is narrower or lower gives no tile a single pixel at a quarter of its size."""
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
    structured: float
    """Share of tiles that show something: an edge, or clipped light."""
    detail: float
    """Levels, root mean square of the coarse picture's Laplacian, noise taken off."""
    sharpness: float
    """Fine detail over coarse; the same in dim light, and for a page as for a face."""
    noise: float
    """Levels, standard deviation; print counts as some."""
    glare: float
    """Share in the largest clipped patch."""
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
        structured=_structured(_tiles(level), _tiles(coarse), coarse_noise),
        detail=detail**0.5,
        sharpness=(sharp / detail) ** 0.5 if detail else 0.0,
        noise=noise**0.5,
        glare=_largest_patch(grey),
        difference=difference,
        still_since_ns=since_ns,
        still=still,
    )


def _energies(grey: "Image", level: Plane) -> tuple[float, Plane, float]:
    """Mean energy of the fine Laplacian, the coarse one's pixel by pixel, and the noise's variance."""
    height, width = grey.shape
    small = cv2.resize(level, (width // COARSE, height // COARSE), interpolation=cv2.INTER_AREA)
    coarse = np.square(cv2.Laplacian(small, cv2.CV_32F))
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


def _largest_patch(grey: "Image") -> float:
    clipped = cv2.threshold(grey, TABLE.white - 1, 1, cv2.THRESH_BINARY)[1]
    if not cv2.countNonZero(clipped):
        return 0.0
    gap = np.ones((TABLE.glare_gap, TABLE.glare_gap), np.uint8)
    whole = cv2.morphologyEx(clipped, cv2.MORPH_OPEN, gap)
    _, _, patches, _ = cv2.connectedComponentsWithStats(whole)
    return float(patches[1:, cv2.CC_STAT_AREA].max(initial=0)) / grey.size


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
