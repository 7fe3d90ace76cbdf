"""A USB camera through V4L2 and OpenCV.

OpenCV's `read` waits as long as its own select timeout and has reported success with an old picture after a timeout or
an unplugging (opencv#10927, opencv#14044). So each wait here has a deadline of its own, and unchanging bytes count as
no frame.
"""

import time
from pathlib import Path
from typing import TYPE_CHECKING, Final, cast

import cv2
import numpy as np

from device.cameras.errors import SourceFailed, SourceMissing, SourceStalled
from device.cameras.fit import crop_to_fill
from device.cameras.source import CameraSpec, Frame, Source

if TYPE_CHECKING:
    from device.cameras.source import Image

_STALE_FRAMES: Final = 30
_STALE_NS: Final = 3_000_000_000
_BREATH_S: Final = 0.05


def open_v4l2(spec: CameraSpec, path: str) -> Source:
    """Open the device at `path`.

    Raises:
        SourceMissing: naming the path, when there is no such device or it gives no pictures.
    """
    if not Path(path).exists():
        raise SourceMissing(f"{path}: there is no such device; is the camera's cable plugged in?")
    return V4l2Source(spec, path)


class V4l2Source:
    """An open USB camera."""

    def __init__(self, spec: CameraSpec, path: str) -> None:
        self._spec = spec
        self._path = path
        self._video = cv2.VideoCapture(path, cv2.CAP_V4L2)
        if not self._video.isOpened():
            raise SourceMissing(f"{path}: the device is there but does not open; another program may hold it")
        # The format goes first: it decides which sizes there are. Raw frames of two cameras do not fit one USB 2 bus.
        self._video.set(cv2.CAP_PROP_FOURCC, cv2.VideoWriter.fourcc(*"MJPG"))
        self._video.set(cv2.CAP_PROP_FRAME_WIDTH, spec.width)
        self._video.set(cv2.CAP_PROP_FRAME_HEIGHT, spec.height)
        self._video.set(cv2.CAP_PROP_FPS, spec.fps)
        self._video.set(cv2.CAP_PROP_BUFFERSIZE, 1)
        # The first grab starts the stream; `waitAny` may poll only after it.
        if not self._video.grab():
            self._video.release()
            raise SourceMissing(f"{path}: the device opens but gives no picture; try another USB port")
        self._stale = StaleCheck()

    def read(self, timeout_s: float) -> Frame:
        """See `Source.read`."""
        try:
            woke, ready = cv2.VideoCapture.waitAny([self._video], max(1, int(timeout_s * 1e9)))
            captured_ns = time.monotonic_ns()
            if not woke:
                raise SourceStalled(f"{self._path}: no frame for {timeout_s} s")
            ok, image = self._video.retrieve() if ready else (False, None)
        except cv2.error as error:
            raise self._broken() from error
        if not ready:
            # The device woke us without a frame: it hung up. Breathe, so that this cannot become a busy loop.
            time.sleep(min(_BREATH_S, timeout_s))
            raise self._broken()
        if not ok or image is None:
            raise SourceStalled(f"{self._path}: a frame came damaged")
        picture = cast("Image", image)
        if self._stale.is_stale(picture, captured_ns):
            raise SourceStalled(f"{self._path}: the device repeats one old picture")
        return Frame(crop_to_fill(picture, self._spec.width, self._spec.height), captured_ns)

    def close(self) -> None:
        """See `Source.close`."""
        self._video.release()

    def _broken(self) -> SourceMissing | SourceFailed:
        if Path(self._path).exists():
            return SourceFailed(f"{self._path}: the device stopped giving pictures")
        return SourceMissing(f"{self._path}: the camera was unplugged")


class StaleCheck:
    """Tells an old picture handed out again from a quiet scene: a living sensor's noise never repeats exactly."""

    def __init__(self) -> None:
        self._last: Image | None = None
        self._repeats = 0
        self._since_ns = 0

    def is_stale(self, image: "Image", captured_ns: int) -> bool:
        """Whether this picture has been the very same for 30 frames and for 3 s.

        Args:
            image: `(height, width, 3) uint8`.
            captured_ns: CLOCK_MONOTONIC.
        """
        if self._last is not None and np.array_equal(self._last, image):
            self._repeats += 1
        else:
            self._last, self._repeats, self._since_ns = image, 0, captured_ns
        return self._repeats >= _STALE_FRAMES and captured_ns - self._since_ns >= _STALE_NS
