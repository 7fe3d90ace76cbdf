"""Made-up kiosks and sessions, as the rest of the fleet would describe them."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Literal

from fleet.views import KioskView, PresenceView, SessionView, SignalView
from wire.ledger import ClockTrust
from wire.minutes import Minutes, Mode, Span
from wire.signal_table import SIGNALS, words
from wire.signals import Severity, Verdict

NOW = datetime(2026, 11, 23, 10, 2, 30, tzinfo=UTC)
"""A Monday."""


def span(start_s: float, end_s: float, mode: Mode = Mode.RUNNING, **more: Any) -> Span:
    more.setdefault("cameras", ("front", "overhead"))
    return Span(start_ms=round(start_s * 1_000), end_ms=round(end_s * 1_000), mode=mode, **more)


def minutes(spans: Sequence[Span], **more: Any) -> Minutes:
    """What the fold would make of these spans."""
    running = [one for one in spans if one.mode is Mode.RUNNING]
    interrupted: dict[str, int] = {}
    for one in spans:
        if one.mode is Mode.INTERRUPTED:
            cause = one.cause or "unknown"
            interrupted[cause] = interrupted.get(cause, 0) + one.end_ms - one.start_ms
    knows = any(one.therapist is not None for one in spans)
    told: dict[str, Any] = {
        "elapsed_ms": _sum(spans),
        "running_ms": _sum(running),
        "paused_ms": _sum([one for one in spans if one.mode is Mode.PAUSED]),
        "interrupted_ms": interrupted,
        "buffered_ms": _sum([one for one in running if not one.link_up]),
        "camera_ms": _sum([one for one in running if set(one.cameras) >= {"front", "overhead"}]),
        "cameras_ms": {role: _sum([one for one in running if role in one.cameras]) for role in ("front", "overhead")},
        "connected_ms": _sum([one for one in running if one.therapist]) if knows else None,
    }
    return Minutes(**(told | more))


def session(spans: Sequence[Span] = (), state: str = "ended", **more: Any) -> SessionView:
    told: dict[str, Any] = {
        "id": "0d7e6f6a-session",
        "kiosk": "lincoln-12",
        "campus": "lincoln",
        "state": state,
        "started_at": NOW - timedelta(minutes=30),
        "ended_at": NOW - timedelta(minutes=5) if state == "ended" else None,
        "started_by": "button",
        "ended_by": "hold" if state == "ended" else None,
        "complete": state == "ended",
        "age_s": 4.0,
        "timeline": tuple(spans),
        "clock": ClockTrust.SYNCED,
    }
    if "minutes" not in more:
        told["minutes"] = minutes(spans)
    return SessionView(**(told | more))


def signal(name: str, role: str | None = None, **more: Any) -> SignalView:
    told: dict[str, Any] = {
        "id": name,
        "role": role,
        "severity": SIGNALS[name].severity if name in SIGNALS else Severity.ATTENTION,
        "since": NOW - timedelta(minutes=1),
        "evidence": {},
        "outranked": False,
        "aide": words(name, role, "aide"),
        "therapist": words(name, role, "therapist"),
        "it": words(name, role, "it"),
    }
    return SignalView(**(told | more))


def kiosk(
    name: str = "lincoln-12",
    presence: Literal["online", "unknown", "offline"] = "online",
    verdict: Verdict = Verdict.READY,
    *,
    heard_s: float | None = 3.0,
    **more: Any,
) -> KioskView:
    told: dict[str, Any] = {
        "id": name,
        "campus": "lincoln",
        "presence": PresenceView(
            state=presence,
            since=None if heard_s is None else NOW - timedelta(minutes=20),
            last_heard_at=None if heard_s is None else NOW - timedelta(seconds=heard_s),
            age_s=heard_s,
        ),
        "verdict": verdict if presence == "online" else Verdict.UNKNOWN,
        "reported_verdict": verdict,
        "verdict_age_s": heard_s,
        "signals": (),
        "state": "idle",
        "state_age_s": heard_s,
        "session": None,
        "version": "0.1.0",
        "boot": "3b7a",
        "epoch": "6f1c",
        "ledger_through": 12,
        "backlog_rows": 0,
        "health": None,
        "health_age_s": None,
    }
    return KioskView(**(told | more))


def _sum(spans: Sequence[Span]) -> int:
    return sum(one.end_ms - one.start_ms for one in spans)
