"""What a camera sees from its height: held to the makers' angles, to the kit, and to what a pinhole must do."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from device.kit import kit
from hardware.geometry import MARGIN_MM, READS_PX_PER_MM, Lens, heights_mm, lenses, view
from tests.hardware.printing import ran
from wire.stills import SHARP_PX_PER_MM

LENSES = lenses()
MAT_MM = kit().mat.width_mm, kit().mat.height_mm
a_lens = st.sampled_from(sorted(LENSES.values(), key=lambda one: one.id))
a_height = st.floats(50, 5000)
a_width = st.integers(160, 4608)


@pytest.mark.parametrize("lens", [one for one in LENSES.values() if one.given_deg], ids=lambda one: one.id)
def test_the_pinhole_agrees_with_the_angles_that_the_maker_gives(lens: Lens) -> None:
    assert lens.given_deg is not None
    seen = view(lens, 1000, 1920)
    assert seen.across_deg == pytest.approx(lens.given_deg[0], abs=3)
    assert seen.down_deg == pytest.approx(lens.given_deg[1], abs=3)


def test_the_sensor_has_the_size_that_its_maker_gives() -> None:
    assert LENSES["cm3"].sensor_mm == pytest.approx((6.45, 3.63), abs=0.01)


def test_from_where_the_kit_hangs_it_handwriting_is_read_and_the_mat_fits_on_every_board() -> None:
    mount = kit().mount
    for board in kit().boards:
        seen = view(LENSES[mount["overhead_lens"]], mount["overhead_height_mm"], board.overhead.width)
        assert seen.reads_handwriting
        assert min(seen.margins_mm(*MAT_MM)) >= MARGIN_MM
        assert seen.width_mm < mount["desk_width_mm"]  # what a neighbour has on his desk is nobody's business


def test_the_front_camera_sees_a_student_from_the_desk_to_above_the_head() -> None:
    mount = kit().mount
    seen = view(LENSES[mount["front_lens"]], mount["front_distance_mm"], kit().boards[0].front.width)
    assert seen.height_mm / 2 > mount["front_lens_height_mm"]  # down to the desk's edge, looking straight ahead
    assert seen.height_mm / 2 + mount["front_lens_height_mm"] > 700  # a tall seated twelve-year-old, with a margin


def test_what_handwriting_needs_is_what_the_kiosk_asks_for() -> None:
    assert READS_PX_PER_MM == SHARP_PX_PER_MM


@given(a_lens, a_height, a_width, st.floats(1.01, 10))
def test_from_higher_up_more_is_seen_and_less_finely(lens: Lens, height: float, width: int, times: float) -> None:
    near, far = view(lens, height, width), view(lens, height * times, width)
    assert far.width_mm == pytest.approx(near.width_mm * times)
    assert far.height_mm == pytest.approx(near.height_mm * times)
    assert far.px_per_mm == pytest.approx(near.px_per_mm / times)
    assert far.across_deg == pytest.approx(near.across_deg)


@given(a_lens, a_height, a_width)
def test_a_picture_holds_as_many_pixels_as_its_scale_says(lens: Lens, height: float, width: int) -> None:
    seen = view(lens, height, width)
    assert seen.width_mm * seen.px_per_mm == pytest.approx(width)
    assert seen.width_mm / seen.height_mm == pytest.approx(16 / 9, rel=0.01)
    assert seen.focus_dioptres * height == pytest.approx(1000)


@given(a_lens, a_width)
def test_the_good_heights_are_those_and_no_others(lens: Lens, width: int) -> None:
    low, high = heights_mm(lens, width, *MAT_MM)
    at_low, under_low = view(lens, low * 1.001, width), view(lens, low * 0.99, width)
    at_high, over_high = view(lens, high * 0.999, width), view(lens, high * 1.01, width)
    assert min(at_low.margins_mm(*MAT_MM)) >= MARGIN_MM > min(under_low.margins_mm(*MAT_MM))
    assert at_high.reads_handwriting
    assert not over_high.reads_handwriting


@pytest.mark.parametrize("height", [0, -450, 9, float("nan"), float("inf")])
def test_a_height_that_is_none_is_refused(height: float) -> None:
    with pytest.raises(ValueError, match="give the height in mm"):
        view(LENSES["cm3"], height, 1920)


def test_a_picture_without_pixels_is_refused() -> None:
    with pytest.raises(ValueError, match="give its width"):
        view(LENSES["cm3"], 450, 0)


def test_the_program_says_what_is_seen_to_people_and_to_programs() -> None:
    said = ran("hardware.geometry", "--lens", "cm3", "--height-mm", "450").stdout
    assert "sees          612 x 345 mm" in said
    assert "scale         3.13 px/mm at 1920 px; writing needs 3: enough" in said
    told = json.loads(ran("hardware.geometry", "--lens", "cm3-wide", "--height-mm", "450", "--json").stdout)
    assert told["px_per_mm"] == pytest.approx(1.82, abs=0.01)
    assert told["good_heights_mm"] == pytest.approx([243, 273], abs=1)


@pytest.mark.parametrize(
    ("arguments", "says"),
    [(["--height-mm", "5"], "is no height"), (["--lens", "fisheye"], "invalid choice: 'fisheye'")],
)
def test_the_program_refuses_nonsense_in_one_line(arguments: list[str], says: str) -> None:
    done = ran("hardware.geometry", *arguments)
    assert done.returncode == 2
    assert says in done.stderr.splitlines()[-1]
