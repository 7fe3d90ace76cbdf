"""A steady beat for sources that have none of their own."""

import time
from collections.abc import Callable

from device.cameras.errors import SourceFailed


class Pace:
    """Hands out beat numbers at a fixed rate; a reader that comes late misses beats instead of slowing the clock.

    Args:
        fps: beats per second.
        clock_ns: a monotonic clock, nanoseconds.
        sleep: waits for so many seconds.
    """

    def __init__(
        self,
        fps: float,
        clock_ns: Callable[[], int] = time.monotonic_ns,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._period_ns = round(1e9 / fps)
        self._clock_ns = clock_ns
        self._sleep = sleep
        self._start_ns = clock_ns()
        self._last = -1
        self._stopped = False

    def stop(self) -> None:
        """The source is closed: there is no next beat."""
        self._stopped = True

    def next(self, timeout_s: float) -> int | None:
        """Wait for the next beat, at most `timeout_s`.

        Returns:
            The number of the beat that has come, larger than any given out before, or None when none came in time.

        Raises:
            SourceFailed: after `stop`.
        """
        if self._stopped:
            raise SourceFailed("the source is closed")
        now_ns = self._clock_ns()
        beat = max(self._last + 1, (now_ns - self._start_ns) // self._period_ns)
        wait_ns = self._start_ns + beat * self._period_ns - now_ns
        if wait_ns > timeout_s * 1e9:
            self._sleep(timeout_s)
            return None
        if wait_ns > 0:
            self._sleep(wait_ns / 1e9)
        self._last = beat
        return beat
