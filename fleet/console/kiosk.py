"""What the page of one kiosk tells beside its row of the board and its sessions. Pure."""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, tzinfo
from typing import Any, Final

from fleet.console.standing import Badge
from fleet.times import credible, time_of_day
from fleet.views import KioskView, SignalView
from wire.signals import Severity


@dataclass(frozen=True, slots=True)
class SignalRow:
    """One signal: for the therapist in a sentence, for IT with its evidence."""

    key: str
    badge: Badge
    text: str
    since: str | None
    it: str
    evidence: tuple[tuple[str, str], ...]


def signal_rows(signals: Iterable[SignalView], now: datetime, zone: tzinfo | None) -> tuple[SignalRow, ...]:
    """Every signal, those that count first, worst first; those held back by a stronger one are shown so."""
    ordered = sorted(signals, key=lambda one: (one.outranked, _ORDER[one.severity]))
    return tuple(
        SignalRow(
            key=f"{one.id} {one.role}" if one.role else one.id,
            badge=_HELD_BACK if one.outranked else _SUPPRESSED if one.suppressed else _BADGES[one.severity],
            text=one.therapist,
            since=time_of_day(one.since, now, zone) if credible(one.since, now) else None,
            it=one.it,
            evidence=evidence_rows(one.evidence),
        )
        for one in ordered
    )


def evidence_rows(evidence: dict[str, Any]) -> tuple[tuple[str, str], ...]:
    """Evidence as names and values in words."""
    return tuple((name.replace("_", " "), _text(value)) for name, value in evidence.items())


def facts(kiosk: KioskView) -> tuple[tuple[str, str | None], ...]:
    """Software and record; None where nothing is known."""
    return (
        ("Software", kiosk.version),
        ("Last said it was", kiosk.state),
        ("Rows still to send", None if kiosk.backlog_rows is None else str(kiosk.backlog_rows)),
        ("Rows held here without a hole", str(kiosk.ledger_through)),
        ("Ledger epoch", kiosk.epoch),
        ("Boot", kiosk.boot),
    )


def _text(value: Any) -> str:
    match value:
        case None:
            text = "unknown"
        case bool():
            text = "yes" if value else "no"
        case str():
            text = value
        case float():
            text = f"{value:.4g}"
        case _:
            text = json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"


_LONGEST: Final = 400
_ORDER: Final = {Severity.BLOCKED: 0, Severity.ATTENTION: 1, Severity.INFO: 2}
_BADGES: Final = {
    Severity.BLOCKED: Badge("Stops a session", "stop", "blocked"),
    Severity.ATTENTION: Badge("Needs a hand", "warn", "attention"),
    Severity.INFO: Badge("Good to know", "note", "unknown"),
}
_SUPPRESSED: Final = Badge("Suppressed", "pause", "paused")
_HELD_BACK: Final = Badge("Held back by a stronger one", "note", "unknown")
