"""How much was written to the card, by day and in all, and how long it will last: an estimate, and said to be one.

The kernel counts what reaches the device (`/proc/diskstats`, sectors of 512 bytes); what the card writes inside itself
on top of that nobody can see, so the endurance on its data sheet is the honest measure.
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any, Final

DISKSTATS: Final = Path("/proc/diskstats")
_BOOT_ID: Final = Path("/proc/sys/kernel/random/boot_id")
_SECTOR_BYTES: Final = 512
_DAYS_KEPT: Final = 30
_DAYS_A_YEAR: Final = 365.0


@dataclass(frozen=True, slots=True)
class Wear:
    """What is known of a card."""

    boot: str = ""
    counted_bytes: int = 0
    """The kernel's count when it was last read, within `boot`."""
    total_bytes: int = 0
    """Since this kiosk began to count."""
    days: Mapping[str, int] = field(default_factory=dict)
    """Bytes by day, the newest 30."""
    endurance_bytes: float = 0.0

    @property
    def today_bytes(self) -> int:
        """What was written on the newest day."""
        return self.days[max(self.days)] if self.days else 0

    @property
    def worn_share(self) -> float | None:
        """How much of what the card endures was written; None when nobody knows what it endures."""
        return self.total_bytes / self.endurance_bytes if self.endurance_bytes else None

    @property
    def years_left(self) -> float | None:
        """At the rate of the days before today; None before there is one, and where nothing is written."""
        whole = [self.days[day] for day in sorted(self.days)[:-1]]
        if not whole or not self.endurance_bytes or not sum(whole):
            return None
        a_day = sum(whole) / len(whole)
        return max(0.0, (self.endurance_bytes - self.total_bytes) / a_day / _DAYS_A_YEAR)


def counted(before: Wear, boot: str, count: int, today: date) -> Wear:
    """What the kernel's `count` of bytes since this `boot` adds to what was known; the first look only begins."""
    if not before.boot:
        more = 0
    elif boot == before.boot and count >= before.counted_bytes:
        more = count - before.counted_bytes
    else:
        more = count
    day = today.isoformat()
    days = {**before.days, day: before.days.get(day, 0) + more}
    kept = {name: days[name] for name in sorted(days)[-_DAYS_KEPT:]}
    return Wear(boot, count, before.total_bytes + more, kept, before.endurance_bytes)


def kernel_boot() -> str:
    """Since which boot the kernel counts; the lab's simulated boots do not begin it anew."""
    return _BOOT_ID.read_text(encoding="ascii").strip()


def written_bytes(folder: Path, diskstats: Path = DISKSTATS) -> int | None:
    """What was written since boot to the device that holds `folder`; None where the kernel does not say."""
    try:
        device = folder.stat().st_dev
        lines = diskstats.read_text(encoding="ascii").splitlines()
    except OSError:
        return None  # no such file system, or no such kernel
    name = [str(os.major(device)), str(os.minor(device))]
    sectors = next((line.split()[9] for line in lines if line.split()[:2] == name), None)
    return None if sectors is None else int(sectors) * _SECTOR_BYTES


def as_kept(wear: Wear) -> dict[str, Any]:
    """What is remembered over restarts."""
    return {
        "boot": wear.boot, "counted_bytes": wear.counted_bytes, "total_bytes": wear.total_bytes,
        "days": dict(wear.days),
    }  # fmt: skip


def from_kept(kept: dict[str, Any] | None, endurance_bytes: float) -> Wear:
    """What was remembered, or a beginning."""
    return Wear(**(kept or {}), endurance_bytes=endurance_bytes)
