"""Wall time, monotonic time and boot id in one instant, and how far the wall clock may be trusted."""

import logging
import time
import uuid
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta, tzinfo
from pathlib import Path
from typing import Final, Protocol

from device.release import BUILT
from wire import zones
from wire.ledger import ClockTrust

_log = logging.getLogger(__name__)

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
    slept_ns: int = 0
    """How much of `mono_ns` the machine was suspended, in all: time passed, and nothing ran."""

    def earlier(self, mono_ns: int) -> "Instant":
        """The moment of this boot at `mono_ns`, dated by this one."""
        wall = self.wall - timedelta(microseconds=(self.mono_ns - mono_ns) / 1_000)
        return replace(self, mono_ns=mono_ns, wall=wall)


class Clock(Protocol):
    """A port, so that the lab can boot a kiosk in 1970 and the tests can run a school year."""

    def now(self) -> Instant: ...


class SystemClock:
    """The machine's own clocks.

    Durations come from CLOCK_BOOTTIME, which goes on while the machine is suspended; CLOCK_MONOTONIC stands still then,
    and the difference is how long that was (clock_gettime(2)). A machine that never sleeps shows the same on both.
    """

    def __init__(self, boot_id: Path = _BOOT_ID, synchronized: Path = _SYNCHRONIZED) -> None:
        """Read the boot's id.

        Args:
            boot_id: where the kernel says it.
            synchronized: the file that systemd-timesyncd makes once it has set the clock in this boot.
        """
        self._boot, self._synchronized = _boot_of(boot_id), synchronized

    def now(self) -> Instant:
        boot_ns = time.clock_gettime_ns(time.CLOCK_BOOTTIME)
        slept_ns, wall = boot_ns - time.monotonic_ns(), datetime.now(UTC)
        trust = trust_of(wall, synchronized=self._synchronized.exists())
        return Instant(boot_ns, wall, self._boot, trust, max(0, slept_ns))


def _boot_of(path: Path) -> str:
    """The boot's id; one made up where the kernel's cannot be read, so that each start counts as a boot."""
    try:
        return str(uuid.UUID(path.read_text(encoding="ascii").strip()))
    except (OSError, ValueError) as error:
        _log.warning(
            "%s does not tell this boot's id (%s): each start of the agent counts as a boot, and what lies between two "
            "of them is told from wall clocks only; see that /proc is mounted and readable",
            path, error,
        )  # fmt: skip
        return str(uuid.uuid4())


def zone_of(name: str) -> tzinfo:
    """The time zone called `name`.

    Raises:
        ValueError: this machine knows none of that name; a day in the wrong zone would be a wrong day.
    """
    found = zones.zone_of(name)
    if found is None:
        raise ValueError(
            f"{name!r} is no time zone that this machine knows; write it as in 'America/Chicago' "
            "(if that is refused too, the package tzdata is missing)"
        )
    return found


def trust_of(wall: datetime, *, synchronized: bool) -> ClockTrust:
    """What a clock alone can say: before this release was built it was never set; synced if a time source set it."""
    if wall < BUILT:
        return ClockTrust.UNSET
    return ClockTrust.SYNCED if synchronized else ClockTrust.HELD
