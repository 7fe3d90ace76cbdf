"""Where the scene lies in an overhead picture."""

import itertools
from typing import TYPE_CHECKING, cast

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from device.vision.pose import AT_REST, Landmarks, Pose, distance, landmarks, median, most_central, pose
from tests.device.vision.kit import flat, grey, noisy, scene, sheet_on, with_hand

if TYPE_CHECKING:
    from device.cameras.source import Image

[DESK] = scene("overhead", [20.0])
USUAL = landmarks(grey(DESK))


def turned(image: "Image", right: float, down: float, turn_deg: float) -> "Image":
    """The view of a camera whose mount was knocked: shifts in shares of the width, degrees clockwise as seen."""
    height, width = image.shape[:2]
    matrix = cv2.getRotationMatrix2D((width / 2, height / 2), -turn_deg, 1.0)
    matrix[:, 2] += (right * width, down * width)
    return cast("Image", cv2.warpAffine(image, matrix, (width, height), borderMode=cv2.BORDER_REFLECT_101))


def seen(image: "Image", number: int = 1) -> Landmarks:
    return landmarks(grey(noisy(image, number)))


@settings(max_examples=25, deadline=None)
@given(st.floats(-0.2, 0.2), st.floats(-0.1, 0.1), st.floats(-25, 25))
def test_a_knocked_camera_is_measured(right: float, down: float, turn_deg: float) -> None:
    found = pose(USUAL, seen(turned(DESK, right, down, turn_deg)))
    assert found is not None
    if found == AT_REST:
        assert distance(Pose(right, down, turn_deg)) < 0.95
    else:
        assert found.right == pytest.approx(right, abs=0.01)
        assert found.down == pytest.approx(down, abs=0.01)
        assert found.turn_deg == pytest.approx(turn_deg, abs=1.0)


def test_a_camera_nobody_touched_is_at_rest_whatever_the_hand_does() -> None:
    for time_s in (0.5, 12.0, 60.0, 100.0):
        [later] = scene("overhead", [time_s])
        assert pose(USUAL, seen(later)) == AT_REST
    assert pose(USUAL, seen(with_hand(DESK, 0.8))) == AT_REST


def test_a_sheet_pulled_over_the_mat_leaves_the_camera_at_rest() -> None:
    before = seen(sheet_on(DESK))
    assert pose(before, seen(sheet_on(DESK, right=0.1, turn_deg=8.0))) == AT_REST


def test_a_small_thing_pulled_over_a_bare_desk_says_nothing_of_the_camera() -> None:
    bare = flat(150)
    card = DESK[40:200, 200:340]
    bare[60:220, 100:240] = card
    pulled = flat(150)
    pulled[80:240, 180:320] = card
    assert pose(seen(bare), seen(pulled)) is None


def test_a_desk_hidden_by_arms_or_in_the_dark_says_nothing() -> None:
    assert pose(USUAL, seen(flat(120))) is None
    assert pose(USUAL, seen(with_hand(flat(90), 1.2))) is None
    assert pose(seen(flat(120)), USUAL) is None


def test_another_scene_says_nothing() -> None:
    [room] = scene("front", [3.0])
    assert pose(USUAL, seen(room)) is None


def test_pictures_of_two_sizes_say_nothing() -> None:
    [large] = scene("overhead", [20.0], (640, 480))
    assert pose(USUAL, landmarks(grey(large))) is None


def test_a_knocked_camera_is_measured_while_a_hand_writes() -> None:
    found = pose(USUAL, seen(turned(with_hand(DESK, 0.5), 0.08, 0.0, 5.0)))
    assert found is not None
    assert distance(found) > 1


def test_the_middle_of_several_poses_is_not_moved_by_an_odd_one() -> None:
    steady = [Pose(0.01, 0.0, 0.1), Pose(0.0, 0.01, 0.0), Pose(0.0, 0.0, -0.1)]
    assert distance(median([*steady, Pose(0.4, 0.3, 90.0)])) < 0.2


def test_of_a_scene_that_sways_the_middle_view_is_the_usual_one() -> None:
    sway = [-0.04, -0.03, 0.0, 0.02, 0.05]
    views = [seen(turned(DESK, right, 0.0, 30 * right), number) for number, right in enumerate(sway)]
    assert most_central(views) is views[2]


def test_views_that_have_nothing_in_common_have_no_middle() -> None:
    assert most_central([seen(flat(level)) for level in (50, 120, 200)]) is None


def test_the_distance_of_poses_is_one_at_either_limit_and_less_of_both_together() -> None:
    assert distance(Pose(0.1, 0.0, 0.0)) == pytest.approx(1)
    assert distance(Pose(0.0, 0.0, -3.0)) == pytest.approx(1)
    assert distance(Pose(0.06, 0.0, 2.0)) < 1 < distance(Pose(0.08, 0.0, 2.0))
    for one, other in itertools.permutations([Pose(0.1, 0.0, 1.0), Pose(0.0, 0.2, -1.0)]):
        assert distance(one, other) == pytest.approx(distance(other, one))


def test_landmarks_of_nothing_are_none() -> None:
    none = landmarks(np.zeros((180, 320), np.uint8))
    assert none.points.shape == (0, 2)
    assert none.looks.shape == (0, 32)
