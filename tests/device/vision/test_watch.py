"""What one camera's worker remembers: votes, the reference, closing and gaps."""

import json
from typing import TYPE_CHECKING, cast

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from device.vision.thresholds import TABLE
from device.vision.verdicts import Condition
from device.vision.watch import Watcher
from lab.faults import Fault
from tests.device.vision.kit import (
    LARGE,
    SCENES,
    Camera,
    blurred,
    dimmed,
    flat,
    grey,
    noisy,
    scene,
    sheet_on,
    usual,
    with_fault,
)
from tests.device.vision.test_pose import turned
from wire.signal_table import SIGNALS

if TYPE_CHECKING:
    from device.cameras.source import Image

DESKS = usual("overhead")
S = 1_000_000_000


def test_every_condition_but_unusable_has_its_signal() -> None:
    names = {f"camera.{condition.value}" for condition in Condition if condition is not Condition.UNUSABLE}
    assert names <= SIGNALS.keys()
    assert all(SIGNALS[name].per_role for name in names)


def test_the_evidence_travels_as_json_and_fits_a_signal() -> None:
    camera = Camera("overhead")
    camera.learn(DESKS)
    camera.show(*with_fault(DESKS[:4], Fault.MOVED))
    evidence = json.loads(json.dumps(camera.evidence()))
    assert evidence == {"moved": camera.evidence()["moved"]}
    assert all(isinstance(value, float) for value in evidence["moved"].values())


def test_one_picture_that_disagrees_asks_for_another_look_soon() -> None:
    camera = Camera("front")
    unsure = [camera.watcher.unsure]
    for picture in (*scene("front", range(3, 6)), flat(2), noisy(flat(2), 1)):
        camera.show(picture)
        unsure.append(camera.watcher.unsure)
    assert unsure == [False, False, False, False, True, False]


def test_a_frozen_camera_is_seen_after_four_seconds_and_alive_with_the_first_change() -> None:
    camera = Camera("overhead")
    camera.learn(DESKS)
    told = camera.show(*[DESKS[0]] * 9, DESKS[1])
    assert told == [*[set()] * 4, *[{"frozen"}] * 5, set()]


def test_a_picture_that_stands_still_asks_for_looks_sooner_until_that_is_settled() -> None:
    camera = Camera("overhead")
    camera.learn(DESKS)
    unsure = []
    for _ in range(6):
        camera.show(DESKS[0])
        unsure.append(camera.watcher.unsure)
    assert unsure == [False, False, True, True, False, False]


def test_a_lens_smeared_with_grease_keeps_its_edges_and_is_not_sharp() -> None:
    for role in SCENES:
        camera = Camera(role)
        sharp = list(scene(role, range(3, 15), LARGE))
        camera.learn(sharp)
        greasy = (cv2.addWeighted(image, 0.2, blurred(image, 12), 0.8, 0) for image in sharp)
        assert camera.show(*(noisy(cast("Image", image), 1) for image in greasy))[1:] == [{"blurred"}] * 11


def test_light_on_the_lens_of_a_dim_room_is_too_much_light() -> None:
    rooms = [dimmed(room, 0.3) for room in usual("front")]
    for room in rooms:
        room[:180, :320] = 200
    camera = Camera("front")
    camera.learn([noisy(room, number, 1.0) for number, room in enumerate(rooms)])
    camera.show(*(noisy(room, number, 1.0) for number, room in enumerate(rooms[:3])))
    veiled = [
        noisy(cast("Image", cv2.convertScaleAbs(room, alpha=1.5, beta=110)), number, 1.0)
        for number, room in enumerate(rooms)
    ]
    assert (grey(veiled[0]) >= 250).mean() < 1 / 3
    assert camera.show(*veiled)[1:] == [{"overexposed"}] * 11


def test_a_knock_is_seen_though_another_page_lies_there_than_was_learned() -> None:
    camera = Camera("overhead")
    camera.learn(DESKS)
    pages = [sheet_on(desk) for desk in DESKS]
    assert not any(camera.show(*pages))
    assert camera.show(*(turned(page, 0.13, 0.0, 4.0) for page in pages))[-1] == {"moved"}


def test_a_clock_that_jumps_back_begins_anew_and_no_number_is_no_time() -> None:
    watcher = Watcher("front")
    covered = [grey(noisy(flat(2), number)) for number in range(3)]
    for second, picture in enumerate(covered):
        watcher.look(picture, (900 + second) * S)
    assert watcher.look(covered[0], 100 * S) == ()
    assert [one.condition for one in watcher.look(covered[1], 101 * S)] == [Condition.COVERED]
    for nonsense in (float("nan"), float("inf")):
        seen = watcher.look(covered[2], nonsense)  # type: ignore[arg-type] # that is the point
        assert Condition.UNUSABLE in {one.condition for one in seen}


def test_pictures_may_lie_in_memory_as_they_like() -> None:
    room = grey(usual("front")[0])
    straight, strided = Watcher("front"), Watcher("front")
    turned_over = np.ascontiguousarray(room[::-1, ::-1])[::-1, ::-1]
    for second in range(3):
        assert strided.look(turned_over, second * S) == straight.look(room, second * S)


def test_a_camera_that_looks_away_slowly_is_seen_in_the_end() -> None:
    camera = Camera("overhead")
    camera.learn(DESKS)
    told = camera.show(*(turned(DESKS[step % 12], 0.004 * step, 0.0, 0.2 * step) for step in range(30)))
    assert told[-1] == {"moved"}


def test_a_lens_that_gets_greasy_slowly_is_seen_in_the_end() -> None:
    camera = Camera("front")
    rooms = list(scene("front", range(3, 15), LARGE))
    camera.learn(rooms)
    told = camera.show(*(blurred(rooms[step % 12], 0.1 + step / 4) for step in range(40)))
    assert told[0] == set()
    assert told[-1] == {"blurred"}


def test_a_sharp_camera_is_blurred_sooner_than_one_never_seen_sharp() -> None:
    sheets = [blurred(desk, 1.8) for desk in DESKS[:3]]
    assert Camera("overhead").show(*sheets)[-1] == set()
    camera = Camera("overhead")
    camera.learn(DESKS)
    assert camera.show(*sheets)[-1] == {"blurred"}


def test_closing_forgets_the_looks_and_keeps_the_reference() -> None:
    camera = Camera("overhead")
    camera.learn(DESKS)
    moved = list(with_fault(DESKS, Fault.MOVED))
    assert camera.show(*moved[:4])[-1] == {"moved"}
    camera.watcher.reset()
    camera.wait(3_000)
    assert camera.show(*moved[:3]) == [set(), set(), {"moved"}]


def test_closed_for_over_an_hour_it_is_learned_anew() -> None:
    camera = Camera("overhead")
    camera.learn(DESKS)
    camera.watcher.reset()
    camera.wait(3_601)
    moved = list(with_fault(DESKS, Fault.MOVED))
    assert not any(camera.show(*moved))
    assert camera.show(*DESKS[:3])[-1] == {"moved"}


def test_looks_far_apart_do_not_vote_together() -> None:
    camera = Camera("front")
    camera.show(noisy(flat(2), 1))
    camera.wait(11)
    assert camera.show(noisy(flat(2), 2), noisy(flat(2), 3)) == [set(), {"covered"}]


def test_a_picture_that_is_not_newer_is_not_looked_at_again() -> None:
    watcher = Watcher("front")
    covered = grey(noisy(flat(2), 1))
    for captured_ns in (5 * S, 5 * S, 4 * S, 5 * S):
        assert watcher.look(covered, captured_ns) == ()
    assert [one.condition for one in watcher.look(covered, 6 * S)] == [Condition.COVERED]


def test_no_picture_at_all_is_unusable_and_the_next_good_ones_are_well() -> None:
    camera = Camera("overhead")
    for shape in ((0, 0), (0, 320), (1, 1), (31, 320), (180, 39), (180, 320, 3), (320,)):
        empty = np.zeros(shape, np.uint8)
        assert [camera.look(empty), camera.look(empty)][-1] == {"unusable"}
        assert camera.show(*DESKS[:3])[-1] == set()


def test_what_is_no_bytes_is_unusable() -> None:
    camera = Camera("front")
    nothing = np.full((180, 320), np.nan)
    assert [camera.look(nothing), camera.look(nothing)][-1] == {"unusable"}


def test_a_front_camera_may_be_turned_and_its_window_may_shine() -> None:
    rooms = usual("front")
    camera = Camera("front")
    camera.learn(rooms)
    assert not any(camera.show(*with_fault(rooms[:5], Fault.MOVED), *with_fault(rooms[:5], Fault.GLARE)))


def test_a_reference_takes_five_healthy_seconds_at_any_rate() -> None:
    fast = Camera("overhead", hz=4)
    for number, desk in enumerate(scene("overhead", np.arange(3, 8.25, 0.25).tolist())):
        assert (fast.watcher._reference is not None) == (number > 20)
        fast.show(desk)
    assert fast.watcher._reference is not None


@st.composite
def pictures(draw: st.DrawFn) -> "Image":
    """Any grey picture: any size from none on, and anything in it."""
    shape = draw(st.tuples(st.integers(0, 200), st.integers(0, 330)))
    chance = np.random.default_rng(draw(st.integers(0, 99)))
    low, high = sorted(draw(st.tuples(st.integers(0, 255), st.integers(0, 255))))
    match draw(st.sampled_from(["flat", "noise", "blocks", "slope"])):
        case "flat":
            return np.full(shape, low, np.uint8)
        case "noise":
            return chance.integers(low, high + 1, shape, np.uint8)
        case "blocks":
            blocks = chance.integers(low, high + 1, (9, 16), np.uint8)
            return np.kron(blocks, np.ones((23, 21), np.uint8))[: shape[0], : shape[1]]
        case _:
            return np.add.outer(np.arange(shape[0]), np.arange(shape[1])).astype(np.uint8)


@settings(max_examples=60, deadline=None)
@given(st.sampled_from(sorted(SCENES)), st.lists(st.tuples(pictures(), st.integers(-1, 4_000)), max_size=8))
def test_no_pictures_break_it_and_the_same_ones_always_say_the_same(
    role: str, looks: list[tuple["Image", int]]
) -> None:
    told = []
    for _ in range(2):
        watcher, now_ns = Watcher(role), 0
        for picture, later_s in looks:
            now_ns += later_s * S
            told.append(watcher.look(picture, now_ns))
    assert told[: len(looks)] == told[len(looks) :]
    assert all(np.isfinite(value) for seen in told for one in seen for value in one.evidence.values())


def test_the_limits_leave_no_gap_between_well_and_wrong() -> None:
    assert TABLE.sharpness < TABLE.blurred_limit
    assert TABLE.gap_s > TABLE.frozen_s
    assert pytest.approx(TABLE.learn_looks - 1) == 5 / TABLE.learn_every_s
