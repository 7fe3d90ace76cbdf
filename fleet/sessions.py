"""Ledger rows to sessions: the fold of wire/minutes.py applied to what is held."""

import logging
from typing import Final

from pydantic import TypeAdapter
from sqlalchemy import Connection

from fleet.clock import Instant, micros
from fleet.store import sessions as store
from fleet.store.sessions import OVER, SessionRow
from wire.errors import BadPayload
from wire.ledger import distinct, row_of
from wire.minutes import SessionRecord, Span, Until, fold

_log = logging.getLogger(__name__)

TIMELINE: Final = TypeAdapter(tuple[Span, ...])


def refold(connection: Connection, session: str, kiosk: str) -> None:
    """Fold a session's rows anew and keep the result."""
    rows = store.rows_of(connection, session, kiosk)
    record = record_of(session, rows)
    try:
        store.keep(connection, session, record, complete=is_complete(record, rows))
    except OverflowError:  # a date that no calendar has
        _log.warning("session %s has times that cannot be kept", session)
        store.keep(connection, session, SessionRecord(state="unknown"), complete=False)


def record_of(session: str, rows: list[SessionRow], until: Until | None = None) -> SessionRecord:
    """What `rows` say; rows that no kiosk of ours writes make the session unknown, never an error."""
    try:
        record = fold(distinct(row_of(row.body) for row in rows), until)
        for at in (record.started_at, record.ended_at):
            if at is not None:
                micros(at)
    except (BadPayload, ValueError, OverflowError) as error:
        _log.warning("session %s cannot be folded: %s", session, error)
        return SessionRecord(state="unknown")
    return record


def is_complete(record: SessionRecord, rows: list[SessionRow]) -> bool:
    """Whether the session is over and no row up to its last is missing."""
    return record.state in OVER and all(row.contiguous for row in rows)


def until_now(rows: list[SessionRow], now: Instant) -> Until | None:
    """The present on the clock of the kiosk's last row, as far as it can be told: as long after it as we hold it."""
    if not rows:
        return None
    last = row_of(rows[-1].body)
    since_ns = max(0, micros(now.at) - rows[-1].received_us) * 1_000
    return Until(last.boot, last.mono_ns + since_ns)
