"""Incidents, their timelines and calls for help in the store."""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Connection, Row, Select, delete, false, select, true, tuple_, update

from fleet.clock import micros, moment, moment_or_none
from fleet.incidents import Event, Incident, State
from fleet.incoming import Parcel
from fleet.store.engine import insert
from fleet.store.incident_tables import calls, incident_events, incidents
from wire.signals import Severity

OVER: Final = "over"
"""As the kind of a call: the room says that it is over."""
HELP_ROWS: Final = frozenset({"help.asked", "help.called", "help.over"})
"""The ledger types in which somebody calls for help, or says that it came."""
_LONGEST_ID: Final = 40
_CHUNK: Final = 500


@dataclass(frozen=True, slots=True)
class Call:
    """Somebody at a kiosk called for help, or said that the call is over."""

    kiosk: str
    epoch: str
    seq: int
    kind: str
    """`adult`, `other`, or `OVER`."""
    session: str | None
    at: datetime
    clock: str
    """How far `at` may be believed."""
    received_at: datetime
    call: str | None = None
    """Which call, by the kiosk's own id for it; kiosks that knew of one at a time gave none."""


def save(connection: Connection, incident: Incident, events: Iterable[Event]) -> None:
    """Keep an incident as it is now, and what happened to it."""
    values = _values(incident)
    adding = insert(connection, incidents).values(**values, kept=False)
    changing = {name: adding.excluded[name] for name in values if name not in {"id", "kiosk", "campus"}}
    connection.execute(adding.on_conflict_do_update(index_elements=["id"], set_=changing))
    rows = [
        {
            "incident": incident.id,
            "at_us": micros(event.at),
            "what": event.what.value,
            "who": event.who,
            "detail": json.dumps(event.detail),
        }
        for event in events
    ]
    if rows:
        connection.execute(incident_events.insert(), rows)


def living(connection: Connection) -> list[Incident]:
    """Every incident that is not closed."""
    query = select(incidents).where(incidents.c.state != State.CLOSED.value)
    return [incident_of(row) for row in connection.execute(query)]


def one(connection: Connection, id_: str) -> Row[Any] | None:
    """One incident's row."""
    return connection.execute(select(incidents).where(incidents.c.id == id_)).one_or_none()


def events_of(connection: Connection, id_: str, limit: int = 500) -> list[Row[Any]]:
    """An incident's timeline, oldest first; of a longer one the newest lines."""
    query = select(incident_events).where(incident_events.c.incident == id_)
    found = connection.execute(query.order_by(incident_events.c.id.desc()).limit(limit)).all()
    return list(reversed(found))


def newest(
    connection: Connection,
    *,
    limit: int,
    campuses: frozenset[str] | None = None,
    kiosk: str | None = None,
    campus: str | None = None,
    is_open: bool | None = None,
    before: tuple[int, str] | None = None,
) -> list[Row[Any]]:
    """Incidents by their first opening, newest first.

    Args:
        connection: from `Database.read`.
        limit: at most so many.
        campuses: of these only; None is all.
        kiosk: of this one only.
        campus: of this one only.
        is_open: open ones, or those that are not; None is both.
        before: the place `(opened_us, id)` after which to go on.
    """
    query: Select[Any] = select(incidents)
    if campuses is not None:
        query = query.where(incidents.c.campus.in_(sorted(campuses)))
    if kiosk is not None:
        query = query.where(incidents.c.kiosk == kiosk)
    if campus is not None:
        query = query.where(incidents.c.campus == campus)
    if is_open is not None:
        is_so = incidents.c.state == State.OPEN.value
        query = query.where(is_so if is_open else ~is_so)
    if before is not None:
        query = query.where(tuple_(incidents.c.opened_us, incidents.c.id) < before)
    return list(connection.execute(query.order_by(incidents.c.opened_us.desc(), incidents.c.id.desc()).limit(limit)))


def note_calls(connection: Connection, parcels: Iterable[Parcel], now: datetime) -> None:
    """Keep the calls for help among rows that were just stored; the same row again changes nothing."""
    found = [
        {
            "kiosk": parcel.kiosk,
            "epoch": parcel.batch.epoch,
            "seq": row.seq,
            "kind": _kind(row.type, row.data),
            "call": _call_id(row.data.get("call")),
            "session": row.session,
            "at_us": micros(row.at),
            "clock": row.clock.value,
            "received_us": micros(now),
            "taken": False,
        }
        for parcel in parcels
        for row in parcel.rows
        if row.type in HELP_ROWS
    ]
    if found:
        connection.execute(insert(connection, calls).on_conflict_do_nothing(), found)


def _kind(type_: str, data: dict[str, Any]) -> str:
    if type_ == "help.over":
        return OVER
    return "other" if data.get("kind") == "other" else "adult"


def _call_id(told: object) -> str | None:
    """A call's id as a row gives it; what is none names no call."""
    fits = isinstance(told, str) and 0 < len(told) <= _LONGEST_ID and told.isprintable()
    return str(told) if fits else None


def waiting_calls(connection: Connection, limit: int = 200) -> list[Call]:
    """Calls of which no incident knows yet, oldest first."""
    query = select(calls).where(calls.c.taken == false()).order_by(calls.c.received_us, calls.c.seq).limit(limit)
    return [
        Call(
            row.kiosk,
            row.epoch,
            row.seq,
            row.kind,
            row.session,
            moment(row.at_us),
            row.clock,
            moment(row.received_us),
            row.call,
        )
        for row in connection.execute(query)
    ]


def took(connection: Connection, taken: Iterable[Call]) -> None:
    """Incidents know of these calls."""
    for call in taken:
        same = (calls.c.kiosk == call.kiosk) & (calls.c.epoch == call.epoch) & (calls.c.seq == call.seq)
        connection.execute(update(calls).where(same).values(taken=True))


def old(connection: Connection, before: datetime, *, kept: bool) -> list[Incident]:
    """Closed incidents that ended before a time, up to a few hundred: those that touch a booking, or the others."""
    query = (
        select(incidents)
        .where(incidents.c.state == State.CLOSED.value, incidents.c.resolved_us < micros(before))
        .where(incidents.c.kept == (true() if kept else false()))
        .limit(_CHUNK)
    )
    return [incident_of(row) for row in connection.execute(query)]


def keep(connection: Connection, id_: str) -> None:
    """It touches a booking: it stays as long as that booking's session record."""
    connection.execute(update(incidents).where(incidents.c.id == id_).values(kept=True))


def drop(connection: Connection, id_: str) -> None:
    """Remove an incident with its timeline and its notices."""
    connection.execute(delete(incidents).where(incidents.c.id == id_))


def drop_calls(connection: Connection, before: datetime) -> None:
    """Forget calls that arrived before a time; their ledger rows stay."""
    connection.execute(delete(calls).where(calls.c.taken == true(), calls.c.received_us < micros(before)))


def incident_of(row: Any) -> Incident:
    """The incident that a row keeps."""
    return Incident(
        id=row.id,
        kiosk=row.kiosk,
        campus=row.campus,
        signal=row.signal,
        role=row.role or None,
        severity=Severity(row.severity),
        state=State(row.state),
        opened_at=moment(row.opened_us),
        turned_at=moment(row.turned_us),
        openings=tuple(moment(at_us) for at_us in json.loads(row.openings)),
        opening=row.opening,
        evidence=json.loads(row.evidence),
        resolved_at=moment_or_none(row.resolved_us),
        cleared_at=moment_or_none(row.cleared_us),
        flapping=row.flapping,
        flaps=row.flaps,
        acknowledged_at=moment_or_none(row.acknowledged_us),
        acknowledged_by=row.acknowledged_by,
        suppressed_until=moment_or_none(row.suppressed_us),
        suppressed_by=row.suppressed_by,
        suppressed_reason=row.suppressed_reason,
        remedy=row.remedy,
        call=row.call,
    )


def _values(incident: Incident) -> dict[str, Any]:
    def at(when: datetime | None) -> int | None:
        return None if when is None else micros(when)

    return {
        "id": incident.id,
        "kiosk": incident.kiosk,
        "campus": incident.campus,
        "signal": incident.signal,
        "role": incident.role or "",
        "severity": incident.severity.value,
        "state": incident.state.value,
        "opened_us": micros(incident.opened_at),
        "turned_us": micros(incident.turned_at),
        "opening": incident.opening,
        "openings": json.dumps([micros(one) for one in incident.openings]),
        "evidence": json.dumps(incident.evidence),
        "resolved_us": at(incident.resolved_at),
        "cleared_us": at(incident.cleared_at),
        "flapping": incident.flapping,
        "flaps": incident.flaps,
        "acknowledged_us": at(incident.acknowledged_at),
        "acknowledged_by": incident.acknowledged_by,
        "suppressed_us": at(incident.suppressed_until),
        "suppressed_by": incident.suppressed_by,
        "suppressed_reason": incident.suppressed_reason,
        "remedy": incident.remedy,
        "call": incident.call,
    }
