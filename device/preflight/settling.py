"""When a camera has been looked at for long enough to say how it is: pure."""

from dataclasses import dataclass, field
from typing import Any, Final

from device.cameras.ladder import CameraState
from device.cameras.status import TROUBLE
from device.snapshot import CameraView

LOOKED_FOR_S: Final = 4.0
"""Of checked pictures: a frozen one is known by its third look, a move by the middle of five."""
STEADY_S: Final = 1.5
"""So long the findings must have been the same: a vote of three looks may turn within a second."""
TROUBLE_FOR_S: Final = 2.0
"""A source that was lost is tried again every second; one whose process is being replaced is waited for to the end."""
_SURE: Final = TROUBLE - {CameraState.RESTARTING}


@dataclass(slots=True)
class Settling:
    """What was seen of one camera in this look so far; seconds are the caller's.

    Args:
        checked: whether its pictures are checked at all.
    """

    checked: bool = True
    first_frame_s: float | None = None
    _pictures_s: float | None = None
    _steady_s: float = 0.0
    _trouble_s: float | None = None
    _found: tuple[Any, ...] = field(default_factory=tuple)

    def see(self, view: CameraView, at_s: float) -> bool:
        """Take in how it is now; whether that is enough."""
        in_trouble = view.state in _SURE
        self._trouble_s = (at_s if self._trouble_s is None else self._trouble_s) if in_trouble else None
        if view.state != CameraState.OPEN:
            self._pictures_s = None
            return self._trouble_s is not None and at_s - self._trouble_s >= TROUBLE_FOR_S
        if self.first_frame_s is None:
            self.first_frame_s = at_s
        if not self.checked:
            return True
        if view.seen is None and not view.unchecked:
            return False
        found = (view.unchecked, *sorted(one["condition"] for one in view.seen or ()))
        if self._pictures_s is None:
            self._pictures_s = self._steady_s = at_s
        elif found != self._found:
            self._steady_s = at_s
        self._found = found
        return at_s - self._pictures_s >= LOOKED_FOR_S and at_s - self._steady_s >= STEADY_S
