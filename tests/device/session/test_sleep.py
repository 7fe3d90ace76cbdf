"""T6: a machine that is suspended in a session. The time counts as elapsed, and as no minute.

Shown with a clock that the test moves; that Linux's two clocks part while a laptop sleeps is told by
clock_gettime(2) and was not tried on one.
"""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from device.session import sleep
from device.session.clock import NS_PER_S, Instant
from device.session.states import Phase, Session, State
from tests.device.session.kiosk import NINE, Kiosk, booking, in_session
from wire.ledger import ClockTrust


def _instant(slept_ns: int) -> Instant:
    return Instant(10**13, NINE, "boot-1", ClockTrust.SYNCED, slept_ns)


def test_t6_a_short_sleep_is_an_interruption_of_its_very_length(kiosk: Kiosk) -> None:
    in_session(kiosk)
    before = kiosk.minutes()
    kiosk.suspend(minutes=4)
    kiosk.wait(seconds=60)
    after = kiosk.minutes()
    assert after.elapsed_ms - before.elapsed_ms == 300_000
    assert after.interrupted_ms == {"unknown": 240_000}
    assert after.running_ms - before.running_ms == 60_000
    assert after.camera_ms - before.camera_ms == 60_000, "the cameras go on, and the rows say so"
    assert after.buffered_ms == before.buffered_ms, "and so does the link"
    assert after.unknown_gaps == 0
    assert kiosk.is_(Phase.LIVE)


def test_t6_after_ten_minutes_of_sleep_the_session_ended_where_it_fell_asleep(kiosk: Kiosk) -> None:
    in_session(kiosk)
    before = kiosk.minutes()
    kiosk.suspend(minutes=10)
    kiosk.wait(seconds=1)
    record = kiosk.record()
    assert (record.state, record.ended_by) == ("ended", "power")
    assert 0 <= record.minutes.elapsed_ms - before.elapsed_ms <= 1_000
    assert record.minutes.interrupted_ms == {}
    kiosk.press()
    assert len(kiosk.rows("session.started")) == 2, "what slept through is not continued"


def test_t6_a_booking_that_is_over_by_then_ended_where_it_fell_asleep(kiosk: Kiosk) -> None:
    kiosk.hold_schedule(booking("b-0900", NINE, 30))
    in_session(kiosk)
    kiosk.wait(minutes=25)
    before = kiosk.minutes()
    kiosk.suspend(minutes=8)
    kiosk.wait(seconds=1)
    record = kiosk.record()
    assert record.ended_by == "power"
    assert record.minutes.elapsed_ms - before.elapsed_ms <= 1_000


def test_t6_a_pause_stays_a_pause(kiosk: Kiosk) -> None:
    in_session(kiosk)
    kiosk.press()
    kiosk.wait(seconds=1)
    before = kiosk.minutes()
    kiosk.suspend(minutes=4)
    kiosk.wait(seconds=1)
    assert kiosk.is_(Phase.PAUSED)
    after = kiosk.minutes()
    assert after.paused_ms - before.paused_ms == 241_000
    assert after.interrupted_ms == {}


def test_t6_the_first_event_after_a_sleep_is_judged_after_it(kiosk: Kiosk) -> None:
    """A press wakes the laptop: it pauses what went on, and what was slept is no minute."""
    in_session(kiosk)
    kiosk.suspend(minutes=3, noticed=False)
    kiosk.press("screen")
    types = [row.type for row in kiosk.rows() if row.session]
    assert types.index("power.lost") < types.index("session.resumed") < types.index("session.paused")
    assert kiosk.minutes().interrupted_ms == {"unknown": 180_000}


def test_t6_a_sleep_outside_sessions_and_before_the_agent_came_up_is_no_row(kiosk: Kiosk) -> None:
    kiosk.suspend(minutes=30)
    kiosk.wait(seconds=5)
    kiosk.restart_agent()
    in_session(kiosk)
    assert not kiosk.rows("power.lost")
    assert kiosk.minutes().interrupted_ms == {}


@pytest.mark.parametrize("jitter_ns", [0, 1, 900_000_000])
def test_two_clocks_that_are_not_read_at_once_are_no_sleep(jitter_ns: int) -> None:
    state = State(slept_ns=5 * NS_PER_S)
    assert sleep.slept_ns(state, _instant(5 * NS_PER_S + jitter_ns)) == 0
    assert sleep.slept_ns(state, _instant(6 * NS_PER_S)) == NS_PER_S


@settings(deadline=None)
@given(nap_s=st.integers(1, 3_600), left_s=st.integers(-3_600, 3_600))
def test_a_sleep_is_resumed_from_exactly_when_a_power_cut_would_be(nap_s: int, left_s: int) -> None:
    now = _instant(nap_s * NS_PER_S)
    session = Session("s", None, frozenset(), 0, now.mono_ns + left_s * NS_PER_S)
    assert sleep.resumable(session, now, nap_s * NS_PER_S) is (nap_s < 600 and left_s > 0)
