"""Thirty school days without a link, a day's partition, and all of it sent: on a fake clock, to a real fleet.

The rows are those of the school year's bench, kept by the product's own ledger; the link, the broker and the fleet are
real. What is counted is what matters to a kiosk: rows lost or doubled, its process's memory, and the room on its disk.
"""

import random
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from device.session.ledger import Ledger
from lab.bench.idle import cpu_s
from lab.bench.loss import year
from lab.bench.loss.drain import first_received, peak_mib
from lab.bench.loss.network import Relayed
from lab.bench.loss.parts import Parts, emptied, trouble, until
from lab.bench.loss.table import Row, Table
from lab.bench.neighbours import Neighbours
from lab.relay import Way

_MOST_MIB: Final = 256.0
_LIVE_ROWS_PER_S: Final = 4.0
_OTHER_ROWS_A_DAY: Final = 400
"""Cameras that open and close, cards, commands, starts: beside the sessions' own rows."""


def backlog(table: Table, folder: Path, days: int) -> None:
    """Fill a ledger with that many school days, then a day behind a partition that ends, and drain it."""
    name = f"{days} school days of backlog, and a partition of 24 h"
    if why := trouble():
        table.skip(name, why)
        return
    with Neighbours() as neighbours, Parts(emptied(folder)) as parts, Relayed(parts.port) as network:
        rows = _filled(folder / "bench-1.db", days + 1)
        disk_bytes = sum(path.stat().st_size for path in folder.glob("bench-1.db*"))
        parts.start_fleet()
        until((folder / "fleet" / "fleet.sqlite").exists, "the fleet has its store", 30)
        network.do(lambda relay: relay.cut(Way.SILENT))  # the day's end of the partition, as the kiosk's link sees it
        parts.start_kiosks(1, _LIVE_ROWS_PER_S, network.port, at_once=True)
        until(lambda: parts.said[-1:] == ["acked 0"], "it writes on behind the partition", 30)
        network.do(lambda relay: relay.restore())
        until(lambda: first_received(folder) is not None, "the first row is stored", 90)
        until(lambda: parts.acked >= rows, "all is acknowledged")
        assert parts.kiosks is not None
        peak, used_s = peak_mib(parts.kiosks.pid), cpu_s(parts.kiosks.pid)
        parts.finish()
        lost, doubled, facts = parts.compare()
        early = parts.acked_but_not_held()
    note = (
        f"{rows} rows of {days + 1} days, {disk_bytes / 2**20:.1f} MiB on disk and {peak:.0f} MiB of memory at most "
        f"(goal 256 each); CPU of kiosk {used_s:.1f} s; {neighbours}"
    )
    missed = f"more than {_MOST_MIB:.0f} MiB" if max(peak, disk_bytes / 2**20) > _MOST_MIB else ""
    table.add(
        Row(name, days + 1, "school days", lost + early, doubled, facts, note, missed,
            {"disk_bytes": disk_bytes, "peak_mib": peak})
    )  # fmt: skip


def _filled(path: Path, days: int) -> int:
    """Live through the days with the link down; how many rows that is."""
    ledger = Ledger.open(path)
    chance = random.Random(11)
    begin = datetime.combine(year.FIRST_DAY, datetime.min.time(), year.ZONE).astimezone(UTC)
    kiosk = year.FakeKiosk(begin, chance)
    sessions = 0
    for day in year.school_days(days):
        morning = datetime.combine(day, datetime.min.time(), year.ZONE) + timedelta(hours=9)
        kiosk.at = max(kiosk.at, morning.astimezone(UTC))
        for _ in range(year.SESSIONS_A_DAY):
            sessions += 1
            kiosk.facts = []
            year.session(kiosk, f"b-{sessions}")
            for _ in range(_OTHER_ROWS_A_DAY // year.SESSIONS_A_DAY):
                kiosk.lasts(2.0)
                kiosk.tell("camera.back", f"b-{sessions}", role="front", reason="opened")
            ledger.append(kiosk.facts)
            ledger.prune(kiosk.now())  # which must prune nothing: the fleet has none of it
    rows = ledger.head
    assert ledger.acked == 0
    ledger.close()
    return rows
