"""True minutes: each rule of the fold on its own; what holds for every history stands in test_minutes_hold.py."""

from datetime import UTC, datetime, timedelta

import pytest

from tests.wire.history import MINUTE, SECOND, History, Now
from wire.ledger import ClockTrust
from wire.minutes import Minutes, SessionRecord, Until, fold

ZERO = {"interrupted_ms": {}, "buffered_ms": 0, "unknown_gaps": 0, "overrun_ms": 0}


def record(told: History) -> SessionRecord:
    return fold(told.rows, told.until)


def minutes(told: History) -> Minutes:
    return record(told).minutes


def figures(told: History, *names: str) -> list[object]:
    return [getattr(minutes(told), name) for name in names]


def session(**now: object) -> History:
    """Ten minutes into a session."""
    return History(now=Now(**now)).start().lasts(10 * MINUTE)  # type: ignore[arg-type]  # fields of `Now`


def test_a_session_that_only_ran() -> None:
    told = session()
    found = minutes(told)
    assert found.elapsed_ms == found.running_ms == found.camera_ms == 600_000
    assert found.cameras_ms == {"front": 600_000, "overhead": 600_000}
    assert (found.paused_ms, found.interrupted_ms, found.buffered_ms) == (0, {}, 0)
    assert (found.connected_ms, found.planned_ms, found.provided_ms) == (None, None, None)
    assert record(told).state == "running"


def test_without_its_start_nothing_is_known_of_a_session() -> None:
    told = session().pause()
    found = fold(told.rows[1:], told.until)
    assert (found.state, found.minutes) == ("unknown", Minutes())
    assert fold([]).state == "unknown"


def test_without_a_moment_the_last_row_is_the_last_thing_known() -> None:
    told = session().pause().lasts(MINUTE)
    assert fold(told.rows).minutes.elapsed_ms == 600_000


def test_a_moment_before_the_last_row_changes_nothing() -> None:
    told = session().pause()
    assert fold(told.rows, Until("boot-1", 0)) == fold(told.rows)


def test_a_pause_is_paused() -> None:
    told = session().pause().lasts(3 * MINUTE)
    assert record(told).state == "paused"
    assert figures(told, "elapsed_ms", "running_ms", "paused_ms") == [780_000, 600_000, 180_000]
    told.resume().lasts(MINUTE)
    assert figures(told, "elapsed_ms", "running_ms", "paused_ms") == [840_000, 660_000, 180_000]


def test_an_ending_undone_counts_as_paused_and_the_session_goes_on() -> None:
    told = session().hold().lasts(4 * SECOND).undo().lasts(MINUTE)
    assert figures(told, "elapsed_ms", "running_ms", "paused_ms") == [666_000, 660_000, 6_000]
    assert record(told).state == "running"


def test_an_ending_undone_in_a_pause_stays_paused() -> None:
    told = session().pause().lasts(MINUTE).hold().undo().lasts(MINUTE)
    assert figures(told, "running_ms", "paused_ms") == [600_000, 122_000]


def test_a_session_ends_as_of_the_hold() -> None:
    told = session().hold().hold_counts().lasts(MINUTE)
    found = record(told)
    assert (found.state, found.ended_by) == ("ended", "hold")
    assert figures(told, "elapsed_ms", "running_ms", "paused_ms") == [600_000, 600_000, 0]
    assert found.ended_at == datetime(2026, 3, 2, 9, 10, tzinfo=UTC)


def test_what_follows_an_end_moves_no_minute() -> None:
    told = session().end()
    before = minutes(told)
    told.lasts(MINUTE).write("reason.given", reason="technical").write("link.down").lasts(MINUTE)
    assert minutes(told) == before


def test_without_a_link_running_time_is_buffered_and_a_pause_is_not() -> None:
    told = session().link(up=False).lasts(2 * MINUTE).pause().lasts(5 * MINUTE).resume().lasts(MINUTE).link(up=True)
    told.lasts(MINUTE)
    assert figures(told, "running_ms", "buffered_ms", "paused_ms") == [840_000, 180_000, 300_000]


def test_a_session_that_began_offline_is_buffered_from_the_start() -> None:
    told = session(link_up=False).link(up=True).lasts(MINUTE)
    assert figures(told, "running_ms", "buffered_ms") == [660_000, 600_000]


def test_with_one_camera_lost_the_session_runs_without_that_cameras_minutes() -> None:
    told = session().camera("front", "lost").lasts(2 * MINUTE)
    assert figures(told, "running_ms", "camera_ms", "cameras_ms", "interrupted_ms") == [
        720_000, 600_000, {"front": 600_000, "overhead": 720_000}, {},
    ]  # fmt: skip


def test_with_both_cameras_lost_the_session_is_interrupted() -> None:
    told = session().camera("front", "lost").lasts(MINUTE).camera("overhead", "lost").lasts(2 * MINUTE)
    assert record(told).state == "interrupted"
    assert figures(told, "running_ms", "interrupted_ms") == [660_000, {"camera": 120_000}]
    told.camera("front", "back").lasts(MINUTE)
    assert figures(told, "running_ms", "interrupted_ms", "camera_ms") == [720_000, {"camera": 120_000}, 600_000]


def test_a_camera_missing_from_the_start_counts_among_the_lost() -> None:
    told = session(giving=frozenset({"overhead"}), missing=frozenset({"front"})).camera("overhead", "lost")
    told.lasts(MINUTE)
    assert figures(told, "running_ms", "interrupted_ms") == [600_000, {"camera": 60_000}]


def test_only_the_cameras_a_booking_needs_count() -> None:
    told = History(needs=frozenset({"overhead"})).start().camera("front", "lost").lasts(MINUTE)
    assert figures(told, "camera_ms", "cameras_ms") == [60_000, {"overhead": 60_000}]
    told.camera("overhead", "lost").lasts(MINUTE)
    assert figures(told, "interrupted_ms") == [{"camera": 60_000}]


def test_a_consult_without_cameras_is_never_interrupted_by_them() -> None:
    told = History(needs=frozenset()).start().camera("front", "lost").camera("overhead", "lost").lasts(MINUTE)
    assert figures(told, "running_ms", "interrupted_ms") == [60_000, {}]


def test_a_pause_without_cameras_is_a_pause() -> None:
    told = session().camera("front", "lost").camera("overhead", "lost").pause().lasts(MINUTE)
    assert figures(told, "paused_ms", "interrupted_ms") == [60_000, {}]


def test_cameras_closed_on_purpose_are_no_interruption() -> None:
    told = session().camera("front", "closed").camera("overhead", "closed").lasts(MINUTE)
    assert figures(told, "running_ms", "camera_ms", "interrupted_ms") == [660_000, 600_000, {}]


def test_a_continued_session_was_interrupted_by_a_person() -> None:
    told = session().hold().hold_counts().lasts(MINUTE).go_on(SECOND, link_up=False).lasts(MINUTE)
    assert record(told).state == "running"
    assert figures(told, "elapsed_ms", "running_ms", "interrupted_ms", "buffered_ms") == [
        733_000, 660_000, {"person": 73_000}, 60_000,
    ]  # fmt: skip


def test_a_session_can_be_continued_and_ended_again() -> None:
    told = session().end().go_on(30 * SECOND).lasts(MINUTE).hold().hold_counts()
    found = record(told)
    assert (found.state, found.ended_by) == ("ended", "hold")
    assert figures(told, "elapsed_ms", "interrupted_ms") == [690_000, {"person": 30_000}]


def test_a_power_cut_under_trusted_clocks_is_as_long_as_it_was() -> None:
    told = session().power_cut(4 * MINUTE, unseen_ns=SECOND).lasts(5 * SECOND).resume("power").lasts(MINUTE)
    found = minutes(told)
    assert found.interrupted_ms == {"power": 246_000}
    assert (found.elapsed_ms, found.running_ms, found.unknown_gaps) == (905_000, 659_000, 0)


def test_after_a_boot_nothing_is_known_of_link_and_cameras_until_it_is_told() -> None:
    told = session().power_cut(MINUTE).resume("power").lasts(MINUTE)
    told.camera("overhead", "back").camera("front", "back").lasts(MINUTE).link(up=True).lasts(MINUTE)
    assert figures(told, "buffered_ms", "camera_ms") == [120_000, 720_000]


def test_a_paused_session_comes_back_paused() -> None:
    told = session().pause().lasts(MINUTE).power_cut(2 * MINUTE).pause().lasts(MINUTE)
    assert record(told).state == "paused"
    assert figures(told, "paused_ms", "interrupted_ms") == [120_000, {"power": 120_000}]


def test_a_killed_agent_is_an_interruption_nobody_can_name() -> None:
    told = session().agent_killed(3 * SECOND).resume("power").lasts(MINUTE)
    assert figures(told, "running_ms", "interrupted_ms", "unknown_gaps") == [660_000, {"unknown": 3_000}, 0]


def test_a_boot_that_no_row_announced_is_an_unknown_interruption() -> None:
    told = session().power_cut(MINUTE).resume("power").lasts(MINUTE)
    rows = [row for row in told.rows if row.type != "power.lost"]
    assert fold(rows, told.until).minutes.interrupted_ms == {"unknown": 660_000}  # from the start, its last known row
    assert fold(rows[:1], told.until).state == "interrupted"


@pytest.mark.parametrize("before", [ClockTrust.SYNCED, ClockTrust.UNSET])
def test_a_gap_without_trusted_time_is_counted_and_has_no_length(before: ClockTrust) -> None:
    told = History(trust=before).start().lasts(10 * MINUTE)
    told.power_cut(4 * MINUTE, trust=ClockTrust.UNSET).lasts(5 * SECOND).resume("power").lasts(MINUTE)
    found = minutes(told)
    assert found.unknown_gaps == 1
    assert found.interrupted_ms == {"power": 5_000}
    assert found.elapsed_ms == 665_000


def test_a_gap_is_known_once_the_clock_is_set_after_it() -> None:
    told = session()
    told.wrong = timedelta(days=-20_000)
    told.power_cut(4 * MINUTE, trust=ClockTrust.UNSET).resume("power").lasts(MINUTE)
    assert minutes(told).unknown_gaps == 1
    told.step_clock(timedelta(days=20_000))
    assert figures(told, "unknown_gaps", "interrupted_ms") == [0, {"power": 240_000}]


def test_a_clock_that_went_back_over_a_boot_knows_no_gap() -> None:
    told = session()
    told.wrong = timedelta(hours=-1)
    told.power_cut(4 * MINUTE).resume("power").lasts(MINUTE)
    assert figures(told, "unknown_gaps", "interrupted_ms") == [1, {}]


def test_a_gap_after_the_end_is_none_of_the_sessions() -> None:
    told = session().power_cut(60 * MINUTE, trust=ClockTrust.UNSET)
    lost = told.rows[-1].data
    told.write("session.ended", by="power", boot=lost["boot"], mono_ns=lost["mono_ns"], at=lost["at"])
    found = record(told)
    assert (found.state, found.ended_by) == ("ended", "power")
    assert figures(told, "elapsed_ms", "interrupted_ms", "unknown_gaps") == [600_000, {}, 0]


def test_two_power_cuts_in_a_row_are_two_gaps() -> None:
    told = session().power_cut(MINUTE).lasts(2 * SECOND).power_cut(MINUTE).lasts(5 * SECOND).resume("power")
    told.lasts(MINUTE)
    assert figures(told, "running_ms", "interrupted_ms") == [660_000, {"power": 127_000}]


@pytest.mark.parametrize(
    "step", [timedelta(days=-20_000), timedelta(hours=-1), timedelta(hours=1), timedelta(days=999)]
)
def test_t2_a_clock_step_in_a_session_changes_no_duration(step: timedelta) -> None:
    told = session().step_clock(step).lasts(MINUTE).pause().lasts(MINUTE).resume().lasts(MINUTE)
    assert figures(told, "elapsed_ms", "running_ms", "paused_ms") == [780_000, 720_000, 60_000]


def test_rows_before_the_clock_was_set_are_dated_by_it() -> None:
    told = History(trust=ClockTrust.UNSET, wrong=timedelta(days=-20_000)).start().lasts(MINUTE)
    assert record(told).clock is ClockTrust.UNSET
    told.step_clock(timedelta(days=20_000)).end()
    found = record(told)
    assert found.clock is ClockTrust.SYNCED
    assert found.started_at == datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
    assert found.ended_at == datetime(2026, 3, 2, 9, 1, tzinfo=UTC)


def test_a_held_clock_dates_until_a_synced_one_does() -> None:
    told = History(trust=ClockTrust.HELD, wrong=timedelta(minutes=-7)).start().lasts(MINUTE).pause()
    assert record(told).started_at == datetime(2026, 3, 2, 8, 53, tzinfo=UTC)
    told.step_clock(timedelta(minutes=7)).lasts(MINUTE)
    told.step_clock(timedelta(minutes=9), ClockTrust.HELD)
    assert record(told).started_at == datetime(2026, 3, 2, 9, 0, tzinfo=UTC)


def test_a_cancelled_session_has_no_minutes() -> None:
    told = History().start(planned_ms=1_800_000).lasts(10 * SECOND).write("session.cancelled", reason="button.stuck")
    told.lasts(MINUTE)
    found = record(told)
    assert found.state == "cancelled"
    assert found.minutes == Minutes(planned_ms=1_800_000)
    assert found.spans == ()


def planned(in_ms: int) -> History:
    """Ten minutes into a session with a planned end."""
    return History().start(planned_ms=1_800_000, planned_end_in_ms=in_ms).lasts(10 * MINUTE)


def test_overrun_is_what_lies_past_the_planned_end() -> None:
    assert figures(planned(600_000), "overrun_ms", "planned_ms") == [0, 1_800_000]
    assert figures(planned(600_000).lasts(90 * SECOND), "overrun_ms") == [90_000]
    assert figures(planned(-5_000), "overrun_ms") == [600_000]  # never more than there was


def test_an_extension_moves_the_planned_end() -> None:
    assert figures(planned(300_000).extend(300_000), "overrun_ms", "planned_ms") == [0, 1_800_000]
    assert figures(planned(300_000).extend(300_000).lasts(MINUTE), "overrun_ms") == [60_000]


def test_an_unplanned_session_has_no_overrun() -> None:
    assert figures(session().extend(300_000).lasts(90 * MINUTE), "overrun_ms", "planned_ms") == [0, None]


def test_what_nothing_can_know_of_the_therapist_is_null_and_never_zero() -> None:
    assert minutes(session()).connected_ms is None
    assert minutes(session(therapist=False)).connected_ms == 0


def test_connected_is_the_running_time_with_the_therapist() -> None:
    told = session(therapist=False).therapist(joins=True).lasts(5 * MINUTE).pause().lasts(MINUTE).resume()
    told.lasts(MINUTE).therapist(joins=False).lasts(MINUTE)
    assert figures(told, "connected_ms") == [360_000]


def test_provided_is_what_only_a_clinician_can_say() -> None:
    assert minutes(session().end()).provided_ms is None


def test_what_is_said_of_the_start_is_kept() -> None:
    told = History().start(booking="b-0900", therapist="th-lane", students=["s-0418"], by="screen")
    found = record(told)
    assert (found.booking, found.therapist, found.students, found.started_by) == (
        "b-0900", "th-lane", ("s-0418",), "screen",
    )  # fmt: skip
    assert found.ended_at is None
    assert found.ended_by is None
