"""Which picture cards lie on the desk: each has an ArUco marker that the mat has not. Never required."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from device.vision.mat import Marker, Place, find_markers, project

if TYPE_CHECKING:
    from device.cameras.source import Image
    from device.kit import KitCards

_SIZES: Final = (0.75, 2.0)
"""Of its own size a card may look: somewhat small, if the desk is lower than the mat, and large when held up."""
_LOOKS: Final = 3
"""Looks, of which most decide: one a second, a card is known two seconds after it was laid down."""


@dataclass(frozen=True, slots=True)
class CardSet:
    """The cards there are."""

    numbers: frozenset[int]
    side_mm: float
    """Of a marker's black square."""

    @classmethod
    def of(cls, cards: "KitCards") -> "CardSet":
        """The cards of the kit."""
        return cls(frozenset(cards.names), cards.marker_side_mm)


@dataclass(frozen=True, slots=True)
class CardsHeld:
    """Which cards lie there, and the looks it goes on."""

    numbers: tuple[int, ...] = ()
    """In ascending order."""
    looks: tuple[tuple[int, ...], ...] = ()


def find_cards(grey: "Image", cards: CardSet, place: Place | None = None) -> tuple[int, ...]:
    """The cards in a picture of the overhead camera.

    Args:
        grey: `(height, width) uint8`, of any size; what is none holds no card.
        cards: those there are.
        place: where the mat lies in pictures of this size, if that is known; then what is not of a card's size is none.

    Returns:
        Their numbers in ascending order, each once.
    """
    return cards_among(find_markers(grey), cards, place)


def cards_among(markers: Iterable[Marker], cards: CardSet, place: Place | None = None) -> tuple[int, ...]:
    """The cards among markers that are found already, so that cards and mat need one search only."""
    return tuple(sorted({one.number for one in markers if one.number in cards.numbers and _is_one(one, cards, place)}))


def cards_held(now: tuple[int, ...], before: CardsHeld) -> CardsHeld:
    """Take one look into account: a card lies there when most of the last looks found it, and so it is gone.

    Args:
        now: what the look found.
        before: what was known; `CardsHeld()` at first.
    """
    looks = (*before.looks, now)[-_LOOKS:]
    found = sorted({number for look in looks for number in look})
    return CardsHeld(tuple(one for one in found if 2 * sum(one in look for look in looks) > _LOOKS), looks)


def _is_one(marker: Marker, cards: CardSet, place: Place | None) -> bool:
    if place is None:
        return True
    corners_mm = project(np.asarray(np.linalg.inv(place.homography), np.float64), marker.corners_px)
    side_mm = float(np.mean(np.linalg.norm(corners_mm - np.roll(corners_mm, 1, axis=0), axis=1)))
    return _SIZES[0] * cards.side_mm <= side_mm <= _SIZES[1] * cards.side_mm
