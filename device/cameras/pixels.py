"""From one layout of pixels to another, each conversion only where somebody needs it."""

from typing import TYPE_CHECKING, cast

import cv2
import numpy as np

from device.cameras.source import Frame, Layout

if TYPE_CHECKING:
    from device.cameras.source import Image

_TO_BGR = {Layout.I420: cv2.COLOR_YUV2BGR_I420, Layout.NV12: cv2.COLOR_YUV2BGR_NV12}


def size(frame: Frame) -> tuple[int, int]:
    """Width and height of a frame, pixels."""
    rows, width = frame.image.shape[:2]
    return width, rows if frame.layout is Layout.BGR else rows * 2 // 3


def bgr(frame: Frame) -> "Image":
    """The picture as `(height, width, 3) uint8`, blue-green-red."""
    if frame.layout is Layout.BGR:
        return frame.image
    return cast("Image", cv2.cvtColor(frame.image, _TO_BGR[frame.layout]))


def for_coding(frame: Frame) -> tuple["Image", str]:
    """The picture as an H.264 encoder takes it, and what that form is called there.

    Returns:
        `(height * 3 / 2, width) uint8` of even width and height, and `yuv420p` or `nv12`. An odd last row or column is
        left out: chroma is kept for two pixels at a time.
    """
    if frame.layout is Layout.NV12:
        return frame.image, "nv12"
    if frame.layout is Layout.I420:
        return frame.image, "yuv420p"
    height, width = frame.image.shape[:2]
    even = frame.image[: height & ~1, : width & ~1]
    return cast("Image", cv2.cvtColor(np.ascontiguousarray(even), cv2.COLOR_BGR2YUV_I420)), "yuv420p"


def small(frame: Frame, width_px: int) -> "Image":
    """The picture at most `width_px` wide, `(height, width, 3) uint8` blue-green-red."""
    image = bgr(frame)
    height, width = image.shape[:2]
    if width <= width_px:
        return image
    fitted = width_px, max(1, round(height * width_px / width))
    return cast("Image", cv2.resize(image, fitted, interpolation=cv2.INTER_AREA))


def large_grey(frame: Frame) -> "Image":
    """The luminance in full size, `(height, width) uint8`."""
    if frame.layout is Layout.BGR:
        return cast("Image", cv2.cvtColor(frame.image, cv2.COLOR_BGR2GRAY))
    return frame.image[: size(frame)[1]]


def small_grey(frame: Frame, width_px: int) -> "Image":
    """The luminance at most `width_px` wide, `(height, width) uint8`; the large picture is never turned into colour."""
    if frame.grey is not None and frame.grey.shape[1] <= width_px:
        return frame.grey
    width, height = size(frame)
    image = frame.image if frame.layout is Layout.BGR else frame.image[:height]
    if width > width_px:
        fitted = width_px, max(1, round(height * width_px / width))
        image = cast("Image", cv2.resize(image, fitted, interpolation=cv2.INTER_AREA))
    return image if image.ndim == 2 else cast("Image", cv2.cvtColor(image, cv2.COLOR_BGR2GRAY))
