"""Whatever lies on the lens is a cover: black or white, cloth or skin, in light and in noise."""

from typing import TYPE_CHECKING, cast

import cv2
import numpy as np
import pytest

from tests.device.vision.kit import SCENES, Camera, blurred, dimmed, flat, grey, noisy, scene, usual, with_hand
from tests.device.vision.test_pose import turned

if TYPE_CHECKING:
    from device.cameras.source import Image

_ACROSS = np.tile(np.linspace(0, 1, 640), (360, 1))
_DOWN = np.tile(np.linspace(0, 1, 360)[:, np.newaxis], (1, 640))


def of(levels: "np.typing.NDArray[np.float64]") -> "Image":
    """A colourless picture of these levels."""
    return np.repeat(np.clip(levels, 0, 255).astype(np.uint8)[..., np.newaxis], 3, axis=2)


def folds(level: float, depth: float, every_px: int) -> "Image":
    """Cloth in soft folds."""
    chance = np.random.default_rng(3)
    coarse = chance.normal(0, depth, (360 // every_px, 640 // every_px)).astype(np.float32)
    return of(level + cv2.resize(coarse, (640, 360), interpolation=cv2.INTER_CUBIC).astype(np.float64))


COVERS = {
    "cap": flat(2),
    "cap of a camera whose black is 16": flat(16),
    "cap with light leaking in at a corner": of(6 + 200 * np.exp(-((_ACROSS - 1) ** 2 + _DOWN**2) / 0.02)),
    "black cloth": folds(9, 3, 90),
    "grey cloth": folds(120, 12, 90),
    "white cloth": folds(222, 6, 90),
    "white cloth, lit from one side": of(170 + 70 * _ACROSS),
    "hand": folds(90, 20, 120),
    "hand with light through the fingers": of(30 + 90 * _DOWN + 25 * _ACROSS),
    "sticky note": flat(205),
}


@pytest.mark.parametrize("role", SCENES)
@pytest.mark.parametrize("cover", COVERS)
@pytest.mark.parametrize("sigma", [0.8, 5.0])
def test_a_cover_is_seen_and_nothing_else_is_said(role: str, cover: str, sigma: float) -> None:
    camera = Camera(role)
    images = usual(role)
    camera.learn(images)
    told = camera.show(*(noisy(COVERS[cover], number, sigma) for number in range(9)))
    assert told == [set(), *[{"covered"}] * 8]
    assert camera.show(*images[:3]) == [{"covered"}, set(), set()]


def test_a_hand_laid_on_the_lens_is_a_cover_however_it_is_seen() -> None:
    [desk] = scene("overhead", [20.0])
    for softness in (25, 40, 80):
        hand = blurred(with_hand(desk, 0.9), softness)
        assert Camera("overhead").show(*(noisy(hand, number) for number in range(3)))[-1] == {"covered"}


def test_a_cover_without_any_noise_is_a_cover_and_not_a_frozen_camera() -> None:
    for level in (0, 120, 240):
        told = Camera("front").show(*[flat(level)] * 12)
        assert told[1:] == [{"covered"}] * 11


def test_a_camera_that_sees_only_white_is_overexposed_and_neither_covered_nor_frozen() -> None:
    assert Camera("overhead").show(*[flat(255)] * 12)[1:] == [{"overexposed"}] * 11


def test_a_cover_over_half_of_the_lens_is_none() -> None:
    images = [image.copy() for image in usual("overhead")]
    for image in images:
        image[:, :320] = 10
    assert {"covered"} not in Camera("overhead").show(*images)


def test_a_cover_is_the_same_at_every_size() -> None:
    for size in ((640, 480), (1280, 720), (1920, 1080), (720, 1280)):
        picture = grey(noisy(flat(120, size), 1))
        camera = Camera("overhead")
        assert [camera.look(picture), camera.look(picture)][-1] == {"covered"}


@pytest.mark.parametrize("role", SCENES)
def test_a_lens_too_soft_to_show_anything_is_blurred_where_the_room_is_known(role: str) -> None:
    soft = [noisy(blurred(image, 28), number) for number, image in enumerate(usual(role))]
    assert Camera(role).show(*soft)[-1] == {"covered"}
    camera = Camera(role)
    camera.learn(usual(role))
    assert camera.show(*soft)[-1] == {"blurred"}


def test_a_room_too_dark_to_show_anything_is_dark_where_it_is_known() -> None:
    night = [noisy(dimmed(image, 0.018), number, 4.0) for number, image in enumerate(usual("front"))]
    assert Camera("front").show(*night)[-1] == {"covered"}
    camera = Camera("front")
    camera.learn(usual("front"))
    assert camera.show(*night)[-1] == {"dark"}


def weave(parts: int, contrast: float, level: float) -> "Image":
    """Cloth whose threads are seen, as soft as a thing on the lens is."""
    threads = np.maximum(np.sin(2 * np.pi * parts * _ACROSS), np.sin(2 * np.pi * parts * _DOWN * 0.5625))
    return blurred(of(level * (1 + contrast * threads)), 160 / parts)


@pytest.mark.parametrize("role", SCENES)
@pytest.mark.parametrize("parts", [5, 9, 14])
@pytest.mark.parametrize("level", [40, 120, 190])
def test_a_weave_is_a_cover_because_it_is_soft_and_nothing_of_the_scene_is_left(
    role: str, parts: int, level: int
) -> None:
    camera = Camera(role)
    camera.learn(usual(role))
    camera.show(*usual(role)[:3])
    told = camera.show(*(noisy(weave(parts, 0.3, level), number, 0.8) for number in range(5)))
    assert told[1:] == [{"covered"}] * 4


@pytest.mark.parametrize("role", SCENES)
def test_white_cloth_that_is_clipped_on_one_side_is_a_cover_and_no_lamp(role: str) -> None:
    camera = Camera(role)
    camera.learn(usual(role))
    told = camera.show(*(noisy(of(205 + 75 * _ACROSS), number, 0.8) for number in range(5)))
    assert told[1:] == [{"covered"}] * 4


@pytest.mark.parametrize("role", SCENES)
def test_a_black_thing_that_leaves_a_strip_of_the_scene_is_a_cover_and_not_the_dark(role: str) -> None:
    camera = Camera(role)
    camera.learn(usual(role))
    nearly = [image.copy() for image in usual(role)]
    for image in nearly:
        image[:, : round(0.94 * 640)] = 10
    told = camera.show(*(noisy(image, number, 0.8) for number, image in enumerate(nearly)))
    assert told[1:] == [{"covered"}] * 11


def test_a_soft_scene_that_sways_is_out_of_focus_and_not_covered() -> None:
    camera = Camera("overhead")
    camera.learn(usual("overhead"))
    soft = [
        turned(blurred(image, 8), 0.03 * (-1) ** number, 0.02, 0.0) for number, image in enumerate(usual("overhead"))
    ]
    assert camera.show(*(noisy(image, number) for number, image in enumerate(soft)))[1:] == [{"blurred"}] * 11


def test_a_page_changed_under_a_lens_that_is_out_of_focus_makes_no_cover_of_it() -> None:
    camera = Camera("overhead")
    desks = usual("overhead")
    camera.learn(desks)
    pages = [desks[0], *[cv2.flip(desk, 1) for desk in desks[1:6]]]
    before, *after = ([noisy(blurred(cast("Image", page), 8), number) for number in range(4)] for page in pages)
    assert camera.show(*before)[-1] == {"blurred"}
    for page in after:
        assert camera.show(*page)[-1] == {"blurred"}


@pytest.mark.parametrize("role", SCENES)
@pytest.mark.parametrize("turn_deg", [80, 100, 260, 280])
def test_the_gap_that_a_black_thing_leaves_may_lie_along_a_long_side(role: str, turn_deg: int) -> None:
    camera = Camera(role)
    camera.learn(usual(role))
    along = _ACROSS * np.cos(np.radians(turn_deg)) + _DOWN * 0.5625 * np.sin(np.radians(turn_deg))
    rim = np.clip((along - np.quantile(along, 0.93)) / 0.04 + 0.5, 0, 1)[..., np.newaxis]
    nearly = ((10 + rim * (image.astype(float) - 10)).astype(np.uint8) for image in usual(role))
    told = camera.show(*(noisy(image, number, 0.8) for number, image in enumerate(nearly)))
    assert told[1:] == [{"covered"}] * 11
