"""A camera's reference as text: it comes back as it was, a damaged one is refused, and a kept one is not unlearned."""

import json
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from device.cameras.eyes import Eyes
from device.cameras.source import Frame
from device.vision.pose import distance, mat_pose, pose
from device.vision.reference import Reference
from device.vision.stored import BadReference, from_plain, to_plain
from device.vision.thresholds import TABLE
from lab.faults import Fault
from tests.device.vision.kit import Camera, blurred, usual, with_fault

NOTHING_LEARNED: dict[str, Any] = {"sharpness": 1.0, "tiles": None, "landmarks": None, "mat": None}
CORNERS = np.array([(0.2, 0.1), (0.8, 0.1), (0.8, 0.5), (0.2, 0.5)])


def learned(role: str) -> Reference:
    camera = Camera(role)
    camera.learn(usual(role))
    assert camera.watcher.reference is not None
    return camera.watcher.reference


@pytest.mark.parametrize("role", ["overhead", "front"])
def test_a_reference_survives_as_json(role: str) -> None:
    reference = learned(role)
    text = json.dumps(to_plain(reference))
    assert len(text) < 40_000, "it goes through the worker's socket in one packet"
    back = from_plain(json.loads(text))
    assert back.sharpness == reference.sharpness
    assert back.tiles is not None
    assert reference.tiles is not None
    assert np.abs(back.tiles - reference.tiles).max() <= 0.05
    assert (back.landmarks is None) is (reference.landmarks is None) is (role == "front")
    if back.landmarks is not None and reference.landmarks is not None:
        found = pose(reference.landmarks, back.landmarks)
        assert found is not None
        assert distance(found) == 0


@pytest.mark.parametrize(
    "change",
    [
        {"sharpness": float("nan")}, {"sharpness": "sharp"}, {"tiles": [[1, 2]]}, {"mat": [[0, 0]]}, {"landmarks": 3},
        {"mat": [[0, 0], [1, 0], [1, float("inf")], [0, 1]]},
        {"landmarks": {"size": [320, 180], "points": "AAAA", "looks": "AAAA"}},
        {"landmarks": {"size": [320, 180], "points": "", "looks": "A" * 44}},
    ],
)  # fmt: skip
def test_a_damaged_reference_is_refused(change: dict[str, Any]) -> None:
    with pytest.raises(BadReference):
        from_plain(to_plain(learned("overhead")) | change)


@settings(suppress_health_check=[HealthCheck.too_slow])  # on a fresh machine the first text waits for Unicode's tables
@given(
    st.dictionaries(st.sampled_from(["sharpness", "tiles", "landmarks", "mat"]), st.none() | st.text() | st.floats())
)
def test_nothing_that_is_no_reference_passes_for_one(plain: dict[str, Any]) -> None:
    try:
        found = from_plain(plain)
    except BadReference:
        return
    assert np.isfinite(found.sharpness)


@pytest.mark.parametrize(
    "wrong",
    [
        {"sharpness": 10**400},
        {"sharpness": json.loads("1e400")},
        {"sharpness": float("nan")},
        {"tiles": [[1e300] * 8] * 6},
        {"mat": [[0, 0], [1, 0], [1, 10**400], [0, 1]]},
        {"landmarks": {"size": [float("inf"), 3], "points": "", "looks": ""}},
    ],
)
def test_numbers_too_large_to_be_measured_are_no_reference(wrong: dict[str, Any]) -> None:
    with pytest.raises(BadReference, match="not a camera's reference"):
        from_plain(NOTHING_LEARNED | wrong)


def test_a_camera_that_is_handed_one_goes_on_without(caplog: pytest.LogCaptureFixture) -> None:
    eyes = Eyes("overhead")
    eyes.look(Frame(usual("overhead")[0], 1), 1)
    eyes.refer(NOTHING_LEARNED | {"landmarks": {"size": [float("inf"), 3], "points": "", "looks": ""}})
    assert "reference is not used" in caplog.text
    eyes.look(Frame(usual("overhead")[1], 2_000_000_000), 2_000_000_000)
    assert eyes.trouble == ""
    assert eyes.seen == ()


def test_the_mat_tells_where_the_camera_looks() -> None:
    moved = CORNERS + np.array([0.12, -0.03])
    found = mat_pose(CORNERS, moved)
    assert (found.right, found.down, found.turn_deg) == pytest.approx((0.12, -0.03, 0.0), abs=1e-9)
    turn = np.radians(4.0)
    matrix = np.array([(np.cos(turn), np.sin(turn)), (-np.sin(turn), np.cos(turn))])
    turned = (CORNERS - CORNERS.mean(axis=0)) @ matrix + CORNERS.mean(axis=0)
    assert mat_pose(CORNERS, turned).turn_deg == pytest.approx(4.0)


def test_a_kept_reference_is_neither_learned_over_nor_forgotten() -> None:
    soft = [blurred(image, 5) for image in usual("overhead")]
    camera = Camera("overhead")
    camera.watcher.refer(from_plain(to_plain(learned("overhead"))))
    assert camera.show(*soft)[-1] == {"blurred"}
    camera.wait(TABLE.forget_s + 1)
    assert camera.show(*soft)[-1] == {"blurred"}
    camera.watcher.refer(None)
    assert camera.watcher.reference is None


def test_a_mat_that_lies_elsewhere_is_a_move_though_every_landmark_is_new() -> None:
    camera = Camera("overhead")
    kept = learned("overhead")
    camera.watcher.refer(Reference(kept.sharpness, kept.tiles, mat=CORNERS))
    for number, image in enumerate(usual("overhead")):
        found = camera.look_with_mat(image, CORNERS + np.array([0.15, 0.0]))
        assert ("moved" in found) is (number >= 2)
    for image in usual("overhead"):
        found = camera.look_with_mat(image, CORNERS + np.array([0.03, 0.01]))
    assert found == set()


def test_a_camera_that_is_being_turned_is_not_held_against_what_it_showed_before() -> None:
    camera = Camera("overhead")
    moved = list(with_fault(usual("overhead"), Fault.MOVED))
    camera.learn(moved)
    soft = list(with_fault(usual("overhead"), Fault.BLURRED))
    assert camera.show(*soft[:3])[-1] == {"covered"}, "nothing of what it showed a moment ago is left"
    camera.watcher.refer(None)
    camera.watcher.forget_view()
    assert camera.show(*soft[:3])[-1] == {"blurred"}
