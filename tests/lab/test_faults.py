"""Each fault shows in the pixels or in the behaviour, and in nothing else."""

import os
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING

import cv2
import numpy as np
import pytest

from device.cameras.errors import SourceMissing
from device.cameras.source import CameraSpec, Source
from device.cameras.sources import open_source as open_real
from lab.faults import Fault, fault_switch, open_source, set_fault

if TYPE_CHECKING:
    from device.cameras.source import Image

SPEC = CameraSpec("overhead", "scene:desk", 640, 360, 60)


@pytest.fixture
def switch(tmp_path: Path) -> Path:
    return tmp_path / "overhead.fault"


@pytest.fixture
def source(switch: Path) -> Source:
    return open_source(SPEC, switch=os.fspath(switch))


def grey(image: "Image") -> "Image":
    return np.asarray(cv2.cvtColor(image, cv2.COLOR_BGR2GRAY), np.uint8)


def sharpness(image: "Image") -> float:
    return float(cv2.Laplacian(grey(image), cv2.CV_16S).std())


def markers(image: "Image") -> dict[int, "np.ndarray[tuple[int, ...], np.dtype[np.float32]]"]:
    finder = cv2.aruco.ArucoDetector(cv2.aruco.getPredefinedDictionary(cv2.aruco.DICT_4X4_50))
    corners, ids, _ = finder.detectMarkers(grey(image))
    found = [] if ids is None else [int(number) for number in ids.ravel()]
    return {
        number: np.asarray(c, np.float32).reshape(-1, 2).mean(axis=0) for number, c in zip(found, corners, strict=True)
    }


def test_without_a_switch_nothing_is_wrong(source: Source) -> None:
    assert markers(source.read(1.0).image).keys() == {0, 1, 2, 3}


def test_covered_is_nearly_black_everywhere_with_a_sensors_noise(source: Source, switch: Path) -> None:
    set_fault(switch, Fault.COVERED)
    one, two = source.read(1.0).image, source.read(1.0).image
    assert grey(one).mean() < 12
    tiles = grey(one)[:360, :640].reshape(6, 60, 8, 80).std(axis=(1, 3))
    assert tiles.max() < 4
    assert not np.array_equal(one, two)


def test_dark_is_dark_and_the_desk_still_in_it(source: Source, switch: Path) -> None:
    set_fault(switch, Fault.DARK)
    image = grey(source.read(1.0).image)
    assert image.mean() < 40
    assert image.std() > 3


def test_overexposed_clips_most_of_the_picture(source: Source, switch: Path) -> None:
    set_fault(switch, Fault.OVEREXPOSED)
    assert np.mean(grey(source.read(1.0).image) == 255) > 0.5


def test_blurred_loses_edges_and_no_light(source: Source, switch: Path) -> None:
    clear = source.read(1.0).image
    set_fault(switch, Fault.BLURRED)
    blurred = source.read(1.0).image
    assert sharpness(blurred) < 0.4 * sharpness(clear)
    assert grey(blurred).mean() == pytest.approx(grey(clear).mean(), abs=8)


def test_frozen_gives_the_very_same_picture_with_new_stamps(source: Source, switch: Path) -> None:
    set_fault(switch, Fault.FROZEN)
    frames = [source.read(1.0) for _ in range(10)]
    assert len({frame.image.tobytes() for frame in frames}) == 1
    stamps = [frame.captured_ns for frame in frames]
    assert stamps == sorted(set(stamps))
    set_fault(switch, Fault.NONE)
    source.read(1.0)
    assert not np.array_equal(source.read(1.0).image, frames[0].image)


def test_glare_clips_one_large_spot(source: Source, switch: Path) -> None:
    set_fault(switch, Fault.GLARE)
    clipped = (grey(source.read(1.0).image) == 255).astype(np.uint8)
    _, _, stats, _ = cv2.connectedComponentsWithStats(clipped)
    largest = stats[1:, cv2.CC_STAT_AREA].max() / clipped.size
    assert 0.05 < largest < 0.4


def test_moved_displaces_the_whole_mat_and_keeps_it_in_view(source: Source, switch: Path) -> None:
    before = markers(source.read(1.0).image)
    set_fault(switch, Fault.MOVED)
    after = markers(source.read(1.0).image)
    assert after.keys() == {0, 1, 2, 3}
    assert all(np.hypot(*(after[number] - before[number])) > 20 for number in before)


def test_unplugged_ends_the_reading_and_the_next_opening_until_it_is_over(source: Source, switch: Path) -> None:
    source.read(1.0)
    set_fault(switch, Fault.UNPLUGGED)
    with pytest.raises(SourceMissing, match="scene:desk"):
        source.read(1.0)
    source.close()
    with pytest.raises(SourceMissing):
        open_source(SPEC, switch=os.fspath(switch))
    set_fault(switch, Fault.NONE)
    open_source(SPEC, switch=os.fspath(switch)).read(1.0)


def test_hung_ignores_the_timeout_and_does_not_recover(source: Source, switch: Path) -> None:
    set_fault(switch, Fault.HUNG)
    reader = threading.Thread(target=source.read, args=(0.05,), daemon=True)
    reader.start()
    time.sleep(0.5)
    set_fault(switch, Fault.NONE)
    reader.join(1.0)
    assert reader.is_alive()


def test_the_real_sources_pictures_are_left_as_they_were(switch: Path) -> None:
    pure = open_real(CameraSpec("overhead", "scene:desk", 640, 360, 0.5)).read(1.0).image
    for fault in (Fault.GLARE, Fault.MOVED, Fault.DARK):
        set_fault(switch, fault)
        faulty = open_source(CameraSpec("overhead", "scene:desk", 640, 360, 0.5), switch=os.fspath(switch))
        assert not np.array_equal(faulty.read(1.0).image, pure)
    again = open_real(CameraSpec("overhead", "scene:desk", 640, 360, 0.5)).read(1.0).image
    assert np.array_equal(pure, again)


class TestSwitch:
    def test_each_fault_is_read_back_as_it_was_set(self, switch: Path) -> None:
        lever = fault_switch(switch)
        assert not lever.look()
        assert lever.says is Fault.NONE
        for fault in (*Fault, *reversed(Fault)):
            set_fault(switch, fault)
            assert [lever.look(), lever.look()] == [True, False]
            assert lever.says is fault
        switch.unlink()
        assert [lever.look(), lever.look()] == [True, False]
        assert lever.says is Fault.NONE

    def test_the_words_are_those_of_the_contract(self) -> None:
        assert set(Fault) == {
            "none", "covered", "dark", "overexposed", "blurred", "frozen", "glare", "moved", "unplugged", "hung",
            "slow", "small", "mat-away", "exchanged",
        }  # fmt: skip

    def test_an_unknown_word_is_no_fault_and_is_said_once(self, switch: Path, caplog: pytest.LogCaptureFixture) -> None:
        switch.write_text("haunted")
        lever = fault_switch(switch)
        assert [lever.look() for _ in range(5)] == [True, False, False, False, False]
        assert lever.says is Fault.NONE
        assert len(caplog.records) == 1
        assert "haunted" in caplog.text

    def test_setting_leaves_nothing_else_in_the_folder(self, switch: Path) -> None:
        set_fault(switch, Fault.DARK)
        set_fault(switch, Fault.NONE)
        assert [path.name for path in switch.parent.iterdir()] == [switch.name]
