"""What rows tell of the time between two boots: each rule of the bounds on its own, with its numbers."""

from datetime import UTC, datetime, timedelta

import pytest

from tests.wire.history import MINUTE, SECOND, SESSION, History
from wire.gaps import Boots
from wire.ledger import ClockTrust, Row
from wire.minutes import Bounds, Gap, fold

NINE = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
SYNCED, HELD, UNSET = ClockTrust.SYNCED, ClockTrust.HELD, ClockTrust.UNSET
US = 1_000


def row(boot: str, mono_s: float, wall_s: float, clock: ClockTrust) -> Row:
    """A row at that second of its boot, when its clock showed that many seconds past nine."""
    told = {"seq": 1, "type": "help.asked", "session": SESSION, "at": NINE + timedelta(seconds=wall_s),
            "mono_ns": round(mono_s * SECOND), "boot": boot, "clock": clock}  # fmt: skip
    return Row.model_validate(told)


def gap(rows: list[Row], before: str, after: str) -> tuple[float, float | None]:
    """From the last row of a boot to the first of another, at least and at most, to the nearest millisecond."""
    last = max(one.mono_ns for one in rows if one.boot == before)
    first = min(one.mono_ns for one in rows if one.boot == after)
    least, most = Boots(rows).between(before, last, after, first)
    return round(least / SECOND, 3), None if most is None else round(most / SECOND, 3)


@pytest.mark.parametrize(
    ("before", "after", "told"),
    [
        (SYNCED, SYNCED, (240, 240)),
        (SYNCED, HELD, (240, None)),  # it may have stood still for as long as one likes
        (HELD, SYNCED, (0, 240)),  # it may have been behind by all of that
        (HELD, HELD, (0, None)),
        (SYNCED, UNSET, (0, None)),
        (UNSET, SYNCED, (0, None)),
    ],
)
def test_a_gap_is_known_as_far_as_the_clocks_on_its_sides(
    before: ClockTrust, after: ClockTrust, told: tuple[float, float | None]
) -> None:
    assert gap([row("1", 50, 0, before), row("2", 20, 240, after)], "1", "2") == told


def test_a_later_boot_with_a_date_bounds_from_above_by_what_was_not_lived_through() -> None:
    rows = [row("1", 50, 0, SYNCED), row("2", 20, -999, UNSET), row("2", 80, -999, UNSET), row("3", 20, 400, SYNCED)]
    assert gap(rows, "1", "2") == (0, 340)
    assert gap(rows, "2", "3") == (0, 340)
    assert Boots(rows).between("1", 50 * SECOND, "3", 20 * SECOND) == (400 * SECOND - 2 * US, 400 * SECOND + 2 * US)


def test_gaps_between_two_dates_share_what_is_left() -> None:
    told = History(trust=SYNCED).start().lasts(10 * MINUTE)
    told.power_cut(4 * MINUTE, trust=UNSET).lasts(MINUTE).power_cut(5 * MINUTE, trust=SYNCED).lasts(MINUTE)
    bounds = fold(told.rows, told.until).minutes.bounds
    assert bounds is not None
    assert (bounds.lost_min_ms, bounds.lost_max_ms) == (539_999, 540_001)
    assert [(one.counted_ms, one.min_ms, one.max_ms) for one in bounds.gaps] == [(0, 0, 540_001)] * 2
    assert (bounds.elapsed_min_ms, bounds.elapsed_max_ms) == (1_259_999, 1_260_001)


def test_a_held_clock_after_a_date_bounds_from_below_and_counts_no_more_than_it_can_have_been() -> None:
    """It stood still over the first gap, so by itself it would count the second one far too long."""
    rows = [row("1", 50, 0, SYNCED), row("2", 20, 5, HELD), row("3", 20, 400, SYNCED)]
    assert gap(rows, "1", "2") == (5, 400)
    assert gap(rows, "2", "3") == (0, 395)
    told = History(trust=SYNCED).start().lasts(10 * MINUTE)
    told.power_cut(4 * MINUTE, trust=HELD)
    told.wrong = timedelta(minutes=-5)  # it stood still, and had been kept a minute before the cut
    told.rows[-1] = told.rows[-1].model_copy(update={"at": told.rows[-1].at + told.wrong})
    told.lasts(0).power_cut(3 * MINUTE, trust=SYNCED)
    told.rows[-1] = told.rows[-1].model_copy(update={"at": told.rows[-1].at - told.wrong})
    found = fold(told.rows, told.until).minutes
    assert found.bounds is not None
    assert [one.counted_ms for one in found.bounds.gaps] == [0, 420_000]
    assert (found.elapsed_ms, found.bounds.elapsed_max_ms) == (1_020_000, 1_020_001)


def test_of_dates_that_contradict_each_other_neither_is_believed() -> None:
    rows = [row("1", 50, 0, SYNCED), row("2", 20, 7_200, SYNCED), row("3", 20, 400, SYNCED)]
    boots = Boots(rows)
    assert [boots.is_dated(one) for one in "123"] == [True, False, False]
    assert gap(rows, "1", "2") == (0, None)
    assert gap([rows[0], rows[2]], "1", "3") == (400, 400)


def test_a_held_clock_ahead_of_what_can_be_bounds_nothing() -> None:
    rows = [row("1", 50, 0, SYNCED), row("2", 20, 7_200, HELD), row("3", 20, 400, SYNCED)]
    assert gap(rows, "1", "2") == (0, 400)
    assert gap(rows, "2", "3") == (0, 400)


def test_a_boot_that_lost_its_clock_again_keeps_its_date() -> None:
    rows = [row("1", 50, 0, SYNCED), row("1", 60, -99, UNSET), row("1", 70, 1, HELD), row("2", 20, 240, SYNCED)]
    assert gap(rows, "1", "2") == (220, 220)


def test_the_row_after_a_cut_dates_the_boot_before_it() -> None:
    """No row of that boot was written after a time source had set its clock, but its last moment was kept."""
    told = History(trust=UNSET, wrong=timedelta(days=-20_000)).start().lasts(10 * MINUTE)
    told.trust, told.wrong = SYNCED, timedelta(0)
    told.power_cut(4 * MINUTE, trust=SYNCED).lasts(MINUTE)
    found = fold(told.rows, told.until).minutes
    assert found.bounds == Bounds(
        elapsed_min_ms=899_999, elapsed_max_ms=900_001, lost_min_ms=239_999, lost_max_ms=240_001,
        gaps=(Gap(at_ms=600_000, cause="power", counted_ms=0, min_ms=239_999, max_ms=240_001),),
    )  # fmt: skip


def test_a_gap_without_length_before_an_end_at_once_is_told() -> None:
    """Power went again before anything else was written: the session is closed at its last moment, after that gap."""
    told = History(trust=SYNCED).start().lasts(10 * MINUTE).power_cut(4 * MINUTE, trust=UNSET)
    told.lasts(0).power_cut(20 * MINUTE, trust=UNSET)
    lost = told.rows[-1].data
    told.write("session.ended", by="power", boot=lost["boot"], mono_ns=lost["mono_ns"], at=lost["at"])
    found = fold(told.rows).minutes
    assert (found.elapsed_ms, found.unknown_gaps) == (600_000, 1)
    assert found.bounds is not None
    assert len(found.bounds.gaps) == 1


def test_a_moment_in_a_boot_that_no_row_tells_of_has_no_end() -> None:
    rows = [row("1", 50, 0, SYNCED), row("1", 80, 30, SYNCED)]
    assert Boots(rows).between("1", 50 * SECOND, "2", 5 * SECOND) == (30 * SECOND, None)
    assert Boots(rows).between("0", 50 * SECOND, "1", 5 * SECOND) == (0, None)
