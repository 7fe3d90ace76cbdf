"""What a healthy camera sees in a classroom raises nothing: every clip from end to end, and all that children do."""

import itertools

import cv2
import numpy as np
import pytest

from tests.device.vision.kit import (
    LARGE,
    SCENES,
    Camera,
    blurred,
    clips,
    dimmed,
    flat,
    grey,
    noisy,
    scene,
    sheet_on,
    usual,
    with_hand,
)


@pytest.mark.parametrize("hz", [1.0, 4.0])
def test_no_clip_raises_anything_from_end_to_end_and_when_it_starts_again(
    tmp_path_factory: pytest.TempPathFactory, hz: float
) -> None:
    for clip in clips(tmp_path_factory.getbasetemp(), hz):
        camera = Camera(clip.role, hz)
        twice_and_long_enough = max(2 * len(clip.images), round(25 * hz))
        told = camera.show(*itertools.islice(itertools.cycle(clip.images), twice_and_long_enough))
        assert not any(told), clip
        assert camera.watcher._reference is not None, clip


@pytest.mark.parametrize("role", SCENES)
def test_no_minute_of_a_scene_raises_anything(role: str) -> None:
    camera = Camera(role)
    assert not any(camera.show(*scene(role, range(0, 110, 2))))


@pytest.mark.parametrize("role", SCENES)
@pytest.mark.parametrize("sigma", [0.6, 2.0, 5.0, 10.0])
def test_a_sensors_noise_is_no_fault(role: str, sigma: float) -> None:
    camera = Camera(role)
    told = camera.show(*(noisy(image, number, sigma) for number, image in enumerate(usual(role))))
    assert not any(told)


@pytest.mark.parametrize("role", SCENES)
def test_an_empty_room_with_nothing_in_it_but_the_noise_of_a_quiet_sensor_is_alive(role: str) -> None:
    [image] = scene(role, [0.0], LARGE)
    camera = Camera(role)
    assert not any(camera.show(*(noisy(image, number, 0.5) for number in range(12))))


@pytest.mark.parametrize("role", SCENES)
@pytest.mark.parametrize("light", [0.35, 0.5, 0.8, 1.1])
def test_a_dimmer_or_brighter_room_is_neither_blurred_nor_moved(role: str, light: float) -> None:
    camera = Camera(role)
    images = usual(role)
    camera.learn(images)
    told = camera.show(*(dimmed(image, light) for image in images))
    assert not any(told)


@pytest.mark.parametrize("role", SCENES)
def test_lights_off_is_dark_and_lights_on_is_well_again(role: str) -> None:
    camera = Camera(role)
    images = usual(role)
    camera.learn(images)
    off = (noisy(dimmed(image, 0.06), number) for number, image in enumerate(images))
    assert camera.show(*off)[2:] == [{"dark"}] * 10
    assert camera.show(*images)[2:] == [set()] * 10


def test_a_dark_room_with_a_bright_screen_is_dark() -> None:
    [image] = scene("front", [3.0])
    room = dimmed(image, 0.08)
    room[40:160, 40:180] = 250
    assert Camera("front").show(*(noisy(room, number) for number in range(3)))[-1] == {"dark"}


def test_a_hand_that_waves_over_the_desk_raises_nothing() -> None:
    camera = Camera("overhead")
    images = usual("overhead")
    camera.learn(images)
    places = itertools.cycle([(0.3, 0.5), (0.7, 0.4), (0.5, 0.7)])
    assert not any(camera.show(*(with_hand(image, 0.3, next(places)) for image in images)))


@pytest.mark.parametrize("across", [0.5, 0.7, 0.9])
def test_a_hand_that_rests_on_half_of_the_desk_and_more_raises_nothing(across: float) -> None:
    camera = Camera("overhead")
    images = usual("overhead")
    camera.learn(images)
    assert not any(camera.show(*(with_hand(image, across) for image in images)))


def test_a_camera_learned_with_a_hand_in_view_is_well_when_the_hand_is_gone() -> None:
    camera = Camera("overhead")
    images = usual("overhead")
    camera.learn([with_hand(image, 0.6) for image in images])
    assert not any(camera.show(*images))


def test_a_sheet_that_is_pulled_and_turned_on_the_mat_is_no_moved_camera() -> None:
    camera = Camera("overhead")
    desks = usual("overhead")
    camera.learn([sheet_on(desk) for desk in desks])
    for right, down, turn_deg in ((0.08, 0.0, 5.0), (0.0, 0.05, -20.0), (-0.12, 0.02, 0.0), (0.3, 0.1, 40.0)):
        pulled = (sheet_on(desk, right=right, down=down, turn_deg=turn_deg) for desk in desks)
        assert not any(camera.show(*pulled))


def test_another_sheet_or_none_is_neither_blurred_nor_moved() -> None:
    camera = Camera("overhead")
    desks = usual("overhead")
    camera.learn([sheet_on(desk) for desk in desks])
    assert not any(camera.show(*desks))


@pytest.mark.parametrize("light", [1.08, 1.14, 1.2, 1.3, 1.45])
def test_white_paper_that_is_clipped_is_no_glare(light: float) -> None:
    bright = [dimmed(desk, light) for desk in scene("overhead", range(3, 100, 8), LARGE)]
    assert (grey(bright[6]) >= 250).mean() > 0.04
    assert not any(Camera("overhead").show(*bright))


@pytest.mark.parametrize(("falls", "brightest", "left"), [(0.12, 262, 60), (0.2, 262, 60), (0.3, 275, 120)])
def test_paper_in_a_little_too_much_light_is_no_lamps_image(falls: float, brightest: int, left: int) -> None:
    right, down = np.meshgrid(np.arange(640), np.arange(360))
    sheet = np.clip(brightest - falls * np.hypot(right - 210, down - 60), 0, 255).astype(np.uint8)
    sheet[:, :left] = sheet[:, 480:] = 60
    desk = np.repeat(sheet[..., np.newaxis], 3, axis=2)
    assert (grey(desk) >= 250).mean() > 0.04
    assert not any(Camera("overhead").show(*(noisy(desk, number) for number in range(6))))


def test_a_person_before_a_bare_wall_is_not_covered() -> None:
    wall = flat(170)
    for number, y in enumerate(range(60, 360, 60)):
        cv2.circle(wall, (320, y), 45, (90, 110 + 9 * number, 160), -1)
    assert not any(Camera("front").show(*(noisy(wall, number) for number in range(8))))


def test_a_sheet_with_a_few_lines_that_fills_the_view_is_not_covered() -> None:
    sheet = flat(215)
    for y in range(60, 340, 70):
        cv2.line(sheet, (60, y), (580, y), (150, 150, 150), 2)
    assert not any(Camera("overhead").show(*(noisy(sheet, number) for number in range(8))))


def test_one_odd_picture_raises_nothing() -> None:
    camera = Camera("front")
    images = usual("front")
    camera.learn(images)
    for odd in (flat(0), flat(255), blurred(images[0], 8)):
        assert not any(camera.show(images[0], odd, *images[1:4]))
