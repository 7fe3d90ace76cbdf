"""The student cards as they come out of a printer: found by OpenCV, told apart by shape, and with few words."""

import itertools
from pathlib import Path

import cv2
import numpy as np
import pytest

from device.kit import KitCards, kit
from hardware.cards import CARD_MM, PAPERS, cards
from hardware.pictures import PICTURES
from hardware.sheet import MODULES, PAPERS_MM
from hardware.tables import kit_table
from tests.hardware.printing import Grey, Page, found_mm, photographed, printed, ran
from tests.hardware.printing import found as seen_by_camera

CARDS = kit().cards
PRINTABLE_MM = 5.0  # no office printer needs a wider margin


@pytest.fixture(scope="module", params=PAPERS)
def paper(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module")
def page(paper: str) -> Page:
    return printed(cards(paper))


def card(page: Page, number: int) -> tuple[float, float, float, float]:
    """The edges of a card in millimetres, counted in rows of four."""
    width, height = CARD_MM
    row, column = divmod(number, 4)
    left = (page.size_mm[0] - 4 * width) / 2 + column * width
    top = (page.size_mm[1] - 2 * height) / 2 + row * height
    return left, top, left + width, top + height


def picture(page: Page, number: int) -> Grey:
    """What is above a card's small print."""
    left, top, right, _ = card(page, number)
    return page.part(left + 1, top + 1, right - 1, top + 44)


def test_the_programs_and_the_kiosk_read_the_same_cards() -> None:
    assert KitCards.model_validate(kit_table("cards")) == CARDS


def test_no_card_has_a_marker_of_the_mat() -> None:
    assert sorted(CARDS.names) == [4, *range(10, 17)]
    assert not set(CARDS.names) & set(kit().mat.marker_ids)
    assert CARDS.dictionary == kit().mat.dictionary


def modules(number: int) -> "np.ndarray[tuple[int, ...], np.dtype[np.bool_]]":
    """The four by four modules of a marker, true where white."""
    dictionary = cv2.aruco.getPredefinedDictionary(getattr(cv2.aruco, CARDS.dictionary))
    return np.asarray(cv2.aruco.generateImageMarker(dictionary, number, MODULES)[1:-1, 1:-1] > 0)


def apart(one: int, other: int) -> int:
    """How many modules differ at least, whichever way the other is turned."""
    return min(int((modules(one) != np.rot90(modules(other), turns)).sum()) for turns in range(4))


def test_every_marker_has_light_and_dark_and_none_is_like_another() -> None:
    in_use = [*kit().mat.marker_ids, *CARDS.names]
    assert all(6 <= modules(number).sum() <= 10 for number in in_use)
    assert min(apart(one, other) for one, other in itertools.combinations(in_use, 2)) >= 5


def test_the_snails_marker_is_the_best_of_those_that_were_free() -> None:
    others = [*kit().mat.marker_ids, *range(10, 17)]
    balanced = [one for one in range(50) if one not in others and modules(one).sum() == 8]
    (snail,) = (number for number, name in CARDS.names.items() if name == "pink snail")
    assert max(balanced, key=lambda one: sorted(apart(one, other) for other in others)) == snail


def test_each_name_has_its_picture_and_each_picture_its_card() -> None:
    assert list(CARDS.names.values()) == list(PICTURES)


def test_the_page_is_as_large_as_the_paper(page: Page, paper: str) -> None:
    assert page.size_mm == pytest.approx(PAPERS_MM[paper], abs=0.01)


def test_each_card_has_its_marker_true_to_scale(page: Page) -> None:
    seen = found_mm(page, CARDS.dictionary)
    assert sorted(seen) == sorted(CARDS.names)
    for number, marker_id in enumerate(CARDS.names):
        left, top, right, bottom = card(page, number)
        corners = seen[marker_id]
        x, y = corners.mean(axis=0)
        assert left < x < right
        assert top < y < bottom
        half = CARDS.marker_side_mm / 2
        square = np.array([(x - half, y - half), (x + half, y - half), (x + half, y + half), (x - half, y + half)])
        assert corners == pytest.approx(square, abs=0.1)


def test_a_cut_card_has_its_quiet_zone(page: Page) -> None:
    assert CARDS.quiet_mm >= CARDS.marker_side_mm / MODULES
    for number, corners in enumerate(found_mm(page, CARDS.dictionary)[one] for one in CARDS.names):
        (x0, y0), (x1, y1) = corners.min(axis=0), corners.max(axis=0)
        quiet, edge = CARDS.quiet_mm, 0.2
        left, top, right, bottom = card(page, number)
        assert min(x0 - left, y0 - top, right - x1, bottom - y1) == pytest.approx(quiet, abs=0.1)
        for part in (
            page.part(x0 - quiet + edge, y0 - quiet + edge, x1 + quiet - edge, y0 - edge),
            page.part(x0 - quiet + edge, y1 + edge, x1 + quiet - edge, y1 + quiet - edge),
            page.part(x0 - quiet + edge, y0, x0 - edge, y1),
            page.part(x1 + edge, y0, x1 + quiet - edge, y1),
        ):
            assert part.min() == 255


def test_pictures_are_told_apart_by_shape_alone(page: Page) -> None:
    shapes = [picture(page, number) < 245 for number in range(len(CARDS.names))]
    assert all(0.1 < shape.mean() < 0.6 for shape in shapes)
    for one, other in itertools.combinations(shapes, 2):
        assert (one & other).sum() / (one | other).sum() < 0.75


def test_a_card_says_what_is_on_it_and_nothing_else(page: Page) -> None:
    assert " ".join(page.words) == " ".join(CARDS.names.values())


def test_an_office_printer_reaches_all_of_it(page: Page) -> None:
    assert min(page.inked()) > PRINTABLE_MM


def test_they_are_made_of_lines_and_words_only(page: Page) -> None:
    assert page.is_vector_only


@pytest.mark.parametrize("tilt_deg", [0.0, 20.0])
def test_a_small_noisy_picture_from_the_side_shows_each_card(page: Page, tilt_deg: float) -> None:
    seen = seen_by_camera(photographed(page, 640, tilt_deg=tilt_deg), CARDS.dictionary)
    assert sorted(seen) == sorted(CARDS.names)


def test_it_is_the_same_file_on_another_day(paper: str, monkeypatch: pytest.MonkeyPatch) -> None:
    today = cards(paper)
    monkeypatch.setattr("time.time", lambda: 1_000_000_000.0)
    assert cards(paper) == today


def test_it_is_the_same_file_on_another_machine(tmp_path: Path) -> None:
    files = {zone: tmp_path / f"{number}.pdf" for number, zone in enumerate(("UTC", "America/Chicago"))}
    for seed, (zone, file) in enumerate(files.items()):
        done = ran("hardware.cards", "-o", str(file), TZ=zone, PYTHONHASHSEED=str(seed))
        assert (done.returncode, done.stderr) == (0, "")
    assert {file.read_bytes() for file in files.values()} == {cards("a4")}


def test_paper_that_they_do_not_fit_on_is_refused(tmp_path: Path) -> None:
    done = ran("hardware.cards", "--paper", "tabloid", "-o", str(tmp_path / "cards.pdf"))
    assert done.returncode == 2
    assert "choose from" in done.stderr
