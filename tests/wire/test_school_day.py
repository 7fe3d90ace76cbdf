"""School days by zoneinfo: bells, holidays, early releases, A/B days, hours that come never or twice (T3)."""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from wire.school_day import Calendar, Period, in_school, instant, instants, label, school_day

CHICAGO = ZoneInfo("America/Chicago")
MORNING = (Period(name="1", start=time(8), end=time(10)), Period(name="2", start=time(10), end=time(15)))
TERM = Calendar(
    time_zone="America/Chicago",
    bells={"regular": MORNING, "short": (Period(name="1", start=time(8), end=time(9, 30)),)},
    first_day=date(2026, 8, 17), last_day=date(2027, 5, 28), cycle=("A", "B"),
    holidays={date(2026, 11, 26): "Thanksgiving"}, early_release={date(2026, 11, 25): time(12, 30)},
    special={date(2026, 12, 18): "short"},
)  # fmt: skip
ZONES = st.sampled_from(["America/Chicago", "Europe/Berlin", "Australia/Lord_Howe", "Asia/Kolkata", "UTC"])


@given(st.datetimes(datetime(2000, 1, 1), datetime(2050, 1, 1)), ZONES)  # noqa: DTZ001  # local times are naive
def test_every_instant_of_a_local_time_shows_that_time(local: datetime, zone_name: str) -> None:
    zone = ZoneInfo(zone_name)
    found = instants(local, zone)
    assert len(found) in {0, 1, 2}
    assert [at.astimezone(zone).replace(tzinfo=None) for at in found] == [local] * len(found)
    assert list(found) == sorted(found)
    if found:
        assert instant(local, zone) == found[0]
    else:
        shown = instant(local, zone).astimezone(zone).replace(tzinfo=None)
        assert timedelta(0) < shown - local <= timedelta(hours=1), "the moment when clocks have passed it"


def test_t3_a_skipped_hour_has_no_instant_and_a_doubled_one_two() -> None:
    assert instants(datetime(2027, 3, 14, 2, 30), CHICAGO) == ()  # noqa: DTZ001
    twice = instants(datetime(2027, 11, 7, 1, 30), CHICAGO)  # noqa: DTZ001
    assert twice == (datetime(2027, 11, 7, 6, 30, tzinfo=UTC), datetime(2027, 11, 7, 7, 30, tzinfo=UTC))


def test_t3_bells_keep_their_local_time_when_clocks_change() -> None:
    before, after = (school_day(TERM, day) for day in (date(2026, 10, 30), date(2026, 11, 2)))
    assert before is not None
    assert after is not None
    assert (before.opens.hour, after.opens.hour) == (13, 14)
    assert {one.opens.astimezone(CHICAGO).time() for one in (before, after)} == {time(8)}


def test_a_day_has_its_bells_and_no_school_has_none() -> None:
    day = school_day(TERM, date(2026, 11, 24))
    assert day is not None
    assert [(one.name, one.start.astimezone(CHICAGO).hour) for one in day.bells] == [("1", 8), ("2", 10)]
    for none in (date(2026, 11, 26), date(2026, 11, 28), date(2026, 8, 14), date(2027, 5, 31)):
        assert school_day(TERM, none) is None
    early = school_day(TERM, date(2026, 11, 25))
    assert early is not None
    assert early.closes == early.bells[-1].end == datetime(2026, 11, 25, 18, 30, tzinfo=UTC)
    special = school_day(TERM, date(2026, 12, 18))
    assert special is not None
    assert special.closes.astimezone(CHICAGO).time() == time(9, 30)
    closed = school_day(TERM, date(2026, 11, 24), datetime(2026, 11, 24, 15, tzinfo=UTC))
    assert closed is not None
    assert [one.name for one in closed.bells] == ["1"]


def test_labels_go_in_turn_over_school_days_only() -> None:
    days = [date(2026, 11, 23) + timedelta(days=n) for n in range(8)]
    told = [label(TERM, day) for day in days]
    assert [told[n] for n in (3, 5, 6)] == [None, None, None]
    turns = [one for one in told if one]
    assert turns in (["A", "B", "A", "B", "A"], ["B", "A", "B", "A", "B"])


@given(st.datetimes(datetime(2026, 8, 1), datetime(2027, 6, 30), timezones=st.just(UTC)))  # noqa: DTZ001
def test_school_is_on_exactly_between_a_days_first_bell_and_its_last(at: datetime) -> None:
    day = school_day(TERM, at.astimezone(CHICAGO).date())
    assert in_school(TERM, at) is (day is not None and day.opens <= at < day.closes)


@pytest.mark.parametrize(
    ("told", "words"),
    [
        ({"time_zone": "../etc"}, "no time zone"), ({"time_zone": "Nowhere/City"}, "no time zone"),
        ({"special": {"2026-12-18": "none"}}, "no bells called"), ({"cycle": ["A", "B"]}, "first_day"),
        ({"first_day": "2027-01-02", "last_day": "2027-01-01"}, "before first_day"),
        ({"bells": {"regular": [{"name": "1", "start": "10:00", "end": "09:00"}]}}, "ends before"),
        ({"colour": "red"}, "Extra"),
    ],
)  # fmt: skip
def test_a_calendar_that_cannot_be_is_refused_in_words(told: dict[str, object], words: str) -> None:
    with pytest.raises(ValidationError, match=words):
        Calendar.model_validate({"time_zone": "UTC", **told})
