"""What a kiosk tries by itself about a signal, as data: when, how often, and when it would disturb somebody."""

from datetime import time
from typing import Final

from pydantic import BaseModel, ConfigDict

from wire.signal_table import SIGNALS


class Remedy(BaseModel):
    """One thing to try. What it said goes into the signal's evidence, as `remedy`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    words: str
    """What is done, for people."""
    after_s: float
    """The signal has counted for this long."""
    every_s: float
    """And this long after the last try."""
    per_day: int
    """At most so often within 24 hours."""
    in_session: bool = False
    """Whether it may run while a session does."""
    clear_of_bookings_s: float = 0.0
    """Not within this time before a booking, nor in it."""
    quiet: tuple[time, time] | None = None
    """Not between these hours of the campus: it can wait until nobody is there."""


_RECONNECT: Final = "close the connection to the fleet and make it anew, by the next address"
REMEDIES: Final = {
    "link.down": Remedy(name="netcheck", words="look what the network does", after_s=30, every_s=60, per_day=1_440,
                        in_session=True),
    "schedule.stale": Remedy(name="reconnect", words=_RECONNECT, after_s=60, every_s=3_600, per_day=6,
                             clear_of_bookings_s=300),
    "backlog.old": Remedy(name="reconnect", words=_RECONNECT, after_s=60, every_s=3_600, per_day=6,
                          clear_of_bookings_s=900, quiet=(time(7), time(17))),
    "clock.unset": Remedy(name="time-sync", words="have the machine's time service ask anew", after_s=60, every_s=900,
                          per_day=24),
    "clock.drift": Remedy(name="time-sync", words="have the machine's time service ask anew", after_s=60, every_s=900,
                          per_day=24),
}  # fmt: skip
"""By signal. What is done about cameras is the recovery ladder's, step by step (device/cameras/ladder.py)."""

assert set(REMEDIES) <= set(SIGNALS)
