"""Time as the fleet knows it: a monotonic second for ages and a wall time for records, read together."""

import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final, Protocol

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND: Final = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class Instant:
    """One moment on both clocks."""

    mono_s: float
    at: datetime
    """Aware UTC."""

    def age_s(self, now: "Instant") -> float:
        """How long ago this was; never negative."""
        return max(0.0, now.mono_s - self.mono_s)

    def earlier(self, at: datetime) -> "Instant":
        """The moment of wall time `at`, on the monotonic clock of this one; a time in the future is now."""
        return Instant(self.mono_s - max(0.0, (self.at - at).total_seconds()), min(at, self.at))


class Clock(Protocol):
    """Where the time comes from; tests bring their own."""

    def now(self) -> Instant: ...


class SystemClock:
    """The machine's clocks."""

    def now(self) -> Instant:
        """This moment."""
        return Instant(time.monotonic(), datetime.now(UTC))


def micros(at: datetime) -> int:
    """`at` as microseconds since 1970 in UTC, as the store keeps every time: it sorts and every database has it."""
    return (at - _EPOCH) // _MICROSECOND


def moment(at_us: int) -> datetime:
    """The aware UTC time of stored microseconds; raises `OverflowError` outside the years 1 to 9999."""
    return _EPOCH + timedelta(microseconds=at_us)


def moment_or_none(at_us: int | None) -> datetime | None:
    """As `moment`, with null for null."""
    return None if at_us is None else moment(at_us)
