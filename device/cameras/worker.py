"""A camera's worker process: `python -P -m device.cameras.worker <control> <preview> <bus> <bell>`, four descriptors.

One process per camera, so that a driver that hangs or crashes takes nothing else with it and can be killed. It holds
the only open handle of the device. The capture thread (capture.py) reads the source, the coder (coder.py) encodes once,
the recorder (recorder.py) writes; this main thread owns the control socket, sends heartbeats, makes previews and lets
the picture checks look once a second. Heartbeats prove that the capture thread makes progress: they stop when it is
stuck. When the agent dies its end of the socket closes, and the worker ends at once.

What it needs first stays light (standard library, numpy, OpenCV): the time from a kill to the next frame is mostly
spent on loading it.
"""

import logging
import os
import select
import signal
import socket
import sys
import time
from collections import deque
from typing import Final, Never

import cv2

from device.cameras.boundary import (
    HEARTBEAT_S,
    MAX_PACKET,
    Do,
    Learned,
    Order,
    Setup,
    StillTaken,
    load_factory,
    pack_told,
)
from device.cameras.bus import BusWriter
from device.cameras.capture import Capture
from device.cameras.coder import Coder
from device.cameras.errors import BadMessage, SourceFailed
from device.cameras.eyes import Eyes
from device.cameras.preview import PreviewWriter
from device.cameras.recorder import Recorder
from device.cameras.recording import Event
from device.cameras.reporting import Reporter
from device.cameras.source import CameraSpec, Frame, Packet, Source, SourceFactory
from device.cameras.stills import Stills
from device.cameras.thumbnails import Thumbnails

_log = logging.getLogger(__name__)

_PREVIEW_POLL_S: Final = 0.02
_STOP_DEADLINE_S: Final = 2.0
_ORPHAN_DEADLINE_S: Final = 0.5
_FINISH_DEADLINE_S: Final = 1.0
"""What a disk may take to finish a segment at the end; what it does not finish is found whole by the next scan."""


def main() -> Never:
    """Run a worker on the inherited descriptors named on the command line; leaves by `os._exit`."""
    control_fd, preview_fd, bus_fd, bell_fd = (int(word) for word in sys.argv[1:5])
    # Ctrl-C reaches the whole process group; the agent alone decides when a camera closes.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    logging.basicConfig(level=logging.INFO, format="%(levelname)s %(name)s: %(message)s")
    cv2.setNumThreads(1)
    control = socket.socket(fileno=control_fd)
    packet = control.recv(MAX_PACKET)
    bus = Bus(BusWriter(bus_fd), bell_fd)
    closed = Worker(control, Setup.parse(packet), PreviewWriter(preview_fd), bus).run() if packet else True
    # Not sys.exit: a driver's own threads must not be able to hold up the end.
    os._exit(0 if closed else 1)


class Bus:
    """The packet bus as a taker of packets, with a bell for whoever waits at the other end."""

    def __init__(self, writer: BusWriter, bell_fd: int) -> None:
        self._writer = writer
        self._bell_fd = bell_fd

    def take(self, packet: Packet) -> None:
        """See `Taker.take`."""
        self._writer.write(packet)
        os.eventfd_write(self._bell_fd, 1)

    def cut(self) -> None:
        """See `Taker.cut`."""
        self._writer.wipe()


class Worker:
    """The worker's main thread, and what the others tell it.

    Args:
        control: the worker's end of the SOCK_SEQPACKET pair.
        setup: which camera, and what opens it.
        slot: where previews go.
        bus: where packets go.
    """

    def __init__(self, control: socket.socket, setup: Setup, slot: PreviewWriter, bus: Bus) -> None:
        self._control = control
        self._control.settimeout(0)
        self._thumbnails = Thumbnails(slot)
        self._eyes = Eyes(setup.spec.role, setup.mat, setup.cards, is_open=setup.checked)
        self._stills = Stills(self._eyes, self.changed)
        self._wake_fd = os.eventfd(0, os.EFD_NONBLOCK | os.EFD_CLOEXEC)
        self._latest: Frame | None = None
        self._untold: deque[Event | Learned] = deque()
        self._recorder = Recorder(setup.spec, self._tell)
        self._coder = Coder(setup.spec, (self._recorder, bus), self.changed)
        self._capture = Capture(setup.spec, _factory(setup), self)
        self._reporter = Reporter(control, self._capture, self._coder, self._recorder, self._eyes)
        self._order = 0

    def run(self) -> bool:
        """Serve until told to stop, until the agent is gone, or until a source would not close.

        Returns:
            Whether the camera was closed in the end.
        """
        self._capture.start()
        self._coder.start()
        self._recorder.start()
        deadline_s: float | None = None
        while deadline_s is None and self._capture.is_running():
            ready, _, _ = select.select([self._control.fileno(), self._wake_fd], [], [], self._nap_s())
            if self._wake_fd in ready:
                os.eventfd_read(self._wake_fd)
            if self._control.fileno() in ready:
                deadline_s = self._obey()
            self._work()
        closed = self._capture.stop(deadline_s or 0.0)
        if not closed:
            _log.warning("the camera did not close within %.1f s; the process ends all the same", deadline_s)
        if not self._recorder.stop(_FINISH_DEADLINE_S):
            _log.warning("the disk did not finish a segment in time; what is whole of it is kept")
        self._say_events()
        return closed and not self._capture.facts().device_open

    # What the capture thread tells (see `Watching`), the coder with its first packet, and the recorder

    def changed(self) -> None:
        """There is something to report at once."""
        os.eventfd_write(self._wake_fd, 1)

    def opened(self, source: Source) -> None:
        """The camera is open."""
        self._coder.opened(source)

    def frame(self, frame: Frame) -> None:
        """The one place every frame passes."""
        self._latest = frame
        self._coder.offer(frame)

    def closing(self) -> None:
        """No frame comes any more."""
        self._coder.closing()

    def _tell(self, event: Event) -> None:
        self._untold.append(event)
        self.changed()

    # What the main thread does

    def _nap_s(self) -> float:
        now_ns = time.monotonic_ns()
        nap_s = self._reporter.due_in_s(now_ns)
        # Overdue means that the capture thread is stuck and there is nothing to say.
        nap_s = nap_s if nap_s > 0 else HEARTBEAT_S
        if self._stills.wanted:
            return min(nap_s, _PREVIEW_POLL_S)
        if self._latest is not None:
            nap_s = min(nap_s, max(_PREVIEW_POLL_S, self._eyes.due_in_s(now_ns)))
            if self._thumbnails.is_wanted(now_ns):
                nap_s = min(nap_s, max(_PREVIEW_POLL_S, self._thumbnails.due_in_s(now_ns)))
        return nap_s

    def _obey(self) -> float | None:
        """Take one order; returns how long the camera may take to close, when this was the last one."""
        try:
            packet = self._control.recv(MAX_PACKET)
        except BlockingIOError:
            return None
        except ConnectionError:
            packet = b""
        if not packet:
            return _ORPHAN_DEADLINE_S
        try:
            order = Order.parse(packet)
        except BadMessage:
            _log.exception("an order was not understood")
            return None
        if order.do is Do.STOP:
            return _STOP_DEADLINE_S
        self._carry_out(order)
        self._order = max(self._order, order.number)
        return None

    def _carry_out(self, order: Order) -> None:
        match order.do:
            case Do.OPEN:
                self._capture.want(is_open=True)
            case Do.CLOSE:
                self._capture.want(is_open=False)
            case Do.REOPEN:
                self._capture.reopen()
            case Do.PREVIEW:
                self._thumbnails.want(time.monotonic_ns(), order.for_s)
            case Do.STILL:
                self._stills.want(time.monotonic_ns(), order.view, order.max_bytes)
            case Do.CODE:
                self._coder.want(coded=order.on)
            case Do.KEYFRAME:
                self._coder.force_keyframe()
            case Do.BITRATE:
                self._coder.set_bitrate(order.bitrate_bps)
            case Do.RECORD if order.plan is not None:
                self._recorder.follow(order.plan)
            case _:
                self._tell_eyes(order)

    def _tell_eyes(self, order: Order) -> None:
        match order.do:
            case Do.AIM:
                self._eyes.aim_for(time.monotonic_ns(), order.for_s)
            case Do.LEARN:
                self._eyes.learn()
            case Do.REFER:
                self._eyes.refer(order.reference)
            case _:
                _log.warning("nothing to do for an order to %s", order.do)

    def _work(self) -> None:
        now_ns = time.monotonic_ns()
        if (frame := self._latest) is not None:
            self._thumbnails.show(frame, now_ns)
            self._eyes.look(frame, now_ns, self._capture.facts().native)
            self._stills.take(frame)
        if self._eyes.learned is not None:
            self._untold.append(Learned(self._eyes.learned))
            self._eyes.learned = None
        while (still := self._stills.ready()) is not None:
            self._hand_over(*still)
        if not self._capture.facts().device_open:
            self._latest = None
            self._thumbnails.clear()
            self._eyes.close()
        self._say_events()
        self._reporter.report(self._order, now_ns)

    def _say_events(self) -> None:
        while self._untold:
            try:
                self._control.send(pack_told(self._untold[0]))
            except BlockingIOError:
                return  # the agent is busy; it is told with the next heartbeat
            except ConnectionError:
                return  # the agent is gone; its successor finds the segment on the disk
            self._untold.popleft()

    def _hand_over(self, still: StillTaken, memory_fd: int) -> None:
        try:
            socket.send_fds(self._control, [pack_told(still)], [memory_fd])
        except (BlockingIOError, ConnectionError):
            _log.debug("nobody took the still")  # whoever asked for it asks again
        finally:
            os.close(memory_fd)


def _factory(setup: Setup) -> SourceFactory:
    """What opens the camera; one that cannot be loaded becomes one that says so whenever it is asked."""
    try:
        load = load_factory(setup.factory)
    except BadMessage as error:
        words = str(error)

        def refuse(_spec: CameraSpec) -> Source:
            raise SourceFailed(words)

        return refuse
    return lambda spec: load(spec, **setup.factory_args)


if __name__ == "__main__":
    main()
