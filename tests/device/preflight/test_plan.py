"""When a look before a booking is due: each turn once, none in a session or after one, none twice over restarts."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from device.preflight import plan
from device.session.clock import Instant
from device.session.states import Phase, Session, State
from wire.ledger import ClockTrust
from wire.preflight import BEFORE_MIN
from wire.schedule import Booking, Schedule, SchoolDay

MORNING = datetime(2026, 11, 24, 14, 0, tzinfo=UTC)
RUNNING = Session("session-1", None, frozenset(), 0)


def booking(name: str, minutes: float, planned_min: int = 30) -> Booking:
    start = MORNING + timedelta(minutes=minutes)
    return Booking(id=name, start=start, planned_ms=planned_min * 60_000, therapist="ot-rivera")


def state(*bookings: Booking, days: tuple[SchoolDay, ...] | None = None) -> State:
    return State(Phase.IDLE, schedule=Schedule(revision=1, as_of=MORNING, bookings=bookings, days=days))


def at(minutes: float, trust: ClockTrust = ClockTrust.SYNCED) -> Instant:
    return Instant(round((minutes + 600) * 60e9), MORNING + timedelta(minutes=minutes), "boot-1", trust)


def walk(of: State, minutes: list[float], made: frozenset[str] = frozenset()) -> list[tuple[float, str]]:
    """Every look of a day: at which minute, for which booking."""
    found = []
    for minute in minutes:
        due = plan.due(of, at(minute), made)
        if due is not None:
            made = plan.still_of_use(made, of.schedule) | due.turns
            found.append((minute, due.booking.id))
    return found


def every(first: float, last: float, step: float = 0.5) -> list[float]:
    return [first + step * n for n in range(round((last - first) / step) + 1)]


def test_a_booking_is_looked_at_30_10_and_2_minutes_before_and_never_after_its_start() -> None:
    assert walk(state(booking("b-1", 60)), every(0, 120)) == [(30, "b-1"), (50, "b-1"), (58, "b-1")]


def test_a_kiosk_that_comes_up_late_makes_the_newest_turn_only() -> None:
    assert walk(state(booking("b-1", 60)), every(53, 60)) == [(53, "b-1"), (58, "b-1")]


def test_one_look_serves_every_booking_whose_turn_it_is_and_is_told_for_the_next() -> None:
    due = plan.due(state(booking("b-2", 30), booking("b-1", 2)), at(0), frozenset())
    assert due is not None
    assert (due.booking.id, len(due.turns)) == ("b-1", 2)


def test_a_booking_that_is_moved_is_looked_at_anew() -> None:
    made = plan.due(state(booking("b-1", 10)), at(0), frozenset())
    assert made is not None
    assert plan.due(state(booking("b-1", 10)), at(0), made.turns) is None
    assert plan.due(state(booking("b-1", 9)), at(0), made.turns) is not None


def test_none_without_a_schedule_with_an_unset_clock_while_booting_or_in_a_session() -> None:
    of = state(booking("b-1", 10))
    assert plan.due(of, at(0), frozenset()) is not None
    assert plan.due(State(Phase.IDLE), at(0), frozenset()) is None
    assert plan.due(of, at(0, ClockTrust.UNSET), frozenset()) is None
    assert plan.due(replace(of, phase=Phase.BOOTING), at(0), frozenset()) is None
    assert plan.due(replace(of, session=RUNNING), at(0), frozenset()) is None
    assert plan.due(replace(of, done=frozenset({"b-1"})), at(0), frozenset()) is None


def test_only_within_the_bells_where_the_campus_has_told_them() -> None:
    day = SchoolDay(date="2026-11-24", opens=MORNING + timedelta(minutes=35), closes=MORNING + timedelta(minutes=55))
    of = state(booking("b-1", 60), days=(day,))
    assert walk(of, every(0, 60)) == [(35, "b-1"), (50, "b-1")]
    assert walk(state(booking("b-1", 60), days=()), every(0, 60)) == []
    assert plan.allowed(of.schedule, at(0, ClockTrust.UNSET)), "without a clock nobody can tell"


def test_storage_is_asked_for_the_minutes_of_the_booking_or_of_the_next_one() -> None:
    of = state(booking("b-1", 10, 45), booking("b-2", 90, 20))
    assert plan.planned_s(of, at(0), of.schedule.bookings[1] if of.schedule else None) == 20 * 60
    assert plan.planned_s(of, at(0), None) == 45 * 60
    assert plan.planned_s(State(), at(0), None) == 3_600


starts = st.lists(st.integers(0, 300), min_size=1, max_size=6)
moments = st.lists(st.floats(-60, 400, allow_nan=False), max_size=60)


@given(starts, moments.map(sorted), st.lists(st.booleans(), min_size=60, max_size=60))
def test_each_turn_at_most_once_whatever_restarts_and_clock_steps(
    begin: list[int], at_minutes: list[float], restarts: list[bool]
) -> None:
    of = state(*(booking(f"b-{n}", minute) for n, minute in enumerate(begin, 10)))
    made: frozenset[str] = frozenset()
    taken: list[str] = []
    for minute, restarted in zip(at_minutes, restarts, strict=False):
        due = plan.due(of, at(minute), made)
        if due is None:
            continue
        assert due.booking.start > at(minute).wall
        assert all(one.start > at(minute).wall for one in [due.booking])
        taken += due.turns - made
        assert not due.turns & made
        made = plan.still_of_use(made, of.schedule) | due.turns
        made = frozenset(sorted(made)) if restarted else made  # as it is kept and read
    assert len(taken) == len(set(taken))
    assert len(taken) <= len(BEFORE_MIN) * len(begin)


@given(starts)
def test_a_kiosk_that_is_up_all_day_misses_no_turn(begin: list[int]) -> None:
    of = state(*(booking(f"b-{n}", minute) for n, minute in enumerate(begin, 10)))
    made: frozenset[str] = frozenset()
    for minute in every(-31, 300):
        due = plan.due(of, at(minute), made)
        made = made | due.turns if due else made
    assert len(made) == len(BEFORE_MIN) * len(begin)


@given(starts, st.integers(-40, 300), st.integers(1, 90), st.sets(st.integers(0, 5)))
def test_never_while_a_session_runs_nor_for_a_booking_that_had_one(
    begin: list[int], from_min: int, for_min: int, had: set[int]
) -> None:
    of = state(*(booking(f"b-{n}", minute) for n, minute in enumerate(begin, 10)))
    done = frozenset(f"b-{n + 10}" for n in had)
    made: frozenset[str] = frozenset()
    for minute in every(-40, 300, 1):
        runs = from_min <= minute < from_min + for_min
        due = plan.due(replace(of, session=RUNNING if runs else None, done=done), at(minute), made)
        if due is not None:
            assert not runs
            assert due.booking.id not in done
            made = made | due.turns


def test_what_is_kept_does_not_grow_beyond_the_bookings_held() -> None:
    old = frozenset({"b-0 2026-01-01T10:00:00+00:00 30"})
    due = plan.due(state(booking("b-1", 10)), at(0), old)
    assert due is not None
    assert plan.still_of_use(old | due.turns, state(booking("b-1", 10)).schedule) == due.turns
