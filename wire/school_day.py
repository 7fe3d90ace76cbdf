"""School days of a campus: bells, holidays, early releases, A and B days. Pure arithmetic in the campus's own time.

A bell schedule is local times of day. Where the clocks change, a local time may come never or twice: `instants` says
so, bells that fall into a skipped hour ring when it is over, and of a doubled hour the first is meant.
"""

from collections.abc import Mapping
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from typing import Annotated, Final, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from wire.schedule import Bell, SchoolDay
from wire.zones import ZoneName, zone_of

REGULAR: Final = "regular"
_MOST_DATES: Final = 400

Name = Annotated[str, Field(min_length=1, max_length=40)]


class Period(BaseModel):
    """One period of a bell schedule, in local times."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: Name
    start: time
    end: time

    @model_validator(mode="after")
    def _lasts(self) -> Self:
        if self.start.tzinfo or self.end.tzinfo:
            raise ValueError("bells are local times of day, without an offset")
        if self.end <= self.start:
            raise ValueError(f"period {self.name!r} ends before it begins")
        return self


class Calendar(BaseModel):
    """When a campus has school."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    time_zone: ZoneName
    """By its IANA name, such as `America/Chicago`."""
    bells: Annotated[dict[Name, tuple[Period, ...]], Field(max_length=20)] = Field(default_factory=dict)
    """Bell schedules by name: `regular` for plain days, and one by each label, such as `A`, if it differs."""
    weekdays: tuple[Annotated[int, Field(ge=1, le=7)], ...] = (1, 2, 3, 4, 5)
    """ISO: 1 is Monday."""
    first_day: date | None = None
    last_day: date | None = None
    holidays: Annotated[dict[date, str], Field(max_length=_MOST_DATES)] = Field(default_factory=dict)
    early_release: Annotated[dict[date, time], Field(max_length=_MOST_DATES)] = Field(default_factory=dict)
    """When such a day ends."""
    cycle: Annotated[tuple[Name, ...], Field(max_length=10)] = ()
    """`["A", "B"]`: the labels that school days have in turn, from `first_day` on."""
    labels: Annotated[dict[date, Name], Field(max_length=_MOST_DATES)] = Field(default_factory=dict)
    """Days that have another label than their turn; the turns of others stay."""
    special: Annotated[dict[date, Name], Field(max_length=_MOST_DATES)] = Field(default_factory=dict)
    """Days with another bell schedule, by its name."""

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if unknown := sorted(set(self.special.values()) - self.bells.keys()):
            raise ValueError(f"special: there are no bells called {', '.join(unknown)}")
        if self.cycle and self.first_day is None:
            raise ValueError("cycle: labels are counted from first_day on; give it")
        if self.first_day and self.last_day and self.last_day < self.first_day:
            raise ValueError("last_day is before first_day")
        return self

    @property
    def zone(self) -> tzinfo:
        """The campus's time zone."""
        return zone_of(self.time_zone) or UTC


def instants(local: datetime, zone: tzinfo) -> tuple[datetime, ...]:
    """The instants, in UTC, at which clocks of `zone` show the naive time `local`.

    None for one that is skipped in spring, two for one that comes twice in autumn, else one.
    """
    found = []
    for fold in (0, 1):
        at = local.replace(tzinfo=zone, fold=fold).astimezone(UTC)
        if at.astimezone(zone).replace(tzinfo=None) == local and at not in found:
            found.append(at)
    return tuple(found)


def instant(local: datetime, zone: tzinfo) -> datetime:
    """The one instant of a bell: the first of two, and of a skipped time the moment at which clocks have passed it."""
    found = instants(local, zone)
    # With the offset from before the change (fold 0), a skipped time is as much later as the clocks went forward.
    return found[0] if found else local.replace(tzinfo=zone, fold=0).astimezone(UTC)


def is_school_day(calendar: Calendar, day: date) -> bool:
    """Whether there is school on that day at all."""
    within = (calendar.first_day or day) <= day <= (calendar.last_day or day)
    return within and day.isoweekday() in calendar.weekdays and day not in calendar.holidays


def label(calendar: Calendar, day: date) -> str | None:
    """The day's label, such as `A`; None where there are none, or no school."""
    if not is_school_day(calendar, day):
        return None
    if day in calendar.labels:
        return calendar.labels[day]
    if not calendar.cycle or calendar.first_day is None:
        return None
    days = (day - calendar.first_day).days
    before = sum(is_school_day(calendar, calendar.first_day + timedelta(days=n)) for n in range(days))
    return calendar.cycle[before % len(calendar.cycle)]


def school_day(calendar: Calendar, day: date, closes: datetime | None = None) -> SchoolDay | None:
    """That day's bells in instants; None without school, or without bells for it.

    Args:
        calendar: the campus's.
        day: in the campus's own time.
        closes: when the day was ended early in addition to what the calendar knows.
    """
    if not is_school_day(calendar, day):
        return None
    named = label(calendar, day)
    periods = _bells(calendar.bells, calendar.special.get(day), named)
    if not periods:
        return None
    bells = [
        Bell(
            name=one.name,
            start=instant(datetime.combine(day, one.start), calendar.zone),
            end=instant(datetime.combine(day, one.end), calendar.zone),
        )
        for one in periods
    ]
    early = calendar.early_release.get(day)
    ends = [
        max(bell.end for bell in bells),
        closes,
        instant(datetime.combine(day, early), calendar.zone) if early else None,
    ]
    end = min(one for one in ends if one is not None)
    opens = min(bell.start for bell in bells)
    kept = tuple(bell.model_copy(update={"end": min(bell.end, end)}) for bell in bells if bell.start < end)
    return SchoolDay(date=day.isoformat(), opens=opens, closes=max(opens, end), label=named, bells=kept)


def in_school(calendar: Calendar, at: datetime, closes: datetime | None = None) -> bool:
    """Whether school is on at that instant: between a day's first bell and its last, or its early release."""
    day = school_day(calendar, at.astimezone(calendar.zone).date(), closes)
    return day is not None and day.opens <= at < day.closes


def _bells(bells: Mapping[str, tuple[Period, ...]], special: str | None, named: str | None) -> tuple[Period, ...]:
    found = bells.get(special or "") or bells.get(named or "") or bells.get(REGULAR) or ()
    return tuple(sorted(found, key=lambda one: one.start))
