"""The demo day's clock: one wall time for fleet and kiosks, which the lab sets forward where nothing happens for long.

Only wall time is set. Monotonic time goes on at its own pace, so what counts by it (a session's minutes, how long
nothing was heard of a camera) is as long as it really was. The offset stands in a file: the fleet is another process.
"""

import mmap
import struct
import time
from datetime import UTC, datetime, timedelta
from datetime import time as time_of_day
from pathlib import Path
from typing import Final

from fleet.clock import Instant

BEGINS: Final = time_of_day(9, 57)
_SECONDS: Final = struct.Struct("=d")
_SATURDAY: Final = 5


class DayClock:
    """The machine's clocks, the wall time moved by what stands in a file.

    Args:
        file: eight bytes, made if there is none: then the clock shows the machine's time.
    """

    def __init__(self, file: Path) -> None:
        if not file.exists():
            file.write_bytes(_SECONDS.pack(0.0))
        self.file = file
        with file.open("r+b") as opened:
            self._shared = mmap.mmap(opened.fileno(), _SECONDS.size)

    @property
    def offset(self) -> timedelta:
        """How far it is ahead of the machine's."""
        return timedelta(seconds=_SECONDS.unpack_from(self._shared)[0])

    def now(self) -> Instant:
        """This moment."""
        return Instant(time.monotonic(), datetime.now(UTC) + self.offset)

    def set_forward(self, to: datetime) -> None:
        """Show `to` from now on; raises `ValueError` when that is past."""
        ahead_s = (to - self.now().at).total_seconds()
        if ahead_s < 0:
            raise ValueError(f"{to:%H:%M:%S} is past: a school day does not go backwards")
        _SECONDS.pack_into(self._shared, 0, self.offset.total_seconds() + ahead_s)


def next_school_day(now: datetime) -> datetime:
    """When the next school day begins, in the machine's zone: today if it is still early enough."""
    begins = datetime.combine(now.astimezone().date(), BEGINS).astimezone()
    while begins < now or begins.weekday() >= _SATURDAY:
        begins = datetime.combine(begins.date() + timedelta(days=1), BEGINS).astimezone()
    return begins
