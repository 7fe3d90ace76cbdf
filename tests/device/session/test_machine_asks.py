"""The three reasons for which a start is refused, and what the screen may ask for."""

from datetime import timedelta

import pytest

from device.errors import Refused
from device.session import states as s
from device.session.states import Phase
from tests.device.session.kiosk import NINE, Kiosk, at, booking, in_session
from wire.ledger import ClockTrust

# A start is refused for three reasons


def test_a_start_is_refused_when_no_camera_works(kiosk: Kiosk) -> None:
    kiosk.idle = "watch"
    kiosk.camera_lost("overhead")
    kiosk.camera_lost("front")
    kiosk.press()
    assert kiosk.is_(Phase.IDLE)
    assert kiosk.rows("start.refused")[0].data == {"reason": "no-camera"}
    assert kiosk.refusal() == "no-camera"
    kiosk.wait(seconds=20)
    assert kiosk.refusal() is None
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
    assert kiosk.is_(Phase.LIVE)


def test_a_start_is_refused_with_a_row_when_storage_fails(kiosk: Kiosk) -> None:
    kiosk.storage(ok=False)
    assert kiosk.is_(Phase.FAULT)
    kiosk.press()
    kiosk.hold_on_screen()
    assert kiosk.is_(Phase.FAULT)
    assert kiosk.rows("start.refused")[0].data == {"reason": "storage"}
    kiosk.storage(ok=True)
    assert kiosk.is_(Phase.IDLE)
    kiosk.press()
    assert len(kiosk.rows("session.started")) == 1


def test_a_running_session_outlives_a_storage_fault(kiosk: Kiosk) -> None:
    in_session(kiosk)
    kiosk.storage(ok=False)
    assert kiosk.is_(Phase.LIVE)
    kiosk.hold()
    kiosk.wait(seconds=11)
    assert kiosk.is_(Phase.FAULT)
    assert kiosk.record().state == "ended"
    kiosk.press()
    assert kiosk.is_(Phase.FAULT)


def test_an_update_does_not_touch_a_running_session(kiosk: Kiosk) -> None:
    in_session(kiosk).update(switching=True)
    assert kiosk.is_(Phase.LIVE)


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
    assert kiosk.is_(Phase.LIVE)
    at(kiosk, 40.1 + int(minutes))
    assert kiosk.is_(Phase.IDLE)
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
    assert kiosk.is_(Phase.PAUSED)
    kiosk.wait(minutes=1.1)
    assert kiosk.is_(Phase.IDLE)
    assert len(kiosk.rows("session.kept")) == 1


def test_still_here_keeps_a_running_session_past_its_hour(kiosk: Kiosk) -> None:
    kiosk.press()
    kiosk.wait(minutes=55)
    kiosk.ask("still-here")
    kiosk.wait(minutes=14.9)
    assert kiosk.is_(Phase.LIVE)
    kiosk.wait(minutes=0.2)
    assert kiosk.is_(Phase.IDLE)


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
    assert [row.session is None for row in kiosk.rows("help.called")] == [True, False, False]


def test_help_may_say_what_for(kiosk: Kiosk) -> None:
    kiosk.ask("help", "adult")
    in_session(kiosk).ask("help", "other")
    first, second = kiosk.rows("help.called")
    assert [(row.data["kind"], row.session is None) for row in (first, second)] == [("adult", True), ("other", False)]
    with pytest.raises(Refused, match="adult, other"):
        kiosk.ask("help", "pizza")


def test_not_this_student_is_a_fact_of_the_session(kiosk: Kiosk) -> None:
    in_session(kiosk).ask("not-this-student")
    assert kiosk.rows("student.wrong")[0].session == kiosk.rows("session.started")[0].session
