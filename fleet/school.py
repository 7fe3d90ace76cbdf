"""School hours as the settings have them, for campuses without bells of their own; what incidents ask of it."""

from datetime import datetime, time
from typing import Final, Literal, Protocol, Self
from zoneinfo import ZoneInfo

from pydantic import Field, model_validator
from sqlalchemy import Connection

from fleet.notices import Booked, School
from fleet.store import sessions
from wire.settings_file import SettingsModel
from wire.zones import ZoneName

Day = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
_DAYS: Final[tuple[Day, ...]] = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


class SchoolHours(SettingsModel):
    """`[school_hours]`: when incidents may disturb people, and what the health score is a share of."""

    days: tuple[Day, ...] = _DAYS[:5]
    begins: time = time(7)
    ends: time = time(17)
    """Equal to `begins`: the whole day."""
    zone: ZoneName = "UTC"
    zones: dict[str, ZoneName] = Field(default_factory=dict)
    """By campus, where it is another one."""

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.ends < self.begins:
            raise ValueError("ends: before begins; school does not go on through midnight")
        return self


class Diary(School, Protocol):
    """What incidents ask of the schedule."""

    def touches_booking(self, connection: Connection, kiosk: str, since: datetime, until: datetime) -> bool:
        """Whether a booking of the kiosk, or a session on it, lies in that time."""


class SettledSchool:
    """`School` by the settings alone: no point person is known, and a booking is touched where a session ran."""

    def __init__(self, hours: SchoolHours) -> None:
        self._hours = hours
        self._zones = {campus: ZoneInfo(name) for campus, name in hours.zones.items()}
        self._zone = ZoneInfo(hours.zone)

    def local(self, campus: str, at: datetime) -> datetime:
        """See `School.local`."""
        return at.astimezone(self._zones.get(campus, self._zone))

    def bells(self, campus: str, at: datetime) -> bool:
        """See `School.bells`."""
        here = self.local(campus, at)
        if _DAYS[here.weekday()] not in self._hours.days:
            return False
        begins, ends = self._hours.begins, self._hours.ends
        return begins == ends or begins <= here.time() < ends

    def point_person(self, _kiosk: str, _at: datetime) -> str | None:
        """See `School.point_person`."""
        return None

    def booked(self, _kiosk: str, _at: datetime) -> tuple[Booked, ...]:
        """See `School.booked`: no schedule is known."""
        return ()

    def touches_booking(self, connection: Connection, kiosk: str, since: datetime, until: datetime) -> bool:
        """Whether a session of the kiosk ran in that time, and so has a record beside which the incident is kept."""
        return sessions.ran(connection, kiosk, since, until)
