"""The size of a JPEG, and that nonsense has none."""

import cv2
import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from fleet.jpeg import size


@settings(max_examples=30, deadline=None)
@given(st.integers(1, 400), st.integers(1, 400), st.integers(10, 100), st.booleans())
def test_any_jpeg_says_its_size(width: int, height: int, quality: int, progressive: bool) -> None:
    image = np.full((height, width, 3), 90, np.uint8)
    how = [cv2.IMWRITE_JPEG_QUALITY, quality, cv2.IMWRITE_JPEG_PROGRESSIVE, int(progressive)]
    assert size(cv2.imencode(".jpg", image, how)[1].tobytes()) == (width, height)


@given(st.binary(max_size=200))
def test_nonsense_has_none_and_ends(noise: bytes) -> None:
    assert size(noise) is None or noise.startswith(b"\xff\xd8")
    size(b"\xff\xd8" + noise)
    size(b"\xff\xd8\xff\xe0\x00\x02" + noise)
