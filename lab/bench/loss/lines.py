"""How long a row of now waits on a narrow line, beside a backlog and beside a recording that is sent."""

import sqlite3
import subprocess
import sys
import time
from pathlib import Path
from typing import Final

from device.session.ledger import Ledger
from fleet.settings import load
from fleet.upload_keys import receipt_public
from lab.bench.loss.drain import LIVE_WITHIN_S, first_received, times
from lab.bench.loss.line import NarrowLine
from lab.bench.loss.parts import Parts, emptied, free_port, trouble, until
from lab.bench.loss.table import Row, Table
from lab.bench.loss.writer import a_fact
from lab.bench.neighbours import Neighbours
from wire.ledger import row_of

LINES_BYTES_PER_S: Final = (1_000_000, 128_000, 32_000)
_LIVE_ROWS_PER_S: Final = 4.0
_ROW_BYTES: Final = 330
"""On the line, with everything around it."""


def lines(table: Table, folder: Path, seconds: float) -> None:
    """Fill each line for about so long, with rows and then with a recording."""
    if why := trouble():
        table.skip("live rows on narrow lines", why)
        return
    for bytes_per_s in LINES_BYTES_PER_S:
        _beside_backlog(table, folder / f"rows-{bytes_per_s}", bytes_per_s, seconds)
        _beside_upload(table, folder / f"upload-{bytes_per_s}", bytes_per_s, seconds)


def _beside_backlog(table: Table, folder: Path, bytes_per_s: int, seconds: float) -> None:
    rows = int(bytes_per_s * seconds / _ROW_BYTES)
    with (
        Neighbours() as neighbours,
        Parts(emptied(folder)) as parts,
        NarrowLine(bytes_per_s, [parts.port]) as line,
    ):
        ledger = Ledger.open(folder / "bench-1.db")
        for first in range(1, rows + 1, 1_000):
            ledger.append([a_fact(number) for number in range(first, min(first + 1_000, rows + 1))])
        ledger.close()
        parts.start_fleet()
        until((folder / "fleet" / "fleet.sqlite").exists, "the fleet has its store", 30)
        time.sleep(2.0)  # it is connected
        parts.start_kiosks(1, _LIVE_ROWS_PER_S, line.ports[0], at_once=True)
        until(lambda: first_received(folder) is not None, "the first row is stored", 60)
        until(lambda: parts.acked >= rows, "all is acknowledged")
        parts.finish()
        lost, doubled, facts = parts.compare()
        took_s, waits_s = times(folder, rows)
        used = line.passed_bytes / took_s / bytes_per_s
    _told(table, f"{_words(bytes_per_s)}, beside {rows:,} rows", took_s, waits_s, (lost, doubled, facts),
          f"the line {used:.0%} used; {neighbours}")  # fmt: skip


def _beside_upload(table: Table, folder: Path, bytes_per_s: int, seconds: float) -> None:
    size_bytes, fleet_port = int(bytes_per_s * seconds), free_port()
    with (
        Neighbours() as neighbours,
        Parts(emptied(folder)) as parts,
        NarrowLine(bytes_per_s, [parts.port, fleet_port]) as line,
    ):
        config = folder / "fleet.toml"
        config.write_text(f'{config.read_text()}port = {fleet_port}\npublic_url = "http://127.0.0.1:{line.ports[1]}"\n')
        key = receipt_public(load(config).data_dir)
        with (folder / "fleet.log").open("ab") as log:
            command = [sys.executable, "-P", "-m", "fleet.cli", "serve", "--config", str(config)]
            parts.fleet = subprocess.Popen(command, stdout=log, stderr=log)
        until((folder / "fleet" / "fleet.sqlite").exists, "the fleet has its store", 30)
        time.sleep(3.0)  # it is connected
        command = [
            sys.executable, "-P", "-m", "lab.bench.loss.upload_child", str(folder / "kiosk"), str(line.ports[0]), key,
            str(size_bytes),
        ]  # fmt: skip
        began_s = time.monotonic()
        with (folder / "kiosks.log").open("ab") as log:
            done = subprocess.run(command, stdout=subprocess.PIPE, stderr=log, timeout=300, check=False, text=True)
        took_s = time.monotonic() - began_s
        (folder / "kiosk" / "ledger.db").rename(folder / "bench-1.db")
        lost, doubled, facts = parts.compare()
        waits_s = _waits(folder)
        used = line.passed_bytes / took_s / bytes_per_s
    arrived = done.stdout == "done\n"
    note = f"the line {used:.0%} used; {neighbours}" if arrived else "the recording did not arrive"
    _told(table, f"{_words(bytes_per_s)}, beside {size_bytes / 1e6:.1f} MB of video", took_s, waits_s,
          (lost + (not arrived), doubled, facts), note)  # fmt: skip


def _told(table: Table, name: str, took_s: float, waits_s: list[float], found: tuple[int, int, int], note: str) -> None:
    worst_s = max(waits_s, default=0.0)
    bad = not waits_s or worst_s > LIVE_WITHIN_S
    ordered = sorted(waits_s) or [0.0]
    words = (
        f"{took_s:.0f} s; {len(waits_s)} live rows waited {ordered[len(ordered) // 2]:.2f} s in the middle, "
        f"{ordered[int(len(ordered) * 0.95)]:.2f} s p95, {worst_s:.2f} s at most (goal 1); {note}"
    )
    missed = "a live row waited more than a second" if bad else ""
    table.add(Row(name, 1, "line", *found, words, missed, {"live_waits_s": waits_s}))


def _waits(folder: Path) -> list[float]:
    """From each row's own time to its being stored, of the rows that the bench wrote."""
    connection = sqlite3.connect(folder / "fleet" / "fleet.sqlite")
    try:
        found = list(connection.execute("select body, received_us from ledger_rows where type = 'camera.back'"))
    finally:
        connection.close()
    return [round(received_us / 1e6 - row_of(body).at.timestamp(), 3) for body, received_us in found]


def _words(bytes_per_s: int) -> str:
    return f"line of {bytes_per_s // 1000:,} kB/s"
