"""The overhead camera's looks tell of cards: numbers, in the search that finds the mat, and of no other camera."""

from dataclasses import replace
from typing import TYPE_CHECKING, Final

import pytest

from device.cameras.boundary import Report, WorkerState
from device.cameras.eyes import Eyes
from device.cameras.source import Frame
from device.kit import kit
from device.vision import mat
from tests.device.vision.test_cards import BOAT, FOX, side_px, with_card
from tests.device.vision.test_mat import View

if TYPE_CHECKING:
    from device.cameras.source import Image

_S: Final = 1_000_000_000


class Desk:
    """One camera's looks, one a second."""

    def __init__(self, role: str = "overhead", *, has_mat: bool = True, has_cards: bool = True) -> None:
        self.eyes = Eyes(role, kit().mat.plain if has_mat else None, kit().cards.plain if has_cards else None)
        self._second = 10

    def looks(self, image: "Image", times: int = 3) -> tuple[int, ...] | None:
        for _ in range(times):
            self._second += 1
            self.eyes.look(Frame(image, self._second * _S), self._second * _S)
        return self.eyes.cards


def desk(*numbers: int) -> "Image":
    view = View()
    image = view.taken()
    for place, number in enumerate(numbers):
        image = with_card(image, number, (500 + 200 * place, 340), side_px(view), 20 * place)
    return image


def test_cards_are_known_after_two_looks_and_forgotten_after_two() -> None:
    camera = Desk()
    assert camera.looks(desk(), 1) == ()
    assert camera.looks(desk(FOX), 1) == ()
    assert camera.looks(desk(FOX, BOAT), 1) == (FOX,)
    assert camera.looks(desk(FOX, BOAT), 1) == (FOX, BOAT)
    assert camera.looks(desk(), 2) == ()


def test_the_mat_is_still_known_beside_the_cards() -> None:
    camera = Desk()
    camera.looks(desk(FOX))
    assert camera.eyes.mat is not None
    assert camera.eyes.mat["markers"] == 4


def test_only_the_overhead_camera_looks_for_cards_and_only_if_there_are_any() -> None:
    assert Desk("front").looks(desk(FOX)) is None
    assert Desk(has_cards=False).looks(desk(FOX)) is None
    assert Desk(has_mat=False, has_cards=False).looks(desk(FOX)) is None
    nobody = Eyes("overhead", None, {"numbers": [], "side_mm": 36.0})
    nobody.look(Frame(desk(FOX), 20 * _S), 20 * _S)
    assert nobody.cards is None


def test_a_kiosk_without_a_mat_knows_cards_too() -> None:
    assert Desk(has_mat=False).looks(desk(FOX)) == (FOX,)


def test_a_closed_camera_knows_of_no_card() -> None:
    camera = Desk()
    camera.looks(desk(FOX))
    camera.eyes.close()
    assert camera.eyes.cards is None
    assert camera.looks(desk(), 1) == ()


def test_one_search_serves_mat_and_cards(monkeypatch: pytest.MonkeyPatch) -> None:
    searched: list[Image] = []
    real = mat.find_markers

    def counted(grey: "Image") -> tuple[mat.Marker, ...]:
        searched.append(grey)
        return real(grey)

    monkeypatch.setattr(mat, "find_markers", counted)
    Desk().looks(desk(FOX), 3)
    assert len(searched) == 3


@pytest.mark.parametrize("cards", [None, (), (FOX, BOAT)])
def test_what_is_told_of_them_is_numbers(cards: tuple[int, ...] | None) -> None:
    report = Report(WorkerState.OPEN, 1)
    assert Report.parse(replace(report, cards=cards).packet()).cards == cards
