"""A campus's calendar, rooms, cards and closures by the API, and what its kiosks are told of them."""

from datetime import UTC, datetime, time, timedelta

import pytest

from fleet import notice_words
from fleet.access.roles import Role
from fleet.channels import Mail
from fleet.courier import Courier, notice_of
from fleet.notice_settings import Smtp
from fleet.notices import Channel, To
from lab.sinks import MailSink, in_thread
from tests.fleet.booking import NOW, Secretary, at, booking, wall
from tests.fleet.calling import Caller
from tests.fleet.incidents.desk import route, told
from tests.fleet.serving import until
from tests.fleet.world import Fleet, Kiosk
from wire.schedule import Schedule

CALENDAR = {
    "time_zone": "America/Chicago",
    "bells": {"regular": [{"name": "1", "start": "08:00", "end": "15:00"}]},
    "holidays": {"2026-11-26": "Thanksgiving"},
    "early_release": {"2026-11-25": "12:30"},
}


@pytest.fixture
def office(fleet: Fleet, caller: Caller) -> Secretary:
    office = Secretary(fleet, caller)
    office.ok("PUT", "campuses/lincoln/calendar", CALENDAR)
    return office


def held(office: Secretary, kiosk: int = 0) -> Schedule:
    told = office.told(kiosk)
    assert told is not None
    return Schedule.model_validate(told)


def test_a_kiosk_is_told_the_school_days_its_office_and_its_point_person(office: Secretary) -> None:
    office.books()
    office.ok(
        "PATCH", "campuses/lincoln/rooms/lincoln-12", {"name": "Room 12", "point_person": "aide-7", "office": "214"}
    )
    told = held(office)
    assert (told.room, told.office, told.point_person) == ("Room 12", "214", "aide-7")
    assert told.time_zone == "America/Chicago"
    assert told.days is not None
    by_date = {one.date: one for one in told.days}
    assert "2026-11-26" not in by_date
    assert by_date["2026-11-25"].closes == wall("2026-11-25T18:30:00+00:00")
    assert by_date["2026-11-24"].bells[0].name == "1"
    revision = told.revision
    office.ok("PUT", "campuses/lincoln/calendar", CALENDAR)
    assert held(office).revision == revision, "the same again is no news"


def test_a_closure_tells_the_therapists_of_its_campus_and_not_why(office: Secretary) -> None:
    fleet = office.fleet
    route(fleet, "ada", role=To.THERAPIST)
    route(fleet, "late", role=To.THERAPIST, campus="lincoln", quiet_from=time(2), quiet_until=time(11))
    route(fleet, "grant", role=To.THERAPIST, campus="roosevelt")
    route(fleet, "other-room", role=To.THERAPIST, kiosk="lincoln-4")
    route(fleet, "it", role=To.IT)
    body = {"dismissal": "12:30", "reason": "s-0418 is ill"}
    office.ok("POST", "campuses/roosevelt/closures", body, 201)
    assert told(fleet) == [], "nothing was booked, so nobody is concerned"
    office.books(start="2026-11-23 12:45")
    for _ in range(2):
        office.ok("POST", "campuses/lincoln/closures", body, 201)
    rows = {row.route: row for row in told(fleet)}
    assert sorted(rows) == ["ada", "in-page-therapist", "late"]
    assert [(row.state, row.incident, row.kiosk) for row in rows.values()].count(("queued", None, "")) == 2
    assert rows["late"].next_us - rows["ada"].next_us == 8 * 3_600_000_000, "at three in the night it is quiet until 11"
    listed = office.ok("GET", "notices")["items"]
    assert {(one["kind"], one["incident"], one["kiosk"]) for one in listed} == {("campus.closed", None, None)}
    notice = notice_of(rows["ada"], fleet.watch.diary)
    letter, program = notice_words.letter(notice, "u"), notice_words.payload(notice, "u")
    assert letter.subject == "Closes early: lincoln from 12:30"
    assert program["data"]["since"] == "2026-11-23T12:30:00-06:00"
    assert "s-0418" not in f"{letter} {program}"
    sink = MailSink()
    with in_thread(sink):
        port = Mail(Smtp(host="127.0.0.1", port=sink.port, security="none", sender="c@d.example"), fleet.clock)
        one = Courier(fleet.database, fleet.clock, fleet.watch.diary, {Channel.EMAIL: port}, "https://fleet.example")
        assert one.look() == 1
        until(lambda: bool(sink.mails), "the mail leaves")
        one.stop()
    assert "https://fleet.example/schedule?campus=lincoln" in sink.mails[0].text
    page = office.caller.client
    page.get(office.caller.link(Role.THERAPIST, "lincoln"))
    shown = page.get("/notices", headers={"Accept": "text/html"}).text
    assert "/schedule?campus=lincoln" in shown
    page.cookies.clear()
    fleet.clock.pass_(91 * 86_400)
    fleet.watch.tidy(fleet.clock.now())
    assert told(fleet) == []


def test_a_dismissal_settles_what_begins_later_and_tells_kiosks_and_therapists(office: Secretary) -> None:
    before = office.books(start="2026-11-23 12:15")
    at_once = office.books(start="2026-11-23 12:45", student="s-0502")
    later = office.books(kiosk="lincoln-4", therapist="th-other", student="s-0600", start="2026-11-23 14:00")
    tomorrow = office.books(start="2026-11-24 14:00")
    elsewhere = office.books(kiosk="roosevelt-1", therapist="th-3", student="s-0601", start="2026-11-23T21:00:00Z")
    told = office.ok("POST", "campuses/lincoln/closures", {"dismissal": "12:30", "reason": "snow"}, 201)
    assert told["from"] == "2026-11-23T18:30:00Z"
    assert set(told["settled"]) == {at_once["id"], later["id"]}
    assert told["therapists"] == ["th-lane", "th-other"]
    assert told["reason"] == "snow"
    first, second = held(office), held(office, 1)
    assert {one.id for one in first.bookings} == {before["id"], tomorrow["id"]}
    assert [(one.id, one.reason) for one in first.settled] == [(at_once["id"], "school-event")]
    assert [one.reason for one in second.settled] == ["school-event"]
    assert [one.id for one in held(office, 2).bookings] == [elsewhere["id"]]
    assert first.days is not None
    assert first.days[0].closes == wall("2026-11-23T18:30:00+00:00")
    again = office.ok("POST", "campuses/lincoln/closures", {"dismissal": "12:30", "reason": "snow"})
    assert again["id"] == told["id"], "pressed twice it is one closure"
    refused = office.ask("POST", "bookings", booking(start="2026-11-23 13:00", student="s-0700"))
    assert refused.status_code == 409
    assert "is closed from 2026-11-23 12:30" in refused.text
    assert [one["id"] for one in office.ok("GET", "campuses/lincoln/closures")["items"]] == [told["id"]]
    assert office.ok("GET", f"bookings/{later['id']}")["reason"] == "school-event"


@pytest.mark.parametrize(
    ("told", "words"),
    [
        ({"dismissal": "12:30", "date": "2026-11-20"}, "that day is over"),
        ({"dismissal": "12:30", "from": at(1)}, "give either"),
        ({"from": at(1), "to": at(0.5)}, "is not after"), ({"from": at(1), "to": at(60)}, "a closure is of one day"),
        ({"dismissal": "half past"}, "dismissal"),
    ],
)  # fmt: skip
def test_a_closure_that_cannot_be_is_refused(office: Secretary, told: dict[str, str], words: str) -> None:
    answer = office.ask("POST", "campuses/lincoln/closures", told)
    assert answer.status_code == 422
    assert words in answer.text


def test_a_kiosk_that_is_exchanged_takes_over_its_rooms_bookings(office: Secretary) -> None:
    made = office.books()
    assert held(office).bookings[0].id == made["id"]
    office.ok("PATCH", "campuses/lincoln/rooms/lincoln-12", {"kiosk": "lincoln-4"})
    assert held(office, 0).bookings == ()
    assert [one.id for one in held(office, 1).bookings] == [made["id"]]
    assert office.ok("GET", "bookings?kiosk=lincoln-4")["items"][0]["id"] == made["id"]
    assert office.ask("PATCH", "campuses/lincoln/rooms/lincoln-12", {"kiosk": "roosevelt-1"}).status_code == 422


def test_cards_go_to_the_kiosks_of_their_campus(office: Secretary) -> None:
    office.books()
    office.books(kiosk="roosevelt-1", therapist="th-2", student="s-0502")
    office.ok("PUT", "campuses/lincoln/cards", {"cards": {"10": "s-0418", "11": "s-0502"}})
    assert held(office).cards == {10: "s-0418", 11: "s-0502"}
    assert held(office, 2).cards == {}
    assert office.ask("PUT", "campuses/lincoln/cards", {"cards": {"10": "Ann"}}).status_code == 422
    assert office.ask("PUT", "campuses/lincoln/cards", {"cards": {"10": "s-0418", "11": "s-0418"}}).status_code == 422


def test_a_schedule_too_large_for_a_message_is_told_as_far_as_it_goes(office: Secretary) -> None:
    many = Kiosk(id="annex-1", campus="annex")
    office.fleet.take(many.is_born())
    link = "https://meet.example/" + "x" * 400
    rows = [
        f"annex-1,th-1,s-{1000 + n},{NOW + timedelta(minutes=20 * n + 60):%Y-%m-%dT%H:%MZ},20,{link}"
        for n in range(900)
    ]
    body = "\n".join(["kiosk,therapist,student,start,minutes,link", *rows])
    answer = office.ask("PUT", "bookings/import", content=body, headers={"Content-Type": "text/csv"})
    assert answer.is_success, answer.text
    office.kiosks.append(many)
    told = held(office, 3)
    assert 100 < len(told.bookings) < 900
    assert told.bookings[0].start == NOW + timedelta(minutes=60), "the next ones are told"


def test_a_dismissal_by_mistake_is_taken_back_in_one_action(office: Secretary) -> None:
    fleet = office.fleet
    route(fleet, "ada", role=To.THERAPIST)
    over = office.books(start="2026-11-23 12:35", minutes=10)
    later = office.books(start="2026-11-23 13:45", student="s-0502")
    taken = office.books(kiosk="lincoln-4", therapist="th-other", student="s-0600", start="2026-11-23 14:00")
    made = office.ok("POST", "campuses/lincoln/closures", {"dismissal": "12:30", "reason": "snow"}, 201)
    office.books(kiosk="roosevelt-1", therapist="th-other", student="s-0601", start="2026-11-23T20:10:00Z")
    revision = held(office).revision
    fleet.clock.pass_((datetime(2026, 11, 23, 18, 50, tzinfo=UTC) - fleet.clock.at).total_seconds())
    address = f"campuses/lincoln/closures/{made['id']}"
    assert office.ok("DELETE", address) == {"planned": [later["id"]], "settled": [over["id"], taken["id"]]}
    assert {one.id for one in held(office).bookings} >= {later["id"]}
    assert held(office).revision > revision
    assert office.ok("GET", f"bookings/{taken['id']}")["reason"] == "school-event", "its therapist is elsewhere by now"
    assert office.ok("GET", "campuses/lincoln/closures")["items"] == []
    mails = [row for row in told(fleet) if row.route == "ada"]
    assert [row.kind for row in mails] == ["campus.closed", "campus.reopened"]
    letter = notice_words.letter(notice_of(mails[1], fleet.watch.diary), "u")
    assert letter.subject == "Does not close early: lincoln from 12:30"
    assert office.ask("DELETE", address).status_code == 404
    assert office.ask("DELETE", "campuses/roosevelt/closures/cl-x").status_code == 404
