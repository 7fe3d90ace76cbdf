"""What is made of measurements, by their numbers alone."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from device.vision.pose import Pose
from device.vision.reference import Reference
from device.vision.statistics import Statistics, measure
from device.vision.verdicts import Condition, judge, sharpness_limit
from tests.device.vision.kit import grey, scene

[_desk] = scene("overhead", [20.0])
WELL = measure(grey(_desk), 10_000_000_000)
KNOCKED = Pose(0.2, 0.0, 0.0)

shares, levels = st.floats(0, 1), st.floats(0, 255)


@st.composite
def any_statistics(draw: st.DrawFn) -> Statistics:
    return replace(
        WELL,
        mean=draw(levels),
        p80=draw(levels),
        black=draw(shares),
        white=draw(shares),
        structured=draw(shares),
        detail=draw(levels),
        sharpness=draw(st.floats(0, 20)),
        noise=draw(levels),
        glare=draw(shares),
        still_since_ns=draw(st.integers(0, 10_000_000_000)),
    )


@given(any_statistics(), st.sampled_from(["overhead", "front"]), st.booleans())
def test_what_hides_another_condition_is_named_alone(now: Statistics, role: str, is_knocked: bool) -> None:
    found = set(judge(now, role, Reference(0.6), KNOCKED if is_knocked else None))
    if Condition.COVERED in found:
        assert found == {Condition.COVERED}
    light = found & {Condition.DARK, Condition.OVEREXPOSED}
    assert len(light) <= 1
    if light:
        assert not found & {Condition.BLURRED, Condition.GLARE, Condition.MOVED}
    if role == "front":
        assert not found & {Condition.GLARE, Condition.MOVED}


@given(any_statistics(), st.floats(0, 3))
def test_less_structure_uncovers_nothing_and_less_light_lights_nothing(now: Statistics, less: float) -> None:
    part = 1 / (1 + less)
    if Condition.COVERED in judge(now, "front"):
        assert Condition.COVERED in judge(replace(now, structured=now.structured * part), "front")
    if Condition.DARK in judge(now, "front"):
        assert Condition.DARK in judge(replace(now, p80=now.p80 * part), "front")


def test_a_well_lit_sharp_desk_is_well() -> None:
    assert judge(WELL, "overhead", Reference(WELL.sharpness), Pose(0.01, 0.0, 0.5)) == {}


@pytest.mark.parametrize(
    ("change", "condition"),
    [
        ({"structured": 0.05}, Condition.COVERED),
        ({"p80": 30.0, "p90": 30.0}, Condition.DARK),
        ({"white": 0.5}, Condition.OVEREXPOSED),
        ({"sharpness": 0.1}, Condition.BLURRED),
        ({"glare": 0.1}, Condition.GLARE),
        ({"still_since_ns": 0}, Condition.FROZEN),
    ],
)
def test_each_measure_raises_its_condition_and_shows_it(change: dict[str, float], condition: Condition) -> None:
    found = judge(replace(WELL, **change), "overhead")  # type: ignore[arg-type]
    assert set(found) == {condition}
    assert len(found[condition]) >= 2


def test_focus_is_not_judged_where_there_is_nothing_to_see_or_too_much_noise() -> None:
    assert judge(replace(WELL, sharpness=0.0, detail=1.0), "overhead") == {}
    assert judge(replace(WELL, sharpness=0.0, detail=9.0, noise=7.0), "overhead") == {}


def test_the_own_reference_makes_the_focus_stricter_within_bounds() -> None:
    limits = [sharpness_limit(reference) for reference in (None, Reference(0.1), Reference(0.5), Reference(1.2))]
    assert limits == [0.2, 0.2, 0.25, 0.3]


def test_stillness_is_not_judged_on_pixels_that_carry_no_noise() -> None:
    still = replace(WELL, still_since_ns=0)
    assert Condition.FROZEN in judge(still, "front")
    assert Condition.FROZEN not in judge(replace(still, black=0.95), "front")
    assert Condition.FROZEN not in judge(replace(still, black=0.5, white=0.45), "front")


def test_a_view_is_moved_by_a_large_shift_a_turn_or_some_of_both() -> None:
    for pose in (Pose(0.12, 0, 0), Pose(0, -0.12, 0), Pose(0, 0, -4), Pose(0.08, 0, 2.5)):
        assert set(judge(WELL, "overhead", None, pose)) == {Condition.MOVED}
    for pose in (Pose(0.08, 0, 0), Pose(0, 0, 2.5), Pose(0.05, 0.02, 1.5)):
        assert judge(WELL, "overhead", None, pose) == {}


def test_evidence_is_plain_numbers() -> None:
    found = judge(replace(WELL, glare=0.1), "overhead", None, KNOCKED)
    assert {type(value) for evidence in found.values() for value in evidence.values()} <= {float, int}
    assert not any(isinstance(value, np.generic) for evidence in found.values() for value in evidence.values())


def test_a_dark_picture_may_show_more_tiles_and_be_covered_if_nothing_of_the_scene_is_left() -> None:
    gone = np.random.default_rng(1).permuted(WELL.relief.ravel()).reshape(WELL.relief.shape)
    nearly = replace(WELL, structured=0.3, p80=12.0, relief=gone)
    assert set(judge(nearly, "front", None, None, WELL)) == {Condition.COVERED}
    assert set(judge(replace(nearly, relief=WELL.relief), "front", None, None, WELL)) == {Condition.DARK}
    assert judge(replace(nearly, p80=120.0), "front", None, None, WELL) == {}


def test_a_small_lit_sheet_on_a_dark_desk_is_light_enough_and_a_lit_corner_of_a_room_is_not() -> None:
    dim = replace(WELL, p80=40.0, p90=120.0)
    assert judge(dim, "overhead") == {}
    assert set(judge(dim, "front")) == {Condition.DARK}
