from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest

from fleet import times
from fleet.console.render import STATIC
from tests.fleet.console.made_up import NOW


@pytest.mark.parametrize(
    ("ms", "text"),
    [
        (0, "0:00"),
        (999, "0:00"),
        (1_000, "0:01"),
        (59_999, "0:59"),
        (60_000, "1:00"),
        (761_400, "12:41"),
        (3_599_999, "59:59"),
        (3_600_000, "1:00:00"),
        (36_061_000, "10:01:01"),
        (-5, "0:00"),
    ],
)
def test_durations_are_cut_and_never_rounded_up(ms: int, text: str) -> None:
    assert times.duration(ms) == text


@pytest.mark.parametrize(
    ("age_s", "text"),
    [
        (0.4, "just now"),
        (3.9, "3 s ago"),
        (70, "70 s ago"),
        (120, "2 min ago"),
        (240, "4 min ago"),
        (71 * 60, "71 min ago"),
        (7_200, "2 h ago"),
        (172_800, "2 days ago"),
        (-2, "just now"),
    ],
)
def test_an_age_is_told_in_the_one_unit_that_matters(age_s: float, text: str) -> None:
    assert times.age(age_s) == text


def test_the_browser_counts_ages_by_the_same_limits() -> None:
    script = (Path(STATIC) / "ages.js").read_text(encoding="utf-8")
    assert all(f"seconds < {limit}" in script for limit in (1, 120, 7200, 172800))


def test_words_for_the_ear() -> None:
    assert times.duration_words(3_723_000) == "1 h 2 min 3 s"
    assert times.duration_words(120_000) == "2 min"
    assert times.duration_words(0) == "0 s"


def test_a_time_of_another_day_says_its_day() -> None:
    friday = datetime(2026, 11, 20, 8, 5, tzinfo=UTC)
    assert times.time_of_day(NOW, NOW, UTC) == "10:02"
    assert times.time_of_day(friday, NOW, UTC) == "Fri 20 Nov, 08:05"
    assert times.time_of_day(datetime(2025, 11, 20, 8, 5, tzinfo=UTC), NOW, UTC) == "Thu 20 Nov 2025, 08:05"


def test_today_is_the_campus_today() -> None:
    honolulu = timezone(timedelta(hours=-10))
    late = datetime(2026, 11, 22, 23, 0, tzinfo=UTC)  # 13:00 of the day before, as is "now" at 00:02 in Honolulu
    assert times.time_of_day(late, NOW, honolulu) == "Sun 22 Nov, 13:00"
    assert times.day(NOW, honolulu) == "Monday 23 November"
    assert times.day(late, UTC) == "Sunday 22 November"


def test_a_clock_that_was_never_set_is_not_believed() -> None:
    assert not times.credible(datetime(1970, 1, 1, 0, 3, tzinfo=UTC), NOW)
    assert not times.credible(NOW + timedelta(hours=1), NOW)
    assert not times.credible(None, NOW)
    assert times.credible(NOW - timedelta(days=20), NOW)
