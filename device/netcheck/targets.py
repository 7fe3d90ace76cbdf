"""Where a kiosk has to get to, from its settings alone: for the check and for the firewall team's page."""

import ipaddress
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

from device.settings import LOOPBACK, Settings

_PORTS: Final = {"mqtts": 8883, "wss": 443, "mqtt": 1883, "https": 443, "http": 80}
NTP_PORT: Final = 123


@dataclass(frozen=True, slots=True)
class Target:
    """One address."""

    purpose: str
    """`broker`, `fleet`, `recordings` or `time`."""
    host: str
    port: int
    tls: bool = False
    scheme: str = ""

    @property
    def where(self) -> str:
        """As people write it."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{host}:{self.port}"

    @property
    def has_name(self) -> bool:
        """Whether it takes a resolver to reach it."""
        try:
            ipaddress.ip_address(self.host)
        except ValueError:
            return self.host not in LOOPBACK
        return False

    @property
    def why(self) -> str:
        """What it is for, for people who do not know Carrel."""
        return _WHY[self.purpose]


_WHY: Final = {
    "broker": "facts of sessions and readiness, and requests of the fleet (MQTT); tried in turn, one is enough",
    "fleet": "the fleet's own address",
    "recordings": "sealed recordings and software",
    "time": "setting the clock (NTP)",
}


def targets(settings: Settings) -> tuple[Target, ...]:
    """Every TCP address of the settings, brokers first, none twice."""
    found = [_of(url, "broker") for url in settings.link.urls]
    if settings.network.fleet_url:
        found.append(_of(settings.network.fleet_url, "fleet"))
    found += [Target("recordings", host, 443, tls=True, scheme="https") for host in settings.upload.allowed_hosts]
    seen: dict[tuple[str, int], Target] = {}
    for one in found:
        seen.setdefault((one.host, one.port), one)
    return tuple(seen.values())


def time_servers(settings: Settings) -> tuple[Target, ...]:
    """The time servers of the settings; none where the system's own are used."""
    return tuple(_time_server(one) for one in settings.network.ntp_servers)


def names(settings: Settings) -> tuple[str, ...]:
    """The host names that have to be resolved, each once."""
    every = (*targets(settings), *time_servers(settings))
    return tuple(dict.fromkeys(one.host for one in every if one.has_name))


def _of(url: str, purpose: str) -> Target:
    parts = urlsplit(url)
    port = parts.port or _PORTS[parts.scheme]
    return Target(
        purpose, parts.hostname or "", port, tls=parts.scheme in {"mqtts", "wss", "https"}, scheme=parts.scheme
    )


def _time_server(text: str) -> Target:
    host, colon, port = text.rpartition(":")
    if colon and port.isdecimal() and ":" not in host:
        return Target("time", host, int(port))
    return Target("time", text, NTP_PORT)
