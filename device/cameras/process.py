"""A camera worker seen from the agent: a process, a socket, and a preview slot."""

import logging
import os
import signal
import socket
import subprocess
import sys
from typing import Final, Self

from device.cameras.boundary import MAX_PACKET, Order, Report, Setup
from device.cameras.errors import BadMessage
from device.cameras.preview import Preview, PreviewReader, create_slot

_log = logging.getLogger(__name__)

_ENVIRONMENT: Final = {
    # Missing cameras are looked for every second and reported in our own words; OpenCV need not add its own each time.
    "OPENCV_LOG_LEVEL": "ERROR",
    "OPENCV_FFMPEG_LOGLEVEL": "8",
    # Seconds OpenCV may block on a silent USB camera's first picture (its default is 10).
    "OPENCV_VIDEOIO_V4L_SELECT_TIMEOUT": "3",
}


class WorkerProcess:
    """One running worker. Nothing here blocks; use `spawn` to make one."""

    def __init__(self, process: subprocess.Popen[bytes], control: socket.socket, preview: PreviewReader) -> None:
        self._process = process
        self._control = control
        self._preview = preview
        self.pid: Final = process.pid
        self.death_fd: Final = os.pidfd_open(process.pid)
        """Becomes readable when the process has ended."""
        self.control_fd: Final = control.fileno()

    @classmethod
    def spawn(cls, setup: Setup) -> Self:
        """Start a worker in the agent's own process group; its camera stays closed.

        Raises:
            OSError: the system has no room for another process, descriptor or memory.
        """
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        slot_fd = -1
        try:
            ours.settimeout(0)
            ours.send(setup.packet())
            slot_fd = create_slot()
            process = subprocess.Popen(  # noqa: S603 - our own interpreter and module, with two numbers
                [sys.executable, "-P", "-m", "device.cameras.worker", str(theirs.fileno()), str(slot_fd)],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                pass_fds=(theirs.fileno(), slot_fd),
                env={**_ENVIRONMENT, **os.environ},
            )
            return cls(process, ours, PreviewReader(slot_fd))
        except OSError:
            ours.close()
            raise
        finally:
            theirs.close()
            if slot_fd >= 0:
                os.close(slot_fd)

    def send(self, order: Order) -> bool:
        """Send an order; False when the worker is gone or has stopped reading."""
        try:
            self._control.send(order.packet(), socket.MSG_NOSIGNAL)
        except OSError:
            return False
        return True

    def hear(self) -> tuple[list[Report], bool]:
        """Read what the worker has sent.

        Returns:
            The reports, oldest first, and whether its end of the socket is closed.
        """
        reports: list[Report] = []
        while True:
            try:
                packet = self._control.recv(MAX_PACKET)
            except BlockingIOError:
                return reports, False
            except OSError:
                return reports, True
            if not packet:
                return reports, True
            try:
                reports.append(Report.parse(packet))
            except BadMessage:
                # Not counted as a sign of life: a worker that keeps talking nonsense is soon taken for deaf.
                _log.warning("camera worker %d sent what is no report", self.pid)

    def preview(self) -> Preview | None:
        """The latest small picture, if any."""
        return self._preview.read()

    def kill(self) -> None:
        """SIGKILL: a hung driver hears nothing gentler."""
        self._process.send_signal(signal.SIGKILL)

    def exit_words(self) -> str | None:
        """How the process ended, in words; None while it has not. Collects it, so that it leaves no zombie."""
        code = self._process.poll()
        if code is None:
            return None
        return f"was killed by signal {-code}" if code < 0 else f"ended with code {code}"

    def close(self) -> None:
        """Let go of everything; the process, should it still live, sees the agent's end closed and leaves."""
        self._control.close()
        self._preview.close()
        os.close(self.death_fd)
