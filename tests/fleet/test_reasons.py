"""Why a session ended early or was not held: the room's word, and a clinician's beside it."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from alembic import command
from alembic.config import Config

from fleet.access.roles import Role
from fleet.console.confirming import room_word_in_words
from fleet.store import room_words
from fleet.store.engine import Database
from fleet.store.migrate import SCRIPTS, migrate
from fleet.views import RoomWord
from tests.fleet.booking import Secretary, at
from tests.fleet.calling import Caller
from tests.fleet.test_confirming import arrives, as_role, begun, held
from tests.fleet.world import BEGAN, Fleet, Kiosk
from wire.ledger import ClockTrust


@pytest.fixture
def office(fleet: Fleet, caller: Caller) -> Secretary:
    return Secretary(fleet, caller)


def get(office: Secretary, booking: dict[str, Any]) -> dict[str, Any]:
    told: dict[str, Any] = office.ok("GET", f"bookings/{booking['id']}")
    return told


def test_what_the_room_says_of_a_booking_stands_with_it(office: Secretary) -> None:
    made, kiosk = office.books(start=at(1)), office.kiosks[0]
    assert (made["room_said"], made["therapist_said"]) == ([], [])
    kiosk.write("reason.skipped", None, about="not-started", booking=made["id"])
    kiosk.write("student.absent", None, student="s-0418", booking=made["id"])
    kiosk.write("reason.given", None, reason="student-absent", about="did-not-happen", booking=made["id"])
    arrives(office, kiosk)
    arrives(office, kiosk)
    said = get(office, made)["room_said"]
    assert [(one["type"], one["about"], one["reason"], one["student"]) for one in said] == [
        ("reason.skipped", "not-started", None, None),
        ("student.absent", None, None, "s-0418"),
        ("reason.given", "did-not-happen", "student-absent", None),
    ]
    assert office.ok("GET", "bookings")["items"][0]["room_said"] == said
    aide = as_role(office, Role.AIDE)
    assert [one["student"] for one in get(aide, made)["room_said"]] == [None] * 3


def test_what_the_room_says_in_a_session_stands_with_both(office: Secretary) -> None:
    made, kiosk = office.books(start=at(1)), office.kiosks[0]
    session = begun(office, made["id"], "s-0418")
    kiosk.write("student.absent", session, student="s-0418")
    kiosk.end(session)
    kiosk.write("reason.given", session, reason="technical", about="ended-early", booking=made["id"])
    arrives(office, kiosk)
    said = office.ok("GET", f"sessions/{session}")["room_said"]
    assert [(one["type"], one["reason"]) for one in said] == [("student.absent", None), ("reason.given", "technical")]
    assert get(office, made)["room_said"] == said, "each of them once"


def test_another_campus_says_nothing_of_a_booking(office: Secretary) -> None:
    made, other = office.books(start=at(1)), office.kiosks[2]
    other.write("reason.given", None, reason="technical", about="did-not-happen", booking=made["id"])
    arrives(office, other)
    assert get(office, made)["room_said"] == []


def test_a_row_that_was_put_aside_is_nobodys_word(office: Secretary) -> None:
    made, kiosk = office.books(start=at(1)), office.kiosks[0]
    kiosk.write("link.up")
    arrives(office, kiosk)
    clone = replace(kiosk, rows=[])
    clone.write("reason.given", None, reason="technical", about="did-not-happen", booking=made["id"])
    arrives(office, clone)
    assert office.fleet.put_aside(kiosk)
    assert get(office, made)["room_said"] == []


def test_a_row_that_does_not_fit_holds_nothing_up(office: Secretary) -> None:
    made, kiosk = office.books(start=at(1)), office.kiosks[0]
    kiosk.write("reason.given", None, reason=7, booking=made["id"])
    kiosk.write("reason.given", None, reason="x" * 500, booking=made["id"])
    kiosk.write("reason.given", None, reason="other", booking=made["id"])
    arrives(office, kiosk)
    assert office.fleet.acks(kiosk)[-1]["through"] == 3
    assert [one["reason"] for one in get(office, made)["room_said"]] == ["other"]


def test_a_clinicians_reason_is_kept_beside_the_rooms(office: Secretary) -> None:
    made, kiosk = office.books(start=at(1)), office.kiosks[0]
    kiosk.write("reason.given", None, reason="student-absent", about="did-not-happen", booking=made["id"])
    arrives(office, kiosk)
    therapist, path = as_role(office, Role.THERAPIST, "lincoln"), f"bookings/{made['id']}/reason"
    for reason in ("therapist-absent", "therapist-absent", "school-event"):
        told = therapist.ok("POST", path, {"reason": reason})
    assert [(one["reason"], one["by"]) for one in told["therapist_said"]] == [
        ("school-event", "therapist of lincoln"), ("therapist-absent", "therapist of lincoln"),
    ]  # fmt: skip
    assert [one["reason"] for one in told["room_said"]] == ["student-absent"]
    lines = [one for one in office.ok("GET", "audit")["items"] if one["what"] == "booking.explained"]
    assert [one["about"] for one in lines] == [made["id"]] * 2


@pytest.mark.parametrize(
    ("role", "campus", "body", "status"),
    [
        (Role.AIDE, "lincoln", {"reason": "other"}, 403), (Role.IT, "lincoln", {"reason": "other"}, 403),
        (Role.THERAPIST, "roosevelt", {"reason": "other"}, 404), (Role.THERAPIST, "lincoln", {"reason": "rain"}, 422),
        (Role.THERAPIST, "lincoln", {"reason": "other", "clinician": "th-lane"}, 422),
        (Role.THERAPIST, "lincoln", {}, 422),
        (Role.PORTAL, "lincoln", {"reason": "other", "clinician": "th-lane"}, 200),
    ],
)  # fmt: skip
def test_who_may_say_what(office: Secretary, role: Role, campus: str, body: dict[str, str], status: int) -> None:
    made = office.books(start=at(1))
    assert as_role(office, role, campus).ask("POST", f"bookings/{made['id']}/reason", body).status_code == status
    assert bool(get(office, made)["therapist_said"]) is (status == 200)


def test_where_a_session_was_held_the_reason_goes_with_its_confirmation(office: Secretary) -> None:
    made = office.books(start=at(1))
    session = held(office, made["id"], "s-0418")
    therapist = as_role(office, Role.THERAPIST)
    answer = therapist.ask("POST", f"bookings/{made['id']}/reason", {"reason": "other"})
    assert (answer.status_code, session in answer.json()["detail"]) == (409, True)
    told = therapist.ok("POST", f"sessions/{session}/confirm", {"minutes": 20, "reason": "other"})
    assert told["confirmations"][0]["reason"] == "other"


@pytest.mark.parametrize(
    ("told", "words"),
    [
        ({"type": "student.absent", "student": "s-0418"}, "Student s-0418 was absent, said the room."),
        ({"type": "student.absent"}, "The student was absent, said the room."),
        (
            {"type": "reason.given", "about": "ended-early", "reason": "technical"},
            "Why it ended early, said the room: a technical reason.",
        ),
        ({"type": "reason.given", "reason": "rain"}, "Why, said the room: rain."),
        (
            {"type": "reason.skipped", "about": "did-not-happen"},
            "Why it did not happen: the room was asked and did not say.",
        ),
    ],
)
def test_what_the_room_said_is_a_sentence(told: dict[str, str], words: str) -> None:
    bare = {"about": None, "reason": None, "student": None, "session": None, "at": BEGAN, "clock": ClockTrust.SYNCED}
    assert room_word_in_words(RoomWord.model_validate(bare | told)) == words


def test_what_rooms_said_before_there_was_a_place_for_it_is_found(tmp_path: Path) -> None:
    kiosk, database, config = Kiosk(), Database(f"sqlite:///{tmp_path / 'fleet.sqlite'}"), Config()
    config.set_main_option("script_location", str(SCRIPTS))
    kiosk.write("reason.given", None, reason="technical", about="did-not-happen", booking="b-1")
    kiosk.write("reason.given", None, reason=7, booking="b-1")
    with database.write() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "0006")
        connection.exec_driver_sql(
            "insert into kiosks (id, campus, first_seen_us, birth) values ('k-1', 'lincoln', 1, 1)"
        )
        connection.exec_driver_sql("insert into ledger_epochs values (1, 'k-1', 'e', 2, 'h', 2, 1)")
        for seq, row in enumerate(kiosk.rows, 1):
            told = (1, seq, "reason.given", None, row.body, row.hash, 1)
            connection.exec_driver_sql("insert into ledger_rows values (?, ?, ?, ?, ?, ?, ?)", told)
    migrate(database)
    with database.read() as connection:
        [said] = room_words.of_bookings(connection, ["b-1"])["b-1"]
    database.close()
    assert (said.reason, said.campus, said.kiosk, said.at_us) == (
        "technical", "lincoln", "k-1", round(BEGAN.timestamp() * 1e6),
    )  # fmt: skip
