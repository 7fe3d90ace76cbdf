"""Where the mat lies: drawn mats seen by a pinhole camera, under arms, in noise, and looked at over time."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import TYPE_CHECKING, Final, TypeAlias, cast

import cv2
import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as some

from device.kit import kit
from device.vision.mat import Marker, MatGeometry, MatHeld, MatPose, MatSeen, find_mat, project, seen_by
from lab.pinhole import homography, px_per_mm
from tests.device.vision.kit import grey, noisy, scene

if TYPE_CHECKING:
    from device.cameras.source import Image

Points: TypeAlias = npt.NDArray[np.float64]

MAT: Final = MatGeometry.of(kit().mat)
HD, FULL_HD = (1280, 720), (1920, 1080)
IDS: Final = tuple(sorted(MAT.markers_mm))
TWO_OF_THEM: Final = tuple(combinations(IDS, 2))
FAR_ENOUGH: Final = 0.62
"""How much of the picture's width the mat takes: the whole of it is seen at a tilt of 25 degrees."""
_WHITE_MM: Final = 7
_DRAWN_PX_PER_MM: Final = 8


@dataclass(frozen=True)
class View:
    """A pinhole camera above the mat."""

    size: tuple[int, int] = HD
    tilt_deg: float = 0.0
    toward_deg: float = 0.0
    """In which direction it is tilted."""
    turn_deg: float = 0.0
    """Of the mat in its picture, clockwise as seen."""
    across: float = FAR_ENOUGH
    """How much of the picture's width the mat takes."""
    away: tuple[float, float] = (0.0, 0.0)
    """By how many of its widths the mat lies off the middle."""

    @property
    def homography(self) -> Points:
        """Millimetres of the mat to pixels."""
        return homography(
            MAT,
            self.size,
            tilt_deg=self.tilt_deg,
            toward_deg=self.toward_deg,
            turn_deg=self.turn_deg,
            across=self.across,
            away=self.away,
        )

    @property
    def corners_px(self) -> Points:
        return project(self.homography, MAT.corners_mm)

    @property
    def px_per_mm(self) -> float:
        return px_per_mm(MAT, self.homography)

    def taken(self, covered: Sequence[int] = (), *, sigma: float = 2.2, blur_px: float = 0.5) -> "Image":
        """The picture, `(height, width, 3) uint8`, with arms over some of the markers."""
        width, height = self.size
        fine = 2 if width > 1000 else 4
        grown = np.array([(fine, 0, (fine - 1) / 2), (0, fine, (fine - 1) / 2), (0, 0, 1)])
        shrunk = np.array([(1, 0, 0.5), (0, 1, 0.5), (0, 0, _DRAWN_PX_PER_MM)]) / _DRAWN_PX_PER_MM
        shrunk[:2, 2] -= _WHITE_MM
        large = cv2.warpPerspective(
            drawn_mat(), grown @ self.homography @ shrunk, (fine * width, fine * height), borderValue=(96, 124, 148)
        )
        image = cv2.resize(large, self.size, interpolation=cv2.INTER_AREA)
        for number in covered:
            self._reach_over(cast("Image", image), number)
        return noisy(cast("Image", cv2.GaussianBlur(image, (0, 0), blur_px)), 1, sigma)

    def _reach_over(self, image: "Image", number: int) -> None:
        """An arm from the nearest side of the picture over a marker."""
        hand = project(self.homography, MAT.markers_mm[number]).mean(axis=0)
        side = np.array([-40.0 if hand[0] < self.size[0] / 2 else self.size[0] + 40.0, hand[1]])
        marker_px = 42 * self.px_per_mm
        ends = [tuple(round(float(x)) for x in one) for one in (hand, side)]
        cv2.line(image, ends[0], ends[1], (120, 150, 198), round(1.3 * marker_px), cv2.LINE_AA)
        cv2.line(image, ends[0], ends[1], (90, 118, 165), 3, cv2.LINE_AA)


def drawn_mat() -> "Image":
    """The mat's face as it is printed, with some white round it."""
    drawn = np.full(
        [round((side + 2 * _WHITE_MM) * _DRAWN_PX_PER_MM) for side in (MAT.height_mm, MAT.width_mm)], 235, np.uint8
    )
    dictionary = cv2.aruco.getPredefinedDictionary(cv2.aruco.DICT_4X4_50)
    for number, corners in MAT.markers_mm.items():
        left, top = np.round((corners[0] + _WHITE_MM) * _DRAWN_PX_PER_MM).astype(int)
        side = round(float(corners[1, 0] - corners[0, 0]) * _DRAWN_PX_PER_MM)
        drawn[top : top + side, left : left + side] = np.clip(
            cv2.aruco.generateImageMarker(dictionary, number, side), 25, 235
        )
    return cast("Image", cv2.cvtColor(drawn, cv2.COLOR_GRAY2BGR))


def grey_of(image: "Image") -> "Image":
    return cast("Image", cv2.cvtColor(image, cv2.COLOR_BGR2GRAY))


def looked_at(view: View, ids: Sequence[int] = IDS) -> MatSeen:
    """What a look would find that sees these markers, each exactly."""
    markers = [Marker(number, project(view.homography, MAT.markers_mm[number])) for number in ids]
    return seen_by(markers, MAT, view.size)


def apart_px(found: Points, truth: Points) -> float:
    return float(np.linalg.norm(found - truth, axis=1).max())


@st.composite
def views(draw: st.DrawFn, size: tuple[int, int] = HD) -> View:
    """Any camera that sees all of the mat: the mat upright, on its side, or upside down, and a little askew."""
    quarter = draw(st.sampled_from((0, 90, 180, 270)))
    return View(
        size=size,
        tilt_deg=draw(st.floats(0, 25)),
        toward_deg=draw(st.floats(0, 360)),
        turn_deg=quarter + draw(st.floats(-10, 10)),
        across=draw(st.floats(0.5, FAR_ENOUGH)) * (1 if quarter % 180 == 0 else 0.62),
    )


def test_the_kits_markers_are_of_the_set_that_is_looked_for() -> None:
    assert kit().mat.dictionary == kit().cards.dictionary == "DICT_4X4_50"
    assert not set(IDS) & set(kit().cards.names)


@settings(max_examples=30, deadline=None)
@given(views())
def test_the_mat_is_placed_wherever_the_camera_looks_down_on_it(view: View) -> None:
    seen = find_mat(grey_of(view.taken()), MAT)
    assert {one.number for one in seen.markers} == set(IDS)
    assert seen.place is not None
    assert seen.place.is_sure
    assert seen.place.is_whole
    assert apart_px(seen.place.corners_px(MAT), view.corners_px) < 1.0
    assert seen.place.px_per_mm == pytest.approx(view.px_per_mm, rel=0.01)
    assert seen.place.rms_px < 1.0


@settings(max_examples=30, deadline=None)
@given(st.floats(0, 20), st.floats(0, 360), st.floats(-8, 8))
def test_a_small_copy_is_enough_to_know_where_it_lies(tilt_deg: float, toward_deg: float, turn_deg: float) -> None:
    view = View((320, 180), tilt_deg, toward_deg, turn_deg, across=0.64)
    seen = find_mat(grey_of(view.taken()), MAT)
    assert seen.place is not None
    assert seen.place.is_sure
    # To a millimetre, half a pixel.
    assert apart_px(seen.place.corners_px(MAT), view.corners_px) < 1.0
    assert seen.place.px_per_mm == pytest.approx(view.px_per_mm, rel=0.01)


@pytest.mark.parametrize("size", [HD, FULL_HD])
def test_the_scenes_mat_is_placed_while_a_hand_writes(size: tuple[int, int]) -> None:
    [desk] = scene("overhead", [40.0], size)
    seen = find_mat(grey_of(desk), MAT)
    assert seen.place is not None
    assert seen.place.px_per_mm == pytest.approx(size[0] / 640, rel=0.01)
    assert seen.place.turn_deg == pytest.approx(0, abs=0.1)
    assert seen.place.tilt == pytest.approx(0, abs=0.001)
    small = find_mat(grey(desk), MAT)
    assert small.place is not None
    assert apart_px(project(small.place.homography_for(*size), MAT.corners_mm), seen.place.corners_px(MAT)) < 2.0


@pytest.mark.parametrize("turn_deg", [-170.0, -90.0, 0.0, 12.0, 90.0, 175.0])
def test_how_the_mat_is_turned_is_told_clockwise_as_seen(turn_deg: float) -> None:
    seen = find_mat(grey_of(View(turn_deg=turn_deg, across=0.4).taken()), MAT)
    assert seen.place is not None
    assert seen.place.turn_deg == pytest.approx(turn_deg, abs=0.3)


@pytest.mark.parametrize("tilt_deg", [0.0, 10.0, 25.0, 45.0, 65.0])
@pytest.mark.parametrize("across", [0.3, 0.6])
def test_how_far_off_straight_above_the_camera_looks_is_told_from_any_height(tilt_deg: float, across: float) -> None:
    place = looked_at(View(tilt_deg=tilt_deg, toward_deg=70, across=across)).place
    assert place is not None
    assert place.tilt == pytest.approx(1 - np.cos(np.radians(tilt_deg)), abs=0.01)


@pytest.mark.parametrize("covered", TWO_OF_THEM)
def test_arms_over_any_two_markers_leave_the_mat_placed(covered: tuple[int, int]) -> None:
    view = View(FULL_HD, tilt_deg=12, toward_deg=200, turn_deg=3)
    seen = find_mat(grey_of(view.taken(covered)), MAT)
    assert {one.number for one in seen.markers} == set(IDS) - set(covered)
    assert seen.place is not None
    assert seen.place.is_sure
    # What it says of its own doubt is true, to three standard deviations.
    off_px = apart_px(seen.place.corners_px(MAT), view.corners_px)
    assert off_px < 3 * seen.place.error_px
    assert off_px < 2.0 or covered in {(0, 3), (1, 2)}, "only markers of one short side leave more doubt"


@pytest.mark.parametrize("number", IDS)
def test_a_single_marker_gives_a_place_that_says_how_poor_it_is(number: int) -> None:
    view = View(tilt_deg=10)
    seen = find_mat(grey_of(view.taken([one for one in IDS if one != number])), MAT)
    assert seen.place is not None
    assert not seen.place.is_sure
    assert seen.place.error_px > 10


def test_opposite_markers_leave_less_doubt_than_neighbours() -> None:
    opposite, above, aside = (looked_at(View(), ids).place for ids in ((0, 2), (0, 1), (0, 3)))
    assert opposite is not None
    assert above is not None
    assert aside is not None
    assert opposite.error_px < above.error_px < aside.error_px


def test_a_mat_that_leaves_the_picture_is_not_whole() -> None:
    seen = find_mat(grey_of(View(away=(0.4, 0.0)).taken()), MAT)
    assert seen.place is not None
    assert not seen.place.is_whole


def test_a_printed_copy_of_a_marker_beside_the_mat_does_not_displace_it() -> None:
    view = View(across=0.5)
    image = view.taken()
    dictionary = cv2.aruco.getPredefinedDictionary(cv2.aruco.DICT_4X4_50)
    for number, top in ((2, 80), (1, 400)):
        image[top - 12 : top + 72, 20:104] = 235
        image[top : top + 60, 32:92] = cv2.aruco.generateImageMarker(dictionary, number, 60)[..., np.newaxis]
    seen = find_mat(grey_of(image), MAT)
    assert len(seen.markers) == 6
    assert seen.place is not None
    assert apart_px(seen.place.corners_px(MAT), view.corners_px) < 1.0


def test_markers_that_are_on_no_one_mat_place_nothing() -> None:
    one, other = looked_at(View(), [0]).markers[0], looked_at(View(turn_deg=40), [2]).markers[0]
    assert seen_by([one, other], MAT, HD).place is None


def test_a_mirrored_mat_is_none() -> None:
    assert find_mat(grey_of(View().taken()[:, ::-1]), MAT).place is None
    backwards = [Marker(one.number, one.corners_px * (-1, 1) + (1279, 0)) for one in looked_at(View()).markers]
    assert seen_by(backwards, MAT, HD).place is None


def test_a_room_has_no_mat() -> None:
    [room] = scene("front", [3.0], HD)
    assert find_mat(grey_of(room), MAT).markers == ()


@settings(max_examples=60, deadline=None)
@given(
    some.arrays(
        st.sampled_from([np.uint8, np.float32, np.int64, np.bool_]),
        some.array_shapes(min_dims=0, max_dims=4, min_side=0, max_side=40),
    )
)
def test_what_is_no_picture_has_no_mat(nonsense: "Image") -> None:
    assert find_mat(nonsense, MAT).place is None


def test_what_is_told_of_a_look_goes_through_json() -> None:
    told = looked_at(View(turn_deg=4)).summary()
    assert json.loads(json.dumps(told)) == told
    assert told["markers"] == 4
    assert told["turn_deg"] == 4.0
    assert MatSeen((), None).summary() == {"markers": 0}


class Desk:
    """A mat that is looked at once a second."""

    def __init__(self) -> None:
        self.pose = MatPose(MAT)
        self.now_ns = 7_000_000_000

    def look(self, view: View, ids: Sequence[int] = IDS) -> MatHeld:
        self.now_ns += 1_000_000_000
        return self.pose.update(looked_at(view, ids), self.now_ns)

    def at(self, held: MatHeld, view: View) -> bool:
        """Whether the mat is known to lie as this camera has it, to a millimetre."""
        if held.place is None:
            return False
        return apart_px(held.place.corners_px(MAT), view.corners_px) <= held.place.px_per_mm


HERE, THERE = View((320, 180)), View((320, 180), turn_deg=30, away=(0.1, 0.05))


def test_the_first_look_that_places_the_mat_is_believed() -> None:
    desk = Desk()
    held = desk.look(HERE)
    assert desk.at(held, HERE)
    assert held.age_s == 0
    assert held.missing_s == 0


@settings(max_examples=60, deadline=None)
@given(st.lists(st.one_of(st.none(), views((320, 180))), max_size=12))
def test_odd_looks_never_move_the_mat(odd: list[View | None]) -> None:
    desk = Desk()
    desk.look(HERE)
    for view in odd:
        if view is not None:
            desk.look(view)
        assert desk.at(desk.look(HERE), HERE)


@settings(max_examples=30, deadline=None)
@given(st.lists(st.sampled_from([THERE, View((320, 180), turn_deg=-20), View((320, 180), across=0.4)]), max_size=20))
def test_odd_looks_that_disagree_among_themselves_never_move_the_mat(odd: list[View]) -> None:
    desk = Desk()
    desk.look(HERE)
    run = 0
    for last, view in zip([None, *odd], odd, strict=False):
        run = run + 1 if view == last else 1
        if run == 3:
            return
        assert desk.at(desk.look(view), HERE)


def test_a_mat_that_was_pulled_away_is_known_there_after_three_looks() -> None:
    desk = Desk()
    desk.look(HERE)
    assert [desk.at(desk.look(THERE), THERE) for _ in range(3)] == [False, False, True]
    assert desk.look(THERE).age_s == 0


def test_a_mat_that_is_nudged_is_followed_at_once() -> None:
    desk = Desk()
    for step in range(20):
        view = View((320, 180), away=(0.008 * step, 0.0), turn_deg=0.3 * step)
        assert desk.at(desk.look(view), view)


@pytest.mark.parametrize("seen", [(0,), (1, 2), (3, 2), (0, 2)])
def test_arms_over_the_markers_lose_nothing(seen: tuple[int, ...]) -> None:
    desk = Desk()
    desk.look(HERE)
    for _ in range(100):
        held = desk.look(HERE, seen)
    assert desk.at(held, HERE)
    assert held.age_s == 0
    assert held.missing_s == 0
    assert held.markers == len(seen)


def test_a_mat_under_both_arms_is_kept_and_says_its_age_and_is_forgotten_in_time() -> None:
    desk = Desk()
    desk.look(HERE)
    ages = [desk.look(HERE, ()) for _ in range(30)]
    assert [held.age_s for held in ages] == list(range(1, 31))
    assert all(desk.at(held, HERE) for held in ages)
    forgotten = desk.look(HERE, ())
    assert forgotten.place is None
    assert forgotten.age_s is None


def test_how_long_a_mat_is_missing_is_counted_until_one_marker_is_seen_where_it_was() -> None:
    desk = Desk()
    desk.look(HERE)
    assert [desk.look(HERE, ()).missing_s for _ in range(4)] == [1.0, 2.0, 3.0, 4.0]
    assert desk.look(HERE, (1,)).missing_s == 0


def test_a_single_marker_somewhere_else_is_not_enough() -> None:
    desk = Desk()
    desk.look(HERE)
    held = [desk.look(THERE, (1,)) for _ in range(4)][-1]
    assert held.missing_s == 4
    assert desk.at(held, HERE)


def test_a_mat_that_was_never_seen_is_missed_too() -> None:
    desk = Desk()
    held = [desk.look(HERE, (2,)) for _ in range(5)][-1]
    assert held.place is None
    assert held.missing_s == 4


def test_a_look_that_is_not_newer_says_nothing() -> None:
    desk = Desk()
    desk.look(HERE)
    for _ in range(3):
        held = desk.pose.update(looked_at(THERE), desk.now_ns)
    assert desk.at(held, HERE)


def test_pictures_of_another_size_start_afresh() -> None:
    desk = Desk()
    desk.look(HERE)
    large = View(HD)
    assert desk.at(desk.look(large), large)
