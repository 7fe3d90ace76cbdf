"""The cameras' lamp: lit whenever a camera may be open. One that does not show what is so stops capture."""

import logging

from device.panel import Panel

_log = logging.getLogger(__name__)


class CameraLamp:
    """The lamp on the camera arm.

    Args:
        panel: where it is; None on a machine without pins.
    """

    def __init__(self, panel: Panel | None) -> None:
        self._panel = panel
        self.broken = False
        """It did not agree: no camera may open. Until it is seen to shine it is asked to."""

    def follow(self, *, may_open: bool) -> None:
        """Light it before a camera opens, and let it go dark only after all are closed."""
        if self._panel is not None:
            self._panel.show_cameras(open_=self.broken or may_open)

    def shows(self, *, open_: bool) -> bool:
        """What it is seen to show; without a lamp, what is so."""
        return self._panel.camera_lamp if self._panel is not None else open_

    def agrees(self, *, open_: bool, wanted: bool) -> bool:
        """Whether it is lit while a camera may be open, and dark when none is and none is wanted."""
        if self._panel is None:
            return True
        lit = self._panel.camera_lamp
        return lit if open_ or self.broken else not lit or wanted

    def judged(self, *, mismatch: bool) -> bool:
        """Take note of the signal `lamp.mismatch`; True when that changes whether cameras may open."""
        changed, self.broken = mismatch != self.broken, mismatch
        if changed:
            _log.warning("the camera lamp %s", "does not agree: capture stops" if mismatch else "agrees again")
        return changed
