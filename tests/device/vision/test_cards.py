"""Picture cards on the desk."""

from typing import TYPE_CHECKING, Final

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from device.kit import kit
from device.vision.cards import CardSet, CardsHeld, cards_among, cards_held, find_cards
from device.vision.mat import find_markers, find_mat
from tests.device.vision.kit import clips, grey, noisy, scene
from tests.device.vision.test_mat import HD, MAT, View, grey_of, looked_at

if TYPE_CHECKING:
    from device.cameras.source import Image

CARDS: Final = CardSet.of(kit().cards)
FOX, BOAT = 10, 11


def with_card(image: "Image", number: int, centre: tuple[int, int], side_px: int, turn_deg: float = 0.0) -> "Image":
    """The picture with a card's marker in it, its white included."""
    dictionary = cv2.aruco.getPredefinedDictionary(cv2.aruco.DICT_4X4_50)
    module = side_px // 6
    printed = np.full((8 * module, 8 * module), 225, np.uint8)
    printed[module:-module, module:-module] = np.clip(
        cv2.aruco.generateImageMarker(dictionary, number, 6 * module), 30, 225
    )
    matrix = cv2.getRotationMatrix2D((4 * module, 4 * module), -turn_deg, 1.0)
    matrix[:, 2] += np.array(centre) - 4 * module
    height, width = image.shape[:2]
    laid = cv2.warpAffine(printed, matrix, (width, height))
    mask = cv2.warpAffine(np.full_like(printed, 255), matrix, (width, height))
    return np.where(mask[..., np.newaxis] > 127, laid[..., np.newaxis], image).astype(np.uint8)


def side_px(view: View) -> int:
    return round(CARDS.side_mm * view.px_per_mm)


@pytest.mark.parametrize("number", sorted(CARDS.numbers))
@pytest.mark.parametrize("turn_deg", [0.0, 33.0, 180.0])
def test_each_card_is_known_whichever_way_it_lies(number: int, turn_deg: float) -> None:
    view = View()
    desk = with_card(view.taken(), number, (640, 330), side_px(view), turn_deg)
    assert find_cards(grey_of(desk), CARDS) == (number,)
    assert find_cards(grey_of(desk), CARDS, find_mat(grey_of(desk), MAT).place) == (number,)


@pytest.mark.parametrize("number", sorted(CARDS.numbers))
@pytest.mark.parametrize("size", [0.85, 1.5])
def test_each_card_is_known_in_a_noisy_picture_at_any_turn_and_size(number: int, size: float) -> None:
    """The size of a card on a desk lower than the mat, and of one held up; noise as at dusk."""
    view = View()
    desk = view.taken()
    place = find_mat(grey(desk), MAT).place
    for turn_deg in range(0, 360, 30):
        laid = with_card(desk, number, (640, 330), round(size * side_px(view)), turn_deg)
        assert find_cards(grey(noisy(laid, turn_deg, 5.0)), CARDS, place) == (number,), turn_deg


def test_no_clip_of_a_real_desk_or_room_shows_a_card(tmp_path_factory: pytest.TempPathFactory) -> None:
    looked = 0
    for footage in clips(tmp_path_factory.mktemp("clips"), hz=2.0):
        for image in footage.images:
            looked += 1
            assert find_cards(grey(image), CARDS) == ()
    assert looked > 20


def test_cards_and_mat_are_found_in_one_search_of_the_small_copy() -> None:
    view = View()
    desk = with_card(with_card(view.taken(), FOX, (520, 330), side_px(view)), BOAT, (760, 360), side_px(view), 12)
    markers = find_markers(grey(desk))
    assert cards_among(markers, CARDS) == (FOX, BOAT)
    assert {one.number for one in markers} == {*MAT.markers_mm, FOX, BOAT}


def test_a_card_beside_the_mat_counts_too() -> None:
    view = View(across=0.5)
    desk = with_card(view.taken(), BOAT, (150, 360), side_px(view))
    assert find_cards(grey_of(desk), CARDS, find_mat(grey_of(desk), MAT).place) == (BOAT,)


def test_the_mats_own_markers_are_no_cards() -> None:
    assert find_cards(grey_of(View().taken()), CARDS) == ()
    [desk] = scene("overhead", [40.0], HD)
    assert find_cards(grey_of(desk), CARDS) == ()


def test_what_is_not_of_a_cards_size_is_none() -> None:
    view = View()
    place = looked_at(view).place
    for size_px in (side_px(view) // 2, 4 * side_px(view)):
        poster = with_card(view.taken(), FOX, (640, 330), size_px)
        assert find_cards(grey_of(poster), CARDS) == (FOX,)
        assert find_cards(grey_of(poster), CARDS, place) == ()


def test_what_is_no_picture_holds_no_card() -> None:
    for nonsense in (np.zeros((0, 0), np.uint8), np.zeros((1, 1), np.uint8), np.zeros((40, 40, 3), np.uint8)):
        assert find_cards(nonsense, CARDS) == ()


def held_after(*looks: tuple[int, ...]) -> list[tuple[int, ...]]:
    """What is held after each of some looks."""
    held, said = CardsHeld(), []
    for look in looks:
        held = cards_held(look, held)
        said.append(held.numbers)
    return said


def test_a_card_is_known_after_two_looks_and_gone_after_two() -> None:
    assert held_after((FOX,), (FOX,), (), (FOX,), (), ()) == [(), (FOX,), (FOX,), (FOX,), (), ()]


def test_a_single_odd_look_is_no_card() -> None:
    assert held_after((), (BOAT,), (), (), (FOX,), ()) == [()] * 6


@given(st.lists(st.sets(st.sampled_from(sorted(CARDS.numbers))).map(lambda one: tuple(sorted(one))), max_size=20))
def test_what_is_held_was_seen_in_two_of_the_last_three_looks(looks: list[tuple[int, ...]]) -> None:
    for upto, numbers in enumerate(held_after(*looks), start=1):
        last = looks[max(0, upto - 3) : upto]
        assert set(numbers) == {one for look in last for one in look if sum(one in each for each in last) >= 2}
