"""Bring a picture to the size the spec asks for."""

from typing import TYPE_CHECKING, cast

import cv2

if TYPE_CHECKING:
    from device.cameras.source import Image


def crop_to_fill(image: "Image", width: int, height: int) -> "Image":
    """Scale to `width` x `height` pixels without distortion, cutting evenly what does not fit.

    Args:
        image: `(any height, any width, 3) uint8`.
        width: pixels wanted.
        height: pixels wanted.

    Returns:
        `(height, width, 3) uint8`, contiguous; the input itself if it already fits.
    """
    have_h, have_w = image.shape[:2]
    if (have_w, have_h) == (width, height):
        return image
    scale = max(width / have_w, height / have_h)
    cut_w, cut_h = (max(1, min(have, round(want / scale))) for have, want in ((have_w, width), (have_h, height)))
    left, top = (have_w - cut_w) // 2, (have_h - cut_h) // 2
    part = image[top : top + cut_h, left : left + cut_w]
    # Averaging keeps ruled lines from flickering when shrinking; it does nothing for enlarging.
    how = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    return cast("Image", cv2.resize(part, (width, height), interpolation=how))
