"""A picture in full size for whoever asks: a JPEG in memory that is handed over and then forgotten."""

import logging
import os
from typing import Final

import cv2

from device.cameras.boundary import StillTaken
from device.cameras.pixels import bgr
from device.cameras.shared_memory import create_memory
from device.cameras.source import Frame

_log = logging.getLogger(__name__)

_QUALITY: Final = 92
"""A page has fine lines; below 90 JPEG frays them."""


class Stills:
    """Takes the first frame after it was asked."""

    def __init__(self) -> None:
        self._asked_ns: int | None = None

    @property
    def wanted(self) -> bool:
        """Whether somebody waits for one."""
        return self._asked_ns is not None

    def want(self, now_ns: int) -> None:
        """Somebody asks."""
        self._asked_ns = now_ns

    def take(self, frame: Frame) -> tuple[StillTaken, int] | None:
        """The picture of a frame, if one is wanted and this one was taken since.

        Returns:
            What to say of it, and a descriptor of the memory that holds it, which the caller closes.
        """
        if self._asked_ns is None or frame.captured_ns < self._asked_ns:
            return None
        self._asked_ns = None
        done, jpeg = cv2.imencode(".jpg", bgr(frame), [cv2.IMWRITE_JPEG_QUALITY, _QUALITY])
        if not done:
            _log.warning("a still could not be made")
            return None
        data = jpeg.tobytes()
        fd = create_memory("carrel-still", len(data))
        os.pwrite(fd, data, 0)
        return StillTaken(frame.captured_ns, len(data)), fd
