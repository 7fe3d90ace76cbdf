"""Bookings by the API: planned, changed, cancelled, told to the kiosk of their room and to no other."""

from datetime import timedelta
from typing import Any

import pytest

from fleet.access.roles import Role
from tests.fleet.booking import NOW, Secretary, at, booking, wall
from tests.fleet.calling import Caller
from tests.fleet.world import Fleet
from wire.schedule import Schedule


@pytest.fixture
def office(fleet: Fleet, caller: Caller) -> Secretary:
    return Secretary(fleet, caller)


def test_a_booking_reaches_the_kiosk_of_its_room_retained_and_no_other(office: Secretary) -> None:
    assert office.told() is None, "without a booking a kiosk holds no schedule, and one press starts a session"
    made = office.books(record="always", consent=True, point_person="office", link="https://meet.example/a?b=1")
    assert (made["kiosk"], made["students"], made["minutes"]) == ("lincoln-12", ["s-0418"], 30)
    told = office.told()
    assert told is not None
    schedule = Schedule.model_validate(told)
    (one,) = schedule.bookings
    assert (one.id, one.start, one.planned_ms) == (made["id"], wall(at(1)), 1_800_000)
    assert (one.therapist, one.students, one.record) == ("th-lane", ("s-0418",), "always")
    assert [(consent.student, consent.until, consent.since) for consent in one.consents] == [("s-0418", None, None)]
    assert (one.point_person, one.link) == ("office", "https://meet.example/a?b=1")
    assert (schedule.room, schedule.as_of, schedule.revision) == (None, NOW, 1), "the kiosk names its room itself"
    assert office.told(1) is office.told(2) is None
    assert office.ok("GET", "bookings")["items"] == [made]


def test_a_change_is_a_new_revision_and_the_same_again_is_none(office: Secretary) -> None:
    made = office.books()
    first = office.told()
    assert office.ask("POST", "bookings", booking()).status_code == 200
    again = office.ok("POST", "bookings", booking())
    assert again == made
    assert office.told() == first
    office.ok("PATCH", f"bookings/{made['id']}", {"late_min": 5, "start": at(2)})
    told = office.told()
    assert told is not None
    assert (told["revision"], told["bookings"][0]["late_min"]) == (2, 5)
    assert wall(told["bookings"][0]["start"]) == wall(at(2))
    office.ok("DELETE", f"bookings/{made['id']}", status=204)
    told = office.told()
    assert told is not None
    assert (told["bookings"], [one["reason"] for one in told["settled"]]) == ([], ["cancelled"])
    assert office.ok("GET", "bookings")["items"] == []
    assert office.ok("GET", f"bookings/{made['id']}")["state"] == "cancelled"
    assert office.ok("GET", "bookings?cancelled=true")["items"][0]["id"] == made["id"]
    assert office.ok("POST", "bookings", booking())["state"] == "planned", "a person may plan it again"


def test_it_is_sent_again_each_hour_and_on_each_new_connection(office: Secretary) -> None:
    office.books()
    office.told()
    sent = len(office.fleet.post.sent)
    office.fleet.clock.pass_(3_599)
    office.told()
    assert len(office.fleet.post.sent) == sent
    office.fleet.clock.pass_(1)
    told = office.told()
    assert told is not None
    assert wall(told["as_of"]) == NOW + timedelta(hours=1)
    office.fleet.post.down = True
    assert office.schedules.step() == 0
    office.fleet.post.down, office.fleet.post.connections = False, 2
    office.told()
    assert len(office.fleet.post.sent) == sent + 2


def test_rows_of_one_slot_are_one_group(office: Secretary) -> None:
    one = office.books(goals=["g-12"])
    both = office.ok("POST", "bookings", booking(student="s-0502", goals="fm3.1"))
    assert both["id"] == one["id"]
    assert (both["students"], both["model"]) == (["s-0418", "s-0502"], "group")
    assert [(one["student"], one["goals"]) for one in both["attending"]] == [
        ("s-0418", ["g-12"]),
        ("s-0502", ["fm3.1"]),
    ]
    told = office.told()
    assert told is not None
    assert told["bookings"][0]["goals"] == {"s-0418": ["g-12"], "s-0502": ["fm3.1"]}


CLASHES: list[tuple[dict[str, Any], str]] = [
    ({"therapist": "th-other", "student": "s-0502"}, "room lincoln-12 is booked 2026-11-23 10:00-10:30 with th-lane"),
    ({"kiosk": "lincoln-4", "student": "s-0502"}, "therapist th-lane is booked 2026-11-23 10:00-10:30 in lincoln-12"),
    ({"kiosk": "lincoln-4", "therapist": "th-other"}, "student s-0418 is booked 2026-11-23 10:00-10:30 in lincoln-12"),
    ({"student": "s-0502"}, "room lincoln-12 is booked 2026-11-23 10:00-10:30"),
]


@pytest.mark.parametrize(("told", "words"), CLASHES)
def test_what_cannot_both_be_held_is_named(office: Secretary, told: dict[str, Any], words: str) -> None:
    office.ok("PUT", "campuses/lincoln/calendar", {"time_zone": "UTC"})
    held = office.books()
    answer = office.ask("POST", "bookings", booking(start=at(1.25), **told))
    assert answer.status_code == 409
    assert words in answer.json()["detail"]
    assert held["id"] in answer.json()["detail"]
    assert office.ok("GET", "bookings")["items"] == [held]
    assert office.ok("POST", "bookings", booking(start=at(1.5), **told))["id"] != held["id"], "they only touch"


REFUSED: list[tuple[dict[str, Any], str, str]] = [
    ({"kiosk": "lincoln-13"}, "kiosk", "no kiosk or room 'lincoln-13' is known here; is 'lincoln-12' meant?"),
    ({"kiosk": "lin\u0441oln-12"}, "kiosk", "only look like letters"),
    ({"therapist": "Dr. Lane"}, "therapist", "names and addresses have no place here"),
    ({"student": "Ann Example"}, "student", "names have no place here"),
    ({"student": "12345678"}, "student", "a district's id"),
    ({"student": "s-18"}, "student", "taken its zeros"),
    ({"student": None}, "student", "only a consult has none"),
    ({"model": "consult"}, "student", "a consult has no student"),
    ({"start": "11/24/2026 10:15"}, "start", "can be read as two dates"),
    ({"start": at(-2)}, "start", "is over"),
    ({"start": "2026-13-01 10:00"}, "start", "no date and time"),
    ({"minutes": 0}, "minutes", "greater than or equal to 1"),
    ({"link": "http://meet.example"}, "link", "https://"),
    ({"link": "https://user:secret@meet.example/"}, "link", "https://"),
    ({"goals": "writes his name"}, "goals", "opaque code"),
    ({"record": "sometimes"}, "record", "never, when-offline, always"),
    ({"makes_up": "b-nowhere"}, "makes_up", "no other booking"),
    ({"consent": "maybe"}, "consent", "yes, no"),
]


@pytest.mark.parametrize(("told", "field", "words"), REFUSED)
def test_what_does_not_fit_is_named_and_nothing_is_kept(
    office: Secretary, told: dict[str, Any], field: str, words: str
) -> None:
    answer = office.ask("POST", "bookings", {**booking(), **told})
    assert answer.status_code == 422, answer.text
    (fault,) = answer.json()["errors"]
    assert field in fault["field"]
    assert words in fault["message"]
    assert "Ann" not in answer.text
    assert office.ok("GET", "bookings")["items"] == []
    assert office.told() is None


def test_a_missed_booking_is_made_up_by_name(office: Secretary) -> None:
    missed = office.books()
    made = office.books(start=at(3), makes_up=missed["id"])
    assert made["makes_up"] == missed["id"]
    refused = office.ask("POST", "bookings", booking(start=at(4), student="s-0502", makes_up=missed["id"]))
    assert "is no booking of s-0502" in refused.text


def test_lists_come_in_pages_and_by_kiosk_therapist_and_time(office: Secretary) -> None:
    made = [office.books(start=at(n)) for n in range(1, 6)]
    office.books(kiosk="lincoln-4", therapist="th-other", student="s-0502", start=at(2))
    first = office.ok("GET", "bookings?kiosk=lincoln-12&limit=3")
    rest = office.ok("GET", f"bookings?kiosk=lincoln-12&limit=3&cursor={first['next']}")
    assert [one["id"] for one in (*first["items"], *rest["items"])] == [one["id"] for one in reversed(made)]
    assert rest["next"] is None
    assert len(office.ok("GET", "bookings?therapist=th-other")["items"]) == 1
    within = office.ask("GET", "bookings", params={"from": at(2), "to": at(4), "kiosk": "lincoln-12"}).json()["items"]
    assert [one["id"] for one in within] == [made[2]["id"], made[1]["id"]]


def test_nobody_books_or_reads_at_a_campus_that_is_not_theirs(fleet: Fleet, caller: Caller) -> None:
    office = Secretary(fleet, caller)
    held = office.books(kiosk="roosevelt-1")
    other = Secretary(fleet, caller, office.kiosks, Role.THERAPIST, ("lincoln",))
    assert other.ok("GET", "bookings")["items"] == []
    assert other.ask("GET", f"bookings/{held['id']}").status_code == 404
    assert other.ask("PATCH", f"bookings/{held['id']}", {"minutes": 20}).status_code == 404
    assert other.ask("DELETE", f"bookings/{held['id']}").status_code == 404
    refused = other.ask("POST", "bookings", booking(kiosk="roosevelt-1"))
    assert "no kiosk or room 'roosevelt-1' is known here" in refused.text
    elsewhere = other.ask("POST", "bookings", booking(student="s-0502"))
    assert elsewhere.status_code == 409, "a therapist can be in one place only"
    assert "booked elsewhere" in elsewhere.text
    assert held["id"] not in elsewhere.text


def test_an_aide_sees_when_and_not_whose_and_changes_nothing(fleet: Fleet, caller: Caller) -> None:
    office = Secretary(fleet, caller)
    held = office.books()
    aide = Secretary(fleet, caller, office.kiosks, Role.AIDE)
    (seen,) = aide.ok("GET", "bookings")["items"]
    assert (seen["start"], seen["students"], seen["attending"], seen["link"]) == (held["start"], None, None, None)
    for method, path in (("POST", "bookings"), ("DELETE", f"bookings/{held['id']}")):
        assert aide.ask(method, path, booking() if method == "POST" else None).status_code == 403


def test_what_was_done_is_in_the_audit(office: Secretary) -> None:
    made = office.books(consent=True)
    office.ok("PATCH", f"bookings/{made['id']}", {"minutes": 20})
    office.ok("DELETE", f"bookings/{made['id']}")
    items = office.ok("GET", "audit")["items"]
    assert [one["what"] for one in items[:4]] == [
        "booking.cancelled",
        "booking.changed",
        "booking.put",
        "consent.given",
    ]
    assert {one["campus"] for one in items[:4]} == {"lincoln"}
