"""The picture checks of one camera: a small grey copy, once a second, and what is seen in it.

When a look disagrees with what was true before, the next ones come sooner: a covered lens is named within two seconds.
"""

from typing import TYPE_CHECKING, Final

from device.cameras.pixels import small_grey
from device.cameras.source import Frame

if TYPE_CHECKING:
    from device.vision.watch import Observation, Watcher

EVERY_NS: Final = 1_000_000_000
UNSURE_NS: Final = 350_000_000
WIDTH_PX: Final = 320
_AGAIN_NS: Final = 200_000_000
"""When to ask again for a frame that has not come."""


class Eyes:
    """Looks at the newest frame once a second; nothing leaves it but what it found."""

    def __init__(self, role: str) -> None:
        self._role = role
        self._watcher: Watcher | None = None
        self._due_ns = 0
        self._shown_ns = 0
        self.seen: tuple[Observation, ...] | None = None
        """What is true now; None while the camera is closed or nothing was looked at yet."""

    def due_in_s(self, now_ns: int) -> float:
        """Seconds until the next look; zero or less when it is due."""
        return (self._due_ns - now_ns) / 1e9

    def look(self, frame: Frame, now_ns: int) -> None:
        """Look, if it is time and the frame is a new one."""
        if now_ns < self._due_ns:
            return
        if frame.captured_ns == self._shown_ns:
            self._due_ns = now_ns + _AGAIN_NS
            return
        if self._watcher is None:
            # Imported with the first look, so that the first picture after a restart does not wait for it.
            from device.vision.watch import Watcher  # noqa: PLC0415 - see above

            self._watcher = Watcher(self._role)
        self._shown_ns = frame.captured_ns
        self.seen = self._watcher.look(small_grey(frame, WIDTH_PX), frame.captured_ns)
        self._due_ns = now_ns + (UNSURE_NS if self._watcher.unsure else EVERY_NS)

    def close(self) -> None:
        """The camera is closed: what was seen is not true of it any more."""
        self.seen = None
        if self._watcher is not None:
            self._watcher.reset()
