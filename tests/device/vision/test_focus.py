"""Focus, measured at the edges of the mat's markers: in millimetres, whatever the picture's size or contrast."""

from typing import TYPE_CHECKING, cast

import cv2
import numpy as np
import pytest

from device.kit import kit
from device.vision.focus import edge_width_mm
from device.vision.mat import MatGeometry, find_mat
from tests.device.vision.kit import blurred, dimmed, noisy, scene

if TYPE_CHECKING:
    from device.cameras.source import Image

GEOMETRY = MatGeometry.of(kit().mat)
FULL = (1920, 1080)


@pytest.fixture(scope="module")
def desk() -> "Image":
    return next(scene("overhead", [3.0], FULL))


def width_mm(image: "Image") -> float | None:
    grey = cast("Image", cv2.cvtColor(image, cv2.COLOR_BGR2GRAY))
    small = cast("Image", cv2.resize(grey, (320, 180), interpolation=cv2.INTER_AREA))
    place = find_mat(small, GEOMETRY).place
    assert place is not None
    return edge_width_mm(grey, place.homography_for(grey.shape[1], grey.shape[0]), GEOMETRY)


@pytest.mark.parametrize("sigma_px", [1.0, 2.0, 3.0])
def test_an_edge_is_as_wide_as_its_blur_makes_it(desk: "Image", sigma_px: float) -> None:
    found = width_mm(blurred(desk, sigma_px))
    assert found is not None
    assert found == pytest.approx(sigma_px * np.sqrt(2 * np.pi) / 3.0, rel=0.1), "3 pixels are a millimetre there"


def test_an_edge_wider_than_the_reach_is_still_far_from_sharp(desk: "Image") -> None:
    found = width_mm(blurred(desk, 5))
    assert found is not None
    assert found > 2


def test_neither_dim_light_nor_noise_makes_a_sharp_page_soft(desk: "Image") -> None:
    sharp = width_mm(desk)
    assert sharp is not None
    assert sharp < 0.5
    dim = width_mm(noisy(dimmed(desk, 0.4), 3))
    assert dim is not None
    assert dim < 0.6


def test_where_no_edge_is_seen_nothing_is_said(desk: "Image") -> None:
    grey = cast("Image", cv2.cvtColor(desk, cv2.COLOR_BGR2GRAY))
    place = find_mat(grey, GEOMETRY).place
    assert place is not None
    homography = place.homography_for(*FULL)
    assert edge_width_mm(np.full_like(grey, 120), homography, GEOMETRY) is None
    away = np.array([(1, 0, 5000), (0, 1, 0), (0, 0, 1)]) @ homography
    assert edge_width_mm(grey, away, GEOMETRY) is None
