"""Incidents and notices in words, as the console's pages show them. Pure."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, tzinfo
from typing import Any, Final

from fleet.console.kiosk import evidence_rows
from fleet.console.standing import Badge
from fleet.incident_views import EventView, IncidentLine, NoticeView
from fleet.times import time_of_day
from wire.signals import Severity


@dataclass(frozen=True, slots=True)
class Row:
    """One incident."""

    id: str
    kiosk: str
    campus: str
    where: str
    badges: tuple[Badge, ...]
    text: str
    do: str
    it: str
    key: str
    since: str
    at: datetime
    """When this opening began, or when it was over."""
    notes: tuple[str, ...]
    evidence: tuple[tuple[str, str], ...]
    is_open: bool
    acknowledged: bool
    suppressed: bool
    reported: bool


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a timeline."""

    time: str
    text: str
    who: str | None


@dataclass(frozen=True, slots=True)
class Delivery:
    """One notice and what became of it."""

    id: str
    incident: str | None
    address: str
    """Where more is told of it."""
    text: str
    to: str
    how: str
    badge: Badge
    state: str
    at: datetime
    where: str


def row(one: IncidentLine, room: str | None, now: datetime, zone: tzinfo | None) -> Row:
    """One incident in words, for a reader in `zone`; `room` is what its kiosk says."""
    return Row(
        id=one.id,
        kiosk=one.kiosk,
        campus=one.campus,
        where=room or one.kiosk,
        badges=_badges(one),
        text=one.therapist,
        do=one.aide,
        it=one.it,
        key=f"{one.signal} {one.role}" if one.role else one.signal,
        since=time_of_day(one.since, now, zone),
        at=one.since if one.resolved_at is None else one.resolved_at,
        notes=_notes(one, now, zone),
        evidence=evidence_rows(one.evidence),
        is_open=one.state == "open",
        acknowledged=one.acknowledged_at is not None,
        suppressed=one.suppression is not None,
        reported=one.reported,
    )


def lines(timeline: Iterable[EventView], now: datetime, zone: tzinfo | None) -> tuple[Line, ...]:
    """A timeline in words."""
    return tuple(Line(time_of_day(one.at, now, zone), _said(one, now, zone), one.who) for one in timeline)


def deliveries(
    notices: Iterable[NoticeView], rooms: Mapping[str, str | None], now: datetime, zone: tzinfo | None
) -> tuple[Delivery, ...]:
    """Notices with what became of them."""
    return tuple(
        Delivery(
            id=one.id,
            incident=one.incident,
            address=f"/incidents/{one.incident}" if one.incident else f"/schedule?campus={one.campus}",
            text=f"It is over: {one.text}" if one.kind == "incident.resolved" else one.text,
            to=_ROLES.get(one.role, one.role),
            how=_CHANNELS[one.channel] + (f", {one.address}" if one.address else ""),
            badge=_STATES[one.state],
            state=_delivered(one, now, zone),
            at=one.created_at,
            where=(rooms.get(one.kiosk) or one.kiosk) if one.kiosk else one.campus,
        )
        for one in notices
    )


def _badges(one: IncidentLine) -> tuple[Badge, ...]:
    if one.state != "open":
        return (_OVER,)
    found = [_SEVERITIES[one.severity]]
    if one.suppression is not None:
        found.append(_SUPPRESSED)
    elif one.acknowledged_at is not None:
        found.append(_ACKNOWLEDGED)
    if one.flapping:
        found.append(_FLAPPING)
    return tuple(found)


def _notes(one: IncidentLine, now: datetime, zone: tzinfo | None) -> tuple[str, ...]:
    notes = []
    if one.acknowledged_at is not None and one.state == "open":
        notes.append(f"{one.acknowledged_by} looks after it since {time_of_day(one.acknowledged_at, now, zone)}.")
    if one.suppression is not None:
        until = time_of_day(one.suppression.until, now, zone)
        notes.append(f"Suppressed until {until} by {one.suppression.by}: {one.suppression.reason}")
    if one.flapping:
        notes.append(f"It comes and goes ({one.flaps + one.opening} times); it is held open until it was quiet.")
    elif one.opening > 1:
        notes.append(f"It happened {one.opening} times.")
    if one.remedy:
        notes.append(f"The kiosk tried: {one.remedy}.")
    return tuple(notes)


def _said(one: EventView, now: datetime, zone: tzinfo | None) -> str:
    detail: dict[str, Any] = one.detail
    text = _WHAT.get(one.what, one.what)
    match one.what:
        case "remedy":
            return f"{text}: {detail.get('tried')}"
        case "suppressed":
            until = datetime.fromisoformat(str(detail["until"]))
            return f"{text} until {time_of_day(until, now, zone)}: {detail.get('reason')}"
        case "unsuppressed":
            return f"{text}: {detail.get('reason')}"
        case "resolved" if detail.get("arrived_late"):
            return "Over: the call arrived too late for anybody to come"
        case _:
            return text


def _delivered(one: NoticeView, now: datetime, zone: tzinfo | None) -> str:
    tries = "" if one.attempts <= 1 else f" after {one.attempts} tries"
    match one.state:
        case "sent" if one.channel == "in-page":
            return f"shown {time_of_day(one.created_at, now, zone)}"
        case "sent":
            return f"taken {time_of_day(one.sent_at or one.created_at, now, zone)}{tries}"
        case "failed":
            return f"given up{tries}: {one.error}"
        case _ if one.error:
            return f"tried {one.attempts} times, goes on trying: {one.error}"
        case _:
            return "waits to be sent"


_SEVERITIES: Final = {
    Severity.BLOCKED: Badge("Stops a session", "stop", "blocked"),
    Severity.ATTENTION: Badge("Needs a hand", "warn", "attention"),
    Severity.INFO: Badge("Good to know", "note", "unknown"),
}
_OVER: Final = Badge("Over", "done", "ready")
_ACKNOWLEDGED: Final = Badge("Looked after", "ok", "live")
_SUPPRESSED: Final = Badge("Suppressed", "pause", "paused")
_FLAPPING: Final = Badge("Comes and goes", "note", "unknown")
_STATES: Final = {
    "sent": Badge("Sent", "ok", "ready"),
    "queued": Badge("Waiting", "ask", "unknown"),
    "failed": Badge("Not delivered", "warn", "attention"),
}
_CHANNELS: Final = {"email": "by e-mail", "webhook": "by webhook", "in-page": "on this page"}
_ROLES: Final = {"it": "IT", "therapist": "therapists", "aide": "aides", "point-person": "the point person"}
_WHAT: Final = {
    "opened": "Opened",
    "reopened": "Happened again",
    "worsened": "Got worse: it stops a session",
    "eased": "Got better: a session works",
    "cleared": "Gone for now",
    "returned": "Came back",
    "flapping": "Comes and goes; held open until it is quiet for ten minutes",
    "settled": "Quiet for ten minutes",
    "remedy": "The kiosk tried",
    "reported": "Reported again",
    "acknowledged": "Looked after",
    "suppressed": "Suppressed",
    "unsuppressed": "Suppression ended",
    "resolved": "Over",
    "closed": "Closed",
}
