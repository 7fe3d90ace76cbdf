"""A pinhole camera over the desk mat: where it would show each millimetre, exactly."""

from typing import Final

import cv2
import numpy as np

from device.vision.mat import MatGeometry, Matrix, Points, project

_FOCAL: Final = 1.1
"""Of the width: a lens that sees 49 degrees."""
_STEP_MM: Final = 0.1


def homography(
    mat: MatGeometry,
    size: tuple[int, int],
    *,
    tilt_deg: float,
    toward_deg: float,
    turn_deg: float,
    across: float,
    away: tuple[float, float] = (0.0, 0.0),
) -> Matrix:
    """Millimetres of the mat to pixels, `(3, 3)`.

    Args:
        mat: the mat.
        size: width and height of the picture, pixels.
        tilt_deg: how far off straight above the camera looks.
        toward_deg: in which direction it is tilted.
        turn_deg: of the mat in the picture, clockwise as seen.
        across: how much of the picture's width the mat takes.
        away: by how many of its widths the mat lies off the middle.
    """
    width, height = size
    focal, toward = _FOCAL * width, _turn(2, toward_deg)
    pose = _turn(2, turn_deg) @ toward @ _turn(0, tilt_deg) @ toward.T
    place = np.array([away[0] * mat.width_mm, away[1] * mat.width_mm, focal * mat.width_mm / (across * width)])
    lens = np.array([(focal, 0, (width - 1) / 2), (0, focal, (height - 1) / 2), (0, 0, 1)])
    centred = np.array([(1, 0, -mat.width_mm / 2), (0, 1, -mat.height_mm / 2), (0, 0, 1)])
    found = lens @ np.column_stack([pose[:, 0], pose[:, 1], place]) @ centred
    return np.asarray(found / found[2, 2])


def px_per_mm(mat: MatGeometry, view: Matrix) -> float:
    """At the mat's middle, along the axis that has fewer; by going a tenth of a millimetre each way."""
    steps_mm = np.array([(0, 0), (_STEP_MM, 0), (0, _STEP_MM)])
    ends: Points = project(view, mat.corners_mm.mean(axis=0) + steps_mm)
    return float(np.linalg.norm(ends[1:] - ends[0], axis=1).min()) / _STEP_MM


def _turn(axis: int, degrees: float) -> Matrix:
    """A rotation about one axis."""
    turned = np.zeros(3)
    turned[axis] = np.radians(degrees)
    return np.asarray(cv2.Rodrigues(turned)[0])
