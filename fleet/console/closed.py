"""What the board says of campuses that close early. Pure."""

from collections.abc import Iterable
from datetime import datetime, tzinfo

from fleet.store.campuses import Closure
from fleet.times import time_of_day


def closed_words(closures: Iterable[Closure], now: datetime, zone: tzinfo | None) -> tuple[str, ...]:
    """One sentence for each closure that is not over, the earliest first."""
    return tuple(
        f"{one.campus} is closed from {time_of_day(one.since, now, zone)} ({one.reason}); later bookings are not held."
        for one in closures
    )
