"""The recorder: coded pictures onto the disk, sealed as they are written, and only while a plan allows it.

A thread of its own in the camera's worker, so that a slow disk never delays the camera: what it cannot take in time it
loses, up to the next keyframe, and says so. Between press and outage the pictures wait in the pre-roll.
"""

import logging
import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from device.cameras.errors import CameraError
from device.cameras.preroll import PreRoll
from device.cameras.recording import NOTHING, PRE_ROLL_S, Event, Failed, Keep, Plan
from device.cameras.source import CameraSpec, Packet
from device.errors import KioskError

if TYPE_CHECKING:
    from device.cameras.segment_file import SegmentFile

_log = logging.getLogger(__name__)

SEGMENT_NS: Final = 30_000_000_000
_WAITING_BYTES: Final = 24 * 1024 * 1024
"""Half a minute of a busy picture: as long as a bad card may block before anything is lost."""
_RETRY_NS: Final = 2_000_000_000


@dataclass(frozen=True, slots=True)
class _Cut:
    """The camera closes: what follows does not belong to what went before."""


@dataclass(frozen=True, slots=True)
class RecorderFacts:
    """What the recorder does now."""

    keep: Keep = Keep.NOTHING
    plan: int = 0
    """The number of the plan it follows: everything told before is done with."""
    segment: str | None = None
    """The segment being written; None while none is open."""
    lost: int = 0
    """Packets that came while the disk was too slow, or refused."""


class Recorder:
    """Follows the plan it was given last.

    Args:
        spec: the camera.
        tell: called in the recorder's thread with what happened; it must not block.
    """

    def __init__(self, spec: CameraSpec, tell: Callable[[Event], None]) -> None:
        self._spec = spec
        self._tell = tell
        self._inbox: deque[Packet | Plan | _Cut] = deque()
        self._waiting_bytes = 0
        self._overflown = False
        self._wake = threading.Condition()
        self._stopping = False
        self._plan = NOTHING
        self._pre_roll = PreRoll(PRE_ROLL_S)
        self._file: SegmentFile | None = None
        self._not_before_ns = 0
        self._in_streak = False
        self._lost = 0
        self.facts = RecorderFacts()
        """Replaced as a whole by the recorder's thread."""
        self._thread = threading.Thread(target=self._run, name=f"recorder-{spec.role}", daemon=True)

    def start(self) -> None:
        """Start the thread; nothing is kept before a plan says so."""
        self._thread.start()

    def follow(self, plan: Plan) -> None:
        """Keep what `plan` says from the next packet on."""
        self._put(plan)

    def take(self, packet: Packet) -> None:
        """A packet of the camera; never waits."""
        with self._wake:
            if self._waiting_bytes > _WAITING_BYTES or (self._overflown and not packet.is_keyframe):
                self._overflown = True
                self._lost += 1
                return
            self._overflown = False
            self._waiting_bytes += len(packet.data)
            self._inbox.append(packet)
            self._wake.notify()

    def cut(self) -> None:
        """The camera closes: finish what is open and forget the pre-roll."""
        self._put(_Cut())

    def stop(self, deadline_s: float) -> bool:
        """Finish and end the thread; False when that took longer than `deadline_s`."""
        self._put(_Cut())
        with self._wake:
            self._stopping = True
            self._wake.notify()
        self._thread.join(deadline_s)
        return not self._thread.is_alive()

    def _put(self, item: Plan | _Cut) -> None:
        with self._wake:
            self._inbox.append(item)
            self._wake.notify()

    def _run(self) -> None:
        while (item := self._next()) is not None:
            try:
                match item:
                    case Packet():
                        self._keep(item)
                    case Plan():
                        self._turn_to(item)
                    case _Cut():
                        self._pre_roll.empty()
                        self._finish()
            except (OSError, CameraError, KioskError) as error:
                self._give_up(error)
            segment = self._file.segment if self._file else None
            self.facts = RecorderFacts(self._plan.keep, self._plan.number, segment, self._lost)

    def _next(self) -> Packet | Plan | _Cut | None:
        with self._wake:
            while not self._inbox:
                if self._stopping:
                    return None
                self._wake.wait()
            item = self._inbox.popleft()
            if isinstance(item, Packet):
                self._waiting_bytes -= len(item.data)
            return item

    def _turn_to(self, plan: Plan) -> None:
        before, self._plan = self._plan, plan
        if plan.keep is Keep.NOTHING or not plan.same_but_for_time(before):
            waiting = self._pre_roll.empty()
            self._finish()
            # Only the same session's pre-roll may be kept on: another one's is nobody's any more.
            if plan.session == before.session and plan.keep is Keep.ALL:
                for packet in waiting:
                    self._write(packet)

    def _keep(self, packet: Packet) -> None:
        match self._plan.keep:
            case Keep.PRE_ROLL:
                self._pre_roll.take(packet)
            case Keep.ALL:
                self._write(packet)
            case Keep.NOTHING:
                pass

    def _write(self, packet: Packet) -> None:
        file = self._file
        if file is not None and packet.is_keyframe and packet.captured_ns - file.first_ns >= SEGMENT_NS:
            self._finish()
            file = None
        if file is None:
            if not packet.is_keyframe or packet.captured_ns < self._not_before_ns:
                self._lost += self._in_streak
                return
            # Imported on use: most cameras are open for weeks without a recording, and what seals takes much memory.
            from device.cameras.segment_file import SegmentFile  # noqa: PLC0415 - see above

            self._file = file = SegmentFile(self._plan, self._spec, packet)
        file.add(packet)
        self._in_streak = False

    def _finish(self) -> None:
        if self._file is not None:
            self._tell(self._file.finish())
            self._file = None

    def _give_up(self, error: OSError | CameraError | KioskError) -> None:
        """The disk refuses: leave what is written for the next scan, and try again with a new segment in a while."""
        file, self._file = self._file, None
        if file is not None:
            self._not_before_ns = file.last_ns + _RETRY_NS
            file.abandon()
        reason = error.strerror or str(error) if isinstance(error, OSError) else str(error)
        _log.log(logging.DEBUG if self._in_streak else logging.WARNING, "recording fails: %s", reason)
        if not self._in_streak:
            self._tell(Failed(self._spec.role, reason))
        self._in_streak = True
