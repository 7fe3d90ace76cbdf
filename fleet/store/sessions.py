"""Sessions in the store: a cache of what the fold makes of their rows, and which of them are due for it."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Connection, Row, Select, delete, false, func, select, true, tuple_, update

from fleet.clock import micros
from fleet.store.confirmation_tables import session_students
from fleet.store.engine import chunks, insert
from fleet.store.tables import ledger_epochs, ledger_rows, sessions
from wire.ids import is_student
from wire.ledger import ClockTrust
from wire.minutes import FOLD_VERSION, Minutes, SessionRecord

OVER: Final = frozenset({"ended", "cancelled"})


@dataclass(frozen=True, slots=True)
class SessionRow:
    """One ledger row of a session, with where it lies."""

    epoch: str
    seq: int
    body: str
    hash: str
    received_us: int
    contiguous: bool
    """No row before it is missing."""


def touch(connection: Connection, rows: Iterable[tuple[str, str, str]], at: datetime) -> int:
    """Mark sessions as due that got rows at a time.

    Args:
        connection: from `Database.write`.
        rows: session, kiosk and campus of each.
        at: when its rows came.

    Returns:
        How many ids belong to a session of another kiosk; those sessions are left alone.
    """
    wanted = {(id_, kiosk): campus for id_, kiosk, campus in rows}
    if not wanted:
        return 0
    at_us = micros(at)
    adding = insert(connection, sessions)
    connection.execute(
        adding.on_conflict_do_update(
            index_elements=["id"],
            set_={"due": true(), "received_us": adding.excluded.received_us},
            where=sessions.c.kiosk == adding.excluded.kiosk,
        ),
        [_unfolded(id_, kiosk, campus, at_us) for (id_, kiosk), campus in wanted.items()],
    )
    owned: set[tuple[str, str]] = set()
    for some in chunks(id_ for id_, _ in wanted):
        query = select(sessions.c.id, sessions.c.kiosk).where(sessions.c.id.in_(some))
        owned.update((row.id, row.kiosk) for row in connection.execute(query))
    return len(wanted.keys() - owned)


def of_student(connection: Connection, student: str) -> list[Row[Any]]:
    """Session, booking and minutes (as JSON) of the sessions that were begun for a booking with this student."""
    query = (
        select(sessions.c.id, sessions.c.booking, sessions.c.minutes)
        .join(session_students, session_students.c.session == sessions.c.id)
        .where(session_students.c.student == student, sessions.c.booking.is_not(None))
    )
    return list(connection.execute(query))


def elapsed_by_booking(connection: Connection, student: str) -> dict[str, int]:
    """By booking, the elapsed milliseconds of the sessions that were begun for it with this student."""
    found: dict[str, int] = {}
    for row in of_student(connection, student):
        elapsed_ms = Minutes.model_validate_json(row.minutes).elapsed_ms
        found[row.booking] = found.get(row.booking, 0) + elapsed_ms
    return found


def touch_joined(connection: Connection, kiosk: str, ids: Iterable[str]) -> None:
    """A hole closed before rows of these sessions of `kiosk`: they may be complete now."""
    for some in chunks(ids):
        waiting = (sessions.c.kiosk == kiosk) & sessions.c.id.in_(some)
        connection.execute(update(sessions).where(waiting, sessions.c.complete == false()).values(due=true()))


def touch_outdated(connection: Connection) -> None:
    """Sessions folded by another version of the fold are due."""
    connection.execute(update(sessions).where(sessions.c.fold_version != FOLD_VERSION).values(due=true()))


def due(connection: Connection, limit: int, after: str = "") -> list[tuple[str, str]]:
    """Session and kiosk of up to `limit` sessions that are due, in the order of their ids, from `after` on."""
    query = select(sessions.c.id, sessions.c.kiosk).where(sessions.c.due == true(), sessions.c.id > after)
    return [(row.id, row.kiosk) for row in connection.execute(query.order_by(sessions.c.id).limit(limit))]


def rows_of(connection: Connection, session: str, kiosk: str) -> list[SessionRow]:
    """The ledger rows of a session in order, through all epochs of its kiosk."""
    query = (
        select(
            ledger_epochs.c.epoch,
            ledger_rows.c.seq,
            ledger_rows.c.body,
            ledger_rows.c.hash,
            ledger_rows.c.received_us,
            (ledger_rows.c.seq <= ledger_epochs.c.through).label("contiguous"),
        )
        .join(ledger_epochs, ledger_epochs.c.id == ledger_rows.c.epoch_id)
        .where(ledger_rows.c.session == session, ledger_epochs.c.kiosk == kiosk)
        .order_by(ledger_epochs.c.id, ledger_rows.c.seq)
    )
    return [SessionRow(*row) for row in connection.execute(query)]


def bodies_of(connection: Connection, session: str, kiosk: str, types: Iterable[str]) -> list[str]:
    """The texts of a session's rows of these types, in order, through all epochs of its kiosk."""
    query = (
        select(ledger_rows.c.body)
        .join(ledger_epochs, ledger_epochs.c.id == ledger_rows.c.epoch_id)
        .where(ledger_rows.c.session == session, ledger_epochs.c.kiosk == kiosk, ledger_rows.c.type.in_(list(types)))
        .order_by(ledger_epochs.c.id, ledger_rows.c.seq)
    )
    return list(connection.execute(query).scalars())


def keep(connection: Connection, session: str, record: SessionRecord, *, complete: bool) -> None:
    """Write what the fold made of a session; it is not due any more."""
    started_us = micros(record.started_at) if record.started_at else None
    values: dict[str, Any] = {
        "state": record.state,
        "started_us": started_us,
        "ended_us": micros(record.ended_at) if record.ended_at else None,
        "started_by": record.started_by,
        "ended_by": record.ended_by,
        "clock": record.clock.value,
        "minutes": record.minutes.model_dump_json(),
        "timeline": "[" + ",".join(span.model_dump_json() for span in record.spans) + "]",
        "complete": complete,
        "fold_version": FOLD_VERSION,
        "booking": record.booking,
        "is_open": record.state not in OVER,
        "due": False,
    }
    if started_us is not None and record.clock is not ClockTrust.UNSET:
        values["order_us"] = started_us  # else the time of arrival keeps its place: a Pi may boot in 1970
    connection.execute(update(sessions).where(sessions.c.id == session).values(values))
    _keep_students(connection, session, record.students)


def _keep_students(connection: Connection, session: str, told: Iterable[str]) -> None:
    """Whom it was begun for; what nobody could have booked is left out."""
    students = {one for one in told if is_student(one)}
    of = session_students.c.session == session
    held = set(connection.execute(select(session_students.c.student).where(of)).scalars())
    if held - students:
        connection.execute(delete(session_students).where(of, session_students.c.student.in_(held - students)))
    if students - held:
        rows = [{"session": session, "student": one} for one in sorted(students - held)]
        connection.execute(session_students.insert(), rows)


def one(connection: Connection, session: str) -> Row[Any] | None:
    """A session's line."""
    return connection.execute(select(sessions).where(sessions.c.id == session)).one_or_none()


def newest(
    connection: Connection,
    *,
    limit: int,
    campuses: frozenset[str] | None = None,
    kiosk: str | None = None,
    since: datetime | None = None,
    until: datetime | None = None,
    before: tuple[int, str] | None = None,
) -> list[Row[Any]]:
    """Session lines, newest first.

    Args:
        connection: from `Database.read`.
        limit: at most so many.
        campuses: of these only; None is all.
        kiosk: of this one only.
        since: started at this time or later.
        until: started before this time.
        before: the place `(order_us, id)` after which to go on.
    """
    query: Select[Any] = select(sessions)
    if campuses is not None:
        query = query.where(sessions.c.campus.in_(sorted(campuses)))
    if kiosk is not None:
        query = query.where(sessions.c.kiosk == kiosk)
    began = func.coalesce(sessions.c.started_us, sessions.c.order_us)
    if since is not None:
        query = query.where(began >= micros(since))
    if until is not None:
        query = query.where(began < micros(until))
    if before is not None:
        query = query.where(tuple_(sessions.c.order_us, sessions.c.id) < before)
    return list(connection.execute(query.order_by(sessions.c.order_us.desc(), sessions.c.id.desc()).limit(limit)))


def ran(connection: Connection, kiosk: str, since: datetime, until: datetime) -> bool:
    """Whether a session of the kiosk ran at some time from `since` to `until`; one without an end still runs."""
    began = func.coalesce(sessions.c.started_us, sessions.c.order_us)
    query = select(sessions.c.id).where(
        sessions.c.kiosk == kiosk,
        began <= micros(until),
        sessions.c.ended_us.is_(None) | (sessions.c.ended_us >= micros(since)),
    )
    return connection.execute(query.limit(1)).first() is not None


def of_bookings(connection: Connection, bookings: Iterable[str]) -> dict[str, Row[Any]]:
    """The newest session that was begun for each of these bookings; one that still runs outweighs one that ended."""
    found: dict[str, Row[Any]] = {}
    for some in chunks(bookings):
        query = select(sessions).where(sessions.c.booking.in_(some))
        order = query.order_by(sessions.c.is_open, sessions.c.state != "cancelled", sessions.c.order_us)
        found.update({row.booking: row for row in connection.execute(order)})
    return found


def open_ones(connection: Connection, campuses: frozenset[str] | None, kiosk: str | None = None) -> list[Row[Any]]:
    """The sessions that are not over, oldest first."""
    query: Select[Any] = select(sessions).where(sessions.c.is_open == true())
    if campuses is not None:
        query = query.where(sessions.c.campus.in_(sorted(campuses)))
    if kiosk is not None:
        query = query.where(sessions.c.kiosk == kiosk)
    return list(connection.execute(query.order_by(sessions.c.order_us)))


def _unfolded(id_: str, kiosk: str, campus: str, at_us: int) -> dict[str, Any]:
    return {
        "id": id_,
        "kiosk": kiosk,
        "campus": campus,
        "order_us": at_us,
        "state": "unknown",
        "clock": ClockTrust.UNSET.value,
        "minutes": Minutes().model_dump_json(),
        "timeline": "[]",
        "complete": False,
        "fold_version": FOLD_VERSION,
        "received_us": at_us,
        "is_open": True,
        "due": True,
    }
