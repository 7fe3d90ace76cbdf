"""Minutes provided: a clinician confirms them beside the record, and never over it."""

from typing import Any

import pytest

from fleet.access.roles import Role
from tests.fleet.booking import Secretary, at
from tests.fleet.calling import Caller
from tests.fleet.world import Fleet, Kiosk


@pytest.fixture
def office(fleet: Fleet, caller: Caller) -> Secretary:
    return Secretary(fleet, caller)


def as_role(office: Secretary, role: Role, *campuses: str) -> Secretary:
    return Secretary(office.fleet, office.caller, office.kiosks, role, campuses)


def held(office: Secretary, booking: str | None = None, *students: str) -> str:
    """A session of twenty minutes that is over."""
    kiosk = office.kiosks[0]
    session = begun(office, booking, *students)
    kiosk.pass_(1_199)
    kiosk.end(session)
    arrives(office, kiosk)
    return session


def begun(office: Secretary, booking: str | None = None, *students: str) -> str:
    kiosk = office.kiosks[0]
    session = kiosk.press()
    kiosk.rows.pop()
    kiosk.write("session.started", session, by="button", needs=["front"], giving=["front"], link_up=True,
                planned_ms=1_800_000, booking=booking, students=list(students), therapist="th-lane")  # fmt: skip
    return session


def arrives(office: Secretary, kiosk: Kiosk) -> None:
    office.fleet.take(kiosk.sends())
    office.fleet.settle()


def test_what_a_clinician_confirms_stands_beside_the_record(office: Secretary) -> None:
    session = held(office)
    before = office.ok("GET", f"sessions/{session}")
    assert (before["minutes"]["provided_ms"], before["confirmations"]) == (None, [])
    therapist = as_role(office, Role.THERAPIST, "lincoln")
    after = therapist.ok("POST", f"sessions/{session}/confirm", {"minutes": 18.5, "note": "left for lunch"})
    assert after["minutes"] == before["minutes"] | {"provided_ms": 1_110_000}, "nothing recorded changed"
    [said] = after["confirmations"]
    assert (said["by"], said["note"], said["reason"]) == ("therapist of lincoln", "left for lunch", None)
    [line] = office.ok("GET", "sessions")["items"]
    assert line["minutes"]["provided_ms"] == 1_110_000


def test_a_new_confirmation_counts_and_the_one_before_stays_on_record(office: Secretary) -> None:
    session = held(office)
    therapist = as_role(office, Role.THERAPIST)
    path = f"sessions/{session}/confirm"
    for _ in range(2):  # a second click says nothing new
        therapist.ok("POST", path, {"minutes": 20})
    told = therapist.ok("POST", path, {"provided_ms": 0, "reason": "student-declined"})
    assert [one["provided_ms"] for one in told["confirmations"]] == [0, 1_200_000]
    assert told["minutes"]["provided_ms"] == 0
    lines = [one for one in office.ok("GET", "audit")["items"] if one["what"] == "session.confirmed"]
    assert [(one["who"], one["about"]) for one in lines] == [("therapist of all", session)] * 2
    office.kiosks[0].write("link.up", session)
    arrives(office, office.kiosks[0])
    assert office.ok("GET", f"sessions/{session}")["minutes"]["provided_ms"] == 0, "a new fold takes nothing back"


def test_what_has_not_ended_or_was_cancelled_cannot_be_confirmed(office: Secretary) -> None:
    running = begun(office)
    arrives(office, office.kiosks[0])
    therapist = as_role(office, Role.THERAPIST)
    answer = therapist.ask("POST", f"sessions/{running}/confirm", {"minutes": 1})
    assert (answer.status_code, "not ended" in answer.json()["detail"]) == (409, True)
    office.kiosks[0].write("session.cancelled", running, reason="button-stuck")
    arrives(office, office.kiosks[0])
    assert therapist.ask("POST", f"sessions/{running}/confirm", {"minutes": 1}).status_code == 409
    assert office.ok("GET", f"sessions/{running}")["confirmations"] == []


@pytest.mark.parametrize(
    ("role", "campus", "status"),
    [
        (Role.THERAPIST, "lincoln", 200), (Role.PORTAL, "lincoln", 200), (Role.THERAPIST, "roosevelt", 404),
        (Role.AIDE, "lincoln", 403), (Role.IT, "lincoln", 403), (Role.AUDITOR, "lincoln", 403),
        (Role.SERVICE, "lincoln", 403),
    ],
)  # fmt: skip
def test_only_a_clinician_of_the_campus_may(office: Secretary, role: Role, campus: str, status: int) -> None:
    session = held(office)
    answer = as_role(office, role, campus).ask("POST", f"sessions/{session}/confirm", {"minutes": 20})
    assert answer.status_code == status
    assert (office.ok("GET", f"sessions/{session}")["minutes"]["provided_ms"] is not None) is (status == 200)


def test_a_portal_says_for_whom_and_nobody_else_does(office: Secretary) -> None:
    session = held(office)
    body = {"minutes": 20, "clinician": "th-lane"}
    assert as_role(office, Role.THERAPIST).ask("POST", f"sessions/{session}/confirm", body).status_code == 422
    told = as_role(office, Role.PORTAL).ok("POST", f"sessions/{session}/confirm", body)
    assert [(one["by"], one["clinician"]) for one in told["confirmations"]] == [("portal of all", "th-lane")]


def test_an_aide_reads_the_minutes_and_not_what_was_noted(office: Secretary) -> None:
    session = held(office)
    as_role(office, Role.THERAPIST).ok("POST", f"sessions/{session}/confirm", {"minutes": 20, "note": "tired"})
    told = as_role(office, Role.AIDE).ok("GET", f"sessions/{session}")
    assert (told["minutes"]["provided_ms"], told["confirmations"]) == (1_200_000, [])


@pytest.mark.parametrize(
    "body",
    [
        {}, {"minutes": 1, "provided_ms": 60_000}, {"minutes": -1}, {"minutes": 1_441}, {"provided_ms": True},
        {"minutes": "20"}, {"minutes": 20, "reason": "tired"}, {"minutes": 20, "note": "pupil 1234567"},
        {"minutes": 20, "over": True}, {"minutes": 20, "note": "x" * 201},
    ],
)  # fmt: skip
def test_what_cannot_be_meant_is_refused(office: Secretary, body: dict[str, Any]) -> None:
    session = held(office)
    assert as_role(office, Role.THERAPIST).ask("POST", f"sessions/{session}/confirm", body).status_code == 422
    assert office.ok("GET", f"sessions/{session}")["confirmations"] == []


def test_what_is_owed_counts_as_provided_only_what_was_confirmed(office: Secretary) -> None:
    made = office.books(start=at(1))
    first, second = held(office, made["id"], "s-0418"), held(office, made["id"], "s-0418")
    held(office, None)
    assert week(office)["provided_minutes"] is None
    therapist = as_role(office, Role.THERAPIST)
    therapist.ok("POST", f"sessions/{first}/confirm", {"minutes": 15})
    assert (week(office)["provided_minutes"], week(office)["held_minutes"]) == (15.0, 40.0)
    therapist.ok("POST", f"sessions/{second}/confirm", {"minutes": 10.5})
    therapist.ok("POST", f"sessions/{first}/confirm", {"minutes": 12})
    assert week(office)["provided_minutes"] == 22.5


@pytest.mark.sqlite
def test_a_students_sessions_are_found_without_the_ledger(office: Secretary) -> None:
    with office.fleet.database.read() as connection:
        plan = connection.exec_driver_sql(
            "explain query plan select s.minutes from sessions s join session_students t on t.session = s.id "
            "where t.student = 's-0418' and s.booking is not null"
        ).all()
    assert "ix_session_students_student" in " ".join(row[3] for row in plan)
    assert "SCAN" not in " ".join(row[3] for row in plan)


def week(office: Secretary) -> Any:
    return office.ok("GET", "students/s-0418/minutes")["items"][-1]
