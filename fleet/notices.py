"""Notices: who is told of an incident, when, and in which words. Pure.

A notice has no field that could name a student: it is made of where a kiosk stands, which signal it is and since when,
and its words are the table's own. What a kiosk gives as evidence never enters it.
"""

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from enum import StrEnum
from typing import Final, Protocol

from fleet.incidents import Incident, State
from wire.ids import STUDENT_PATTERN
from wire.signals import Severity

NEXT_AFTER: Final = timedelta(minutes=3)
"""Unacknowledged for so long, the next step's people are told."""
URGENT_BEFORE: Final = timedelta(minutes=30)
"""What turns wrong so shortly before a booking cannot wait for anybody's minimum duration."""


class Channel(StrEnum):
    """How somebody is told."""

    EMAIL = "email"
    WEBHOOK = "webhook"
    IN_PAGE = "in-page"


class To(StrEnum):
    """As what somebody is told; it also chooses the words."""

    POINT_PERSON = "point-person"
    AIDE = "aide"
    THERAPIST = "therapist"
    IT = "it"


class Kind(StrEnum):
    """What a notice says."""

    OPENED = "incident.opened"
    RESOLVED = "incident.resolved"
    CLOSED = "campus.closed"
    """A campus closes early, and bookings are settled by that."""
    REOPENED = "campus.reopened"
    """That was taken back."""


@dataclass(frozen=True, slots=True)
class Route:
    """Who is told, of what, and how."""

    id: str
    role: To
    channel: Channel
    campus: str | None = None
    """None is all campuses."""
    kiosk: str | None = None
    person: str | None = None
    """The point person, by the reference that the schedule has; told of rooms of which they are it at that time."""
    address: str | None = None
    """An e-mail address or a URL; None in-page."""
    severity: Severity = Severity.ATTENTION
    """Of this and worse ones."""
    min_duration_s: int = 0
    """Of incidents that have lasted so long."""
    quiet_from: time | None = None
    """From then to `quiet_until`, in campus time, nothing leaves; what is open then leaves afterwards."""
    quiet_until: time | None = None
    step: int = 0
    """0 is first, 1 is told after three unacknowledged minutes, and so on; steps without anybody are passed over."""


@dataclass(frozen=True, slots=True)
class Booked:
    """When a booking of a kiosk's room runs."""

    start: datetime
    end: datetime


class School(Protocol):
    """What the schedule knows of a campus and its rooms."""

    def bells(self, campus: str, at: datetime, /) -> bool:
        """Whether the bell schedule has school at that instant."""

    def local(self, campus: str, at: datetime, /) -> datetime:
        """The instant in the campus's own zone."""

    def point_person(self, kiosk: str, at: datetime, /) -> str | None:
        """Who is the point person of the kiosk's room then: the booking's own, else the room's."""

    def booked(self, kiosk: str, at: datetime, /) -> Sequence[Booked]:
        """The planned bookings of the kiosk's room that run then or begin within `URGENT_BEFORE`, by start."""


@dataclass(frozen=True, slots=True)
class Draft:
    """A notice to be made: of an incident's current opening, to one route."""

    route: Route
    kind: Kind
    key: str
    """The same for the same notice: there is one of each."""


@dataclass(frozen=True, slots=True)
class Notice:
    """All that a notice is made of; there is nothing of a booking, a session or a student in it, nor any evidence."""

    id: str
    kind: Kind
    incident: str | None
    """Null for a closure, which is of a campus: then `kiosk` is empty."""
    kiosk: str
    campus: str
    room: str | None
    signal: str
    role: str | None
    severity: Severity
    opening: int
    since: datetime
    """In campus time."""
    at: datetime
    """When it was made, in campus time."""
    flapping: bool
    to: To


def due(
    incident: Incident, routes: Iterable[Route], told: Mapping[str, datetime], school: School, now: datetime
) -> list[Draft]:
    """The notices that have to be made now.

    Args:
        incident: open, or resolved.
        routes: all there are.
        told: when each notice of this incident was made, by its key.
        school: bells, zones and point persons.
        now: the time.
    """
    for_booking = urgent_for(incident, school, now)
    may_disturb = incident.reported or school.bells(incident.campus, now)
    if for_booking is not None:  # the first booking of the day is announced before its bell
        may_disturb = may_disturb or school.bells(incident.campus, for_booking.start)
    if incident.is_suppressed(now) or not may_disturb:
        return []
    here = [one for one in routes if _fits(one, incident, school, now)]
    if incident.state is not State.OPEN:
        kind = Kind.RESOLVED
        chosen = [one for one in here if key_of(incident, one, Kind.OPENED) in told]
    else:
        kind = Kind.OPENED
        chosen = [] if incident.acknowledged_at else _in_turn(incident, here, told, now, urgent=for_booking is not None)
    drafts = [Draft(one, kind, key_of(incident, one, kind)) for one in chosen]
    return [one for one in drafts if one.key not in told]


def urgent_for(incident: Incident, school: School, now: datetime) -> Booked | None:
    """The booking, running or within half an hour, before whose start this opening began; None of what people say."""
    if incident.reported:
        return None
    return next((one for one in school.booked(incident.kiosk, now) if incident.turned_at < one.start), None)


def key_of(incident: Incident, route: Route, kind: Kind) -> str:
    """What makes a notice the same: the incident, its opening, the route and what it says."""
    return f"{incident.id}:{incident.opening}:{route.id}:{kind.value}"


def _fits(route: Route, incident: Incident, school: School, now: datetime) -> bool:
    if route.campus not in {None, incident.campus} or route.kiosk not in {None, incident.kiosk}:
        return False
    if route.severity is Severity.BLOCKED and incident.severity is not Severity.BLOCKED:
        return False
    is_over = incident.state is not State.OPEN  # then it concerns whoever was told, whose turn may have passed
    if not is_over and route.person is not None and route.person != school.point_person(incident.kiosk, now):
        return False
    return not _is_quiet(route, school.local(incident.campus, now).time())


def to_be_told_of_closure(routes: Iterable[Route], campus: str, kiosks: Collection[str]) -> list[Route]:
    """The routes by which therapists hear that a campus closes while something is booked at these kiosks."""
    return [
        one
        for one in routes
        if one.role is To.THERAPIST
        and one.campus in {None, campus}
        and (one.kiosk is None or one.kiosk in kiosks)
        and one.severity is not Severity.BLOCKED
    ]


def leaves_at(route: Route, local: datetime) -> datetime:
    """When what is due at a campus's local time may leave by a route: at once, or when its quiet hours are over."""
    if route.quiet_until is None or not _is_quiet(route, local.time()):
        return local
    ends = datetime.combine(local.date(), route.quiet_until, local.tzinfo)
    return ends if ends > local else datetime.combine(local.date() + timedelta(days=1), route.quiet_until, local.tzinfo)


def _is_quiet(route: Route, at: time) -> bool:
    begins, ends = route.quiet_from, route.quiet_until
    if begins is None or ends is None:
        return False
    return begins <= at < ends if begins < ends else at >= begins or at < ends


def _in_turn(
    incident: Incident, routes: list[Route], told: Mapping[str, datetime], now: datetime, *, urgent: bool
) -> list[Route]:
    """In-page at once: a page disturbs nobody. The others step by step, each three minutes after the one before."""
    ready = [one for one in routes if urgent or now - incident.turned_at >= timedelta(seconds=one.min_duration_s)]
    chosen = [one for one in ready if one.channel is Channel.IN_PAGE]
    others = [one for one in routes if one.channel is not Channel.IN_PAGE]
    before: datetime | None = None
    for step in sorted({_step(one, urgent=urgent) for one in others}):
        if before is not None and now - before < NEXT_AFTER:
            break
        here = [one for one in others if _step(one, urgent=urgent) == step]
        chosen += [one for one in here if one in ready]
        made = [told[key] for one in here if (key := key_of(incident, one, Kind.OPENED)) in told]
        if not made:  # made in this moment, or still too short for them: the next ones wait for that
            break
        before = min(made)
    return chosen


def _step(route: Route, *, urgent: bool) -> int:
    """Before a booking the room's point person comes first, and therapist and IT next, whatever their routes say."""
    if not urgent:
        return route.step
    return 0 if route.role is To.POINT_PERSON else max(1, route.step)


_STUDENT: Final = re.compile(rf"(?<![A-Za-z0-9])(?:{STUDENT_PATTERN})(?![0-9])", re.IGNORECASE)


def room_name(room: str | None, kiosk: str) -> str:
    """What the place is called in a notice: the room as the kiosk says, unless it looks like a student's reference."""
    if room is None or not room.strip() or not room.isprintable() or _STUDENT.search(room):
        return kiosk
    return room.strip()[:80]
