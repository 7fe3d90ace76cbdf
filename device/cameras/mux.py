"""Packets into fragmented MP4, piece by piece: what survives a cut at any byte and plays in every browser."""

import io
from collections.abc import Callable
from fractions import Fraction
from typing import Final

import av
from av.container import OutputContainer
from av.video.stream import VideoStream

from device.cameras.errors import SourceFailed
from device.cameras.source import Packet

FRAGMENT_S: Final = 0.25
_TICKS_A_S: Final = 90_000
_OPTIONS: Final = {
    # Everything known before the first picture stands first, and each fragment says for itself where it belongs.
    "movflags": "empty_moov+default_base_moof+frag_keyframe",
    "frag_duration": str(round(FRAGMENT_S * 1e6)),
    "flush_packets": "1",
}
_CLOSES: Final = (b"moov", b"mdat", b"mfra")
"""With these boxes a piece is complete: the beginning, a fragment, the end."""


class Muxer:
    """One MP4 in the making.

    Args:
        first: a keyframe; picture size and headers are taken from it.
        on_piece: called with each complete piece: the beginning first, then fragments, then the end.

    Raises:
        SourceFailed: `first` is no keyframe of an H.264 stream.
    """

    def __init__(self, first: Packet, on_piece: Callable[[bytes], None]) -> None:
        self._sink = _Pieces(on_piece)
        self._first_ns = first.captured_ns
        self._last_tick = -1
        try:
            self._file: OutputContainer = av.open(self._sink, "w", format="mp4", options=_OPTIONS)
            with av.open(io.BytesIO(first.data), format="h264") as headers:
                self._stream: VideoStream = self._file.add_stream_from_template(headers.streams.video[0], opaque=True)
            self._stream.time_base = Fraction(1, _TICKS_A_S)
            self.width, self.height = self._stream.width, self._stream.height
        except (av.FFmpegError, IndexError, ValueError) as error:
            raise SourceFailed(f"the camera's H.264 cannot be put into a file: {error}") from error
        if not (self.width and self.height):
            raise SourceFailed("the camera's H.264 cannot be put into a file: it does not begin with its headers")

    def add(self, packet: Packet) -> None:
        """Take the next packet; raises whatever `on_piece` raises."""
        tick = max(self._last_tick + 1, (packet.captured_ns - self._first_ns) * _TICKS_A_S // 1_000_000_000)
        self._last_tick = tick
        coded = av.Packet(packet.data)
        coded.pts = coded.dts = tick
        coded.time_base, coded.stream, coded.is_keyframe = Fraction(1, _TICKS_A_S), self._stream, packet.is_keyframe
        self._file.mux_one(coded)
        self._sink.raise_error()

    def close(self) -> None:
        """Give out the last fragment and the end; raises whatever `on_piece` raises."""
        self._file.close()
        self._sink.raise_error()


class _Pieces:
    """The muxer's file: gathers bytes until a piece is complete."""

    def __init__(self, on_piece: Callable[[bytes], None]) -> None:
        self._on_piece = on_piece
        self._bytes = bytearray()
        self._box = 0
        self._error: BaseException | None = None

    def write(self, data: bytes) -> int:
        """Take some bytes; called by libav, through which no exception finds its way."""
        self._bytes += data
        while len(self._bytes) - self._box >= 8:
            length = int.from_bytes(self._bytes[self._box : self._box + 4])
            if len(self._bytes) - self._box < length:
                break
            kind = bytes(self._bytes[self._box + 4 : self._box + 8])
            self._box += length
            if kind in _CLOSES:
                piece, self._bytes, self._box = bytes(self._bytes[: self._box]), self._bytes[self._box :], 0
                self._hand_over(piece)
        return len(data)

    def raise_error(self) -> None:
        if self._error is not None:
            error, self._error = self._error, None
            raise error

    def _hand_over(self, piece: bytes) -> None:
        if self._error is None:
            try:
                self._on_piece(piece)
            except Exception as error:  # noqa: BLE001 - kept, and raised where the packet was given in
                self._error = error
