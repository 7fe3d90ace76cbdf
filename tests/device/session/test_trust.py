"""What is made of the machine's clock: T1, T4, T5, and every history of clocks and sources."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from device.release import BUILT
from device.session.clock import NS_PER_S, Instant, trust_of
from device.session.kiosk_clock import KioskClock
from device.session.trust import (
    ABSURD,
    DRIFT,
    LONGEST_AWAY,
    OFF,
    VOUCHED_WITHIN,
    Fix,
    Known,
    Opinion,
    Refusal,
    Source,
    hear,
    judge,
    later,
)
from wire.ledger import ClockTrust

TRUE = BUILT + timedelta(days=30, hours=9)
YESTERDAY = TRUE - timedelta(days=1)
HOUR = timedelta(hours=1)
FIVE_YEARS = timedelta(days=5 * 365)


class Machine:
    """A machine whose clock is set by hand, a fleet with its own; `passes` lets true time pass."""

    def __init__(self, wrong: timedelta = timedelta(0), *, ntp: bool = True, floor: datetime = YESTERDAY) -> None:
        self.wrong, self.ntp, self.passed_s = wrong, ntp, 60.0
        self.clock = KioskClock(self, floor)

    @property
    def true(self) -> datetime:
        return TRUE + timedelta(seconds=self.passed_s)

    def now(self) -> Instant:
        wall = later(self.true, self.wrong)
        return Instant(round(self.passed_s * NS_PER_S), wall, "boot-1", trust_of(wall, synchronized=self.ntp))

    def passes(self, seconds: float) -> "Machine":
        self.passed_s += seconds
        return self

    def fleet_says(self, wrong: timedelta = timedelta(0), round_trip_s: float = 0.02) -> Opinion:
        self.clock.heard(self.true + wrong - timedelta(seconds=round_trip_s / 2), round_trip_s)
        return self.clock.opinion

    @property
    def opinion(self) -> Opinion:
        return self.clock.opinion


def is_true(machine: Machine, within: timedelta = timedelta(seconds=1)) -> bool:
    return abs(machine.clock.now().wall - machine.true) <= within


def trust(machine: Machine) -> ClockTrust:
    return machine.opinion.trust


@pytest.mark.parametrize("year", [1970, 2000])
@pytest.mark.parametrize("ntp", [True, False])
def test_t1_a_clock_from_before_the_build_was_never_set(year: int, ntp: bool) -> None:
    machine = Machine(datetime(year, 1, 1, tzinfo=UTC) - TRUE, ntp=ntp)
    assert machine.opinion.trust is ClockTrust.UNSET


def test_t1_ten_years_ahead_is_not_believed_because_it_is_after_the_build() -> None:
    machine = Machine(timedelta(days=3652), ntp=False)
    assert trust(machine) is ClockTrust.UNSET
    machine.ntp = True
    assert (trust(machine), machine.opinion.refused) == (ClockTrust.UNSET, Refusal.FAR_AHEAD)
    machine.fleet_says()
    assert trust(machine) is ClockTrust.SYNCED
    assert is_true(machine)


def test_t1_a_clock_before_what_this_kiosk_once_knew_was_not_set_and_is_not_by_going_on() -> None:
    machine = Machine(-timedelta(days=1, seconds=90), ntp=False, floor=TRUE - timedelta(days=1))
    assert trust(machine) is ClockTrust.UNSET
    machine.passes(7 * 86_400)
    assert machine.now().wall > YESTERDAY, "by now it shows more than the floor"
    assert trust(machine) is ClockTrust.UNSET
    machine.wrong = timedelta(seconds=-3)  # somebody set it
    assert trust(machine) is ClockTrust.HELD


def test_t1_a_battery_that_kept_time_through_the_summer_is_held_and_then_synced() -> None:
    machine = Machine(ntp=False, floor=TRUE - timedelta(days=75))
    assert (machine.opinion.trust, machine.opinion.source) == (ClockTrust.HELD, Source.MACHINE)
    machine.ntp = True
    assert (machine.opinion.trust, machine.opinion.source) == (ClockTrust.SYNCED, Source.NTP)


def test_t4_without_ntp_all_day_the_fleets_time_counts_and_then_goes_on_without_the_fleet() -> None:
    machine = Machine(-timedelta(hours=18), ntp=False)
    machine.fleet_says()
    for _ in range(24):
        machine.passes(3_600)
        assert machine.opinion.source is Source.FLEET
        assert machine.opinion.trust is ClockTrust.SYNCED
        assert is_true(machine)
        assert machine.opinion.is_off, "the machine's own clock is told to be off"
    machine.passes(VOUCHED_WITHIN.total_seconds() / DRIFT)
    assert machine.opinion.trust is ClockTrust.HELD, "by then nobody knows it to the minute"


@pytest.mark.parametrize("jump", [FIVE_YEARS, -FIVE_YEARS, timedelta(days=3), -timedelta(days=3)])
def test_t5_an_absurd_jump_is_not_believed_and_time_goes_on(jump: timedelta) -> None:
    machine = Machine()
    assert machine.opinion.source is Source.NTP
    machine.wrong = jump
    machine.passes(3_600)
    opinion = machine.opinion
    assert (opinion.trust, opinion.source) == (ClockTrust.HELD, Source.CARRIED)
    assert abs(opinion.beside - jump) < timedelta(seconds=1)
    assert is_true(machine)
    machine.wrong = timedelta(0)
    assert machine.opinion.trust is ClockTrust.SYNCED


def test_t5_many_steps_that_are_plausible_do_not_add_up_to_one_that_is_not() -> None:
    machine = Machine()
    for steps in range(6):
        machine.wrong = steps * timedelta(hours=40)
        machine.passes(60)
        assert is_true(machine, ABSURD + timedelta(seconds=1))
    assert machine.opinion.refused is Refusal.JUMPED


def test_a_fleet_from_before_the_build_has_no_time_to_tell() -> None:
    machine = Machine(ntp=False)
    machine.fleet_says(-timedelta(days=13_000))
    assert (machine.opinion.trust, machine.opinion.source) == (ClockTrust.HELD, Source.MACHINE)
    assert is_true(machine)


def test_t5_the_second_source_decides() -> None:
    machine = Machine()
    assert machine.opinion.source is Source.NTP
    machine.wrong = FIVE_YEARS
    machine.fleet_says()
    assert (machine.opinion.source, machine.opinion.refused) == (Source.FLEET, Refusal.JUMPED)
    assert is_true(machine)
    machine.fleet_says(FIVE_YEARS)
    assert (machine.opinion.source, machine.opinion.refused) == (Source.NTP, None)


def test_t5_a_liar_at_boot_is_found_out_by_the_fleet_and_the_floor_comes_down_again() -> None:
    machine = Machine(timedelta(days=60))
    assert machine.opinion.source is Source.NTP, "alone it is plausible"
    machine.fleet_says()
    assert (machine.opinion.source, machine.opinion.refused) == (Source.FLEET, Refusal.CONTRADICTED)
    machine.wrong = timedelta(0)
    assert machine.opinion.source is Source.NTP
    poisoned = Machine(floor=TRUE + timedelta(days=60))
    assert (poisoned.opinion.trust, poisoned.opinion.refused) == (ClockTrust.UNSET, Refusal.BEFORE_FLOOR)
    poisoned.fleet_says()
    assert (poisoned.opinion.trust, poisoned.opinion.source) == (ClockTrust.SYNCED, Source.NTP)


def test_t5_a_fleet_whose_own_clock_jumps_does_not_outrank_ntp_that_goes_on() -> None:
    machine = Machine()
    machine.fleet_says()
    machine.passes(5)
    machine.fleet_says(FIVE_YEARS)
    assert machine.opinion.source is Source.NTP
    assert machine.opinion.is_off, "that the two differ is told"


def test_t2_a_step_of_an_hour_is_followed_and_told_where_the_fleet_is_there() -> None:
    machine = Machine()
    machine.fleet_says()
    for wrong in (HOUR, -HOUR):
        machine.wrong = wrong
        assert machine.opinion.source is Source.NTP
        assert machine.opinion.is_off
        assert machine.opinion.off is not None
        assert abs(machine.opinion.off - wrong) < timedelta(seconds=1)


@pytest.mark.parametrize("end", [datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)])
def test_the_ends_of_the_calendar_do_no_harm(end: datetime) -> None:
    machine = Machine(end - TRUE)
    machine.fleet_says()
    machine.passes(1e7)
    assert is_true(machine, timedelta(hours=2))
    alone = Known(BUILT, fleet=Fix(0, end))
    assert judge(alone, machine.passes(1e9).now())[1].source is not Source.CARRIED


def test_a_poor_answer_does_not_replace_a_good_one() -> None:
    good = hear(Known(BUILT), Fix(0, TRUE, timedelta(milliseconds=5)), BUILT)
    poor = Fix(NS_PER_S, TRUE + timedelta(seconds=2), timedelta(seconds=1.5))
    assert hear(good, poor, BUILT) is good
    moved = Fix(NS_PER_S, TRUE + timedelta(seconds=9), timedelta(seconds=1.5))
    assert hear(good, moved, BUILT).fleet == moved, "beyond its error: the fleet's clock was set"


WRONG = st.one_of(
    st.just(timedelta(0)),
    st.timedeltas(-timedelta(hours=3), timedelta(hours=3)),
    st.timedeltas(-timedelta(days=20_000), timedelta(days=20_000)),
)
STEPS = st.lists(st.tuples(WRONG, st.booleans(), st.floats(0, 4 * 3_600)), min_size=1, max_size=12)


@given(STEPS, st.integers(0, 12), st.floats(0, 5))
def test_with_a_true_fleet_nothing_that_ntp_says_moves_the_time_by_more_than_the_bound(
    steps: list[tuple[timedelta, bool, float]], hears_at: int, round_trip_s: float
) -> None:
    machine = Machine()
    for number, (wrong, ntp, passes_s) in enumerate(steps):
        machine.passes(passes_s)
        machine.wrong, machine.ntp = wrong, ntp
        if number >= hears_at:
            machine.fleet_says(round_trip_s=round_trip_s)
            assert is_true(machine, ABSURD + timedelta(minutes=5))
            assert machine.opinion.source in {Source.NTP, Source.FLEET}
            if not ntp:
                assert is_true(machine, timedelta(seconds=round_trip_s + 60))


@given(STEPS)
def test_alone_a_clock_moves_the_time_by_no_more_than_the_bound_after_ntp_was_believed(
    steps: list[tuple[timedelta, bool, float]],
) -> None:
    machine = Machine()
    assert machine.opinion.source is Source.NTP
    passed_s = 0.0
    for wrong, ntp, passes_s in steps:
        passed_s += passes_s
        machine.passes(passes_s)
        machine.wrong, machine.ntp = wrong, ntp
        assert is_true(machine, ABSURD + timedelta(seconds=1 + passed_s * DRIFT))
        assert machine.opinion.trust is not ClockTrust.UNSET
        assert (machine.opinion.trust is ClockTrust.SYNCED) <= ntp, "nobody vouched"


@given(STEPS)
def test_without_any_source_nothing_is_ever_synced_nor_outside_what_is_known(
    steps: list[tuple[timedelta, bool, float]],
) -> None:
    machine = Machine(ntp=False)
    for wrong, _, passes_s in steps:
        machine.passes(passes_s)
        machine.wrong = wrong
        opinion = machine.opinion
        assert opinion.trust is not ClockTrust.SYNCED
        assert opinion.wall == machine.now().wall, "the machine's clock is shown as it is"
        if not YESTERDAY <= opinion.wall <= YESTERDAY + LONGEST_AWAY:
            assert opinion.trust is ClockTrust.UNSET


@given(st.floats(-10, 10), st.floats(0, 5), st.floats(0, 1))
def test_drift_is_named_exactly_when_no_place_of_the_answer_explains_it(
    off_s: float, round_trip_s: float, share: float
) -> None:
    """The fleet looked at its clock somewhere in the round trip: wherever that was, what is told is true."""
    machine = Machine(timedelta(seconds=off_s))
    machine.clock.heard(machine.true - timedelta(seconds=round_trip_s * share), round_trip_s)
    opinion = machine.opinion
    assert opinion.off is not None
    assert abs(opinion.off - timedelta(seconds=off_s)) <= opinion.off_error + timedelta(milliseconds=1)
    if opinion.is_off:
        assert abs(off_s) > OFF.total_seconds() - 0.001
