"""The button, row by row of the table in the design, with every window, time-out and refusal."""

from datetime import timedelta

import pytest

from device.errors import Refused
from device.session import states as s
from device.session.states import Phase
from tests.device.session.kiosk import NINE, Kiosk, booking
from wire.ledger import ClockTrust

MINUTE = timedelta(minutes=1)


def in_session(kiosk: Kiosk) -> Kiosk:
    """Pressed, and past the seconds in which a press does nothing."""
    kiosk.press()
    kiosk.wait(seconds=20)
    assert kiosk.phase in {Phase.LIVE, Phase.BUFFERING}
    return kiosk


def at(kiosk: Kiosk, minute: float) -> None:
    """Wait until so many minutes past nine."""
    kiosk.wait(seconds=minute * 60 - (kiosk.now().wall - NINE).total_seconds())


# Idle


def test_without_a_schedule_a_press_starts_an_unplanned_session(kiosk: Kiosk) -> None:
    kiosk.press()
    (started,) = kiosk.rows("session.started")
    assert started.data["booking"] is None
    assert started.data["planned_ms"] is None
    assert started.data["by"] == "button"
    assert kiosk.phase is Phase.LIVE


def test_a_press_starts_the_booking_and_says_what_is_known_of_it(kiosk: Kiosk) -> None:
    kiosk.hold_schedule(booking("b-0900", NINE, 30, students=["s-0418", "s-0419"], model="group"))
    kiosk.press()
    (started,) = kiosk.rows("session.started")
    assert started.data["booking"] == "b-0900"
    assert started.data["therapist"] == "th-lane"
    assert started.data["students"] == ["s-0418", "s-0419"]
    assert started.data["model"] == "group"
    assert started.data["planned_ms"] == 1_800_000
    assert started.data["planned_end_in_ms"] == pytest.approx(1_800_000, abs=100)
    assert started.data["link_up"] is True


@pytest.mark.parametrize(("minute", "opens"), [(-15.1, False), (-14.9, True), (29.9, True), (30.1, False)])
def test_a_window_is_open_from_a_quarter_hour_before_the_start_to_the_planned_end(
    kiosk: Kiosk, minute: float, opens: bool
) -> None:
    kiosk.hold_schedule(booking("b-0920", NINE + 20 * MINUTE, 30))
    at(kiosk, 20 + minute)
    kiosk.press()
    assert bool(kiosk.rows("session.started")) is opens
    assert (kiosk.state.asked_until_ns is not None) is not opens


def test_among_open_windows_the_earliest_wins(kiosk: Kiosk) -> None:
    kiosk.hold_schedule(booking("b-0910", NINE + 10 * MINUTE), booking("b-0905", NINE + 5 * MINUTE))
    kiosk.press()
    assert kiosk.rows("session.started")[0].data["booking"] == "b-0905"


def test_a_booking_that_had_its_session_is_passed_over(kiosk: Kiosk) -> None:
    kiosk.hold_schedule(booking("b-0900", NINE, 30), booking("b-0910", NINE + 10 * MINUTE))
    in_session(kiosk).hold()
    kiosk.wait(minutes=5)
    kiosk.press()
    assert [row.data["booking"] for row in kiosk.rows("session.started")] == ["b-0900", "b-0910"]


def test_with_nothing_due_the_screen_asks_and_a_second_press_starts(kiosk: Kiosk) -> None:
    kiosk.hold_schedule(booking("b-1200", NINE + 180 * MINUTE))
    kiosk.press()
    assert kiosk.phase is Phase.IDLE
    assert not kiosk.rows("session.started")
    kiosk.wait(seconds=9.9)
    kiosk.press("screen")
    (started,) = kiosk.rows("session.started")
    assert started.data["booking"] is None
    assert kiosk.state.asked_until_ns is None


def test_after_ten_seconds_the_screen_asks_again(kiosk: Kiosk) -> None:
    kiosk.hold_schedule(booking("b-1200", NINE + 180 * MINUTE))
    kiosk.press("screen")
    kiosk.wait(seconds=10)
    assert kiosk.state.asked_until_ns is None
    kiosk.press("screen")
    assert not kiosk.rows("session.started")
    assert kiosk.state.asked_until_ns is not None


def test_a_second_press_that_overtakes_the_tick_is_judged_by_its_own_time(kiosk: Kiosk) -> None:
    kiosk.hold_schedule(booking("b-1200", NINE + 180 * MINUTE))
    kiosk.press()
    kiosk.stall(seconds=11)
    kiosk.press("screen")
    assert not kiosk.rows("session.started")


def test_a_window_that_opens_while_the_screen_asks_is_started(kiosk: Kiosk) -> None:
    kiosk.hold_schedule(booking("b-0915", NINE + 15 * MINUTE + timedelta(seconds=5)))
    kiosk.press()
    kiosk.wait(seconds=6)
    kiosk.press()
    assert kiosk.rows("session.started")[0].data["booking"] == "b-0915"


def test_with_an_unset_clock_no_schedule_can_be_read_and_a_press_starts_at_once(kiosk: Kiosk) -> None:
    kiosk.hold_schedule(booking("b-0900", NINE))
    kiosk.step_clock(timedelta(days=-20_000), ClockTrust.UNSET)
    kiosk.press()
    (started,) = kiosk.rows("session.started")
    assert started.data["booking"] is None
    assert started.clock is ClockTrust.UNSET


def test_a_hold_at_idle_does_nothing(kiosk: Kiosk) -> None:
    kiosk.hold_on_screen()
    assert kiosk.phase is Phase.IDLE
    assert kiosk.types() == ["link.up"]


def test_a_booking_nobody_pressed_for_is_overdue_once_and_belongs_to_no_session(kiosk: Kiosk) -> None:
    in_session(kiosk)
    kiosk.hold_schedule(booking("b-0905", NINE + 5 * MINUTE, 10))
    at(kiosk, 7.9)
    assert not kiosk.rows("start.overdue")
    at(kiosk, 16)
    (overdue,) = kiosk.rows("start.overdue")
    assert overdue.data == {"booking": "b-0905"}
    assert overdue.session is None
    assert NINE + 8 * MINUTE <= overdue.at <= NINE + 8 * MINUTE + timedelta(seconds=11)


# Starting


def test_presses_and_holds_do_nothing_until_five_seconds_after_first_pictures(kiosk: Kiosk) -> None:
    kiosk.warm_up_s = 1.2
    kiosk.press()
    assert kiosk.phase is Phase.STARTING
    kiosk.wait(seconds=0.5)
    kiosk.press()
    kiosk.hold_on_screen()
    kiosk.wait(seconds=0.7)
    assert kiosk.phase is Phase.LIVE
    kiosk.wait(seconds=4.8)
    kiosk.press("screen")
    kiosk.hold_on_screen()
    assert kiosk.phase is Phase.LIVE
    kiosk.wait(seconds=0.3)
    kiosk.press("screen")
    assert kiosk.phase is Phase.PAUSED


def test_a_double_and_a_triple_press_start_one_session(kiosk: Kiosk) -> None:
    for _ in range(3):
        kiosk.press()
        kiosk.wait(seconds=0.2)
    assert kiosk.phase is Phase.LIVE
    assert kiosk.types() == ["link.up", "session.started"]


def test_the_hand_that_started_may_rest_on_the_button(kiosk: Kiosk) -> None:
    kiosk.hold(seconds=6)
    assert kiosk.phase is Phase.LIVE


def test_with_one_camera_missing_the_session_goes_live_after_five_seconds(kiosk: Kiosk) -> None:
    kiosk.camera_lost("front")
    kiosk.press()
    kiosk.wait(seconds=4.9)
    assert kiosk.phase is Phase.STARTING
    kiosk.wait(seconds=0.2)
    assert kiosk.phase is Phase.LIVE


def test_with_no_pictures_the_session_goes_live_after_ten_seconds(kiosk: Kiosk) -> None:
    kiosk.warm_up_s = 60
    kiosk.press()
    kiosk.wait(seconds=9.9)
    assert kiosk.phase is Phase.STARTING
    kiosk.wait(seconds=0.2)
    assert kiosk.phase is Phase.LIVE


def test_a_consult_that_needs_no_camera_goes_live_at_once(kiosk: Kiosk) -> None:
    kiosk.warm_up_s = 60
    kiosk.hold_schedule(booking("b-0900", NINE, model="consult", students=[], needs=[]))
    kiosk.press()
    assert kiosk.phase is Phase.LIVE


def test_without_a_link_the_session_runs_buffering_and_goes_live_when_it_returns(kiosk: Kiosk) -> None:
    kiosk.cut_link()
    in_session(kiosk)
    assert kiosk.phase is Phase.BUFFERING
    kiosk.restore_link()
    assert kiosk.phase.value == Phase.LIVE
    kiosk.cut_link()
    kiosk.cut_link()
    assert kiosk.phase is Phase.BUFFERING
    assert kiosk.types()[-2:] == ["link.up", "link.down"]


# In session


@pytest.mark.parametrize("link_up", [True, False])
def test_a_press_pauses_at_once_and_closes_the_cameras(kiosk: Kiosk, link_up: bool) -> None:
    if not link_up:
        kiosk.cut_link()
    in_session(kiosk).press()
    assert kiosk.phase is Phase.PAUSED
    assert not kiosk.cameras_open
    assert kiosk.rows("session.paused")[0].data == {"by": "button"}
    assert {row.data["reason"] for row in kiosk.rows("camera.closed")} == {"pause"}


def test_a_press_resumes_after_three_seconds_on_the_screen(kiosk: Kiosk) -> None:
    in_session(kiosk).press()
    kiosk.wait(seconds=10)
    kiosk.press()
    kiosk.wait(seconds=2.9)
    assert kiosk.phase is Phase.PAUSED
    assert not kiosk.cameras_open
    kiosk.wait(seconds=0.2)
    assert kiosk.phase.value == Phase.LIVE
    assert kiosk.cameras_open
    assert kiosk.minutes().paused_ms == 13_030  # and the 30 ms until the press counted


def test_a_press_in_the_countdown_stays_paused(kiosk: Kiosk) -> None:
    in_session(kiosk).press()
    kiosk.press()
    kiosk.wait(seconds=2)
    kiosk.press()
    kiosk.wait(minutes=1)
    assert kiosk.phase is Phase.PAUSED
    assert not kiosk.rows("session.resumed")


def test_a_press_that_overtakes_the_end_of_the_countdown_pauses_anew(kiosk: Kiosk) -> None:
    in_session(kiosk).press()
    kiosk.press()
    kiosk.stall(seconds=4)
    kiosk.press("screen")
    assert kiosk.phase is Phase.PAUSED
    assert kiosk.state.countdown_ns is None
    assert kiosk.types()[-2:] == ["session.resumed", "session.paused"]
    assert [row.data["after"] for row in kiosk.rows("state.changed")][-2:] == ["live", "paused"]


def test_resuming_without_a_link_buffers(kiosk: Kiosk) -> None:
    in_session(kiosk).press()
    kiosk.cut_link()
    kiosk.press()
    kiosk.wait(seconds=4)
    assert kiosk.phase is Phase.BUFFERING


def test_four_pauses_within_two_minutes_are_remembered_for_the_screen(kiosk: Kiosk) -> None:
    in_session(kiosk)
    for _ in range(4):
        kiosk.press()
        kiosk.wait(seconds=5)
        kiosk.press()
        kiosk.wait(seconds=20)
    assert len(kiosk.state.pauses) == 4
    kiosk.wait(minutes=3)
    kiosk.press()
    assert len(kiosk.state.pauses) == 1


def test_a_hold_pauses_at_once_and_ends_the_session_as_of_the_hold(kiosk: Kiosk) -> None:
    in_session(kiosk)
    began_s = kiosk.truth_s
    kiosk.hold()
    assert kiosk.phase is Phase.ENDING
    assert not kiosk.cameras_open
    assert kiosk.types()[-2:] == ["session.paused", "session.ending"]
    kiosk.wait(seconds=9.9)
    assert kiosk.phase is Phase.ENDING
    kiosk.wait(seconds=0.2)
    assert kiosk.phase is Phase.IDLE
    record = kiosk.record()
    assert (record.state, record.ended_by) == ("ended", "hold")
    assert record.minutes.elapsed_ms == round((began_s - 0.03) * 1_000)
    assert record.minutes.paused_ms == 0


def test_a_hold_on_the_screen_ends_the_session_as_of_that_moment(kiosk: Kiosk) -> None:
    in_session(kiosk)
    began_s = kiosk.truth_s
    kiosk.hold_on_screen()
    kiosk.wait(seconds=11)
    assert kiosk.minutes().elapsed_ms == round((began_s - 0.03) * 1_000)


def test_a_press_undoes_the_ending_and_the_session_goes_on(kiosk: Kiosk) -> None:
    in_session(kiosk).hold()
    kiosk.wait(seconds=5)
    kiosk.press()
    assert kiosk.phase is Phase.LIVE
    kiosk.wait(minutes=1)
    assert kiosk.phase is Phase.LIVE
    assert kiosk.record().state == "running"
    assert kiosk.minutes().paused_ms == 7_000


def test_a_press_after_the_ten_seconds_does_not_undo_even_if_it_overtakes_the_tick(kiosk: Kiosk) -> None:
    in_session(kiosk).hold()
    kiosk.stall(seconds=10.5)
    kiosk.press("screen")
    assert kiosk.types()[-2:] == ["session.ended", "session.continued"]


def test_a_hold_while_paused_ends_and_undone_it_stays_paused(kiosk: Kiosk) -> None:
    in_session(kiosk).press()
    kiosk.wait(seconds=30)
    kiosk.hold()
    assert kiosk.phase is Phase.ENDING
    assert not kiosk.rows("session.resumed")
    kiosk.press()
    assert kiosk.phase is Phase.PAUSED
    kiosk.wait(minutes=1)
    assert kiosk.phase is Phase.PAUSED
    assert not kiosk.rows("session.resumed")


def test_a_hold_on_the_screen_while_paused_undone_stays_paused(kiosk: Kiosk) -> None:
    in_session(kiosk).press()
    kiosk.hold_on_screen()
    kiosk.press("screen")
    assert kiosk.phase is Phase.PAUSED


def test_a_hold_while_paused_ends_as_of_its_beginning(kiosk: Kiosk) -> None:
    in_session(kiosk).press()
    kiosk.wait(seconds=30)
    held_s = kiosk.truth_s
    kiosk.hold()
    kiosk.wait(seconds=11)
    assert kiosk.minutes().elapsed_ms == round((held_s - 0.03) * 1_000)


def test_a_press_ends_an_overrunning_session_and_starts_the_next(kiosk: Kiosk) -> None:
    kiosk.hold_schedule(booking("b-0900", NINE, 30), booking("b-0935", NINE + 35 * MINUTE, 30))
    in_session(kiosk)
    at(kiosk, 31)
    kiosk.press()
    assert kiosk.phase is Phase.LIVE
    started = kiosk.rows("session.started")
    assert [row.data["booking"] for row in started] == ["b-0900", "b-0935"]
    assert [row.data["by"] for row in kiosk.rows("session.ended")] == ["next-start"]
    first = kiosk.record(started[0].session)
    assert first.state == "ended"
    assert first.minutes.overrun_ms == pytest.approx(60_000, abs=100)
    assert kiosk.record(started[1].session).state == "running"


def test_before_its_planned_end_a_press_pauses_though_the_next_window_is_open(kiosk: Kiosk) -> None:
    kiosk.hold_schedule(booking("b-0900", NINE, 30), booking("b-0935", NINE + 35 * MINUTE, 30))
    in_session(kiosk)
    at(kiosk, 29)
    kiosk.press()
    assert kiosk.phase is Phase.PAUSED


def test_past_its_planned_end_with_no_other_window_a_press_pauses(kiosk: Kiosk) -> None:
    kiosk.hold_schedule(booking("b-0900", NINE, 30))
    in_session(kiosk)
    at(kiosk, 31)
    kiosk.press()
    assert kiosk.phase is Phase.PAUSED


def test_an_extended_session_is_not_past_its_planned_end(kiosk: Kiosk) -> None:
    kiosk.hold_schedule(booking("b-0900", NINE, 30), booking("b-0935", NINE + 35 * MINUTE, 30))
    in_session(kiosk).ask("extend", "10")
    at(kiosk, 31)
    kiosk.press()
    assert kiosk.phase is Phase.PAUSED


def test_past_its_planned_end_a_hold_ends(kiosk: Kiosk) -> None:
    kiosk.hold_schedule(booking("b-0900", NINE, 30), booking("b-0935", NINE + 35 * MINUTE, 30))
    in_session(kiosk)
    at(kiosk, 31)
    kiosk.hold_on_screen()
    assert kiosk.phase is Phase.ENDING
    kiosk.wait(seconds=11)
    assert kiosk.phase.value == Phase.IDLE


# A press soon after the end


def test_a_press_within_two_minutes_continues_the_session(kiosk: Kiosk) -> None:
    in_session(kiosk).hold()
    kiosk.wait(seconds=11)
    kiosk.cut_link()
    kiosk.wait(seconds=60)
    kiosk.press()
    kiosk.wait(seconds=30)
    assert len(kiosk.rows("session.started")) == 1
    assert kiosk.phase is Phase.BUFFERING
    minutes = kiosk.minutes()
    # 2 s hold and 10 s ending, 61 s idle: a person stopped it, and the link was lost meanwhile
    assert minutes.interrupted_ms == {"person": 73_030}
    assert minutes.buffered_ms == 30_000
    assert minutes.camera_ms == minutes.running_ms


def test_a_press_later_than_two_minutes_starts_anew(kiosk: Kiosk) -> None:
    in_session(kiosk).hold()
    kiosk.wait(seconds=10 + 121)
    kiosk.press()
    assert len(kiosk.rows("session.started")) == 2


def test_a_booking_ended_too_early_is_continued_though_the_next_window_is_open(kiosk: Kiosk) -> None:
    kiosk.hold_schedule(booking("b-0900", NINE, 30), booking("b-0930", NINE + 30 * MINUTE, 30))
    in_session(kiosk)
    at(kiosk, 20)
    kiosk.hold()
    kiosk.wait(seconds=20)
    kiosk.press()
    assert kiosk.types()[-1] == "session.continued"


def test_after_a_booking_that_is_over_the_next_one_is_started(kiosk: Kiosk) -> None:
    kiosk.hold_schedule(booking("b-0900", NINE, 30), booking("b-0935", NINE + 35 * MINUTE, 30))
    in_session(kiosk)
    at(kiosk, 31)
    kiosk.hold_on_screen()
    kiosk.wait(seconds=20)
    kiosk.press()
    assert kiosk.rows("session.started")[-1].data["booking"] == "b-0935"


def test_a_continued_session_has_at_least_ten_minutes(kiosk: Kiosk) -> None:
    in_session(kiosk)
    kiosk.wait(minutes=60)
    assert kiosk.phase is Phase.IDLE
    kiosk.press()
    kiosk.wait(minutes=9.9)
    assert kiosk.phase.value == Phase.LIVE
    kiosk.wait(minutes=0.2)
    assert kiosk.phase is Phase.IDLE


def test_a_continuation_is_refused_like_a_start(kiosk: Kiosk) -> None:
    in_session(kiosk).hold()
    kiosk.wait(seconds=20)
    kiosk.update(switching=True)
    kiosk.press()
    assert kiosk.phase is Phase.IDLE
    assert kiosk.rows("start.refused")[0].data == {"reason": "update"}
    assert kiosk.record().state == "ended"


def test_a_session_cancelled_by_a_stuck_button_is_not_continued(kiosk: Kiosk) -> None:
    kiosk.hold(seconds=15)
    kiosk.wait(seconds=5)
    kiosk.press()
    assert len(kiosk.rows("session.started")) == 2


# Ends by itself


def test_an_unplanned_session_ends_after_an_hour(kiosk: Kiosk) -> None:
    kiosk.press()
    kiosk.wait(minutes=59.9)
    assert kiosk.phase is Phase.LIVE
    kiosk.wait(minutes=0.2)
    assert kiosk.phase.value == Phase.IDLE
    record = kiosk.record()
    assert record.ended_by == "kiosk"
    assert record.minutes.elapsed_ms == 3_600_000


def test_a_planned_session_ends_ten_minutes_after_its_planned_end(kiosk: Kiosk) -> None:
    kiosk.hold_schedule(booking("b-0900", NINE, 30))
    kiosk.press()
    at(kiosk, 39.9)
    assert kiosk.phase is Phase.LIVE
    at(kiosk, 40.1)
    assert kiosk.phase.value == Phase.IDLE
    assert kiosk.minutes().overrun_ms == 600_000


def test_a_paused_session_ends_at_its_planned_end(kiosk: Kiosk) -> None:
    kiosk.hold_schedule(booking("b-0900", NINE, 30))
    in_session(kiosk).press()
    at(kiosk, 29.9)
    assert kiosk.phase is Phase.PAUSED
    at(kiosk, 30.1)
    assert kiosk.phase.value == Phase.IDLE
    assert kiosk.minutes().overrun_ms == 0


def test_a_pause_after_the_planned_end_lasts_at_most_to_ten_minutes_past_it(kiosk: Kiosk) -> None:
    kiosk.hold_schedule(booking("b-0900", NINE, 30))
    in_session(kiosk)
    at(kiosk, 32)
    kiosk.press()
    at(kiosk, 39.9)
    assert kiosk.phase is Phase.PAUSED
    at(kiosk, 40.1)
    assert kiosk.phase.value == Phase.IDLE


def test_an_unplanned_paused_session_ends_after_a_quarter_hour(kiosk: Kiosk) -> None:
    in_session(kiosk).press()
    kiosk.wait(minutes=14.9)
    assert kiosk.phase is Phase.PAUSED
    kiosk.wait(minutes=0.2)
    assert kiosk.phase.value == Phase.IDLE


def test_an_agent_that_hung_ends_the_session_as_of_its_time(kiosk: Kiosk) -> None:
    kiosk.press()
    kiosk.stall(seconds=2 * 3_600)
    kiosk.cut_link()
    assert kiosk.minutes().elapsed_ms == 3_600_000


# Booting


def boot_with_press(kiosk: Kiosk, after_s: float) -> None:
    kiosk.power_off()
    kiosk.begin_boot()
    kiosk.press()
    kiosk.wait(seconds=after_s)
    kiosk.finish_boot()


def test_a_press_during_boot_counts(kiosk: Kiosk) -> None:
    boot_with_press(kiosk, after_s=89)
    assert len(kiosk.rows("session.started")) == 1
    assert kiosk.types() == ["link.up", "session.started"]


def test_a_press_too_long_before_the_end_of_boot_makes_the_screen_ask(kiosk: Kiosk) -> None:
    boot_with_press(kiosk, after_s=91)
    assert not kiosk.rows("session.started")
    assert kiosk.phase is Phase.IDLE
    kiosk.press()
    assert len(kiosk.rows("session.started")) == 1


def test_a_press_during_boot_with_nothing_due_makes_the_screen_ask(kiosk: Kiosk) -> None:
    kiosk.hold_schedule(booking("b-1200", NINE + 180 * MINUTE))
    boot_with_press(kiosk, after_s=5)
    assert not kiosk.rows("session.started")
    assert kiosk.state.asked_until_ns is not None


def test_a_press_during_boot_of_a_kiosk_that_cannot_write_is_refused(kiosk: Kiosk) -> None:
    kiosk.power_off()
    kiosk.begin_boot()
    kiosk.storage(ok=False)
    kiosk.press()
    kiosk.finish_boot()
    assert kiosk.phase is Phase.FAULT
    assert kiosk.rows("start.refused")[0].data == {"reason": "storage"}


def test_a_hold_during_boot_does_nothing(kiosk: Kiosk) -> None:
    kiosk.power_off()
    kiosk.begin_boot()
    kiosk.hold_on_screen()
    assert kiosk.phase is Phase.BOOTING
    kiosk.finish_boot()
    assert not kiosk.rows("session.started")


def test_a_button_stuck_during_boot_starts_nothing(kiosk: Kiosk) -> None:
    kiosk.power_off()
    kiosk.begin_boot()
    kiosk.hold(seconds=12)
    kiosk.finish_boot()
    assert kiosk.phase is Phase.IDLE
    assert not kiosk.rows("session.started")
    assert len(kiosk.rows("button.stuck")) == 1


# A stuck button


def test_a_stuck_button_cancels_the_session_it_started(kiosk: Kiosk) -> None:
    kiosk.hold(seconds=11)
    assert kiosk.phase is Phase.IDLE
    assert kiosk.types() == ["link.up", "session.started", "button.stuck", "session.cancelled", "button.freed"]
    record = kiosk.record()
    assert record.state == "cancelled"
    assert record.minutes.elapsed_ms == 0


def test_a_booking_whose_session_was_cancelled_can_still_be_started(kiosk: Kiosk) -> None:
    kiosk.hold_schedule(booking("b-0900", NINE))
    kiosk.hold(seconds=11)
    kiosk.press()
    assert [row.data["booking"] for row in kiosk.rows("session.started")] == ["b-0900", "b-0900"]


def test_a_booking_whose_session_was_cancelled_can_still_be_started_after_a_boot(kiosk: Kiosk) -> None:
    kiosk.hold_schedule(booking("b-0900", NINE))
    kiosk.hold(seconds=11)
    kiosk.cut_power(seconds=30)
    kiosk.press()
    assert kiosk.rows("session.started")[-1].data["booking"] == "b-0900"


def test_a_button_held_to_ten_seconds_undoes_the_ending(kiosk: Kiosk) -> None:
    in_session(kiosk).hold(seconds=10)
    assert kiosk.phase is Phase.LIVE
    assert kiosk.types()[-5:] == ["session.paused", "session.ending", "button.stuck", "session.resumed", "button.freed"]
    kiosk.wait(minutes=1)
    assert kiosk.record().state == "running"


def test_a_button_held_to_ten_seconds_while_paused_leaves_it_paused(kiosk: Kiosk) -> None:
    in_session(kiosk).press()
    kiosk.wait(seconds=20)
    kiosk.hold(seconds=10)
    assert kiosk.phase is Phase.PAUSED


def test_a_stuck_button_is_said_once(kiosk: Kiosk) -> None:
    kiosk.tell(s.Stuck(0, 10_000))
    kiosk.tell(s.Stuck(0, 10_000))
    assert kiosk.state.stuck
    assert len(kiosk.rows("button.stuck")) == 1
    kiosk.tell(s.Freed())
    assert not kiosk.state.stuck


def test_a_button_stuck_long_after_the_start_cancels_nothing(kiosk: Kiosk) -> None:
    in_session(kiosk)
    kiosk.wait(minutes=5)
    kiosk.hold(seconds=12)
    assert not kiosk.rows("session.cancelled")
    assert kiosk.record().state == "running"


def test_a_stuck_button_ends_the_session_it_continued_and_keeps_its_minutes(kiosk: Kiosk) -> None:
    in_session(kiosk)
    kiosk.wait(minutes=5)
    kiosk.hold()
    kiosk.wait(seconds=30)
    before = kiosk.minutes()
    kiosk.hold(seconds=12)
    assert kiosk.phase is Phase.IDLE
    record = kiosk.record()
    assert record.state == "ended"
    assert record.minutes.running_ms == before.running_ms


# Power cuts


def test_after_a_short_power_cut_the_session_goes_on_after_five_seconds(kiosk: Kiosk) -> None:
    in_session(kiosk)
    kiosk.wait(minutes=5)
    kiosk.cut_power(minutes=9)
    assert kiosk.phase is Phase.BOOTING
    assert not kiosk.cameras_open
    kiosk.press()
    kiosk.hold_on_screen()
    kiosk.wait(seconds=4.9)
    assert kiosk.phase is Phase.BOOTING
    kiosk.wait(seconds=0.1)
    assert kiosk.phase.value == Phase.BUFFERING
    assert kiosk.rows("session.resumed")[0].data == {"by": "power"}
    minutes = kiosk.minutes()
    assert minutes.interrupted_ms == {"power": 546_000}  # a second not known to be lived, 9 min, 5 s
    assert minutes.unknown_gaps == 0
    kiosk.wait(seconds=10)
    assert kiosk.minutes().buffered_ms == 10_030  # no link after the boot, until the fleet answers


def test_after_ten_minutes_without_power_the_session_is_closed_where_it_was_last_lived(kiosk: Kiosk) -> None:
    in_session(kiosk)
    lived_s = kiosk.truth_s - 1
    kiosk.cut_power(minutes=10)
    assert kiosk.phase is Phase.IDLE
    record = kiosk.record()
    assert (record.state, record.ended_by) == ("ended", "power")
    assert record.minutes.elapsed_ms == round((lived_s - 0.03) * 1_000)
    assert record.minutes.interrupted_ms == {}


def test_a_session_closed_after_a_power_cut_is_not_continued_by_the_first_press(kiosk: Kiosk) -> None:
    in_session(kiosk)
    kiosk.cut_power(minutes=18 * 60)
    kiosk.press()
    assert len(kiosk.rows("session.started")) == 2
    assert not kiosk.rows("session.continued")


def test_a_session_whose_booking_is_over_is_closed_after_a_power_cut(kiosk: Kiosk) -> None:
    kiosk.hold_schedule(booking("b-0900", NINE, 30))
    in_session(kiosk)
    at(kiosk, 29)
    kiosk.cut_power(minutes=2)
    assert kiosk.record().ended_by == "power"
    assert kiosk.phase is Phase.IDLE


def test_a_session_whose_booking_still_runs_keeps_its_planned_end(kiosk: Kiosk) -> None:
    kiosk.hold_schedule(booking("b-0900", NINE, 30))
    in_session(kiosk).ask("extend", "5")
    kiosk.cut_power(minutes=2)
    at(kiosk, 44.9)
    assert kiosk.phase is Phase.BUFFERING
    at(kiosk, 45.1)
    assert kiosk.phase.value == Phase.IDLE
    assert kiosk.minutes().overrun_ms == pytest.approx(600_000, abs=2)


def test_an_unplanned_session_somebody_kept_past_its_hour_survives_a_power_cut(kiosk: Kiosk) -> None:
    in_session(kiosk)
    kiosk.wait(minutes=58)
    kiosk.ask("still-here")
    kiosk.wait(minutes=5)
    kiosk.cut_power(minutes=1)
    kiosk.wait(seconds=6)
    assert kiosk.phase is Phase.BUFFERING
    kiosk.wait(minutes=11)
    assert kiosk.record().ended_by == "kiosk"


def test_a_paused_session_comes_back_paused(kiosk: Kiosk) -> None:
    in_session(kiosk).press()
    kiosk.wait(minutes=1)
    kiosk.cut_power(minutes=3)
    assert kiosk.phase is Phase.PAUSED
    assert not kiosk.cameras_open
    kiosk.wait(minutes=1)
    assert kiosk.phase is Phase.PAUSED
    minutes = kiosk.minutes()
    assert minutes.interrupted_ms == {"power": 181_000}
    assert minutes.paused_ms == 119_000


def test_an_ending_session_ends_as_of_the_hold(kiosk: Kiosk) -> None:
    in_session(kiosk)
    held_s = kiosk.truth_s
    kiosk.hold()
    kiosk.wait(seconds=3)
    kiosk.cut_power(minutes=1)
    assert kiosk.phase is Phase.IDLE
    record = kiosk.record()
    assert (record.state, record.ended_by) == ("ended", "hold")
    assert record.minutes.elapsed_ms == round((held_s - 0.03) * 1_000)
    kiosk.press()
    assert not kiosk.rows("session.continued")


def test_a_second_power_cut_in_the_countdown_is_survived(kiosk: Kiosk) -> None:
    in_session(kiosk)
    kiosk.cut_power(minutes=1)
    kiosk.wait(seconds=2)
    kiosk.cut_power(minutes=1)
    kiosk.wait(seconds=6)
    assert kiosk.phase is Phase.BUFFERING
    assert kiosk.record().state == "running"
    assert set(kiosk.minutes().interrupted_ms) == {"power"}


def test_an_agent_that_was_killed_goes_on_and_does_not_blame_the_power(kiosk: Kiosk) -> None:
    in_session(kiosk)
    kiosk.restart_agent(seconds=3)
    kiosk.wait(seconds=6)
    assert kiosk.phase is Phase.BUFFERING
    assert kiosk.minutes().interrupted_ms == {"unknown": 9_000}


def test_an_agent_restarted_while_the_clock_is_unset_goes_on(kiosk: Kiosk) -> None:
    kiosk.step_clock(timedelta(days=-20_000), ClockTrust.UNSET)
    in_session(kiosk).restart_agent(seconds=3)
    assert kiosk.phase is Phase.BOOTING


def test_after_a_power_cut_with_an_unset_clock_nobody_can_tell_and_the_session_is_closed(kiosk: Kiosk) -> None:
    in_session(kiosk)
    kiosk.trust = ClockTrust.UNSET
    kiosk.cut_power(minutes=1)
    assert kiosk.phase is Phase.IDLE
    record = kiosk.record()
    assert record.ended_by == "power"
    assert record.minutes.unknown_gaps == 0  # what is unknown lies after the end


def test_a_power_cut_at_idle_leaves_no_session(kiosk: Kiosk) -> None:
    kiosk.cut_power(minutes=1)
    assert kiosk.phase is Phase.IDLE
    assert kiosk.state.session is None
    assert not kiosk.rows("power.lost")


# A start is refused for three reasons


def test_a_start_is_refused_when_no_camera_works(kiosk: Kiosk) -> None:
    kiosk.idle = "watch"
    kiosk.camera_lost("overhead")
    kiosk.camera_lost("front")
    kiosk.press()
    assert kiosk.phase is Phase.IDLE
    assert kiosk.rows("start.refused")[0].data == {"reason": "no-camera"}
    assert kiosk.state.refused is not None
    kiosk.wait(seconds=20)
    assert kiosk.state.refused is None
    kiosk.camera_back("front")
    kiosk.press()
    assert len(kiosk.rows("session.started")) == 1


def test_a_start_is_refused_when_the_camera_it_needs_is_missing(kiosk: Kiosk) -> None:
    kiosk.idle = "watch"
    kiosk.hold_schedule(booking("b-0900", NINE, needs=["overhead"]))
    kiosk.camera_lost("overhead")
    kiosk.press()
    assert kiosk.rows("start.refused")[0].data == {"reason": "no-camera"}


def test_one_missing_camera_of_two_refuses_nothing(kiosk: Kiosk) -> None:
    kiosk.idle = "watch"
    kiosk.camera_lost("front")
    kiosk.press()
    (started,) = kiosk.rows("session.started")
    assert started.data["giving"] == ["overhead"]
    assert started.data["missing"] == ["front"]


def test_a_start_is_refused_while_an_update_is_switching(kiosk: Kiosk) -> None:
    kiosk.update(switching=True)
    kiosk.press()
    assert kiosk.rows("start.refused")[0].data == {"reason": "update"}
    kiosk.update(switching=False)
    kiosk.press()
    assert kiosk.phase is Phase.LIVE


def test_a_start_is_refused_with_a_row_when_storage_fails(kiosk: Kiosk) -> None:
    kiosk.storage(ok=False)
    assert kiosk.phase is Phase.FAULT
    kiosk.press()
    kiosk.hold_on_screen()
    assert kiosk.phase is Phase.FAULT
    assert kiosk.rows("start.refused")[0].data == {"reason": "storage"}
    kiosk.storage(ok=True)
    assert kiosk.phase.value == Phase.IDLE
    kiosk.press()
    assert len(kiosk.rows("session.started")) == 1


def test_a_running_session_outlives_a_storage_fault(kiosk: Kiosk) -> None:
    in_session(kiosk)
    kiosk.storage(ok=False)
    assert kiosk.phase is Phase.LIVE
    kiosk.hold()
    kiosk.wait(seconds=11)
    assert kiosk.phase is Phase.FAULT
    assert kiosk.record().state == "ended"
    kiosk.press()
    assert kiosk.phase is Phase.FAULT


def test_an_update_does_not_touch_a_running_session(kiosk: Kiosk) -> None:
    in_session(kiosk).update(switching=True)
    assert kiosk.phase is Phase.LIVE


@pytest.mark.parametrize("trouble", ["link", "clock", "one-camera", "stuck"])
def test_every_other_trouble_starts_the_session(kiosk: Kiosk, trouble: str) -> None:
    match trouble:
        case "link":
            kiosk.cut_link()
        case "clock":
            kiosk.step_clock(timedelta(days=-20_000), ClockTrust.UNSET)
        case "one-camera":
            kiosk.camera_lost("front")
        case _:
            kiosk.tell(s.Stuck(0, 10_000))
    kiosk.press("screen")
    assert len(kiosk.rows("session.started")) == 1


# The screen's actions


@pytest.mark.parametrize("minutes", ["5", "10", "15"])
def test_a_session_is_extended(kiosk: Kiosk, minutes: str) -> None:
    kiosk.hold_schedule(booking("b-0900", NINE, 30))
    in_session(kiosk).ask("extend", minutes)
    at(kiosk, 39.9 + int(minutes))
    assert kiosk.phase is Phase.LIVE
    at(kiosk, 40.1 + int(minutes))
    assert kiosk.phase.value == Phase.IDLE
    assert kiosk.minutes().overrun_ms == 600_000


@pytest.mark.parametrize("value", ["", "7", "-5", "60", "ten"])
def test_an_extension_by_another_time_is_refused(kiosk: Kiosk, value: str) -> None:
    in_session(kiosk)
    with pytest.raises(Refused, match="5, 10 or 15"):
        kiosk.ask("extend", value)
    assert not kiosk.rows("session.extended")


@pytest.mark.parametrize("action", ["extend", "not-this-student", "still-here"])
def test_what_is_about_a_session_is_refused_without_one(kiosk: Kiosk, action: str) -> None:
    with pytest.raises(Refused, match="No session"):
        kiosk.ask(action, "5")


def test_an_unknown_action_is_refused(kiosk: Kiosk) -> None:
    with pytest.raises(Refused, match="no action 'dance'"):
        kiosk.ask("dance")


def test_still_here_keeps_a_paused_unplanned_session_for_another_quarter_hour(kiosk: Kiosk) -> None:
    in_session(kiosk).press()
    kiosk.wait(minutes=14)
    kiosk.ask("still-here")
    kiosk.wait(minutes=14)
    assert kiosk.phase is Phase.PAUSED
    kiosk.wait(minutes=1.1)
    assert kiosk.phase.value == Phase.IDLE
    assert len(kiosk.rows("session.kept")) == 1


def test_still_here_keeps_a_running_session_past_its_hour(kiosk: Kiosk) -> None:
    kiosk.press()
    kiosk.wait(minutes=55)
    kiosk.ask("still-here")
    kiosk.wait(minutes=14.9)
    assert kiosk.phase is Phase.LIVE
    kiosk.wait(minutes=0.2)
    assert kiosk.phase.value == Phase.IDLE


def test_the_only_student_is_absent_without_being_named(kiosk: Kiosk) -> None:
    kiosk.hold_schedule(booking("b-0900", NINE))
    kiosk.ask("absent")
    in_session(kiosk).ask("absent", "s-0418")
    assert [row.data["student"] for row in kiosk.rows("student.absent")] == ["s-0418", "s-0418"]


def test_of_a_group_one_is_absent_by_reference(kiosk: Kiosk) -> None:
    kiosk.hold_schedule(booking("b-0900", NINE, model="group", students=["s-0418", "s-0419"]))
    kiosk.ask("absent", "s-0419")
    kiosk.ask("absent")
    assert [row.data["student"] for row in kiosk.rows("student.absent")] == ["s-0419", None]


def test_a_student_of_another_booking_is_not_absent_here(kiosk: Kiosk) -> None:
    kiosk.hold_schedule(booking("b-0900", NINE))
    with pytest.raises(Refused, match="no such student"):
        kiosk.ask("absent", "s-9999")


def test_a_reason_is_one_of_the_list_and_may_follow_the_end(kiosk: Kiosk) -> None:
    in_session(kiosk).ask("reason", "technical")
    kiosk.hold()
    kiosk.wait(seconds=20)
    kiosk.ask("reason", "student-unwell")
    first, second = kiosk.rows("reason.given")
    assert first.session == second.session is not None
    with pytest.raises(Refused, match="A reason is one of"):
        kiosk.ask("reason", "because")


def test_help_can_be_asked_for_at_any_time(kiosk: Kiosk) -> None:
    kiosk.ask("help")
    in_session(kiosk).ask("help")
    kiosk.press()
    kiosk.ask("help")
    assert [row.session is None for row in kiosk.rows("help.asked")] == [True, False, False]


def test_not_this_student_is_a_fact_of_the_session(kiosk: Kiosk) -> None:
    in_session(kiosk).ask("not-this-student")
    assert kiosk.rows("student.wrong")[0].session == kiosk.rows("session.started")[0].session


# Cameras, clock, states


def test_cameras_are_rows_with_their_reason(kiosk: Kiosk) -> None:
    in_session(kiosk)
    kiosk.camera_lost("front")
    kiosk.camera_back("front")
    front = [(row.type, row.data["reason"]) for row in kiosk.rows() if row.data.get("role") == "front"]
    assert front == [
        ("camera.opened", "session"),
        ("camera.back", "session"),
        ("camera.closed", "session"),
        ("camera.lost", "session"),
        ("camera.opened", "session"),
        ("camera.back", "session"),
    ]


def test_a_camera_that_stops_while_its_device_stays_open_is_lost(kiosk: Kiosk) -> None:
    in_session(kiosk)
    kiosk.tell(s.CameraChanged("front", s.CameraFact(open=True), "no frames"))
    assert kiosk.rows("camera.lost")[0].data == {"role": "front", "reason": "no frames"}


def test_a_session_without_any_picture_is_interrupted_though_one_camera_was_missing_before(kiosk: Kiosk) -> None:
    kiosk.idle = "watch"
    kiosk.camera_lost("front")
    in_session(kiosk).camera_lost("overhead")
    kiosk.wait(minutes=1)
    assert kiosk.minutes().interrupted_ms == {"camera": 60_000}


@pytest.mark.parametrize("days", [-20_000, -1, 1, 3_650])
def test_a_clock_step_moves_no_minute_and_no_end(kiosk: Kiosk, days: int) -> None:
    kiosk.hold_schedule(booking("b-0900", NINE, 30))
    kiosk.press()
    kiosk.wait(minutes=10)
    kiosk.step_clock(timedelta(days=days), ClockTrust.UNSET if days < -1_000 else ClockTrust.SYNCED)
    (step,) = kiosk.rows("clock.set")
    assert step.data["offset_ms"] == days * 86_400_000
    kiosk.wait(minutes=29.9)
    assert kiosk.phase is Phase.LIVE
    kiosk.wait(minutes=0.2)
    assert kiosk.phase.value == Phase.IDLE
    assert kiosk.minutes().elapsed_ms == 2_400_000 - 30


def test_rows_of_a_boot_with_an_unset_clock_are_dated_when_time_is_known(kiosk: Kiosk) -> None:
    kiosk.step_clock(timedelta(days=-20_000), ClockTrust.UNSET)
    in_session(kiosk)
    kiosk.wait(minutes=10)
    kiosk.step_clock(timedelta(days=20_000))
    started_at = kiosk.record().started_at
    assert started_at is not None
    assert abs(started_at - NINE) < timedelta(seconds=1)


def test_a_schedule_of_impossible_dates_does_no_harm(kiosk: Kiosk) -> None:
    far = booking("b-far", NINE).model_copy(update={"planned_ms": 2**63 - 1})
    early = booking("b-early", NINE.replace(year=1))
    kiosk.hold_schedule(far, early)
    kiosk.press()
    kiosk.wait(minutes=10)
    assert kiosk.rows("session.started")[0].data["booking"] == "b-far"


def test_states_are_rows_that_follow_from_each_other(kiosk: Kiosk) -> None:
    in_session(kiosk)
    kiosk.cut_link()
    kiosk.press()
    kiosk.wait(seconds=1)
    kiosk.hold()
    kiosk.wait(seconds=20)
    changes = [(row.data["before"], row.data["after"]) for row in kiosk.rows("state.changed")]
    assert changes == [
        ("booting", "idle"),
        ("idle", "starting"),
        ("starting", "live"),
        ("live", "buffering"),
        ("buffering", "paused"),
        ("paused", "ending"),
        ("ending", "idle"),
    ]
