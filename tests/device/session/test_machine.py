"""The button, row by row of the table in the design (G4, G6 of docs/threat-model.md): idle, starting, in session."""

from datetime import timedelta

import pytest

from device.session.states import Phase
from tests.device.session.kiosk import MINUTE, NINE, Kiosk, at, booking, in_session
from wire.ledger import ClockTrust

# Idle


def test_without_a_schedule_a_press_starts_an_unplanned_session(kiosk: Kiosk) -> None:
    kiosk.press()
    (started,) = kiosk.rows("session.started")
    assert started.data["booking"] is None
    assert started.data["planned_ms"] is None
    assert started.data["by"] == "button"
    assert kiosk.is_(Phase.LIVE)


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
    assert kiosk.is_(Phase.IDLE)
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
    assert kiosk.is_(Phase.IDLE)
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


def test_an_overdue_booking_is_not_written_again_after_a_boot(kiosk: Kiosk) -> None:
    kiosk.hold_schedule(booking("b-0905", NINE + 5 * MINUTE, 30))
    at(kiosk, 9)
    kiosk.cut_power(seconds=20)
    at(kiosk, 12)
    assert len(kiosk.rows("start.overdue")) == 1


# Starting


def test_presses_and_holds_do_nothing_until_five_seconds_after_first_pictures(kiosk: Kiosk) -> None:
    kiosk.warm_up_s = 1.2
    kiosk.press()
    assert kiosk.is_(Phase.STARTING)
    kiosk.wait(seconds=0.5)
    kiosk.press()
    kiosk.hold_on_screen()
    kiosk.wait(seconds=0.7)
    assert kiosk.is_(Phase.LIVE)
    kiosk.wait(seconds=4.8)
    kiosk.press("screen")
    kiosk.hold_on_screen()
    assert kiosk.is_(Phase.LIVE)
    kiosk.wait(seconds=0.3)
    kiosk.press("screen")
    assert kiosk.is_(Phase.PAUSED)


def test_a_double_and_a_triple_press_start_one_session(kiosk: Kiosk) -> None:
    for _ in range(3):
        kiosk.press()
        kiosk.wait(seconds=0.2)
    assert kiosk.is_(Phase.LIVE)
    assert kiosk.types() == ["link.up", "session.started"]


def test_the_hand_that_started_may_rest_on_the_button(kiosk: Kiosk) -> None:
    kiosk.hold(seconds=6)
    assert kiosk.is_(Phase.LIVE)


def test_with_one_camera_missing_the_session_goes_live_after_five_seconds(kiosk: Kiosk) -> None:
    kiosk.camera_lost("front")
    kiosk.press()
    kiosk.wait(seconds=4.9)
    assert kiosk.is_(Phase.STARTING)
    kiosk.wait(seconds=0.2)
    assert kiosk.is_(Phase.LIVE)


def test_with_no_pictures_the_session_goes_live_after_ten_seconds(kiosk: Kiosk) -> None:
    kiosk.warm_up_s = 60
    kiosk.press()
    kiosk.wait(seconds=9.9)
    assert kiosk.is_(Phase.STARTING)
    kiosk.wait(seconds=0.2)
    assert kiosk.is_(Phase.LIVE)


def test_a_consult_that_needs_no_camera_goes_live_at_once(kiosk: Kiosk) -> None:
    kiosk.warm_up_s = 60
    kiosk.hold_schedule(booking("b-0900", NINE, model="consult", students=[], needs=[]))
    kiosk.press()
    assert kiosk.is_(Phase.LIVE)


def test_without_a_link_the_session_runs_buffering_and_goes_live_when_it_returns(kiosk: Kiosk) -> None:
    kiosk.cut_link()
    in_session(kiosk)
    assert kiosk.is_(Phase.BUFFERING)
    kiosk.restore_link()
    assert kiosk.is_(Phase.LIVE)
    kiosk.cut_link()
    kiosk.cut_link()
    assert kiosk.is_(Phase.BUFFERING)
    assert kiosk.types()[-2:] == ["link.up", "link.down"]


# In session


@pytest.mark.parametrize("link_up", [True, False])
def test_a_press_pauses_at_once_and_closes_the_cameras(kiosk: Kiosk, link_up: bool) -> None:
    if not link_up:
        kiosk.cut_link()
    in_session(kiosk).press()
    assert kiosk.is_(Phase.PAUSED)
    assert not kiosk.any_camera_open()
    assert kiosk.rows("session.paused")[0].data == {"by": "button"}
    assert {row.data["reason"] for row in kiosk.rows("camera.closed")} == {"pause"}


def test_a_press_resumes_after_three_seconds_on_the_screen(kiosk: Kiosk) -> None:
    in_session(kiosk).press()
    kiosk.wait(seconds=10)
    kiosk.press()
    kiosk.wait(seconds=2.9)
    assert kiosk.is_(Phase.PAUSED)
    assert not kiosk.any_camera_open()
    kiosk.wait(seconds=0.2)
    assert kiosk.is_(Phase.LIVE)
    assert kiosk.any_camera_open()
    assert kiosk.minutes().paused_ms == 13_030  # and the 30 ms until the press counted


def test_a_press_in_the_countdown_stays_paused(kiosk: Kiosk) -> None:
    in_session(kiosk).press()
    kiosk.press()
    kiosk.wait(seconds=2)
    kiosk.press()
    kiosk.wait(minutes=1)
    assert kiosk.is_(Phase.PAUSED)
    assert not kiosk.rows("session.resumed")


def test_a_press_that_overtakes_the_end_of_the_countdown_pauses_anew(kiosk: Kiosk) -> None:
    in_session(kiosk).press()
    kiosk.press()
    kiosk.stall(seconds=4)
    kiosk.press("screen")
    assert kiosk.is_(Phase.PAUSED)
    assert kiosk.state.countdown_ns is None
    assert kiosk.types()[-2:] == ["session.resumed", "session.paused"]
    assert [row.data["after"] for row in kiosk.rows("state.changed")][-4:] == ["live", "paused", "live", "paused"]


def test_resuming_without_a_link_buffers(kiosk: Kiosk) -> None:
    in_session(kiosk).press()
    kiosk.cut_link()
    kiosk.press()
    kiosk.wait(seconds=4)
    assert kiosk.is_(Phase.BUFFERING)


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
    assert kiosk.is_(Phase.ENDING)
    assert not kiosk.any_camera_open()
    assert kiosk.types()[-2:] == ["session.paused", "session.ending"]
    kiosk.wait(seconds=9.9)
    assert kiosk.is_(Phase.ENDING)
    kiosk.wait(seconds=0.2)
    assert kiosk.is_(Phase.IDLE)
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
    assert kiosk.is_(Phase.LIVE)
    kiosk.wait(minutes=1)
    assert kiosk.is_(Phase.LIVE)
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
    assert kiosk.is_(Phase.ENDING)
    assert not kiosk.rows("session.resumed")
    kiosk.press()
    assert kiosk.is_(Phase.PAUSED)
    kiosk.wait(minutes=1)
    assert kiosk.is_(Phase.PAUSED)
    assert not kiosk.rows("session.resumed")


def test_a_hold_on_the_screen_while_paused_undone_stays_paused(kiosk: Kiosk) -> None:
    in_session(kiosk).press()
    kiosk.hold_on_screen()
    kiosk.press("screen")
    assert kiosk.is_(Phase.PAUSED)


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
    assert kiosk.is_(Phase.LIVE)
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
    assert kiosk.is_(Phase.PAUSED)


def test_past_its_planned_end_with_no_other_window_a_press_pauses(kiosk: Kiosk) -> None:
    kiosk.hold_schedule(booking("b-0900", NINE, 30))
    in_session(kiosk)
    at(kiosk, 31)
    kiosk.press()
    assert kiosk.is_(Phase.PAUSED)


def test_an_extended_session_is_not_past_its_planned_end(kiosk: Kiosk) -> None:
    kiosk.hold_schedule(booking("b-0900", NINE, 30), booking("b-0935", NINE + 35 * MINUTE, 30))
    in_session(kiosk).ask("extend", "10")
    at(kiosk, 31)
    kiosk.press()
    assert kiosk.is_(Phase.PAUSED)


def test_past_its_planned_end_a_hold_ends(kiosk: Kiosk) -> None:
    kiosk.hold_schedule(booking("b-0900", NINE, 30), booking("b-0935", NINE + 35 * MINUTE, 30))
    in_session(kiosk)
    at(kiosk, 31)
    kiosk.hold_on_screen()
    assert kiosk.is_(Phase.ENDING)
    kiosk.wait(seconds=11)
    assert kiosk.is_(Phase.IDLE)
