"""Why a session ended early or did not happen, and who was absent: what rooms say, and clinicians beside it."""

import logging
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Connection, Row, select

from fleet.clock import micros, moment
from fleet.incoming import Parcel
from fleet.store.confirmation_tables import booking_reasons, room_words
from fleet.store.engine import chunks, insert
from fleet.store.tables import ledger_epochs, ledger_rows, sessions
from wire import ledger as wire
from wire.errors import BadPayload

_log = logging.getLogger(__name__)

TYPES: Final = frozenset({"reason.given", "reason.skipped", "student.absent"})
_WORDS: Final = ("booking", "student", "reason", "about")
_LONGEST: Final = 80


@dataclass(frozen=True, slots=True)
class Reason:
    """Why a booking was not held, as a clinician says."""

    booking: str
    reason: str
    who: str
    clinician: str | None
    at: datetime


def note(connection: Connection, parcels: Iterable[Parcel]) -> None:
    """Keep what rooms say in ledger rows that were just stored; the same row again changes nothing."""
    for parcel in parcels:
        for wired, row in zip(parcel.batch.rows, parcel.rows, strict=True):
            if row.type not in TYPES or (words := _words(row)) is None:
                continue
            is_held = (
                select(ledger_rows.c.epoch_id)
                .join(ledger_epochs, ledger_epochs.c.id == ledger_rows.c.epoch_id)
                .where(ledger_epochs.c.kiosk == parcel.kiosk, ledger_epochs.c.epoch == parcel.batch.epoch)
                .where(ledger_rows.c.seq == row.seq, ledger_rows.c.hash == wired.hash)
            )
            epoch_id = connection.execute(is_held).scalar_one_or_none()
            if epoch_id is not None:  # else it was put aside, and is nobody's word
                where = {"epoch_id": epoch_id, "seq": row.seq, "kiosk": parcel.kiosk, "campus": parcel.campus}
                connection.execute(insert(connection, room_words).values(**where, **words).on_conflict_do_nothing())


def of_session(connection: Connection, session: str, kiosk: str) -> list[Row[Any]]:
    """What the room said in a session of a kiosk, in order."""
    query = select(room_words).where(room_words.c.session == session, room_words.c.kiosk == kiosk)
    return list(connection.execute(query.order_by(room_words.c.epoch_id, room_words.c.seq)))


def of_bookings(connection: Connection, bookings: Iterable[str]) -> dict[str, list[Row[Any]]]:
    """What rooms of its campus said of each booking, or in a session of it, in order."""
    found: dict[str, dict[tuple[int, int], Row[Any]]] = defaultdict(dict)
    for here in chunks(bookings):
        named = select(room_words, room_words.c.booking.label("of")).where(room_words.c.booking.in_(here))
        held = (
            select(room_words, sessions.c.booking.label("of"))
            .join(sessions, sessions.c.id == room_words.c.session)
            .where(sessions.c.booking.in_(here), sessions.c.kiosk == room_words.c.kiosk)
        )
        for query in (named, held):
            for row in connection.execute(query):
                found[row.of][row.epoch_id, row.seq] = row
    return {booking: [rows[key] for key in sorted(rows)] for booking, rows in found.items()}


def missed_by_room(connection: Connection, bookings: Iterable[tuple[str, str]]) -> dict[str, str]:
    """The last reason that a room gave for each of these bookings with their campuses, whose kiosks alone count."""
    campus_of = dict(bookings)
    found: dict[str, str] = {}
    for here in chunks(campus_of):
        query = select(room_words).where(room_words.c.booking.in_(here), room_words.c.reason.is_not(None))
        for row in connection.execute(query.order_by(room_words.c.epoch_id, room_words.c.seq)):
            if row.campus == campus_of[row.booking]:
                found[row.booking] = row.reason
    return found


def add_reason(connection: Connection, one: Reason) -> None:
    """Keep a clinician's reason; those before it stay."""
    values = {"booking": one.booking, "reason": one.reason, "who": one.who, "clinician": one.clinician}
    connection.execute(booking_reasons.insert().values(**values, at_us=micros(one.at)))


def reasons_of(connection: Connection, bookings: Iterable[str]) -> dict[str, list[Reason]]:
    """Clinicians' reasons by booking, the newest, which counts, first."""
    found: dict[str, list[Reason]] = defaultdict(list)
    for some in chunks(bookings):
        query = select(booking_reasons).where(booking_reasons.c.booking.in_(some))
        for row in connection.execute(query.order_by(booking_reasons.c.id.desc())):
            found[row.booking].append(Reason(row.booking, row.reason, row.who, row.clinician, moment(row.at_us)))
    return found


def _words(row: wire.Row) -> dict[str, Any] | None:
    """What a row says; None for one that says nothing of use, which its ledger keeps all the same."""
    try:
        told = wire.checked(row.type, row.data)
        at_us = micros(row.at)
        moment(at_us)
    except (BadPayload, ValueError, OverflowError) as error:
        _log.warning("a row %s is not understood: %s", row.type, error)
        return None
    words = {name: told.get(name) for name in _WORDS}
    if any(one is not None and len(one) > _LONGEST for one in words.values()):
        _log.warning("a row %s says more than anybody would: nothing of it is shown", row.type)
        return None
    return {**words, "type": row.type, "session": row.session, "at_us": at_us, "clock": row.clock.value}
