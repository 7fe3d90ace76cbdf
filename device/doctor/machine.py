"""The machine under the kiosk: units, packages, disks, swap, power. Read from where Linux and systemd say it."""

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from device.doctor.rows import Row, attention, blocked, ok, unknown
from device.health import Vitals
from device.release import VERSION

AGENT, SCREEN, WAITING = "carrel-kiosk.service", "carrel-screen.service", "carrel-waiting.service"
_SHOWN: Final = ("LoadState", "ActiveState", "SubState", "NRestarts", "Result", "StatusText")
_PACKAGES: Final = ("carrel-kiosk", "python3-opencv", "python3-picamera2", "python3-libcamera", "chromium", "cage")
_NEEDED: Final = frozenset({"carrel-kiosk", "python3-opencv"})
_WITHIN_S: Final = 10.0
_MANY_RESTARTS: Final = 3
_FULL_SHARE: Final = 0.1
_HOT_C: Final = 80.0
"""Where a Raspberry Pi begins to slow down (Raspberry Pi documentation, "Frequency management and thermal control")."""


@dataclass(frozen=True, slots=True)
class Places:
    """Where to look; the tests' are of their own."""

    mounts: Path = Path("/proc/self/mounts")
    swaps: Path = Path("/proc/swaps")
    dev: Path = Path("/dev")
    systemctl: str = "systemctl"
    dpkg_query: str = "dpkg-query"


@dataclass(frozen=True, slots=True)
class Mount:
    """One line of /proc/self/mounts."""

    device: str
    point: str
    kind: str
    options: frozenset[str]


def mount_of(folder: Path, text: str) -> Mount | None:
    """The mount that a folder lies on; None when the kernel's list names none."""
    found: Mount | None = None
    for line in text.splitlines():
        fields = line.split()
        if len(fields) < 4:
            continue
        point = fields[1].replace("\\040", " ")
        is_above = folder.is_relative_to(point)
        if is_above and (found is None or len(point) >= len(found.point)):  # a later one covers an earlier one
            found = Mount(fields[0], point, fields[2], frozenset(fields[3].split(",")))
    return found


def units(places: Places) -> list[Row]:
    """The kiosk's own units, as systemd tells of them."""
    rows = []
    for name in (AGENT, SCREEN):
        told = _run([places.systemctl, "show", name, *(f"--property={one}" for one in _SHOWN)])
        if told is None:
            return [unknown("unit", "systemd", "no service manager answers on this machine")]
        rows.append(unit(name, dict(line.partition("=")[::2] for line in told.splitlines())))
    return rows


def unit(name: str, said: dict[str, str]) -> Row:
    """What systemd's words on one unit mean."""
    state, restarts = said.get("ActiveState", ""), int(said.get("NRestarts") or 0)
    words = f"{state} ({said.get('SubState', '')})"
    if said.get("LoadState") != "loaded":
        return blocked("unit", name, "is not installed", "Install the package carrel-kiosk.")
    if state != "active":
        why = f", last result {said['Result']}" if said.get("Result") not in {None, "", "success"} else ""
        return blocked(
            "unit", name, f"{words}{why}", f"See journalctl -u {name} -u {WAITING}, then systemctl start {name}."
        )
    if restarts >= _MANY_RESTARTS:
        return attention("unit", name, f"{words}, started anew {restarts} times since boot",
                         f"See journalctl -u {name} for why.", restarts=restarts)  # fmt: skip
    return ok("unit", name, f"{words} {said.get('StatusText', '')}".strip(), restarts=restarts)


def versions(places: Places) -> list[Row]:
    """The release, and what of the system's packages it stands on."""
    facts = {"carrel": VERSION, "python": sys.version.split()[0]}
    told = _run([places.dpkg_query, "--show", "--showformat=${Package} ${Version} ${db:Status-Status}\n", *_PACKAGES])
    if told is None:
        return [unknown("software", "dpkg", f"Carrel {VERSION} on Python {facts['python']}; no packages here", **facts)]
    lines = [line.split() for line in told.splitlines()]
    found = {line[0]: line[1] for line in lines if len(line) == 3 and line[2] == "installed"}
    missing = sorted(_NEEDED - found.keys())
    says = f"Carrel {VERSION}, Python {facts['python']}, " + (
        ", ".join(f"{name} {version}" for name, version in found.items()) or "none of its packages"
    )
    if missing:
        return [attention("software", "dpkg", f"{says}; not installed: {', '.join(missing)}",
                          f"apt-get install {' '.join(missing)}", **facts, **found)]  # fmt: skip
    return [ok("software", "dpkg", says, **facts, **found)]


def disks(data_dir: Path, vitals: Vitals, places: Places) -> list[Row]:
    """The data's disk, the root's, and swap."""
    rows = [_free(data_dir, vitals)]
    try:
        text = places.mounts.read_text(encoding="utf-8", errors="replace")
    except OSError as error:
        return [*rows, unknown("mount", str(places.mounts), error.strerror or str(error))]
    return [
        *rows,
        _data_mount(data_dir, mount_of(data_dir, text)),
        _root_mount(mount_of(Path("/"), text)),
        _swap(places),
    ]


def _free(data_dir: Path, vitals: Vitals) -> Row:
    free, total = vitals.storage_free_bytes, vitals.storage_total_bytes
    if free is None or not total:
        return unknown("room", str(data_dir), "nobody can say what is free there")
    says = f"{free / 1e9:.1f} of {total / 1e9:.1f} GB free"
    if free / total < _FULL_SHARE:
        do = "Lower quota_gb or keep_hours under [recording], or see why nothing is sent."
        return attention("room", str(data_dir), says, do, free_bytes=free)
    return ok("room", str(data_dir), says, free_bytes=free)


def _data_mount(data_dir: Path, mount: Mount | None) -> Row:
    where = str(data_dir)
    if mount is None:
        return unknown("mount", where, "the kernel names no disk for it")
    says = f"on {mount.device} at {mount.point}, {mount.kind}"
    if "ro" in mount.options:
        return blocked("mount", where, f"{says}, read-only: nothing can be kept",
                       "Look into dmesg for the card's errors; replace the card.")  # fmt: skip
    if mount.kind in {"tmpfs", "overlay", "ramfs"}:
        return blocked("mount", where, f"{says}: what is written there is gone after a power cut",
                       "Give the data a partition of its own (docs/pi.md).")  # fmt: skip
    if mount.point == "/":
        do = "Give the data a partition of its own, and let the root be read-only (docs/pi.md)."
        return attention("mount", where, f"{says}: it shares the root's partition", do)
    return ok("mount", where, says)


def _root_mount(mount: Mount | None) -> Row:
    if mount is None:
        return unknown("root", "/", "the kernel names no disk for it")
    if "ro" in mount.options or mount.kind == "overlay":
        return ok("root", "/", f"{mount.kind}, not written to")
    return attention("root", "/", f"{mount.device} is written to, and a power cut can damage it",
                     "Switch on the overlay: raspi-config nonint do_overlayfs 0 (docs/pi.md).")  # fmt: skip


def _swap(places: Places) -> Row:
    try:
        lines = places.swaps.read_text(encoding="utf-8", errors="replace").splitlines()[1:]
    except OSError as error:
        return unknown("swap", str(places.swaps), error.strerror or str(error))
    on_disk = [name for name in (line.split()[0] for line in lines if line.split()) if not name.startswith("/dev/zram")]
    if on_disk:
        return attention("swap", ", ".join(on_disk), "memory, with pictures in it, may be written to the disk",
                         "Switch swap off: swapoff -a, and remove it from /etc/fstab (docs/pi.md).")  # fmt: skip
    return ok("swap", str(places.swaps), "no memory goes to the disk")


def power(vitals: Vitals) -> list[Row]:
    """What the firmware says of its supply, and how warm the processor is."""
    rows = []
    if vitals.throttling is None:
        rows.append(unknown("power", "vcgencmd", "no firmware here that says"))
    elif vitals.throttling.undervoltage_now or vitals.throttling.undervoltage_since_boot:
        when = "now" if vitals.throttling.undervoltage_now else "since boot"
        rows.append(attention("power", "vcgencmd", f"too little voltage {when}", "Use the kit's own supply and cable."))
    else:
        rows.append(ok("power", "vcgencmd", "enough voltage since boot"))
    heat = vitals.temperature_c
    if heat is None:
        rows.append(unknown("heat", "thermal_zone0", "no sensor here"))
    elif heat >= _HOT_C:
        rows.append(attention("heat", "thermal_zone0", f"{heat:.0f} °C: it slows down", "Give it air; clean its fan."))
    else:
        rows.append(ok("heat", "thermal_zone0", f"{heat:.0f} °C"))
    return rows


def _run(command: list[str]) -> str | None:
    """What a program of the system says; None where it is not, or says nothing.

    Its exit code is not looked at: dpkg-query has one for a package that it does not know among those that it does.
    """
    tool = shutil.which(command[0])
    if tool is None:
        return None
    try:
        done = subprocess.run(  # noqa: S603 - the system's own tool, by its full path
            [tool, *command[1:]], capture_output=True, text=True, timeout=_WITHIN_S, check=False,
            env={**os.environ, "LC_ALL": "C"},
        )  # fmt: skip
    except (OSError, subprocess.SubprocessError):
        return None  # it hangs or cannot be run: nobody answers
    return done.stdout or None
