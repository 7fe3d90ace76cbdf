"""Kiosk and fleet are killed in mid-upload, again and again: every byte arrives once, and nothing goes too early."""

import asyncio
import json
import os
import random
import resource
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Coroutine, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from threading import Thread
from typing import Any

import pytest

from device.session.ledger_files import epochs
from device.uploader import CHUNK_BYTES
from fleet.settings import load
from fleet.upload_keys import receipt_public
from lab.relay import Relay, Way
from tests.broker import Mosquitto, free_port, needs_mosquitto, running_mosquitto
from tests.device.uploading import shelve
from tests.fleet.serving import Service, running_service, until

KILLS = int(os.environ.get("CARREL_UPLOAD_KILLS", "6"))

pytestmark = [needs_mosquitto, pytest.mark.timeout(180 + 20 * KILLS)]
SEGMENTS, SIZE_BYTES = max(4, KILLS // 3), 2_000_000


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
    with sending(tmp_path, [SIZE_BYTES] * SEGMENTS) as (service, child, files):
        stored = tmp_path / "fleet" / "data" / "segments"
        offsets: list[tuple[str, int]] = []
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
        sys.stderr.write(f"killed {len(offsets)} times, with so much of an upload there: {offsets}\n")
        assert {path.stem: path.read_bytes() for path in stored.iterdir()} == files
        assert {one["state"] for one in _listed(service)} == {"stored"}
    assert len(offsets) == KILLS
    midway = [offset for _, offset in offsets if 0 < offset < SIZE_BYTES]
    assert len(midway) >= KILLS // 2
    assert len(set(midway)) >= min(4, KILLS // 3), "at different offsets"
    ((_, rows),) = epochs(tmp_path / "kiosk" / "ledger.db")
    uploaded = [json.loads(row.body)["data"]["segment"] for row in rows if '"segment.uploaded"' in row.body]
    assert sorted(uploaded) == sorted(files), "one row each"


@contextmanager
def relaying(to_port: int) -> Iterator[tuple[int, Callable[[Way | None], None]]]:
    """The way to a port of this machine, and a switch that breaks or mends it."""
    loop, relay = asyncio.new_event_loop(), Relay(to_port)
    thread = Thread(target=loop.run_forever)
    thread.start()

    def do(work: Coroutine[Any, Any, None]) -> None:
        asyncio.run_coroutine_threadsafe(work, loop).result(10)

    async def turn(way: Way | None) -> None:
        relay.restore() if way is None else relay.cut(way)

    do(relay.start())
    try:
        yield relay.port, lambda way: do(turn(way))
    finally:
        do(relay.stop())
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


@contextmanager
def sending(
    tmp_path: Path, sizes: Sequence[int], *lines: str, port: int = 0
) -> Iterator[tuple[Service, Child, dict[str, bytes]]]:
    """A fleet and a kiosk that is about to send segments of these sizes."""
    kiosk_folder, fleet_folder = tmp_path / "kiosk", tmp_path / "fleet"
    kiosk_folder.mkdir()
    fleet_folder.mkdir()
    files = dict(shelve(kiosk_folder, size) for size in sizes)
    with running_mosquitto() as broker, running_service(fleet_folder, broker.url, *lines, port=port) as service:
        child = Child(kiosk_folder, broker, receipt_public(load(service.config).data_dir), idle_mbit_s=8)
        child.start()
        try:
            yield service, child, files
        finally:
            child.kill()


def test_a_fleet_without_room_says_so_and_the_kiosk_keeps_its_file(tmp_path: Path) -> None:
    with sending(tmp_path, [SIZE_BYTES]) as (service, child, files):
        assert service.process is not None
        limit_bytes = 1_200_000
        resource.prlimit(service.process.pid, resource.RLIMIT_FSIZE, (limit_bytes, resource.RLIM_INFINITY))
        until(lambda: "has no room" in (child.folder / "child.log").read_text(), "the kiosk says so")
        assert child.files() == files
        (part,) = (tmp_path / "fleet" / "data" / "segments").iterdir()
        assert 0 < part.stat().st_size <= limit_bytes
        unlimited = (resource.RLIM_INFINITY, resource.RLIM_INFINITY)
        resource.prlimit(service.process.pid, resource.RLIMIT_FSIZE, unlimited)
        until(lambda: not child.files(), "there is room, and it goes on", within_s=90)
        stored = tmp_path / "fleet" / "data" / "segments"
        assert {path.stem: path.read_bytes() for path in stored.iterdir()} == files


def test_a_connection_that_says_nothing_more_is_left_and_the_upload_goes_on(tmp_path: Path) -> None:
    port = free_port()
    with (
        relaying(port) as (entrance, switch),
        sending(tmp_path, [SIZE_BYTES], f'upload_url = "http://127.0.0.1:{entrance}"', port=port) as (_, child, files),
    ):
        stored = tmp_path / "fleet" / "data" / "segments"
        for way in (Way.SILENT, Way.RESET):
            moved = _grows(stored)
            until(moved, "it goes on")
            switch(way)
            size = sum(path.stat().st_size for path in stored.glob("*"))
            time.sleep(1)
            assert sum(path.stat().st_size for path in stored.glob("*")) <= size + CHUNK_BYTES, "nothing passes"
            assert child.files() == files
            switch(None)
        until(lambda: not child.files(), "it goes on to its end", within_s=90)
        assert {path.stem: path.read_bytes() for path in stored.iterdir()} == files


def _grows(stored: Path):  # type: ignore[no-untyped-def]  # noqa: ANN202 - a look that remembers
    def size() -> int:
        return sum(path.stat().st_size for path in stored.glob("*.*"))

    before = size()
    return lambda: size() > before + 100_000


def _listed(service: Service) -> list[dict[str, str]]:
    found: list[dict[str, str]] = service.get("/api/v1/sessions/a-session/segments")["items"]
    return found
