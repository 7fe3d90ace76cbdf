"""A session over a power cut, as sessions.md has it: what each clock makes of it, what ledger and minutes say."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from device.session.states import Phase
from tests.device.session.kiosk import NINE, at, booking, in_session
from tests.wire.stopwatch import Watched
from wire.ledger import ClockTrust

SYNCED, HELD, UNSET = ClockTrust.SYNCED, ClockTrust.HELD, ClockTrust.UNSET


@pytest.fixture
def kiosk(tmp_path: Path) -> Iterator[Watched]:
    found = Watched(tmp_path, NINE, "America/Chicago")
    found.up()
    found.restore_link()
    yield found
    found.close()


def dark(kiosk: Watched, minutes: float, trust: ClockTrust = SYNCED, *, stood_still: bool = True) -> None:
    """Without power for a while; a clock that is held stood still meanwhile, or ran on."""
    kiosk.power_off()
    kiosk.stall(minutes * 60)
    kiosk.sets(trust, kiosk.behind + (timedelta(minutes=minutes) if stood_still else timedelta(0)))
    kiosk.up()


@pytest.mark.parametrize(
    ("before", "after", "goes_on"),
    [
        (SYNCED, SYNCED, True),
        (SYNCED, HELD, True),
        (HELD, HELD, True),
        (HELD, SYNCED, True),
        (SYNCED, UNSET, False),
        (HELD, UNSET, False),
        (UNSET, UNSET, False),
        (UNSET, SYNCED, False),
    ],
)
def test_a_clock_that_was_never_set_cannot_tell_ten_minutes_and_the_session_is_closed(
    kiosk: Watched, before: ClockTrust, after: ClockTrust, goes_on: bool
) -> None:
    kiosk.sets(before, timedelta(0))
    in_session(kiosk)
    lived_s = kiosk.truth_s - 1
    dark(kiosk, 1, after, stood_still=False)
    (lost,) = kiosk.rows("power.lost")
    assert (lost.data["cause"], lost.data["boot"]) == ("power", "boot-1")
    kiosk.wait(seconds=5)
    if goes_on:
        assert kiosk.is_(Phase.BUFFERING)
        return
    assert kiosk.is_(Phase.IDLE)
    record = kiosk.record()
    assert (record.state, record.ended_by) == ("ended", "power")
    assert record.minutes.elapsed_ms == round((lived_s - 0.03) * 1_000)
    assert record.minutes.bounds is None, "what is unknown lies after the end"


def test_a_held_clock_is_believed_and_what_it_cannot_know_is_said(kiosk: Watched) -> None:
    """It shows that seconds passed; by the rows nobody can tell better, until a time source does."""
    in_session(kiosk)
    dark(kiosk, 4, HELD)
    kiosk.wait(seconds=60)
    assert kiosk.is_(Phase.BUFFERING)
    bounds = kiosk.minutes().bounds
    assert bounds is not None
    assert (bounds.lost_min_ms, bounds.lost_max_ms) == (999, None)
    kiosk.is_told_the_time(SYNCED, timedelta(0))
    found = kiosk.minutes()
    assert found.bounds is None
    assert found.interrupted_ms == {"power": 246_000}


def test_a_held_clock_that_went_back_over_the_cut_goes_on_and_gives_no_length(kiosk: Watched) -> None:
    in_session(kiosk)
    kiosk.behind = timedelta(seconds=30)
    dark(kiosk, 2, HELD)
    kiosk.wait(seconds=5)
    assert kiosk.is_(Phase.BUFFERING)
    found = kiosk.minutes()
    assert (found.unknown_gaps, found.interrupted_ms) == (1, {"power": 5_000})


@pytest.mark.parametrize("minutes", [9, 11])
def test_a_paused_session_comes_back_paused_or_is_closed_by_the_same_ten_minutes(
    kiosk: Watched, minutes: float
) -> None:
    in_session(kiosk).press()
    kiosk.wait(seconds=30)
    dark(kiosk, minutes)
    assert kiosk.is_(Phase.PAUSED) is (minutes < 10)
    assert kiosk.record().state == ("paused" if minutes < 10 else "ended")
    assert not kiosk.any_camera_open()
    assert len(kiosk.rows("power.lost")) == 1


def test_a_paused_session_whose_booking_is_over_is_closed(kiosk: Watched) -> None:
    kiosk.hold_schedule(booking("b-0900", NINE, 30))
    in_session(kiosk)
    at(kiosk, 28)
    kiosk.press()
    kiosk.wait(seconds=10)
    dark(kiosk, 3)
    assert kiosk.is_(Phase.IDLE)
    assert kiosk.record().ended_by == "power"


def test_a_press_while_it_boots_does_not_touch_the_session_that_goes_on(kiosk: Watched) -> None:
    in_session(kiosk)
    kiosk.power_off()
    kiosk.stall(60)
    kiosk.begin_boot()
    kiosk.press()
    kiosk.wait(seconds=10)
    kiosk.finish_boot()
    kiosk.wait(seconds=6)
    assert kiosk.is_(Phase.BUFFERING)
    assert len(kiosk.rows("session.started")) == 1
    assert not kiosk.rows("session.paused")


@pytest.mark.parametrize(("boot_s", "starts"), [(89, True), (91, False)])
def test_a_press_while_it_boots_starts_anew_where_the_old_session_is_closed(
    kiosk: Watched, boot_s: float, starts: bool
) -> None:
    in_session(kiosk)
    kiosk.power_off()
    kiosk.stall(3_600)
    kiosk.begin_boot()
    kiosk.press()
    kiosk.wait(seconds=boot_s)
    kiosk.finish_boot()
    assert len(kiosk.rows("session.started")) == 1 + starts
    assert [row.data["by"] for row in kiosk.rows("session.ended")] == ["power"]
    assert (kiosk.state.asked_until_ns is None) is starts, "else the screen asks again"


def test_the_gap_of_a_restarted_agent_is_measured_whatever_the_clock(kiosk: Watched) -> None:
    in_session(kiosk)
    kiosk.is_told_the_time(UNSET, timedelta(0))
    kiosk.restart_agent(seconds=599)
    assert kiosk.is_(Phase.BOOTING)
    kiosk.wait(seconds=5)
    kiosk.restart_agent(seconds=601)
    assert kiosk.record().ended_by == "power"
    assert kiosk.minutes().bounds is None
