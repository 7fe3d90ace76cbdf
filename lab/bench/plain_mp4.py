"""The peer of the recorder: coded pictures muxed into one plain MP4, neither fragmented nor sealed nor synced."""

import io
from fractions import Fraction
from pathlib import Path
from typing import Final

import av
from av.container import OutputContainer
from av.video.stream import VideoStream

_TICKS_A_S: Final = 90_000


class PlainMp4:
    """A file of its own, begun with the first picture, which is a keyframe with its headers."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file: OutputContainer | None = None
        self._stream: VideoStream | None = None
        self._first_ns = 0

    def add(self, data: bytes, captured_ns: int, *, is_keyframe: bool) -> None:
        """Take the next coded picture."""
        if self._file is None or self._stream is None:
            self._file, self._first_ns = av.open(str(self._path), "w", format="mp4"), captured_ns
            with av.open(io.BytesIO(data), format="h264") as headers:
                self._stream = self._file.add_stream_from_template(headers.streams.video[0], opaque=True)
            self._stream.time_base = Fraction(1, _TICKS_A_S)
        packet = av.Packet(data)
        packet.pts = packet.dts = (captured_ns - self._first_ns) * _TICKS_A_S // 1_000_000_000
        packet.time_base, packet.stream, packet.is_keyframe = Fraction(1, _TICKS_A_S), self._stream, is_keyframe
        self._file.mux_one(packet)

    def close(self) -> None:
        """Write what makes it playable."""
        if self._file is not None:
            self._file.close()
