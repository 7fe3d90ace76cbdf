"""A real mosquitto for tests: a child on a free port with a configuration of its own, gone when the test is."""

import getpass
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import pytest

_SBIN = "/usr/sbin/mosquitto"
MOSQUITTO = shutil.which("mosquitto") or (_SBIN if Path(_SBIN).exists() else None)

needs_mosquitto = pytest.mark.needs_mosquitto


@dataclass
class Mosquitto:
    """A broker that can be killed and started again on the same port."""

    port: int
    folder: Path
    lines: tuple[str, ...] = ()
    process: subprocess.Popen[bytes] | None = field(default=None)

    @property
    def url(self) -> str:
        return f"mqtt://127.0.0.1:{self.port}"

    @property
    def pid(self) -> int:
        assert self.process is not None
        return self.process.pid

    def start(self) -> None:
        """Start it and wait until it takes connections."""
        assert MOSQUITTO is not None
        config = self.folder / "mosquitto.conf"
        # A mosquitto that drops root's privileges would also drop the signal that lets it die with the tests.
        lines = (f"listener {self.port} 127.0.0.1", f"user {getpass.getuser()}", *self.lines)
        config.write_text("\n".join(lines) + "\n")
        with (self.folder / "mosquitto.log").open("ab") as log:
            # setpriv replaces itself by mosquitto, which then dies with the tests however they end.
            command = ["setpriv", "--pdeathsig", "KILL", MOSQUITTO, "-c", str(config)]
            self.process = subprocess.Popen(command, stdout=log, stderr=subprocess.STDOUT)
        deadline = time.monotonic() + 10
        while True:
            with suppress(OSError), socket.create_connection(("127.0.0.1", self.port), 0.2):
                return
            assert self.process.poll() is None, (self.folder / "mosquitto.log").read_text()
            assert time.monotonic() < deadline, "mosquitto takes no connections"
            time.sleep(0.02)

    def kill(self) -> None:
        """SIGKILL, as when its machine dies."""
        self._end(signal.SIGKILL)

    def stop(self) -> None:
        """SIGTERM, as when it is shut down."""
        self._end(signal.SIGTERM)

    def freeze(self) -> None:
        """SIGSTOP: connections stay open and nothing answers."""
        assert self.process is not None
        self.process.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        assert self.process is not None
        self.process.send_signal(signal.SIGCONT)

    def _end(self, how: signal.Signals) -> None:
        if self.process is None:
            return
        process, self.process = self.process, None
        process.send_signal(how)
        try:
            process.wait(5)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait(5)


@contextmanager
def running_mosquitto(*lines: str, anonymous: bool = True) -> Iterator[Mosquitto]:
    """A broker on loopback; `lines` are added to its configuration, and `anonymous` lets everyone in.

    Skips the test where no mosquitto is installed (the marker `needs_mosquitto` names such tests).
    """
    if MOSQUITTO is None:
        pytest.skip("mosquitto is not installed")
    with tempfile.TemporaryDirectory(prefix="carrel-broker-") as folder:
        broker = Mosquitto(free_port(), Path(folder), (*(("allow_anonymous true",) if anonymous else ()), *lines))
        broker.start()
        try:
            yield broker
        finally:
            broker.thaw() if broker.process is not None else None
            broker.stop()


def free_port() -> int:
    """A TCP port of loopback that nobody listens on at the moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port
