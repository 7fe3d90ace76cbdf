"""A camera's reference as text, so that it outlives the worker that learned it: plain JSON, no pictures.

What is kept of a desk are up to 400 corner points with 32 bytes each, how light and dark lie in 48 tiles, and where the
mat lay: nothing of it can be turned back into a picture that shows anyone. A relief could, so it stays in the memory of
the worker, which makes one of its own within seconds.
"""

import base64
import binascii
from collections.abc import Mapping
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from device.vision.pose import Landmarks
from device.vision.reference import Reference
from device.vision.statistics import TILES
from device.vision.thresholds import VERSION

_MOST_LANDMARKS: Final = 2_000
_FAR: Final = 1e9
"""Nothing that is measured in a picture comes near; and 32 bits hold it."""
_LOOK_BYTES: Final = 32


class BadReference(ValueError):
    """What was stored is no reference of this release; the text says why."""


def to_plain(reference: Reference) -> dict[str, Any]:
    """The reference as JSON allows it, about 20 kB."""
    marks = reference.landmarks
    return {
        "version": VERSION,
        "sharpness": reference.sharpness,
        "tiles": None if reference.tiles is None else np.asarray(reference.tiles).round(1).tolist(),
        "landmarks": None
        if marks is None
        else {"size": list(marks.size), "points": _text(marks.points), "looks": _text(marks.looks)},
        "mat": None if reference.mat is None else reference.mat.round(5).tolist(),
    }


def from_plain(plain: Mapping[str, Any]) -> Reference:
    """The reference that `to_plain` made.

    Raises:
        BadReference: it is none.
    """
    try:
        tiles, marks, mat = plain["tiles"], plain["landmarks"], plain["mat"]
        return Reference(
            sharpness=_finite(np.array(plain["sharpness"], np.float64), ()).item(),
            tiles=None if tiles is None else _finite(np.array(tiles, np.float64), TILES[::-1]).astype(np.float32),
            landmarks=None if marks is None else _landmarks(marks),
            mat=None if mat is None else _finite(np.array(mat, np.float64), (4, 2)),
        )
    except (KeyError, TypeError, ValueError, OverflowError, binascii.Error) as error:
        raise BadReference(f"not a camera's reference: {error}") from error


def _landmarks(plain: Mapping[str, Any]) -> Landmarks:
    width, height = (int(side) for side in plain["size"])
    points = np.frombuffer(base64.b64decode(plain["points"], validate=True), np.float32).reshape(-1, 2)
    looks = np.frombuffer(base64.b64decode(plain["looks"], validate=True), np.uint8).reshape(-1, _LOOK_BYTES)
    if len(points) != len(looks) or len(points) > _MOST_LANDMARKS:
        raise ValueError(f"{len(points)} points with {len(looks)} looks")
    return Landmarks((width, height), _finite(points.astype(np.float64), points.shape).astype(np.float32), looks)


def _finite(numbers: npt.NDArray[np.float64], shape: tuple[int, ...]) -> npt.NDArray[np.float64]:
    if numbers.shape != shape or not (np.abs(numbers) < _FAR).all():
        raise ValueError(f"finite numbers of the shape {shape} were expected, not {numbers.shape}")
    return numbers


def _text(numbers: npt.NDArray[Any]) -> str:
    return base64.b64encode(np.ascontiguousarray(numbers).tobytes()).decode()
