"""The outbox of notices, and who is told, in the store."""

from collections.abc import Collection, Mapping
from datetime import datetime, time
from typing import Any, Final

from sqlalchemy import ColumnElement, Connection, Row, Select, and_, delete, or_, select, tuple_, update

from fleet.clock import micros, moment
from fleet.incidents import Incident, State
from fleet.notices import Channel, Draft, Kind, Route, To
from fleet.store.campuses import Closure
from fleet.store.engine import insert
from fleet.store.incident_tables import incidents, notice_routes, notices
from wire.signals import Severity

QUEUED: Final = "queued"
SENT: Final = "sent"
FAILED: Final = "failed"


def put(connection: Connection, draft: Draft, incident: Incident, room: str | None, id_: str, now: datetime) -> None:
    """Put a notice into the outbox; one of the same key that is there already stays as it is."""
    about = {
        "key": draft.key,
        "incident": incident.id,
        "kind": draft.kind.value,
        "kiosk": incident.kiosk,
        "campus": incident.campus,
        "room": room,
        "signal": incident.signal,
        "role": incident.role or "",
        "severity": incident.severity.value,
        "opening": incident.opening,
        "since_us": micros(incident.turned_at),
        "flapping": incident.flapping,
    }
    _put(connection, draft.route, about, id_, now, now)


def put_closed(
    connection: Connection, route: Route, closure: Closure, kind: Kind, id_: str, now: datetime, due: datetime
) -> None:
    """Put a closure's notice into the outbox, to leave when it is `due`: one for each closure, route and kind."""
    about = {
        "key": f"{closure.id}:{route.id}:{kind.value}",
        "incident": None,
        "kind": kind.value,
        "kiosk": "",
        "campus": closure.campus,
        "room": None,
        "signal": "",
        "role": "",
        "severity": Severity.ATTENTION.value,
        "opening": 1,
        "since_us": micros(closure.since),
        "flapping": False,
    }
    _put(connection, route, about, id_, now, due)


def _put(
    connection: Connection, route: Route, about: Mapping[str, Any], id_: str, now: datetime, due: datetime
) -> None:
    """One that is shown in-page is there with the row itself, so it counts as sent."""
    is_page = route.channel is Channel.IN_PAGE
    adding = insert(connection, notices).values(
        id=id_,
        route=route.id,
        channel=route.channel.value,
        address=route.address,
        to_role=route.role.value,
        created_us=micros(now),
        state=SENT if is_page else QUEUED,
        attempts=0,
        next_us=micros(due),
        sent_us=micros(now) if is_page else None,
        **about,
    )
    connection.execute(adding.on_conflict_do_nothing(index_elements=["key"]))


def drop_closed(connection: Connection, before: datetime) -> None:
    """Forget the notices of closures that were made before a time; an incident's go with it."""
    connection.execute(delete(notices).where(notices.c.incident.is_(None), notices.c.created_us < micros(before)))


def told(connection: Connection) -> dict[str, dict[str, datetime]]:
    """By incident that is not closed: when each of its notices was made, by key."""
    query = (
        select(notices.c.incident, notices.c.key, notices.c.created_us)
        .join(incidents, incidents.c.id == notices.c.incident)
        .where(incidents.c.state != State.CLOSED.value)
    )
    found: dict[str, dict[str, datetime]] = {}
    for row in connection.execute(query):
        found.setdefault(row.incident, {})[row.key] = moment(row.created_us)
    return found


def has_due(connection: Connection, now: datetime) -> bool:
    """Whether a notice's time has come and nobody is at it."""
    return connection.execute(select(notices.c.id).where(_is_due(now)).limit(1)).first() is not None


def claim(connection: Connection, now: datetime, until: datetime, limit: int) -> list[Row[Any]]:
    """Notices whose time has come, now claimed, so that no other process tries them before `until`."""
    query = select(notices).where(_is_due(now)).order_by(notices.c.next_us, notices.c.created_us)
    rows = connection.execute(query.limit(limit).with_for_update()).all()
    if rows:
        ids = [row.id for row in rows]
        claiming = update(notices).where(notices.c.id.in_(ids))
        connection.execute(claiming.values(claimed_us=micros(until), attempts=notices.c.attempts + 1))
    return list(rows)


def sent(connection: Connection, id_: str, at: datetime) -> None:
    """The other side took it."""
    done = {"state": SENT, "sent_us": micros(at), "claimed_us": None, "error": None}
    connection.execute(update(notices).where(notices.c.id == id_).values(**done))


def failed(connection: Connection, id_: str, error: str, again: datetime | None) -> None:
    """It was not taken; when to try again, or None for never."""
    values: dict[str, Any] = {"error": error[:300], "claimed_us": None}
    values |= {"state": FAILED} if again is None else {"next_us": micros(again)}
    connection.execute(update(notices).where(notices.c.id == id_).values(**values))


def postpone(connection: Connection, channel: str, address: str | None, until: datetime) -> None:
    """An address that just failed is asked for nothing else before then."""
    same = and_(
        notices.c.state == QUEUED,
        notices.c.channel == channel,
        notices.c.address == address if address is not None else notices.c.address.is_(None),
        notices.c.next_us < micros(until),
        notices.c.claimed_us.is_(None),
    )
    connection.execute(update(notices).where(same).values(next_us=micros(until)))


def of_incident(connection: Connection, incident: str, limit: int = 200) -> list[Row[Any]]:
    """An incident's notices, newest first."""
    query = select(notices).where(notices.c.incident == incident)
    return list(connection.execute(query.order_by(notices.c.created_us.desc(), notices.c.id.desc()).limit(limit)))


def newest(
    connection: Connection,
    *,
    limit: int,
    campuses: frozenset[str] | None = None,
    state: str | None = None,
    channel: str | None = None,
    not_channel: str | None = None,
    to_roles: Collection[str] | None = None,
    before: tuple[int, str] | None = None,
) -> list[Row[Any]]:
    """Notices with the state of their incidents (`incident_state`, `acknowledged_by`, `opening_now`), newest first."""
    query: Select[Any] = select(
        notices,
        incidents.c.state.label("incident_state"),
        incidents.c.acknowledged_by,
        incidents.c.opening.label("opening_now"),
    ).join(incidents, incidents.c.id == notices.c.incident, isouter=True)
    if campuses is not None:
        query = query.where(notices.c.campus.in_(sorted(campuses)))
    for column, value in ((notices.c.state, state), (notices.c.channel, channel)):
        if value is not None:
            query = query.where(column == value)
    if not_channel is not None:
        query = query.where(notices.c.channel != not_channel)
    if to_roles is not None:
        query = query.where(notices.c.to_role.in_(sorted(to_roles)))
    if before is not None:
        query = query.where(tuple_(notices.c.created_us, notices.c.id) < before)
    return list(connection.execute(query.order_by(notices.c.created_us.desc(), notices.c.id.desc()).limit(limit)))


def put_route(connection: Connection, route: Route, by: str, now: datetime) -> None:
    """Let somebody be told from now on; a route of the same id is replaced."""
    values = {
        "role": route.role.value,
        "channel": route.channel.value,
        "campus": route.campus,
        "kiosk": route.kiosk,
        "person": route.person,
        "address": route.address,
        "severity": route.severity.value,
        "min_duration_s": route.min_duration_s,
        "quiet_from": route.quiet_from and route.quiet_from.isoformat(timespec="minutes"),
        "quiet_until": route.quiet_until and route.quiet_until.isoformat(timespec="minutes"),
        "step": route.step,
        "created_by": by,
        "created_us": micros(now),
        "removed_us": None,
    }
    adding = insert(connection, notice_routes).values(id=route.id, **values)
    connection.execute(adding.on_conflict_do_update(index_elements=["id"], set_=values))


def remove_route(connection: Connection, id_: str, now: datetime) -> Row[Any] | None:
    """Tell nobody by it any more; the route as it was, or None when there is none."""
    there = and_(notice_routes.c.id == id_, notice_routes.c.removed_us.is_(None))
    row = connection.execute(select(notice_routes).where(there)).one_or_none()
    if row is not None:
        connection.execute(update(notice_routes).where(there).values(removed_us=micros(now)))
    return row


def route_rows(connection: Connection) -> list[Row[Any]]:
    """Every route that counts, oldest first."""
    query = select(notice_routes).where(notice_routes.c.removed_us.is_(None))
    return list(connection.execute(query.order_by(notice_routes.c.created_us, notice_routes.c.id)))


def routes(connection: Connection) -> list[Route]:
    """Every route that counts."""
    return [route_of(row) for row in route_rows(connection)]


def route_of(row: Any) -> Route:
    """The route that a row keeps."""
    return Route(
        id=row.id,
        role=To(row.role),
        channel=Channel(row.channel),
        campus=row.campus,
        kiosk=row.kiosk,
        person=row.person,
        address=row.address,
        severity=Severity(row.severity),
        min_duration_s=row.min_duration_s,
        quiet_from=_time(row.quiet_from),
        quiet_until=_time(row.quiet_until),
        step=row.step,
    )


def _is_due(now: datetime) -> ColumnElement[bool]:
    free = or_(notices.c.claimed_us.is_(None), notices.c.claimed_us <= micros(now))
    return and_(notices.c.state == QUEUED, notices.c.next_us <= micros(now), free)


def _time(text: str | None) -> time | None:
    return None if text is None else time.fromisoformat(text)
