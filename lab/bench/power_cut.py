"""A power cut in the middle of two recordings: how much video is lost, and whether what is left still opens.

Each cut has a fresh ext4 on a loop device. A process records two cameras onto it in real time; at a random moment the
file system is shut down by EXT4_IOC_SHUTDOWN without flushing its journal, so that only what was synced is there when
it is mounted again. Then the product's own recovery runs, and everything is opened with the fleet's key and decoded.
It needs root. What it cannot show is a disk that lies about its own cache.
"""

import fcntl
import os
import random
import struct
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import av

from device.segments import Shelf
from lab.bench.figures import Figure, Results, at_most, median, percentile
from lab.bench.neighbours import Neighbours
from lab.bench.power_cut_child import SPECS
from lab.bench.recordings import Look, Recordings

_P95_GOAL_S: Final = 0.8
_WORST_GOAL_S: Final = 1.2
_AT_ONCE: Final = 4
"""Devices in parallel; more would make the recorders wait for the processor, which no kiosk's do."""
_SHUTDOWN: Final = 0x8004587D
_NO_LOG_FLUSH: Final = 2
_DEVICE_BYTES: Final = 64 * 1024 * 1024
_UNMOUNT_TRIES: Final = 100


@dataclass(frozen=True, slots=True)
class Cut:
    """What had been handed over before one cut, and what was left of it."""

    handed_ns: dict[str, list[int]]
    """By role, when each picture was taken that the recorder had been given."""
    sealed: frozenset[str]
    """The segments that the recorder had called whole."""
    look: Look

    def lost_s(self, role: str, period_ns: float) -> float:
        """From the end of what opens to the end of the newest picture that was handed over."""
        handed = self.handed_ns[role]
        return max(0.0, (handed[-1] + period_ns - self._end_ns(role)) / 1e9)

    @property
    def is_deep(self) -> bool:
        """Whether more is gone than the end: a segment that was called whole, or a picture before one that opens."""
        return not self.sealed <= {one.segment for one in self.look.videos} or any(
            # The picture at the very end may be on either side of it: a file's times are whole milliseconds.
            sum(one.frames for one in self.look.videos if one.role == spec.role)
            < sum(taken_ns <= self._end_ns(spec.role) - 1e9 / spec.fps for taken_ns in self.handed_ns[spec.role])
            for spec in SPECS
        )

    def _end_ns(self, role: str) -> int:
        ends = [one.end_ns for one in self.look.videos if one.role == role]
        return max(ends, default=self.handed_ns[role][0])


def measure(results: Results, folder: Path, cuts: int, unsynced: int, plain: int) -> None:
    """Cut that often, as it is, without the sync, and with plain MP4 files."""
    if why := trouble(folder / "trial"):
        sys.stdout.write(f"power cuts: skipped, because {why}\n")
        return
    with Neighbours() as neighbours:
        done = _cuts(folder, "synced", cuts)
    lost_s = [one.lost_s(spec.role, 1e9 / spec.fps) for one in done for spec in SPECS]
    results.samples("power_cut_lost_s", "s", lost_s)
    note = f"{cuts} cuts of two cameras, median {median(lost_s):.2f} s; {neighbours}"
    results.add(at_most("video lost at a power cut, p95", percentile(lost_s, 95), _P95_GOAL_S, "s", note))
    results.add(at_most("video lost at a power cut, worst", max(lost_s), _WORST_GOAL_S, "s"))
    unreadable = [words for one in done for words in one.look.unreadable]
    note = "; ".join(unreadable[:2]) or f"of {sum(len(one.look.videos) for one in done)}"
    results.add(at_most("segments unreadable after the cuts", len(unreadable), 0, "", note))
    note = f"{sum(len(one.sealed) for one in done)} segments had been ended before"
    results.add(
        at_most("cuts that lost more than the open segment's end", sum(one.is_deep for one in done), 0, "", note)
    )

    lost_s = [one.lost_s(spec.role, 1e9 / spec.fps) for one in _cuts(folder, "unsynced", unsynced) for spec in SPECS]
    results.samples("power_cut_unsynced_lost_s", "s", lost_s)
    results.add(Figure("video lost without the sync, median", median(lost_s), "s", note="all there was, 2 to 4 s"))
    dead = [words for one in _cuts(folder, "plain", plain) for words in one.look.unreadable]
    share = 100 * len(dead) / (plain * len(SPECS))
    results.add(Figure("plain MP4 files that play no more", share, "%", note=f"of {plain * len(SPECS)}"))


def trouble(place: Path) -> str | None:
    """Why no disk can be made and mounted here; None when it can."""
    if os.geteuid() != 0:
        return "making and mounting a disk takes root; run `sudo make bench`"
    image, disk = blank_disk(place)
    try:
        _run("mkfs.ext4", "-q", "-F", os.fspath(image))
        with mounted(image, disk):
            return None
    except FileNotFoundError as error:
        return f"{error.filename} is missing; install it"
    except subprocess.CalledProcessError as error:
        return f"no disk can be mounted here: {error.stderr.strip()}"
    finally:
        image.unlink()


def blank_disk(place: Path) -> tuple[Path, Path]:
    """An empty image and the folder to mount it on."""
    image, disk = place / "image", place / "disk"
    disk.mkdir(parents=True)
    with image.open("wb") as file:
        file.truncate(_DEVICE_BYTES)
    return image, disk


def _cuts(folder: Path, how: str, count: int) -> list[Cut]:
    chance = random.Random(how)
    moments_s = [chance.uniform(2.0, 4.0) for _ in range(count)]
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        return list(pool.map(lambda at: _cut(folder / f"{how}-{at}", how, moments_s[at]), range(count)))


def _cut(place: Path, how: str, after_s: float) -> Cut:
    image, disk = blank_disk(place)
    _run("mkfs.ext4", "-q", "-F", os.fspath(image))
    recordings = Recordings(place, disk / "segments")
    with mounted(image, disk):
        said, cut_ns = _recorded_until_cut(recordings, how, after_s)
    left = place / "left"
    # A copy, because the kernel's memory of the first disk may live on in another process's view of what is mounted.
    _run("cp", "--sparse=always", os.fspath(image), os.fspath(left))
    image.unlink()
    with mounted(left, disk):
        Shelf(recordings.folder).recover()
        look = recordings.look() if how != "plain" else _plain_look(recordings.folder)
    left.unlink()
    words = [line.split() for line in said]
    handed = {
        spec.role: [int(taken) for role, taken in words if role == spec.role and int(taken) <= cut_ns] for spec in SPECS
    }
    return Cut(handed, frozenset(segment for what, segment in words if what == "sealed"), look)


def _recorded_until_cut(recordings: Recordings, how: str, after_s: float) -> tuple[list[str], int]:
    """What the recording process said before its disk went away, and when that was."""
    said: list[str] = []
    process = subprocess.Popen(
        [sys.executable, "-P", "-m", "lab.bench.power_cut_child", recordings.folder, recordings.key, how],
        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
    )  # fmt: skip
    assert process.stdout is not None
    with process:
        try:
            if process.stdout.readline() != "ready\n":
                raise RuntimeError("the recording process did not come up")
            hearing = threading.Thread(target=said.extend, args=(process.stdout,))
            hearing.start()
            time.sleep(after_s)
            fd = os.open(recordings.folder, os.O_RDONLY)
            cut_ns = time.monotonic_ns()
            fcntl.ioctl(fd, _SHUTDOWN, struct.pack("I", _NO_LOG_FLUSH))
            os.close(fd)
        finally:
            process.kill()
        hearing.join()
    return [line.strip() for line in said], cut_ns


@contextmanager
def mounted(image: Path, disk: Path) -> Iterator[None]:
    """The image mounted on that folder."""
    _run("mount", "-o", "loop", os.fspath(image), os.fspath(disk))
    try:
        yield
    finally:
        for _ in range(_UNMOUNT_TRIES):
            if subprocess.run(["umount", disk], stderr=subprocess.DEVNULL, check=False).returncode == 0:
                break
            time.sleep(0.1)  # a process that was killed lets go of its files a moment later
        else:
            _run("umount", "--lazy", os.fspath(disk))


def _plain_look(folder: Path) -> Look:
    unreadable = []
    for spec in SPECS:
        path = folder / f"{spec.role}.mp4"
        try:
            with av.open(os.fspath(path), "r") as file:
                next(file.decode(video=0))
        except (av.FFmpegError, StopIteration) as error:
            unreadable.append(f"{path.name}: {error}")
    return Look((), tuple(unreadable))


def _run(*command: str) -> None:
    """Run a tool; raises CalledProcessError with what it said."""
    subprocess.run(command, check=True, capture_output=True, text=True)
