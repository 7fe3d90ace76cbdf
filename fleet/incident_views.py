"""What a reader is told of incidents, notices, routes and health scores: the models behind the API and the console."""

import json
from datetime import datetime
from typing import Any, Literal

from pydantic import Field

from fleet.clock import moment, moment_or_none
from fleet.incidents import Incident, State
from fleet.notice_words import OF_A_CAMPUS, sentence_of
from fleet.notices import Kind
from fleet.own_signals import words
from fleet.tally import score
from fleet.views import View
from wire.signals import Severity


class Suppression(View):
    """For how long, by whom and why an incident is out of verdict and notices."""

    until: datetime
    by: str | None
    reason: str | None


class IncidentLine(View):
    """One incident in a list."""

    id: str
    kiosk: str
    campus: str
    signal: str
    role: str | None
    severity: Severity
    state: Literal["open", "resolved", "closed"]
    reported: bool
    """A person said it; it is over when a person says so."""
    opened_at: datetime
    """Of the first opening."""
    since: datetime
    """When the current, or the last, opening began."""
    resolved_at: datetime | None
    opening: int
    """How often it opened, this time included."""
    flapping: bool
    """It comes and goes, and is held open until its signal was clear for ten minutes."""
    flaps: int
    acknowledged_at: datetime | None
    acknowledged_by: str | None
    suppression: Suppression | None
    """Null when it is not suppressed now."""
    evidence: dict[str, Any]
    remedy: str | None
    """What the kiosk last tried by itself."""
    aide: str
    therapist: str
    it: str


class EventView(View):
    """One line of an incident's timeline."""

    at: datetime
    what: str
    who: str | None
    detail: dict[str, Any]


class NoticeView(View):
    """A notice and its delivery."""

    id: str
    incident: str | None = Field(description="Null when a campus closes")
    kiosk: str | None
    campus: str
    kind: str
    text: str
    severity: Severity
    role: str = Field(description="As what somebody was told")
    channel: Literal["email", "webhook", "in-page"]
    address: str | None = Field(description="Null in-page, and for readers who may not see addresses")
    created_at: datetime
    state: Literal["queued", "sent", "failed"]
    attempts: int
    next_try_at: datetime | None
    sent_at: datetime | None
    error: str | None


class IncidentView(IncidentLine):
    """One incident with its timeline and its notices."""

    timeline: tuple[EventView, ...]
    """Oldest first."""
    notices: tuple[NoticeView, ...]
    """Newest first."""


class HealthDay(View):
    """How long, within bell times, on a day of the campus."""

    day: str
    score: float | None
    """The ready share of the time counted; null when none was."""
    ready_ms: int
    attention_ms: int
    blocked_ms: int
    unknown_ms: int
    kiosks: int = 1


def incident_line(one: Incident, now: datetime) -> IncidentLine:
    """An incident as it is at `now`."""
    return IncidentLine(**_line(one, now))


def incident_view(one: Incident, events: list[Any], notices: list[NoticeView], now: datetime) -> IncidentView:
    """An incident with its rows of timeline and its notices."""
    timeline = tuple(
        EventView(at=moment(row.at_us), what=row.what, who=row.who, detail=json.loads(row.detail)) for row in events
    )
    return IncidentView(**_line(one, now), timeline=timeline, notices=tuple(notices))


def notice_view(row: Any, *, with_address: bool) -> NoticeView:
    """A row of the outbox."""
    return NoticeView(
        id=row.id,
        incident=row.incident,
        kiosk=row.kiosk or None,
        campus=row.campus,
        kind=row.kind,
        text=OF_A_CAMPUS.get(Kind(row.kind)) or sentence_of(row.signal, row.role or None),
        severity=Severity(row.severity),
        role=row.to_role,
        channel=row.channel,
        address=row.address if with_address else None,
        created_at=moment(row.created_us),
        state=row.state,
        attempts=row.attempts,
        next_try_at=moment(row.next_us) if row.state == "queued" else None,
        sent_at=moment_or_none(row.sent_us),
        error=_error(row, with_address=with_address),
    )


def health_day(row: Any) -> HealthDay:
    """A row of `readiness_days`, or a sum of such rows."""
    names = ("day", "ready_ms", "attention_ms", "blocked_ms", "unknown_ms")
    return HealthDay(score=score(row), kiosks=getattr(row, "kiosks", 1), **{name: getattr(row, name) for name in names})


def _error(row: Any, *, with_address: bool) -> str | None:
    error: str | None = row.error
    return error if error is None or with_address or not row.address else error.replace(row.address, "…")


def _line(one: Incident, now: datetime) -> dict[str, Any]:
    suppression = None
    if one.suppressed_until is not None and one.is_suppressed(now):
        suppression = Suppression(until=one.suppressed_until, by=one.suppressed_by, reason=one.suppressed_reason)
    same = ("id", "kiosk", "campus", "signal", "role", "severity", "reported", "opened_at", "opening", "flapping",
            "flaps", "acknowledged_at", "acknowledged_by", "evidence", "remedy")  # fmt: skip
    return {name: getattr(one, name) for name in same} | {
        "state": one.state.value,
        "since": one.turned_at,
        "resolved_at": None if one.state is State.OPEN else one.resolved_at,
        "suppression": suppression,
        **{reader: words(one.signal, one.role, reader) for reader in ("aide", "therapist", "it")},
    }
