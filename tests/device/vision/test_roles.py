"""Whether the cameras hold each other's roles, by where each of them sees the mat."""

from collections.abc import Iterable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from device.vision.mat import MatSeen
from device.vision.roles import Roles, RolesHeld, Summary, roles
from tests.device.vision.test_mat import View, looked_at

FROM_ABOVE = looked_at(View(tilt_deg=15)).summary()
ACROSS_THE_DESK = looked_at(View(tilt_deg=65, across=0.4)).summary()
NOTHING = MatSeen((), None).summary()
ONE_MARKER = looked_at(View(), [2]).summary()

RIGHT, SWAPPED = (FROM_ABOVE, ACROSS_THE_DESK), (NOTHING, FROM_ABOVE)


def after(looks: Iterable[tuple[Summary | None, Summary | None]], held: RolesHeld | None = None) -> RolesHeld:
    """What is known after some looks of the overhead and the front camera."""
    held = held or RolesHeld()
    for overhead, front in looks:
        held = roles(overhead, front, held)
    return held


def test_the_mat_under_the_overhead_camera_is_right() -> None:
    assert after([(FROM_ABOVE, NOTHING)] * 4).roles is Roles.RIGHT


def test_the_mat_under_the_front_camera_is_swapped_within_five_looks() -> None:
    assert after([SWAPPED] * 5, after([RIGHT] * 20)).roles is Roles.SWAPPED


def test_cameras_that_were_put_right_are_right_within_five_looks() -> None:
    assert after([RIGHT] * 5, after([SWAPPED] * 20)).roles is Roles.RIGHT


def test_a_front_camera_may_see_the_mat_on_the_desk_before_it() -> None:
    assert after([(FROM_ABOVE, FROM_ABOVE)] * 9).roles is Roles.RIGHT
    assert after([(NOTHING, ACROSS_THE_DESK)] * 9).roles is Roles.UNKNOWN


def test_a_mat_hidden_by_arms_changes_nothing() -> None:
    for looks in ([RIGHT] * 4, [SWAPPED] * 4):
        held = after(looks)
        assert after([(NOTHING, NOTHING), (ONE_MARKER, None), (None, None)] * 20, held) == held


@pytest.mark.parametrize("odd", [1, 2, 3])
def test_a_few_odd_looks_do_not_swap_anything(odd: int) -> None:
    assert after([SWAPPED] * odd, after([RIGHT] * 5)).roles is Roles.RIGHT


def test_nothing_is_said_of_a_camera_that_was_not_looked_at() -> None:
    assert after([(None, FROM_ABOVE)] * 9).roles is Roles.UNKNOWN
    assert after([(None, None)] * 9).roles is Roles.UNKNOWN


def test_one_marker_is_no_mat() -> None:
    assert after([(ONE_MARKER, ONE_MARKER)] * 9).roles is Roles.UNKNOWN


summaries = st.sampled_from([FROM_ABOVE, ACROSS_THE_DESK, NOTHING, ONE_MARKER, None, {}])


@given(st.lists(st.tuples(summaries, summaries), max_size=30))
def test_swapped_is_only_said_after_four_looks_that_show_it(looks: list[tuple[Summary | None, Summary | None]]) -> None:
    held = after(looks)
    if held.roles is Roles.SWAPPED:
        assert sum(front == FROM_ABOVE and overhead is not None for overhead, front in looks) >= 4
    assert len(held.looks) <= 5
