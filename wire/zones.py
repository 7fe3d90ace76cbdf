"""Time zones by their IANA names, wherever one is written down."""

from typing import Annotated
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import AfterValidator


def zone_of(name: str) -> ZoneInfo | None:
    """The zone of that IANA name; None when there is none."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):  # `../` and folders are refused in various ways
        return None


def _known(name: str) -> str:
    if zone_of(name) is None:
        raise ValueError(f"{name!r} is no time zone; write for example America/Chicago")
    return name


ZoneName = Annotated[str, AfterValidator(_known)]
"""One that this machine knows."""
