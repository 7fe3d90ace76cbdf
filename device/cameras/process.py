"""A camera worker seen from the agent: a process, a socket, a preview slot, and a bus of coded pictures."""

import contextlib
import dataclasses
import logging
import os
import signal
import socket
import subprocess
import sys
from dataclasses import dataclass
from typing import Final, Self

from device.cameras.boundary import MAX_PACKET, Learned, Order, Setup, StillTaken, Told, parse_told
from device.cameras.bus import BusReader, create_bus
from device.cameras.errors import BadMessage
from device.cameras.preview import Preview, PreviewReader, create_slot

_log = logging.getLogger(__name__)

_ENVIRONMENT: Final = {
    # Missing cameras are looked for every second and reported in our own words; OpenCV need not add its own each time.
    "OPENCV_LOG_LEVEL": "ERROR",
    "OPENCV_FFMPEG_LOGLEVEL": "8",
    "LIBCAMERA_LOG_LEVELS": "*:WARN",
    # Seconds OpenCV may block on a silent USB camera's first picture (its default is 10).
    "OPENCV_VIDEOIO_V4L_SELECT_TIMEOUT": "3",
}


@dataclass(frozen=True, slots=True)
class Still:
    """A picture in full size, in memory only."""

    jpeg: bytes
    """Empty when there is nothing to show."""
    px_per_mm: float | None = None
    """Of a worksheet that was set straight by the mat."""
    words: str = ""
    """Why there is nothing to show."""
    origin: str = ""
    """Of a worksheet: `mat` or `page`, what it was set straight by."""
    width_px: int = 0
    height_px: int = 0
    captured_ns: int = 0
    """CLOCK_MONOTONIC."""


_OF_A_STILL: Final = tuple(one.name for one in dataclasses.fields(Still) if one.name != "jpeg")


class WorkerProcess:
    """One running worker. Nothing here blocks; use `spawn` to make one."""

    def __init__(
        self, process: subprocess.Popen[bytes], control: socket.socket, slot_fd: int, bus_fd: int, bell_fd: int
    ) -> None:
        self._process = process
        self._control = control
        self._preview = PreviewReader(slot_fd)
        self._bus_fd = bus_fd
        self.bell_fd: Final = bell_fd
        """Counts up with each packet on the bus."""
        self.pid: Final = process.pid
        self.death_fd: Final = os.pidfd_open(process.pid)
        """Becomes readable when the process has ended."""
        self.control_fd: Final = control.fileno()
        self.still: Still | None = None
        """The last still that was handed over."""
        self.learned: Learned | None = None
        """The last reference that was handed over."""

    @classmethod
    def spawn(cls, setup: Setup) -> Self:
        """Start a worker in the agent's own process group; its camera stays closed.

        Raises:
            OSError: the system has no room for another process, descriptor or memory.
        """
        with contextlib.ExitStack() as ours_unless_done, contextlib.ExitStack() as theirs:
            control, their_control = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
            ours_unless_done.callback(control.close)
            theirs.callback(their_control.close)
            control.settimeout(0)
            control.send(setup.packet())
            slot_fd = create_slot()
            theirs.callback(os.close, slot_fd)
            bus_fd = create_bus()
            ours_unless_done.callback(os.close, bus_fd)
            bell_fd = os.eventfd(0, os.EFD_NONBLOCK | os.EFD_CLOEXEC)
            ours_unless_done.callback(os.close, bell_fd)
            handed = (their_control.fileno(), slot_fd, bus_fd, bell_fd)
            process = subprocess.Popen(  # noqa: S603 - our own interpreter and module, with four numbers
                [sys.executable, "-P", "-m", "device.cameras.worker", *map(str, handed)],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                pass_fds=handed,
                env={**_ENVIRONMENT, **os.environ},
            )
            worker = cls(process, control, slot_fd, bus_fd, bell_fd)
            ours_unless_done.pop_all()
            return worker

    def send(self, order: Order) -> bool:
        """Send an order; False when the worker is gone or has stopped reading."""
        try:
            self._control.send(order.packet(), socket.MSG_NOSIGNAL)
        except OSError:
            return False
        return True

    def hear(self) -> tuple[list[Told], bool]:
        """Read what the worker has sent.

        Returns:
            What it said, oldest first, and whether its end of the socket is closed. A still's picture is in `still`.
        """
        told: list[Told] = []
        while True:
            try:
                packet, fds, _, _ = socket.recv_fds(self._control, MAX_PACKET, 1, socket.MSG_CMSG_CLOEXEC)
            except BlockingIOError:
                return told, False
            except OSError:
                return told, True
            if not packet:
                return told, True
            try:
                one = parse_told(packet)
                if isinstance(one, StillTaken) and fds:
                    of_it = {name: getattr(one, name) for name in _OF_A_STILL}
                    self.still = Still(os.pread(fds[0], one.length, 0), **of_it)
                if isinstance(one, Learned):
                    self.learned = one
                told.append(one)
            except BadMessage:
                # Not counted as a sign of life: a worker that keeps talking nonsense is soon taken for deaf.
                _log.warning("camera worker %d sent what is no report", self.pid)
            finally:
                for fd in fds:
                    os.close(fd)

    def bus(self) -> BusReader:
        """A reader of its coded pictures, from the newest keyframe on."""
        return BusReader(self._bus_fd)

    def preview(self) -> Preview | None:
        """The latest small picture, if any."""
        return self._preview.read()

    def silence_bell(self) -> None:
        """Take note of the packets that rang."""
        with contextlib.suppress(BlockingIOError):  # somebody else took note before
            os.eventfd_read(self.bell_fd)

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
        for fd in (self._bus_fd, self.bell_fd, self.death_fd):
            os.close(fd)
