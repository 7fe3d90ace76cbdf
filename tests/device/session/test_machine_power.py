"""Boots: presses meanwhile, and sessions found open after a power cut."""

from datetime import timedelta

import pytest

from device.session import states as s
from device.session.states import Phase
from tests.device.session.kiosk import MINUTE, NINE, Kiosk, at, booking, in_session
from wire.ledger import ClockTrust

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
    assert kiosk.is_(Phase.IDLE)
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
    assert kiosk.is_(Phase.FAULT)
    assert kiosk.rows("start.refused")[0].data == {"reason": "storage"}


def test_a_hold_during_boot_does_nothing(kiosk: Kiosk) -> None:
    kiosk.power_off()
    kiosk.begin_boot()
    kiosk.hold_on_screen()
    assert kiosk.is_(Phase.BOOTING)
    kiosk.finish_boot()
    assert not kiosk.rows("session.started")


def test_a_button_stuck_during_boot_starts_nothing(kiosk: Kiosk) -> None:
    kiosk.power_off()
    kiosk.begin_boot()
    kiosk.hold(seconds=12)
    kiosk.finish_boot()
    assert kiosk.is_(Phase.IDLE)
    assert not kiosk.rows("session.started")
    assert len(kiosk.rows("button.stuck")) == 1


# Power cuts


def test_after_a_short_power_cut_the_session_goes_on_after_five_seconds(kiosk: Kiosk) -> None:
    in_session(kiosk)
    kiosk.wait(minutes=5)
    kiosk.cut_power(minutes=9)
    assert kiosk.is_(Phase.BOOTING)
    assert not kiosk.any_camera_open()
    kiosk.press()
    kiosk.hold_on_screen()
    kiosk.wait(seconds=4.9)
    assert kiosk.is_(Phase.BOOTING)
    kiosk.wait(seconds=0.1)
    assert kiosk.is_(Phase.BUFFERING)
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
    assert kiosk.is_(Phase.IDLE)
    record = kiosk.record()
    assert (record.state, record.ended_by) == ("ended", "power")
    assert record.minutes.elapsed_ms == round((lived_s - 0.03) * 1_000)
    assert record.minutes.interrupted_ms == {}


@pytest.mark.parametrize(("seconds", "goes_on"), [(598.9, True), (599, False)])
def test_ten_minutes_count_from_the_last_moment_known_to_be_lived(kiosk: Kiosk, seconds: float, goes_on: bool) -> None:
    in_session(kiosk)
    kiosk.cut_power(seconds=seconds)  # the last such moment is a second before the cut
    assert kiosk.is_(Phase.BOOTING) is goes_on


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
    assert kiosk.is_(Phase.IDLE)


def test_a_session_whose_booking_still_runs_keeps_its_planned_end(kiosk: Kiosk) -> None:
    kiosk.hold_schedule(booking("b-0900", NINE, 30))
    in_session(kiosk).ask("extend", "5")
    kiosk.cut_power(minutes=2)
    at(kiosk, 44.9)
    assert kiosk.is_(Phase.BUFFERING)
    at(kiosk, 45.1)
    assert kiosk.is_(Phase.IDLE)
    assert kiosk.minutes().overrun_ms == pytest.approx(600_000, abs=2)


def test_an_unplanned_session_somebody_kept_past_its_hour_survives_a_power_cut(kiosk: Kiosk) -> None:
    in_session(kiosk)
    kiosk.wait(minutes=58)
    kiosk.ask("still-here")
    kiosk.wait(minutes=5)
    kiosk.cut_power(minutes=1)
    kiosk.wait(seconds=6)
    assert kiosk.is_(Phase.BUFFERING)
    kiosk.wait(minutes=11)
    assert kiosk.record().ended_by == "kiosk"


def test_a_paused_session_comes_back_paused(kiosk: Kiosk) -> None:
    in_session(kiosk).press()
    kiosk.wait(minutes=1)
    kiosk.cut_power(minutes=3)
    assert kiosk.is_(Phase.PAUSED)
    assert not kiosk.any_camera_open()
    kiosk.wait(minutes=1)
    assert kiosk.is_(Phase.PAUSED)
    minutes = kiosk.minutes()
    assert minutes.interrupted_ms == {"power": 181_000}
    assert minutes.paused_ms == 119_000


def test_an_ending_session_ends_as_of_the_hold(kiosk: Kiosk) -> None:
    in_session(kiosk)
    held_s = kiosk.truth_s
    kiosk.hold()
    kiosk.wait(seconds=3)
    kiosk.cut_power(minutes=1)
    assert kiosk.is_(Phase.IDLE)
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
    assert kiosk.is_(Phase.BUFFERING)
    assert kiosk.record().state == "running"
    assert set(kiosk.minutes().interrupted_ms) == {"power"}


def test_an_agent_that_was_killed_goes_on_and_does_not_blame_the_power(kiosk: Kiosk) -> None:
    in_session(kiosk)
    kiosk.restart_agent(seconds=3)
    kiosk.wait(seconds=6)
    assert kiosk.is_(Phase.BUFFERING)
    assert kiosk.minutes().interrupted_ms == {"unknown": 9_000}


def test_an_agent_restarted_while_the_clock_is_unset_goes_on(kiosk: Kiosk) -> None:
    kiosk.step_clock(timedelta(days=-20_000), ClockTrust.UNSET)
    in_session(kiosk).restart_agent(seconds=3)
    assert kiosk.is_(Phase.BOOTING)


def test_after_a_power_cut_with_an_unset_clock_nobody_can_tell_and_the_session_is_closed(kiosk: Kiosk) -> None:
    in_session(kiosk)
    kiosk.trust = ClockTrust.UNSET
    kiosk.cut_power(minutes=1)
    assert kiosk.is_(Phase.IDLE)
    record = kiosk.record()
    assert record.ended_by == "power"
    assert record.minutes.unknown_gaps == 0  # what is unknown lies after the end


def test_a_power_cut_at_idle_leaves_no_session(kiosk: Kiosk) -> None:
    kiosk.cut_power(minutes=1)
    assert kiosk.is_(Phase.IDLE)
    assert kiosk.state.session is None
    assert not kiosk.rows("power.lost")


def test_a_link_that_came_before_the_boot_was_told_counts_for_the_session_that_goes_on(kiosk: Kiosk) -> None:
    """The session waits for a true clock; the fleet, whose time it may be, answers before."""
    in_session(kiosk)
    kiosk.power_off()
    kiosk.begin_boot()
    kiosk.tell(s.LinkChanged(up=True))
    kiosk.wait(seconds=20)
    kiosk.finish_boot()
    before = kiosk.minutes()
    kiosk.wait(seconds=10)
    assert kiosk.is_(Phase.LIVE)
    assert kiosk.minutes().buffered_ms == before.buffered_ms
