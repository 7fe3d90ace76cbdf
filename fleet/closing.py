"""Closing a campus early: one action that settles later bookings as a school event and tells whom it concerns."""

import logging
import uuid
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta, tzinfo

from sqlalchemy import Connection

from fleet.access.roles import Principal
from fleet.errors import BadValue, NotFound
from fleet.notices import Kind, leaves_at, to_be_told_of_closure
from fleet.parts import FleetParts
from fleet.planning import CLOSED, Plan, State, clashes
from fleet.store import audit, bookings, campuses, rooms
from fleet.store import notices as outbox
from fleet.store.campuses import Closure
from wire.school_day import instant

_log = logging.getLogger(__name__)

_LONGEST = timedelta(days=1)


def stretch(
    day: date | None,
    dismissal: time | None,
    since: datetime | None,
    until: datetime | None,
    zone: tzinfo | None,
    now: datetime,
) -> tuple[datetime, datetime]:
    """From when to when a campus is closed.

    Args:
        day: in the campus's own time; null is today, or that of `since`.
        dismissal: the local time at which school is out; null with `since`, or for the whole day.
        since: instead of `dismissal`.
        until: null is the end of the day.
        zone: the campus's.
        now: an aware instant.

    Raises:
        BadValue: they do not fit together, or the day is over.
    """
    zone = zone or UTC
    if since is not None and (dismissal is not None or day is not None):
        raise BadValue("from", "give either `from`, or `dismissal` and `date`")
    if dismissal is not None and dismissal.tzinfo is not None:
        raise BadValue("dismissal", "is a local time of day, such as 12:30")
    if since is None:
        day = day or now.astimezone(zone).date()
        since = instant(datetime.combine(day, dismissal or time()), zone)
    else:
        day = since.astimezone(zone).date()
    ends = instant(datetime.combine(day + timedelta(days=1), time()), zone)
    until = until or ends
    if until <= since:
        raise BadValue("to", "is not after `from`")
    if until > since + timedelta(days=1, hours=1):
        raise BadValue("to", "a closure is of one day; holidays belong into the calendar")
    if until <= now:
        raise BadValue("date", "that day is over")
    return since.astimezone(UTC), until.astimezone(UTC)


def close(
    connection: Connection,
    principal: Principal,
    campus: str,
    since: datetime,
    until: datetime,
    reason: str,
    now: datetime,
    zone: tzinfo | None = None,
) -> tuple[Closure, list[Plan]]:
    """Keep the closure, settle what begins within it; what runs over its beginning is held to its end.

    The same closure again settles what was booked meanwhile, and is otherwise none.
    """
    held = [one for one in campuses.closures_of(connection, [campus], now) if (one.since, one.until) == (since, until)]
    closure = held[0] if held else Closure(_new_id(), campus, since, until, reason, principal.name)
    if not held:
        campuses.add_closure(connection, closure, now)
    due = [
        replace(one, state=State.SETTLED, reason=CLOSED, closure=closure.id)
        for one in bookings.between(connection, since, until, campus=campus)
        if one.start >= since
    ]
    for one in due:
        bookings.change(connection, one, now)
    if due or not held:
        detail = f"{reason}; {len(due)} bookings settled"
        audit.note(connection, now, principal.name, "campus.closed", closure.id, detail, campus=campus)
        rooms.touch(connection, rooms.kiosks_of(connection, [campus]), now)
    if due:
        _tell_therapists(connection, closure, Kind.CLOSED, due, now, zone or UTC)
    return closure, settled_by(connection, closure)


def reopen(
    connection: Connection,
    principal: Principal,
    campus: str,
    closure_id: str,
    now: datetime,
    zone: tzinfo | None = None,
) -> tuple[list[Plan], list[Plan]]:
    """Take a closure back: what is not over is planned again, unless therapist or student is booked elsewhere by now.

    Returns:
        the bookings that are planned again, and those that stay settled.

    Raises:
        NotFound: it is not this campus's, or was taken back already.
    """
    found = campuses.closures_of(connection, [campus], datetime.min.replace(year=2000, tzinfo=UTC))
    closure = next((one for one in found if one.id == closure_id), None)
    if closure is None:
        raise NotFound("There is no such closure here; perhaps it was taken back already.")
    settled = settled_by(connection, closure)
    again = [replace(one, state=State.PLANNED, reason=None, closure=None) for one in settled if one.end > now]
    ids = {one.id for one in again}
    planned = bookings.between(connection, closure.since - _LONGEST, closure.until + _LONGEST)
    taken = {one.id for clash in clashes([*planned, *again]) for one in (clash.one, clash.other)}
    back = [one for one in again if one.id not in taken]
    stay = [replace(one, closure=None) for one in settled if one.id not in ids or one.id in taken]
    for one in (*back, *stay):
        bookings.change(connection, one, now)
    campuses.remove_closure(connection, closure)
    detail = f"{len(back)} bookings planned again, {len(stay)} stay settled"
    audit.note(connection, now, principal.name, "campus.reopened", closure.id, detail, campus=campus)
    rooms.touch(connection, rooms.kiosks_of(connection, [campus]), now)
    if back:
        _tell_therapists(connection, closure, Kind.REOPENED, back, now, zone or UTC)
    return back, stay


def _tell_therapists(
    connection: Connection, closure: Closure, kind: Kind, bookings_: Sequence[Plan], now: datetime, zone: tzinfo
) -> None:
    """Therapists' notices, durable with the closure itself; without a booking that it changes nobody is concerned."""
    where = {one.id: one.kiosk for one in rooms.rooms_of(connection, frozenset({closure.campus}))}
    kiosks = {kiosk for one in bookings_ if (kiosk := where.get(one.room)) is not None}
    local = now.astimezone(zone)
    for route in to_be_told_of_closure(outbox.routes(connection), closure.campus, kiosks):
        due = leaves_at(route, local).astimezone(UTC)
        outbox.put_closed(connection, route, closure, kind, str(uuid.uuid4()), now, due)


def settled_by(connection: Connection, closure: Closure) -> list[Plan]:
    """The bookings that a closure settled."""
    found = bookings.between(connection, closure.since, closure.until, campus=closure.campus, only_planned=False)
    return [one for one in found if one.closure == closure.id]


def tell(fleet: FleetParts, campus: str) -> None:
    """Readers of the board are told in their pages."""
    fleet.days.stale()
    fleet.changes.tell({entry.id for entry in fleet.roll.entries() if entry.campus == campus})


def _new_id() -> str:
    return f"cl-{uuid.uuid4().hex[:16]}"
