"""A USB camera that makes H.264 itself: its packets are passed on as they are, and only its keyframes are decoded.

The device itself is v4l2_device.py's.
"""

import threading
import time
from collections import deque
from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from device.cameras.annexb import AccessUnit, ParameterSets
from device.cameras.errors import SourceFailed, SourceStalled
from device.cameras.source import CameraSpec, Frame, Layout, Native, Packet
from device.cameras.sources.v4l2_device import AvDevice, Device, keyframe_image
from device.cameras.sources.v4l2_stamp import captured_ns

if TYPE_CHECKING:
    from device.cameras.source import Image

_PROVE_S: Final = 2.0
"""The capture thread allows 8 s for both, and for MJPG when they fail."""
_POLL_S: Final = 0.005
_CLOSE_S: Final = 1.0
_PROVED_BY: Final = 8
"""Pictures; an encoder that makes B-frames makes them among its first few."""
_KEYFRAME_WITHIN_NS: Final = 4_000_000_000
"""What is shown is the last keyframe, and a picture that stays the same for 5 s counts as frozen."""
_PAUSE_NS: Final = 500_000_000
"""No more than this between two pictures is held against a camera's keyframes: the rest is a stall."""
_WAITING: Final = 4
"""Frames; enough for a moment's hiccup of the reader."""
_UNFIT: Final[dict[str, str]] = {}
"""What was wrong with a device's H.264, by path. A worker process has one camera; the next process tries again."""


def open_v4l2_h264(spec: CameraSpec, path: str, *, demuxer: str = "v4l2") -> "V4l2H264Source":
    """Open the device at `path` for H.264.

    Args:
        spec: the camera.
        path: its device.
        demuxer: what PyAV reads the path with; anything but `v4l2` is a stand-in for a camera.

    Raises:
        SourceMissing: there is no such device.
        SourceFailed: it gives no H.264, or only smaller pictures, or none that can be passed on: with B-frames, without
            SPS and PPS, with rare keyframes. These last verdicts are remembered for as long as the process lives.
    """
    if words := _UNFIT.get(path):
        raise SourceFailed(words)
    if spec.width % 2 or spec.height % 2:
        raise SourceFailed(f"{path}: H.264 of {spec.width}x{spec.height} pixels cannot be; both sides have to be even")
    device = AvDevice(spec, path, demuxer)
    if not device.native.serves(spec):
        device.close()
        raise SourceFailed(
            f"{path}: the camera's own H.264 has only {device.native.width}x{device.native.height} pixels"
        )
    return V4l2H264Source(spec, path, device)


class V4l2H264Source:
    """An open USB camera that makes H.264; an `EncodingSource`.

    `read` gives a frame for every picture of the camera, so that its rate and its silence show as with any other. Only
    keyframes are decoded: until the next one, the same read-only array comes again.

    Args:
        spec: the camera.
        path: its name, for messages.
        device: the open device, which is this source's to close.

    Raises:
        SourceFailed: no pictures came in time, or this H.264 cannot be passed on.
    """

    def __init__(self, spec: CameraSpec, path: str, device: Device) -> None:
        self._spec = spec
        self._path = path
        self._device = device
        self._sets = ParameterSets().learn(AccessUnit.parse(device.parameters))
        self._image: Image | None = None
        self._pictures = 0
        self._picture_ns = 0
        self._since_keyframe_ns = 0
        self._on_packet: Callable[[Packet], None] | None = None
        self._in_step = False
        self._giving = threading.RLock()
        self._waiting = WaitingFrames()
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._run, name=f"h264-{spec.role}", daemon=True)
        try:
            self._prove()
        except BaseException:
            device.close()
            raise
        self._thread.start()

    @property
    def native(self) -> Native:
        """See `Source.native`."""
        return self._device.native

    def read(self, timeout_s: float) -> Frame:
        """See `Source.read`."""
        frame = self._waiting.take(timeout_s)
        if frame is None:
            raise SourceStalled(f"{self._path}: no frame for {timeout_s} s")
        return frame

    def close(self) -> None:
        """See `Source.close`.

        Raises:
            SourceFailed: the driver keeps the thread that reads it.
        """
        self._closing.set()
        self._waiting.end(SourceFailed(f"{self._path}: the source is closed"))
        self._thread.join(_CLOSE_S)
        if self._thread.is_alive():
            raise SourceFailed(f"{self._path}: the driver does not let go of the camera")
        self._device.close()

    def start_encoding(self, on_packet: Callable[[Packet], None]) -> None:
        """See `EncodingSource.start_encoding`."""
        with self._giving:
            self._on_packet, self._in_step = on_packet, False

    def stop_encoding(self) -> None:
        """See `EncodingSource.stop_encoding`."""
        with self._giving:
            self._on_packet = None

    def force_keyframe(self) -> None:
        """See `EncodingSource.force_keyframe`; the kernel's UVC driver offers no way to."""

    def set_bitrate(self, bits_per_s: int) -> None:
        """See `EncodingSource.set_bitrate`; the kernel's UVC driver offers no way to."""

    def _prove(self) -> None:
        """Look at the first pictures before anybody relies on more."""
        deadline = time.monotonic() + _PROVE_S
        while self._image is None or self._pictures < _PROVED_BY:
            if time.monotonic() > deadline:
                raise SourceFailed(f"{self._path}: it offers H.264, but gave too few pictures within {_PROVE_S:g} s")
            if not self._step():
                time.sleep(_POLL_S)

    def _run(self) -> None:
        try:
            while not self._closing.is_set():
                if not self._step():
                    self._closing.wait(_POLL_S)
        except Exception as error:  # noqa: BLE001 - whatever it is, the next read raises it
            self._waiting.end(error)

    def _step(self) -> bool:
        coded = self._device.next()
        if coded is None:
            return False
        unit = AccessUnit.parse(coded.data)
        self._sets = self._sets.learn(unit)
        if unit.has_picture:
            before_ns = self._picture_ns
            self._picture_ns = max(before_ns + 1, captured_ns(coded.stamp_ns, time.monotonic_ns()))
            self._since_keyframe_ns += min(self._picture_ns - before_ns, _PAUSE_NS)
            self._pictures += 1
            self._take(unit, coded.data)
        return True

    def _take(self, unit: AccessUnit, data: bytes) -> None:
        if unit.has_b_slice:
            raise self._unfit("it has B-frames")
        if unit.is_keyframe:
            if not self._sets.is_complete:
                raise self._unfit("it never says how to decode it (no SPS and PPS)")
            data = self._sets.before(unit)
            self._since_keyframe_ns = 0
            image = keyframe_image(data, self._spec.width, self._spec.height)
            self._image = self._image if image is None else image
        elif self._since_keyframe_ns > _KEYFRAME_WITHIN_NS:
            raise self._unfit(f"its keyframes are more than {_KEYFRAME_WITHIN_NS / 1e9:g} s apart")
        self._give(Packet(data, self._picture_ns, unit.is_keyframe))
        if self._image is not None:
            self._waiting.put(Frame(self._image, self._picture_ns, Layout.I420))

    def _give(self, packet: Packet) -> None:
        with self._giving:
            self._in_step = self._in_step or packet.is_keyframe
            if self._on_packet is not None and self._in_step:
                self._on_packet(packet)

    def _unfit(self, why: str) -> SourceFailed:
        words = f"{self._path}: the camera's own H.264 is of no use here: {why}"
        _UNFIT[self._path] = words
        return SourceFailed(words)


class WaitingFrames:
    """The newest few frames, between the thread that gets them and the one that reads.

    A reader who came too late for some of them is not given the old ones, but what is captured from then on.
    """

    def __init__(self) -> None:
        self._frames: deque[Frame] = deque(maxlen=_WAITING)
        self._changed = threading.Condition()
        self._is_late = True
        self._since_ns = 0
        self._error: Exception | None = None

    def put(self, frame: Frame) -> None:
        """Add a frame."""
        with self._changed:
            self._is_late = self._is_late or len(self._frames) == _WAITING
            self._frames.append(frame)
            self._changed.notify()

    def end(self, error: Exception) -> None:
        """Nothing comes any more but this error, unless there was one before it."""
        with self._changed:
            self._error = self._error or error
            self._changed.notify()

    def take(self, timeout_s: float) -> Frame | None:
        """Wait for a frame, at most `timeout_s`; whatever ended the frames is raised."""
        with self._changed:
            if self._is_late:
                self._is_late, self._since_ns = False, time.monotonic_ns()
            self._changed.wait_for(self._has_news, timeout_s)
            if self._error is not None:
                raise self._error
            return self._frames.popleft() if self._has_news() else None

    def _has_news(self) -> bool:
        while self._frames and self._frames[0].captured_ns < self._since_ns:
            self._frames.popleft()
        return bool(self._frames) or self._error is not None
