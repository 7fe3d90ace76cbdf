"""What a kiosk's last vitals say of its link and its cameras, while they are news. Pure."""

from dataclasses import dataclass
from typing import Any, Final

from fleet.clock import Instant
from fleet.roll import Entry
from fleet.sights import is_news

VITALS_LIMIT_S: Final = 60.0
GOOD_MS: Final = 150.0
FAIR_MS: Final = 400.0
"""Round trips under these are a good and a fair connection: ITU-T G.114 advises against more than 400 ms one way."""


@dataclass(frozen=True, slots=True)
class LinkQuality:
    """How good the way to a kiosk is."""

    word: str
    """`good`, `fair`, `slow`, `poor` or `unknown`."""
    round_trip_ms: float | None = None


UNKNOWN_LINK: Final = LinkQuality("unknown")


def link_quality(entry: Entry, now: Instant) -> LinkQuality:
    """By the kiosk's own signals, else by its round trip; without news of it nobody knows."""
    if not is_news(entry, now):
        return UNKNOWN_LINK
    assert entry.readiness is not None
    trip = _vitals(entry, now).get("link_round_trip_ms")
    trip_ms = float(trip) if isinstance(trip, int | float) else None
    if any(one.id in {"link.poor", "link.filtered", "link.down"} for one in entry.readiness.signals):
        return LinkQuality("poor", trip_ms)
    if trip_ms is None:
        return LinkQuality("unknown")
    return LinkQuality("good" if trip_ms < GOOD_MS else "fair" if trip_ms < FAIR_MS else "slow", trip_ms)


def are_closed(entry: Entry, now: Instant) -> bool:
    """Whether its vitals say of its cameras that none is open; without news of them nobody knows."""
    return bool(_vitals(entry, now).get("cameras")) and not open_cameras(entry, now)


def open_cameras(entry: Entry, now: Instant) -> frozenset[str]:
    """Which cameras give pictures now, by the vitals."""
    cameras: dict[str, Any] = _vitals(entry, now).get("cameras") or {}
    return frozenset(role for role, one in cameras.items() if isinstance(one, dict) and one.get("state") == "open")


def _vitals(entry: Entry, now: Instant) -> dict[str, Any]:
    """The vitals; nothing once they are no news any more."""
    fresh = entry.health_at is not None and entry.health_at.age_s(now) <= VITALS_LIMIT_S
    return (entry.health or {}) if fresh else {}
