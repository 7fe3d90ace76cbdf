"""Which rows of a ledger may go: those that the fleet has committed and that are older than 30 days, in their order."""

from datetime import timedelta
from typing import Final

from sqlite_utils import Database

from device.session.clock import Instant
from wire.ledger import ClockTrust, row_of

KEEP: Final = timedelta(days=30)
"""So long everything is kept, so that a fleet restored from a backup can ask for it again."""
MOST_AT_ONCE: Final = 2_000
"""Rows in one transaction: a press that comes meanwhile waits for it."""
_NEEDED: Final = """
    select coalesce(min(seq), :acked + 1) from rows where epoch = :epoch and (
        session = (
            select session from rows join epochs using (epoch)
            where type = 'session.started' order by made desc, seq desc limit 1
        )
        or type in ('segment.sealed', 'segment.recovered') and json_extract(body, '$.data.segment') not in (
            select json_extract(body, '$.data.segment') from rows
            where type in ('segment.destroyed', 'segment.uploaded')
        )
    )
"""
"""The first row that the kiosk itself still needs: of its last session, or of a segment that is still on its disk."""


def prunable_through(db: Database, epoch: str, pruned: int, acked: int, now: Instant) -> int:
    """Through which seq the rows of `epoch` may be deleted; `pruned` when none may.

    A row's age counts only by clocks that a time source vouched for, then and now: a kiosk that booted in 1970 must not
    take this morning's rows for old ones. What has no such time is as old as the next row that has.
    """
    if now.trust is not ClockTrust.SYNCED:
        return pruned
    needed = db.execute(_NEEDED, {"epoch": epoch, "acked": acked}).fetchone()[0]
    last = min(acked, int(needed) - 1)
    through = pruned
    query = "select seq, body from rows where epoch = ? and seq > ? and seq <= ? order by seq limit ?"
    for seq, body in db.execute(query, [epoch, pruned, last, MOST_AT_ONCE]):
        row = row_of(body)
        if row.clock is not ClockTrust.SYNCED:
            continue
        if now.wall - row.at < KEEP:
            break
        through = seq
    return through
