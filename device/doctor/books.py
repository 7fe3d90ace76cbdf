"""The ledger, looked at quickly: SQLite's own check, and the newest rows' chain. `ledger verify` reads all of it."""

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Final

from device.doctor.rows import Row, attention, blocked, ok, unknown
from device.errors import LedgerDamaged
from device.session.ledger_files import look_at_files
from wire.errors import WireError
from wire.ledger import verified
from wire.messages import WireRow

NEWEST: Final = 2_000
"""Rows; about a second on a Pi, and more than a school week."""
_BUSY_S: Final = 5.0


def look_at_ledger(path: Path) -> list[Row]:
    """Whether the journal of session facts is whole, and whether an earlier one was set aside as damaged."""
    rows = [_ledger(path)]
    aside = sorted(one.name for one in path.parent.glob(f"{path.name}.damaged-*[0-9]"))
    if aside:
        rows.append(attention("ledger", str(path.parent), f"set aside as damaged: {', '.join(aside)}",
                              "Keep it until it was compared with the fleet; replace the card."))  # fmt: skip
    return rows


def _ledger(path: Path) -> Row:
    where, do = str(path), "Replace the card; the agent sets the file aside and goes on with what can be read."
    try:
        if not path.exists():
            return unknown("ledger", where, "no agent has run here yet")
        look_at_files(path)
        with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=_BUSY_S)) as connection:
            return _rows(connection, where)
    except (LedgerDamaged, sqlite3.DatabaseError, WireError, ValueError) as error:
        return blocked("ledger", where, str(error), do)
    except OSError as error:
        return blocked("ledger", where, f"cannot be read ({error.strerror or error})", "Run the doctor with sudo.")


def _rows(connection: sqlite3.Connection, where: str) -> Row:
    said = connection.execute("pragma quick_check(1)").fetchone()[0]
    if said != "ok":
        raise LedgerDamaged(f"SQLite finds it damaged: {said}")
    epoch, count = connection.execute("select epoch, pruned from epochs order by made desc limit 1").fetchone()
    found = connection.execute(
        "select seq, body, hash from rows where epoch = ? order by seq desc limit ?", [epoch, NEWEST + 1]
    ).fetchall()[::-1]
    if len(found) > 1:
        (_, _, before), *newest = found
        verified(before, [WireRow(body=body, hash=hash_) for _, body, hash_ in newest], newest[0][0])
        count = found[-1][0]
    return ok("ledger", where, f"{count} rows; the newest {max(0, len(found) - 1)} follow from each other", rows=count)
