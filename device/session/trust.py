"""How far the wall clock may be trusted, and which time to go by where it may not: pure.

Three things know something: NTP, by which the machine's clock was set or not; the fleet, whose time comes with an
answered echo; and what is known of before, the floor. docs/adr/0019 says why each bound is what it is.
"""

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Final

from device.session.clock import Instant
from wire.ledger import ClockTrust

ABSURD: Final = timedelta(hours=48)
"""A source that jumps further is not believed alone: a wrong zone (26 h) or a wrong day by hand is less."""
LONGEST_AWAY: Final = timedelta(days=400)
"""No kiosk was without any time source for longer than a school year in a cupboard and its summer."""
DRIFT: Final = 500e-6
"""What a clock that nobody disciplines may gain or lose: the most that Linux lets NTP correct."""
OFF: Final = timedelta(seconds=2)
"""Further from the fleet's time than this, beyond doubt, a clock is off."""
VOUCHED_WITHIN: Final = timedelta(minutes=1)
"""The fleet's time counts as a time source's as long as it is known so well: 33 h after the last answer."""
SAME: Final = timedelta(seconds=1)
"""A clock that moved by less against the monotonic one was not set meanwhile."""


_FIRST: Final = datetime.min.replace(tzinfo=UTC)
_LAST: Final = datetime.max.replace(tzinfo=UTC)


class Source(StrEnum):
    """By what the kiosk knows the time."""

    NTP = "ntp"
    FLEET = "fleet"
    CARRIED = "carried"
    """By the monotonic clock since a time source was last believed in this boot."""
    MACHINE = "machine"
    """The machine's clock as it is; nobody vouches for it."""


class Refusal(StrEnum):
    """Why the machine's clock is not believed."""

    BEFORE_FLOOR = "before-floor"
    FAR_AHEAD = "far-ahead"
    JUMPED = "jumped"
    CONTRADICTED = "contradicted"
    """By the fleet."""


@dataclass(frozen=True, slots=True)
class Fix:
    """A moment of this boot whose time somebody told, true to `error`."""

    mono_ns: int
    at: datetime
    error: timedelta = timedelta(0)

    def carried(self, mono_ns: int) -> datetime:
        """The time at `mono_ns`, by the monotonic clock since; no calendar's end is passed."""
        return later(self.at, _since(self.mono_ns, mono_ns))

    def error_at(self, mono_ns: int) -> timedelta:
        """How wrong that may be."""
        return self.error + abs(_since(self.mono_ns, mono_ns)) * DRIFT


@dataclass(frozen=True, slots=True)
class Known:
    """What is known of the time before the machine's clock is looked at. Immutable; `judge` gives the next one."""

    floor: datetime
    """No true clock shows less: the build date, or what a trusted clock of this kiosk once showed."""
    anchor: Fix | None = None
    """When NTP was first believed in this boot: many small steps must not add up to an absurd one."""
    last: Fix | None = None
    """When it was believed last."""
    fleet: Fix | None = None
    fleet_odd: bool = False
    """The fleet's time is itself one that nobody would expect."""
    behind: Fix | None = None
    """A clock that was once before the floor, and was not set since, is not set by going on."""


@dataclass(frozen=True, slots=True)
class Opinion:
    """What is made of the machine's clock."""

    wall: datetime
    """The time to go by."""
    trust: ClockTrust
    source: Source
    refused: Refusal | None = None
    """Why the machine's clock is not believed although NTP is said to have set it."""
    shows: datetime | None = None
    """What the machine's own clock shows."""
    off: timedelta | None = None
    """How far the machine's clock is ahead of the fleet's time; None while that is not known."""
    off_error: timedelta = timedelta(0)

    @property
    def is_off(self) -> bool:
        """Whether the machine's clock differs from the fleet's time beyond doubt."""
        return self.off is not None and abs(self.off) - self.off_error > OFF

    @property
    def beside(self) -> timedelta:
        """How far the machine's clock is ahead of the time gone by."""
        return timedelta(0) if self.shows is None else self.shows - self.wall


def later(at: datetime, by: timedelta) -> datetime:
    """`at` moved by `by`, but not past the end of the calendar."""
    try:
        return at + by
    except OverflowError:
        return _LAST if by > timedelta(0) else _FIRST


def judge(known: Known, raw: Instant) -> tuple[Known, Opinion]:
    """What is known now, and which time to go by.

    Args:
        known: what is known of before.
        raw: the machine's clocks; its trust is `synced` where NTP is said to have set them.
    """
    refusal = _refusal(known, raw)
    set_by_ntp = raw.trust is ClockTrust.SYNCED
    fleet, off, error = known.fleet, None, timedelta(0)
    if fleet is not None:
        off, error = raw.wall - fleet.carried(raw.mono_ns), fleet.error_at(raw.mono_ns)
        agrees = abs(off) <= ABSURD + error
        if agrees:
            refusal = None  # two sources
        elif refusal is None and not known.fleet_odd:
            refusal = Refusal.CONTRADICTED
    seen = {"shows": raw.wall, "off": off, "off_error": error}
    if set_by_ntp and refusal is None:
        opinion = Opinion(raw.wall, ClockTrust.SYNCED, Source.NTP, **seen)  # type: ignore[arg-type]
    elif fleet is not None:
        trust = ClockTrust.SYNCED if error <= VOUCHED_WITHIN else ClockTrust.HELD
        told = refusal if set_by_ntp else None
        opinion = Opinion(fleet.carried(raw.mono_ns), trust, Source.FLEET, told, **seen)  # type: ignore[arg-type]
    elif refusal is not None and known.last is not None:
        opinion = Opinion(known.last.carried(raw.mono_ns), ClockTrust.HELD, Source.CARRIED, refusal, raw.wall)
    elif refusal is not None:
        told = refusal if set_by_ntp else None
        opinion = Opinion(raw.wall, ClockTrust.UNSET, Source.MACHINE, told, raw.wall)
    else:
        opinion = Opinion(raw.wall, ClockTrust.HELD, Source.MACHINE, None, raw.wall)
    return _learned(known, raw, refusal, opinion), opinion


def hear(known: Known, fix: Fix, built: datetime) -> Known:
    """The fleet told its time. The best of what it told is kept; a fleet from before `built` has no time to tell."""
    if fix.at < built:
        return known
    before, odd = known.fleet, fix.at > later(known.floor, LONGEST_AWAY)
    if before is not None:
        apart = abs(fix.at - before.carried(fix.mono_ns))
        before_error = before.error_at(fix.mono_ns)
        if apart <= fix.error + before_error and before_error <= fix.error:
            return known
        odd = apart > ABSURD or (odd and known.fleet_odd)
    return replace(known, fleet=fix, fleet_odd=odd)


def _refusal(known: Known, raw: Instant) -> Refusal | None:
    """Why the machine's clock cannot be true, by what was before."""
    if known.anchor is not None:
        apart = abs(raw.wall - known.anchor.carried(raw.mono_ns))
        if apart > ABSURD + known.anchor.error_at(raw.mono_ns):
            return Refusal.JUMPED
    if raw.wall < known.floor:
        return Refusal.BEFORE_FLOOR
    if raw.trust is not ClockTrust.SYNCED and _only_went_on(known.behind, raw):
        return Refusal.BEFORE_FLOOR
    if known.anchor is None and raw.wall > later(known.floor, LONGEST_AWAY):
        return Refusal.FAR_AHEAD
    return None


def _only_went_on(behind: Fix | None, raw: Instant) -> bool:
    return behind is not None and (abs(raw.wall - behind.carried(raw.mono_ns)) <= SAME + behind.error_at(raw.mono_ns))


def _learned(known: Known, raw: Instant, refusal: Refusal | None, opinion: Opinion) -> Known:
    if opinion.source is Source.NTP:
        believed = Fix(raw.mono_ns, raw.wall)
        return replace(known, anchor=known.anchor or believed, last=believed, behind=None)
    if refusal is Refusal.BEFORE_FLOOR and not _only_went_on(known.behind, raw):
        return replace(known, behind=Fix(raw.mono_ns, raw.wall))
    return known


def _since(then_ns: int, now_ns: int) -> timedelta:
    return timedelta(microseconds=(now_ns - then_ns) / 1_000)
