"""What can be wrong in the world around a simulated kiosk, beside its cameras, its button and its power.

Each cause changes what the kiosk's own code reads or reaches: a sensor's file, a tool's output, a certificate, a sound
card's folder, a pin, the network, the operating system's limits. None is a signal, none a flag that the agent knows.
"""

import json
import os
import resource
import stat
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from pathlib import Path
from typing import Final

from device.health import Sensors
from device.netcheck.machine import Machine
from lab.papers import Authority
from lab.sound import LabSound, Mute

_SECTOR_BYTES: Final = 512
_ENDURED_BYTES: Final = 49 * 10**12
"""Of the 50 TB that hardware/kit.toml's card endures."""


class Cause(StrEnum):
    """What is wrong."""

    HOT = "hot"
    WEAK_SUPPLY = "weak-supply"
    THROTTLED = "throttled"
    DISK_LOW = "disk-low"
    DISK_FULL = "disk-full"
    DISK_WORN = "disk-worn"
    DISK_REFUSES = "disk-refuses"
    CERTIFICATE_ENDS = "certificate-ends"
    CERTIFICATE_ENDED = "certificate-ended"
    NO_MICROPHONE = "no-microphone"
    NO_SPEAKER = "no-speaker"
    MUTED = "muted"
    LAMP_DARK = "lamp-dark"
    SHUTTER = "shutter"
    SLOW_NETWORK = "slow-network"
    PORTAL = "portal"
    CRASHES = "crashes"
    RELEASE_WAITS = "release-waits"
    BOOKING_WAITS = "booking-waits"
    OLD_SCHEDULE = "old-schedule"


class Surroundings:
    """The files that a simulated kiosk's machine consists of.

    Args:
        folder: theirs; made if it is missing.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        self.sound = LabSound(folder / "sound")
        self.certificate = folder / "kiosk.pem"
        self._authority = Authority.new("Carrel lab CA")
        self.heat(48.0)
        self.throttle(0)
        self.disk(None)
        self.wear(0)
        self.certify(timedelta(days=200))
        (folder / "synchronized").touch()

    def sensors(self) -> Sensors:
        """What the agent reads of this machine."""
        return sensors_in(self._folder)

    def heat(self, celsius: float) -> None:
        """Let the chip be so hot."""
        _write(self._folder / "thermal", f"{round(celsius * 1000)}\n")

    def throttle(self, bits: int) -> None:
        """Have the firmware say so, by a tool of the same words."""
        tool = self._folder / "vcgencmd"
        _write(tool, f"#!/bin/sh\necho throttled={bits:#x}\n")
        tool.chmod(tool.stat().st_mode | stat.S_IXUSR)

    def disk(self, free_bytes: int | None) -> None:
        """Let so much be free; None is as it is."""
        _write(self._folder / "disk", json.dumps(free_bytes))

    def wear(self, written_bytes: int) -> None:
        """Have the kernel count so much written to the disk that holds this folder."""
        device = self._folder.stat().st_dev
        numbers = f"{os.major(device)} {os.minor(device)}"
        _write(self._folder / "diskstats", f"{numbers} mmcblk0 0 0 0 0 0 0 {written_bytes // _SECTOR_BYTES} 0 0 0 0\n")

    def certify(self, left: timedelta) -> None:
        """Give the kiosk a certificate that ends so soon."""
        made, key = self._authority.sign(self._folder, "fresh", ends=datetime.now(UTC) + left)
        key.replace(self._folder / "kiosk.key")
        made.replace(self.certificate)


def sensors_in(folder: Path) -> Sensors:
    """The sensors of the simulated machine whose files are in `folder`."""
    return Sensors(folder / "thermal", str(folder / "vcgencmd"), _Disk(folder / "disk"), folder / "diskstats")


def machine_in(folder: Path) -> Machine:
    """What a simulated machine knows of its network: no ports of its own, no lease, no proxy, a clock that is set."""
    return Machine(ports=folder / "net", leases=(), synchronized=folder / "synchronized", environment={})


@dataclass(frozen=True, slots=True)
class _Disk:
    """Says what a file says is free."""

    path: Path

    def __call__(self, folder: Path) -> tuple[int, int]:
        told = json.loads(self.path.read_text(encoding="ascii"))
        real = os.statvfs(folder)
        total = real.f_frsize * real.f_blocks
        return (real.f_frsize * real.f_bavail if told is None else int(told)), total


def refuse_writes(pid: int, *, on: bool) -> None:
    """Have the kernel refuse each write of a process to any file, as a disk does that went bad."""
    _, most = resource.prlimit(pid, resource.RLIMIT_FSIZE)
    resource.prlimit(pid, resource.RLIMIT_FSIZE, (0 if on else most, most))


def simple(world: Surroundings) -> dict[Cause, Callable[[bool], None]]:
    """The causes that are a file each: what to do to have them, or not."""
    return {
        Cause.HOT: lambda on: world.heat(79.0 if on else 48.0),
        Cause.WEAK_SUPPLY: lambda on: world.throttle(0x50001 if on else 0x50000),
        Cause.THROTTLED: lambda on: world.throttle(0x40004 if on else 0x40000),
        Cause.DISK_LOW: lambda on: world.disk(_LOW_BYTES if on else None),
        Cause.DISK_FULL: lambda on: world.disk(_FULL_BYTES if on else None),
        Cause.DISK_WORN: lambda on: world.wear(_ENDURED_BYTES if on else 0),
        Cause.CERTIFICATE_ENDS: lambda on: world.certify(timedelta(days=10 if on else 200)),
        Cause.CERTIFICATE_ENDED: lambda on: world.certify(timedelta(days=-1 if on else 200)),
        Cause.NO_MICROPHONE: lambda on: world.sound.set(Mute.NO_MICROPHONE if on else Mute.NONE),
        Cause.NO_SPEAKER: lambda on: world.sound.set(Mute.NO_SPEAKER if on else Mute.NONE),
        Cause.MUTED: lambda on: world.sound.set(Mute.MUTED if on else Mute.NONE),
    }


_LOW_BYTES: Final = 12_000_000
"""Under two hours at the 2,000 bytes a second that a session without recording takes."""
_FULL_BYTES: Final = 900_000


def _write(path: Path, text: str) -> None:
    fresh = path.with_name(f".{path.name}.new")
    fresh.write_text(text, encoding="ascii")
    fresh.replace(path)
