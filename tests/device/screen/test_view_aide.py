"""What an aide is told before, around and after a session: soon, late, cancelled, why, and who comes."""

import pytest

from device.screen.idle import ANNOUNCED_FOR_S
from device.screen.view import view
from device.session import states as s
from tests.device.screen.gallery import GALLERY, LATER, OFF, TEN
from tests.device.screen.room import PLACE, Room, booking
from wire.calls import HelpAnswered


def said(room: Room, language: str = "en") -> tuple[str, str]:
    found = view(room.snapshot(), language)
    return found.do, found.then


@pytest.mark.parametrize(("minutes", "words"), [(30, "30 minutes"), (5, "5 minutes"), (1, "1 minute")])
def test_the_next_booking_is_announced_softly_at_its_moment_and_not_for_long(minutes: int, words: str) -> None:
    room = Room(booking("bk-1045", "10:45")).boot()
    wait_s = 38 * 60 - minutes * 60
    assert view(room.passes(wait_s - 1).snapshot(), "en").notice == ""
    assert view(room.passes(1).snapshot(), "en").notice == f"The 10:45 starts in {words}."
    assert view(room.passes(ANNOUNCED_FOR_S - 1).snapshot(), "en").notice != ""
    assert view(room.passes(1).snapshot(), "en").notice == ""


def test_nothing_is_announced_in_front_of_a_child_in_session() -> None:
    room = Room(TEN, LATER).boot().start()
    for _ in range(38 * 6):
        assert view(room.passes(10).snapshot(), "en").notice == ""


def test_a_late_therapist_is_named_before_and_in_the_session() -> None:
    assert view(GALLERY["ready-therapist-late"](), "en").then == "The therapist is about 10 minutes late."
    assert view(GALLERY["waiting-late"](), "en").do == "The therapist is about 10 minutes late."


def test_a_cancelled_booking_is_said_and_a_reason_without_words_is_not_shown() -> None:
    assert said(Room(settled=(OFF,)).boot()) == (
        "Nothing is planned.",
        "The 10:15 is cancelled: School event or drill.",
    )
    for reason in ("cancelled", "Maria is ill"):
        unknown = Room(settled=(OFF.model_copy(update={"reason": reason}),)).boot()
        assert said(unknown) == ("Nothing is planned.", "The 10:15 is cancelled.")


class TestACallOnTheScreen:
    def test_from_the_call_to_the_answer(self) -> None:
        room = Room(TEN).boot().happens(s.Asked("help", "adult"))
        emergency = "This is no emergency call. In an emergency follow your school's plan."
        assert said(room) == ("The point person and the office are being called.", emergency)
        assert said(room.passes(60)) == ("No one has answered yet. Call 214.", emergency)
        room.happens(s.HelpAnswered(HelpAnswered(by_role="point-person")))
        assert said(room) == ("The point person has answered.", emergency)
        room.happens(s.Asked("help-over"))
        assert said(room)[0] == "Press the button to start the 10:15."

    def test_offline_it_names_the_extension_of_the_schedule_before_the_kiosks_own(self) -> None:
        room = Room(TEN).boot().network(up=False).happens(s.Asked("help", "adult"))
        assert said(room)[0] == "No network: no one has heard it. Call 214."
        held = room.state.schedule
        assert held is not None
        room.happens(s.ScheduleSet(held.model_copy(update={"office": "300"})))
        assert said(room)[0] == "No network: no one has heard it. Call 300."
        assert view(room.snapshot(), "en").help == "Help: call 300"

    def test_without_any_number_somebody_goes(self) -> None:
        place = PLACE.__class__(PLACE.kiosk, PLACE.campus, PLACE.room, "")
        room = Room(TEN, place=place).boot().network(up=False).happens(s.Asked("help", "adult"))
        assert said(room)[0] == "No network: no one has heard it. Go and get an adult."

    def test_a_role_of_a_later_release_is_somebody(self) -> None:
        assert view(GALLERY["call-refused"](), "en").do == "Somebody has answered."

    def test_where_seconds_are_counted_down_the_countdown_stays(self) -> None:
        room = Room(TEN).boot().start().passes(60).happens(s.Asked("help", "adult")).hold()
        assert view(room.snapshot(), "en").headline.startswith("Ending in")
        assert view(room.snapshot(), "en").offer is None
