"""The simulated kiosk's clock: its own boot, its own wall time, the machine's own pace."""

import time
from datetime import UTC, datetime, timedelta

from device.session.clock import Instant, trust_of


class LabClock:
    """A clock that can be set to any year. Monotonic time counts from the simulated boot."""

    def __init__(self, boot: str, booted_ns: int, offset: timedelta = timedelta(0)) -> None:
        """Begin at a boot.

        Args:
            boot: the boot's id.
            booted_ns: when it was, on the machine's own monotonic clock.
            offset: how far this kiosk's wall clock is from the machine's.
        """
        self._boot, self._booted_ns, self._offset = boot, booted_ns, offset

    def now(self) -> Instant:
        """This moment, as the simulated kiosk would have it."""
        wall = datetime.now(UTC) + self._offset
        return Instant(time.monotonic_ns() - self._booted_ns, wall, self._boot, trust_of(wall, synchronized=True))

    def set(self, offset: timedelta) -> None:
        """Step the wall clock."""
        self._offset = offset
