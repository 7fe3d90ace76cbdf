"""Ledger rows to sessions: the fold of wire/minutes.py applied to what is held."""

import logging

from sqlalchemy import Connection

from fleet.clock import micros
from fleet.store import sessions as store
from fleet.store.sessions import OVER, SessionRow
from wire.errors import BadPayload
from wire.ledger import distinct, row_of
from wire.minutes import SessionRecord, fold

_log = logging.getLogger(__name__)


def refold(connection: Connection, session: str, kiosk: str) -> None:
    """Fold a session's rows anew and keep the result."""
    rows = store.rows_of(connection, session, kiosk)
    record = record_of(session, rows)
    try:
        store.keep(connection, session, record, complete=is_complete(record, rows))
    except OverflowError:  # a date that no calendar has
        _log.warning("session %s has times that cannot be kept", session)
        store.keep(connection, session, SessionRecord(state="unknown"), complete=False)


def record_of(session: str, rows: list[SessionRow]) -> SessionRecord:
    """What `rows` say; rows that no kiosk of ours writes make the session unknown, never an error."""
    try:
        record = fold(distinct(row_of(row.body) for row in rows))
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
