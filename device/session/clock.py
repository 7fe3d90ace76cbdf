"""Wall time, monotonic time and boot id in one instant, and how far the wall clock may be trusted."""

import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo
from pathlib import Path
from typing import Final, Protocol
from zoneinfo import ZoneInfo

from device.release import BUILT
from wire.ledger import ClockTrust

NS_PER_S: Final = 1_000_000_000
NS_PER_MS: Final = 1_000_000

_BOOT_ID: Final = Path("/proc/sys/kernel/random/boot_id")
_SYNCHRONIZED: Final = Path("/run/systemd/timesync/synchronized")


@dataclass(frozen=True, slots=True)
class Instant:
    """One moment. Durations come from `mono_ns` within one `boot`; `wall` is aware UTC and for records only."""

    mono_ns: int
    wall: datetime
    boot: str
    trust: ClockTrust

    def earlier(self, mono_ns: int) -> "Instant":
        """The moment of this boot at `mono_ns`, dated by this one."""
        return Instant(
            mono_ns, self.wall - timedelta(microseconds=(self.mono_ns - mono_ns) / 1_000), self.boot, self.trust
        )


class Clock(Protocol):
    """A port, so that the lab can boot a kiosk in 1970 and the tests can run a school year."""

    def now(self) -> Instant: ...


class SystemClock:
    """The machine's own clock."""

    def __init__(self) -> None:
        self._boot = _BOOT_ID.read_text().strip()

    def now(self) -> Instant:
        mono_ns, wall = time.monotonic_ns(), datetime.now(UTC)
        return Instant(mono_ns, wall, self._boot, trust_of(wall, synchronized=_SYNCHRONIZED.exists()))


def zone_of(name: str) -> tzinfo:
    """The time zone called `name`; UTC where this machine does not know it."""
    try:
        return ZoneInfo(name)
    except (KeyError, OSError, ValueError):  # not found, not readable, no name of a zone
        return UTC


def trust_of(wall: datetime, *, synchronized: bool) -> ClockTrust:
    """A clock before this release was built was never set; one a time source vouches for is synced; else it is held."""
    if wall < BUILT:
        return ClockTrust.UNSET
    return ClockTrust.SYNCED if synchronized else ClockTrust.HELD
