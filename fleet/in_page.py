"""What a reader finds in-page: open incidents, and those of which somebody of their role is told now. From memory."""

from dataclasses import dataclass
from typing import Final

from fleet.access.roles import Principal, Role
from fleet.incident_views import IncidentLine, incident_line
from fleet.incidents import Incident, State
from fleet.notices import Channel, Kind, To, key_of
from fleet.parts import FleetParts

READS: Final[dict[Role, frozenset[To]]] = {
    Role.IT: frozenset({To.IT}),
    Role.SERVICE: frozenset({To.IT}),
    Role.THERAPIST: frozenset({To.THERAPIST}),
    Role.PORTAL: frozenset({To.THERAPIST}),
    Role.AIDE: frozenset({To.AIDE, To.POINT_PERSON}),
    Role.AUDITOR: frozenset(),
}
"""Whose in-page notices a role reads: a point person signs in as an aide."""


@dataclass(frozen=True, slots=True)
class Told:
    """What a reader is told at the moment."""

    count: int
    """Open ones that nobody has acknowledged."""
    newest: IncidentLine | None


def open_incidents(fleet: FleetParts, reader: Principal, kiosk: str | None = None) -> list[IncidentLine]:
    """The open incidents that a reader may see, those that nobody looks after first, the newest of each first."""
    now = fleet.clock.now().at
    found = [one for one in _living(fleet, reader, kiosk) if one.state is State.OPEN]
    found.sort(key=lambda one: one.turned_at, reverse=True)
    found.sort(key=lambda one: (one.is_suppressed(now), one.acknowledged_at is not None))
    return [incident_line(one, now) for one in found]


def told(fleet: FleetParts, reader: Principal) -> Told:
    """What somebody of the reader's role is told in-page and has not been acknowledged."""
    if fleet.watch is None:
        return Told(0, None)
    now, watch = fleet.clock.now().at, fleet.watch
    mine = [one for one in watch.routes if one.channel is Channel.IN_PAGE and one.role in READS[reader.role]]
    found = [
        one
        for one in _living(fleet, reader, None)
        if one.state is State.OPEN
        and one.acknowledged_at is None
        and not one.is_suppressed(now)
        and any(key_of(one, route, Kind.OPENED) in watch.book.told(one.id) for route in mine)
    ]
    newest = max(found, key=lambda one: one.turned_at, default=None)
    return Told(len(found), None if newest is None else incident_line(newest, now))


def _living(fleet: FleetParts, reader: Principal, kiosk: str | None) -> list[Incident]:
    if fleet.watch is None:
        return []
    found = fleet.watch.book.living() if kiosk is None else list(fleet.watch.book.of(kiosk).values())
    return [one for one in found if reader.sees(one.campus)]
