"""Where the scene lies in an overhead picture, against another one: by landmarks, so that hands and pages may move.

Landmarks are ORB's (Rublee 2011): corners that are known again turned, shifted and in other light. One pose for the
whole picture is what most of them agree on (RANSAC), and it is the camera's only if nothing else speaks against it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, TypeAlias

import cv2
import numpy as np
import numpy.typing as npt

from device.vision.thresholds import TABLE

if TYPE_CHECKING:
    from device.cameras.source import Image

Corners: TypeAlias = npt.NDArray[np.float64]
"""`(4, 2)`, the mat's corners, clockwise from its own upper left, both axes in shares of the picture's width."""

_LANDMARKS: Final = 400
_PATCH_PX: Final = 24
_EDGE_PX: Final = 12
_CORNER_LEVELS: Final = 7
"""How much a corner has to stand out: low enough for print on a dim page."""
_AGREE_PX: Final = 3.0
"""A hundredth of the width: landmarks that agree on a pose agree to this ..."""
_REST_PX: Final = 1.5
"""... and those at rest move less: round the middle of a turn few do."""
_SPREAD: Final = 0.1
"""How much of the picture the landmarks that agree have to span: the view has moved, not one thing in it."""
_MOST: Final = (5, 95)
"""The span is that between these percentiles: one stray landmark widens nothing."""
_SCALES: Final = (0.8, 1.25)


@dataclass(frozen=True, slots=True, eq=False)
class Landmarks:
    """What can be known again in a picture."""

    size: tuple[int, int]
    """Width and height, pixels."""
    points: npt.NDArray[np.float32]
    """`(n, 2)`, pixels."""
    looks: npt.NDArray[np.uint8]
    """`(n, 32)`, what each looks like."""


@dataclass(frozen=True, slots=True)
class Pose:
    """How the scene lies against where it lay."""

    right: float
    """How far the picture's middle went, in shares of the width ..."""
    down: float
    """... of the width too."""
    turn_deg: float
    """Degrees, clockwise as seen."""


AT_REST: Final = Pose(0.0, 0.0, 0.0)


def landmarks(grey: "Image") -> Landmarks:
    """Find the landmarks of a picture, `(height, width) uint8`, about 320 wide."""
    finder = cv2.ORB.create(
        nfeatures=_LANDMARKS, edgeThreshold=_EDGE_PX, patchSize=_PATCH_PX, fastThreshold=_CORNER_LEVELS
    )
    found, looks = finder.detectAndCompute(grey, None)
    size = grey.shape[1], grey.shape[0]
    points = np.array([one.pt for one in found], np.float32).reshape(-1, 2)
    return Landmarks(size, points, np.zeros((0, 32), np.uint8) if looks is None else looks.astype(np.uint8))


def pose(before: Landmarks, now: Landmarks) -> Pose | None:
    """How the camera's view moved; None where the landmarks do not say, as when arms hide the desk."""
    if before.size != now.size or min(len(before.points), len(now.points)) < TABLE.agreeing:
        return None
    pairs = cv2.BFMatcher(cv2.NORM_HAMMING, crossCheck=True).match(before.looks, now.looks)
    if len(pairs) < TABLE.agreeing:
        return None
    was = before.points[[pair.queryIdx for pair in pairs]]
    came = now.points[[pair.trainIdx for pair in pairs]]
    matrix, agrees = cv2.estimateAffinePartial2D(was, came, ransacReprojThreshold=_AGREE_PX)
    if matrix is None or not _is_possible(matrix):
        return None
    agreeing = was[agrees.ravel() > 0]
    if len(agreeing) < TABLE.agreeing:
        return None
    at_rest = np.count_nonzero(np.linalg.norm(came - was, axis=1) < _REST_PX)
    if at_rest > TABLE.rest * len(agreeing):
        return AT_REST
    return _pose(matrix, before.size) if _spread(agreeing, before.size) >= _SPREAD else None


def mat_pose(before: Corners, now: Corners) -> Pose:
    """How the mat lies against where it lay, which tells more than any landmark: sheets come and go, the mat stays."""
    was, came = (corners @ np.array([1, 1j]) for corners in (before, now))
    shift = came.mean() - was.mean()
    # The turn that brings the one onto the other with the least squares.
    turn = np.vdot(was - was.mean(), came - came.mean())
    return Pose(float(shift.real), float(shift.imag), float(np.degrees(np.angle(turn))))


def distance(one: Pose, other: Pose = AT_REST) -> float:
    """How far two poses are apart: 1 is the whole limit of shift, or of turn, or a good part of both."""
    shift = np.hypot(one.right - other.right, one.down - other.down) / TABLE.shift
    return float(np.hypot(shift, (one.turn_deg - other.turn_deg) / TABLE.turn_deg))


def median(poses: Sequence[Pose]) -> Pose:
    """The middle of several poses, each measure by itself."""
    rows = np.array([(one.right, one.down, one.turn_deg) for one in poses])
    right, down, turn_deg = np.median(rows, axis=0).tolist()
    return Pose(right, down, turn_deg)


def most_central(views: Sequence[Landmarks]) -> Landmarks | None:
    """Of several views that of the middle pose, so that one that sways is known by its rest; None if they disagree."""
    poses = [pose(views[0], view) for view in views]
    known = [(one, view) for one, view in zip(poses, views, strict=True) if one is not None]
    if 2 * len(known) <= len(views):
        return None
    middle = median([one for one, _ in known])
    return min(known, key=lambda pair: distance(pair[0], middle))[1]


def _is_possible(matrix: "cv2.typing.MatLike") -> bool:
    """Whether the camera may have moved so: it stays about as far from the desk as it was."""
    scale = float(np.hypot(matrix[0, 0], matrix[1, 0]))
    return _SCALES[0] <= scale <= _SCALES[1]


def _pose(matrix: "cv2.typing.MatLike", size: tuple[int, int]) -> Pose:
    middle = np.array(size) / 2
    right, down = (matrix[:, :2] @ middle + matrix[:, 2] - middle) / size[0]
    return Pose(float(right), float(down), float(np.degrees(np.arctan2(matrix[1, 0], matrix[0, 0]))))


def _spread(points: npt.NDArray[np.float32], size: tuple[int, int]) -> float:
    low, high = np.percentile(points / np.array(size), _MOST, axis=0)
    return float(np.prod(high - low))
