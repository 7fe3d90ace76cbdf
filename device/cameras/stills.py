"""A picture in full size for whoever asks: a JPEG in memory that is handed over and then forgotten.

Made in a thread of its own: setting a worksheet straight takes longer than a heartbeat may be late.
"""

import logging
import os
import threading
from collections import deque
from collections.abc import Callable
from typing import TYPE_CHECKING, Final

import cv2

from device.cameras.boundary import StillTaken, View
from device.cameras.pixels import bgr
from device.cameras.shared_memory import create_memory
from device.cameras.source import Frame

if TYPE_CHECKING:
    from device.cameras.eyes import Eyes
    from device.cameras.source import Image

_log = logging.getLogger(__name__)

_QUALITY: Final = 92
"""A page has fine lines; below 90 JPEG frays them."""


class Stills:
    """Takes the first frame after it was asked.

    Args:
        eyes: know where the mat lies.
        on_done: called in another thread when a still is ready; it must not block.
    """

    def __init__(self, eyes: "Eyes", on_done: Callable[[], None]) -> None:
        self._eyes = eyes
        self._on_done = on_done
        self._asked: tuple[int, View] | None = None
        self._done: deque[tuple[StillTaken, int]] = deque()

    @property
    def wanted(self) -> bool:
        """Whether somebody waits for a frame."""
        return self._asked is not None

    def want(self, now_ns: int, view: View) -> None:
        """Somebody asks."""
        self._asked = now_ns, view

    def take(self, frame: Frame) -> None:
        """Make the still of a frame, if one is wanted and this one was taken since."""
        if self._asked is None or frame.captured_ns < self._asked[0]:
            return
        view, self._asked = self._asked[1], None
        threading.Thread(target=self._make, args=(frame, view), name="still", daemon=True).start()

    def ready(self) -> tuple[StillTaken, int] | None:
        """A still that is ready, once: what to say of it, and a descriptor of its memory, which the caller closes."""
        return self._done.popleft() if self._done else None

    def _make(self, frame: Frame, view: View) -> None:
        image, scale, words = self._view(frame, view)
        data = b""
        if image is not None:
            done, jpeg = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, _QUALITY])
            data, words = (jpeg.tobytes(), words) if done else (b"", "the picture cannot be made a JPEG")
        fd = create_memory("carrel-still", max(1, len(data)))
        os.pwrite(fd, data, 0)
        self._done.append((StillTaken(frame.captured_ns, len(data), scale, words), fd))
        self._on_done()

    def _view(self, frame: Frame, view: View) -> "tuple[Image | None, float | None, str]":
        """The picture, its scale in pixels per millimetre, and why there is none."""
        geometry = self._eyes.geometry
        if view is View.PICTURE or geometry is None:
            return bgr(frame), None, ""
        from device.vision.worksheet import worksheet  # noqa: PLC0415 - rarely asked for, and slow to load

        found = worksheet(bgr(frame), geometry, self._eyes.place)
        if found is None:
            return None, None, "neither the mat nor a page is seen"
        return found.image, found.px_per_mm, ""
