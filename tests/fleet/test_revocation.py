"""Consents: in force or not at an instant, and what goes when one is taken back. What is pure with any history."""

import uuid
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fleet import consents
from fleet.access.roles import Principal, Role
from fleet.schedule import consents_in_force, gaps
from fleet.store import segments, stills
from fleet.store.consents import Given
from fleet.uploads import REVOKED
from tests.fleet.booking import NOW, Secretary, at
from tests.fleet.calling import Caller
from tests.fleet.world import Fleet
from wire.schedule import Schedule

TIMES = st.integers(0, 48).map(lambda hours: NOW + timedelta(hours=hours))
HISTORIES = st.lists(
    st.builds(
        lambda since, until, revoked_at: Given("c-1", "lincoln", "s-0418", "recording", since, until, revoked_at),
        TIMES, st.none() | TIMES, st.none() | TIMES,
    ), max_size=5,
)  # fmt: skip


@given(HISTORIES, TIMES)
def test_nothing_is_in_force_in_a_gap_that_a_revocation_left(history: list[Given], when: datetime) -> None:
    in_gap = any(since <= when and (until is None or when < until) for since, until in gaps(history))
    if in_gap:
        assert consents_in_force(history, when) == []
    for one in consents_in_force(history, when):
        assert one.revoked_at is None
        assert one.since <= when
        assert one.until is None or when < one.until


@pytest.fixture
def office(fleet: Fleet, caller: Caller) -> Secretary:
    return Secretary(fleet, caller)


def segment_id(name: str) -> str:
    return str(uuid.uuid5(uuid.NAMESPACE_OID, name))


def holds(office: Secretary, name: str, student: str, hours: float) -> str:
    """A session with `student` that began so many hours after now, with a segment of ten minutes at the fleet."""
    kiosk = office.kiosks[0]
    session = f"session-{name}"
    kiosk.write("session.started", session, by="button", needs=["front"], giving=["front"], link_up=True,
                planned_ms=None, booking="b-1", students=[student], therapist="th-lane")  # fmt: skip
    office.fleet.take(kiosk.sends())
    facts: dict[str, Any] = {
        "session": session, "role": "front", "started_us": round((NOW + timedelta(hours=hours)).timestamp() * 1e6),
        "clock": "synced", "ms": 600_000, "bytes": 10, "hash": "0" * 64,
    }  # fmt: skip
    with office.fleet.database.write() as connection:
        segments.announce(connection, segment_id(name), kiosk.id, NOW, facts)
        office.fleet.parts.uploads.segments.begin(segment_id(name))
        segments.stored(connection, segment_id(name), NOW)
        stills_facts = {"session": session, "sealed": b"sealed", "captured_us": facts["started_us"]}
        connection.exec_driver_sql(
            "insert into commands (id, kiosk, name, args, created_by, created_us, expires_us) values (?,?,?,?,?,?,?)",
            (f"still-{name}", kiosk.id, "still", "{}", "test", 0, 0),
        )
        stills.add(connection, f"still-{name}", kiosk.id, NOW, stills_facts)
    return session


def fate(office: Secretary, name: str) -> tuple[str | None, str | None]:
    with office.fleet.database.read() as connection:
        segment, still = segments.one(connection, segment_id(name)), stills.one(connection, f"still-{name}")
        picture = stills.sealed(connection, f"still-{name}")
    assert segment is not None
    assert still is not None
    assert (picture is None) is (still.destroyed_why is not None)
    return segment.destroyed_why, still.destroyed_why


def test_a_revocation_is_told_at_once_and_destroys_what_came_after_and_nothing_else(office: Secretary) -> None:
    made = office.books(consent=True, record="always")
    other = office.books(student="s-0502", consent=True, start=at(3))
    (held,) = office.ok("GET", "students/s-0418/consents")["items"]
    office.fleet.clock.pass_(7_200)
    for name, student, hours in (("a", "s-0418", 0.5), ("b", "s-0418", 1.95), ("c", "s-0418", 3), ("d", "s-0502", 3)):
        holds(office, name, student, hours)
    done = office.ok("POST", f"students/s-0418/consents/{held['id']}/revoke")
    assert done["destroyed"] == 3, "a segment reaches into it, and the third session has a still as well"
    assert done["revoked_at"] == "2026-11-23T11:00:00Z"
    assert [fate(office, name) for name in "abcd"] == [
        (None, None), (REVOKED, None), (REVOKED, REVOKED), (None, None),
    ]  # fmt: skip
    audit = office.ok("GET", "audit")["items"]
    assert [one["what"] for one in audit].count("segment.destroyed") == 2
    assert [one["what"] for one in audit].count("still.destroyed") == 1
    told = office.told()
    assert told is not None
    schedule = Schedule.model_validate(told)
    kept = {one.id: one.consents for one in schedule.bookings}
    assert [one.revoked_at for one in kept[made["id"]]] == [NOW + timedelta(hours=2)]
    assert [one.revoked_at for one in kept[other["id"]]] == [None]
    assert office.ask("POST", f"students/s-0418/consents/{held['id']}/revoke").status_code == 409


def test_a_room_without_any_booking_of_the_student_now_is_told_all_the_same(office: Secretary) -> None:
    office.books(consent=True)
    office.fleet.clock.pass_(5 * 86_400)
    told = office.told()
    assert told is not None
    assert (told["bookings"], told["consents"]) == ([], [])
    (held,) = office.ok("GET", "students/s-0418/consents")["items"]
    office.ok("POST", f"students/s-0418/consents/{held['id']}/revoke")
    told = office.told()
    assert told is not None
    assert [(one["student"], one["revoked_at"]) for one in told["consents"]] == [("s-0418", "2026-11-28T09:00:00Z")]


def test_a_consent_given_anew_counts_from_then_on_and_a_list_never_gives_one_anew(office: Secretary) -> None:
    listed = f"kiosk,therapist,student,start,minutes,consent\nlincoln-12,th-lane,s-0418,{at(30)},30,yes\n"
    sends = {"content": listed, "headers": {"Content-Type": "text/csv"}}
    assert office.ask("PUT", "bookings/import", **sends).json()["added"] == 1
    (held,) = office.ok("GET", "students/s-0418/consents")["items"]
    office.fleet.clock.pass_(3_600)
    office.ok("POST", f"students/s-0418/consents/{held['id']}/revoke")
    notes = office.ask("PUT", "bookings/import", **sends).json()["notes"]
    assert notes == ["s-0418: its consent was taken back; a list does not give it anew"]
    office.fleet.clock.pass_(3_600)
    early = office.ask("POST", "students/s-0418/consents", {"campus": "lincoln", "since": at(0.5)})
    assert early.status_code == 422
    office.ok("POST", "students/s-0418/consents", {"campus": "lincoln", "until": "2027-06-30"}, 201)
    told = office.told()
    assert told is not None
    (booking,) = Schedule.model_validate(told).bookings
    assert [(one.revoked_at, one.since) for one in booking.consents] == [
        (NOW + timedelta(hours=1), NOW), (None, NOW + timedelta(hours=2)),
    ]  # fmt: skip


def test_a_recording_from_without_consent_gets_no_ticket_however_late_it_comes(office: Secretary) -> None:
    office.books(consent=True)
    (held,) = office.ok("GET", "students/s-0418/consents")["items"]
    office.ok("POST", f"students/s-0418/consents/{held['id']}/revoke")
    session = holds(office, "e", "s-0418", -2)
    kiosk = office.kiosks[0]
    with office.fleet.database.read() as connection:
        for hours, expected in ((-1.0, False), (-0.1, True), (0.5, True)):
            facts = {"started_us": round((NOW + timedelta(hours=hours)).timestamp() * 1e6), "ms": 600_000,
                     "clock": "synced"}  # fmt: skip
            assert segments.is_without_consent(connection, kiosk.id, session, facts) is expected
        assert segments.is_without_consent(connection, kiosk.id, session, {**facts, "started_us": 0, "clock": "unset"})


def test_what_the_disk_refused_or_what_came_later_goes_with_the_next_look(office: Secretary) -> None:
    office.books(consent=True)
    (held,) = office.ok("GET", "students/s-0418/consents")["items"]
    office.ok("POST", f"students/s-0418/consents/{held['id']}/revoke")
    holds(office, "f", "s-0418", 1)
    assert fate(office, "f") == (None, None)
    office.fleet.clock.pass_(3_700)
    office.fleet.take(office.kiosks[0].is_healthy())
    office.fleet.settle()
    assert fate(office, "f") == (REVOKED, REVOKED)


def test_a_campus_takes_back_only_its_own_consents(office: Secretary) -> None:
    office.books(consent=True)
    elsewhere = Principal("other", Role.THERAPIST, frozenset({"roosevelt"}))
    (held,) = office.ok("GET", "students/s-0418/consents")["items"]
    other = Secretary(office.fleet, office.caller, office.kiosks, Role.THERAPIST, ("roosevelt",))
    assert other.ask("POST", f"students/s-0418/consents/{held['id']}/revoke").status_code == 404
    assert other.ok("GET", "students/s-0418/consents")["items"] == []
    assert not elsewhere.sees("lincoln")
    assert consents.end_of(NOW.date(), UTC) == datetime(2026, 11, 24, tzinfo=UTC)
