"""One segment on its way onto the disk: muxed, sealed, written, and synced twice a second."""

import contextlib
import logging
import os
import time
import uuid
from pathlib import Path
from typing import Final

from device.cameras.crypt import Sealer, fleet_key
from device.cameras.mux import Muxer
from device.cameras.recording import Plan, Sealed
from device.cameras.source import CameraSpec, Packet
from device.segments import Shelf
from wire.disk import sync_folder
from wire.ledger import ClockTrust
from wire.segments import Kind, SegmentFacts

_log = logging.getLogger(__name__)

SYNC_EVERY_NS: Final = 500_000_000
"""The most that a power cut may take is this, a fragment, and what the disk needs."""
_EARLY_NS: Final = 60_000_000
"""A sync that is nearly due is done with the fragment at hand, not with the next one."""
_KINDS: Final = {b"ftyp": Kind.INIT, b"moof": Kind.FRAGMENT, b"mfra": Kind.END}
"""What each piece of the MP4 begins with."""


class SegmentFile:
    """A segment file from its first keyframe to its final name.

    Raises:
        OSError, ShelfError: the disk refuses; `abandon` it then.
        BadKey: the plan's fleet key is none.
        SourceFailed: the packet begins no H.264 stream.
    """

    def __init__(self, plan: Plan, spec: CameraSpec, first: Packet) -> None:
        self.segment: Final = str(uuid.uuid4())
        self.first_ns: Final = first.captured_ns
        self.last_ns = first.captured_ns
        self._plan, self._spec = plan, spec
        self._at, self._mono_ns = plan.instant(first.captured_ns)
        self._frames = 0
        self._piece_ns = first.captured_ns
        self._synced_ns = time.monotonic_ns()
        self._fd = -1
        self._folder = Path(plan.folder)
        self._shelf = Shelf(self._folder)
        self._part = self._shelf.part(self.segment)
        self._muxer = Muxer(first, self._seal)
        self._sealer = Sealer(
            SegmentFacts(
                segment=self.segment, kiosk=plan.kiosk, campus=plan.campus, session=plan.session, booking=plan.booking,
                role=spec.role, width=self._muxer.width, height=self._muxer.height, fps=spec.fps,
                boot=plan.boot, mono_ns=self._mono_ns, at=self._at, clock=ClockTrust(plan.clock),
            ),
            fleet_key(plan.fleet_key),
        )  # fmt: skip
        self._fd = os.open(self._part, os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_CLOEXEC, 0o600)
        try:
            self._write(self._sealer.header)
            sync_folder(self._folder)  # else a power cut could take the name, and with it all that is synced below
        except OSError:
            self.abandon()
            with contextlib.suppress(OSError):  # there is nothing in it yet; the next scan removes what stays
                self._part.unlink()
            raise

    def add(self, packet: Packet) -> None:
        """Take the next packet; a fragment that it completes is sealed and written. Raises OSError."""
        self._frames += 1
        self.last_ns = packet.captured_ns
        self._muxer.add(packet)

    def finish(self) -> Sealed:
        """Write the end, sync, and give the file its final name. Raises OSError."""
        self.last_ns += round(1e9 / self._spec.fps)  # the last picture is shown for its time, too
        self._muxer.close()
        os.fdatasync(self._fd)
        os.close(self._fd)
        self._fd = -1
        self._shelf.keep(self.segment)
        del self._muxer  # it holds this object in turn: together they would wait for the collector
        plan = self._plan
        return Sealed(
            segment=self.segment, session=plan.session, role=self._spec.role, ms=self._ms(self.last_ns),
            bytes=self._sealer.bytes_out, hash=self._sealer.hash, frames=self._frames, at=self._at.isoformat(),
            mono_ns=self._mono_ns, boot=plan.boot, clock=plan.clock,
        )  # fmt: skip

    def abandon(self) -> None:
        """Let go of the file as it is: what of it is whole is found by the next scan."""
        if self._fd >= 0:
            fd, self._fd = self._fd, -1
            try:
                os.close(fd)
            except OSError as error:
                _log.debug("%s: %s", self._part.name, error)  # the disk that refused the writes refuses this as well

    def _seal(self, piece: bytes) -> None:
        """Seal a piece of the MP4: the beginning, a fragment that ends where the newest packet begins, or the end."""
        kind = _KINDS[piece[4:8]]
        until_ns = self._piece_ns if kind is not Kind.FRAGMENT else self.last_ns
        record = self._sealer.seal(kind, self._ms(self._piece_ns), (until_ns - self._piece_ns) // 1_000_000, piece)
        self._piece_ns = until_ns
        self._write(record)
        now_ns = time.monotonic_ns()
        if now_ns - self._synced_ns >= SYNC_EVERY_NS - _EARLY_NS:
            os.fdatasync(self._fd)
            self._synced_ns = now_ns

    def _write(self, data: bytes) -> None:
        view = memoryview(data)
        while view:
            view = view[os.write(self._fd, view) :]

    def _ms(self, captured_ns: int) -> int:
        return (captured_ns - self.first_ns) // 1_000_000
