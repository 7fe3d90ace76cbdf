"""Sealed segments in the store: whose they are, what was announced, what became of them; the bytes lie elsewhere."""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import Connection, Row, and_, delete, or_, select, tuple_, update

from fleet import wrong_student
from fleet.clock import micros, moment
from fleet.schedule import gaps
from fleet.store import consents
from fleet.store.engine import insert
from fleet.store.kiosks import campus_of
from fleet.store.tables import kiosks, ledger_epochs, ledger_rows, segments
from wire.ledger import row_of

TELLING: Final = frozenset({"segment.sealed", "segment.recovered"})
"""The ledger types that describe a segment whole."""
_KEPT: Final = segments.c.destroyed_us.is_(None)


def told(connection: Connection, kiosk: str, epoch: str, seq: int) -> Row[Any, Any, Any] | None:
    """The kiosk's ledger row of that number."""
    query = (
        select(ledger_rows.c.type, ledger_rows.c.session, ledger_rows.c.body)
        .join(ledger_epochs, ledger_epochs.c.id == ledger_rows.c.epoch_id)
        .where(ledger_epochs.c.kiosk == kiosk, ledger_epochs.c.epoch == epoch, ledger_rows.c.seq == seq)
    )
    return connection.execute(query).one_or_none()


def announce(connection: Connection, segment: str, kiosk: str, at: datetime, facts: dict[str, Any]) -> None:
    """Know of a segment that is to come; one that is known stays as it is."""
    campus = campus_of(connection, kiosk)
    adding = insert(connection, segments).values(
        id=segment, kiosk=kiosk, campus=campus, announced_us=micros(at), **facts
    )
    connection.execute(adding.on_conflict_do_nothing(index_elements=["id"]))


def one(connection: Connection, segment: str, *, to_change: bool = False) -> Row[Any] | None:
    """One segment; `to_change` lets nobody else change it before this transaction ends."""
    query = select(segments).where(segments.c.id == segment)
    return connection.execute(query.with_for_update() if to_change else query).one_or_none()


def stored(connection: Connection, segment: str, at: datetime) -> None:
    """It is here whole."""
    connection.execute(update(segments).where(segments.c.id == segment).values(stored_us=micros(at)))


def destroyed(connection: Connection, segment: str, at: datetime, why: str) -> None:
    """It is gone; what it was stays, with the reason."""
    values = {"destroyed_us": micros(at), "destroyed_why": why}
    connection.execute(update(segments).where(segments.c.id == segment).values(**values))


def forget(connection: Connection, segment: str) -> None:
    """It never came: an announcement is no record."""
    connection.execute(delete(segments).where(segments.c.id == segment, segments.c.stored_us.is_(None)))


def newest(
    connection: Connection, kiosk: str, session: str, limit: int, before: tuple[int, str] | None = None
) -> list[Row[Any]]:
    """The segments that `kiosk` sent, or is sending, of a session of its own, newest first."""
    query = select(segments).where(segments.c.session == session, segments.c.kiosk == kiosk)
    if before is not None:
        query = query.where(tuple_(segments.c.started_us, segments.c.id) < before)
    return list(connection.execute(query.order_by(segments.c.started_us.desc(), segments.c.id.desc()).limit(limit)))


def is_of_wrong_student(connection: Connection, kiosk: str, session: str | None) -> bool:
    """Whether somebody in the room said that another student sat there in that session."""
    query = (
        select(ledger_rows.c.body)
        .join(ledger_epochs, ledger_epochs.c.id == ledger_rows.c.epoch_id)
        .where(
            ledger_rows.c.session == session, ledger_rows.c.type == wrong_student.TYPE, ledger_epochs.c.kiosk == kiosk
        )
    )
    return any(wrong_student.said_by_person(body) for body in connection.execute(query).scalars())


def of_wrong_students(connection: Connection) -> list[Row[Any]]:
    """What is here, whole or in part, of sessions in which somebody said that another student sat there."""
    here = select(segments.c.session).where(_KEPT).distinct()  # a session's rows are looked at once, not per segment
    said = (
        select(ledger_epochs.c.kiosk, ledger_rows.c.session, ledger_rows.c.body)
        .join(ledger_epochs, ledger_epochs.c.id == ledger_rows.c.epoch_id)
        .where(ledger_rows.c.session.in_(here), ledger_rows.c.type == wrong_student.TYPE)
    )
    of = {(row.kiosk, row.session) for row in connection.execute(said) if wrong_student.said_by_person(row.body)}
    return reaching(connection, of, None) if of else []


def is_without_consent(connection: Connection, kiosk: str, session: str | None, facts: Mapping[str, Any]) -> bool:
    """Whether a segment may hold a picture from after a consent of one of its session's students was taken back."""
    query = (
        select(ledger_rows.c.body)
        .join(ledger_epochs, ledger_epochs.c.id == ledger_rows.c.epoch_id)
        .where(
            ledger_rows.c.session == session, ledger_rows.c.type == "session.started", ledger_epochs.c.kiosk == kiosk
        )
    )
    students = {one for body in connection.execute(query).scalars() for one in row_of(body).data.get("students", ())}
    campus = campus_of(connection, kiosk)
    start = moment(facts["started_us"])
    end = start + timedelta(milliseconds=facts["ms"])
    without = [gap for own in consents.of(connection, campus, students).values() for gap in gaps(own)]
    return any(facts["clock"] == "unset" or (end > since and (to is None or start < to)) for since, to in without)


def sessions_of(connection: Connection, student: str, campus: str | None = None) -> list[tuple[str, str]]:
    """Kiosk and session of every session that was begun for a student, by its opaque reference."""
    query = (
        select(ledger_epochs.c.kiosk, ledger_rows.c.session, ledger_rows.c.body)
        .join(ledger_epochs, ledger_epochs.c.id == ledger_rows.c.epoch_id)
        .where(ledger_rows.c.type == "session.started", ledger_rows.c.body.contains(student, autoescape=True))
    )
    if campus is not None:
        query = query.join(kiosks, kiosks.c.id == ledger_epochs.c.kiosk).where(kiosks.c.campus == campus)
    rows = connection.execute(query).all()
    return [(row.kiosk, row.session) for row in rows if student in row_of(row.body).data.get("students", ())]


def reaching(
    connection: Connection, of: Iterable[tuple[str, str]], since: datetime | None, until: datetime | None = None
) -> list[Row[Any]]:
    """What is here, whole or in part, of these sessions (kiosk, session) and may hold a picture taken since then.

    With `until`, taken before that as well.

    A segment whose clock was never set may be of any time, so it is among them.
    """
    query = select(segments).where(_KEPT, tuple_(segments.c.kiosk, segments.c.session).in_(list(of)))
    if since is not None:
        ends_us = segments.c.started_us + segments.c.ms * 1_000
        query = query.where(or_(ends_us > micros(since), segments.c.clock == "unset"))
    if until is not None:
        query = query.where(or_(segments.c.started_us < micros(until), segments.c.clock == "unset"))
    return list(connection.execute(query))


def unfinished(connection: Connection, before: datetime) -> list[str]:
    """The segments that were announced before then and never came whole."""
    query = select(segments.c.id).where(
        and_(_KEPT, segments.c.stored_us.is_(None), segments.c.announced_us < micros(before))
    )
    return list(connection.execute(query).scalars())
