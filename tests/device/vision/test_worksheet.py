"""A straight worksheet: by the mat, by a sheet's own sides, and from photographs of pages."""

from dataclasses import replace
from functools import cache
from typing import TYPE_CHECKING, TypeAlias, cast

import cv2
import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as some

from device.vision.mat import find_markers, find_mat
from device.vision.page import Page, page
from device.vision.worksheet import (
    AROUND_MM,
    BadView,
    Origin,
    even_light,
    rectified,
    straightened,
    worksheet,
)
from tests import media
from tests.device.vision.kit import flat, grey, noisy, scene
from tests.device.vision.test_mat import FULL_HD, HD, IDS, MAT, TWO_OF_THEM, View, apart_px, grey_of, looked_at, views
from wire.stills import sharp_enough

if TYPE_CHECKING:
    from device.cameras.source import Image

Points: TypeAlias = npt.NDArray[np.float64]

DESK_COLOUR, PAPER, INK = (70, 100, 128), (226, 232, 233), (60, 55, 52)


# By the mat.


def off_px(straight: "Image", px_per_mm: float, around_mm: float = 0.0) -> float:
    """How far the worst corner of a marker is from where it has to be in a straight picture of the mat."""
    found = {one.number: one.corners_px for one in find_markers(grey_of(straight))}
    assert found, "no marker is seen in it"
    return max(
        apart_px(corners, (MAT.markers_mm[number] + around_mm) * px_per_mm - 0.5) for number, corners in found.items()
    )


@settings(max_examples=8, deadline=None)
@given(views(FULL_HD))
def test_the_mat_comes_back_straight_whichever_way_it_lay(view: View) -> None:
    image = view.taken()
    found = worksheet(image, MAT, px_per_mm=3.0)
    assert found is not None
    assert found.origin is Origin.MAT
    assert found.px_per_mm == 3.0
    assert found.image.shape == (round((260 + 2 * AROUND_MM) * 3), round((400 + 2 * AROUND_MM) * 3), 3)
    assert {one.number for one in find_markers(grey_of(found.image))} == set(IDS)
    assert off_px(found.image, 3.0, AROUND_MM) < 2.0


@pytest.mark.parametrize("covered", TWO_OF_THEM)
def test_it_comes_back_straight_with_arms_over_any_two_markers(covered: tuple[int, int]) -> None:
    view = View(FULL_HD, tilt_deg=8, toward_deg=100, turn_deg=-4)
    small = replace(view, size=(320, 180))
    held = find_mat(grey_of(small.taken()), MAT).place
    image = view.taken(covered)
    seen = find_mat(grey_of(image), MAT).place
    found = worksheet(image, MAT, held)
    assert found is not None
    assert seen is not None
    bare = rectified(view.taken(), seen.homography, MAT, 3.0, AROUND_MM)
    # Markers of one short side only leave more doubt, which is said: see `Place.error_px`.
    assert off_px(bare, 3.0, AROUND_MM) < (2.0 if covered not in {(0, 3), (1, 2)} else 4.0)


@settings(max_examples=10, deadline=None)
@given(st.floats(1.0, 6.0))
def test_the_scale_is_exactly_what_was_asked(px_per_mm: float) -> None:
    view = View(tilt_deg=15, toward_deg=40)
    image, homography = view.taken(), view.homography
    bare = rectified(image, homography, MAT, px_per_mm)
    assert bare.shape == (round(260 * px_per_mm), round(400 * px_per_mm), 3)
    straight = rectified(image, homography, MAT, px_per_mm, AROUND_MM)
    markers = {one.number: one.corners_px for one in find_markers(grey_of(straight))}
    across = np.linalg.norm(markers[1][1] - markers[0][0]) / MAT.width_mm
    down = np.linalg.norm(markers[3][3] - markers[0][0]) / MAT.height_mm
    assert across == pytest.approx(px_per_mm, rel=0.01)
    assert down == pytest.approx(px_per_mm, rel=0.01)


@pytest.mark.parametrize("size", [HD, FULL_HD])
def test_the_scenes_worksheet_has_the_cameras_own_scale(size: tuple[int, int]) -> None:
    [desk] = scene("overhead", [40.0], size)
    found = worksheet(desk, MAT)
    assert found is not None
    assert found.origin is Origin.MAT
    assert found.evened
    assert found.px_per_mm == pytest.approx(size[0] / 640, rel=0.01)
    assert off_px(found.image, size[0] / 640, AROUND_MM) < 2.0


def test_a_camera_that_hangs_upside_down_gives_an_upright_worksheet() -> None:
    [desk] = scene("overhead", [40.0], HD)
    upright = worksheet(desk, MAT)
    turned = worksheet(cast("Image", np.ascontiguousarray(desk[::-1, ::-1])), MAT)
    assert upright is not None
    assert turned is not None
    assert np.abs(upright.image.astype(int) - turned.image.astype(int)).mean() < 3


def test_a_mat_under_both_arms_is_where_the_small_copies_had_it() -> None:
    [desk] = scene("overhead", [40.0], FULL_HD)
    held = find_mat(grey(desk), MAT).place
    hidden = desk.copy()
    for corners in MAT.markers_mm.values():
        x, y = np.round((corners[0] - (200, 130)) * 3 + (960, 540)).astype(int)
        hidden[y - 30 : y + 156, x - 30 : x + 156] = (120, 150, 198)
    found = worksheet(hidden, MAT, held, px_per_mm=3.0, evened=False)
    truth = worksheet(desk, MAT, px_per_mm=3.0, evened=False)
    assert found is not None
    assert truth is not None
    assert found.origin is Origin.MAT
    assert apart_px(found.corners_px, truth.corners_px) < 2.0


def test_handwriting_needs_three_pixels_to_the_millimetre() -> None:
    assert sharp_enough(3.0)
    assert not sharp_enough(2.9)
    assert not sharp_enough(float("nan"))


# By the sheet itself.


def on_a_desk(sheet: "Image", corners: Points, size: tuple[int, int] = HD) -> "Image":
    """A sheet that lies on a wooden desk with these corners in the picture."""
    height, width = sheet.shape[:2]
    own = np.array([(0, 0), (width, 0), (width, height), (0, height)], np.float32) - np.float32(0.5)
    matrix = cv2.getPerspectiveTransform(own, corners.astype(np.float32))
    laid = cv2.warpPerspective(sheet, matrix, size, flags=cv2.INTER_AREA)
    mask = cv2.warpPerspective(np.ones((height, width), np.float32), matrix, size)[..., np.newaxis]
    grain = np.sin(np.arange(size[1]) / 7)[:, np.newaxis, np.newaxis] * 4
    return noisy(cast("Image", np.clip(laid * mask + (np.array(DESK_COLOUR) + grain) * (1 - mask), 0, 255)), 3)


def sheet_of(height_mm: float, width_mm: float) -> "Image":
    """Blank paper, four pixels to the millimetre."""
    return np.full((round(4 * height_mm), round(4 * width_mm), 3), PAPER, np.uint8)


def written(height_mm: float = 297, width_mm: float = 210, slope_deg: float = 0.0) -> "Image":
    """A sheet with fifteen lines of writing, which may run askew on it."""
    sheet = sheet_of(height_mm, width_mm)
    chance = np.random.default_rng(4)
    for line in range(15):
        for x in range(100, sheet.shape[1] - 100, 18):
            if chance.random() < 0.8:
                y = 0.1 * sheet.shape[0] + line * 0.055 * sheet.shape[0]
                y += np.tan(np.radians(slope_deg)) * (x - sheet.shape[1] / 2)
                stroke = chance.integers(0, 12, 4)
                ends = (x + int(stroke[0]), round(y) - int(stroke[1])), (x + int(stroke[2]), round(y) - int(stroke[3]))
                cv2.line(sheet, ends[0], ends[1], INK, 3, cv2.LINE_AA)
    return sheet


def photographed(height_mm: float, width_mm: float, tilt_deg: float, turn_deg: float) -> Points:
    """The corners of a sheet under a pinhole camera, in pixels."""
    view = View(tilt_deg=tilt_deg, toward_deg=turn_deg + 30, turn_deg=turn_deg, across=0.75)
    middle = np.array([MAT.width_mm, MAT.height_mm]) / 2
    half = np.array([width_mm, height_mm]) / 2
    corners = np.array([(-1, -1), (1, -1), (1, 1), (-1, 1)]) * half * 0.9 + middle
    through = np.column_stack([corners, np.ones(4)]) @ view.homography.T
    return np.asarray(through[:, :2] / through[:, 2:])


@settings(max_examples=25, deadline=None)
@given(
    st.sampled_from([(297, 210), (279, 216), (210, 297), (200, 200)]),
    st.floats(0, 25),
    st.floats(-30, 30),
    st.booleans(),
)
def test_a_sheet_is_found_by_its_sides(size_mm: tuple[int, int], tilt_deg: float, turn_deg: float, blank: bool) -> None:
    corners = photographed(*size_mm, tilt_deg, turn_deg)
    found = page(on_a_desk(sheet_of(*size_mm) if blank else written(*size_mm), corners))
    assert found is not None
    assert found.is_whole
    assert found.is_flat
    assert apart_px(found.corners_px, corners) < 0.01 * HD[0]


@pytest.mark.parametrize("size_mm", [(297, 210), (279.4, 215.9)])
@pytest.mark.parametrize("tilt_deg", [0.0, 12.0, 25.0])
@pytest.mark.parametrize("turn_deg", [-20.0, 0.0, 10.0])
def test_a4_and_letter_get_their_own_shape_back(size_mm: tuple[float, float], tilt_deg: float, turn_deg: float) -> None:
    desk = on_a_desk(written(*size_mm), photographed(*size_mm, tilt_deg, turn_deg))
    found = page(desk)
    assert found is not None
    straight, _ = straightened(desk, found)
    assert straight.shape[0] / straight.shape[1] == pytest.approx(size_mm[0] / size_mm[1], rel=0.004)


def test_a_sheet_of_no_common_size_keeps_its_shape() -> None:
    desk = on_a_desk(sheet_of(250, 230), photographed(250, 230, 20, 5))
    found = page(desk)
    assert found is not None
    straight, _ = straightened(desk, found)
    assert straight.shape[0] / straight.shape[1] == pytest.approx(250 / 230, rel=0.03)


def test_an_arm_over_the_sheet_does_not_hide_where_it_lies() -> None:
    corners = photographed(297, 210, 10, -4)
    desk = on_a_desk(written(), corners)
    lower_right = tuple(np.round(corners[2]).astype(int).tolist())
    middle = tuple(np.round(corners.mean(axis=0)).astype(int).tolist())
    cv2.line(desk, middle, (lower_right[0] + 60, lower_right[1] + 200), (120, 150, 198), 90, cv2.LINE_AA)
    found = page(desk)
    assert found is not None
    assert apart_px(found.corners_px, corners) < 0.015 * HD[0]


def test_the_scenes_sheet_is_found_where_no_mat_is_known() -> None:
    [desk] = scene("overhead", [40.0], HD)
    found = page(desk)
    assert found is not None
    assert apart_px(found.corners_px, np.array([(399, 72), (856, 52), (882, 654), (426, 674)])) < 12


def test_what_is_printed_on_a_sheet_is_not_taken_for_its_sides() -> None:
    sheet = written()
    sheet[150:230, 60:-60] = (140, 90, 60)  # a heading's band
    sheet[:, 130:136] = (70, 70, 215)  # a red margin
    sheet[700:703, 40:-40] = INK  # a rule
    corners = photographed(297, 210, 5, 3)
    found = page(on_a_desk(sheet, corners))
    assert found is not None
    assert apart_px(found.corners_px, corners) < 0.01 * HD[0]


def test_a_childs_slanting_lines_stay_as_they_were_written() -> None:
    desk = on_a_desk(written(slope_deg=4.0), photographed(297, 210, 12, 6))
    found = worksheet(desk, MAT)
    assert found is not None
    assert found.origin is Origin.PAGE
    assert found.px_per_mm is None
    assert line_slopes(found.image)[1] == pytest.approx(4.0, abs=0.6)


@pytest.mark.parametrize("quarter", [1, 2, 3])
def test_a_page_on_its_side_is_turned_and_one_upside_down_is_left(quarter: int) -> None:
    sheet = cast("Image", np.ascontiguousarray(np.rot90(written(), quarter)))
    corners = photographed(*((210, 297) if quarter % 2 else (297, 210)), 5, 0)
    found = worksheet(on_a_desk(sheet, corners), MAT)
    assert found is not None
    height, width = found.image.shape[:2]
    assert height > width
    assert line_slopes(found.image)[1] == pytest.approx(0.0, abs=0.6)


def test_a_bare_desk_has_no_page() -> None:
    bare = noisy(flat(130, HD), 4)
    assert page(bare) is None
    assert worksheet(bare, MAT) is None


# From photographs.


def photograph(name: str) -> "Image":
    for place in media._places():
        if (path := place / f"overhead-{name}.jpg").is_file():
            return cast("Image", cv2.imread(str(path)))
    pytest.skip("the photographs are not here")


def line_slopes(image: "Image", parts: int = 3) -> list[float]:
    """How lines slope in parts of a page from its top to its bottom, degrees: where their shadow is sharpest."""
    small = cv2.resize(image, None, fx=1000 / image.shape[0], fy=1000 / image.shape[0], interpolation=cv2.INTER_AREA)
    level = cv2.cvtColor(small, cv2.COLOR_BGR2GRAY)
    dark = (level < cv2.blur(level, (31, 31)) * 0.88).astype(np.float32)[40:-40, 40:-40]
    slopes = np.arange(-8, 8.01, 0.1)
    told = []
    for part in np.array_split(dark, parts):
        middle = part.shape[1] / 2
        sharp = []
        for slope in slopes:
            shear = np.array([(1, 0, 0), (-np.tan(np.radians(slope)), 1, np.tan(np.radians(slope)) * middle)])
            profile = cv2.warpAffine(part, shear, (part.shape[1], part.shape[0])).sum(axis=1)
            sharp.append(float(np.square(np.diff(profile)).sum()))
        told.append(float(slopes[int(np.argmax(sharp))]))
    return told


def assert_level(image: "Image") -> None:
    """Lines are level to a degree; what a book's page is bent by is left, and slopes some of them by a little more."""
    assert abs(line_slopes(image, 1)[0]) <= 1.0
    assert max(abs(slope) for slope in line_slopes(image)) <= 1.5


def across(start: Points, end: Points, y: float) -> float:
    """Where a side is at this height."""
    return float(start[0] + (end[0] - start[0]) * (y - start[1]) / (end[1] - start[1]))


@cache
def straight_photograph(name: str) -> tuple[Page, "Image"]:
    image = photograph(name)
    found = page(image)
    assert found is not None
    return found, straightened(image, found)[0]


@pytest.mark.parametrize(
    ("name", "left", "right"),
    [
        # Measured by eye. The left side of the book's page is hardly told from the leaves below, so theirs counts.
        ("book", [(138, 300), (128, 900), (115, 1500)], [(1327, 400), (1347, 1500)]),
        ("page", [(126, 400), (127, 1500), (128, 1850)], [(1362, 400), (1345, 1500), (1333, 1850)]),
    ],
)
def test_a_photographed_pages_sides_are_where_the_eye_sees_them(
    name: str, left: list[tuple[int, int]], right: list[tuple[int, int]]
) -> None:
    found, _ = straight_photograph(name)
    upper_left, upper_right, lower_right, lower_left = found.corners_px
    for x, y in left:
        assert across(upper_left, lower_left, y) == pytest.approx(x, abs=12)
    for x, y in right:
        assert across(upper_right, lower_right, y) == pytest.approx(x, abs=12)
    # A bent page's top and bottom are not straight: it is enough that the page lies between them.
    assert max(upper_left[1], upper_right[1]) < 160
    assert min(lower_left[1], lower_right[1]) > 1840


@pytest.mark.parametrize("name", ["book", "page"])
def test_a_photographed_page_comes_back_straight_and_upright(name: str) -> None:
    assert max(abs(slope) for slope in line_slopes(photograph(name))) > 1.5, "it was askew before"
    _, straight = straight_photograph(name)
    assert straight.shape[0] > 1.3 * straight.shape[1]
    assert_level(straight)


@pytest.mark.parametrize("name", ["book", "page"])
@pytest.mark.parametrize("quarter", [1, 2, 3])
def test_a_photographed_page_comes_back_with_level_lines_whichever_way_it_lay(name: str, quarter: int) -> None:
    image = cast("Image", np.ascontiguousarray(np.rot90(photograph(name), quarter)))
    found = worksheet(image, MAT)
    assert found is not None
    assert found.image.shape[0] > 1.3 * found.image.shape[1]
    assert_level(found.image)


def test_a_dim_photograph_gets_even_light() -> None:
    _, straight = straight_photograph("page")
    before, after = (grey_of(one)[200:-200, 200:-200] for one in (straight, even_light(straight)))
    light = [[float(np.percentile(part, 70)) for part in np.array_split(one, 6, axis=1)] for one in (before, after)]
    assert max(light[0]) > 1.8 * min(light[0])
    assert max(light[1]) < 1.1 * min(light[1])


# Even light.


def in_shade(sheet: "Image") -> "Image":
    """A sheet with a lamp from the left and the shadow of an arm across it."""
    height, width = sheet.shape[:2]
    light = np.linspace(1.0, 0.7, width)[np.newaxis, :] * np.ones((height, 1))
    shadow = np.zeros((height, width), np.float32)
    cv2.line(shadow, (0, height), (width, height // 3), 1.0, height // 5)
    light *= 1 - 0.45 * cv2.GaussianBlur(shadow, (0, 0), 12)
    return noisy(cast("Image", sheet * light[..., np.newaxis]), 2)


def test_shadows_go_and_ink_and_colours_stay() -> None:
    sheet = written()
    sheet[700:900, 150:350] = (60, 60, 210)  # a red patch
    sheet[700:900, 450:650] = (200, 120, 40)  # a blue one
    even = even_light(in_shade(sheet))
    paper = even[(sheet == PAPER).all(axis=2)].astype(float)
    assert paper.mean() > 225
    assert paper.std() < 10
    assert even[(sheet == INK).all(axis=2)].mean() < 110
    for x, hue in ((250, 0), (550, 210)):
        blue, green, red = even[720:880, x - 60 : x + 60].reshape(-1, 3).astype(float).mean(axis=0)
        asked = cv2.cvtColor(np.array([[[blue / 255, green / 255, red / 255]]], np.float32), cv2.COLOR_BGR2HSV)[0, 0]
        assert min(abs(asked[0] - hue), 360 - abs(asked[0] - hue)) < 10
        assert asked[1] > 0.5


def test_even_light_leaves_a_sheet_that_is_evenly_lit() -> None:
    sheet = written()
    assert np.abs(even_light(sheet).astype(int) - sheet.astype(int)).mean() < 12


def test_even_light_has_nothing_to_do_in_the_dark() -> None:
    black = np.zeros((40, 60, 3), np.uint8)
    assert even_light(black).shape == black.shape
    assert even_light(black).max() < 40


# What is none.


@settings(max_examples=60, deadline=None)
@given(
    some.arrays(
        st.sampled_from([np.uint8, np.float32, np.int64]),
        some.array_shapes(min_dims=0, max_dims=4, min_side=0, max_side=48),
    )
)
def test_what_is_no_picture_has_no_worksheet(nonsense: "Image") -> None:
    assume(nonsense.ndim != 3 or nonsense.shape[2] != 3 or nonsense.dtype != np.uint8)
    assert page(nonsense) is None
    assert even_light(nonsense) is nonsense
    assert worksheet(nonsense, MAT) is None


@settings(max_examples=30, deadline=None)
@given(some.arrays(np.uint8, st.tuples(st.integers(1, 90), st.integers(1, 90), st.just(3))))
def test_any_picture_has_a_worksheet_or_none_and_ends_nothing(image: "Image") -> None:
    found = worksheet(image, MAT)
    assert found is None or found.image.ndim == 3
    assert even_light(image).shape == image.shape


def test_a_pose_of_no_numbers_is_refused_and_the_page_is_taken() -> None:
    place = looked_at(View()).place
    assert place is not None
    nowhere = replace(place, homography=np.full((3, 3), np.nan))
    desk = on_a_desk(written(), photographed(297, 210, 5, 0))
    with pytest.raises(BadView, match="finite"):
        rectified(desk, nowhere.homography, MAT, 3.0)
    found = worksheet(desk, MAT, nowhere)
    assert found is not None
    assert found.origin is Origin.PAGE


@pytest.mark.parametrize("px_per_mm", [0.0, -1.0, 1e9, float("nan"), float("inf"), 1e-9])
def test_a_scale_that_cannot_be_is_refused(px_per_mm: float) -> None:
    with pytest.raises(BadView, match="pixels to the millimetre"):
        rectified(flat(90, HD), View().homography, MAT, px_per_mm)


def test_what_is_no_picture_or_no_page_is_refused() -> None:
    with pytest.raises(BadView, match="uint8"):
        rectified(np.zeros((0, 0), np.uint8), View().homography, MAT, 3.0)
    inside_out = Page(np.array([(0, 0), (0, 90), (90, 90), (90, 0)], float), is_whole=True, straight=(True,) * 4)
    with pytest.raises(BadView, match="corners"):
        straightened(flat(90, HD), inside_out)
    with pytest.raises(BadView, match="corners"):
        straightened(flat(90, HD), replace(inside_out, corners_px=np.full((4, 2), np.nan)))
