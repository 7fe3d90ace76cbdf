"""One H.264 encoder per camera, in software: libx264 through PyAV, told explicitly everything a browser needs.

Baseline without B-frames, so that order is time; SPS and PPS before each IDR, so that a viewer or a segment can begin
at any of them; one thread, so that two cameras never take a small kiosk's every core.
"""

from fractions import Fraction
from typing import Final

import av
from av.video.codeccontext import VideoCodecContext
from av.video.frame import PictureType

from device.cameras.errors import SourceFailed
from device.cameras.pixels import for_coding
from device.cameras.source import Frame, Packet

KEYFRAME_EVERY_S: Final = 2.0
"""Between the cost of keyframes and how long a lost picture stays; viewers and segments ask for their own."""
PRESET: Final = "ultrafast"
"""The only one whose tools are all of the baseline profile; 1080p30 stays under a core of a Raspberry Pi 5."""
_TICKS_A_S: Final = 90_000


class Encoder:
    """Turns frames into packets, one for one and at once.

    Args:
        fps: what the rate control reckons with; the packets' times are the frames' own.
        bitrate_bps: bits per second, also the most it takes within any second.
    """

    def __init__(self, fps: float, bitrate_bps: int) -> None:
        self._fps = fps
        self._bitrate_bps = bitrate_bps
        self._codec: VideoCodecContext | None = None
        self._form: tuple[int, int, str] | None = None
        self._first_ns = 0
        self._last_tick = -1
        self._keyframe = self._is_stale = False
        self._waiting: dict[int, int] = {}

    def encode(self, frame: Frame) -> list[Packet]:
        """The packets of a frame: exactly one, unless the encoder broke.

        Raises:
            SourceFailed: the encoder refuses this frame.
        """
        image, form = for_coding(frame)
        rows, width = image.shape
        try:
            codec = self._fitting(width, rows * 2 // 3, form, frame.captured_ns)
            picture = av.VideoFrame.from_ndarray(image, format=form)
            tick = max(self._last_tick + 1, (frame.captured_ns - self._first_ns) * _TICKS_A_S // 1_000_000_000)
            picture.pts, picture.time_base = tick, Fraction(1, _TICKS_A_S)
            if self._keyframe:
                picture.pict_type = PictureType.I
                self._keyframe = False
            self._last_tick, self._waiting[tick] = tick, frame.captured_ns
            coded = codec.encode(picture)
        except (av.FFmpegError, ValueError) as error:
            raise SourceFailed(f"the encoder refuses a picture of {width} x {rows * 2 // 3}: {error}") from error
        return [
            Packet(bytes(one), self._waiting.pop(one.pts or 0, frame.captured_ns), bool(one.is_keyframe))
            for one in coded
        ]

    def force_keyframe(self) -> None:
        """Make the next packet a keyframe."""
        self._keyframe = True

    def set_bitrate(self, bitrate_bps: int) -> None:
        """Take so many bits from the next frame on, which becomes a keyframe."""
        if bitrate_bps != self._bitrate_bps:
            # A fresh encoder, because PyAV 19 forbids to change an open one, and because its buffer changes as well.
            self._bitrate_bps, self._is_stale = bitrate_bps, True

    def _fitting(self, width: int, height: int, form: str, captured_ns: int) -> VideoCodecContext:
        if self._codec is None or self._is_stale or self._form != (width, height, form):
            self._is_stale = False
            self._codec, self._form = self._open(width, height, form), (width, height, form)
            self._first_ns, self._last_tick = captured_ns, -1
            self._waiting.clear()
        return self._codec

    def _open(self, width: int, height: int, form: str) -> VideoCodecContext:
        codec = av.CodecContext.create("libx264", "w")
        assert isinstance(codec, VideoCodecContext)
        codec.width, codec.height, codec.pix_fmt = width, height, form
        codec.time_base, codec.framerate = Fraction(1, _TICKS_A_S), Fraction(self._fps).limit_denominator(1001)
        codec.bit_rate, codec.thread_count = self._bitrate_bps, 1
        codec.gop_size = max(1, round(self._fps * KEYFRAME_EVERY_S))
        codec.options = {
            "preset": PRESET, "tune": "zerolatency", "profile": "baseline", "forced-idr": "1",
            "maxrate": str(self._bitrate_bps), "bufsize": str(self._bitrate_bps),
            "x264-params": "repeat-headers=1:scenecut=0:sliced-threads=0:bframes=0:annexb=1",
        }  # fmt: skip
        return codec
