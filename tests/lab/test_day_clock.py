"""The day's clock: one number for several processes, forward only."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from lab.day_clock import BEGINS, DayClock, next_school_day


def test_who_opens_the_same_file_shows_the_same_time(tmp_path: Path) -> None:
    one, other = DayClock(tmp_path / "clock"), DayClock(tmp_path / "clock")
    before = other.now()
    one.set_forward(one.now().at + timedelta(hours=5))
    after = other.now()
    assert timedelta(hours=5) <= after.at - before.at < timedelta(hours=5, minutes=5)
    assert after.mono_s - before.mono_s < 300, "monotonic time goes on at its own pace"
    assert one.offset == other.offset


def test_it_does_not_go_back(tmp_path: Path) -> None:
    clock = DayClock(tmp_path / "clock")
    offset = clock.offset
    with pytest.raises(ValueError, match="does not go backwards"):
        clock.set_forward(clock.now().at - timedelta(seconds=30))
    assert clock.offset == offset


@pytest.mark.parametrize("hour", range(0, 24 * 8, 5))
def test_a_school_day_begins_on_the_next_weekday_morning(hour: int) -> None:
    now = datetime(2026, 11, 20, tzinfo=UTC) + timedelta(hours=hour)
    begins = next_school_day(now)
    assert begins >= now
    assert begins - now < timedelta(days=3, hours=1), "Friday's morning over, it is Monday's"
    assert begins.weekday() < 5
    assert begins.astimezone().time() == BEGINS
