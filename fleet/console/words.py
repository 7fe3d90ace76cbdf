"""What the board says of one kiosk: a standing with its word, shape and colour, and the reasons in a therapist's words.

Pure. What is not known is not claimed: of a silent kiosk only that it is silent, since when, and what it was last heard
doing. Its old verdict and signals are no reasons any more.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo
from enum import StrEnum
from typing import Final

from fleet.console.times import credible, time_of_day
from fleet.views import VERDICT_LIMIT_S, KioskView, SessionLine, SignalView
from wire.signals import Severity, Verdict


class Standing(StrEnum):
    """What a kiosk is to someone who has to work with it; `fleet/console/board.py` says who stands first."""

    LIVE = "live"
    BUFFERING = "buffering"
    PAUSED = "paused"
    BLOCKED = "blocked"
    ATTENTION = "attention"
    UNKNOWN = "unknown"
    OFFLINE = "offline"
    READY = "ready"


@dataclass(frozen=True, slots=True)
class Badge:
    """A word, a shape and a colour, which always stand together."""

    word: str
    shape: str
    """The id of a symbol in `templates/_sprite.html`."""
    tone: str
    """A colour class of `static/tokens.css`."""


BADGES: Final = {
    Standing.LIVE: Badge("In session", "rec", "live"),
    Standing.BUFFERING: Badge("In session, no network", "box", "live"),
    Standing.PAUSED: Badge("Paused", "pause", "paused"),
    Standing.BLOCKED: Badge("Cannot run a session", "stop", "blocked"),
    Standing.ATTENTION: Badge("Needs a hand", "warn", "attention"),
    Standing.UNKNOWN: Badge("Not heard from", "ask", "unknown"),
    Standing.OFFLINE: Badge("Offline", "off", "unknown"),
    Standing.READY: Badge("Ready", "ok", "ready"),
}
"""How each standing is shown."""

COUNTED: Final = {
    Standing.LIVE: ("in session", "in session"),
    Standing.BUFFERING: ("in session without network", "in session without network"),
    Standing.PAUSED: ("paused", "paused"),
    Standing.BLOCKED: ("cannot run", "cannot run"),
    Standing.ATTENTION: ("needs a hand", "need a hand"),
    Standing.UNKNOWN: ("not heard from", "not heard from"),
    Standing.OFFLINE: ("offline", "offline"),
    Standing.READY: ("ready", "ready"),
}
"""The words after a count: for one kiosk, for several."""


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
    in_session = where in _IN_SESSION
    trouble = None
    if in_session and kiosk.verdict in _TROUBLE:
        trouble = BADGES[_TROUBLE[kiosk.verdict]]
    age_s = kiosk.verdict_age_s if heard else kiosk.presence.age_s
    return Telling(
        standing=where,
        badge=_UNTOLD if heard and where is Standing.UNKNOWN else BADGES[where],
        trouble=trouble,
        reasons=_reasons(kiosk, where, now, zone) if heard else _silence(kiosk, now, zone),
        evidence="checked" if heard else "last heard",
        evidence_at=None if age_s is None else ago(age_s, now),
        running=_running(kiosk, now, zone) if in_session else None,
    )


def standing(kiosk: KioskView) -> Standing:
    """Where `kiosk` stands: silence comes before everything, a running session before the verdict."""
    if kiosk.presence.state != "online":
        return Standing.OFFLINE if kiosk.presence.state == "offline" else Standing.UNKNOWN
    in_session = _in_session(kiosk)
    if in_session is not None:
        return in_session if _is_news(kiosk) else Standing.UNKNOWN
    if _both_cameras_missing(kiosk.signals):
        return Standing.BLOCKED
    return _STANDINGS[kiosk.verdict]


def ago(age_s: float, now: datetime) -> datetime:
    """The instant `age_s` before `now`."""
    return now - timedelta(seconds=age_s)


def sentences(signals: Iterable[SignalView], now: datetime, zone: tzinfo | None) -> tuple[Reason, ...]:
    """What is wrong, worst first: the signals that count and are not held back; `info` is no reason."""
    counting = [one for one in signals if not one.outranked and one.severity is not Severity.INFO]
    if _both_cameras_missing(counting):
        since = max(one.since for one in counting if one.id == "camera.missing")
        rest = [one for one in counting if one.id != "camera.missing"]
        return (Reason("Neither camera gives a picture.", _since(since, now, zone)), *sentences(rest, now, zone))
    worst_first = sorted(counting, key=lambda one: one.severity is not Severity.BLOCKED)
    found: dict[str, Reason] = {}
    for one in worst_first:
        found.setdefault(one.therapist, Reason(one.therapist, _since(one.since, now, zone)))
    return tuple(found.values())


def was_in_session(kiosk: KioskView) -> bool:
    """Whether a session ran when the kiosk was last heard."""
    return _in_session(kiosk) is not None


def _is_news(kiosk: KioskView) -> bool:
    """Whether what the kiosk last said it was doing may still be believed; without a word of it the ledger counts."""
    return kiosk.state is None or (kiosk.state_age_s is not None and kiosk.state_age_s <= VERDICT_LIMIT_S)


def _in_session(kiosk: KioskView) -> Standing | None:
    if kiosk.state in _SESSION_STATES:
        return _SESSION_STATES[kiosk.state]
    if kiosk.state is not None or kiosk.session is None:  # the kiosk's own word is newer than its ledger's last row
        return None
    return {"running": Standing.LIVE, "interrupted": Standing.LIVE, "paused": Standing.PAUSED}.get(kiosk.session.state)


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
    if kiosk.session is not None and kiosk.session.state == "interrupted" and where in _IN_SESSION:
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


def _running(kiosk: KioskView, now: datetime, zone: tzinfo | None) -> Running | None:
    return None if kiosk.session is None else running(kiosk.session, now, zone)


def running(line: SessionLine, now: datetime, zone: tzinfo | None, *, heard: bool = True) -> Running:
    """The clock of a session that has not ended: the length its rows show, and when the last of them arrived."""
    started = None
    if line.started_at is not None and credible(line.started_at, now):
        started = time_of_day(line.started_at, now, zone)
    return Running(
        session=line.id,
        elapsed_ms=line.minutes.elapsed_ms,
        at=ago(line.age_s or 0, now),
        ticking=heard and line.state in {"running", "paused", "interrupted"},
        started=started,
    )


def _since(at: datetime, now: datetime, zone: tzinfo | None) -> str | None:
    return time_of_day(at, now, zone) if credible(at, now) else None


def _both_cameras_missing(signals: Iterable[SignalView]) -> bool:
    return {one.role for one in signals if one.id == "camera.missing"} >= {"overhead", "front"}


_SESSION_STATES: Final = {
    "starting": Standing.LIVE,
    "live": Standing.LIVE,
    "ending": Standing.LIVE,
    "buffering": Standing.BUFFERING,
    "paused": Standing.PAUSED,
}
_IN_SESSION: Final = frozenset({Standing.LIVE, Standing.BUFFERING, Standing.PAUSED})
_STANDINGS: Final = {
    Verdict.READY: Standing.READY,
    Verdict.ATTENTION: Standing.ATTENTION,
    Verdict.BLOCKED: Standing.BLOCKED,
    Verdict.UNKNOWN: Standing.UNKNOWN,
}
_TROUBLE: Final = {Verdict.ATTENTION: Standing.ATTENTION, Verdict.BLOCKED: Standing.BLOCKED}
_UNTOLD: Final = Badge("Not known yet", "ask", "unknown")
_NO_TROUBLE: Final = {
    Standing.READY: Reason("It finds nothing wrong."),
    Standing.LIVE: Reason("It finds nothing wrong."),
}
