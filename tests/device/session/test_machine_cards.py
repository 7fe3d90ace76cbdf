"""Picture cards in a session: who is there, whose an unplanned session is, and what another booking's card stops."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from device.cameras.recording import Keep
from device.session import cards
from device.session import states as s
from device.session.consent import permission
from device.session.states import Phase
from tests.device.session.kiosk import MINUTE, NINE, Kiosk, at, booking, in_session
from wire.ledger import ClockTrust
from wire.schedule import Booking

FOX, BOAT, TURTLE, NOBODYS = 10, 11, 12, 13
CARDS = {FOX: "s-0418", BOAT: "s-0502", TURTLE: "s-0777"}


def recorded(name: str, minute: float, minutes: int = 30, *students: str, **more: object) -> Booking:
    """A booking so many minutes after nine that is recorded from the press on."""
    who = students or ("s-0418",)
    consents = [{"student": one} for one in who]
    told: dict[str, object] = {"students": who, "record": "always", "consents": consents}
    return booking(name, NINE + minute * MINUTE, minutes, **(told | more))


def told(kiosk: Kiosk, type_: str = "student.confirmed") -> list[dict[str, Any]]:
    return [row.data for row in kiosk.rows(type_)]


def keeps(kiosk: Kiosk) -> tuple[Keep, str]:
    found = permission(kiosk.state, kiosk.now())
    return found.keep, found.reason


def other_at(kiosk: Kiosk, student: str) -> str | None:
    found = cards.other_booking(kiosk.state, student, kiosk.now())
    return found.id if found else None


@pytest.fixture
def booked(kiosk: Kiosk) -> Kiosk:
    """In the nine o'clock's session, with another student's booking at a quarter to eleven."""
    kiosk.hold_schedule(recorded("b-0900", 0), recorded("b-1045", 105, 30, "s-0502"), cards=CARDS)
    return in_session(kiosk)


# The booking's own card


def test_the_bookings_own_card_confirms_its_student_once(booked: Kiosk) -> None:
    booked.lay(FOX)
    booked.lay()
    booked.lay(FOX)
    (row,) = booked.rows("student.confirmed")
    assert row.data == {"student": "s-0418", "by": "card", "card": FOX, "makes_up": None}
    assert row.session == booked.rows("session.started")[0].session
    assert keeps(booked) == (Keep.ALL, "always")


def test_in_a_booked_group_each_card_confirms_its_own(kiosk: Kiosk) -> None:
    kiosk.hold_schedule(recorded("b-0900", 0, 30, "s-0418", "s-0777", model="group"), cards=CARDS)
    in_session(kiosk).lay(TURTLE)
    kiosk.lay(FOX, TURTLE)
    assert [(one["student"], one["card"]) for one in told(kiosk)] == [("s-0777", TURTLE), ("s-0418", FOX)]
    assert keeps(kiosk)[0] is Keep.ALL


def test_two_cards_of_one_student_confirm_once(kiosk: Kiosk) -> None:
    kiosk.hold_schedule(recorded("b-0900", 0), cards={FOX: "s-0418", BOAT: "s-0418"})
    in_session(kiosk).lay(FOX, BOAT)
    assert [one["card"] for one in told(kiosk)] == [FOX]


def test_a_card_that_lies_there_before_the_press_counts_from_the_start(kiosk: Kiosk) -> None:
    kiosk.idle = "watch"
    kiosk.hold_schedule(recorded("b-0900", 0), cards=CARDS)
    kiosk.wait(seconds=1)
    kiosk.lay(FOX)
    assert kiosk.state.cards == (FOX,)
    assert told(kiosk) == [], "outside a session a card is nobody's business"
    kiosk.press()
    started, confirmed = kiosk.rows("session.started", "student.confirmed")
    assert (confirmed.data["student"], confirmed.at) == ("s-0418", started.at)


def test_another_bookings_card_that_lies_there_lets_nothing_be_recorded_from_the_press_on(kiosk: Kiosk) -> None:
    kiosk.idle, kiosk.warm_up_s = "watch", 2
    kiosk.hold_schedule(recorded("b-0900", 0), recorded("b-1045", 105, 30, "s-0502"), cards=CARDS)
    kiosk.wait(seconds=3)
    kiosk.lay(BOAT)
    kiosk.press()
    assert kiosk.state.phase in {Phase.STARTING, Phase.LIVE}
    assert keeps(kiosk) == (Keep.NOTHING, "other-card")


@pytest.mark.parametrize("number", [NOBODYS, 49])
def test_a_card_of_nobody_is_ignored(booked: Kiosk, number: int) -> None:
    before = len(booked.rows())
    booked.lay(number)
    assert len(booked.rows()) == before
    assert keeps(booked)[0] is Keep.ALL
    assert booked.state.cards == (number,)


@pytest.mark.parametrize("has_schedule", [True, False])
def test_without_a_schedule_that_knows_it_no_card_says_anything(kiosk: Kiosk, has_schedule: bool) -> None:
    if has_schedule:
        kiosk.hold_schedule(recorded("b-0900", 0))
    in_session(kiosk).lay(FOX, BOAT)
    assert told(kiosk) + told(kiosk, "student.wrong") == []


def test_a_schedule_that_comes_later_is_applied_to_what_lies_there(kiosk: Kiosk) -> None:
    kiosk.hold_schedule(recorded("b-0900", 0))
    in_session(kiosk).lay(FOX)
    kiosk.hold_schedule(recorded("b-0900", 0), cards=CARDS)
    assert [one["student"] for one in told(kiosk)] == ["s-0418"]


def test_a_student_put_right_in_mid_session_is_no_other_bookings(booked: Kiosk) -> None:
    booked.lay(BOAT)
    assert keeps(booked) == (Keep.NOTHING, "other-card")
    booked.hold_schedule(recorded("b-0900", 0, 30, "s-0502"), cards=CARDS)
    assert [one["student"] for one in told(booked)] == ["s-0502"]
    assert keeps(booked) == (Keep.ALL, "always")


# Another booking's card


def test_another_bookings_card_stops_recording_until_it_is_gone_and_this_ones_is_shown(booked: Kiosk) -> None:
    booked.lay(BOAT)
    assert told(booked, "student.wrong") == [{"student": "s-0502", "by": "card", "card": BOAT}]
    assert other_at(booked, "s-0502") == "b-1045"
    assert booked.is_(Phase.LIVE), "the session goes on"
    assert keeps(booked) == (Keep.NOTHING, "other-card")
    booked.lay()
    assert keeps(booked) == (Keep.NOTHING, "other-card"), "gone is not enough"
    booked.lay(FOX, BOAT)
    assert keeps(booked) == (Keep.NOTHING, "other-card"), "neither is its own beside it"
    booked.lay(FOX)
    assert keeps(booked) == (Keep.ALL, "always")
    assert len(told(booked, "student.wrong")) == 1
    booked.lay(BOAT)
    assert len(told(booked, "student.wrong")) == 2, "another stop is another row"


def test_it_stays_stopped_for_the_rest_of_the_session_and_no_longer(booked: Kiosk) -> None:
    booked.lay(BOAT)
    booked.lay()
    at(booked, 29)
    assert keeps(booked) == (Keep.NOTHING, "other-card")
    booked.hold()
    booked.wait(seconds=15)
    booked.press()
    booked.wait(seconds=20)
    assert booked.types()[-1] == "session.continued"
    assert keeps(booked) == (Keep.NOTHING, "other-card"), "a session that is continued is the same session"
    booked.hold()
    booked.wait(minutes=61)
    booked.press()
    assert len(booked.rows("session.started")) == 2
    assert keeps(booked)[1] != "other-card"


def test_a_pause_takes_the_cards_away_and_no_doubt(booked: Kiosk) -> None:
    booked.lay(FOX)
    booked.lay(BOAT)
    booked.press()
    assert booked.is_(Phase.PAUSED)
    assert booked.state.cards == ()
    booked.lying = ()
    booked.press()
    booked.wait(seconds=10)
    assert booked.is_(Phase.LIVE)
    assert keeps(booked) == (Keep.NOTHING, "other-card")
    booked.lay(FOX)
    assert keeps(booked)[0] is Keep.ALL


def test_a_card_shown_in_a_pause_is_not_seen(booked: Kiosk) -> None:
    booked.press()
    booked.tell(s.CardsSeen((BOAT,)))
    assert booked.state.cards == ()
    assert told(booked, "student.wrong") == []


def test_not_this_student_outlives_every_card(booked: Kiosk) -> None:
    booked.lay(BOAT)
    booked.ask("not-this-student")
    assert keeps(booked) == (Keep.NOTHING, "not-this-student")
    booked.lay(FOX)
    assert keeps(booked) == (Keep.NOTHING, "not-this-student")


def test_a_booking_without_a_permission_gets_none_from_its_card(kiosk: Kiosk) -> None:
    kiosk.hold_schedule(recorded("b-0900", 0, consents=[]), cards=CARDS)
    in_session(kiosk).lay(FOX)
    assert keeps(kiosk) == (Keep.NOTHING, "no-consent")
    kiosk.lay(BOAT)
    kiosk.lay(FOX)
    assert keeps(kiosk) == (Keep.NOTHING, "no-consent")


@pytest.mark.parametrize(
    ("bookings", "named"),
    [
        ([], None),
        ([("b-earlier", -50)], "b-earlier"),
        ([("b-earlier", -50), ("b-later", 180), ("b-latest", 240)], "b-later"),
        ([("b-open", 10), ("b-later", 180)], "b-open"),
        ([("b-tomorrow", 24 * 60)], None),
    ],
)
def test_the_card_is_that_of_the_open_booking_else_the_next_else_the_last_of_today(
    kiosk: Kiosk, bookings: list[tuple[str, float]], named: str | None
) -> None:
    kiosk.hold_schedule(
        recorded("b-0900", 0), *(recorded(name, minute, 30, "s-0502") for name, minute in bookings), cards=CARDS
    )
    in_session(kiosk).lay(BOAT)
    assert other_at(kiosk, "s-0502") == named


def test_today_is_the_rooms_day(kiosk: Kiosk) -> None:
    """Ten hours after nine in the morning UTC it is tomorrow in Auckland, and still today in Chicago."""
    kiosk.hold_schedule(recorded("b-0900", 0), recorded("b-1900", 600, 30, "s-0502"), cards=CARDS)
    for zone, named in (("Pacific/Auckland", None), ("America/Chicago", "b-1900"), ("UTC", "b-1900")):
        kiosk.state = replace(kiosk.state, time_zone=zone)
        assert other_at(kiosk, "s-0502") == named


# Unplanned and make-up sessions


@pytest.fixture
def unplanned(kiosk: Kiosk) -> Kiosk:
    """In a session that no booking started, in the middle of a day with bookings before and after."""
    kiosk.hold_schedule(
        recorded("b-0700", -120), recorded("b-0800", -60), recorded("b-1045", 105),
        recorded("b-1100", 120, 30, "s-0502"), recorded("b-morrow", 24 * 60, 30, "s-0777"), cards=CARDS,
    )  # fmt: skip
    kiosk.press()
    kiosk.press()
    kiosk.wait(seconds=20)
    assert kiosk.rows("session.started")[0].data["booking"] is None
    return kiosk


def test_a_card_says_whose_an_unplanned_session_is_and_what_it_makes_up_for(unplanned: Kiosk) -> None:
    unplanned.lay(FOX)
    assert told(unplanned) == [{"student": "s-0418", "by": "card", "card": FOX, "makes_up": "b-0800"}]
    assert keeps(unplanned) == (Keep.NOTHING, "unplanned"), "a card gives no permission"


def test_a_second_students_card_opens_a_group(unplanned: Kiosk) -> None:
    unplanned.lay(FOX)
    unplanned.lay(FOX, BOAT)
    unplanned.lay(TURTLE)
    assert [(one["student"], one["makes_up"]) for one in told(unplanned)] == [
        ("s-0418", "b-0800"), ("s-0502", "b-1100"), ("s-0777", None),
    ]  # fmt: skip
    assert told(unplanned, "student.wrong") == []
    assert keeps(unplanned) == (Keep.NOTHING, "unplanned")


def test_a_booking_that_had_its_session_or_is_made_up_for_is_not_made_up_again(unplanned: Kiosk) -> None:
    unplanned.lay(FOX)
    unplanned.hold()
    unplanned.wait(minutes=5)
    unplanned.restart_agent()
    unplanned.restore_link()
    unplanned.lay()
    for expected in ("b-0700", "b-1045", None):
        unplanned.press()
        unplanned.press()
        unplanned.wait(seconds=20)
        unplanned.lay(FOX)
        assert told(unplanned)[-1]["makes_up"] == expected
        unplanned.lay()
        unplanned.hold()
        unplanned.wait(minutes=5)


def test_with_a_clock_that_was_never_set_a_card_says_who_and_not_for_what(kiosk: Kiosk) -> None:
    kiosk.hold_schedule(recorded("b-0800", -60), cards=CARDS)
    kiosk.step_clock(timedelta(days=-20_000), ClockTrust.UNSET)
    in_session(kiosk).lay(FOX)
    assert told(kiosk) == [{"student": "s-0418", "by": "card", "card": FOX, "makes_up": None}]


# Power


def test_after_a_power_cut_nobody_is_confirmed_twice(booked: Kiosk) -> None:
    booked.lay(FOX)
    booked.cut_power(minutes=2)
    booked.wait(seconds=20)
    assert booked.is_(Phase.BUFFERING)
    assert booked.state.cards == (FOX,)
    assert len(told(booked)) == 1


def test_after_a_power_cut_a_stop_holds_until_the_sessions_own_card_is_seen(booked: Kiosk) -> None:
    booked.lay(BOAT)
    booked.lying = ()
    booked.cut_power(minutes=2)
    booked.wait(seconds=20)
    assert booked.is_(Phase.BUFFERING)
    assert keeps(booked) == (Keep.NOTHING, "other-card")
    booked.lay(FOX)
    assert keeps(booked) == (Keep.ALL, "always")
    assert len(told(booked, "student.wrong")) == 1


def test_a_card_destroys_nothing_at_the_next_boot(booked: Kiosk) -> None:
    booked.lay(BOAT)
    assert booked.ledger.wrong_students() == frozenset()
    booked.ask("not-this-student")
    assert booked.ledger.wrong_students() == {booked.rows("session.started")[0].session}
