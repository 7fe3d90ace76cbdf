"""Kiosk and fleet are killed in mid-upload, again and again: every byte arrives once, and nothing goes too early."""

import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from device.session.ledger import epochs
from fleet.settings import load
from fleet.upload_keys import receipt_public
from tests.broker import Mosquitto, needs_mosquitto, running_mosquitto
from tests.device.uploading import shelve
from tests.fleet.serving import Service, running_service, until

pytestmark = [needs_mosquitto, pytest.mark.timeout(300)]

KILLS = int(os.environ.get("CARREL_UPLOAD_KILLS", "9"))
SEGMENTS, SIZE_BYTES = 4, 2_000_000


class Child:
    """The kiosk's side as a process of its own."""

    def __init__(self, folder: Path, broker: Mosquitto, receipt_key: str, idle_mbit_s: float) -> None:
        told = {"broker": broker.port, "receipt_key": receipt_key, "idle_mbit_s": idle_mbit_s}
        lines = [f"{name} = {json.dumps(value)}" for name, value in told.items()]
        (folder / "child.toml").write_text("\n".join(lines) + "\n")
        self.folder = folder
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        with (self.folder / "child.log").open("ab") as log:
            command = ["setpriv", "--pdeathsig", "KILL", sys.executable, "-m", "tests.device.uploading"]
            self.process = subprocess.Popen([*command, str(self.folder)], stdout=log, stderr=log)

    def kill(self) -> None:
        assert self.process is not None
        assert self.process.poll() is None, (self.folder / "child.log").read_text()
        self.process.send_signal(signal.SIGKILL)
        self.process.wait(10)

    def files(self) -> dict[str, bytes]:
        return {path.stem: path.read_bytes() for path in (self.folder / "segments").glob("*.seg")}


def test_both_sides_are_killed_at_many_offsets_and_every_byte_arrives_once(tmp_path: Path) -> None:
    dice = random.Random(20261124)
    kiosk_folder, fleet_folder = tmp_path / "kiosk", tmp_path / "fleet"
    kiosk_folder.mkdir()
    fleet_folder.mkdir()
    files = dict(shelve(kiosk_folder, SIZE_BYTES) for _ in range(SEGMENTS))
    with running_mosquitto() as broker, running_service(fleet_folder, broker.url) as service:
        stored = fleet_folder / "data" / "segments"
        child = Child(kiosk_folder, broker, receipt_public(load(service.config).data_dir), idle_mbit_s=8)
        child.start()
        offsets: list[tuple[str, int]] = []
        try:
            for number in range(KILLS):
                moved = _grows(stored)
                until(lambda moved=moved: moved() or not child.files(), "an upload goes on")  # type: ignore[misc]
                time.sleep(dice.uniform(0.0, 0.4))
                if not child.files():
                    break
                who = "fleet" if number % 3 == 2 else "kiosk"
                (service if who == "fleet" else child).kill()
                offsets.append((who, sum(path.stat().st_size for path in stored.glob("*.part"))))
                whole = {path.stem for path in stored.glob("*.seg")}
                assert child.files().keys() | whole >= files.keys(), "nothing is gone that the fleet has not whole"
                (service if who == "fleet" else child).start()
            until(lambda: not child.files(), "all is sent", within_s=120)
            until(lambda: len(_listed(service)) == SEGMENTS, "all is listed")
        finally:
            child.kill()
        sys.stderr.write(f"killed {len(offsets)} times, with so much of an upload there: {offsets}\n")
        assert {path.stem: path.read_bytes() for path in stored.iterdir()} == files
        assert {one["state"] for one in _listed(service)} == {"stored"}
    assert len(offsets) == KILLS
    midway = [offset for _, offset in offsets if 0 < offset < SIZE_BYTES]
    assert len(midway) >= KILLS // 2
    assert len(set(midway)) >= min(4, KILLS // 3), "at different offsets"
    ((_, rows),) = epochs(kiosk_folder / "ledger.db")
    uploaded = [json.loads(row.body)["data"]["segment"] for row in rows if '"segment.uploaded"' in row.body]
    assert sorted(uploaded) == sorted(files), "one row each"


def _grows(stored: Path):  # type: ignore[no-untyped-def]  # noqa: ANN202 - a look that remembers
    def size() -> int:
        return sum(path.stat().st_size for path in stored.glob("*.*"))

    before = size()
    return lambda: size() > before + 100_000


def _listed(service: Service) -> list[dict[str, str]]:
    found: list[dict[str, str]] = service.get("/api/v1/sessions/a-session/segments")["items"]
    return found
