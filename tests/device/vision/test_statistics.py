"""What a picture measures."""

from typing import TYPE_CHECKING, cast

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from device.vision.statistics import Statistics, is_usable, likeness, measure
from tests.device.vision.kit import LARGE, blurred, dimmed, flat, grey, noisy, scene, sheet_on

if TYPE_CHECKING:
    from device.cameras.source import Image


def of(image: "Image", previous: Statistics | None = None, captured_ns: int = 0) -> Statistics:
    return measure(grey(image), captured_ns, previous)


def desk(time_s: float = 20.0) -> "Image":
    [image] = scene("overhead", [time_s])
    return image


def lit(image: "Image", lamp: "Image", softness_px: float) -> "Image":
    """The picture with a lamp's image in it."""
    return cast("Image", cv2.add(image, cv2.GaussianBlur(lamp, (0, 0), softness_px)))


def test_levels_are_those_of_the_pixels() -> None:
    picture = flat(40)
    picture[:90], picture[-18:] = 3, 252
    found = of(picture)
    assert (found.p05, found.p80, found.p90, found.p95) == (3, 40, 40, 40)
    assert found.black == pytest.approx(0.25)
    assert found.white == pytest.approx(0.05)
    assert found.mean == pytest.approx(0.25 * 3 + 0.7 * 40 + 0.05 * 252, abs=0.5)


@pytest.mark.parametrize("sigma", [1.0, 2.0, 4.0])
def test_the_noise_is_measured_whatever_soft_shapes_lie_under_it(sigma: float) -> None:
    small = blurred(grey(desk()), 6)
    picture = noisy(small, 1, sigma)
    assert measure(picture, 0).noise == pytest.approx(sigma, rel=0.1)


def test_sharpness_is_the_same_in_dim_light_and_in_noise() -> None:
    bright = of(desk()).sharpness
    for light in (0.25, 0.5):
        assert of(dimmed(desk(), light)).sharpness == pytest.approx(bright, rel=0.1)
    assert of(noisy(desk(), 1, 8.0)).sharpness == pytest.approx(bright, rel=0.1)


def test_the_softer_the_picture_the_less_its_sharpness() -> None:
    [image] = scene("overhead", [20.0], LARGE)
    soft = [of(blurred(image, sigma)).sharpness for sigma in (0.5, 2, 4, 6, 8)]
    assert soft == sorted(soft, reverse=True)
    assert soft[-1] < 0.3 * soft[0]


def test_every_tile_of_a_desk_shows_something_and_none_of_a_cloth() -> None:
    assert of(desk()).structured > 0.9
    assert of(noisy(flat(150), 1)).structured == 0


@pytest.mark.parametrize("softness_px", [6, 12, 25])
@pytest.mark.parametrize("under_it", ["desk", "paper", "dim print"])
def test_a_lamps_image_is_measured_by_its_size(under_it: str, softness_px: int) -> None:
    pictures = {"desk": desk(), "paper": flat(215), "dim print": dimmed(sheet_on(desk()), 0.5)}
    picture = noisy(pictures[under_it], 1)
    lamp = np.zeros((360, 640, 3), np.uint8)
    cv2.circle(lamp, (320, 180), 90, (255, 255, 255), -1)
    assert of(lit(picture, lamp, softness_px)).glare == pytest.approx(0.12, abs=0.06)


def test_a_lamps_image_at_the_rim_of_the_picture_counts() -> None:
    lamp = np.zeros((360, 640, 3), np.uint8)
    cv2.circle(lamp, (640, 180), 110, (255, 255, 255), -1)
    assert of(lit(desk(), lamp, 12)).glare > 0.04


def test_small_lights_and_white_paper_are_no_glare() -> None:
    picture = desk()
    for x in range(60, 640, 80):
        cv2.circle(picture, (x, 120), 12, (255, 255, 255), -1)
    assert of(picture).glare == 0
    cv2.rectangle(picture, (100, 60), (350, 330), (255, 255, 255), -1)
    assert of(picture).glare == 0


def test_stillness_lasts_from_the_first_of_the_like_pictures() -> None:
    first = of(desk(3.0), None, 1_000)
    assert (first.difference, first.still_s) == (None, 0)
    second = of(desk(3.0), first, 2_000_001_000)
    third = of(desk(3.0), second, 4_000_001_000)
    assert (third.difference, third.still_s) == (0, 4)
    moved = of(desk(5.0), third, 5_000_001_000)
    assert moved.difference is not None
    assert moved.difference > 1
    assert moved.still_s == 0


def test_what_changes_little_by_little_does_change() -> None:
    picture = np.full((180, 320), 100, np.uint8)
    found = measure(picture, 0)
    chance = np.random.default_rng(2)
    for second in range(1, 12):
        picture = picture.copy()
        spots = chance.choice(picture.size, round(0.05 * picture.size), replace=False)
        picture.flat[spots] += 1
        found = measure(picture, second * 10**9, found)
        assert found.still_s < 3


@given(st.tuples(st.integers(0, 90), st.integers(0, 90)), st.integers(0, 3))
def test_only_what_is_two_dimensional_bytes_and_not_tiny_is_usable(shape: tuple[int, int], more_axes: int) -> None:
    large_enough = shape[0] >= 32 and shape[1] >= 40
    assert is_usable(np.zeros(shape, np.uint8)) is large_enough
    assert not is_usable(np.zeros((*shape, *[3] * (more_axes + 1)), np.uint8))
    assert not is_usable(np.full(shape, np.nan))


def test_a_scene_is_known_by_its_relief_dim_soft_or_displaced_and_no_other_is_like_it() -> None:
    relief = of(desk()).relief
    for same in (dimmed(desk(), 0.1), blurred(desk(), 8), noisy(desk(), 1, 8.0), np.roll(desk(), 24, axis=1)):
        found = likeness(of(same).relief, relief)
        assert found is not None
        assert found > 0.6
    [room] = scene("front", [3.0])
    for other in (room, flat(120), noisy(flat(120), 1)):
        found = likeness(of(other).relief, relief)
        assert found is not None
        assert found < 0.33
    assert likeness(of(noisy(flat(90, (640, 480)), 1)).relief, relief) is None


@given(st.integers(32, 60), st.integers(40, 90), st.integers(0, 255))
def test_any_usable_picture_has_a_relief_that_can_be_compared(height: int, width: int, grey_level: int) -> None:
    relief = measure(np.full((height, width), grey_level, np.uint8), 0).relief
    assert likeness(relief, relief) == 0
