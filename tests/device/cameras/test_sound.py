"""What is no frame is refused with its reason, whatever a driver makes of it."""

import math
from contextlib import AbstractContextManager, nullcontext
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as some

from device.cameras.errors import SourceFailed
from device.cameras.eyes import Eyes
from device.cameras.sound import require_sound
from device.cameras.source import CameraSpec, Frame, Layout

if TYPE_CHECKING:
    from device.cameras.source import Image

S = 1_000_000_000
NOW_NS = 100 * S
SPEC = CameraSpec("overhead", "scene:desk", 64, 48, 10)

stamps = st.one_of(st.integers(-(10**12), 10**12), st.floats(), st.none(), st.text(max_size=3))
images = st.one_of(
    some.arrays(
        st.sampled_from([np.uint8, np.int16, np.float32, np.bool_]),
        some.array_shapes(min_dims=0, max_dims=4, min_side=0, max_side=72),
        elements=st.just(1),
    ),
    st.sampled_from([(48, 64, 3), (72, 64), (48, 64), (96, 64), (48, 64, 1), (64, 48, 3)]).map(
        lambda shape: np.ones(shape, np.uint8)
    ),
    st.none(),
)


def picture(*shape: int) -> "Image":
    return np.full(shape, 90, np.uint8)


@given(images, stamps, st.sampled_from(Layout))
def test_what_is_let_through_is_a_frame_and_all_else_says_why_it_is_none(
    image: Any, stamp: Any, layout: Layout
) -> None:
    is_sound = (
        isinstance(image, np.ndarray)
        and image.dtype == np.uint8
        and image.shape == ((48, 64, 3) if layout is Layout.BGR else (72, 64))
        and isinstance(stamp, int)
        and NOW_NS - 10 * S <= stamp <= NOW_NS + S
    )
    refused: AbstractContextManager[Any] = (
        nullcontext() if is_sound else pytest.raises(SourceFailed, match="scene:desk: the camera gave a ")
    )
    with refused:
        require_sound(Frame(image, stamp, layout), SPEC, NOW_NS)


@pytest.mark.parametrize("image", [picture(48, 64, 3), picture(96, 128, 3)[::2, ::2], picture(48, 64, 3)[::-1]])
def test_a_frame_of_the_right_size_is_sound_however_it_lies_in_memory(image: "Image") -> None:
    require_sound(Frame(image, NOW_NS), SPEC, NOW_NS)
    with pytest.raises(SourceFailed, match="64x47 pixels where 64x48"):
        require_sound(Frame(image[1:], NOW_NS), SPEC, NOW_NS)


@pytest.mark.parametrize("layout", [Layout.I420, Layout.NV12])
def test_planes_are_a_half_higher_than_the_picture(layout: Layout) -> None:
    require_sound(Frame(picture(72, 64), NOW_NS, layout), SPEC, NOW_NS)
    with pytest.raises(SourceFailed, match="64x32 pixels where 64x48"):
        require_sound(Frame(picture(48, 64), NOW_NS, layout), SPEC, NOW_NS)


@given(images, images, stamps, st.sampled_from(Layout), st.sampled_from(["overhead", "front"]))
def test_no_frame_ends_the_checks_or_makes_them_say_that_all_is_well(
    image: Any, grey: Any, stamp: Any, layout: Layout, role: str
) -> None:
    eyes = Eyes(role)
    for second in range(4):
        now_ns = NOW_NS + second * S
        eyes.look(Frame(image, stamp, layout, grey), now_ns)
        assert eyes.due_in_s(now_ns) > 0
    if eyes.seen == () and not eyes.trouble:
        assert math.isfinite(stamp)


@pytest.mark.parametrize("level", [0, 128, 255])
def test_pictures_of_one_value_are_never_well(level: int) -> None:
    for role in ("overhead", "front"):
        eyes = Eyes(role)
        for second in range(4):
            now_ns = NOW_NS + second * S
            eyes.look(Frame(np.full((48, 64, 3), level, np.uint8), now_ns), now_ns)
        assert eyes.seen


def test_checks_that_break_say_so_once_and_look_again(caplog: pytest.LogCaptureFixture) -> None:
    eyes = Eyes("front")
    for second in range(3):
        eyes.look(Frame(picture(48, 64, 3), NOW_NS + second * S, grey=picture(320)), NOW_NS + second * S)
        assert eyes.seen is None
        assert "IndexError" in eyes.trouble
    assert len(caplog.records) == 1
    eyes.look(Frame(picture(48, 64, 3), NOW_NS + 3 * S), NOW_NS + 3 * S)
    assert eyes.seen is not None
    assert eyes.trouble == ""
    eyes.look(Frame(picture(48, 64, 3), NOW_NS + 5 * S, grey=picture(320)), NOW_NS + 5 * S)
    assert len(caplog.records) == 2
