from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from fleet.attendance import Attended, confirmed
from fleet.console.figures import figures, so_far
from fleet.console.story import Story, story
from fleet.views import KioskView, SessionView
from tests.fleet.console.made_up import NOW, kiosk, minutes, session, span
from wire.ledger import ClockTrust
from wire.minutes import Minutes, Mode


def table(told: Minutes, *, going_on: bool = False) -> dict[str, str]:
    return {figure.word: figure.value for figure in figures(told, going_on=going_on)}


def tell(told: SessionView, on: KioskView | None = None) -> Story:
    return story(told, on or kiosk(session=told, state="live"), NOW, UTC)


def test_what_nobody_knows_is_no_number() -> None:
    shown = table(Minutes(elapsed_ms=60_000, running_ms=60_000))
    assert shown["Planned"] == "not planned"
    assert shown["Overrun"] == "not planned"
    assert shown["Therapist connected"] == "not known"
    assert shown["Provided"] == "not confirmed"


def test_no_word_promises_what_only_a_person_can_say() -> None:
    words = " ".join(f"{one.word} {one.meaning}" for one in figures(Minutes())).lower()
    assert "delivered" not in words
    assert "billable" not in words


def test_interruptions_are_told_by_cause() -> None:
    told = Minutes(elapsed_ms=90_000, interrupted_ms={"camera": 30_000, "power": 60_000}, unknown_gaps=1)
    shown = table(told)
    assert shown["Interrupted: no camera"] == "0:30"
    assert shown["Interrupted: no power"] == "1:00"
    assert shown["Interrupted: length unknown"] == "1 time"
    assert "Interrupted" not in shown


def test_an_overrun_that_is_still_growing_is_not_zero() -> None:
    told = Minutes(elapsed_ms=2_000_000, planned_ms=1_800_000)
    assert table(told, going_on=True)["Overrun"] == "known when it ends"
    assert table(told)["Overrun"] == "0:00"


def split(told: Minutes) -> int:
    return told.running_ms + told.paused_ms + sum(told.interrupted_ms.values())


@given(st.sampled_from(list(Mode)), st.booleans(), st.integers(0, 10_000), st.integers(0, 10_000_000))
def test_drawing_a_session_on_to_now_keeps_the_split(mode: Mode, link_up: bool, age_s: int, silent_ms: int) -> None:
    spans = [span(0, 60, therapist=True), span(60, 90, mode, link_up=link_up, therapist=True, cause="camera")]
    told = session(spans, "running", age_s=float(age_s))
    longer = so_far(told, silent_ms)
    assert split(longer.minutes) == longer.minutes.elapsed_ms
    assert longer.minutes.elapsed_ms == longer.timeline[-1].end_ms
    assert longer.minutes.elapsed_ms == 90_000 + max(0, age_s * 1_000 - silent_ms)


def test_a_session_that_has_ended_grows_no_more() -> None:
    told = session([span(0, 60)], age_s=5_000.0)
    assert so_far(told) is told


def test_a_running_session_counts_on_while_its_kiosk_is_heard() -> None:
    told = tell(session([span(0, 60)], "running", age_s=30.0))
    assert told.badge.word == "In session"
    assert told.elapsed == "1:30"
    assert told.running is not None
    assert told.running.ticking
    assert told.record == "The session goes on; its record grows."


def test_a_session_of_a_silent_kiosk_stands_still_where_it_was_last_heard() -> None:
    running = session([span(0, 60)], "running", age_s=100.0)
    told = tell(running, kiosk(presence="unknown", heard_s=70.0, state="live", session=running))
    assert told.badge.word == "Not heard from"
    assert told.elapsed == "1:30", "30 s went by between its last row and its last sign of life"
    assert told.running is not None
    assert not told.running.ticking
    assert told.record == "Part of this record has not arrived yet. The kiosk keeps it."
    assert "not heard from 1:10" in (told.timeline or "")


def test_an_open_session_that_the_kiosk_speaks_of_no_more_is_not_drawn_on() -> None:
    told = tell(session([span(0, 60)], "running", age_s=30.0), kiosk(session=None))
    assert told.elapsed == "1:00"
    assert told.badge.word == "Not heard from"


def test_an_ended_session_is_complete_or_says_that_it_is_not() -> None:
    assert tell(session([span(0, 60)])).record == "The record is complete."
    assert tell(session([span(0, 60)], complete=False)).record == "Part of this record has not arrived yet."


def test_how_it_began_and_ended() -> None:
    told = tell(session([span(0, 60)]))
    assert told.heading == "Session 09:32"
    assert told.how == "Started by the button. Ended at 09:57 by a hold of the button."
    strange = tell(session([span(0, 60)], started_by="moonlight", ended_by="magic"))
    assert strange.how == "Started by moonlight. Ended at 09:57 by magic."


def test_a_kiosk_without_a_clock_tells_no_time() -> None:
    started = datetime(1970, 1, 1, 0, 2, tzinfo=UTC)
    told = tell(session([span(0, 60)], started_at=started, ended_at=started, clock=ClockTrust.UNSET))
    assert told.heading == "Session at an unknown time"
    assert told.how == (
        "Started by the button. The kiosk's clock was not set; times count from the start. "
        "Ended by a hold of the button."
    )


def test_a_cancelled_session_counts_in_no_minutes() -> None:
    told = tell(session([], "cancelled", complete=True))
    assert told.badge.word == "Cancelled"
    assert told.how.endswith("Cancelled, so it counts in no minutes.")
    assert told.timeline is None


def test_a_session_whose_start_is_missing_says_so() -> None:
    told = tell(session([], "unknown", started_at=None, started_by=None, complete=False, minutes=minutes([])))
    assert told.heading == "Session whose start has not arrived yet"
    assert told.badge.word == "Start not arrived"
    assert told.record == "Part of this record has not arrived yet."


def note(
    type_: str = "student.confirmed", minute: float = 0, clock: ClockTrust = ClockTrust.SYNCED, **more: Any
) -> Attended:
    told = {"student": "s-0418", "card": 10} | more
    return Attended(type=type_, at=NOW - timedelta(minutes=30 - minute), clock=clock, **told)


def notes(*facts: Attended) -> tuple[str, ...]:
    return tell(session([span(0, 60)], attendance=facts, students_confirmed=confirmed(facts))).notes


def test_who_was_there_is_said_in_words_with_its_time() -> None:
    at = f"{NOW - timedelta(minutes=30):%H:%M}"
    assert notes() == ()
    assert notes(note()) == (f"{at} Student s-0418 confirmed by card 10.",)
    assert notes(note(card=None, student=None)) == (f"{at} The student confirmed.",)
    (made_up,) = notes(note(makes_up="b-0900"))
    assert made_up.endswith("confirmed by card 10; this may make up for booking b-0900.")
    (unset,) = notes(note(clock=ClockTrust.UNSET))
    assert unset.startswith("Student s-0418")


def test_another_bookings_card_and_a_persons_objection_are_told_apart() -> None:
    card, person = notes(
        note("student.wrong", student="s-0502", card=11), note("student.wrong", student=None, card=None)
    )
    assert "Student s-0502's card 11 is another booking's" in card
    assert "destroyed" not in card
    assert "what was recorded is destroyed" in person


def test_two_confirmed_students_are_a_group_and_one_is_none() -> None:
    assert notes(note(), note(student="s-0502", card=11))[-1] == "2 students confirmed: a group."
    assert len(notes(note(), note())) == 2
