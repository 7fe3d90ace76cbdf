"""What people do to incidents: acknowledge, suppress, report, resolve. Each is kept with its line in the audit."""

import json
import logging
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import Connection

from fleet import commands
from fleet.access.roles import Principal
from fleet.clock import Instant
from fleet.errors import BadValue, Conflict, NotFound, Unavailable
from fleet.incident_book import Page
from fleet.incidents import Incident, Sight, State, Told, acknowledged, look, resolved, suppressed
from fleet.own_signals import HELP
from fleet.parts import FleetParts
from fleet.roll import Entry
from fleet.store import audit
from fleet.store import incidents as store
from fleet.watch import Watch
from wire.calls import HELP_ANSWERED, HelpAnswered
from wire.ids import is_id

_log = logging.getLogger(__name__)

LONGEST: Final = timedelta(days=92)
"""A summer; what is suppressed for ever is forgotten."""


def acknowledge(fleet: FleetParts, who: Principal, id_: str) -> Incident:
    """Somebody looks after it: nobody further is told.

    Raises:
        NotFound: there is none for this reader.
        Conflict: it is over.
    """
    before = _found(fleet, who, id_)
    if before.state is not State.OPEN:
        raise Conflict("It is over; there is nothing to look after any more.")
    after = _do(fleet, who, id_, "incident.acknowledged", lambda one, now: acknowledged(one, who.name, now))
    if after.call is not None and before.acknowledged_at is None:
        _tell_the_room(fleet, who, after)
    return after


def suppress(fleet: FleetParts, who: Principal, id_: str, until: datetime, reason: str) -> Incident:
    """Out of verdict and notices until then; a time that has passed ends that.

    Raises:
        NotFound: there is none for this reader.
        Conflict: it is closed.
        BadValue: later than a summer away.
    """
    if until > fleet.clock.now().at + LONGEST:
        raise BadValue("until", f"at most {LONGEST.days} days from now; suppress it again then")
    detail = json.dumps({"until": until.isoformat(), "reason": reason}, ensure_ascii=False)
    return _do(
        fleet, who, id_, "incident.suppressed", lambda one, now: suppressed(one, until, reason, who.name, now), detail
    )


def resolve(fleet: FleetParts, who: Principal, id_: str) -> Incident:
    """What a person reported is over.

    Raises:
        NotFound: there is none for this reader.
        Conflict: a signal's incident resolves itself, and by nothing else.
    """
    before = _found(fleet, who, id_)
    if not before.reported:
        raise Conflict("It resolves itself when its signal clears; suppress it if it may wait.")
    if before.state is not State.OPEN:
        return before
    return _do(fleet, who, id_, "incident.resolved", lambda one, now: resolved(one, now, who.name))


def report(fleet: FleetParts, who: Principal, entry: Entry, kind: str) -> Incident:
    """Something is wrong with a kiosk that no signal names, or its room needs an adult.

    The words are a closed list, so that no report can name a student.
    """
    watch = _watch(fleet)
    key = (HELP[kind], None)
    with watch.lock:
        now = fleet.clock.now()
        before = watch.book.of(entry.id).get(key)
        page = Page()
        if before is not None:  # what has been over for a week is closed first
            closed, told = look(before, key, Sight.UNKNOWN, watch.place(entry.id, entry.campus), now.at)
            if closed is not None and told:
                page.put(closed, told)
                before = None
        fact = watch.fact(key[0], who.name)
        after, events = look(before, key, fact, watch.place(entry.id, entry.campus), now.at)
        assert after is not None
        page.put(after, events)
        watch.write(page, now, _noting(who, "incident.reported", after, now, json.dumps({"kind": kind})))
    return after


def _do(  # what, by whom, to which, and its line
    fleet: FleetParts,
    who: Principal,
    id_: str,
    what: str,
    change: Callable[[Incident, datetime], Told],
    detail: str = "",
) -> Incident:
    watch = _watch(fleet)
    with watch.lock:
        before = _found(fleet, who, id_)
        if watch.book.find(id_) is None:
            raise Conflict("It is closed; if it happens again there will be a new one.")
        now = fleet.clock.now()
        after, events = change(before, now.at)
        assert after is not None
        if events:
            page = Page()
            page.put(after, events)
            watch.write(page, now, _noting(who, what, after, now, detail))
    return after


def _found(fleet: FleetParts, who: Principal, id_: str) -> Incident:
    found = _watch(fleet).book.find(id_)
    if found is None:
        with fleet.database.read() as connection:
            row = store.one(connection, id_)
        found = store.incident_of(row) if row is not None else None
    if found is None or not who.sees(found.campus):
        raise NotFound("There is no such incident here.")
    return found


def _noting(who: Principal, what: str, one: Incident, now: Instant, detail: str) -> Callable[[Connection], None]:
    def note(connection: Connection) -> None:
        audit.note(connection, now.at, who.name, what, one.id, detail, campus=one.campus)

    return note


def _tell_the_room(fleet: FleetParts, who: Principal, one: Incident) -> None:
    """The kiosk hears who answered its call; one that cannot be reached, or is older than this, loses nothing by it."""
    entry = fleet.roll.get(one.kiosk)
    if entry is None:
        return
    by = who.name if is_id(who.name) else None
    said = HelpAnswered(by_role=who.role.value, by=by, call=one.call or None)
    try:
        commands.send(fleet, who, entry, HELP_ANSWERED, said.model_dump(mode="json"), commands.LONGEST_S)
    except (Conflict, Unavailable) as error:
        _log.info("%s does not hear who answered: %s", one.kiosk, error)


def _watch(fleet: FleetParts) -> Watch:
    if fleet.watch is None:
        raise Unavailable("This process keeps no incidents.")
    return fleet.watch
