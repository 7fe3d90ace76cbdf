"""Picture cards on the simulated desk: pixels drawn into the overhead camera's picture, and nothing else.

Where the picture shows the desk mat, a card lies on it true to scale and in its perspective; on a picture without one
(a real clip) cards stand upright in a corner. The product finds them there or it does not.
"""

import logging
from collections.abc import Iterable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Final, TypeAlias, cast

import cv2
import numpy as np
import numpy.typing as npt

from device.kit import kit
from device.vision.mat import MatGeometry, find_mat
from lab.switch import Switch, throw

if TYPE_CHECKING:
    from device.cameras.source import Image

_log = logging.getLogger(__name__)

Matrix: TypeAlias = npt.NDArray[np.float64]

PLACES_MM: Final = (
    (45.0, 78.0), (45.0, 132.0), (45.0, 184.0), (112.0, 36.0), (164.0, 36.0), (216.0, 36.0), (268.0, 36.0),
    (320.0, 36.0),
)  # fmt: skip
"""The middles of cards on the mat: first beside the drawn worksheet, where no hand comes, then on its upper edge."""
_TURNS_DEG: Final = (6.0, -9.0, 4.0, -5.0, 8.0, -3.0, 5.0, -7.0)
"""Nobody lays a card down straight."""
_INK, _PAPER = 34, 222
_EDGE_MM: Final = 10.0
"""What is nearer to the picture's edge is no marker to OpenCV."""
_PX_PER_MM: Final = 4
"""Of a card before it is laid down: a little finer than any picture here shows it."""
_CORNER_SHARE: Final = 0.11
"""How large a card is on a picture without a mat: its marker's side, of the picture's width."""


def set_cards(path: Path, numbers: Iterable[int]) -> None:
    """Lay these cards down.

    Args:
        path: the switch, a file whose folder exists.
        numbers: the markers' numbers; none takes all away.
    """
    throw(path, " ".join(str(number) for number in numbers))


class CardsOnDesk:
    """Draws the cards that a switch names.

    Args:
        path: the switch; no file means no card.
    """

    def __init__(self, path: Path) -> None:
        self._switch = Switch(path, partial(_parse, path.name), tuple[int, ...]())
        self._layer: tuple[Image, Image, tuple[slice, slice]] | None = None

    def on(self, image: "Image") -> "Image":
        """The picture with the cards on it; the same object where none lie there.

        Args:
            image: `(height, width, 3) uint8`, left as it is.
        """
        if self._switch.look():
            numbers = self._switch.says
            self._layer = _painted(image, numbers) if numbers else None
        if self._layer is None:
            return image
        card, cover, part = self._layer
        shown = image.copy()
        under = shown[part]
        # Paper and ink take the desk's own noise with them: a card is as alive as what it lies on.
        grain = cv2.subtract(under, cv2.blur(under, (5, 5)), dtype=cv2.CV_16S)
        laid = cv2.add(card.astype(np.int16), np.clip(grain, -6, 6).astype(np.int16))
        np.copyto(under, np.clip(laid, 0, 255).astype(np.uint8), where=cover > 0)
        return shown


def _parse(name: str, text: str) -> tuple[int, ...]:
    known = kit().cards.names
    found = tuple(int(word) for word in text.split() if word.isdecimal() and int(word) in known)
    if len(found) < len(text.split()):
        _log.warning("%s says %r, in which not all are cards; the others are left out", name, text)
    return found[: len(PLACES_MM)]


def without_markers(image: "Image") -> "Image":
    """The picture with a sheet of paper on each marker of the mat; as it is, where no mat is seen."""
    place = find_mat(cast("Image", cv2.cvtColor(image, cv2.COLOR_BGR2GRAY)), MatGeometry.of(kit().mat)).place
    if place is None:
        return image
    height, width = image.shape[:2]
    shown = image.copy()
    mat = kit().mat
    for number in mat.marker_ids:
        corners = np.array([mat.marker_corners_mm(number)], np.float64)
        pixels = cv2.perspectiveTransform(corners, place.homography_for(width, height))
        cv2.fillConvexPoly(shown, np.round(pixels[0]).astype(np.int32), (_PAPER, _PAPER, _PAPER))
    return shown


def _painted(image: "Image", numbers: tuple[int, ...]) -> "tuple[Image, Image, tuple[slice, slice]]":
    """The cards as a layer, what it covers, and where in the picture that is."""
    height, width = image.shape[:2]
    to_px = _places(image, numbers)
    card, cover = np.zeros_like(image), np.zeros((height, width, 3), np.uint8)
    for number, matrix in zip(numbers, to_px, strict=True):
        printed = _printed(number)
        laid = cv2.warpPerspective(printed, matrix, (width, height))
        mask = cv2.warpPerspective(np.full_like(printed, 255), matrix, (width, height))
        on = mask > 127
        card[on], cover[on] = laid[on][:, np.newaxis], 255
    rows, columns = np.flatnonzero(cover.any(axis=(1, 2))), np.flatnonzero(cover.any(axis=(0, 2)))
    part = slice(int(rows[0]), int(rows[-1]) + 1), slice(int(columns[0]), int(columns[-1]) + 1)
    return card[part], cover[part], part


def _places(image: "Image", numbers: tuple[int, ...]) -> list[Matrix]:
    """For each card the way from its printed pixels to the picture's."""
    height, width = image.shape[:2]
    side_mm = _side_mm()
    shrink = np.diag([1 / _PX_PER_MM, 1 / _PX_PER_MM, 1.0])
    place = find_mat(cast("Image", cv2.cvtColor(image, cv2.COLOR_BGR2GRAY)), MatGeometry.of(kit().mat)).place
    if place is not None:
        return [
            place.homography_for(width, height) @ _laid(middle, turn, side_mm) @ shrink
            for _, middle, turn in zip(numbers, PLACES_MM, _TURNS_DEG, strict=False)
        ]
    scale = _CORNER_SHARE * width / kit().cards.marker_side_mm
    grow, step_mm = np.diag([scale, scale, 1.0]), side_mm + 4
    rows = max(1, int((height / scale - _EDGE_MM) // step_mm))
    middles = [
        (_EDGE_MM + (n // rows + 0.5) * step_mm, _EDGE_MM + (n % rows + 0.5) * step_mm) for n in range(len(numbers))
    ]
    return [grow @ _laid(middle, 0.0, side_mm) @ shrink for middle in middles]


def _laid(middle_mm: tuple[float, float], turn_deg: float, side_mm: float) -> Matrix:
    """A card's own millimetres to the mat's."""
    cos, sin = np.cos(np.radians(turn_deg)), np.sin(np.radians(turn_deg))
    turn = np.array([(cos, -sin, middle_mm[0]), (sin, cos, middle_mm[1]), (0, 0, 1)])
    return np.asarray(turn @ np.array([(1, 0, -side_mm / 2), (0, 1, -side_mm / 2), (0, 0, 1)]))


def _side_mm() -> float:
    """Of the part of a card that is drawn: its marker and the white around it."""
    return kit().cards.marker_side_mm + 2 * kit().cards.quiet_mm


def _printed(number: int) -> "Image":
    cards = kit().cards
    dictionary = cv2.aruco.getPredefinedDictionary(getattr(cv2.aruco, cards.dictionary))
    side, quiet = round(cards.marker_side_mm * _PX_PER_MM), round(cards.quiet_mm * _PX_PER_MM)
    marker = cv2.aruco.generateImageMarker(dictionary, number, side)
    printed = np.full((side + 2 * quiet, side + 2 * quiet), _PAPER, np.uint8)
    printed[quiet:-quiet, quiet:-quiet] = np.where(marker > 0, _PAPER, _INK)
    return printed
