"""What is recorded, in whole demos on real video: sealed, opened by the fleet, played, or gone without a trace."""

import os
import shutil
import stat
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Final

import av
import cv2
import numpy as np
import pytest
from playwright.sync_api import Browser, expect

from tests import sealed
from tests.system.running import Demo, Kiosk, running_demo, until
from wire.segments import scan

pytestmark = [pytest.mark.needs_mosquitto, pytest.mark.needs_chromium, pytest.mark.timeout(300)]

SIZES: Final = {"overhead": (1280, 720), "front": (640, 480)}
MAGIC: Final = b"CARRELSG"
LEDGER: Final = {"ledger.db", "ledger.db-wal", "ledger.db-shm"}


@pytest.fixture(scope="module")
def demo(folder: Path) -> Iterator[Demo]:
    """Two kiosks, each with a booking open now whose student's consent allows to record."""
    with running_demo("--kiosks", "2", "--record", "--data-dir", str(folder)) as found:
        yield found


def test_a_plain_session_leaves_no_picture_anywhere(tmp_path: Path) -> None:
    with running_demo("--kiosks", "1", "--data-dir", str(tmp_path)) as plain:
        kiosk = plain.kiosk
        kiosk.press()
        kiosk.reaches("live")
        until(lambda: all(one["coded"] > 20 for one in kiosk.state["cameras"].values()), 20, "pictures are coded")
        assert kiosk.state["recording"]["keep"] == "nothing"
        for role, size in SIZES.items():
            assert size_of_picture(plain.http.get(f"{kiosk.screen}/api/cameras/{role}/still.jpg").content) == size
        pids = {role: one["pid"] for role, one in kiosk.state["cameras"].items()}
        for pid in pids.values():
            assert written_by(pid) <= {"kiosk.log"}
        assert written_by(plain.pid("kiosks", kiosk.id, "agent")) <= {"kiosk.log", *LEDGER}
        assert {path.name for path in data(tmp_path, kiosk).rglob("*")} <= {"segments", "quarantine", *LEDGER}
    assert holding(tmp_path, MAGIC) == []


def test_what_is_recorded_outlives_everything_and_plays(
    demo: Demo, folder: Path, tmp_path: Path, browser: Browser
) -> None:
    kiosk = demo.kiosks[0]
    screen = browser.new_page(viewport={"width": 1024, "height": 600})
    screen.goto(kiosk.screen)
    kiosk.press()
    session = kiosk.reaches("live")["session"]["id"]
    records(kiosk, folder)
    expect(screen.locator("footer")).to_contain_text("Recorded, sealed", timeout=10_000)

    kiosk.cut_link("reset")
    kiosk.reaches("buffering", within_s=10)
    expect(screen.locator("#then")).to_contain_text("sealed pictures", timeout=10_000)
    records(kiosk, folder)
    kiosk.restore_link()

    demo.kill("kiosks", kiosk.id, "front")
    until(lambda: rows(kiosk, "segment.recovered"), 40, "what the killed worker wrote is recovered")
    until(lambda: kiosk.state["cameras"]["front"]["state"] == "open", 20, "pictures are back")
    records(kiosk, folder)

    kiosk.cut_power(for_s=1)
    kiosk.reaches("no answer", within_s=5)
    assert kiosk.reaches("live", "buffering", within_s=40)["session"]["id"] == session
    records(kiosk, folder)
    time.sleep(6)  # the first seconds after the first picture are deaf
    kiosk.hold()
    kiosk.reaches("ending", within_s=8)
    until(lambda: not files(folder, kiosk, ".part"), 20, "both cameras have finished")
    kept = {path.stem for path in [*files(folder, kiosk, ".seg"), *sent(folder)]}
    until(lambda: kept == {row["data"]["segment"] for row in told(kiosk)}, 40, "the fleet knows of all that is kept")
    screen.close()

    recovered = rows(kiosk, "segment.recovered")
    assert sorted((row["data"]["reason"], row["data"]["role"]) for row in recovered) == [
        ("power", "front"), ("power", "overhead"), ("worker", "front"),
    ]  # fmt: skip
    for row in told(kiosk):
        assert row["session"] == session
        film = opened(folder, kiosk, row["data"]["segment"], tmp_path)
        assert size_of(film) == SIZES[row["data"]["role"]]
        frames = sealed.frames(film.read_bytes())
        assert frames > 0
        if row["type"] == "segment.sealed":
            assert frames == row["data"]["frames"]
    for role, size in SIZES.items():
        last = [row["data"]["segment"] for row in told(kiosk) if row["data"]["role"] == role][-1]
        plays(browser, tmp_path / f"{last}.mp4", size)


def test_not_this_student_destroys_what_was_recorded(demo: Demo, folder: Path) -> None:
    kiosk = demo.kiosks[1]
    kiosk.press()
    session = kiosk.reaches("live")["session"]["id"]
    records(kiosk, folder)
    demo.kill("kiosks", kiosk.id, "front")  # so that there is a finished segment besides those being written
    until(lambda: files(folder, kiosk, ".seg"), 20, "a segment is on the shelf")
    records(kiosk, folder)
    traces = [trace for path in files(folder, kiosk, ".part", ".seg") for trace in traces_of(path)]
    assert all(holding(folder, trace) for trace in traces)

    answer = demo.http.post(
        f"{kiosk.screen}/api/action", json={"name": "not-this-student", "value": ""}, headers={"Origin": kiosk.screen}
    )
    assert answer.is_success, answer.text
    until(lambda: not files(folder, kiosk, ".part", ".seg", ".gone"), 15, "nothing of it is left")
    until(lambda: len(rows(kiosk, "segment.destroyed")) >= 3, 20, "the ledger says so")
    assert {(row["session"], row["data"]["reason"]) for row in rows(kiosk, "segment.destroyed")} == {
        (session, "not-this-student")
    }
    assert kiosk.state["recording"]["keep"] == "nothing"
    assert kiosk.state["session"]["id"] == session, "the session goes on"
    assert [holding(folder, trace) for trace in traces] == [[]] * len(traces)
    assert holding(folder / kiosk.id, MAGIC) == []
    for camera in kiosk.state["cameras"].values():
        assert written_by(camera["pid"]) <= {"kiosk.log"}


# What lies on the disk


def data(folder: Path, kiosk: Kiosk) -> Path:
    return Path(folder, kiosk.id, "data")


def files(folder: Path, kiosk: Kiosk, *endings: str) -> list[Path]:
    return sorted(path for path in (data(folder, kiosk) / "segments").rglob("*") if path.suffix in endings)


def sent(folder: Path) -> list[Path]:
    """What has arrived at the fleet."""
    return sorted((folder / "fleet" / "data" / "segments").glob("*.seg"))


def records(kiosk: Kiosk, folder: Path) -> None:
    """Wait until both cameras write, and what they write grows."""

    def sizes() -> dict[str, int]:
        names = [one["segment"] for one in kiosk.state["cameras"].values()]
        parts = {path.stem: path.stat().st_size for path in files(folder, kiosk, ".part")}
        return {name: parts[name] for name in names if name in parts}

    before = until(lambda: found if len(found := sizes()) == 2 else None, 20, "both cameras write a segment")
    assert kiosk.state["recording"]["keep"] == "all"
    until(lambda: all(sizes().get(name, 0) > size + 50_000 for name, size in before.items()), 20, "they grow")


def holding(folder: Path, what: bytes) -> list[Path]:
    """The files in which these bytes stand."""
    found = []
    for path in folder.rglob("*"):
        with suppress(FileNotFoundError):  # a database's own journal comes and goes
            if path.is_file() and what in path.read_bytes():
                found.append(path)
    return found


def traces_of(path: Path) -> list[bytes]:
    """What nothing but this segment has in it: its wrapped key, and the beginning of its first pictures."""
    with path.open("rb") as file:
        found = scan(file)
        file.seek(found.records[1].offset)
        return [found.header.wrapped_key.encode(), file.read(64)]


def written_by(pid: int) -> set[str]:
    """The names of the files on a disk that a process holds open for writing, by the kernel's own account."""
    names = set()
    for fd in Path(f"/proc/{pid}/fd").iterdir():
        try:
            link, mode = fd.readlink(), fd.stat().st_mode
            info = Path(f"/proc/{pid}/fdinfo/{fd.name}").read_text()
        except FileNotFoundError:
            continue  # closed meanwhile
        flags = int(next(line for line in info.splitlines() if line.startswith("flags:")).split()[1], 8)
        in_memory = str(link).startswith("/memfd:")
        if stat.S_ISREG(mode) and flags & os.O_ACCMODE != os.O_RDONLY and not in_memory:
            names.add(link.name)
    return names


# What the fleet can do with it


def rows(kiosk: Kiosk, kind: str) -> list[dict[str, Any]]:
    return [row for row in kiosk.ledger() if row["type"] == kind]


def told(kiosk: Kiosk) -> list[dict[str, Any]]:
    """The rows of all segments that the fleet knows to be kept, oldest first."""
    return [row for row in kiosk.ledger() if row["type"] in {"segment.sealed", "segment.recovered"}]


def opened(folder: Path, kiosk: Kiosk, segment: str, into: Path) -> Path:
    """A segment, carried away from the kiosk and opened with the fleet's key."""
    carried = into / f"{segment}.seg"
    try:
        shutil.copy(data(folder, kiosk) / "segments" / carried.name, carried)
    except FileNotFoundError:  # the fleet has it by now
        shutil.copy(folder / "fleet" / "data" / "segments" / carried.name, carried)
    film = carried.with_suffix(".mp4")
    command = [sys.executable, "-m", "fleet.cli", "open-segment", str(carried), "-o", str(film)]
    subprocess.run([*command, "--config", str(folder / "fleet" / "fleet.toml")], check=True, capture_output=True)
    return film


def size_of(film: Path) -> tuple[int, int]:
    with av.open(str(film)) as container:
        stream = container.streams.video[0]
        return stream.width, stream.height


def size_of_picture(jpeg: bytes) -> tuple[int, int]:
    picture = cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_COLOR)
    assert picture is not None
    height, width = picture.shape[:2]
    return width, height


def plays(browser: Browser, film: Path, size: tuple[int, int]) -> None:
    """In a browser, as a therapist would look at it."""
    site = film.with_suffix(".html")
    site.write_text(f'<!doctype html><video muted autoplay src="{film.name}"></video>', encoding="utf-8")
    with served_folder(film.parent) as address:
        page = browser.new_page()
        page.goto(f"{address}/{site.name}")
        page.wait_for_function("() => document.querySelector('video').currentTime > 0.5", timeout=20_000)
        shown = page.evaluate(
            "() => { const v = document.querySelector('video'); return [v.videoWidth, v.videoHeight] }"
        )
        assert tuple(shown) == size
        page.close()


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the name is the base class's
        pass


@contextmanager
def served_folder(folder: Path) -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(_Quiet, directory=str(folder)))
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
