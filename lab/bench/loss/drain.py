"""A backlog of weeks drained at once, and how long a row of now waits meanwhile."""

import sqlite3
import time
from pathlib import Path
from typing import Final

from device.session.ledger import Ledger
from lab.bench.idle import cpu_s
from lab.bench.loss.parts import Parts, emptied, trouble, until
from lab.bench.loss.table import Row, Table
from lab.bench.loss.writer import a_fact
from lab.bench.neighbours import Neighbours
from wire.ledger import row_of

_WITHIN_S: Final = 60.0
LIVE_WITHIN_S: Final = 1.0
_MOST_MIB: Final = 256.0
_AT_ONCE: Final = 1_000
_LIVE_ROWS_PER_S: Final = 4.0


def drain(table: Table, folder: Path, rows: int) -> None:
    """Send `rows` to a fleet that has none of them, while the kiosk writes on."""
    name = f"backlog of {rows:,} rows drained"
    if why := trouble():
        table.skip(name, why)
        return
    with Neighbours() as neighbours, Parts(emptied(folder)) as parts:
        ledger = Ledger.open(folder / "bench-1.db")
        for first in range(1, rows + 1, _AT_ONCE):
            ledger.append([a_fact(number) for number in range(first, min(first + _AT_ONCE, rows + 1))])
        ledger.close()
        parts.start_fleet()
        until((folder / "fleet" / "fleet.sqlite").exists, "the fleet has its store", 30)
        time.sleep(2.0)  # it is connected
        parts.start_kiosks(1, _LIVE_ROWS_PER_S, at_once=True)
        until(lambda: first_received(folder) is not None, "the first row is stored", 60)
        until(lambda: parts.acked >= rows, "all is acknowledged")
        assert parts.kiosks is not None
        peak = peak_mib(parts.kiosks.pid)
        assert parts.fleet is not None
        used_s = cpu_s(parts.fleet.pid), cpu_s(parts.kiosks.pid)
        parts.finish()
        lost, doubled, facts = parts.compare()
        seconds, waits_s = times(folder, rows)
    worst_s, ordered = max(waits_s, default=0.0), sorted(waits_s) or [0.0]
    missed = [
        words
        for words, bad in (
            (f"more than {_WITHIN_S:.0f} s", seconds > _WITHIN_S),
            (f"a live row waited more than {LIVE_WITHIN_S:.0f} s", worst_s > LIVE_WITHIN_S),
            (f"more than {_MOST_MIB:.0f} MiB", peak > _MOST_MIB),
            ("no live row was seen", not waits_s),
        )
        if bad
    ]
    note = (
        f"{seconds:.1f} s from the first row stored to the last (goal 60); {len(waits_s)} live rows waited "
        f"{ordered[int(len(ordered) * 0.95)]:.2f} s p95, {worst_s:.2f} s at most (goal 1); "
        f"kiosk process {peak:.0f} MiB at most (goal 256); "
        f"CPU of fleet {used_s[0]:.1f} s, of kiosk {used_s[1]:.1f} s; {neighbours}"
    )
    table.add(
        Row(name, 1, "drain", lost, doubled, facts, note, ", ".join(missed),
            {"seconds": seconds, "live_waits_s": waits_s, "peak_mib": peak})
    )  # fmt: skip


def first_received(folder: Path) -> int | None:
    """When the fleet stored its first row, in microseconds."""
    connection = sqlite3.connect(f"file:{folder / 'fleet' / 'fleet.sqlite'}?mode=ro", uri=True)
    try:
        found = connection.execute("select min(received_us) from ledger_rows").fetchone()[0]
        return None if found is None else int(found)
    finally:
        connection.close()


def times(folder: Path, rows: int) -> tuple[float, list[float]]:
    """Seconds from the first to the last row of the backlog being stored, and what rows written meanwhile waited."""
    connection = sqlite3.connect(folder / "fleet" / "fleet.sqlite")
    try:
        query = "select min(received_us), max(received_us) from ledger_rows where seq <= ?"
        began_us, ended_us = connection.execute(query, [rows]).fetchone()
        live = list(connection.execute("select body, received_us from ledger_rows where seq > ?", [rows]))
    finally:
        connection.close()
    waits_s = [
        received_us / 1e6 - written_s
        for written_s, received_us in ((row_of(body).at.timestamp(), received_us) for body, received_us in live)
        if began_us / 1e6 <= written_s <= ended_us / 1e6
    ]
    return (ended_us - began_us) / 1e6, [round(one, 3) for one in waits_s]


def peak_mib(pid: int) -> float:
    """The most memory that a process ever had."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM")) / 1024
