"""What a therapist does with a booking of the day, by the API: check now, late, cannot come."""

import threading
import time
from typing import Any

import httpx
import pytest

from fleet.access.roles import Role
from tests.fleet.booking import NOW, Secretary, at
from tests.fleet.calling import Caller
from tests.fleet.world import Fleet
from wire.preflight import Check, Preflight
from wire.signals import Verdict
from wire.topics import Channel


@pytest.fixture
def office(fleet: Fleet, caller: Caller) -> Secretary:
    office = Secretary(fleet, caller, role=Role.THERAPIST)
    office.fleet.take(office.kiosks[0].is_ready())
    return office


def asked(office: Secretary) -> list[dict[str, Any]]:
    return office.fleet.post.to(office.kiosks[0], Channel.COMMAND)


def checked(office: Secretary, booking: str, *replies: dict[str, Any]) -> httpx.Response:
    """Have the kiosk looked over; it answers with these."""
    found: list[httpx.Response] = []
    before = len(asked(office))
    asking = threading.Thread(target=lambda: found.append(office.ask("POST", f"bookings/{booking}/check")))
    asking.start()
    while asking.is_alive() and len(asked(office)) == before:
        time.sleep(0.01)
    for reply in replies:
        office.fleet.take(office.kiosks[0].replies(asked(office)[-1]["id"], reply))
    asking.join(20)
    return found[0]


def test_check_now_answers_with_what_the_kiosk_found(office: Secretary) -> None:
    made = office.books()
    look = Preflight(at=NOW, took_ms=4_000, verdict=Verdict.READY, checks=(Check(name="link", ok=True),))
    answer = checked(office, made["id"], look.model_dump(mode="json")).json()
    assert (answer["answered"], answer["words"]) == (True, "It checked itself: ready.")
    assert answer["preflight"]["checks"][0]["name"] == "link"
    assert answer["forecast"]["booking"] == made["id"]
    assert (asked(office)[-1]["name"], asked(office)[-1]["id"]) == ("preflight", answer["command"])
    older = checked(office, made["id"], {"verdict": "attention", "signals": []}).json()
    assert (older["preflight"], older["words"]) == (None, "It checked itself: it needs a hand.")


def test_check_now_says_that_nobody_answered(office: Secretary) -> None:
    made = office.books()
    answer = checked(office, made["id"])
    assert answer.json()["answered"] is False
    assert answer.json()["words"].startswith("No answer within 10 s")


def test_check_now_never_in_a_session_and_never_without_school(office: Secretary) -> None:
    made = office.books()
    office.fleet.take(office.kiosks[0].is_ready(state="paused", session="x"))
    answer = office.ask("POST", f"bookings/{made['id']}/check")
    assert (answer.status_code, "A session runs" in answer.json()["detail"]) == (409, True)
    office.fleet.take(office.kiosks[0].is_ready())
    bells = {"regular": [{"name": "1", "start": "10:00", "end": "15:00"}]}
    office.ok("PUT", "campuses/lincoln/calendar", {"time_zone": "UTC", "bells": bells})
    answer = office.ask("POST", f"bookings/{made['id']}/check")
    assert (answer.status_code, "no school now" in answer.json()["detail"]) == (409, True)
    assert asked(office) == []


def test_late_is_told_to_the_kiosk_and_can_be_taken_back(office: Secretary) -> None:
    made = office.books()
    told = office.ok("POST", f"bookings/{made['id']}/late", {"minutes": 10})
    assert (told["late_min"], told["reasons"][-1]) == (10, "The therapist comes 10 min later.")
    schedule = office.told()
    assert schedule is not None
    assert schedule["bookings"][0]["late_min"] == 10
    assert office.ok("POST", f"bookings/{made['id']}/late", {"minutes": 0})["late_min"] is None
    assert office.ask("POST", f"bookings/{made['id']}/late", {"minutes": 7}).status_code == 422


def test_handed_to_another_therapist_who_is_free(office: Secretary, caller: Caller) -> None:
    made = office.books()
    office.books(kiosk="lincoln-4", therapist="th-busy", student="s-0502")
    path = f"bookings/{made['id']}/cannot-come"
    answer = office.ask("POST", path, {"hand_to": "th-busy"})
    assert (answer.status_code, "th-busy" in answer.json()["detail"]) == (409, True)
    assert office.ask("POST", path, {"hand_to": "th-lane"}).status_code == 422
    assert office.ask("POST", path, {"hand_to": "Dr. Lane"}).status_code == 422
    assert office.ask("POST", path, {}).status_code == 422
    assert office.ask("POST", path, {"hand_to": "th-other", "cancel": True}).status_code == 422
    assert office.ok("POST", path, {"hand_to": "th-other"})["therapist"] == "th-other"
    schedule = office.told()
    assert schedule is not None
    assert schedule["bookings"][0]["therapist"] == "th-other"
    notes = caller.get("/api/v1/audit").json()["items"]
    assert ("booking.handed", made["id"]) in [(one["what"], one["about"]) for one in notes]


def test_cancelled_because_nobody_can_come_stays_on_record(office: Secretary) -> None:
    made = office.books()
    told = office.ok("POST", f"bookings/{made['id']}/cannot-come", {"cancel": True})
    assert (told["phase"], told["reasons"]) == ("fell", ["Will not be held: the therapist could not come."])
    schedule = office.told()
    assert schedule is not None
    assert [one["reason"] for one in schedule["settled"]] == ["therapist-absent"]
    assert [one["phase"] for one in office.ok("GET", "readiness")["items"]] == ["fell"]
    assert office.ask("POST", f"bookings/{made['id']}/late", {"minutes": 5}).status_code == 409


def test_what_is_over_cannot_be_late(office: Secretary) -> None:
    made = office.books(start=at(0))
    office.fleet.clock.pass_(1_801)
    answer = office.ask("POST", f"bookings/{made['id']}/late", {"minutes": 5})
    assert (answer.status_code, "is over" in answer.json()["detail"]) == (409, True)


@pytest.mark.parametrize("act", [("check", None), ("late", {"minutes": 5}), ("cannot-come", {"cancel": True})])
def test_who_may_not_may_not(office: Secretary, caller: Caller, act: tuple[str, dict[str, Any] | None]) -> None:
    made = office.books()
    path = f"/api/v1/bookings/{made['id']}/{act[0]}"
    for role, campus, status in ((Role.AIDE, "lincoln", 403), (Role.AUDITOR, "lincoln", 403), (Role.IT, "grant", 404)):
        answer = caller.client.post(path, json=act[1], headers=caller.token(role, campus))
        assert answer.status_code == status, answer.text
    assert asked(office) == []
