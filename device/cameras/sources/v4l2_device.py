"""A V4L2 device that gives H.264, through PyAV: opened without blocking, so that its reader can always be ended.

PyAV hands out the driver's own memory, gone once the device is closed, so each packet is copied at once.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final, Protocol, cast

import av
import numpy as np
from av.video.codeccontext import VideoCodecContext

from device.cameras.errors import SourceFailed, SourceMissing
from device.cameras.fit import crop_to_fill
from device.cameras.source import CameraSpec, Native

if TYPE_CHECKING:
    from device.cameras.source import Image

_OPEN_S: Final = 3.0


@dataclass(frozen=True, slots=True)
class Coded:
    """What a device gave at once, as it gave it."""

    data: bytes
    stamp_ns: int | None
    """When, as the driver says; None when it does not."""


class Device(Protocol):
    """An open device that gives H.264."""

    @property
    def native(self) -> Native:
        """What it really gives."""
        ...

    @property
    def parameters(self) -> bytes:
        """SPS and PPS as far as they were said while it was opened, Annex B."""
        ...

    def next(self) -> Coded | None:
        """What has come, or None when nothing has; without waiting for it.

        Raises:
            SourceFailed: the device broke.
            SourceMissing: the device is gone.
        """
        ...

    def close(self) -> None:
        """Let go of it; doing it twice is fine."""
        ...


class AvDevice:
    """The device as PyAV has it.

    Raises:
        SourceMissing: there is no such device.
        SourceFailed: it gives no H.264, or pictures of no size.
    """

    def __init__(self, spec: CameraSpec, path: str, demuxer: str) -> None:
        self._path = path
        options = {
            "input_format": "h264",
            "video_size": f"{spec.width}x{spec.height}",
            "framerate": f"{spec.fps:g}",
            # One buffer of the driver is one picture already; 4 is AVFMT_FLAG_NONBLOCK, which has no name in options.
            "fflags": "+noparse+4",
            # FFmpeg is content with the first packet: this source looks at the pictures itself.
            "probesize": "32",
        }
        try:
            self._container = av.open(path, "r", format=demuxer, options=options, timeout=(_OPEN_S, None))
        except (av.FFmpegError, ValueError) as error:
            if not Path(path).exists():
                raise SourceMissing(f"{path}: there is no such device; is the camera's cable plugged in?") from error
            why = error.strerror if isinstance(error, av.FFmpegError) else error
            raise SourceFailed(f"{path}: the camera gives no H.264 ({why})") from error
        codec = next((stream.codec_context for stream in self._container.streams.video), None)
        if codec is None or codec.name != "h264" or codec.width < 1 or codec.height < 1:
            self.close()
            raise SourceFailed(f"{path}: the camera offers H.264, but without pictures in it")
        rate = self._container.streams.video[0].average_rate
        self.native: Final = Native(codec.width, codec.height, float(rate) if rate else None, "H264")
        self.parameters: Final = codec.extradata or b""

    def next(self) -> Coded | None:
        """See `Device.next`."""
        try:
            # A demuxer that had nothing is over; the container goes on.
            packet = next(self._container.demux(video=0))
        except av.BlockingIOError:
            return None
        except av.FFmpegError as error:
            raise self._broken() from error
        if packet.pts is None and not packet.size:
            raise self._broken()  # the empty packet after the last one
        stamp_ns = None if packet.pts is None else int(packet.pts * packet.time_base * 1_000_000_000)
        return Coded(bytes(packet), stamp_ns)

    def close(self) -> None:
        """See `Device.close`."""
        self._container.close()

    def _broken(self) -> SourceMissing | SourceFailed:
        if Path(self._path).exists():
            return SourceFailed(f"{self._path}: the device stopped giving pictures")
        return SourceMissing(f"{self._path}: the camera was unplugged")


def keyframe_image(stream: bytes, width: int, height: int) -> "Image | None":
    """A keyframe decoded, scaled and cut to a size.

    Args:
        stream: Annex B, with SPS and PPS.
        width: pixels, even.
        height: pixels, even.

    Returns:
        `(height * 3 / 2, width) uint8`, I420, read-only; None when the stream is too damaged.
    """
    codec = av.CodecContext.create("h264", "r")
    assert isinstance(codec, VideoCodecContext)
    codec.thread_count = 1
    try:
        pictures = codec.decode(av.Packet(stream)) + codec.decode(None)
    except av.FFmpegError:
        return None
    if not pictures:
        return None
    rows, native_width = pictures[0].height, pictures[0].width
    image = cast("Image", pictures[0].to_ndarray(format="yuv420p"))
    if (native_width, rows) != (width, height):
        chroma = image[rows:].reshape(2, rows // 2, native_width // 2)
        planes = (
            crop_to_fill(image[:rows], width, height),
            *(crop_to_fill(c, width // 2, height // 2) for c in chroma),
        )
        image = np.concatenate([plane.reshape(-1) for plane in planes]).reshape(height * 3 // 2, width)
    image.flags.writeable = False
    return image
