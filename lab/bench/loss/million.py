"""A start with a million rows that nobody has taken yet, and one on a disk without a single free inode (F6)."""

import subprocess
import time
from contextlib import suppress
from pathlib import Path
from typing import Final

from device import boot
from device.errors import StartError
from device.session.clock import Instant
from device.session.ledger import Ledger
from device.session.opening import open_ledger
from lab.bench.loss.parts import emptied
from lab.bench.loss.table import Row, Table
from lab.bench.loss.writer import BEGAN, a_fact
from lab.bench.neighbours import Neighbours
from lab.bench.power_cut import blank_disk, mounted, trouble
from wire.ledger import ClockTrust

_GOAL_S: Final = 5.0
_AT_ONCE: Final = 1_000
_ROWS_ON_DISK: Final = 200
_NOW: Final = Instant(10**15, BEGAN, "bench", ClockTrust.SYNCED)


def million(table: Table, folder: Path, rows: int) -> None:
    """Start with that many rows in the outbox."""
    path = emptied(folder) / "ledger.db"
    _fill(path, rows)
    with Neighbours() as neighbours:
        began_s = time.monotonic()
        ledger = open_ledger(path, _NOW)
        opened_s = time.monotonic() - began_s
        boot.find(ledger)
        found_s = time.monotonic() - began_s
        batch = ledger.batch(0)
        sent_s = time.monotonic() - began_s
    seqs = ledger.head
    lost = rows - seqs + (batch is None)
    ledger.close()
    note = (
        f"opened after {opened_s:.2f} s, knows what it left off after {found_s:.2f} s, has rows to send after "
        f"{sent_s:.2f} s (goal 5); {path.stat().st_size / 2**20:.0f} MiB; {neighbours}"
    )
    missed = f"more than {_GOAL_S:.0f} s" if sent_s > _GOAL_S else ""
    table.add(Row(f"start with {rows:,} rows waiting", 1, "start", lost, 0, rows, note, missed, {"start_s": sent_s}))


def no_inode(table: Table, folder: Path) -> None:
    """Start on a disk with room and no free inode, after a power cut and after an orderly end."""
    name = "start without a free inode"
    if why := trouble(folder / "try"):
        table.skip(name, why)
        return
    image, disk = blank_disk(folder / "inodes")
    subprocess.run(["mkfs.ext4", "-q", "-F", "-N", "64", str(image)], check=True, capture_output=True)
    lost, notes = 0, list[str]()
    with mounted(image, disk):
        for how in ("after a power cut", "after an orderly end"):
            path = disk / how.replace(" ", "-") / "ledger.db"
            path.parent.mkdir()
            _fill(path, _ROWS_ON_DISK)
            if how == "after a power cut":  # its log and index lie there
                left = Ledger.open(path)
                left.append([a_fact(_ROWS_ON_DISK + 1)])
            _use_up(disk, how)
            began_s = time.monotonic()
            try:
                ledger = open_ledger(path, _NOW)
                ledger.append([a_fact(_ROWS_ON_DISK + 2)])
                notes.append(f"{how}: {time.monotonic() - began_s:.2f} s, and it writes")
                lost += ledger.durable < _ROWS_ON_DISK
                ledger.close()
            except StartError as refused:
                notes.append(
                    f"{how}: refused after {time.monotonic() - began_s:.2f} s ({str(refused).split(': ')[-1]})"
                )
            if how == "after a power cut":
                left.close()
            for one in disk.glob("used-*"):
                one.unlink()
            ledger = Ledger.open(path)
            lost += ledger.durable < _ROWS_ON_DISK
            ledger.close()
    table.add(Row(name, 2, "starts", lost, 0, 2 * _ROWS_ON_DISK, "; ".join(notes)))


def _fill(path: Path, rows: int) -> None:
    ledger = Ledger.open(path)
    for first in range(1, rows + 1, _AT_ONCE):
        ledger.append([a_fact(number) for number in range(first, min(first + _AT_ONCE, rows + 1))])
    ledger.close()


def _use_up(disk: Path, how: str) -> None:
    """Make empty files until there is no inode left."""
    with suppress(OSError):
        for number in range(10_000):
            (disk / f"used-{how[6:8]}-{number}").touch()
