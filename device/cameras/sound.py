"""Whether what a source hands over is a frame at all: the one place where nonsense from a driver is refused."""

import time
from typing import Final

import numpy as np

from device.cameras.errors import SourceFailed
from device.cameras.pixels import size
from device.cameras.source import CameraSpec, Frame, Layout

_OLDEST_S: Final = 10.0
_AHEAD_S: Final = 1.0
"""How far a stamp may be from now: further off it is no CLOCK_MONOTONIC, and would make an old picture look fresh."""


def require_sound(frame: Frame, spec: CameraSpec, now_ns: int | None = None) -> None:
    """Refuse what is no frame of this camera.

    Args:
        frame: from a source.
        spec: what the source was asked for.
        now_ns: CLOCK_MONOTONIC; read where it is not given.

    Raises:
        SourceFailed: it has another size, another form, or a stamp that cannot be; the text says which.
    """
    image, stamp = frame.image, frame.captured_ns
    if not isinstance(image, np.ndarray) or image.dtype != np.uint8:
        kind = image.dtype if isinstance(image, np.ndarray) else type(image).__name__
        raise _refused(spec, f"a picture of {kind} where bytes (uint8) were due")
    is_shaped = image.ndim == 3 and image.shape[2] == 3 if frame.layout is Layout.BGR else image.ndim == 2
    if not is_shaped:
        raise _refused(spec, f"a picture of shape {image.shape}, which {frame.layout} has not")
    if size(frame) != (spec.width, spec.height):
        wide, high = size(frame)
        raise _refused(spec, f"a picture of {wide}x{high} pixels where {spec.width}x{spec.height} were due")
    if not isinstance(stamp, int):
        raise _refused(spec, f"a time of {stamp!r} where nanoseconds were due")
    age_s = ((time.monotonic_ns() if now_ns is None else now_ns) - stamp) / 1e9
    if not -_AHEAD_S <= age_s <= _OLDEST_S:
        raise _refused(spec, f"a picture {abs(age_s):.0f} s {'old' if age_s > 0 else 'ahead of time'}")


def _refused(spec: CameraSpec, what: str) -> SourceFailed:
    return SourceFailed(f"{spec.uri}: the camera gave {what}; it is opened anew")
