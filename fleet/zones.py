"""In which zone a campus has its local times: its calendar's, else the fleet's own setting, else this machine's."""

import os
from pathlib import Path
from typing import Final
from zoneinfo import ZoneInfo

from wire.school_day import Calendar
from wire.zones import zone_of

_LOCALTIME: Final = Path("/etc/localtime")
_UTC: Final = "UTC"


def zone_name(calendar: Calendar | None, setting: str | None) -> str:
    """The IANA name of the zone that counts."""
    if calendar is not None:
        return calendar.time_zone
    return setting or machine_zone()


def zone(calendar: Calendar | None, setting: str | None) -> ZoneInfo:
    """The zone that counts; UTC where this machine does not know it."""
    return zone_of(zone_name(calendar, setting)) or ZoneInfo(_UTC)


def machine_zone() -> str:
    """This machine's zone by its IANA name; UTC where it has none that can be named."""
    named = os.environ.get("TZ", "").lstrip(":")
    if named:
        return named if zone_of(named) else _UTC
    parts = _LOCALTIME.resolve().parts
    name = "/".join(parts[parts.index("zoneinfo") + 1 :]) if "zoneinfo" in parts else ""
    return name if name and zone_of(name) else _UTC
