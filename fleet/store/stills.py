"""Worksheet stills in the store: figures in clear, the picture sealed as it came."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Connection, Row, or_, select, tuple_, update

from fleet import wrong_student
from fleet.clock import micros
from fleet.store.engine import insert
from fleet.store.kiosks import campus_of
from fleet.store.tables import ledger_epochs, ledger_rows, sessions, stills

_TOLD: Final = [column for column in stills.c if column.name != "sealed"]


def add(connection: Connection, id_: str, kiosk: str, at: datetime, facts: dict[str, Any]) -> None:
    """Keep a still that `kiosk` sent; the same id again changes nothing."""
    campus = campus_of(connection, kiosk)
    adding = insert(connection, stills).values(id=id_, kiosk=kiosk, campus=campus, received_us=micros(at), **facts)
    connection.execute(adding.on_conflict_do_nothing(index_elements=["id"]))


def one(connection: Connection, id_: str) -> Row[Any] | None:
    """One still's figures."""
    return connection.execute(select(*_TOLD).where(stills.c.id == id_)).one_or_none()


def sealed(connection: Connection, id_: str) -> bytes | None:
    """One still's picture as it came; None once it is destroyed."""
    found: bytes | None = connection.execute(select(stills.c.sealed).where(stills.c.id == id_)).scalar_one_or_none()
    return found


def newest(
    connection: Connection, kiosk: str, session: str, limit: int, before: tuple[int, str] | None = None
) -> list[Row[Any]]:
    """The stills that `kiosk` sent of a session of its own, newest first."""
    query = select(*_TOLD).where(stills.c.session == session, stills.c.kiosk == kiosk)
    if before is not None:
        query = query.where(tuple_(stills.c.received_us, stills.c.id) < before)
    return list(connection.execute(query.order_by(stills.c.received_us.desc(), stills.c.id.desc()).limit(limit)))


def is_anothers(connection: Connection, kiosk: str, session: str) -> bool:
    """Whether the session is known to be another kiosk's."""
    owner = connection.execute(select(sessions.c.kiosk).where(sessions.c.id == session)).scalar_one_or_none()
    return owner is not None and owner != kiosk


def due(connection: Connection, before: datetime) -> list[tuple[str, str, str]]:
    """Id, campus and reason of each still whose picture has to go: too old, or of another student than booked."""
    kept = stills.c.sealed.is_not(None)
    why: dict[tuple[str, str], str] = {}
    old = select(stills.c.id, stills.c.campus).where(kept, stills.c.received_us < micros(before))
    why.update({(row.id, row.campus): "age" for row in connection.execute(old)})
    said = (
        select(stills.c.id, stills.c.campus, ledger_rows.c.body)
        .join(ledger_rows, ledger_rows.c.session == stills.c.session)
        .join(ledger_epochs, ledger_epochs.c.id == ledger_rows.c.epoch_id)
        .where(kept, ledger_rows.c.type == wrong_student.TYPE, ledger_epochs.c.kiosk == stills.c.kiosk)
    )
    of_wrong = [row for row in connection.execute(said) if wrong_student.said_by_person(row.body)]
    why.update({(row.id, row.campus): wrong_student.REASON for row in of_wrong})
    return [(*still, reason) for still, reason in why.items()]


def reaching(
    connection: Connection, of: Iterable[tuple[str, str]], since: datetime, until: datetime | None
) -> list[str]:
    """The stills with a picture of these sessions (kiosk, session) that were made in this stretch of time."""
    query = select(stills.c.id).where(
        stills.c.sealed.is_not(None),
        tuple_(stills.c.kiosk, stills.c.session).in_(list(of)),
        or_(stills.c.captured_us > micros(since), stills.c.captured_us.is_(None)),
    )
    if until is not None:
        query = query.where(or_(stills.c.captured_us < micros(until), stills.c.captured_us.is_(None)))
    return list(connection.execute(query).scalars())


def destroy(connection: Connection, id_: str, why: str, at: datetime) -> None:
    """Let a picture be gone; its figures stay, with the reason."""
    values = {"sealed": None, "destroyed_us": micros(at), "destroyed_why": why}
    connection.execute(update(stills).where(stills.c.id == id_).values(**values))
