"""What the rest of the kiosk is told about a camera, and what the log is."""

import logging
from dataclasses import dataclass
from typing import Any, Final

from device.cameras.boundary import Output
from device.cameras.ladder import CameraState

_log = logging.getLogger(__name__)

TROUBLE: Final = frozenset({CameraState.MISSING, CameraState.STALLED, CameraState.RESTARTING, CameraState.FAILED})
"""The states in which a camera that is wanted gives nothing."""


@dataclass(frozen=True, slots=True)
class CameraStatus(Output):
    """What the rest of the kiosk is told about a camera, with the output of its present worker."""

    role: str
    state: CameraState
    pid: int | None
    """The worker's process id; None while there is none."""
    fps: float | None
    """Measured over the last 2 s; None unless open."""
    last_frame_age_s: float | None
    """As last reported, so up to a quarter of a second too old; None when this camera has never given a frame."""
    device_open: bool
    """True while the device may be open; what is not known counts as open."""
    restarts: int
    """How many workers had to be replaced."""
    detail: str
    """Plain words about what is wrong; empty when nothing is."""

    @property
    def news(self) -> tuple[Any, ...]:
        """What is told at once when it changes."""
        return (
            self.state, self.device_open, self.keep, self.plan, self.segment, self.native,
            self.last_packet_ns is None, self.seen and [one["condition"] for one in self.seen], self.mat is None,
            self.cards,
        )  # fmt: skip


def detail(state: CameraState, words: str, epitaph: str, *, unkillable: bool) -> str:
    """Plain words about what is wrong in this state; empty when nothing is.

    Args:
        state: the camera's.
        words: what its worker says.
        epitaph: what became of the last worker that ended.
        unkillable: whether its process does not end though it was killed.
    """
    match state:
        case CameraState.FAILED if unkillable:
            return "its process does not end; the kiosk has to be restarted"
        case CameraState.RESTARTING:
            return epitaph
        case CameraState.FAILED:
            return f"{epitaph}; it is tried again every 30 s"
        case CameraState.STALLED:
            return words or "it is open but gives no frames"
        case CameraState.MISSING | CameraState.OPEN:
            return words
        case _:
            return ""


class StreakLog:
    """Logs a camera's trouble once: a warning when it begins, debug while it lasts, info when it is over."""

    def __init__(self) -> None:
        self._state: CameraState | None = None
        self._in_trouble = False

    def note(self, status: CameraStatus) -> None:
        """Log a status if its state is a new one."""
        if status.state is self._state:
            return
        self._state = status.state
        if status.state in TROUBLE:
            level = logging.DEBUG if self._in_trouble else logging.WARNING
            _log.log(level, "the %s camera is %s: %s", status.role, status.state, status.detail)
            self._in_trouble = True
        elif self._in_trouble and status.state is not CameraState.OPENING:
            _log.info("the %s camera is %s again", status.role, status.state)
            self._in_trouble = False
