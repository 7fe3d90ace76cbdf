"""The board by the API: bookings of a day with their forecasts, in pages, of the reader's campuses."""

from datetime import timedelta
from typing import Any

import pytest

from fleet.access.roles import Role
from tests.fleet.booking import NOW, Secretary, at
from tests.fleet.calling import Caller
from tests.fleet.world import Fleet, Kiosk
from wire.signals import ActiveSignal, Severity, Verdict

PATH = "readiness"


@pytest.fixture
def office(fleet: Fleet, caller: Caller) -> Secretary:
    office = Secretary(fleet, caller)
    for campus in ("lincoln", "roosevelt"):
        office.ok("PUT", f"campuses/{campus}/calendar", {"time_zone": "America/Chicago"})
    return office


def board(office: Secretary, query: str = "") -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = office.ok("GET", f"{PATH}{query}")["items"]
    return found


def is_covered(kiosk: Kiosk) -> Any:
    signal = ActiveSignal(id="camera.covered", role="overhead", severity=Severity.ATTENTION, since=kiosk.at)
    return kiosk.is_ready(Verdict.ATTENTION, signal)


def test_a_booking_has_its_kiosks_verdict_with_reasons_and_its_age(office: Secretary) -> None:
    made = office.books(point_person="office")
    office.fleet.take(office.kiosks[0].is_ready(), office.kiosks[0].is_healthy(link_round_trip_ms=20))
    (one,) = board(office)
    assert (one["booking"], one["kiosk"], one["verdict"], one["phase"]) == (made["id"], "lincoln-12", "ready", "coming")
    assert (one["evidence"]["age_s"], one["point_person"], one["time_zone"]) == (0, "office", "America/Chicago")
    assert one["link"] == {"quality": "good", "round_trip_ms": 20}
    office.fleet.clock.pass_(2)
    office.fleet.take(is_covered(office.kiosks[0]))
    (one,) = board(office)
    assert (one["verdict"], one["reasons"]) == ("attention", ["The desk camera is covered."])
    assert one["needs"] == ["Lift off what covers the desk camera."]
    office.fleet.clock.pass_(91)
    (one,) = board(office)
    assert (one["verdict"], one["evidence"]["what"]) == ("unknown", "last heard")
    assert one["reasons"] == ["Not heard from since 03:00."], "in the campus's time"


def test_it_comes_in_order_in_pages_and_of_the_day_that_is_asked(office: Secretary) -> None:
    for hours in (3, 1, 2):
        office.books(start=at(hours))
    tomorrow = office.books(start=at(24))
    fell = office.books(start=at(4))
    office.ok("DELETE", f"bookings/{fell['id']}")
    assert [one["start"] for one in board(office)] == sorted(one["start"] for one in board(office))
    assert len(board(office)) == 3, "neither tomorrow's nor the cancelled one"
    first = office.ok("GET", f"{PATH}?limit=2")
    rest = office.ok("GET", f"{PATH}?limit=2&cursor={first['next']}")
    assert [*first["items"], *rest["items"]] == board(office)
    assert rest["next"] is None
    asked = (NOW + timedelta(days=1)).strftime("%Y-%m-%dT%H:%M:%SZ")
    assert [one["booking"] for one in board(office, f"?at={asked}")] == [tomorrow["id"]]
    answer = office.ask("GET", f"{PATH}?at=2027-11-24T09:00:00Z")
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, "at")


def test_the_campus_says_what_today_is(office: Secretary) -> None:
    late = office.books(start=at(19.5))  # 22:30 in Chicago, tomorrow by UTC
    assert [one["booking"] for one in board(office)] == [late["id"]]


def test_each_reader_sees_their_own_campuses_and_no_student_who_may_not(office: Secretary, caller: Caller) -> None:
    office.books()
    office.books(kiosk="roosevelt-1", therapist="th-other", student="s-0502")
    assert len(board(office)) == 2
    assert [one["campus"] for one in board(office, "?campus=roosevelt")] == ["roosevelt"]
    assert [one["therapist"] for one in board(office, "?therapist=th-lane")] == ["th-lane"]
    of_aide = caller.get(f"/api/v1/{PATH}", caller.token(Role.AIDE, "lincoln")).json()["items"]
    assert [(one["campus"], one["students"]) for one in of_aide] == [("lincoln", None)]


def test_a_session_is_found_by_its_booking(office: Secretary) -> None:
    made = office.books(start=at(0))
    kiosk = office.kiosks[0]
    kiosk.write(
        "session.started", "x-1", by="button", booking=made["id"], needs=["front"], giving=["front"], link_up=True,
        planned_ms=1_800_000,
    )  # fmt: skip
    office.fleet.take(kiosk.sends(), kiosk.is_ready(state="live", session="x-1"))
    office.fleet.settle()
    (one,) = board(office)
    assert (one["phase"], one["session"]["id"], one["in_session"]) == ("running", "x-1", True)
    kiosk.pass_(600)
    kiosk.end("x-1")
    office.fleet.take(kiosk.sends(2), kiosk.is_ready())
    office.fleet.settle()
    (one,) = board(office)
    assert (one["phase"], one["session"]["state"]) == ("held", "ended")
    assert one["reasons"][0].startswith("Held, 10 min.")


def test_a_no_show_is_told_and_has_its_reason(office: Secretary) -> None:
    made = office.books(start=at(0))
    office.fleet.clock.pass_(181)
    office.fleet.take(office.kiosks[0].is_ready())
    (one,) = board(office)
    assert (one["overdue"], one["verdict"], one["phase"]) == ("start", "attention", "due")
    office.fleet.clock.pass_(1_700)
    office.fleet.take(office.kiosks[0].is_ready())
    (one,) = board(office)
    assert (one["phase"], one["reasons"]) == ("missed", ["Nobody pressed the button."])
    for kiosk in (office.kiosks[0], office.kiosks[2]):
        kiosk.at = office.fleet.clock.at
        reason = "student-absent" if kiosk is office.kiosks[0] else "school-event"
        kiosk.write("reason.given", None, reason=reason, about="did-not-happen", booking=made["id"])
        office.fleet.take(kiosk.sends())
    office.fleet.parts.days.stale()
    (one,) = board(office)
    assert one["reasons"] == ["Nobody pressed the button. The room says: the student was absent."]
    office.ok("PATCH", f"bookings/{made['id']}", {"reason": "student-declined"})
    (one,) = board(office)
    assert (one["phase"], one["reasons"]) == ("fell", ["Not held: the student did not want to."])


def test_a_room_whose_kiosk_went_is_blocked(office: Secretary) -> None:
    made = office.books()
    office.ok("PATCH", f"campuses/lincoln/rooms/{made['room']}", {"kiosk": None})
    (one,) = board(office)
    assert (one["verdict"], one["kiosk"], one["reasons"]) == ("blocked", None, ["No kiosk stands in this room."])
