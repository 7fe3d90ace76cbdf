"""Levels in dBFS, against the definition and against each other."""

import math
from array import array

from hypothesis import given
from hypothesis import strategies as st

from device.audio.level import FLOOR_DBFS, LEAST_DBFS, is_silent, level

SAMPLES = st.lists(st.integers(-32_768, 32_767), min_size=1, max_size=400)


def test_a_sine_of_full_scale_is_three_decibels_under_it() -> None:
    sine = array("h", (round(32_767 * math.sin(2 * math.pi * n / 48)) for n in range(4_800)))
    found = level(sine)
    assert found.rms_dbfs == -3.0
    assert found.peak_dbfs == 0.0


def test_half_the_amplitude_is_six_decibels_less() -> None:
    loud = [1_000 if n % 2 else -1_000 for n in range(100)]
    assert round(level(loud).rms_dbfs - level([one // 2 for one in loud]).rms_dbfs) == 6


@given(SAMPLES)
def test_no_figure_is_infinite_and_no_mean_is_over_the_peak(samples: list[int]) -> None:
    found = level(samples)
    assert LEAST_DBFS <= found.rms_dbfs <= found.peak_dbfs <= 0


def test_what_is_silent() -> None:
    assert is_silent([level([0] * 100)], FLOOR_DBFS)
    assert is_silent([level([0, 1, 0, -1] * 25)], FLOOR_DBFS), "the last bit toggles"
    assert not is_silent([level([0] * 100), level([20, -20] * 50)], FLOOR_DBFS), "one window is enough"
    assert not is_silent([], FLOOR_DBFS), "nobody listened"
    assert level([]).rms_dbfs == LEAST_DBFS
