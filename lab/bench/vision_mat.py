"""How well the desk mat is placed at 1080p: the printed mat under pinhole cameras whose pose is known."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, cast

import cv2
import numpy as np
import pypdfium2

from device.cameras.pixels import small_grey
from device.cameras.source import Frame
from device.kit import kit
from device.vision.mat import MatGeometry, Matrix, Points, find_mat, project
from device.vision.worksheet import AROUND_MM, Origin, worksheet
from hardware.desk_mat import desk_mat
from lab.pinhole import homography, px_per_mm

if TYPE_CHECKING:
    from device.cameras.source import Image

_SIZE: Final = (1920, 1080)
_LOOK_PX: Final = 320
_PX_PER_MM: Final = 6.0
_POINTS_PER_MM: Final = 72 / 25.4
_NOISE: Final = 2.2
_DESK: Final = (96, 124, 148)


@dataclass(frozen=True, slots=True)
class Placed:
    """One view, and how far off the mat was placed."""

    tilt_deg: float
    arms: int
    """Markers that arms hide."""
    corners_px: float | None
    """The worst corner of the worksheet; None when it was not set straight by the mat."""
    scale: float | None
    """Relative error of the pixels per millimetre, by the full picture."""
    small_scale: float | None
    """The same by the small copy, as the kiosk tells it."""


def place(seed: int) -> Placed:
    """Look at the mat once."""
    chance = np.random.default_rng(seed)
    geometry = MatGeometry.of(kit().mat)
    tilt_deg, arms = float(chance.uniform(0, 25)), int(chance.integers(0, 3))
    quarter = float(chance.choice([0, 180]))
    view = homography(
        geometry,
        _SIZE,
        tilt_deg=tilt_deg,
        toward_deg=float(chance.uniform(0, 360)),
        turn_deg=quarter + float(chance.uniform(-10, 10)),
        across=float(chance.uniform(0.5, 0.62)),
    )
    hidden = chance.choice(sorted(geometry.markers_mm), arms, replace=False).tolist()
    image = _taken(geometry, view, hidden, chance)
    found = worksheet(image, geometry, evened=False)
    is_by_mat = found is not None and found.origin is Origin.MAT
    truth = px_per_mm(geometry, view)
    outward = AROUND_MM * np.array([(-1, -1), (1, -1), (1, 1), (-1, 1)])
    corners = project(view, geometry.corners_mm + outward)
    grey = cast("Image", cv2.cvtColor(image, cv2.COLOR_BGR2GRAY))
    small = small_grey(Frame(image, 0), _LOOK_PX)
    return Placed(
        tilt_deg,
        arms,
        _apart_px(found.corners_px, corners) if found is not None and is_by_mat else None,
        _off(grey, geometry, truth),
        _off(small, geometry, truth * _LOOK_PX / _SIZE[0]),
    )


def _off(grey: "Image", geometry: MatGeometry, truth: float) -> float | None:
    found = find_mat(grey, geometry).place
    return None if found is None or not found.is_sure else abs(found.px_per_mm / truth - 1)


def _apart_px(found: Points, truth: Points) -> float:
    return float(np.linalg.norm(found - truth, axis=1).max())


def _taken(geometry: MatGeometry, view: Matrix, hidden: list[int], chance: np.random.Generator) -> "Image":
    printed, left_mm, top_mm = _printed(geometry)
    to_mm = np.array([(1, 0, 0.5 - left_mm * _PX_PER_MM), (0, 1, 0.5 - top_mm * _PX_PER_MM), (0, 0, _PX_PER_MM)])
    fine = np.array([(2, 0, 0.5), (0, 2, 0.5), (0, 0, 1)])
    large = cv2.warpPerspective(
        printed, fine @ view @ (to_mm / _PX_PER_MM), (2 * _SIZE[0], 2 * _SIZE[1]), borderValue=_DESK
    )
    image = cv2.resize(large, _SIZE, interpolation=cv2.INTER_AREA)
    for number in hidden:
        hand = project(view, geometry.markers_mm[number]).mean(axis=0)
        side = np.array([-40.0 if hand[0] < _SIZE[0] / 2 else _SIZE[0] + 40.0, hand[1]])
        ends = [tuple(round(float(x)) for x in one) for one in (hand, side)]
        cv2.line(image, ends[0], ends[1], (120, 150, 198), round(55 * px_per_mm(geometry, view)), cv2.LINE_AA)
    soft = cv2.GaussianBlur(image, (0, 0), 0.7)
    noise = chance.standard_normal(soft.shape, np.float32) * _NOISE
    return cast("Image", np.clip(np.round(soft + noise), 0, 255).astype(np.uint8))


def _printed(geometry: MatGeometry) -> "tuple[Image, float, float]":
    """The mat's paper as it comes from the printer, and where the mat's own corner is on it, millimetres."""
    page = pypdfium2.PdfDocument(desk_mat("a3"))[0]
    wide_mm, high_mm = (side / _POINTS_PER_MM for side in page.get_size())
    drawn = page.render(scale=_PX_PER_MM / _POINTS_PER_MM).to_numpy()[..., :3]
    # Ink is not quite black and paper not quite white.
    levels = (25 + drawn.astype(np.float32) * (210 / 255)).astype(np.uint8)
    return cast("Image", levels), (wide_mm - geometry.width_mm) / 2, (high_mm - geometry.height_mm) / 2
