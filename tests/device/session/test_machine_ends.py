"""How a session ends, what a press soon after does, and what a stuck button is worth."""

from device.session import states as s
from device.session.states import Phase
from tests.device.session.kiosk import MINUTE, NINE, Kiosk, at, booking, in_session

# A press soon after the end


def test_a_press_within_two_minutes_continues_the_session(kiosk: Kiosk) -> None:
    in_session(kiosk).hold()
    kiosk.wait(seconds=11)
    kiosk.cut_link()
    kiosk.wait(seconds=60)
    kiosk.press()
    kiosk.wait(seconds=30)
    assert len(kiosk.rows("session.started")) == 1
    assert kiosk.is_(Phase.BUFFERING)
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
    assert kiosk.is_(Phase.IDLE)
    kiosk.press()
    kiosk.wait(minutes=9.9)
    assert kiosk.is_(Phase.LIVE)
    kiosk.wait(minutes=0.2)
    assert kiosk.is_(Phase.IDLE)


def test_a_continuation_is_refused_like_a_start(kiosk: Kiosk) -> None:
    in_session(kiosk).hold()
    kiosk.wait(seconds=20)
    kiosk.update(switching=True)
    kiosk.press()
    assert kiosk.is_(Phase.IDLE)
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
    assert kiosk.is_(Phase.LIVE)
    kiosk.wait(minutes=0.2)
    assert kiosk.is_(Phase.IDLE)
    record = kiosk.record()
    assert record.ended_by == "kiosk"
    assert record.minutes.elapsed_ms == 3_600_000


def test_a_planned_session_ends_ten_minutes_after_its_planned_end(kiosk: Kiosk) -> None:
    kiosk.hold_schedule(booking("b-0900", NINE, 30))
    kiosk.press()
    at(kiosk, 39.9)
    assert kiosk.is_(Phase.LIVE)
    at(kiosk, 40.1)
    assert kiosk.is_(Phase.IDLE)
    assert kiosk.minutes().overrun_ms == 600_000


def test_a_paused_session_ends_at_its_planned_end(kiosk: Kiosk) -> None:
    kiosk.hold_schedule(booking("b-0900", NINE, 30))
    in_session(kiosk).press()
    at(kiosk, 29.9)
    assert kiosk.is_(Phase.PAUSED)
    at(kiosk, 30.1)
    assert kiosk.is_(Phase.IDLE)
    assert kiosk.minutes().overrun_ms == 0


def test_a_pause_after_the_planned_end_lasts_at_most_to_ten_minutes_past_it(kiosk: Kiosk) -> None:
    kiosk.hold_schedule(booking("b-0900", NINE, 30))
    in_session(kiosk)
    at(kiosk, 32)
    kiosk.press()
    at(kiosk, 39.9)
    assert kiosk.is_(Phase.PAUSED)
    at(kiosk, 40.1)
    assert kiosk.is_(Phase.IDLE)


def test_an_unplanned_paused_session_ends_after_a_quarter_hour(kiosk: Kiosk) -> None:
    in_session(kiosk).press()
    kiosk.wait(minutes=14.9)
    assert kiosk.is_(Phase.PAUSED)
    kiosk.wait(minutes=0.2)
    assert kiosk.is_(Phase.IDLE)


def test_an_agent_that_hung_ends_the_session_as_of_its_time(kiosk: Kiosk) -> None:
    kiosk.press()
    kiosk.stall(seconds=2 * 3_600)
    kiosk.cut_link()
    assert kiosk.minutes().elapsed_ms == 3_600_000


# A stuck button


def test_a_stuck_button_cancels_the_session_it_started(kiosk: Kiosk) -> None:
    kiosk.hold(seconds=11)
    assert kiosk.is_(Phase.IDLE)
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
    assert kiosk.is_(Phase.LIVE)
    assert kiosk.types()[-5:] == ["session.paused", "session.ending", "button.stuck", "session.resumed", "button.freed"]
    kiosk.wait(minutes=1)
    assert kiosk.record().state == "running"


def test_a_button_held_to_ten_seconds_while_paused_leaves_it_paused(kiosk: Kiosk) -> None:
    in_session(kiosk).press()
    kiosk.wait(seconds=20)
    kiosk.hold(seconds=10)
    assert kiosk.is_(Phase.PAUSED)


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
    assert kiosk.is_(Phase.IDLE)
    record = kiosk.record()
    assert record.state == "ended"
    assert record.minutes.running_ms == before.running_ms
