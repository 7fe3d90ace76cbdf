"""Pipes and scripts that stand in for USB cameras that make H.264 themselves."""

import itertools
import os
import threading
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Final

import av
import numpy as np
from av.video.codeccontext import VideoCodecContext

from device.cameras import annexb
from device.cameras.annexb import NalType
from device.cameras.source import CameraSpec, Frame, Native
from device.cameras.sources.v4l2_device import Coded
from device.cameras.sources.v4l2_h264 import V4l2H264Source, open_v4l2_h264

if TYPE_CHECKING:
    from device.cameras.source import Image

WIDTH, HEIGHT, FPS = 320, 180, 20.0
MICROSECONDS: Final = Fraction(1, 1_000_000)


def spec(path: Path | str, width: int = WIDTH, height: int = HEIGHT, *, encoder: str = "hardware") -> CameraSpec:
    return CameraSpec("overhead", f"v4l2:{path}", width, height, FPS, encoder=encoder)


def picture(number: int, width: int = WIDTH, height: int = HEIGHT) -> "Image":
    """Blue on the left, red on the right, and of another brightness each time."""
    image = np.full((height, width, 3), 40 + number % 8 * 20, np.uint8)
    image[:, : width // 2, 0] = 255
    image[:, width // 2 :, 2] = 255
    return image


def set_up(codec: VideoCodecContext, size: tuple[int, int], keyframe_every: int, b_frames: int) -> None:
    codec.width, codec.height = size
    codec.pix_fmt, codec.gop_size, codec.time_base = "yuv420p", keyframe_every, MICROSECONDS
    extra = f"bframes={b_frames}:b-adapt=0:rc-lookahead=0:sync-lookahead=0:scenecut=0"
    codec.options = {"preset": "ultrafast", "x264-params": extra}


class CodedCamera:
    """A camera that makes H.264 itself: a pipe, filled at the camera's pace and stamped as the kernel stamps.

    It says its SPS and PPS once, beside the stream.
    """

    def __init__(
        self,
        path: Path,
        size: tuple[int, int] = (WIDTH, HEIGHT),
        *,
        fps: float = FPS,
        keyframe_every: int = 10,
        b_frames: int = 0,
    ) -> None:
        self.path = path
        self._size, self._fps, self._keyframe_every, self._b_frames = size, fps, keyframe_every, b_frames
        self._unplugged = threading.Event()
        os.mkfifo(path)
        threading.Thread(target=self._film, daemon=True).start()

    def open(self, width: int = WIDTH, height: int = HEIGHT) -> V4l2H264Source:
        return open_v4l2_h264(spec(self.path, width, height), os.fspath(self.path), demuxer="nut")

    def unplug(self) -> None:
        """Its device is gone, and then it falls silent."""
        self.path.unlink()
        self._unplugged.set()

    def give_up(self) -> None:
        """It falls silent, though its device is there."""
        self._unplugged.set()

    def _film(self) -> None:
        # The reader closes its end when it has had enough, or does not like what it sees.
        with suppress(BrokenPipeError), self.path.open("wb", buffering=0) as pipe:
            stream = av.open(pipe, "w", format="nut", options={"flush_packets": "1"})
            video = stream.add_stream("libx264")
            set_up(video.codec_context, self._size, self._keyframe_every, self._b_frames)
            for number in itertools.count():
                image = av.VideoFrame.from_ndarray(picture(number, *self._size), format="bgr24")
                image.pts, image.time_base = time.monotonic_ns() // 1000, MICROSECONDS
                stream.mux(video.encode(image))
                if self._unplugged.wait(1 / self._fps):
                    return


def coded(pictures: int, *, keyframe_every: int = 10, b_frames: int = 0, said_once: bool = False) -> list[bytes]:
    """So many pictures as a camera would give them one by one; `said_once` leaves SPS and PPS to the first."""
    codec = av.CodecContext.create("libx264", "w")
    assert isinstance(codec, VideoCodecContext)
    set_up(codec, (WIDTH, HEIGHT), keyframe_every, b_frames)
    packets = []
    for number in range(pictures):
        image = av.VideoFrame.from_ndarray(picture(number), format="bgr24")
        image.pts, image.time_base = number * 50_000, MICROSECONDS
        packets += [bytes(packet) for packet in codec.encode(image)]
    packets += [bytes(packet) for packet in codec.encode(None)]
    parameters = {NalType.SPS, NalType.PPS}
    if said_once:
        rest = ([u for u in annexb.split(packet) if annexb.nal_type(u) not in parameters] for packet in packets[1:])
        packets[1:] = [annexb.join(units) for units in rest]
    return packets


class Script:
    """A device that gives these packets, each when it is asked for one, and then nothing."""

    def __init__(
        self,
        packets: list[bytes],
        then: Callable[[], Coded | None] = lambda: None,
        stamps_ns: Iterable[int | None] = itertools.repeat(None),
    ) -> None:
        self.native = Native(WIDTH, HEIGHT, FPS, "H264")
        self.parameters = b""
        self.closed = False
        self._coded = iter(map(Coded, packets, stamps_ns))
        self._then = then

    def next(self) -> Coded | None:
        assert not self.closed, "a closed device is not asked"
        return next(self._coded, None) or self._then()

    def close(self) -> None:
        self.closed = True


def read_often(source: V4l2H264Source, times: int, timeout_s: float = 2.0) -> list[Frame]:
    return [source.read(timeout_s) for _ in range(times)]
