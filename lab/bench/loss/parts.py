"""A broker, a fleet and kiosks as children that can be killed, and a look into both sides' files afterwards."""

import getpass
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

from device.session.ledger_files import look
from lab.broker import mosquitto_path
from wire.ledger import row_of

WITHIN_S: Final = 240.0
_BROKER: Final = """\
user {user}
listener {port} 127.0.0.1
allow_anonymous true
persistence false
max_packet_size 1048576
max_queued_messages 10000
log_dest none
"""


def trouble() -> str | None:
    """Why nothing can be sent here."""
    return None if mosquitto_path() else "mosquitto is missing; install it"


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def until(true: Callable[[], bool], what: str, within_s: float = WITHIN_S) -> None:
    """Wait; raises TimeoutError with what it waited for."""
    ends = time.monotonic() + within_s
    while not true():
        if time.monotonic() > ends:
            raise TimeoutError(f"not within {within_s:.0f} s: {what}")
        time.sleep(0.01)


@dataclass(slots=True)
class Parts:
    """Everything between a row and the fleet's store; a context that ends all of it."""

    folder: Path
    port: int = field(default_factory=free_port)
    broker: "subprocess.Popen[bytes] | None" = None
    fleet: "subprocess.Popen[bytes] | None" = None
    kiosks: "subprocess.Popen[str] | None" = None
    said: list[str] = field(default_factory=list)

    def __enter__(self) -> Self:
        self.folder.mkdir(parents=True, exist_ok=True)
        (self.folder / "mosquitto.conf").write_text(_BROKER.format(user=getpass.getuser(), port=self.port))
        (self.folder / "fleet.toml").write_text(f'data_dir = "fleet"\nbrokers = ["mqtt://127.0.0.1:{self.port}"]\n')
        self.start_broker()
        return self

    def __exit__(
        self, _type: type[BaseException] | None, _error: BaseException | None, _at: TracebackType | None
    ) -> None:
        for process in (self.kiosks, self.fleet, self.broker):
            if process is not None:
                process.kill()
                process.wait()
                for pipe in (process.stdin, process.stdout):
                    if pipe is not None:
                        pipe.close()

    def start_broker(self) -> None:
        """Start mosquitto and wait until it listens."""
        path = mosquitto_path()
        assert path is not None
        self.broker = subprocess.Popen([path, "-c", str(self.folder / "mosquitto.conf")], stderr=subprocess.DEVNULL)

        def listens() -> bool:
            with socket.socket() as probe:
                return probe.connect_ex(("127.0.0.1", self.port)) == 0

        until(listens, "the broker listens", 10)

    def kill_broker(self) -> None:
        """SIGKILL, in the middle of whatever it does."""
        assert self.broker is not None
        self.broker.send_signal(signal.SIGKILL)
        self.broker.wait()

    def start_fleet(self, how: str = "runs", at: int = 0) -> None:
        """Start the ingest."""
        command = [
            sys.executable,
            "-P",
            "-m",
            "lab.bench.loss.fleet_child",
            str(self.folder / "fleet.toml"),
            how,
            str(at),
        ]
        with (self.folder / "fleet.log").open("ab") as log:
            self.fleet = subprocess.Popen(command, stdout=log, stderr=log)

    def start_kiosks(self, kiosks: int, rows_per_s: float, port: int | None = None, *, at_once: bool = False) -> None:
        """Start writing."""
        command = [
            sys.executable, "-P", "-m", "lab.bench.loss.kiosk_child", str(self.folder), str(port or self.port),
            str(kiosks), str(rows_per_s), *(["at-once"] if at_once else []),
        ]  # fmt: skip
        with (self.folder / "kiosks.log").open("ab") as log:
            self.kiosks = subprocess.Popen(
                command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log, text=True, bufsize=1
            )
        threading.Thread(target=self._hear, args=(self.kiosks,), daemon=True).start()
        until(lambda: bool(self.said), "the kiosks write", 30)

    def _hear(self, kiosks: "subprocess.Popen[str]") -> None:
        assert kiosks.stdout is not None
        for line in kiosks.stdout:
            self.said[:] = [line.strip()]

    @property
    def acked(self) -> int:
        """Rows acknowledged, of all kiosks, as they last said."""
        line = self.said[-1] if self.said else ""
        return int(line.split()[1]) if line.startswith("acked") else 0

    def finish(self) -> None:
        """Let the kiosks write no more, and wait until the fleet has everything."""
        assert self.kiosks is not None
        assert self.kiosks.stdin is not None
        self.kiosks.stdin.write("stop\n")
        self.kiosks.stdin.flush()
        until(lambda: self.said[-1:] == ["done"], f"all is acknowledged ({self.said[-1:]})")
        self.kiosks.wait(20)

    def acked_but_not_held(self) -> int:
        """Rows that a kiosk's file calls acknowledged and the fleet's has not: none, ever, whoever was killed."""
        held = {row[0]: int(row[1]) for row in self._query("select epoch, through from ledger_epochs")}
        missing = 0
        for path in self.folder.glob("bench-*.db"):
            with sqlite3.connect(f"file:{path}?mode=ro", uri=True) as connection:
                for epoch, acked in connection.execute("select epoch, acked from epochs"):
                    missing += max(0, acked - held.get(epoch, 0))
            connection.close()
        return missing

    def compare(self) -> tuple[int, int, int]:
        """Facts lost on the way, facts that count twice at the fleet, and facts in all."""
        theirs: dict[str, list[tuple[int, str]]] = {}
        query = "select e.epoch, r.seq, r.hash from ledger_rows r join ledger_epochs e on e.id = r.epoch_id"
        for epoch, seq, hash_ in self._query(query):
            theirs.setdefault(epoch, []).append((seq, hash_))
        lost = doubled = facts = 0
        for path in self.folder.glob("bench-*.db"):
            for one in look(path):
                own = {(row_of(wired.body).seq, wired.hash) for wired in one.wired}
                there = theirs.pop(one.name, [])
                facts += len(own)
                lost += len(own - set(there))
                doubled += len(there) - len(set(there)) + len(set(there) - own)
        return lost, doubled + sum(len(rows) for rows in theirs.values()), facts

    def _query(self, query: str) -> list[tuple[Any, ...]]:
        path = self.folder / "fleet" / "fleet.sqlite"
        if not path.exists():
            return []
        connection = sqlite3.connect(path)
        try:
            return list(connection.execute(query))
        except sqlite3.OperationalError:  # killed before its first table
            return []
        finally:
            connection.close()


def emptied(folder: Path) -> Path:
    """A fresh folder."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    return folder
