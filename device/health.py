"""Vitals of the machine. What it has no tool or sensor for is None, which reads `unknown`: off a Pi, most of it."""

import asyncio
import logging
import os
import shutil
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from device.board import board_model
from device.wear import DISKSTATS, Wear

_log = logging.getLogger(__name__)

_VCGENCMD_WITHIN_S: Final = 2.0
_PAGE_BYTES: Final = os.sysconf("SC_PAGE_SIZE")


@dataclass(frozen=True, slots=True)
class Throttling:
    """The firmware's word on power, decoded; now and since boot are different things."""

    undervoltage_now: bool
    throttled_now: bool
    undervoltage_since_boot: bool
    throttled_since_boot: bool


@dataclass(frozen=True, slots=True)
class Vitals:
    """One look at the machine."""

    uptime_s: float | None
    temperature_c: float | None
    throttling: Throttling | None
    cpu_load_1m: float | None
    memory_used_share: float | None
    storage_free_bytes: int | None
    storage_total_bytes: int | None
    agent_rss_bytes: int | None
    model: str | None
    wear: Wear | None = None
    """What was written to the disk; None where the kernel does not say."""


def throttling(word: str) -> Throttling | None:
    """What `vcgencmd get_throttled` printed, such as `throttled=0x50005`; None when it is not that.

    Bits as in Raspberry Pi's documentation of `get_throttled`: 0 under-voltage, 2 throttled, 16 and 18 since boot.
    """
    name, _, value = word.strip().partition("=")
    try:
        bits = int(value, 16)
    except ValueError:
        return None
    if name != "throttled":
        return None
    return Throttling(bool(bits & 1), bool(bits & 1 << 2), bool(bits & 1 << 16), bool(bits & 1 << 18))


def _free_and_total(folder: Path) -> tuple[int, int]:
    usage = shutil.disk_usage(folder)
    return usage.free, usage.total


@dataclass(frozen=True, slots=True)
class Sensors:
    """Where the machine's vitals are read; a simulated machine has others."""

    thermal: Path = Path("/sys/class/thermal/thermal_zone0/temp")
    vcgencmd: str = "vcgencmd"
    """The Pi's own tool, by its name or path."""
    disk: Callable[[Path], tuple[int, int]] = _free_and_total
    """Bytes free and in all on the disk that holds a folder; raises OSError."""
    diskstats: Path = DISKSTATS


_MACHINE: Final = Sensors()


async def look(data_dir: Path, sensors: Sensors = _MACHINE) -> Vitals:
    """The vitals now; takes at most about 2 s, in a thread."""
    return await asyncio.to_thread(_look, data_dir, sensors)


def _look(data_dir: Path, sensors: Sensors) -> Vitals:
    free, total = _storage(data_dir, sensors)
    return Vitals(
        uptime_s=_number(Path("/proc/uptime"), 1.0),
        temperature_c=_number(sensors.thermal, 0.001),
        throttling=_throttling(sensors.vcgencmd),
        cpu_load_1m=_number(Path("/proc/loadavg"), 1.0),
        memory_used_share=_memory(),
        storage_free_bytes=free,
        storage_total_bytes=total,
        agent_rss_bytes=_rss(),
        model=board_model(),
    )


def _text(path: Path) -> str | None:
    try:
        return path.read_text(errors="replace").strip("\0\n ")
    except OSError:
        return None  # no such sensor on this machine


def _number(path: Path, unit: float) -> float | None:
    text = _text(path)
    try:
        return None if not text else round(float(text.split()[0]) * unit, 2)
    except ValueError:
        return None  # a sensor that says something else knows nothing


def _throttling(name: str) -> Throttling | None:
    tool = shutil.which(name)
    if tool is None:
        return None
    try:
        done = subprocess.run(  # noqa: S603  # the Pi's own tool, by its full path
            [tool, "get_throttled"], capture_output=True, text=True, timeout=_VCGENCMD_WITHIN_S, check=True
        )
    except (OSError, subprocess.SubprocessError) as error:
        _log.debug("vcgencmd: %s", error)
        return None
    return throttling(done.stdout)


def _memory() -> float | None:
    text = _text(Path("/proc/meminfo"))
    if text is None:
        return None
    sizes = {
        name: int(rest.split()[0]) for name, _, rest in (line.partition(":") for line in text.splitlines()) if rest
    }
    total, available = sizes.get("MemTotal"), sizes.get("MemAvailable")
    return None if not total or available is None else round(1 - available / total, 3)


def _storage(folder: Path, sensors: Sensors) -> tuple[int | None, int | None]:
    try:
        return sensors.disk(folder)
    except OSError:
        return None, None


def _rss() -> int | None:
    text = _text(Path("/proc/self/statm"))
    return None if text is None else int(text.split()[1]) * _PAGE_BYTES
