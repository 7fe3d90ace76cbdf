"""The desk mat as it comes out of a printer: true to scale, found by OpenCV, and calm."""

import itertools
from pathlib import Path

import cv2
import numpy as np
import pytest

import hardware
from device.cameras.sources.art.canvas import Stage
from device.cameras.sources.scene_desk import DeskScene
from device.kit import KitMat, kit
from hardware.desk_mat import PAPERS, desk_mat
from hardware.sheet import MODULES, PAPERS_MM
from hardware.tables import kit_table
from tests.hardware.printing import PX_PER_MM, Page, found, found_mm, photographed, printed, ran

MAT = kit().mat
TOLERANCE_MM = 0.1
PRINTABLE_MM = 5.0  # no office printer needs a wider margin


@pytest.fixture(scope="module", params=PAPERS)
def paper(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module")
def page(paper: str) -> Page:
    return printed(desk_mat(paper))


@pytest.fixture(scope="module")
def face(paper: str) -> tuple[float, float]:
    """Where the mat's face begins on the paper, in millimetres."""
    width, height = PAPERS_MM[paper]
    return (width - MAT.width_mm) / 2, (height - MAT.height_mm) / 2


def test_the_programs_and_the_kiosk_read_the_same_mat() -> None:
    assert KitMat.model_validate(kit_table("mat")) == MAT
    dictionary = cv2.aruco.getPredefinedDictionary(getattr(cv2.aruco, MAT.dictionary))
    assert dictionary.markerSize + 2 == MODULES


def test_the_markers_are_where_the_corners_are_and_one_module_of_white_is_around_each() -> None:
    assert MAT.marker_ids == (0, 1, 2, 3)
    half = MAT.marker_side_mm / 2
    corners = [(half, half), (MAT.width_mm - half, half)]
    corners += [(x, MAT.height_mm - half) for x, _ in reversed(corners)]
    assert [(one.x_mm, one.y_mm) for one in MAT.markers] == corners
    assert MAT.quiet_mm >= MAT.marker_side_mm / MODULES


def test_corners_are_given_clockwise_from_the_upper_left() -> None:
    left, right = MAT.width_mm - MAT.marker_side_mm, MAT.width_mm
    assert MAT.marker_corners_mm(1) == ((left, 0), (right, 0), (right, right - left), (left, right - left))


def test_a_marker_that_the_mat_has_not_is_a_key_error() -> None:
    with pytest.raises(KeyError):
        MAT.marker_corners_mm(4)


def test_the_page_is_as_large_as_the_paper(page: Page, paper: str) -> None:
    assert page.size_mm == pytest.approx(PAPERS_MM[paper], abs=0.01)


def test_each_marker_is_printed_where_the_kit_says(page: Page, face: tuple[float, float]) -> None:
    seen = found_mm(page, MAT.dictionary)
    assert sorted(seen) == list(MAT.marker_ids)
    for marker_id, corners in seen.items():
        assert corners - face == pytest.approx(np.array(MAT.marker_corners_mm(marker_id)), abs=TOLERANCE_MM)


def test_both_papers_have_the_same_marker_rectangle() -> None:
    one, other = (found_mm(printed(desk_mat(paper)), MAT.dictionary) for paper in PAPERS)
    apart = np.concatenate([one[marker_id] - other[marker_id] for marker_id in MAT.marker_ids])
    assert apart - apart.mean(axis=0) == pytest.approx(np.zeros_like(apart), abs=TOLERANCE_MM)


def test_the_rule_is_as_long_as_it_says(page: Page, face: tuple[float, float]) -> None:
    middle = face[0] + MAT.width_mm / 2
    above_the_line = page.part(middle - 60, face[1] + 1.8, middle + 60, face[1] + 2.6)
    ink = 255.0 - above_the_line.mean(axis=0)
    ticks = [run for run in np.split(np.arange(ink.size), np.flatnonzero(np.diff(ink > 0)) + 1) if ink[run[0]] > 0]
    at_mm = [float(np.average(run + 0.5, weights=ink[run])) / PX_PER_MM for run in ticks]
    assert at_mm[-1] - at_mm[0] == pytest.approx(MAT.rule_mm, abs=TOLERANCE_MM)
    assert np.diff(at_mm) == pytest.approx(np.full(10, 10.0), abs=TOLERANCE_MM)
    assert page.words[0] == f"Print at 100 %. This line is {MAT.rule_mm:g} mm long."


def test_it_says_where_the_student_sits_and_nothing_else(page: Page) -> None:
    assert page.words[1:] == ["The student sits at this side."]


def test_the_quiet_zones_are_white(page: Page, face: tuple[float, float]) -> None:
    for marker in MAT.markers:
        x, y, half = face[0] + marker.x_mm, face[1] + marker.y_mm, MAT.marker_side_mm / 2
        reach = half + MAT.quiet_mm
        around = page.part(x - reach, y - reach, x + reach, y + reach).copy()
        rim, side = round((MAT.quiet_mm - 0.2) * PX_PER_MM), around.shape[0]
        assert around[rim : side - rim, rim : side - rim].min() == 0
        around[rim : side - rim, rim : side - rim] = 255
        assert around.min() == 255


def test_the_work_has_an_empty_middle(page: Page, face: tuple[float, float]) -> None:
    x, y = face[0] + MAT.width_mm / 2, face[1] + MAT.height_mm / 2
    # US Letter lying on its long side: what a worksheet is mostly printed on.
    width, height = PAPERS_MM["letter"]
    assert page.part(x - width / 2, y - height / 2, x + width / 2, y + height / 2).min() == 255


def test_an_office_printer_reaches_all_of_it(page: Page) -> None:
    assert min(page.inked()) > PRINTABLE_MM


def test_it_is_made_of_lines_and_words_only(page: Page) -> None:
    assert page.is_vector_only


@pytest.mark.parametrize("covered", list(itertools.combinations(MAT.marker_ids, 2)), ids=str)
def test_arms_over_two_markers_leave_two(page: Page, face: tuple[float, float], covered: tuple[int, int]) -> None:
    grey = page.grey.copy()
    for marker_id in covered:
        x, y = np.round((np.add(MAT.marker_corners_mm(marker_id)[0], face) + MAT.marker_side_mm / 2) * PX_PER_MM)
        beside = 0 if x < grey.shape[1] / 2 else grey.shape[1]
        cv2.line(grey, (beside, int(y)), (int(x), int(y)), (150,), thickness=50 * PX_PER_MM)
    assert set(found(grey, MAT.dictionary)) == set(MAT.marker_ids) - set(covered)


@pytest.mark.parametrize("tilt_deg", [0.0, 20.0])
@pytest.mark.parametrize("turn_deg", [0.0, 7.0, 180.0])
def test_a_small_noisy_picture_from_the_side_shows_all_four(page: Page, tilt_deg: float, turn_deg: float) -> None:
    picture = photographed(page, 640, tilt_deg=tilt_deg, turn_deg=turn_deg)
    assert set(found(picture, MAT.dictionary)) == set(MAT.marker_ids)


def test_the_smallest_picture_that_is_looked_at_shows_all_four(page: Page) -> None:
    picture = photographed(page, 320, tilt_deg=5.0)
    assert set(found(picture, MAT.dictionary)) == set(MAT.marker_ids)


@pytest.mark.parametrize(("width", "px_per_mm"), [(640, 1.0), (1280, 2.0), (1920, 3.0)])
def test_the_scene_of_a_desk_shows_the_same_mat(width: int, px_per_mm: float) -> None:
    stage = Stage(width, width * 9 // 16)
    seen = found(cv2.cvtColor(DeskScene(stage, seed=1).draw(0.0), cv2.COLOR_BGR2GRAY).astype(np.uint8), MAT.dictionary)
    face = np.array([stage.width / 2, stage.height / 2]) - px_per_mm * np.array([MAT.width_mm, MAT.height_mm]) / 2
    assert set(seen) == set(MAT.marker_ids)
    for marker_id, corners in seen.items():
        expected = np.array(MAT.marker_corners_mm(marker_id)) * px_per_mm + face
        assert corners == pytest.approx(expected, abs=0.5)


def test_the_page_about_the_kit_tells_what_is_printed() -> None:
    told = Path(hardware.__path__[0], "README.md").read_text(encoding="utf-8")
    assert f"{MAT.marker_side_mm:g} mm ArUco markers ({MAT.dictionary})" in told
    assert f"with {MAT.quiet_mm:g} mm of white" in told
    assert f"span {MAT.width_mm:g} x {MAT.height_mm:g} mm" in told
    assert f"is {MAT.rule_mm:g} mm long" in told
    assert ", ".join(kit().cards.names.values()) in told


def test_it_is_the_same_file_on_another_day(paper: str, monkeypatch: pytest.MonkeyPatch) -> None:
    today = desk_mat(paper)
    monkeypatch.setattr("time.time", lambda: 1_000_000_000.0)
    assert desk_mat(paper) == today


def test_it_is_the_same_file_on_another_machine(tmp_path: Path) -> None:
    files = {zone: tmp_path / f"{number}.pdf" for number, zone in enumerate(("UTC", "America/Chicago"))}
    for seed, (zone, file) in enumerate(files.items()):
        done = ran("hardware.desk_mat", "-o", str(file), TZ=zone, PYTHONHASHSEED=str(seed))
        assert (done.returncode, done.stderr) == (0, "")
    assert {file.read_bytes() for file in files.values()} == {desk_mat("a3")}


def test_the_print_dialog_starts_without_scaling(paper: str) -> None:
    assert b"/PrintScaling /None" in desk_mat(paper)


def test_a_file_that_cannot_be_written_is_told_with_what_to_do(tmp_path: Path) -> None:
    done = ran("hardware.desk_mat", "-o", str(tmp_path / "no such folder" / "mat.pdf"))
    assert done.returncode == 2
    assert "mat.pdf cannot be written: No such file or directory. Name a file in a folder" in done.stderr
    assert "Traceback" not in done.stderr
