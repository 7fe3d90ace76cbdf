"""How the fleet writes durations, ages and times of day; `console/static/ages.js` follows the same rules."""

from datetime import datetime, timedelta, tzinfo
from typing import Final

_EARLIEST_YEAR: Final = 2024
"""A Raspberry Pi without a set clock starts in 1970: a time before this product existed is no time at all."""


def duration(ms: float) -> str:
    """A length as `m:ss`, from an hour on `h:mm:ss`; parts of a second are cut, never rounded up."""
    seconds = max(0, int(ms // 1000))
    minutes, seconds = divmod(seconds, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{seconds:02}" if hours else f"{minutes}:{seconds:02}"


def duration_words(ms: float) -> str:
    """A length for a reader's ear: `12 min 41 s`."""
    seconds = max(0, int(ms // 1000))
    parts = ((seconds // 3600, "h"), (seconds // 60 % 60, "min"), (seconds % 60, "s"))
    return " ".join(f"{count} {unit}" for count, unit in parts if count) or "0 s"


def age(age_s: float) -> str:
    """An age in the one unit that matters: seconds under 2 minutes, minutes under 2 hours, hours under 2 days."""
    seconds = max(0, int(age_s))
    if seconds < 1:
        return "just now"
    for limit, size, unit in ((120, 1, "s"), (7_200, 60, "min"), (172_800, 3_600, "h")):
        if seconds < limit:
            return f"{seconds // size} {unit} ago"
    return f"{seconds // 86_400} days ago"


def credible(at: datetime | None, now: datetime) -> bool:
    """Whether a wall time told by a kiosk can be shown: neither 1970 nor more than two minutes ahead."""
    return at is not None and at.year >= _EARLIEST_YEAR and at <= now + timedelta(minutes=2)


def time_of_day(at: datetime, now: datetime, zone: tzinfo | None) -> str:
    """`10:01`, with the day in front when it was not today: `Fri 20 Nov, 10:01`.

    Args:
        at: an aware instant.
        now: an aware instant, which says what today is.
        zone: the campus's; None for the fleet machine's own.
    """
    here, today = at.astimezone(zone), now.astimezone(zone).date()
    if here.date() == today:
        return f"{here:%H:%M}"
    year = "" if here.year == today.year else f" {here.year}"
    return f"{_DAYS[here.weekday()][:3]} {here.day} {_MONTHS[here.month - 1][:3]}{year}, {here:%H:%M}"


def day(at: datetime, zone: tzinfo | None) -> str:
    """`Monday 23 November`, whatever locale the machine has."""
    here = at.astimezone(zone)
    return f"{_DAYS[here.weekday()]} {here.day} {_MONTHS[here.month - 1]}"


_DAYS: Final = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_MONTHS: Final = (
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
)
