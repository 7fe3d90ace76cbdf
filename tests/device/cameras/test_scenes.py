import itertools
from typing import TYPE_CHECKING

import cv2
import numpy as np
import pytest

from device.cameras.sources.art.canvas import Stage
from device.cameras.sources.scene import Scene, SensorNoise
from device.cameras.sources.scene_desk import DeskScene
from device.cameras.sources.scene_student import StudentScene

if TYPE_CHECKING:
    from device.cameras.source import Image

SIZES = [(1280, 720), (640, 480), (640, 360), (720, 1280)]


def markers(image: "Image") -> set[int]:
    finder = cv2.aruco.ArucoDetector(cv2.aruco.getPredefinedDictionary(cv2.aruco.DICT_4X4_50))
    _, ids, _ = finder.detectMarkers(cv2.cvtColor(image, cv2.COLOR_BGR2GRAY))
    return set() if ids is None else {int(number) for number in ids.ravel()}


@pytest.mark.parametrize(("width", "height"), SIZES)
def test_the_desks_four_markers_are_seen_whatever_the_hand_does(width: int, height: int) -> None:
    desk = DeskScene(Stage(width, height), seed=20)
    noise = SensorNoise(width, height, seed=1)
    for number, time_s in enumerate((0.0, 5.0, 33.0, 61.0, 95.0, 103.0)):
        image = desk.draw(time_s)
        noise.add_to(image, number)
        assert markers(image) == {0, 1, 2, 3}, f"at {time_s} s"


def test_the_students_camera_sees_no_marker() -> None:
    assert markers(StudentScene(Stage(1280, 720), seed=20).draw(3.0)) == set()


@pytest.mark.parametrize("scene", [DeskScene, StudentScene])
def test_the_same_seed_and_time_give_the_same_picture_however_it_was_reached(
    scene: type[DeskScene | StudentScene],
) -> None:
    stage = Stage(320, 180)
    one, other = scene(stage, seed=4), scene(stage, seed=4)
    for time_s in np.arange(0, 30, 0.7):
        one.draw(float(time_s))
    assert np.array_equal(one.draw(12.34), other.draw(12.34))


@pytest.mark.parametrize("scene", [DeskScene, StudentScene])
def test_something_always_moves(scene: type[DeskScene | StudentScene]) -> None:
    alive: Scene = scene(Stage(640, 360), seed=20)
    pictures = [alive.draw(2.0 + half / 2) for half in range(12)]
    for before, after in itertools.pairwise(pictures):
        assert np.count_nonzero(cv2.absdiff(before, after)) > 500


def test_the_sheet_fills_with_writing_and_then_starts_afresh() -> None:
    desk = DeskScene(Stage(640, 360), seed=20)
    full_s = 1.5 + desk._writing.length_s

    def ink(time_s: float) -> int:
        desk.draw(time_s)
        return int(np.count_nonzero(cv2.absdiff(desk._written, desk._blank).max(axis=2) > 40))

    amounts = [ink(time_s) for time_s in (1.0, 20.0, 50.0, 80.0, full_s)]
    assert amounts[0] == 0
    assert all(more > less for less, more in itertools.pairwise(amounts))
    assert ink(full_s + 3.0) == 0
    assert 60 < full_s < 300


def test_noise_is_slight_never_still_and_darkens_nothing() -> None:
    flat = np.full((180, 320, 3), 120, np.uint8)
    noise = SensorNoise(320, 180, seed=1)
    frames = []
    for number in range(20):
        frame = flat.copy()
        noise.add_to(frame, number)
        frames.append(frame)
    assert all(1.0 < frame.std() < 4.0 for frame in frames)
    assert all(abs(float(frame.mean()) - 120) < 0.5 for frame in frames)
    assert len({frame.tobytes() for frame in frames}) == 20


@pytest.mark.parametrize("scene", [DeskScene, StudentScene])
def test_the_scenes_are_well_exposed(scene: type[DeskScene | StudentScene]) -> None:
    grey = cv2.cvtColor(scene(Stage(640, 360), seed=20).draw(9.0), cv2.COLOR_BGR2GRAY)
    assert 90 < grey.mean() < 190
    assert np.count_nonzero(grey >= 250) == 0
