"""Encode once: a camera's frames become packets in one place, and each packet goes to everyone who wants it.

A thread of its own takes the newest frames; when the processor cannot keep up, frames are left out and counted, and the
camera is never held up. A camera that gives H.264 itself is passed through.
"""

import logging
import threading
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Final, Protocol

from device.cameras.errors import SourceFailed
from device.cameras.source import CameraSpec, EncodingSource, Frame, Packet, Source

if TYPE_CHECKING:
    from device.cameras.encoder import Encoder

_log = logging.getLogger(__name__)

_WAITING_FRAMES: Final = 3
"""Enough for a moment's hiccup; more would only be late."""


class Taker(Protocol):
    """Somebody who wants the packets."""

    def take(self, packet: Packet) -> None:
        """A packet; must not block."""

    def cut(self) -> None:
        """The camera closes; what was kept in memory of it is forgotten."""


@dataclass(frozen=True, slots=True)
class CoderFacts:
    """What was coded since the worker started."""

    packets: int = 0
    last_packet_ns: int | None = None
    left_out: int = 0
    """Frames that came faster than they could be coded."""
    trouble: str = ""


class Coder:
    """Codes frames while it is wanted.

    Args:
        spec: the camera.
        takers: who gets each packet, in this order.
        on_first: called in any thread with the first packet after each beginning; it must not block.
    """

    def __init__(self, spec: CameraSpec, takers: Sequence[Taker], on_first: Callable[[], None]) -> None:
        self._spec = spec
        self._takers = takers
        self._on_first = on_first
        self._frames: deque[Frame] = deque()
        self._wake = threading.Condition()
        self._encoder: Encoder | None = None
        self._source: EncodingSource | None = None
        self._bitrate_bps = spec.bitrate_bps
        self._wanted = False
        self._begun = False
        self._giving = threading.Lock()
        self._first_opened = threading.Event()
        self._packets, self._left_out = 0, 0
        self._last_ns: int | None = None
        self._trouble = ""
        self._thread = threading.Thread(target=self._run, name=f"coder-{spec.role}", daemon=True)

    def start(self) -> None:
        """Start the thread; nothing is coded before `want`."""
        self._thread.start()

    @property
    def is_giving(self) -> bool:
        """Whether packets came since coding began, or since the camera was opened."""
        return self._begun

    @property
    def facts(self) -> CoderFacts:
        """What was coded so far."""
        return CoderFacts(self._packets, self._last_ns, self._left_out, self._trouble)

    def want(self, *, coded: bool) -> None:
        """Say whether packets are wanted."""
        with self._wake:
            if coded == self._wanted:
                return
            self._wanted, self._begun = coded, False
            self._frames.clear()
            self._encoder = self._new_encoder() if coded else None
            source = self._source
        if source is not None and coded:
            self._start(source)
        elif source is not None:
            source.stop_encoding()
        if not coded:
            self._cut()

    def opened(self, source: Source) -> None:
        """The camera is open; called before its first frame."""
        with self._wake:
            self._source = codes = source if isinstance(source, EncodingSource) else None
            self._begun = False
            wanted = self._wanted
        self._first_opened.set()
        if codes is not None and wanted:
            self._start(codes)

    def closing(self) -> None:
        """The camera is about to be closed: no packet of it comes after this, and none is kept in memory."""
        with self._wake:
            source = self._source
            self._frames.clear()
        if source is not None:
            source.stop_encoding()
        self._source = None
        self._cut()

    def offer(self, frame: Frame) -> None:
        """A frame of the camera; never waits."""
        with self._wake:
            if not self._wanted or self._source is not None:
                return
            if len(self._frames) >= _WAITING_FRAMES:
                self._frames.popleft()
                self._left_out += 1
            self._frames.append(frame)
            self._wake.notify()

    def force_keyframe(self) -> None:
        """Make the next packet a keyframe: somebody begins to look."""
        with self._wake:
            encoder, source = self._encoder, self._source
        if source is not None:
            source.force_keyframe()
        elif encoder is not None:
            encoder.force_keyframe()

    def set_bitrate(self, bitrate_bps: int) -> None:
        """Take so many bits per second from now on."""
        with self._wake:
            self._bitrate_bps = bitrate_bps
            encoder, source = self._encoder, self._source
        if source is not None:
            self._try(lambda: source.set_bitrate(bitrate_bps))
        elif encoder is not None:
            encoder.set_bitrate(bitrate_bps)

    def _run(self) -> None:
        self._first_opened.wait()
        self._new_encoder()  # loads it, while nobody waits yet
        while True:
            with self._wake:
                while not self._frames:
                    self._wake.wait()
                frame, encoder = self._frames.popleft(), self._encoder
            if encoder is None:
                continue
            try:
                packets = encoder.encode(frame)
            except SourceFailed as error:
                if str(error) != self._trouble:
                    _log.warning("the %s camera: %s", self._spec.role, error)
                self._trouble = str(error)
                continue
            self._trouble = ""
            for packet in packets:
                self._give(encoder, packet)

    def _start(self, source: EncodingSource) -> None:
        self._try(lambda: source.start_encoding(partial(self._give, source)))

    def _try(self, work: Callable[[], None]) -> None:
        """An encoder of the camera's own that refuses is told of, and frames still come."""
        try:
            work()
        except SourceFailed as error:
            self._trouble = str(error)
            _log.warning("the %s camera: %s", self._spec.role, error)
        else:
            self._trouble = ""

    def _give(self, origin: "Encoder | EncodingSource", packet: Packet) -> None:
        with self._giving:
            # What was being coded when the camera was closed is not anybody's any more.
            if origin is not self._encoder and origin is not self._source:
                return
            first, self._begun = not self._begun, True
            self._packets += 1
            self._last_ns = packet.captured_ns
            for taker in self._takers:
                taker.take(packet)
        if first:
            self._on_first()

    def _new_encoder(self) -> "Encoder":
        # Imported on use: PyAV is slow to load, and the first picture after a restart must not wait for it.
        from device.cameras.encoder import Encoder  # noqa: PLC0415 - see above

        return Encoder(self._spec.fps, self._bitrate_bps)

    def _cut(self) -> None:
        with self._giving:
            if self._encoder is not None:
                self._encoder = self._new_encoder()  # the next opening begins with a keyframe
            self._begun = False
            for taker in self._takers:
                taker.cut()
