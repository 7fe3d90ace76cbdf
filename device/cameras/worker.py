"""A camera's worker process: `python -P -m device.cameras.worker <control fd> <preview fd>`.

One process per camera, so that a driver that hangs or crashes takes nothing else with it and can be killed. It holds
the only open handle of the device. The capture thread (capture.py) reads the source; this main thread owns the control
socket, sends heartbeats, and makes previews. Heartbeats prove that the capture thread makes progress: they stop when it
is stuck. When the agent dies its end of the socket closes, and the worker ends at once.

Imports stay light (standard library, numpy, OpenCV): the time from a kill to the next frame is mostly spent on them.
"""

import logging
import os
import select
import signal
import socket
import sys
import time
from typing import Final, Never

import cv2

from device.cameras.boundary import HEARTBEAT_S, MAX_PACKET, Do, Order, Report, Setup, WorkerState, load_factory
from device.cameras.capture import Capture, Facts
from device.cameras.errors import BadMessage, SourceFailed
from device.cameras.preview import PreviewWriter
from device.cameras.source import CameraSpec, Frame, Source, SourceFactory
from device.cameras.thumbnails import Thumbnails

_log = logging.getLogger(__name__)

_PREVIEW_POLL_S: Final = 0.02
_STOP_DEADLINE_S: Final = 2.0
_ORPHAN_DEADLINE_S: Final = 0.5


def main() -> Never:
    """Run a worker on the two inherited descriptors named on the command line; leaves by `os._exit`."""
    control_fd, preview_fd = (int(word) for word in sys.argv[1:3])
    # Ctrl-C reaches the whole process group; the agent alone decides when a camera closes.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    logging.basicConfig(level=logging.INFO, format="%(levelname)s %(name)s: %(message)s")
    cv2.setNumThreads(1)
    control = socket.socket(fileno=control_fd)
    packet = control.recv(MAX_PACKET)
    closed = Worker(control, Setup.parse(packet), PreviewWriter(preview_fd)).run() if packet else True
    # Not sys.exit: a driver's own threads must not be able to hold up the end.
    os._exit(0 if closed else 1)


class Worker:
    """The worker's main thread.

    Args:
        control: the worker's end of the SOCK_SEQPACKET pair.
        setup: which camera, and what opens it.
        slot: where previews go.
    """

    def __init__(self, control: socket.socket, setup: Setup, slot: PreviewWriter) -> None:
        self._control = control
        self._control.settimeout(0)
        self._thumbnails = Thumbnails(slot)
        self._wake_fd = os.eventfd(0, os.EFD_NONBLOCK | os.EFD_CLOEXEC)
        self._latest: Frame | None = None
        self._capture = Capture(setup.spec, _factory(setup), self._put, self._wake)
        self._order = 0
        self._sent_ns = 0
        self._sent: tuple[WorkerState, int, str, bool] | None = None

    def run(self) -> bool:
        """Serve until told to stop, until the agent is gone, or until a source would not close.

        Returns:
            Whether the camera was closed in the end.
        """
        self._capture.start()
        deadline_s: float | None = None
        while deadline_s is None and self._capture.is_running():
            ready, _, _ = select.select([self._control.fileno(), self._wake_fd], [], [], self._nap_s())
            if self._wake_fd in ready:
                os.eventfd_read(self._wake_fd)
            if self._control.fileno() in ready:
                deadline_s = self._obey()
            self._work()
        if self._capture.stop(deadline_s or 0.0):
            return not self._capture.facts().device_open
        _log.warning("the camera did not close within %.1f s; the process ends all the same", deadline_s)
        return False

    def _put(self, frame: Frame) -> None:
        """The one place every frame passes, in the capture thread."""
        self._latest = frame

    def _wake(self) -> None:
        os.eventfd_write(self._wake_fd, 1)

    def _nap_s(self) -> float:
        now_ns = time.monotonic_ns()
        until_report_s = HEARTBEAT_S - (now_ns - self._sent_ns) / 1e9
        # Overdue means that the capture thread is stuck and there is nothing to say.
        nap_s = until_report_s if until_report_s > 0 else HEARTBEAT_S
        if self._latest is None or not self._thumbnails.is_wanted(now_ns):
            return nap_s
        return min(nap_s, max(_PREVIEW_POLL_S, self._thumbnails.due_in_s(now_ns)))

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
        match order.do:
            case Do.OPEN:
                self._capture.want(is_open=True)
            case Do.CLOSE:
                self._capture.want(is_open=False)
            case Do.REOPEN:
                self._capture.reopen()
            case Do.PREVIEW:
                self._thumbnails.want(time.monotonic_ns(), order.for_s)
            case Do.STOP:
                return _STOP_DEADLINE_S
        self._order = max(self._order, order.number)
        return None

    def _work(self) -> None:
        now_ns = time.monotonic_ns()
        if (frame := self._latest) is not None:
            self._thumbnails.show(frame, now_ns)
        facts = self._capture.facts()
        if not facts.device_open:
            self._latest = None
            self._thumbnails.clear()
        self._report(facts, now_ns)

    def _report(self, facts: Facts, now_ns: int) -> None:
        """Send a heartbeat if it is time or if anything changed, and only while the capture thread makes progress."""
        is_blank = facts.opened_ns is not None and (facts.last_frame_ns or 0) < facts.opened_ns
        now = (facts.state, self._order, facts.detail, is_blank)
        if now == self._sent and now_ns - self._sent_ns < HEARTBEAT_S * 1e9:
            return
        if self._capture.is_stuck(now_ns):
            return
        self._sent, self._sent_ns = now, now_ns
        report = Report(
            state=facts.state,
            sent_ns=now_ns,
            order=self._order,
            device_open=facts.device_open or self._capture.may_be_open(),
            opened_ns=facts.opened_ns,
            frames=facts.frames,
            fps=self._capture.fps(now_ns),
            last_frame_ns=facts.last_frame_ns,
            detail=facts.detail,
        )
        try:
            self._control.send(report.packet())
        except BlockingIOError:
            # The agent is busy; it has plenty of older reports to read, and gets the next one.
            _log.debug("the agent does not read reports")
        except ConnectionError:
            _log.debug("the agent is gone")  # and the next read of the socket ends this process


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
