"""Incidents: what was wrong with a kiosk, from its signal's first moment to a week after its last. Pure.

    (no incident) --the signal counts--> open --it clears--> resolved --7 days--> closed
                                          ^                     |
                                          +--it counts again----+   the same id, one opening more

There is one per kiosk, camera role and signal. The kiosk has held its signals already, so they count here as they come;
what the fleet judges itself is held by its own rows (`fleet/own_signals.py`). What is not known changes nothing: an
incident of a silent kiosk stays as it is, and so does one whose signal a stronger one of the same camera holds back.
"""

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Final

from fleet.own_signals import REPORTED
from wire.signals import Severity

Key = tuple[str, str | None]
"""A signal's id and, where it has one, its camera's role."""

REOPENS_WITHIN: Final = timedelta(days=7)
FLAP_OPENINGS: Final = 3
"""So many openings within `FLAP_WITHIN` and the incident flaps."""
FLAP_WITHIN: Final = timedelta(minutes=30)
FLAP_HOLD: Final = timedelta(minutes=10)
"""A flapping incident stays open until its signal was clear for so long."""
SAID_AGAIN_AFTER: Final = timedelta(minutes=2)
"""A second call for help within this is the first one still: a child's finger sends nobody a hundred notices."""
REPORT_LASTS: Final = timedelta(hours=24)
"""What a person said and nobody resolved is over by itself after this."""


class State(StrEnum):
    """Where an incident is in its life."""

    OPEN = "open"
    RESOLVED = "resolved"
    CLOSED = "closed"


class Sight(StrEnum):
    """What a look says of a signal that is not active."""

    CLEAR = "clear"
    UNKNOWN = "unknown"
    """The kiosk is silent, or a stronger signal holds this one back."""


class What(StrEnum):
    """What happened to an incident; the words of its timeline."""

    OPENED = "opened"
    REOPENED = "reopened"
    WORSENED = "worsened"
    EASED = "eased"
    CLEARED = "cleared"
    """The signal went while the incident flaps: it stays open for now."""
    RETURNED = "returned"
    """And came again."""
    FLAPPING = "flapping"
    SETTLED = "settled"
    REMEDY = "remedy"
    REPORTED = "reported"
    ACKNOWLEDGED = "acknowledged"
    SUPPRESSED = "suppressed"
    UNSUPPRESSED = "unsuppressed"
    RESOLVED = "resolved"
    CLOSED = "closed"


@dataclass(frozen=True, slots=True)
class Fact:
    """A signal that counts now."""

    severity: Severity
    evidence: dict[str, Any] = field(default_factory=dict)
    said_by: str | None = None
    """Who reported it; None is the kiosk or the fleet itself."""
    call: str | None = None
    """The room's call, by the kiosk's id for it; empty where it gave none. None: no room called."""


@dataclass(frozen=True, slots=True)
class Event:
    """One line of an incident's timeline."""

    what: What
    at: datetime
    who: str | None = None
    detail: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Incident:
    """One incident as it is kept."""

    id: str
    kiosk: str
    campus: str
    signal: str
    role: str | None
    severity: Severity
    state: State
    opened_at: datetime
    """Of the first opening."""
    turned_at: datetime
    """When this opening began."""
    openings: tuple[datetime, ...]
    """The newest few, oldest first; `opening` counts them all."""
    opening: int = 1
    evidence: dict[str, Any] = field(default_factory=dict)
    """Of this opening, the newest that said more than that the signal is clearing."""
    resolved_at: datetime | None = None
    cleared_at: datetime | None = None
    """While it flaps: since when its signal is clear."""
    flapping: bool = False
    flaps: int = 0
    """How often it came back while it was held, in all."""
    acknowledged_at: datetime | None = None
    acknowledged_by: str | None = None
    suppressed_until: datetime | None = None
    suppressed_by: str | None = None
    suppressed_reason: str | None = None
    remedy: str | None = None
    """What the kiosk last tried by itself in this opening, in its own words."""
    call: str | None = None
    """The newest call of the room in this opening, as `Fact.call`: an answer goes to that one and to no other."""

    @property
    def key(self) -> Key:
        """What it is about."""
        return self.signal, self.role

    @property
    def reported(self) -> bool:
        """Whether a person said it."""
        return self.signal in REPORTED

    def is_suppressed(self, now: datetime) -> bool:
        """Whether it is out of the verdict, and of every notice, now."""
        return self.suppressed_until is not None and now < self.suppressed_until


@dataclass(frozen=True, slots=True)
class Place:
    """Where a new incident belongs, and the id that it would get."""

    id: str
    kiosk: str
    campus: str


Told = tuple[Incident | None, tuple[Event, ...]]


def look(before: Incident | None, key: Key, seen: Fact | Sight, place: Place, now: datetime) -> Told:
    """What a look at one signal makes of its incident, and the lines for its timeline.

    Args:
        before: the newest incident of this key; None when there is none, or it is closed. One that was resolved seven
            days ago is closed by any look that finds nothing, which a caller takes before one that finds something.
        key: the signal and its camera's role.
        seen: the signal as it counts now, or why it does not. One of severity `info` opens nothing and keeps none open.
        place: for a new incident.
        now: the time.
    """
    if isinstance(seen, Fact) and seen.severity is Severity.INFO:
        seen = Sight.CLEAR
    if isinstance(seen, Fact):
        return _active(before, key, seen, place, now)
    if before is not None and before.resolved_at is not None and now - before.resolved_at >= REOPENS_WITHIN:
        is_news = before.state is State.RESOLVED
        return replace(before, state=State.CLOSED), (Event(What.CLOSED, now),) if is_news else ()
    if before is None or before.state is not State.OPEN or seen is Sight.UNKNOWN:
        return before, ()
    if before.reported:
        return resolved(before, now) if now - before.turned_at >= REPORT_LASTS else (before, ())
    return _clear(before, now)


def resolved(before: Incident, now: datetime, who: str | None = None) -> Told:
    """It is over: by itself, or because somebody said so."""
    after = replace(before, state=State.RESOLVED, resolved_at=now, flapping=False, cleared_at=None)
    return after, (Event(What.RESOLVED, now, who),)


def acknowledged(before: Incident, who: str, now: datetime) -> Told:
    """Somebody looks after it; whoever was first stays."""
    if before.acknowledged_at is not None:
        return before, ()
    return replace(before, acknowledged_at=now, acknowledged_by=who), (Event(What.ACKNOWLEDGED, now, who),)


def suppressed(before: Incident, until: datetime, reason: str, who: str, now: datetime) -> Told:
    """Out of verdict and notices until then; a time that has passed ends it at once."""
    if until <= now:
        if not before.is_suppressed(now):
            return before, ()
        after = replace(before, suppressed_until=None, suppressed_by=None, suppressed_reason=None)
        return after, (Event(What.UNSUPPRESSED, now, who, {"reason": reason}),)
    after = replace(before, suppressed_until=until, suppressed_by=who, suppressed_reason=reason)
    return after, (Event(What.SUPPRESSED, now, who, {"until": until.isoformat(), "reason": reason}),)


def tried(before: Incident, remedy: str, now: datetime) -> Told:
    """The kiosk tried something by itself; the same thing again is no news."""
    if before.state is not State.OPEN or before.remedy == remedy:
        return before, ()
    return replace(before, remedy=remedy), (Event(What.REMEDY, now, detail={"tried": remedy}),)


def _active(before: Incident | None, key: Key, fact: Fact, place: Place, now: datetime) -> Told:
    if before is None or before.state is State.CLOSED:
        opened = Incident(
            place.id,
            place.kiosk,
            place.campus,
            *key,
            fact.severity,
            State.OPEN,
            now,
            now,
            (now,),
            evidence=fact.evidence,
            call=fact.call,
        )
        return opened, (Event(What.OPENED, now, fact.said_by, fact.evidence),)
    if before.state is State.RESOLVED:
        return _reopened(before, fact, now)
    if before.reported:
        return (before, ()) if fact.said_by is None else _said_again(before, fact, now)
    events: list[Event] = []
    after = before
    if before.cleared_at is not None:
        after = replace(after, cleared_at=None, flaps=before.flaps + 1)
        events.append(Event(What.RETURNED, now))
    if fact.severity is not before.severity:
        worse = fact.severity is Severity.BLOCKED
        after = replace(after, severity=fact.severity)
        events.append(Event(What.WORSENED if worse else What.EASED, now, detail={"severity": fact.severity.value}))
    if fact.evidence and fact.evidence != {"clearing": True}:
        after = replace(after, evidence=fact.evidence)
    return after, tuple(events)


def _reopened(before: Incident, fact: Fact, now: datetime) -> Told:
    openings = (*before.openings[-(FLAP_OPENINGS - 1) :], now)
    flaps = not before.reported and len(openings) == FLAP_OPENINGS and now - openings[0] <= FLAP_WITHIN
    after = replace(
        before,
        state=State.OPEN,
        severity=fact.severity,
        turned_at=now,
        opening=before.opening + 1,
        openings=openings,
        evidence=fact.evidence,
        resolved_at=None,
        flapping=flaps,
        acknowledged_at=None,
        acknowledged_by=None,
        remedy=None,
        call=fact.call,
    )
    reopened = Event(What.REOPENED, now, fact.said_by, fact.evidence)
    if not flaps:
        return after, (reopened,)
    return after, (reopened, Event(What.FLAPPING, now, detail={"openings": after.opening}))


def _said_again(before: Incident, fact: Fact, now: datetime) -> Told:
    """Somebody called once more: nobody who only acknowledged the first call has come yet."""
    before = before if fact.call is None else replace(before, call=fact.call)
    if now - before.turned_at < SAID_AGAIN_AFTER:
        return before, ()
    after = replace(before, turned_at=now, opening=before.opening + 1, acknowledged_at=None, acknowledged_by=None)
    return after, (Event(What.REPORTED, now, fact.said_by, fact.evidence),)


def _clear(before: Incident, now: datetime) -> Told:
    if not before.flapping:
        return resolved(before, now)
    if before.cleared_at is None:
        return replace(before, cleared_at=now), (Event(What.CLEARED, now),)
    if now - before.cleared_at < FLAP_HOLD:
        return before, ()
    after, events = resolved(before, now)
    return after, (Event(What.SETTLED, now, detail={"flaps": before.flaps}), *events)
