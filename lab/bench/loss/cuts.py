"""Power cuts on an ext4 of its own: rows called durable before the file system is shut down are there afterwards.

EXT4_IOC_SHUTDOWN without flushing the journal, as `lab/bench/power_cut.py` does it for recordings. Only this shows
durability; a killed process leaves everything in the kernel's memory. It cannot show a disk that lies about its cache.
"""

import fcntl
import os
import random
import struct
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from lab.bench.loss.table import Row, Table
from lab.bench.loss.writer import check
from lab.bench.power_cut import blank_disk, mounted, trouble

MUTATIONS: Final = ("synchronous-off", "synchronous-normal", "commit-removed")
_AT_ONCE: Final = 3
_SHUTDOWN: Final = 0x8004587D
_NO_LOG_FLUSH: Final = 2


@dataclass(frozen=True, slots=True)
class _Cut:
    lost: int
    doubled: int
    promised: int
    trouble: str


def cuts(table: Table, folder: Path, count: int, mutation: str = "none") -> None:
    """Cut the power of that many ledgers at work."""
    name = "rows called durable, at a power cut" + ("" if mutation == "none" else f" ({mutation})")
    if why := trouble(folder / "try"):
        table.skip(name, why)
        return
    chance = random.Random(7)
    moments_s = [chance.uniform(0.1, 0.9) for _ in range(count)]
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        found = list(pool.map(lambda at: _cut(folder / f"cut-{at}", mutation, moments_s[at]), range(count)))
    lost, doubled, facts = (sum(getattr(one, of) for one in found) for of in ("lost", "doubled", "promised"))
    troubles = [one.trouble for one in found if one.trouble]
    note = f"ext4 on a loop device; {sum(one.lost > 0 for one in found)} cuts lost rows"
    table.add(
        Row(name, count, "cuts", lost, doubled, facts, note, "; ".join(troubles[:2]),
            {"promised": [one.promised for one in found], "lost": [one.lost for one in found]})
    )  # fmt: skip


def _cut(place: Path, mutation: str, after_s: float) -> _Cut:
    image, disk = blank_disk(place)
    _run("mkfs.ext4", "-q", "-F", os.fspath(image))
    with mounted(image, disk):
        said = _written_until_cut(disk, mutation, after_s)
    left = place / "left"
    _run("cp", "--sparse=always", os.fspath(image), os.fspath(left))
    image.unlink()
    with mounted(left, disk):
        found = check(disk / "data" / "ledger.db", said)
    left.unlink()
    return _Cut(len(found.lost), len(found.doubled), found.promised, found.trouble)


def _written_until_cut(disk: Path, mutation: str, after_s: float) -> list[str]:
    said: list[str] = []
    command = [sys.executable, "-P", "-m", "lab.bench.loss.cut_child", os.fspath(disk / "data" / "ledger.db"), mutation]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    assert process.stdout is not None
    with process:
        try:
            if process.stdout.readline() != "ready\n":
                raise RuntimeError("the writing process did not come up")
            hearing = threading.Thread(target=said.extend, args=(process.stdout,))
            hearing.start()
            time.sleep(after_s)
            handle = os.open(disk, os.O_RDONLY)
            cut_ns = time.monotonic_ns()
            fcntl.ioctl(handle, _SHUTDOWN, struct.pack("I", _NO_LOG_FLUSH))
            os.close(handle)
        finally:
            process.kill()
        hearing.join()
    # A sync that is under way in the very instant of the shutdown may return as if all were well; without power nobody
    # would be there to hear it.
    return [line for line in said if int(line.split()[2]) <= cut_ns]


def _run(*command: str) -> None:
    subprocess.run(command, check=True, capture_output=True, text=True)
