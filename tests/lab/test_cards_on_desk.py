"""Cards on the simulated desk are pixels: there for whoever looks, true to scale, and nothing else changes."""

import os
from pathlib import Path
from typing import TYPE_CHECKING, Final

import cv2
import numpy as np
import pytest

from device.cameras.pixels import small_grey
from device.cameras.source import CameraSpec, Frame, Source
from device.kit import kit
from device.vision.cards import CardSet, find_cards
from device.vision.mat import MatGeometry, find_markers, find_mat, project
from lab.cards_on_desk import CardsOnDesk, set_cards
from lab.faults import Fault, open_source, set_fault

if TYPE_CHECKING:
    from device.cameras.source import Image

SPEC: Final = CameraSpec("overhead", "scene:desk", 1280, 720, 60)
CARDS: Final = CardSet.of(kit().cards)
MAT: Final = MatGeometry.of(kit().mat)
FOX, BOAT = 10, 11


@pytest.fixture
def switch(tmp_path: Path) -> Path:
    return tmp_path / "cards"


@pytest.fixture
def source(tmp_path: Path, switch: Path) -> Source:
    return open_source(SPEC, switch=os.fspath(tmp_path / "fault"), cards=os.fspath(switch))


def seen(image: "Image") -> tuple[int, ...]:
    """What a worker's small look finds, as it has it."""
    grey = small_grey(Frame(image, 0), 320)
    return find_cards(grey, CARDS, find_mat(grey, MAT).place)


def test_a_desk_without_cards_is_left_alone(source: Source, switch: Path) -> None:
    assert seen(source.read(1.0).image) == ()
    lying = CardsOnDesk(switch)
    image = source.read(1.0).image
    assert lying.on(image) is image


def test_what_is_laid_down_is_seen_and_what_is_taken_away_is_not(source: Source, switch: Path) -> None:
    for numbers in ((FOX,), (FOX, BOAT), (BOAT,), (), (4, 12, 16)):
        set_cards(switch, numbers)
        looks = [seen(source.read(1.0).image) for _ in range(5)]
        assert looks == [tuple(sorted(numbers))] * 5


def test_a_card_lies_true_to_scale_where_nothing_else_lies(source: Source, switch: Path) -> None:
    set_cards(switch, (FOX,))
    grey = np.asarray(cv2.cvtColor(source.read(1.0).image, cv2.COLOR_BGR2GRAY), np.uint8)
    place = find_mat(grey, MAT).place
    assert place is not None
    (marker,) = (one for one in find_markers(grey) if one.number == FOX)
    corners_mm = project(np.asarray(np.linalg.inv(place.homography)), marker.corners_px)
    sides_mm = np.linalg.norm(corners_mm - np.roll(corners_mm, 1, axis=0), axis=1)
    assert sides_mm == pytest.approx(CARDS.side_mm, abs=0.8)
    half_mm = CARDS.side_mm / 2 + kit().cards.quiet_mm
    assert (np.abs(corners_mm.mean(axis=0) - (45, 78)) < 1).all()
    assert half_mm < 45 < 86 - half_mm + 5, "between the mat's edge and the worksheet"


def test_the_mat_is_found_beside_them_and_the_rest_of_the_picture_is_as_it_was(switch: Path, source: Source) -> None:
    image = source.read(1.0).image
    before = image.copy()
    set_cards(switch, (FOX, BOAT))
    shown = CardsOnDesk(switch).on(image)
    assert np.array_equal(image, before)
    assert {one.number for one in find_markers(small_grey(Frame(shown, 0), 320))} == {*MAT.markers_mm, FOX, BOAT}
    changed = (shown != image).any(axis=2)
    assert 0.01 < changed.mean() < 0.05


def test_they_lie_there_whatever_is_wrong_with_the_camera(tmp_path: Path, source: Source, switch: Path) -> None:
    set_cards(switch, (FOX,))
    set_fault(tmp_path / "fault", Fault.COVERED)
    assert seen(source.read(1.0).image) == ()
    set_fault(tmp_path / "fault", Fault.MOVED)
    assert seen(source.read(1.0).image) == (FOX,)


def test_on_a_picture_without_a_mat_they_stand_in_a_corner(switch: Path) -> None:
    picture = np.random.default_rng(1).integers(90, 160, (720, 1280, 3)).astype(np.uint8)
    lying = CardsOnDesk(switch)
    for numbers in ((FOX,), (FOX, BOAT), tuple(sorted(kit().cards.names))):
        set_cards(switch, numbers)
        assert seen(lying.on(picture)) == tuple(sorted(numbers))


def test_what_is_no_card_is_left_out_and_said(switch: Path, caplog: pytest.LogCaptureFixture) -> None:
    switch.write_text("10 seven 99")
    assert seen(CardsOnDesk(switch).on(np.full((720, 1280, 3), 120, np.uint8))) == (FOX,)
    assert "seven" in caplog.text
