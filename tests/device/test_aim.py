"""What to do next when the cameras are set up: one piece of advice, the one that comes first."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from device.aim import Advice, Seen, advice_for_front, advice_for_overhead, hidden_corners, reads_handwriting

Corners = tuple[tuple[float, float], ...]


def mat(middle: tuple[float, float] = (0.5, 0.5), size: tuple[float, float] = (0.63, 0.72)) -> Corners:
    (x, y), (width, height) = middle, (size[0] / 2, size[1] / 2)
    return (x - width, y - height), (x + width, y - height), (x + width, y + height), (x - width, y + height)


def aim(**changes: float) -> dict[str, float]:
    four = {f"marker_{number}": 1.0 for number in range(4)}
    return {"markers": 4, "turn_deg": 0.0, "tilt": 0.0, "edge_mm": 0.5, **four, **changes}


GOOD = Seen("open", (), aim(), mat(), 3.0)


def advice(seen: Seen, narrowest_mm: float | None = None, *, swapped: bool = False) -> Advice | None:
    return advice_for_overhead(seen, narrowest_mm, swapped=swapped)


def test_nothing_is_left_to_do_about_a_mat_in_the_middle_that_is_sharp() -> None:
    assert advice(GOOD, 0.5) is None
    assert advice_for_front(Seen("open", (), {})) is None


@pytest.mark.parametrize(
    ("corners", "expected"),
    [
        (mat((0.39, 0.5)), Advice.LEFT),
        (mat((0.61, 0.5)), Advice.RIGHT),
        (mat((0.5, 0.4)), Advice.UP),
        (mat((0.5, 0.6)), Advice.DOWN),
        (mat((0.25, 0.5)), Advice.LEFT),
        (mat((0.5, 0.7)), Advice.DOWN),
        (mat(size=(1.1, 1.3)), Advice.HIGHER),
        (mat(size=(0.9, 0.995)), Advice.HIGHER),
    ],
)
def test_the_camera_turns_to_where_the_mat_is(corners: Corners, expected: Advice) -> None:
    assert advice(replace(GOOD, corners=corners)) is expected


@pytest.mark.parametrize(
    ("turn_deg", "expected"),
    [(0.0, None), (7.0, None), (12.0, Advice.CLOCKWISE), (-12.0, Advice.ANTICLOCKWISE), (178.0, Advice.UPSIDE_DOWN)],
)
def test_the_camera_is_turned_until_the_mat_lies_straight(turn_deg: float, expected: Advice | None) -> None:
    assert advice(replace(GOOD, aim=aim(turn_deg=turn_deg))) is expected


def test_a_slanting_view_and_a_far_desk_are_told() -> None:
    assert advice(replace(GOOD, aim=aim(tilt=0.3))) is Advice.STRAIGHT
    far = replace(GOOD, corners=mat(size=(0.4, 0.46)), px_per_mm=1.9)
    assert advice(far) is Advice.CLOSER
    assert advice(replace(GOOD, px_per_mm=2.0)) is None, "no nearer place would do, so nobody is sent to look for one"


def test_focus_is_good_when_an_edge_is_narrow_and_no_narrower_one_was_seen() -> None:
    assert advice(replace(GOOD, aim=aim(edge_mm=1.2))) is Advice.FOCUS
    assert advice(replace(GOOD, aim=aim(edge_mm=0.7)), 0.4) is Advice.FOCUS
    assert advice(replace(GOOD, aim=aim(edge_mm=0.44)), 0.4) is None
    assert advice(replace(GOOD, aim=aim(edge_mm=1.1), px_per_mm=1.5)) is None, "no lens shows less than two pixels"
    unmeasured = {key: value for key, value in aim().items() if key != "edge_mm"}
    assert advice(replace(GOOD, aim=unmeasured)) is Advice.LOOKING


def test_what_comes_first_is_told_first() -> None:
    awry = replace(GOOD, aim=aim(turn_deg=20.0, edge_mm=2.0), corners=mat((0.3, 0.5)))
    assert advice(awry, swapped=True) is Advice.SWAPPED
    assert advice(replace(awry, state="missing")) is Advice.NO_CAMERA
    assert advice(replace(awry, state="opening")) is Advice.LOOKING
    assert advice(replace(awry, conditions=("dark",))) is Advice.DARK
    assert advice(awry) is Advice.LEFT
    assert advice(replace(awry, corners=mat())) is Advice.CLOCKWISE


def test_what_is_being_changed_is_no_trouble() -> None:
    assert advice(replace(GOOD, conditions=("moved", "blurred"))) is None


def test_hidden_corners_are_named_by_their_place_on_the_mat() -> None:
    partly = {key: value for key, value in aim(markers=3).items() if key != "marker_2"}
    seen = replace(GOOD, aim=partly)
    assert advice(seen) is Advice.CORNER_HIDDEN
    assert hidden_corners(seen) == ("lower-right",)
    none = replace(GOOD, aim={"markers": 0}, corners=None)
    assert advice(none) is Advice.NO_MAT
    assert advice(replace(none, conditions=("blurred",))) is Advice.FOCUS, "the lens may hide it"


def test_handwriting_needs_three_pixels_to_the_millimetre() -> None:
    assert [reads_handwriting(one) for one in (None, 2.9, 3.0, 4.0)] == [None, False, True, True]


@given(
    st.sampled_from(["open", "missing", "closed", "failed", "unknown"]),
    st.lists(st.sampled_from(["covered", "dark", "blurred", "moved", "unusable", "glare"]), max_size=3),
    st.none() | st.dictionaries(st.sampled_from([*aim()]), st.floats(-200, 200), max_size=8),
    st.none() | st.tuples(*[st.tuples(st.floats(-2, 3), st.floats(-2, 3))] * 4),
    st.none() | st.floats(0, 20),
    st.none() | st.floats(0.1, 5),
)
def test_whatever_a_camera_tells_there_is_an_answer(
    state: str, conditions: list[str], told: dict[str, float] | None, corners: Corners | None,
    px_per_mm: float | None, narrowest_mm: float | None,
) -> None:  # fmt: skip
    seen = Seen(state, tuple(conditions), told, corners, px_per_mm)
    found = advice(seen, narrowest_mm)
    assert found is None or found in Advice
    if found is None:
        assert state == "open"
        assert told is not None
        assert told.get("edge_mm") is not None
        assert corners is not None
