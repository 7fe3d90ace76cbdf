"""The bench of the picture checks: its samples are what they say, and its tables count what was said."""

from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

from lab.bench.vision_clean import listen, stretches
from lab.bench.vision_faults import Scenery, cases
from lab.bench.vision_footage import Footage, Split, development, scored
from lab.bench.vision_light import Sensor, defocused, light_of
from lab.bench.vision_mat import place
from lab.bench.vision_tables import confusion, failures, figures
from lab.bench.vision_timeline import Sample, run
from tests.media import render

DESK, ROOM = development()[:2]
RIGHT = Sample("clip", "front", "scored", "dark", "light to 30", "dark", 0, said=("dark",), seen_s=1.5, clear_s=2.0)


def test_light_comes_back_as_the_picture_it_was_but_for_noise() -> None:
    levels = np.tile(np.arange(256, dtype=np.uint8), (64, 2))
    seen = Sensor(1).expose(light_of(levels)).astype(int)
    assert np.abs(seen - levels).mean() < 1.5
    # Averaged in light, noise brightens the dark a little, whose levels lie so close; but for that no level is off.
    assert np.abs((seen - levels).mean(axis=0)).max() < 1.0


def test_a_defocused_point_is_a_disk_of_its_size_and_no_light_is_lost() -> None:
    point = np.zeros((101, 101), np.float32)
    point[50, 50] = 1
    for radius_px in (3.0, 8.0, 20.0):
        soft = defocused(point, radius_px)
        assert soft.sum() == pytest.approx(1, rel=0.01)
        assert np.count_nonzero(soft > soft.max() / 2) == pytest.approx(np.pi * radius_px**2, rel=0.15)


@pytest.mark.parametrize("footage", [DESK, ROOM], ids=str)
@pytest.mark.parametrize("family", ["dark", "overexposed", "frozen"])
def test_a_sample_goes_the_real_way_from_well_to_wrong_to_well(footage: Footage, family: str) -> None:
    case = next(one for one in cases(footage.role) if one.family == family)
    sample = run(footage, case, 0)
    assert sample.said == (family,)
    assert sample.is_right
    assert sample.before == sample.after == ()
    assert sample.clear_s is not None
    assert sample.looks > 20
    assert run(footage, case, 0) == sample, "the same seed gives the same sample"


def test_overexposed_clips_the_share_it_says() -> None:
    light = np.random.default_rng(1).random((90, 160), np.float32) * 0.5
    for case in cases("front"):
        if case.family == "overexposed":
            made = case.make(Scenery("front", light, np.random.default_rng(0)))
            assert made.to_light is not None
            share = float(np.mean(Sensor(0).expose(made.to_light(light, 0.0)) >= 250))
            assert share == pytest.approx(float(case.name.split("%")[0]) / 100, abs=0.02)


def test_clean_time_is_clean_and_no_stretch_is_another() -> None:
    first, second = list(stretches([DESK], 180))
    assert first != second
    assert first.footage.seed != second.footage.seed
    heard = listen(first)
    assert heard.alarms == ()
    assert heard.looks >= 90


def test_clips_are_scored_by_the_role_in_their_name_and_stills_where_there_is_no_clip(tmp_path: Path) -> None:
    render("front", tmp_path)
    for name in ("overhead-page.png", "front.png", "notes.png"):
        cv2.imwrite(str(tmp_path / name), np.full((48, 64, 3), 120, np.uint8))
    found = scored(tmp_path)
    assert [(one.role, one.name, one.split) for one in found] == [
        ("front", "front.avi", Split.SCORED),
        ("overhead", "overhead-page.png", Split.SCORED),
    ]
    assert found[0].pictures()(0.5).shape == (180, 320, 3)
    assert scored(None) == []


def test_the_table_counts_what_was_said_and_figures_what_was_right() -> None:
    samples = [
        RIGHT,
        replace(RIGHT, said=("covered",), seen_s=None, clear_s=None),
        replace(RIGHT, said=("covered", "dark")),
        replace(RIGHT, seen_s=4.0),
        replace(RIGHT, family="clean", expected="", said=("dark",), seen_s=None),
        replace(RIGHT, family="clean", expected="", said=(), seen_s=None),
    ]
    header, dark, clean = confusion(samples)
    assert header.split() == [
        *("done", "/", "said", "covered", "dark", "overexposed", "blurred", "frozen", "glare", "moved"),
        *("several", "nothing"),
    ]
    assert dark.split() == ["dark", "1", "2", ".", ".", ".", ".", ".", "1", "."]
    assert clean.split() == ["clean", ".", "1", ".", ".", ".", ".", ".", ".", "1"]
    by_name = {one.name: one for one in figures(samples, scored=True)}
    # Late is not in time; and what was said of a healthy camera speaks against the signal.
    assert (by_name["dark: recall"].value, by_name["dark: recall"].ok) == (0.5, False)
    assert (by_name["dark: precision"].value, by_name["dark: precision"].ok) == (0.75, False)
    assert by_name["dark: onset to signal, worst"].ok is False
    assert len(failures(samples)) == 4


def test_the_mat_is_placed_as_it_was_printed() -> None:
    for seed in range(3):
        found = place(seed)
        assert found.corners_px is not None
        assert found.corners_px < 2
        assert found.scale is not None
        assert found.scale < 0.01
