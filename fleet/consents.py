"""Consents: given, taken back, and what has to go at once when one was."""

import logging
import uuid
from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from typing import Final

from sqlalchemy import Connection

from fleet import schedule
from fleet.access.roles import Principal
from fleet.errors import Conflict
from fleet.store import audit, bookings, rooms, segments, stills
from fleet.store import consents as store
from fleet.store.consents import RECORDING, Given
from fleet.uploads import REVOKED, Uploads
from fleet.wishes import ConsentWish
from wire.school_day import instant

_log = logging.getLogger(__name__)

LOOK_BACK: Final = timedelta(days=400)
"""Recordings and stills are kept for less: of an older revocation nothing can be left."""


def give_by_file(
    connection: Connection,
    campus: str,
    told: Mapping[str, ConsentWish],
    zone: tzinfo,
    by: str,
    at: datetime,
) -> tuple[list[str], list[str]]:
    """Keep the consents that a list of bookings tells of: the students with a new one, and notes for people.

    The same again is nothing new. A list may have been written before a consent was taken back, so it never gives one
    anew: that is said, and done by hand.
    """
    held = store.of(connection, campus, told)
    fresh, notes = [], []
    for student, wish in told.items():
        own = [one for one in held.get(student, ()) if one.scope == RECORDING]
        until = None if wish.until is None else end_of(wish.until, zone)
        if any(one.until == until and one.revoked_at is None for one in own):
            continue
        in_force = schedule.consents_in_force(own, at)
        if not in_force and any(one.revoked_at is not None for one in own):
            notes.append(f"{student}: its consent was taken back; a list does not give it anew")
            continue
        fresh.append(Given(_new_id(), campus, student, RECORDING, at, until, created_by=by))
    store.add(connection, fresh, at)
    for one in fresh:
        audit.note(connection, at, by, "consent.given", one.student, f"{one.scope}, by a list", campus=campus)
    return [one.student for one in fresh], notes


def give(
    connection: Connection,
    principal: Principal,
    told: Given,
    at: datetime,
) -> Given:
    """Keep a consent; its id is made here."""
    given = Given(
        _new_id(), told.campus, told.student, told.scope, told.since, told.until, created_by=principal.name
    )  # fmt: skip
    store.add(connection, [given], at)
    audit.note(connection, at, principal.name, "consent.given", given.student, given.scope, campus=given.campus)
    touch(connection, given.campus, [given.student], at)
    return given


def revoke(connection: Connection, principal: Principal, given: Given, at: datetime, uploads: Uploads) -> int:
    """Take a consent back, tell the kiosks, and destroy what the fleet has of the time after; how much that was.

    Every consent of that scope of the student goes with it: nobody takes back one of two.

    Raises:
        Conflict: it was taken back already.
    """
    if given.revoked_at is not None:
        raise Conflict("This consent was taken back already.")
    for one in store.of(connection, given.campus, [given.student]).get(given.student, ()):
        if one.scope == given.scope and one.revoked_at is None:
            store.revoke(connection, one.id, at)
            audit.note(connection, at, principal.name, "consent.revoked", one.student, one.scope, campus=one.campus)
    touch(connection, given.campus, [given.student], at)
    return destroy_due(connection, at, uploads, [given.campus]) if given.scope == RECORDING else 0


def destroy_due(connection: Connection, at: datetime, uploads: Uploads, campuses: Iterable[str] | None = None) -> int:
    """Destroy, unopened, recordings and stills of the time after a consent was taken back; how many."""
    count = 0
    taken_back = {(one.campus, one.student) for one in store.revoked_since(connection, at - LOOK_BACK, campuses)}
    for campus, student in sorted(taken_back):
        of = segments.sessions_of(connection, student, campus)
        if not of:
            continue
        for since, until in schedule.gaps(store.of(connection, campus, [student]).get(student, ())):
            count += uploads.destroy_rows(connection, segments.reaching(connection, of, since, until), at, REVOKED)
            for id_ in stills.reaching(connection, of, since, until):
                audit.note(connection, at, "fleet", "still.destroyed", id_, REVOKED, campus=campus)
                stills.destroy(connection, id_, REVOKED, at)
                count += 1
    return count


def touch(connection: Connection, campus: str, students: Iterable[str], at: datetime) -> None:
    """The kiosks in whose rooms these students were ever booked have news."""
    told = bookings.rooms_of_students(connection, campus, students)
    held = {one.id: one.kiosk for one in rooms.rooms_of(connection, frozenset({campus}))}
    rooms.touch(connection, (held.get(room) for room in told), at)


def end_of(day: date, zone: tzinfo) -> datetime:
    """The instant at which a day is over in a zone."""
    return instant(datetime.combine(day + timedelta(days=1), time()), zone).astimezone(UTC)


def _new_id() -> str:
    return f"c-{uuid.uuid4().hex[:16]}"
