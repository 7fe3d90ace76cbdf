"""The simulated kiosk's clock: its own boot, its own wall time, the machine's own pace."""

import time
from datetime import UTC, datetime, timedelta

from device.session.clock import Instant, trust_of


class LabClock:
    """A clock that can be set to any year. Monotonic time counts from the simulated boot."""

    def __init__(
        self, boot: str, booted_ns: int, offset: timedelta = timedelta(0), *, synchronized: bool = True
    ) -> None:
        """Begin at a boot.

        Args:
            boot: the boot's id.
            booted_ns: when it was, on the machine's own monotonic clock.
            offset: how far this kiosk's wall clock is from the machine's.
            synchronized: whether NTP is said to have set it.
        """
        self._boot, self._booted_ns, self._offset = boot, booted_ns, offset
        self._synchronized, self._slept_ns = synchronized, 0

    def now(self) -> Instant:
        """This moment, as the simulated kiosk would have it."""
        wall = datetime.now(UTC) + self._offset
        trust = trust_of(wall, synchronized=self._synchronized)
        return Instant(time.monotonic_ns() - self._booted_ns + self._slept_ns, wall, self._boot, trust, self._slept_ns)

    def set(self, offset: timedelta, *, synchronized: bool = True) -> None:
        """Step the wall clock; `synchronized`, because NTP says so."""
        self._offset, self._synchronized = offset, synchronized

    def sleep(self, length: timedelta) -> None:
        """As if the machine had been suspended for so long: all of its clocks but CLOCK_MONOTONIC went on."""
        self._offset += length
        self._slept_ns += length // timedelta(microseconds=1) * 1_000
