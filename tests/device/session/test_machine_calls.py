"""A call for an adult, why a session ended early or did not happen, and who is late or does not come."""

import pytest

from device.errors import Refused
from device.session import lateness, windows
from device.session import states as s
from device.session.states import Phase
from tests.device.session.kiosk import MINUTE, NINE, Kiosk, at, booking, in_session
from wire.calls import HelpAnswered
from wire.schedule import Schedule, Settled


def answers(kiosk: Kiosk, role: str = "point-person", call: str | None = None) -> None:
    kiosk.tell(s.HelpAnswered(HelpAnswered(by_role=role, by="pp-17", call=call)))


class TestACall:
    def test_it_is_a_row_with_its_kind_and_its_own_id(self, kiosk: Kiosk) -> None:
        kiosk.ask("help", "adult")
        in_session(kiosk).ask("help", "adult")
        first, second = kiosk.rows("help.called")
        assert [row.data["kind"] for row in (first, second)] == ["adult", "adult"]
        assert first.data["call"] != second.data["call"], "each call is one of its own"
        assert kiosk.state.help_call is not None
        assert kiosk.state.help_call.call == second.data["call"]

    def test_without_a_kind_somebody_is_called(self, kiosk: Kiosk) -> None:
        kiosk.ask("help")
        assert [row.data["kind"] for row in kiosk.rows("help.called")] == ["adult"]

    def test_what_else_is_wrong_is_written_down_and_nobody_is_waited_for(self, kiosk: Kiosk) -> None:
        kiosk.ask("help", "other")
        assert [row.data["kind"] for row in kiosk.rows("help.called")] == ["other"]
        assert kiosk.state.help_call is None

    def test_another_kind_is_none(self, kiosk: Kiosk) -> None:
        with pytest.raises(Refused, match="adult, other"):
            kiosk.ask("help", "pizza")

    def test_after_a_minute_without_an_answer_it_is_late(self, kiosk: Kiosk) -> None:
        kiosk.ask("help", "adult")
        kiosk.wait(seconds=59)
        assert kiosk.state.help_call is not None
        assert not kiosk.state.help_call.is_late
        kiosk.wait(seconds=1)
        assert kiosk.state.help_call.is_late

    def test_the_answer_is_a_row_and_makes_it_late_no_more(self, kiosk: Kiosk) -> None:
        kiosk.ask("help", "adult")
        kiosk.wait(seconds=61)
        answers(kiosk, "office")
        (row,) = kiosk.rows("help.answered")
        call = kiosk.state.help_call
        assert call is not None
        assert row.data == {"by_role": "office", "by": "pp-17", "call": call.call}
        assert (call.answered_by, call.is_late) == ("office", False)
        kiosk.wait(minutes=4.9)
        assert kiosk.state.help_call is not None
        kiosk.wait(minutes=0.2)
        assert kiosk.state.help_call is None

    def test_the_newest_answer_counts(self, kiosk: Kiosk) -> None:
        kiosk.ask("help", "adult")
        answers(kiosk, "office")
        answers(kiosk, "point-person")
        assert kiosk.state.help_call is not None
        assert kiosk.state.help_call.answered_by == "point-person"

    def test_an_answer_to_no_call_or_to_another_is_refused(self, kiosk: Kiosk) -> None:
        with pytest.raises(Refused, match="No such call"):
            answers(kiosk)
        kiosk.ask("help", "adult")
        (first,) = kiosk.rows("help.called")
        kiosk.wait(seconds=1)
        kiosk.ask("help", "adult")
        with pytest.raises(Refused, match="No such call"):
            answers(kiosk, call=first.data["call"])
        assert not kiosk.rows("help.answered")

    def test_the_room_says_that_help_has_come(self, kiosk: Kiosk) -> None:
        kiosk.ask("help", "adult")
        kiosk.ask("help-over")
        assert kiosk.rows("help.over")[0].data["call"] == kiosk.rows("help.called")[0].data["call"]
        assert kiosk.state.help_call is None
        with pytest.raises(Refused, match="Nobody was called"):
            kiosk.ask("help-over")

    def test_a_call_that_nobody_answers_or_ends_is_not_shown_for_ever(self, kiosk: Kiosk) -> None:
        kiosk.ask("help", "adult")
        kiosk.wait(minutes=14.9)
        assert kiosk.state.help_call is not None
        kiosk.wait(minutes=0.2)
        assert kiosk.state.help_call is None


class TestWhy:
    def test_a_session_that_ends_early_is_asked_about_until_somebody_says(self, kiosk: Kiosk) -> None:
        kiosk.hold_schedule(booking("b-0900", NINE))
        in_session(kiosk).hold()
        kiosk.wait(seconds=20)
        assert kiosk.state.why is not None
        assert kiosk.state.why.about == "ended-early"
        kiosk.ask("reason", "student-declined")
        (row,) = kiosk.rows("reason.given")
        assert row.session == kiosk.rows("session.ended")[0].session
        assert row.data == {"reason": "student-declined", "about": "ended-early", "booking": "b-0900"}
        assert kiosk.state.why is None

    def test_one_that_ends_as_planned_is_not(self, kiosk: Kiosk) -> None:
        kiosk.hold_schedule(booking("b-0900", NINE))
        in_session(kiosk)
        at(kiosk, 28.1)
        kiosk.hold()
        kiosk.wait(seconds=20)
        assert kiosk.is_(Phase.IDLE)
        assert kiosk.state.why is None

    def test_an_unplanned_one_has_no_plan_to_miss(self, kiosk: Kiosk) -> None:
        in_session(kiosk).hold()
        kiosk.wait(seconds=20)
        assert kiosk.state.why is None

    def test_it_may_be_skipped_which_is_a_row(self, kiosk: Kiosk) -> None:
        kiosk.hold_schedule(booking("b-0900", NINE))
        in_session(kiosk).hold()
        kiosk.wait(seconds=20)
        kiosk.ask("skip-reason")
        assert kiosk.rows("reason.skipped")[0].data == {"about": "ended-early", "booking": "b-0900"}
        assert kiosk.state.why is None
        with pytest.raises(Refused, match="Nothing was asked"):
            kiosk.ask("skip-reason")

    def test_a_session_that_goes_on_did_not_end_early(self, kiosk: Kiosk) -> None:
        kiosk.hold_schedule(booking("b-0900", NINE))
        in_session(kiosk).hold()
        kiosk.wait(seconds=20)
        kiosk.press()
        assert kiosk.rows("session.continued")
        assert kiosk.state.why is None

    def test_a_booking_that_nobody_started_may_be_explained_at_once(self, kiosk: Kiosk) -> None:
        kiosk.hold_schedule(booking("b-0900", NINE))
        at(kiosk, 4)
        assert lateness.overdue(kiosk.state, kiosk.now()) == "b-0900"
        kiosk.ask("reason", "no-staff-or-room")
        (row,) = kiosk.rows("reason.given")
        assert (row.session, row.data["about"], row.data["booking"]) == (None, "not-started", "b-0900")
        assert lateness.overdue(kiosk.state, kiosk.now()) is None
        at(kiosk, 31)
        assert kiosk.state.why is None, "nobody is asked twice"

    def test_else_the_room_is_asked_when_it_can_start_no_more_and_for_an_hour(self, kiosk: Kiosk) -> None:
        kiosk.hold_schedule(booking("b-0900", NINE))
        asked = []
        for minute in (29.9, 30.2, 89, 91):
            at(kiosk, minute)
            asked.append(kiosk.state.why.about if kiosk.state.why else None)
        assert asked == [None, "did-not-happen", "did-not-happen", None]

    def test_a_given_reason_outlives_a_power_cut(self, kiosk: Kiosk) -> None:
        kiosk.hold_schedule(booking("b-0900", NINE))
        at(kiosk, 4)
        kiosk.ask("reason", "technical")
        kiosk.cut_power(seconds=30)
        kiosk.hold_schedule(booking("b-0900", NINE))
        kiosk.wait(seconds=30)
        assert kiosk.state.explained == {"b-0900"}
        assert lateness.overdue(kiosk.state, kiosk.now()) is None

    def test_the_only_student_is_not_here_says_it_all(self, kiosk: Kiosk) -> None:
        kiosk.hold_schedule(booking("b-0900", NINE))
        at(kiosk, 4)
        kiosk.ask("absent")
        assert kiosk.rows("student.absent")[0].data == {"student": "s-0418", "booking": "b-0900"}
        assert lateness.overdue(kiosk.state, kiosk.now()) is None

    def test_a_reason_of_before_is_still_taken(self, kiosk: Kiosk) -> None:
        kiosk.ask("reason", "student-unwell")
        assert kiosk.rows("reason.given")[0].data["about"] is None


class TestLateAndCancelled:
    def test_a_late_therapist_moves_when_the_room_is_overdue(self, kiosk: Kiosk) -> None:
        kiosk.hold_schedule(booking("b-0900", NINE, late_min=10))
        at(kiosk, 12.8)
        assert lateness.overdue(kiosk.state, kiosk.now()) is None
        at(kiosk, 13.2)
        assert lateness.overdue(kiosk.state, kiosk.now()) == "b-0900"

    def test_a_cancelled_booking_opens_no_window_and_is_named_from_an_hour_before_to_its_end(
        self, kiosk: Kiosk
    ) -> None:
        off = Settled(id="b-1030", start=NINE + 90 * MINUTE, planned_ms=1_800_000, reason="school-event")
        kiosk.tell(s.ScheduleSet(Schedule(revision=1, as_of=NINE, settled=(off,))))
        assert windows.called_off(kiosk.state.schedule, kiosk.now()) == []
        at(kiosk, 31)
        assert windows.called_off(kiosk.state.schedule, kiosk.now()) == [(off.start, "school-event")]
        at(kiosk, 95)
        kiosk.press()
        assert kiosk.is_(Phase.IDLE), "the screen asks first"
        at(kiosk, 121)
        assert windows.called_off(kiosk.state.schedule, kiosk.now()) == []
        assert not kiosk.rows("start.overdue")


class TestATherapistWhoIsNotThere:
    def missing(self, kiosk: Kiosk) -> int | None:
        session = kiosk.rows("session.started")[-1].session
        assert session is not None
        return lateness.therapist_missing_s(kiosk.state, kiosk.record(session), kiosk.now())

    def test_where_nothing_can_know_it_nobody_is_missed(self, kiosk: Kiosk) -> None:
        in_session(kiosk)
        kiosk.wait(minutes=10)
        assert self.missing(kiosk) is None

    def test_three_minutes_after_leaving_the_therapist_is_missed_until_back(self, kiosk: Kiosk) -> None:
        in_session(kiosk).tell(s.Noted("therapist.joined", {}))
        kiosk.wait(minutes=5)
        assert self.missing(kiosk) is None
        kiosk.tell(s.Noted("therapist.left", {}))
        kiosk.wait(minutes=2.9)
        assert self.missing(kiosk) is None
        kiosk.wait(minutes=0.2)
        assert self.missing(kiosk) == 186
        kiosk.tell(s.Noted("therapist.joined", {}))
        kiosk.wait(seconds=1)
        assert self.missing(kiosk) is None

    def test_one_who_said_to_be_late_is_missed_later(self, kiosk: Kiosk) -> None:
        kiosk.hold_schedule(booking("b-0900", NINE, late_min=10))
        in_session(kiosk).tell(s.Noted("therapist.joined", {}))
        kiosk.tell(s.Noted("therapist.left", {}))
        at(kiosk, 12)
        assert self.missing(kiosk) is None
        at(kiosk, 13.1)
        assert self.missing(kiosk) is not None
