"""What the fleet sees of a kiosk's signals: which count, which are clear, and of which nobody knows. Pure."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Final

from fleet.clock import Instant
from fleet.incidents import Fact, Key, Sight
from fleet.presence import Reach
from fleet.roll import Entry
from wire.signals import ActiveSignal, Signal, Verdict, verdict

VERDICT_LIMIT_S: Final = 90.0
"""News older than this is no verdict any more: the time after which a silent kiosk is offline."""
MOST_SIGNALS: Final = 64
"""So many of one kiosk can have incidents at a time; a kiosk that makes up signals must not fill the store."""


def is_news(entry: Entry, now: Instant) -> bool:
    """Whether what the kiosk last said of itself may be believed: it is online, and that was not long ago."""
    at = entry.readiness_at
    return at is not None and at.age_s(now) <= VERDICT_LIMIT_S and entry.presence.reach(now) is Reach.ONLINE


def key_of(signal: ActiveSignal) -> Key:
    """By which an incident of the signal is known; a role without a name is none."""
    return signal.id, signal.role or None


def verdict_of(entry: Entry, now: Instant, suppressed: Collection[Key] = ()) -> Verdict:
    """What the worst active signal that nobody suppressed makes of the kiosk; `unknown` without news."""
    told = entry.readiness
    if told is None or not is_news(entry, now):
        return Verdict.UNKNOWN
    counting = [one for one in told.signals if key_of(one) not in suppressed]
    return told.verdict if len(counting) == len(told.signals) else verdict(counting)


def sights(entry: Entry, known: Collection[Key], now: Instant) -> dict[Key, Fact | Sight]:
    """What the kiosk's own news says of its active signals, and of those in `known`."""
    told = entry.readiness
    if told is None or not is_news(entry, now):
        return dict.fromkeys(known, Sight.UNKNOWN)
    found: dict[Key, Fact | Sight] = dict.fromkeys(known, Sight.CLEAR)
    for one in told.signals:
        key = key_of(one)
        if key in found or len(found) < MOST_SIGNALS:
            found[key] = Sight.UNKNOWN if one.outranked else Fact(one.severity, one.evidence)
    return found


def is_silent(entry: Entry, now: Instant) -> bool:
    """Whether the kiosk died, or was silent for too long since we began to listen; never one that was never heard."""
    presence = entry.presence
    match presence.reach(now):
        case Reach.ONLINE:
            return False
        case Reach.UNKNOWN:
            return presence.heard_here  # else we have only just begun to listen
        case Reach.OFFLINE:
            return presence.heard is not None


@dataclass(frozen=True, slots=True)
class Held:
    """How long something has been true or false; `counts` once it was so for its row's time."""

    is_true: bool
    from_s: float
    counts: bool


def held(before: Held | None, row: Signal, now_s: float, *, is_true: bool) -> Held:
    """What a look at something that the fleet judges itself makes of what was held before."""
    if before is None:
        before = Held(is_true=False, from_s=now_s, counts=False)
    from_s = before.from_s if before.is_true is is_true else now_s
    if is_true == before.counts:
        return Held(is_true, from_s, before.counts)
    return Held(is_true, from_s, is_true if now_s - from_s >= (row.hold_s if is_true else row.clear_s) else not is_true)
