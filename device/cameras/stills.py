"""A picture in full size for whoever asks: a JPEG in memory that is handed over and then forgotten.

Made in a thread of its own: setting a worksheet straight takes longer than a heartbeat may be late.
"""

import logging
import os
import threading
from collections import deque
from collections.abc import Callable
from typing import TYPE_CHECKING, Final, cast

import cv2

from device.cameras.boundary import StillTaken, View
from device.cameras.pixels import bgr
from device.cameras.shared_memory import create_memory
from device.cameras.source import Frame

if TYPE_CHECKING:
    from device.cameras.eyes import Eyes
    from device.cameras.source import Image

_log = logging.getLogger(__name__)

_QUALITIES: Final = (92, 86, 80, 74, 68, 62)
"""A page has fine lines; below 90 JPEG frays them. So each is tried in turn only where a picture has to be smaller."""
_SMALLER: Final = 0.92
"""When even the last is too large, the picture gets at least so much smaller, again and again."""
_LEAST_PX: Final = 32
"""A picture that has to be smaller than that shows nothing."""


class Stills:
    """Takes the first frame after it was asked.

    Args:
        eyes: know where the mat lies.
        on_done: called in another thread when a still is ready; it must not block.
    """

    def __init__(self, eyes: "Eyes", on_done: Callable[[], None]) -> None:
        self._eyes = eyes
        self._on_done = on_done
        self._asked: tuple[int, View, int] | None = None
        self._done: deque[tuple[StillTaken, int]] = deque()

    @property
    def wanted(self) -> bool:
        """Whether somebody waits for a frame."""
        return self._asked is not None

    def want(self, now_ns: int, view: View, max_bytes: int = 0) -> None:
        """Somebody asks; `max_bytes` is how large the JPEG may be, 0 any size."""
        self._asked = now_ns, view, max_bytes

    def take(self, frame: Frame) -> None:
        """Make the still of a frame, if one is wanted and this one was taken since."""
        if self._asked is None or frame.captured_ns < self._asked[0]:
            return
        _, view, max_bytes = self._asked
        self._asked = None
        threading.Thread(target=self._make, args=(frame, view, max_bytes), name="still", daemon=True).start()

    def ready(self) -> tuple[StillTaken, int] | None:
        """A still that is ready, once: what to say of it, and a descriptor of its memory, which the caller closes."""
        return self._done.popleft() if self._done else None

    def _make(self, frame: Frame, view: View, max_bytes: int) -> None:
        image, scale, origin = self._view(frame, view)
        data, words, width, height = b"", "neither the mat nor a page is seen", 0, 0
        if image is not None:
            data, smaller = fitted(image, max_bytes)
            height, width = image.shape[:2]
            if smaller is not None:
                scale = None if scale is None else scale * smaller[0] / width
                width, height = smaller
            words = "" if data else "the picture cannot be made a JPEG"
        fd = create_memory("carrel-still", max(1, len(data)))
        os.pwrite(fd, data, 0)
        self._done.append((StillTaken(frame.captured_ns, len(data), scale, words, origin, width, height), fd))
        self._on_done()

    def _view(self, frame: Frame, view: View) -> "tuple[Image | None, float | None, str]":
        """The picture, if any, its scale in pixels per millimetre, and what it was set straight by."""
        geometry = self._eyes.geometry
        if view is View.PICTURE or geometry is None:
            return bgr(frame), None, ""
        from device.vision.worksheet import worksheet  # noqa: PLC0415 - rarely asked for, and slow to load

        found = worksheet(bgr(frame), geometry, self._eyes.place)
        if found is None:
            return None, None, ""
        return found.image, found.px_per_mm, found.origin.value


def fitted(image: "Image", max_bytes: int = 0) -> tuple[bytes, tuple[int, int] | None]:
    """A picture as JPEG of at most `max_bytes`: first of less quality, and only if that is not enough a smaller one.

    Args:
        image: `(height, width, 3) uint8`.
        max_bytes: 0 is no limit.

    Returns:
        The JPEG, empty where none can be made, and the picture's width and height if they had to become smaller.
    """
    data = b""
    for quality in _QUALITIES:
        data = _jpeg(image, quality)
        if not max_bytes or len(data) <= max_bytes:
            return data, None
    height, width = image.shape[:2]
    size = width, height
    while len(data) > max_bytes:
        # A JPEG's length goes with its area, about.
        part = min(_SMALLER, (max_bytes / len(data)) ** 0.5)
        size = round(size[0] * part), round(size[0] * part * height / width)
        if min(size) < _LEAST_PX:
            return b"", None
        data = _jpeg(cast("Image", cv2.resize(image, size, interpolation=cv2.INTER_AREA)), _QUALITIES[-1])
    return data, size


def _jpeg(image: "Image", quality: int) -> bytes:
    done, jpeg = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, quality])
    return jpeg.tobytes() if done else b""
