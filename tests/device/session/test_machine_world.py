"""Cameras, clock and states around a session."""

from datetime import timedelta

import pytest

from device.session import states as s
from device.session.states import Phase
from tests.device.session.kiosk import NINE, Kiosk, booking, in_session
from wire.ledger import ClockTrust


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
    assert kiosk.is_(Phase.LIVE)
    kiosk.wait(minutes=0.2)
    assert kiosk.is_(Phase.IDLE)
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
