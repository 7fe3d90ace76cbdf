"""What the machine itself knows of its network: cables, leases, a proxy, the state of its clock's own service."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

_PROXIES: Final = ("https_proxy", "HTTPS_PROXY", "http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY")
_LEASES: Final = (Path("/run/systemd/netif/leases"), Path("/var/lib/NetworkManager"))
_TOLD: Final = frozenset({"ADDRESS", "SERVER_ADDRESS", "ROUTER", "DNS", "NTP", "CAPTIVE_PORTAL"})


@dataclass(frozen=True, slots=True)
class Port:
    """One network port of the machine."""

    name: str
    is_wireless: bool
    has_carrier: bool | None
    """None while it is switched off, so that nobody can know."""
    speed_mbit_s: int | None = None


@dataclass(frozen=True, slots=True)
class Machine:
    """Where to look; the lab's and the tests' are folders of their own."""

    ports: Path = Path("/sys/class/net")
    leases: tuple[Path, ...] = _LEASES
    synchronized: Path = Path("/run/systemd/timesync/synchronized")
    environment: Mapping[str, str] = field(default_factory=lambda: os.environ)


def ports(machine: Machine) -> list[Port]:
    """Every port that leads out of the machine; bridges and tunnels have no device of their own and are left out."""
    try:
        folders = sorted(machine.ports.iterdir())
    except OSError:
        return []
    return [_port(one) for one in folders if (one / "device").exists()]


def lease(machine: Machine) -> dict[str, str]:
    """What DHCP gave, as systemd-networkd or NetworkManager wrote it down; empty where nobody may read it."""
    for folder in machine.leases:
        try:
            files = sorted(folder.glob("*" if folder.name == "leases" else "internal-*.lease"))
            text = "\n".join(one.read_text(encoding="utf-8", errors="replace") for one in files)
        except OSError:
            continue  # the agent is not root, and needs not be
        pairs = (line.partition("=") for line in text.splitlines())
        if found := {name: value[:200] for name, _, value in pairs if name in _TOLD and value}:
            return found
    return {}


def proxy(machine: Machine) -> str | None:
    """The proxy that the environment names, without anybody's password; None when it names none."""
    text = next((machine.environment[name] for name in _PROXIES if machine.environment.get(name)), None)
    if text is None:
        return None
    try:
        parts = urlsplit(text if "://" in text else f"http://{text}")
        host, port = parts.hostname, parts.port or 80
    except ValueError:
        return "an address that cannot be read"
    return f"{host}:{port}"


def is_synchronized(machine: Machine) -> bool:
    """Whether the machine's own time service has set the clock since it booted."""
    return machine.synchronized.exists()


def _port(folder: Path) -> Port:
    carrier, speed = _text(folder / "carrier"), _text(folder / "speed")
    return Port(
        name=folder.name,
        is_wireless=(folder / "wireless").exists() or (folder / "phy80211").exists(),
        has_carrier=None if carrier is None else carrier == "1",
        speed_mbit_s=int(speed) if speed is not None and speed.isdecimal() else None,
    )


def _text(path: Path) -> str | None:
    try:
        return path.read_text(encoding="ascii", errors="replace").strip()
    except OSError:
        return None  # a port that is switched off refuses to say
