"""What becomes of a picture that libcamera hands over: its planes, its stamp, and whether it came too soon."""

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from device.cameras.errors import SourceFailed
from device.cameras.fit import crop_to_fill
from device.cameras.source import Layout

if TYPE_CHECKING:
    from device.cameras.source import Image

FORMS: Final = {"YUV420": Layout.I420, "NV12": Layout.NV12}
"""libcamera's names of the pixel formats that can be used as they are."""

_BELIEVED_NS: Final = 2_000_000_000
_HASTE: Final = 1.5
_HASTE_FRAMES: Final = 10


@dataclass(frozen=True, slots=True)
class Stream:
    """How the pictures of one stream lie in their buffers."""

    width: int
    height: int
    stride: int
    """Bytes from one row of luminance to the next: hardware likes rows longer than the picture is wide."""
    form: str
    """A key of `FORMS`."""

    @classmethod
    def of(cls, configured: Mapping[str, Any]) -> "Stream":
        """The stream that picamera2's configuration tells of."""
        width, height = configured["size"]
        return cls(width, height, configured["stride"], configured["format"])

    def rows(self, buffer: "Image") -> "Image":
        """The rows of a buffer, `(height * 3 / 2, stride) uint8`, the same memory.

        Raises:
            SourceFailed: the buffer is too small to hold a picture.
        """
        rows = self.height * 3 // 2
        if buffer.size < rows * self.stride or self.stride < self.width:
            raise SourceFailed(f"a picture of {self.width}x{self.height} {self.form} came as {buffer.size} bytes")
        # A buffer of whole pages has bytes to spare at its end.
        return buffer[: rows * self.stride].reshape(rows, self.stride)

    def luma(self, buffer: "Image") -> "Image":
        """The luminance in a buffer, `(height, width) uint8`, the same memory."""
        return self.rows(buffer)[: self.height, : self.width]


def picture(buffer: "Image", stream: Stream, width: int, height: int) -> "Image":
    """Make a picture of the wanted size out of a buffer.

    Args:
        buffer: `(any size,) uint8`; where nothing has to be changed it becomes the picture.
        stream: what lies in it.
        width: pixels wanted, even.
        height: pixels wanted, even.

    Returns:
        `(height * 3 / 2, width) uint8`, contiguous and read-only, without distortion, laid out as `FORMS[stream.form]`.

    Raises:
        SourceFailed: the buffer is too small to hold a picture.
    """
    rows = stream.rows(buffer)
    if (stream.width, stream.height, stream.stride) == (width, height, width):
        image = rows
    else:
        luma, *chroma = _planes(rows, stream)
        fitted = [crop_to_fill(luma, width, height)]
        fitted += [crop_to_fill(plane, width // 2, height // 2) for plane in chroma]
        image = np.concatenate([plane.ravel() for plane in fitted]).reshape(height * 3 // 2, width)
    image.flags.writeable = False
    return image


def _planes(rows: "Image", stream: Stream) -> "list[Image]":
    """The planes of a picture, their padding cut off: luminance, then the chroma as the layout has it."""
    width, height = stream.width, stream.height
    luma, chroma = rows[:height, :width], rows[height:]
    if FORMS[stream.form] is Layout.NV12:
        return [luma, chroma[:, :width].reshape(height // 2, width // 2, 2)]
    # Each row of the buffer holds two rows of a chroma plane, each with half of the padding.
    both = chroma.reshape(height, stream.stride // 2)[:, : width // 2]
    return [luma, both[: height // 2], both[height // 2 :]]


def captured_ns(sensor_ns: object, monotonic_ns: int, boottime_ns: int) -> int:
    """When a picture was taken.

    libcamera documents SensorTimestamp as CLOCK_BOOTTIME; the kernel's camera drivers stamp CLOCK_MONOTONIC. The two
    differ by the time the machine has slept, so only one of them can be right on a machine that ever did.

    Args:
        sensor_ns: the SensorTimestamp, nanoseconds, or whatever came in its place.
        monotonic_ns: CLOCK_MONOTONIC now.
        boottime_ns: CLOCK_BOOTTIME now.

    Returns:
        CLOCK_MONOTONIC, nanoseconds; now, when the stamp is not one of the last 2 s on either clock.
    """
    if isinstance(sensor_ns, int):
        for age_ns in (monotonic_ns - sensor_ns, boottime_ns - sensor_ns):
            if 0 <= age_ns <= _BELIEVED_NS:
                return monotonic_ns - age_ns
    return monotonic_ns


class Haste:
    """Tells a pipeline that gives frames as fast as they are taken from one whose sensor keeps the time.

    Args:
        fps: frames per second wanted.
    """

    def __init__(self, fps: float) -> None:
        self._least_ns = (_HASTE_FRAMES - 1) * 1e9 / (fps * _HASTE)
        self._arrivals: deque[int] = deque(maxlen=_HASTE_FRAMES)

    def is_too_fast(self, arrived_ns: int) -> bool:
        """Whether the last ten frames, this one included, came at more than 1.5 times the rate wanted."""
        self._arrivals.append(arrived_ns)
        return len(self._arrivals) == _HASTE_FRAMES and arrived_ns - self._arrivals[0] < self._least_ns
