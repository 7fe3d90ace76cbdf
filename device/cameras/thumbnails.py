"""Small JPEGs of a camera's frames, made only while somebody wants them."""

import logging
from typing import Final

import cv2

from device.cameras.pixels import small
from device.cameras.preview import PreviewWriter
from device.cameras.source import Frame

_log = logging.getLogger(__name__)

_MAX_WIDTH_PX: Final = 640
_QUALITY: Final = 75
_PERIOD_NS: Final = 200_000_000


class Thumbnails:
    """Puts at most five pictures a second into a preview slot.

    Args:
        slot: where the pictures go.
    """

    def __init__(self, slot: PreviewWriter) -> None:
        self._slot = slot
        self._wanted_until_ns = 0
        self._made_ns = 0
        self._shown_ns = 0
        self._not_before_ns = 0
        self._too_large = False

    def want(self, now_ns: int, for_s: float) -> None:
        """Somebody wants pictures for so long from now."""
        if not self.is_wanted(now_ns):
            # Whoever begins to look wants to see now, not the frame before.
            self._not_before_ns = now_ns
        self._wanted_until_ns = max(self._wanted_until_ns, now_ns + int(for_s * 1e9))

    def is_wanted(self, now_ns: int) -> bool:
        """Whether anybody wants pictures now."""
        return now_ns < self._wanted_until_ns

    def due_in_s(self, now_ns: int) -> float:
        """Seconds until the next new frame should be shown; zero or less when it is due."""
        return (self._made_ns + _PERIOD_NS - now_ns) / 1e9

    def show(self, frame: Frame, now_ns: int) -> None:
        """Put a frame into the slot, if a picture is due and it is a new one."""
        is_new = frame.captured_ns != self._shown_ns and frame.captured_ns >= self._not_before_ns
        if not is_new or not self.is_wanted(now_ns) or self.due_in_s(now_ns) > 0:
            return
        image = small(frame, _MAX_WIDTH_PX)
        done, jpeg = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, _QUALITY])
        fits = done and self._slot.write(jpeg.tobytes(), frame.captured_ns)
        if not fits and not self._too_large:
            _log.warning("a preview of %d x %d pixels does not fit its slot", *image.shape[1::-1])
        self._too_large = not fits
        self._made_ns, self._shown_ns = now_ns, frame.captured_ns

    def clear(self) -> None:
        """Forget the last picture."""
        if self._shown_ns:
            self._slot.clear()
            self._shown_ns = 0
