"""Files that people bring: every bad row named, nothing kept of a bad file, and the same file again changes nothing."""

import time
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from fleet.access.roles import Role
from tests.fleet.booking import NOW, Secretary, at, booking
from tests.fleet.calling import Caller
from tests.fleet.world import Fleet, Kiosk

HEADER = "kiosk,therapist,student,start,minutes"
GOOD = f"{HEADER}\nlincoln-12,th-lane,s-0418,2026-11-23 10:00,30\nlincoln-4,th-other,s-0502,2026-11-23T10:00:00Z,45\n"


@pytest.fixture
def office(fleet: Fleet, caller: Caller) -> Secretary:
    office = Secretary(fleet, caller)
    office.ok("PUT", "campuses/lincoln/calendar", {"time_zone": "America/Chicago"})
    return office


def sends(
    office: Secretary, body: str | bytes, kind: str = "text/csv", path: str = "bookings/import"
) -> httpx.Response:
    return office.ask("PUT", path, content=body, headers={"Content-Type": kind})


def faults(answer: httpx.Response) -> list[tuple[int | None, str | None, str]]:
    assert answer.status_code == 422, answer.text
    return [(one.get("line"), one.get("column"), one["message"]) for one in answer.json()["errors"]]


def test_a_list_is_imported_and_a_second_time_changes_nothing(office: Secretary) -> None:
    first = sends(office, GOOD)
    assert first.json() == {"rows": 2, "added": 2, "changed": 0, "unchanged": 0, "notes": []}
    told, audit = office.told(), office.ok("GET", "audit")["items"]
    assert told is not None
    assert told["bookings"][0]["start"] == "2026-11-23T16:00:00Z", "10:00 at a campus in Chicago"
    again = sends(office, GOOD)  # C15
    assert again.json() == {"rows": 2, "added": 0, "changed": 0, "unchanged": 2, "notes": []}
    assert office.told() == told
    assert office.ok("GET", "audit")["items"] == audit
    office.fleet.clock.pass_(86_400)
    assert sends(office, GOOD).json()["unchanged"] == 2, "what is over by now was imported before"


def test_every_bad_row_is_named_and_nothing_is_imported(office: Secretary) -> None:
    rows = [
        "lincoln-12,th-lane,s-0418,2026-11-24 10:00,30",
        "nowhere,th-lane,s-0419,2026-11-24 11:00,30",
        "lincoln-12,=HYPERLINK(1),418,1E+15,30",
        "lincoln-12,th-lane,s-0418,2026-03-08 02:30,0",
        "lincoln-12,th-lane,s-0418,2026-11-22 10:00,30",
    ]
    found = faults(sends(office, "\n".join([HEADER, *rows])))
    assert [(line, column) for line, column, _ in found] == [
        (3, "kiosk"), (4, "start"), (4, "student"), (4, "therapist"), (5, "minutes"), (6, "start"),
    ]  # fmt: skip
    words = " ".join(message for _, _, message in found)
    for part in ("nowhere", "formula", "lost its letters", "spreadsheet counts days", "from 1 to 480", "is over"):
        assert part in words
    assert office.ok("GET", "bookings")["items"] == []
    assert office.told() is None


ENCODINGS: list[tuple[bytes, str]] = [
    (GOOD.encode("utf-16"), "UTF-16"),  # C2
    (GOOD.encode("utf-16-le"), "UTF-16"),
    (GOOD.replace("th-lane", "th-läne").encode("cp1252"), "Windows-1252"),
]


@pytest.mark.parametrize(("body", "words"), ENCODINGS)
def test_c2_another_encoding_is_named_with_what_to_do(office: Secretary, body: bytes, words: str) -> None:
    ((_, _, message),) = faults(sends(office, body))
    assert words in message
    assert "CSV UTF-8" in message


ACCEPTED: list[bytes] = [
    GOOD.encode("utf-8-sig"),  # C1
    GOOD.replace("\n", "\r\n").encode(),
    GOOD.replace("\n", "\r\n", 1).encode(),
    GOOD.replace(",", ";").encode(),
    ("sep=;\n" + GOOD.replace(",", ";")).encode(),
    GOOD.replace(",", "\t").encode(),
    (GOOD.upper().split("\n")[0] + "\n" + "\n".join(GOOD.split("\n")[1:]) + ",,,,\n\n").encode(),
    GOOD.replace("kiosk,", "Room,", 1).replace("lincoln-12", "Room 12").encode(),
]


@pytest.mark.parametrize("body", ACCEPTED)
def test_what_spreadsheets_do_without_harm_is_read(office: Secretary, body: bytes) -> None:
    office.ok("PATCH", "campuses/lincoln/rooms/lincoln-12", {"name": "Room 12"})
    answer = sends(office, body)
    assert answer.is_success, answer.text
    assert answer.json()["added"] == 2


FORMS: list[tuple[str, int | None, str]] = [
    (f"{HEADER}\nlincoln-12,th-\0lane,s-0418,2026-11-24 10:00,30\n", 2, "NUL"),  # C3
    (f'{HEADER}\nlincoln-12,"th-lane,s-0418,2026-11-24 10:00,30\n', 2, "never closed"),  # C4
    (f'{HEADER}\n"{"x" * 140_000}",th-lane,s-0418,2026-11-24 10:00,30\n', 2, "field larger"),
    (f"{HEADER},colour\nlincoln-12,th-lane,s-0418,2026-11-24 10:00,30,red\n", 1, "no column 'colour'"),
    (f"{HEADER},recrod\nlincoln-12,th-lane,s-0418,2026-11-24 10:00,30,always\n", 1, "is 'record' meant?"),
    (f"{HEADER},kiosk\nlincoln-12,th-lane,s-0418,2026-11-24 10:00,30,x\n", 1, "twice in the header"),
    ("kiosk,therapist\nlincoln-12,th-lane\n", 1, "no column 'student'"),
    (f"{HEADER}\nlincoln-12,th-lane,s-0418,2026-11-24 10:00,30,and more\n", 2, "has 6 values"),
    (f"{HEADER}\n", 1, "no row"),
    ("", 1, "no column"),
]


@pytest.mark.parametrize(("body", "line", "words"), FORMS)
def test_a_file_that_is_no_such_list_is_refused_in_words(
    office: Secretary, body: str, line: int | None, words: str
) -> None:
    found = faults(sends(office, body))
    assert any(at == line and words in message for at, _, message in found), found


DOUBLED: list[tuple[str, str, str]] = [
    ("2027-03-14 02:30", "start", "never comes at lincoln"),
    ("2027-11-07 01:30", "start", "write 2027-11-07T01:30-05:00 or 2027-11-07T01:30-06:00"),
]


@pytest.mark.parametrize(("start", "column", "words"), DOUBLED)
def test_a_local_time_that_comes_never_or_twice_is_named(
    office: Secretary, start: str, column: str, words: str
) -> None:
    ((line, named, message),) = faults(sends(office, f"{HEADER}\nlincoln-12,th-lane,s-0418,{start},30\n"))
    assert (line, named) == (2, column)
    assert words in message
    if "T01:30" in words:
        assert sends(office, f"{HEADER}\nlincoln-12,th-lane,s-0418,2027-11-07T01:30-06:00,30\n").is_success


def test_conflicts_within_a_file_and_with_what_is_booked_are_named_with_both_sides(office: Secretary) -> None:
    held = office.books(start="2026-11-24T16:00:00Z", kiosk="lincoln-4", therapist="th-held", student="s-0777")
    rows = [
        "lincoln-12,th-lane,s-0418,2026-11-24 09:00,30",
        "lincoln-12,th-other,s-0419,2026-11-24 09:15,30",
        "lincoln-4,th-lane,s-0420,2026-11-24 09:20,30",
        "lincoln-4,th-other,s-0421,2026-11-24 10:10,30",
        "lincoln-12,th-lane,s-0418,2026-11-24 09:00,30",
    ]
    found = faults(sends(office, "\n".join([HEADER, *rows])))
    assert (3, "kiosk", "room lincoln-12 is booked 2026-11-24 09:00-09:30 with th-lane (line 2)") in found
    assert (4, "therapist", "therapist th-lane is booked 2026-11-24 09:00-09:30 in lincoln-12 (line 2)") in found
    assert any(line == 5 and column == "kiosk" and held["id"] in message for line, column, message in found)
    assert (6, None, "says again what line 2 says") in found  # C5
    assert office.ok("GET", "bookings")["items"] == [held]


def test_group_rows_merge_and_must_agree(office: Secretary) -> None:
    header = f"{HEADER},model,goals,consent,record"
    rows = ["lincoln-12,th-lane,s-0418,2026-11-24 09:00,30,group,g-1,yes,always",
            "lincoln-12,th-lane,s-0419,2026-11-24 09:00,30,,g-2 g-3,2027-06-30,"]  # fmt: skip
    assert sends(office, "\n".join([header, *rows])).json()["added"] == 1
    (made,) = office.ok("GET", "bookings")["items"]
    assert (made["students"], made["model"], made["record"]) == (["s-0418", "s-0419"], "group", "always")
    (consent,) = office.ok("GET", "students/s-0419/consents")["items"]
    assert consent["until"] == "2027-07-01T05:00:00Z", "the end of its last day in Chicago"
    assert sends(office, "\n".join([header, *rows])).json()["unchanged"] == 1
    rows[1] = rows[1][: -len(",")] + ",never"
    rows = [one.replace("11-24", "11-25") for one in rows]
    ((line, column, message),) = faults(sends(office, "\n".join([header, *rows])))
    assert (line, column) == (3, "record")
    assert "line 2 of the same group" in message


def test_c11_ten_thousand_rows_are_one_import(office: Secretary) -> None:
    many = [Kiosk(id=f"annex-{n}", campus="annex") for n in range(100)]
    office.fleet.take(*(one.is_born() for one in many))
    rows = [
        f"annex-{k},th-{k},s-{1_000 + k},{NOW + timedelta(days=d, hours=h):%Y-%m-%dT%H:%MZ},30"
        for k in range(100) for d in range(1, 21) for h in range(5)
    ]  # fmt: skip
    began_s = time.monotonic()
    answer = sends(office, "\n".join([HEADER, *rows]))
    took_s = time.monotonic() - began_s
    assert answer.json()["added"] == 10_000, answer.text
    print(f"10,000 rows in {took_s:.1f} s")  # noqa: T201  # a figure, not an assertion


def test_a_cancelled_booking_stays_so_when_its_list_comes_again(office: Secretary) -> None:
    sends(office, GOOD)
    made = office.ok("GET", "bookings?kiosk=lincoln-12")["items"][0]
    office.ok("DELETE", f"bookings/{made['id']}")
    again = sends(office, GOOD).json()
    assert (again["added"], again["unchanged"]) == (0, 2)
    assert again["notes"] == ["line 2: this booking was cancelled (cancelled); it stays so"]


def test_only_planners_import_and_only_at_their_campuses(fleet: Fleet, caller: Caller) -> None:
    office = Secretary(fleet, caller)
    aide = Secretary(fleet, caller, office.kiosks, Role.AIDE)
    assert sends(aide, GOOD).status_code == 403
    other = Secretary(fleet, caller, office.kiosks, Role.THERAPIST, ("roosevelt",))
    assert {column for _, column, _ in faults(sends(other, GOOD))} == {"kiosk"}
    assert sends(office, GOOD, "application/json").status_code == 415
    assert sends(office, b"x" * (4 * 1024 * 1024 + 1)).status_code == 413


# Calendars


def event(
    uid: str = "one@example", *more: str, start: str = "DTSTART;TZID=America/Chicago:20261124T100000", **own: Any
) -> str:
    told = {"KIOSK": "lincoln-12", "THERAPIST": "th-lane", "STUDENT": "s-0418", **own}
    lines = ["BEGIN:VEVENT", f"UID:{uid}", start, "DURATION:PT30M", "SUMMARY:A name that nobody may read", *more]
    lines += [f"X-CARREL-{name.replace('_', '-')}:{value}" for name, value in told.items() if value is not None]
    return "\n".join([*lines, "END:VEVENT"])


def calendar(*events: str) -> str:
    return "\n".join(["BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//test//EN", *events, "END:VCALENDAR"]) + "\n"


def imports(office: Secretary, *events: str) -> httpx.Response:
    return sends(office, calendar(*events), "text/calendar")


def starts(office: Secretary) -> list[str]:
    return sorted(one["start"] for one in office.ok("GET", "bookings?limit=500")["items"])


def test_a_calendars_events_are_bookings_and_keep_their_local_time_over_a_clock_change(office: Secretary) -> None:
    office.fleet.clock.at = datetime(2026, 10, 26, 12, tzinfo=UTC)
    weekly = event("w", "RRULE:FREQ=WEEKLY;COUNT=3", "EXDATE;TZID=America/Chicago:20261103T100000",
                   start="DTSTART;TZID=America/Chicago:20261027T100000")  # fmt: skip
    moved = event("w", "RECURRENCE-ID;TZID=America/Chicago:20261110T100000",
                  start="DTSTART;TZID=America/Chicago:20261110T140000")  # fmt: skip
    meeting = "BEGIN:VEVENT\nUID:m\nDTSTART:20261110T140000Z\nDURATION:PT1H\nSUMMARY:Staff\nEND:VEVENT"
    first = imports(office, weekly, moved, meeting)
    assert first.json()["added"] == 2, first.text
    assert first.json()["notes"] == ["1 events have none of our properties and are no bookings"]
    assert starts(office) == ["2026-10-27T15:00:00Z", "2026-11-10T20:00:00Z"]
    again = imports(office, weekly, moved, meeting).json()
    assert (again["added"], again["changed"], again["unchanged"]) == (0, 0, 2)
    assert "nobody may read" not in str(office.ok("GET", "bookings"))


def test_an_event_that_moved_moves_its_booking_and_one_called_off_cancels_it(office: Secretary) -> None:
    imports(office, event())
    later = event(start="DTSTART;TZID=America/Chicago:20261124T130000")
    assert imports(office, later).json()["changed"] == 1
    assert starts(office) == ["2026-11-24T19:00:00Z"]
    assert imports(office, event("one@example", "STATUS:CANCELLED", start="DTSTART:20261124T190000Z")).is_success
    assert starts(office) == []


def test_what_a_booking_needs_may_stand_in_categories_and_the_room_in_the_location(office: Secretary) -> None:
    marks = "CATEGORIES:therapist:th-lane,student:s-0418,student:s-0502,record:always,consent:yes"
    where = ("LOCATION:lincoln-4", "URL:https://meet.example/x")
    made = event("c", marks, *where, KIOSK=None, THERAPIST=None, STUDENT=None)
    assert imports(office, made).is_success
    (one,) = office.ok("GET", "bookings")["items"]
    assert (one["kiosk"], one["students"], one["model"]) == ("lincoln-4", ["s-0418", "s-0502"], "group")
    assert (one["record"], one["link"]) == ("always", "https://meet.example/x")


def test_a_rule_without_end_is_read_up_to_a_year_ahead(office: Secretary) -> None:
    answer = imports(office, event("d", "RRULE:FREQ=DAILY;COUNT=10000"))
    assert answer.json()["added"] == 369, answer.text
    assert imports(office, event("d", "RRULE:FREQ=DAILY;COUNT=10000")).json()["unchanged"] == 369


BAD_EVENTS: list[tuple[str, str | None, str]] = [
    (event("x", "RRULE:FREQ=SECONDLY;COUNT=10000"), "RRULE", "none of DAILY"),
    (event("x", "RRULE:FREQ=DAILY;BYHOUR=1,2,3"), "RRULE", "BYHOUR"),
    (event("x", "RRULE:FREQ=DAILY;INTERVAL=0"), "RRULE", "INTERVAL"),
    (event("x", start="DTSTART;VALUE=DATE:20261124"), "DTSTART", "a whole day"),
    (event("x", start="DTSTART;TZID=America/Chicago:20270314T023000"), "DTSTART", "never comes"),
    (event("x", start="DTSTART;TZID=America/Chicago:20271107T013000"), "DTSTART", "comes twice"),
    (event("x", STUDENT="Ann Example"), "X-CARREL-STUDENT", "names have no place here"),
    (event("x", STUDENT=None), "X-CARREL-STUDENT", "only a consult has none"),
    (event("x", KIOSK="nowhere"), "X-CARREL-KIOSK", "no kiosk or room"),
    (event("x", COLOUR="red"), "X-CARREL-COLOUR", "no such property"),
    (event("x").replace("DURATION:PT30M\n", ""), "DTEND", "is missing"),
    (event("x").replace("UID:x\n", ""), "UID", "is missing"),
    ("BEGIN:VEVENT\nBEGIN:VEVENT\nEND:VEVENT", None, "no calendar that can be read"),
]


@pytest.mark.parametrize(("bad", "column", "words"), BAD_EVENTS)
def test_a_bad_event_is_named_by_its_line_and_nothing_is_imported(
    office: Secretary, bad: str, column: str | None, words: str
) -> None:
    found = faults(imports(office, event("good", start="DTSTART:20261125T100000Z"), bad))
    line = 4 + event().count("\n") + 1 if column else 1
    assert any(one[:2] == (line, column) and words in one[2] for one in found), found
    assert "Ann" not in str(found)
    assert office.ok("GET", "bookings")["items"] == []


def test_a_calendar_of_ten_megabytes_is_refused_before_it_is_read(office: Secretary) -> None:
    answer = sends(office, b"x" * 10_000_000, "text/calendar")
    assert answer.status_code == 413
    assert "4194304" in answer.text


# Mandates


def test_mandates_are_imported_and_owed_stands_beside_booked_and_provided(office: Secretary) -> None:
    rows = ("s-0418,60,week,2026-08-17,2027-05-28", "s-0502,120,month,2026-11-16,2026-12-31")
    listed = "\n".join(["student,minutes,per,from,until", *rows])
    path = "campuses/lincoln/mandates/import"
    assert sends(office, listed, path=path).json()["added"] == 2
    assert sends(office, listed, path=path).json() == {"rows": 2, "added": 0, "changed": 0, "unchanged": 2, "notes": []}
    made = office.books(start=at(1))
    office.books(start=at(30))
    settled = office.books(start=at(50))
    office.ok("PATCH", f"bookings/{settled['id']}", {"reason": "school-event"})
    kiosk = office.kiosks[0]
    session = kiosk.press()
    kiosk.rows.pop()
    kiosk.write("session.started", session, by="button", needs=["front"], giving=["front"], link_up=True,
                planned_ms=1_800_000, booking=made["id"], students=["s-0418"], therapist="th-lane")  # fmt: skip
    kiosk.pass_(1_199)
    kiosk.end(session)
    office.fleet.take(kiosk.sends())
    office.fleet.settle()
    week = office.ok("GET", "students/s-0418/minutes")["items"][-1]
    assert (week["first"], week["last"], week["per"]) == ("2026-11-23", "2026-11-29", "week")
    assert (week["owed_minutes"], week["booked_minutes"], week["settled_minutes"]) == (60.0, 60, 30)
    assert week["held_minutes"] == 20.0
    assert week["provided_minutes"] is None, "what nobody confirmed was not provided"
    (month,) = office.ok("GET", "students/s-0502/minutes?from=2026-11-01&to=2026-11-30")["items"]
    assert month["owed_minutes"] == 60.0, "15 of November's 30 days"
    bad = "student,minutes,per,from,until\ns-1,x,day,17.8.2026,2026-08-01\n"
    assert {column for _, column, _ in faults(sends(office, bad, path=path))} == {"student", "minutes", "per", "from"}


def test_references_do_not_leak_to_those_who_may_not_know(office: Secretary) -> None:
    office.ok("POST", "bookings", booking(consent=True))
    aide = Secretary(office.fleet, office.caller, office.kiosks, Role.AIDE)
    for path in ("students/s-0418/consents", "students/s-0418/minutes", "campuses/lincoln/cards"):
        assert aide.ask("GET", path).status_code == 403
