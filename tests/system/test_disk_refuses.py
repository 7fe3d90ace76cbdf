"""A disk that really fills, and one that the kernel really makes read-only, under a kiosk with a session (F1, F2).

An ext4 of its own is the kiosk's data folder. A kernel lets nobody remount a file system read-only while a file on it
is open for writing, as a ledger always is; what happens in schools is that the kernel does it by itself after an error
(`errors=remount-ro`). The mount option `abort` makes ext4 do just that.
"""

import contextlib
import os
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from lab.bench.power_cut import mounted, trouble
from tests.system.running import Demo, Kiosk, adds_up, running_demo, same_ledger, until

pytestmark = [pytest.mark.needs_mosquitto, pytest.mark.timeout(400)]
_WORDS = ("The kiosk cannot keep its record.", "No session can start.")
_DISK_BYTES = 2 * 1024**3
"""Sparse: so large that there is room enough for no card to come up about it."""


def run(*command: str) -> None:
    subprocess.run(command, check=True, capture_output=True)


def may_be_left_out(folder: Path) -> bool:
    """As in lab/bench/loss: who is not root may do without; root where nothing can be mounted fails."""
    why = trouble(folder / "try")
    if os.geteuid() != 0:
        assert why is not None
        assert "root" in why
        return True
    assert why is None, why
    return False


@contextlib.contextmanager
def demo_on_a_disk(folder: Path) -> Iterator[tuple[Demo, Path, Path]]:
    """A demo whose first kiosk has an ext4 of its own; with the disk's image and the place where it is mounted."""
    image, disk = folder / "image", folder / "lincoln-12" / "data"
    disk.mkdir(parents=True)
    with image.open("wb") as file:
        file.truncate(_DISK_BYTES)
    run("mkfs.ext4", "-q", "-F", "-m", "0", "-E", "lazy_itable_init=1,lazy_journal_init=1", str(image))
    with mounted(image, disk):
        run("mount", "-o", "remount,errors=remount-ro", str(disk))
        with running_demo("--kiosks", "1", "--data-dir", str(folder)) as demo:
            kiosk = demo.kiosk
            until(lambda: kiosk.state["state"] == "idle" and kiosk.state["link"]["up"], 60, "the kiosk is at rest")
            yield demo, image, disk


def fill(disk: Path) -> Path:
    """Write until nothing more fits."""
    filler = disk / "filler"
    with filler.open("wb", buffering=0) as file:
        os.posix_fallocate(file.fileno(), 0, max(1, _free(disk) - 4 * 1024**2))
        file.seek(0, os.SEEK_END)
        for size in (65_536, 4_096):
            with contextlib.suppress(OSError):
                while file.write(b"x" * size) == size:
                    os.fsync(file.fileno())
    return filler


def _free(disk: Path) -> int:
    return os.statvfs(disk).f_bavail * os.statvfs(disk).f_frsize


def ask_for_help(kiosk: Kiosk) -> None:
    origin = {"Origin": kiosk.screen, "Host": kiosk.screen.removeprefix("http://")}
    answer = kiosk.demo.http.post(f"{kiosk.screen}/api/action", json={"name": "help", "value": ""}, headers=origin)
    assert answer.status_code < 500, answer.text


def rows_until_refused(kiosk: Kiosk) -> None:
    """Write facts until the disk takes no more: what a file has room for already, it still takes."""

    def refused() -> bool:
        ask_for_help(kiosk)
        return kiosk.has_signal("storage.readonly")

    until(refused, 60, "the disk refuses")


def gives_pictures(kiosk: Kiosk) -> None:
    """A press is heard from five seconds after the first pictures on."""

    def both() -> bool:
        cameras = kiosk.state["cameras"]
        return bool(cameras) and all(one["last_frame_age_s"] is not None for one in cameras.values())

    until(both, 90, "both cameras give pictures")


def refuses_a_start_in_words(kiosk: Kiosk) -> None:
    said = {"name": "help-over", "value": ""}  # else the screen tells of the call, and of nothing else
    kiosk.demo.http.post(f"{kiosk.screen}/api/action", json=said, headers={"Origin": kiosk.screen})
    kiosk.hold()
    kiosk.reaches("ending", within_s=20)
    kiosk.reaches("fault", within_s=30)
    kiosk.press()
    page = kiosk.demo.http.get(kiosk.screen).text
    assert all(words in page for words in _WORDS)
    assert kiosk.state["session"] is None


def test_f1_a_full_disk_a_session_goes_on_no_other_begins_and_with_room_again_every_row_is_there_once(
    tmp_path: Path,
) -> None:
    if may_be_left_out(tmp_path):
        return
    with demo_on_a_disk(tmp_path) as (demo, _, disk):
        kiosk = demo.kiosk
        session = kiosk.start_session()
        filler = fill(disk)
        assert os.statvfs(disk).f_bavail == 0
        rows_until_refused(kiosk)
        assert kiosk.state["session"]["id"] == session
        assert kiosk.state["readiness"]["verdict"] == "blocked"
        refuses_a_start_in_words(kiosk)
        filler.unlink()
        kiosk.reaches("idle", within_s=20)
        until(lambda: not kiosk.has_signal("storage.readonly"), 15, "nothing is wrong with the disk any more")
        found = kiosk.arrives(session, within_s=60)
        assert adds_up(found["minutes"])
        same_ledger(kiosk, tmp_path)
        types = [row["type"] for row in kiosk.ledger()]
        assert {"help.called", "session.ended", "start.refused"} <= set(types), "what was in memory only is there now"
        assert types.count("session.ended") == 1


def test_f2_a_disk_that_the_kernel_makes_read_only_and_a_power_cycle_later_all_that_was_durable_is_there_once(
    tmp_path: Path,
) -> None:
    if may_be_left_out(tmp_path):
        return
    with demo_on_a_disk(tmp_path) as (demo, image, disk):
        kiosk = demo.kiosk
        session = kiosk.start_session()
        until(lambda: kiosk.state["backlog"]["rows"] == 0, 30, "the fleet has all so far")
        durable = len(kiosk.ledger())
        subprocess.run(["mount", "-o", "remount,abort", str(disk)], check=False, capture_output=True)
        with pytest.raises(OSError, match="Read-only file system"):
            (disk / "more").write_bytes(b"x")
        rows_until_refused(kiosk)
        state = kiosk.state
        assert state["session"]["id"] == session, "it goes on, in memory"
        assert state["readiness"]["verdict"] == "blocked", "and is marked"
        assert state["link"]["up"]
        refuses_a_start_in_words(kiosk)

        kiosk.order("power", cut=True)
        run("umount", str(disk))
        subprocess.run(["e2fsck", "-f", "-p", str(image)], check=False, capture_output=True)
        run("mount", "-o", "loop", str(image), str(disk))
        kiosk.order("power", cut=False)
        kiosk.reaches("live", "idle", within_s=60)
        if kiosk.state["state"] == "live":  # its end was in memory only: the kiosk takes it for a power cut
            gives_pictures(kiosk)
            time.sleep(6)  # deaf seconds, as after a press
            kiosk.hold()
            kiosk.reaches("ending", within_s=20)
            kiosk.reaches("idle", within_s=20)
        found = kiosk.arrives(session, within_s=60)
        assert adds_up(found["minutes"])
        same_ledger(kiosk, tmp_path)
        rows = kiosk.ledger()
        assert len(rows) > durable
        assert [row["type"] for row in rows].count("session.started") == 1
