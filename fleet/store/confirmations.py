"""What clinicians confirmed of sessions, in the store: kept beside what was recorded, never over it."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, func, select

from fleet.clock import micros, moment
from fleet.store import sessions
from fleet.store.confirmation_tables import confirmations
from fleet.store.engine import chunks


@dataclass(frozen=True, slots=True)
class Confirmed:
    """One confirmation."""

    session: str
    provided_ms: int
    reason: str | None
    note: str | None
    who: str
    clinician: str | None
    at: datetime


def add(connection: Connection, one: Confirmed) -> None:
    """Keep a confirmation; those before it stay."""
    connection.execute(
        confirmations.insert().values(
            session=one.session, provided_ms=one.provided_ms, reason=one.reason, note=one.note, who=one.who,
            clinician=one.clinician, at_us=micros(one.at),
        )
    )  # fmt: skip


def of(connection: Connection, session: str, limit: int = 200) -> list[Confirmed]:
    """A session's confirmations, the newest, which counts, first."""
    query = select(confirmations).where(confirmations.c.session == session)
    return [_of(row) for row in connection.execute(query.order_by(confirmations.c.id.desc()).limit(limit))]


def provided_ms(connection: Connection, of_sessions: Iterable[str]) -> dict[str, int]:
    """By session, the milliseconds that count; a session that nobody confirmed is not in it."""
    found: dict[str, int] = {}
    for some in chunks(of_sessions):
        here = confirmations.c.session.in_(some)
        newest = select(func.max(confirmations.c.id)).where(here).group_by(confirmations.c.session)
        query = select(confirmations.c.session, confirmations.c.provided_ms).where(confirmations.c.id.in_(newest))
        found.update({row.session: row.provided_ms for row in connection.execute(query)})
    return found


def provided_by_booking(connection: Connection, student: str) -> dict[str, int]:
    """By booking, what was confirmed of the sessions that were begun for it with this student."""
    booking_of = {row.id: row.booking for row in sessions.of_student(connection, student)}
    found: dict[str, int] = {}
    for session, ms in provided_ms(connection, booking_of).items():
        found[booking_of[session]] = found.get(booking_of[session], 0) + ms
    return found


def _of(row: Any) -> Confirmed:
    return Confirmed(row.session, row.provided_ms, row.reason, row.note, row.who, row.clinician, moment(row.at_us))
