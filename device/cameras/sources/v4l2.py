"""A USB camera through V4L2 and OpenCV.

OpenCV's `read` waits as long as its own select timeout and has reported success with an old picture after a timeout or
an unplugging (opencv#10927, opencv#14044). So each wait here has a deadline of its own, and unchanging bytes count as
no frame.
"""

import logging
import math
import re
import time
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Final, cast

import cv2
import numpy as np

from device.cameras.errors import SourceFailed, SourceMissing, SourceStalled
from device.cameras.fit import crop_to_fill
from device.cameras.source import CameraSpec, Frame, Native, Source
from device.cameras.sources.v4l2_stamp import captured_ns

if TYPE_CHECKING:
    from device.cameras.source import Image

_log = logging.getLogger(__name__)

_STALE_FRAMES: Final = 30
_STALE_NS: Final = 3_000_000_000
_BREATH_S: Final = 0.05
_DEV: Final = Path("/dev")
_NUMBERED: Final = re.compile(r"video\d+", re.ASCII)


def open_v4l2(spec: CameraSpec, path: str, *, dev: Path = _DEV) -> Source:
    """Open the device at `path`; with `encoder = "hardware"` for the camera's own H.264, if it has any that is of use.

    A name in `/dev/v4l/by-path` is followed anew each time, so a camera that got another number is found again.

    Args:
        spec: the camera.
        path: its device.
        dev: where devices are.

    Raises:
        SourceMissing: naming the path, when there is no such device or it gives no pictures.
        SourceFailed: it answers with nonsense.
    """
    if not Path(path).exists():
        raise SourceMissing(f"{path}: there is no such device; is the camera's cable plugged in?")
    if (name := lasting_name(path, dev)) is not None:
        _advise(path, name)
    if spec.encoder == "hardware":
        # Imported on use: PyAV is slow to load.
        from device.cameras.sources.v4l2_h264 import open_v4l2_h264  # noqa: PLC0415 - see above

        try:
            return open_v4l2_h264(spec, path)
        except SourceFailed as error:
            _fall_back(str(error))
    return V4l2Source(spec, path)


def lasting_name(path: str, dev: Path = _DEV) -> Path | None:
    """The name by USB port of a camera that is named by number, for numbers change when cameras are replugged.

    Returns:
        None when the path is no number, or when there is no such name for it.
    """
    if Path(path).parent != dev or not _NUMBERED.fullmatch(Path(path).name):
        return None
    device = Path(path).resolve()
    return next((link for link in sorted((dev / "v4l/by-path").glob("*")) if link.resolve() == device), None)


class V4l2Source:
    """An open USB camera."""

    def __init__(self, spec: CameraSpec, path: str) -> None:
        self._spec = spec
        self._path = path
        self._video = cv2.VideoCapture(path, cv2.CAP_V4L2)
        if not self._video.isOpened():
            raise SourceMissing(f"{path}: the device is there but does not open; another program may hold it")
        try:
            self._native = self._start()
        except BaseException:
            self._video.release()
            raise
        self._captured_ns = 0
        self._stale = StaleCheck()

    @property
    def native(self) -> Native:
        """See `Source.native`."""
        return self._native

    def read(self, timeout_s: float) -> Frame:
        """See `Source.read`."""
        try:
            woke, ready = cv2.VideoCapture.waitAny([self._video], max(1, int(timeout_s * 1e9)))
            arrived_ns = time.monotonic_ns()
            if not woke:
                raise SourceStalled(f"{self._path}: no frame for {timeout_s} s")
            # Its length, because the one index in it is 0, and OpenCV gives an array.
            is_ready = len(ready) > 0
            ok, image = self._video.retrieve() if is_ready else (False, None)
        except cv2.error as error:
            raise self._broken() from error
        if not is_ready:
            # The device woke us without a frame: it hung up. Breathe, so that this cannot become a busy loop.
            time.sleep(min(_BREATH_S, timeout_s))
            raise self._broken()
        if not ok or image is None:
            raise SourceStalled(f"{self._path}: a frame came damaged")
        picture = cast("Image", image)
        if not picture.size:
            raise SourceFailed(f"{self._path}: the device gives pictures without a pixel; replug the camera")
        if self._stale.is_stale(picture, arrived_ns):
            raise SourceStalled(f"{self._path}: the device repeats one old picture")
        stamp_ns = self._video.get(cv2.CAP_PROP_POS_MSEC) * 1e6
        self._captured_ns = max(self._captured_ns + 1, captured_ns(stamp_ns, arrived_ns))
        return Frame(crop_to_fill(picture, self._spec.width, self._spec.height), self._captured_ns)

    def close(self) -> None:
        """See `Source.close`."""
        self._video.release()

    def _start(self) -> Native:
        # The format goes first: it decides which sizes there are. Raw frames of two cameras do not fit one USB 2 bus.
        self._video.set(cv2.CAP_PROP_FOURCC, cv2.VideoWriter.fourcc(*"MJPG"))
        self._video.set(cv2.CAP_PROP_FRAME_WIDTH, self._spec.width)
        self._video.set(cv2.CAP_PROP_FRAME_HEIGHT, self._spec.height)
        self._video.set(cv2.CAP_PROP_FPS, self._spec.fps)
        # One is filled while the other is decoded; with a single one every second frame is lost, more only grow old.
        self._video.set(cv2.CAP_PROP_BUFFERSIZE, 2)
        native = native_of(
            self._path,
            width=self._video.get(cv2.CAP_PROP_FRAME_WIDTH),
            height=self._video.get(cv2.CAP_PROP_FRAME_HEIGHT),
            fps=self._video.get(cv2.CAP_PROP_FPS),
            fourcc=self._video.get(cv2.CAP_PROP_FOURCC),
        )
        # The first grab starts the stream; `waitAny` may poll only after it. Retrieving gives its buffer back.
        if not (self._video.grab() and self._video.retrieve()[0]):
            raise SourceMissing(f"{self._path}: the device opens but gives no picture; try another USB port")
        return native

    def _broken(self) -> SourceMissing | SourceFailed:
        if Path(self._path).exists():
            return SourceFailed(f"{self._path}: the device stopped giving pictures")
        return SourceMissing(f"{self._path}: the camera was unplugged")


def native_of(path: str, *, width: float, height: float, fps: float, fourcc: float) -> Native:
    """What a driver says it gives, as OpenCV hands its words on.

    Args:
        path: the device, for messages.
        width: pixels.
        height: pixels.
        fps: frames per second; zero or less when the driver does not say.
        fourcc: four letters as one number, the first in its lowest byte; zero or less when the driver does not say.

    Raises:
        SourceFailed: no picture can be like that.
    """
    if not all(math.isfinite(answer) for answer in (width, height, fps, fourcc)) or width < 1 or height < 1:
        raise SourceFailed(
            f"{path}: the driver speaks of pictures of {width:g}x{height:g} pixels, {fps:g} a second; replug the camera"
        )
    letters = (int(fourcc) & 0xFFFFFFFF).to_bytes(4, "little")
    form = bytes(letter for letter in letters if 0x20 < letter < 0x7F).decode("ascii")
    return Native(int(width), int(height), fps if fps > 0 else None, form)


@cache  # so that each is said once
def _advise(path: str, name: Path) -> None:
    _log.warning("%s gets another number when cameras are replugged; write v4l2:%s instead", path, name)


@cache
def _fall_back(why: str) -> None:
    _log.warning("%s; it is used as a camera without (MJPG)", why)


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
