"""How sharp the desk is, measured where its truth is known: at the edges of the mat's printed markers. Pure."""

from typing import TYPE_CHECKING, Final, TypeAlias

import cv2
import numpy as np
import numpy.typing as npt

from device.vision.mat import MatGeometry, Matrix, project

if TYPE_CHECKING:
    from device.cameras.source import Image

Samples: TypeAlias = npt.NDArray[np.float64]

_REACH_MM: Final = 3.0
"""To either side of an edge: half a module, so that neither white nor the next square is left."""
_STEPS: Final = 97
"""Samples of one crossing: four to a pixel at 4 pixels to the millimetre."""
_ALONG: Final = np.linspace(0.2, 0.8, 13)
"""Where a side is crossed, as shares of it; its ends belong to the next side."""
_CONTRAST: Final = 30.0
"""Grey levels between ink and paper without which an edge tells nothing: ten deviations of a dim picture's noise."""
_NEEDED: Final = 13
"""Crossings: one side of one marker."""


def edge_width_mm(grey: "Image", homography: Matrix, geometry: MatGeometry) -> float | None:
    """How wide the edges of the markers are in a picture, as the mat's own millimetres.

    The width is contrast over steepest slope, 2.5 deviations of the blur. Half of the edges are narrower, so that an
    arm over one marker tells nothing.

    Args:
        grey: `(height, width) uint8`, in full size.
        homography: the mat's millimetres to its pixels.
        geometry: the mat.

    Returns:
        None where too few edges are seen.
    """
    start = np.vstack(list(geometry.markers_mm.values()))
    along = np.vstack([np.roll(corners, -1, axis=0) for corners in geometry.markers_mm.values()]) - start
    # Clockwise, with y down: a marker's white lies to the left of its sides.
    outward = np.column_stack([along[:, 1], -along[:, 0]]) / np.linalg.norm(along, axis=1, keepdims=True)
    off_mm = np.linspace(-_REACH_MM, _REACH_MM, _STEPS)
    crossed = (start[:, np.newaxis] + along[:, np.newaxis] * _ALONG[:, np.newaxis]).reshape(-1, 1, 2)
    points_mm = crossed + np.repeat(outward, len(_ALONG), axis=0)[:, np.newaxis] * off_mm[:, np.newaxis]
    px = project(homography, points_mm.reshape(-1, 2)).reshape(*points_mm.shape[:2], 2)
    height, width = grey.shape
    px = px[((px >= 0) & (px <= np.array([width - 1, height - 1]))).all(axis=(1, 2))]
    if len(px) < _NEEDED:
        return None
    across, down = (np.ascontiguousarray(px[..., axis], np.float32) for axis in (0, 1))
    rows = cv2.remap(grey, across, down, cv2.INTER_LINEAR).astype(np.float64)
    return _width_mm(rows, off_mm, np.linalg.norm(px[:, -1] - px[:, 0], axis=1) / (2 * _REACH_MM))


def _width_mm(rows: Samples, off_mm: Samples, px_per_mm: Samples) -> float | None:
    """The middle width of some crossings, from ink to white, each contrast over steepest slope."""
    third = rows.shape[1] // 3
    contrast = np.median(rows[:, -third:], axis=1) - np.median(rows[:, :third], axis=1)
    # Over a pixel or so: between two pixels there is nothing but a straight line, and less is noise.
    step = int(np.clip(round(_STEPS / (2 * _REACH_MM * float(np.median(px_per_mm)))), 1, third))
    slope = ((rows[:, step:] - rows[:, :-step]) / (off_mm[step] - off_mm[0])).max(axis=1)
    widths = contrast[contrast >= _CONTRAST] / slope[contrast >= _CONTRAST]
    return float(np.median(widths)) if len(widths) >= _NEEDED else None
