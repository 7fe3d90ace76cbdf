"""What the board says of one kiosk: a standing with its word, shape and colour, and the reasons in a therapist's words.

Pure. What is not known is not claimed: of a silent kiosk only that it is silent, since when, and what it was last heard
doing. Its old verdict and signals are no reasons any more.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo
from typing import Final

from fleet.console.standing import (
    BADGES,
    GOING_ON,
    IN_SESSION,
    Badge,
    Standing,
    both_cameras_missing,
    standing,
    was_in_session,
)
from fleet.times import credible, time_of_day
from fleet.views import KioskView, SessionLine, SignalView
from wire.signals import Severity, Verdict


@dataclass(frozen=True, slots=True)
class Reason:
    """One sentence, and since when it is so, where that is known."""

    text: str
    since: str | None = None


@dataclass(frozen=True, slots=True)
class Running:
    """A session that runs: its length at an instant, from which a page may count on."""

    session: str
    elapsed_ms: int
    at: datetime
    ticking: bool
    """False while nobody knows whether it still runs."""
    started: str | None
    """When it began, or None when the kiosk's clock was not set."""


@dataclass(frozen=True, slots=True)
class Telling:
    """All that the board says of one kiosk. It holds instants and no ages, so what only grew older is no news."""

    standing: Standing
    badge: Badge
    trouble: Badge | None
    """The verdict beside a running session, when it is not `ready`."""
    reasons: tuple[Reason, ...]
    evidence: str
    """The words before the evidence's age: `checked`, `last heard`."""
    evidence_at: datetime | None
    running: Running | None


def tell(kiosk: KioskView, now: datetime, zone: tzinfo | None) -> Telling:
    """What to say of `kiosk`, whose ages were measured at `now`."""
    where = standing(kiosk)
    heard = kiosk.presence.state == "online"
    in_session = where in IN_SESSION
    trouble = None
    if in_session and kiosk.verdict in _TROUBLE:
        trouble = BADGES[_TROUBLE[kiosk.verdict]]
    age_s = kiosk.verdict_age_s if heard else kiosk.presence.age_s
    session = kiosk.session if in_session else None
    return Telling(
        standing=where,
        badge=_UNTOLD if heard and where is Standing.UNKNOWN else BADGES[where],
        trouble=trouble,
        reasons=_reasons(kiosk, where, now, zone) if heard else _silence(kiosk, now, zone),
        evidence="checked" if heard else "last heard",
        evidence_at=None if age_s is None else ago(age_s, now),
        running=None if session is None else running(session, now, zone),
    )


def ago(age_s: float, now: datetime) -> datetime:
    """The instant `age_s` before `now`."""
    return now - timedelta(seconds=age_s)


def sentences(signals: Iterable[SignalView], now: datetime, zone: tzinfo | None) -> tuple[Reason, ...]:
    """What is wrong, worst first: the signals that count, neither held back nor suppressed; `info` is no reason."""
    counting = [one for one in signals if not (one.outranked or one.suppressed) and one.severity is not Severity.INFO]
    if both_cameras_missing(counting):
        since = max(one.since for one in counting if one.id == "camera.missing")
        rest = [one for one in counting if one.id != "camera.missing"]
        return (Reason("Neither camera gives a picture.", _since(since, now, zone)), *sentences(rest, now, zone))
    worst_first = sorted(counting, key=lambda one: one.severity is not Severity.BLOCKED)
    found: dict[str, Reason] = {}
    for one in worst_first:
        found.setdefault(one.therapist, Reason(one.therapist, _since(one.since, now, zone)))
    return tuple(found.values())


def running(line: SessionLine, now: datetime, zone: tzinfo | None, *, heard: bool = True) -> Running:
    """The clock of a session that has not ended: the length its rows show, and when the last of them arrived."""
    started = None
    if line.started_at is not None and credible(line.started_at, now):
        started = time_of_day(line.started_at, now, zone)
    return Running(
        session=line.id,
        elapsed_ms=line.minutes.elapsed_ms,
        at=ago(line.age_s or 0, now),
        ticking=heard and line.state in GOING_ON,
        started=started,
    )


def _reasons(kiosk: KioskView, where: Standing, now: datetime, zone: tzinfo | None) -> tuple[Reason, ...]:
    found = list(sentences(kiosk.signals, now, zone))
    match where:
        case Standing.BUFFERING:
            found.insert(0, Reason("The therapist cannot see or hear the room. The session goes on."))
        case Standing.PAUSED:
            found.insert(0, Reason("Cameras and microphone are off."))
        case Standing.UNKNOWN if kiosk.state == "booting":
            found = [Reason("It is starting up.")]
        case Standing.UNKNOWN:
            then = " It was in session; it keeps its own record." if was_in_session(kiosk) else ""
            found = [Reason(f"It is connected, but has not said lately how it is.{then}")]
        case _:
            pass
    if kiosk.session is not None and kiosk.session.state == "interrupted" and where in IN_SESSION:
        found.insert(0, Reason("The session is interrupted."))
    if not found:
        found.append(_NO_TROUBLE[where] if where in _NO_TROUBLE else Reason("It does not say why."))
    return tuple(found)


def _silence(kiosk: KioskView, now: datetime, zone: tzinfo | None) -> tuple[Reason, ...]:
    if kiosk.presence.last_heard_at is None:
        return (Reason("Never heard from."),)
    text = f"Not heard from since {time_of_day(kiosk.presence.last_heard_at, now, zone)}."
    if was_in_session(kiosk):
        text += " It was in session; it keeps its own record."
    return (Reason(text),)


def _since(at: datetime, now: datetime, zone: tzinfo | None) -> str | None:
    return time_of_day(at, now, zone) if credible(at, now) else None


_TROUBLE: Final = {Verdict.ATTENTION: Standing.ATTENTION, Verdict.BLOCKED: Standing.BLOCKED}
_UNTOLD: Final = Badge("Not known yet", "ask", "unknown")
_NO_TROUBLE: Final = {
    Standing.READY: Reason("It finds nothing wrong."),
    Standing.LIVE: Reason("It finds nothing wrong."),
}
