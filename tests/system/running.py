"""The whole product running, as the tests meet it: `carrel-lab demo --json` and what a person can do to it."""

import contextlib
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TypeVar

import httpx

from device.session.ledger_files import epochs
from tests.media import clip

T = TypeVar("T")


def until(look: Callable[[], T | None], within_s: float, what: str) -> T:
    """Look again and again until something true is seen; that."""
    deadline = time.monotonic() + within_s
    while not (found := look()):
        assert time.monotonic() < deadline, f"not within {within_s:.0f} s: {what}"
        time.sleep(0.05)
    return found


class Kiosk:
    """One simulated kiosk: hands on its button, eyes on its screen, and the fleet's view of it."""

    def __init__(self, demo: "Demo", told: dict[str, Any]) -> None:
        self.demo, self.id, self.campus, self.screen = demo, told["id"], told["campus"], told["screen"]

    # What the lab can do to it

    def order(self, path: str, **order: Any) -> None:
        answer = self.demo.http.post(f"{self.demo.lab}/kiosks/{self.id}/{path}", json=order)
        assert answer.is_success, answer.text

    def press(self) -> None:
        self.order("button", gesture="press")

    def hold(self) -> None:
        self.order("button", gesture="hold")

    def cut_link(self, how: str) -> None:
        self.order("link", up=False, how=how)

    def restore_link(self) -> None:
        self.order("link", up=True)

    def camera(self, role: str, fault: str) -> None:
        self.order(f"cameras/{role}", fault=fault)

    def cut_power(self, for_s: float) -> None:
        self.order("power", cut=True, for_s=for_s)

    # What its screen says

    @property
    def state(self) -> dict[str, Any]:
        with contextlib.suppress(httpx.HTTPError):
            answer = self.demo.http.get(f"{self.screen}/api/state")
            if answer.is_success:
                return dict(answer.json())
        return {"state": "no answer", "link": {"up": False}, "cameras": {}, "session": None, "backlog": {"rows": -1}}

    def reaches(self, *states: str, within_s: float = 15) -> dict[str, Any]:
        return until(
            lambda: found if (found := self.state)["state"] in states else None, within_s, f"{self.id} is {states}"
        )

    def has_signal(self, id_: str, role: str | None = None) -> bool:
        signals = self.state.get("readiness", {"signals": []})["signals"]
        return any(one["id"] == id_ and one["role"] == role for one in signals)

    def start_session(self) -> str:
        """Press, and wait until the first deaf seconds are over. Within two minutes of its end a session goes on."""
        self.press()
        session = str(self.reaches("live", "buffering")["session"]["id"])
        time.sleep(6)
        return session

    def end_session(self) -> None:
        self.hold()
        self.reaches("ending", within_s=8)
        self.reaches("idle", within_s=15)

    # What the fleet says of it

    @property
    def seen(self) -> dict[str, Any]:
        return self.demo.fleet(f"kiosks/{self.id}")

    def ledger(self) -> list[dict[str, Any]]:
        rows: list[dict[str, Any]] = []
        after = 0
        while True:
            page = self.demo.fleet(f"kiosks/{self.id}/ledger?after={after}&limit=500")["items"]
            if not page:
                return rows
            rows += page
            after = rows[-1]["seq"]

    def session(self, id_: str) -> dict[str, Any]:
        return self.demo.fleet(f"sessions/{id_}")

    def arrives(self, session: str, within_s: float = 40) -> dict[str, Any]:
        """Wait until the fleet holds the whole of an ended session."""

        def whole() -> dict[str, Any] | None:
            answer = self.demo.ask(f"sessions/{session}")
            return dict(answer.json()) if answer.is_success and answer.json()["complete"] else None

        return until(whole, within_s, f"session {session} is complete at the fleet")


class Demo:
    """A running demo."""

    def __init__(self, told: dict[str, Any], process: subprocess.Popen[str]) -> None:
        self.told, self.process = told, process
        self.lab, self.url = told["lab"], told["fleet"]
        self.http = httpx.Client(timeout=10)
        self.kiosks = [Kiosk(self, one) for one in told["kiosks"]]

    @property
    def kiosk(self) -> Kiosk:
        return self.kiosks[0]

    def ask(self, path: str) -> httpx.Response:
        return self.http.get(f"{self.url}/api/v1/{path}", headers={"Authorization": f"Bearer {self.told['api_token']}"})

    def fleet(self, path: str) -> dict[str, Any]:
        answer = self.ask(path)
        assert answer.is_success, f"{path}: {answer.status_code} {answer.text}"
        return dict(answer.json())

    @property
    def now(self) -> dict[str, Any]:
        """The description as of now: process ids change with restarts."""
        return dict(self.http.get(f"{self.lab}/state").json()["demo"])

    def pid(self, *path: str) -> int:
        found: Any = self.now["pids"]
        for name in path:
            found = found[name]
        return int(found)

    def kill(self, *path: str) -> None:
        os.kill(self.pid(*path), signal.SIGKILL)


@contextlib.contextmanager
def running_demo(*arguments: str, clips: bool = True) -> Iterator[Demo]:
    """`carrel-lab demo --json` with real clips, ended as Ctrl-C would; nothing of it may be left."""
    command = [sys.executable, "-m", "lab.cli", "demo", "--json", "--port", "0", *arguments]
    with tempfile.TemporaryDirectory() as folder:
        if clips:
            command += [f"--{role}=file:{clip(role, Path(folder))}" for role in ("front", "overhead")]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        assert process.stdout is not None
        with process.stdout:
            line = process.stdout.readline()
            assert line, f"the demo ended with {process.wait(10)}"
            demo = Demo(json.loads(line), process)
            try:
                yield demo
            finally:
                demo.http.close()
                if process.poll() is None:
                    process.send_signal(signal.SIGINT)
                    assert process.wait(30) == 0
                assert process.stdout.read() == "", "nothing else goes to standard output"


def processes_of(folder: Path) -> list[int]:
    """The processes whose command line names `folder`."""
    found = []
    for entry in Path("/proc").iterdir():
        with contextlib.suppress(OSError):
            if entry.name.isdigit() and str(folder).encode() in (entry / "cmdline").read_bytes():
                found.append(int(entry.name))
    return found


def adds_up(minutes: dict[str, Any]) -> bool:
    parts = minutes["running_ms"] + minutes["paused_ms"] + sum(minutes["interrupted_ms"].values())
    return bool(parts == minutes["elapsed_ms"])


def same_ledger(kiosk: Kiosk, folder: Path) -> None:
    """The fleet holds the very rows of the kiosk's own file, from seq 1 on, none twice, and nothing waits."""
    until(lambda: kiosk.state["backlog"]["rows"] == 0, 40, "every row is confirmed")
    held = kiosk.ledger()  # first: rows go on being written, and the kiosk has each before the fleet
    ((_, own),) = epochs(folder / kiosk.id / "data" / "ledger.db")
    assert [row["seq"] for row in held] == list(range(1, len(held) + 1))
    assert [row["hash"] for row in held] == [row.hash for row in own[: len(held)]]
    assert len(own) - len(held) <= 8, "what was written since the backlog was empty"
