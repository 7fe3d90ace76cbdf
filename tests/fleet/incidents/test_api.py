"""Incidents, notices, routes and scores over HTTP: pages, campuses, roles, audit, refusals in words."""

import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from fleet.access.roles import Role
from tests.fleet.calling import Caller
from tests.fleet.incidents.desk import ALWAYS, breaks, held, recovers, route, signal, told
from tests.fleet.test_api import problem
from tests.fleet.world import Fleet, Kiosk, running_fleet
from wire.topics import Channel as Topic

SMTP = {"host": "127.0.0.1", "port": 2525, "security": "none", "sender": "carrel@school.example"}


@pytest.fixture
def fleet(tmp_path: Path) -> Iterator[Fleet]:
    with running_fleet(tmp_path, school_hours=ALWAYS, smtp=SMTP) as running:
        yield running


def post(caller: Caller, path: str, body: Any = None, role: Role = Role.IT, *campuses: str) -> Any:
    return caller.client.post(f"/api/v1/{path}", json=body, headers=caller.token(role, *campuses))


def test_incidents_come_in_pages_newest_first_and_by_campus(fleet: Fleet, caller: Caller, kiosk: Kiosk) -> None:
    other = Kiosk("grant-1", "grant")
    for n, name in enumerate(("camera.dark", "camera.glare", "camera.moved")):
        breaks(fleet, kiosk, signal(name))
        recovers(fleet, kiosk)
        fleet.clock.pass_(n + 1)
    breaks(fleet, other)
    first = caller.get("/api/v1/incidents?limit=3").json()
    assert [one["signal"] for one in first["items"]] == ["camera.covered", "camera.moved", "camera.glare"]
    rest = caller.get(f"/api/v1/incidents?limit=3&cursor={first['next']}").json()
    assert ([one["signal"] for one in rest["items"]], rest["next"]) == (["camera.dark"], None)

    def signals(query: str, *campuses: str) -> list[str]:
        headers = caller.token(Role.AUDITOR, *campuses)
        return [one["signal"] for one in caller.get(f"/api/v1/incidents?{query}", headers).json()["items"]]

    assert signals("open=true") == ["camera.covered"]
    assert len(signals("open=false")) == 3
    assert signals("kiosk=grant-1") == signals("campus=grant") == signals("", "grant") == ["camera.covered"]
    assert signals("kiosk=lincoln-12", "grant") == []
    problem(caller.get("/api/v1/incidents?cursor=x"), 422)


def test_one_incident_has_its_timeline_evidence_words_and_deliveries(
    fleet: Fleet, caller: Caller, kiosk: Kiosk
) -> None:
    route(fleet, "ada")
    breaks(fleet, kiosk)
    [one] = held(fleet)
    told = caller.get(f"/api/v1/incidents/{one.id}").json()
    assert told["aide"] == "Lift off what covers the desk camera."
    assert told["evidence"] == {"share": 0.99}
    assert [line["what"] for line in told["timeline"]] == ["opened"]
    assert {(sent["channel"], sent["state"]) for sent in told["notices"]} == {("email", "queued"), ("in-page", "sent")}
    mail = next(sent for sent in told["notices"] if sent["channel"] == "email")
    assert mail["address"] == "ada@school.example"
    unseen = caller.get(f"/api/v1/incidents/{one.id}", caller.token(Role.AIDE)).json()
    assert {sent["address"] for sent in unseen["notices"]} == {None}
    problem(caller.get(f"/api/v1/incidents/{one.id}", caller.token(Role.IT, "grant")), 404)
    problem(caller.get("/api/v1/incidents/none"), 404)


def test_acknowledged_once_by_whom_and_audited(fleet: Fleet, caller: Caller, kiosk: Kiosk) -> None:
    breaks(fleet, kiosk)
    [one] = held(fleet)
    first = post(caller, f"incidents/{one.id}/acknowledge", None, Role.AIDE, "lincoln")
    assert first.status_code == 200
    assert first.json()["acknowledged_by"] == "aide of lincoln"
    assert post(caller, f"incidents/{one.id}/acknowledge").json()["acknowledged_by"] == "aide of lincoln"
    recovers(fleet, kiosk)
    problem(post(caller, f"incidents/{one.id}/acknowledge"), 409)
    rows = caller.get("/api/v1/audit").json()["items"]
    assert [(row["who"], row["about"], row["campus"]) for row in rows if row["what"] == "incident.acknowledged"] == [
        ("aide of lincoln", one.id, "lincoln")
    ]


@pytest.mark.parametrize(
    ("role", "acknowledges", "suppresses", "sets_routes"),
    [
        (Role.IT, True, True, True),
        (Role.SERVICE, True, True, True),
        (Role.PORTAL, True, True, True),
        (Role.THERAPIST, True, False, False),
        (Role.AIDE, True, False, False),
        (Role.AUDITOR, False, False, False),
    ],
)
def test_who_may_do_what(
    fleet: Fleet, caller: Caller, kiosk: Kiosk, role: Role, acknowledges: bool, suppresses: bool, sets_routes: bool
) -> None:
    breaks(fleet, kiosk)
    [one] = held(fleet)
    until = (fleet.clock.at + timedelta(hours=1)).isoformat()
    done = {
        f"incidents/{one.id}/acknowledge": (None, acknowledges),
        "incidents/report": ({"kiosk": kiosk.id, "kind": "other"}, acknowledges),
        f"incidents/{one.id}/suppress": ({"until": until, "reason": "x"}, suppresses),
        "notice-routes": ({"role": "it", "channel": "in-page"}, sets_routes),
    }
    for path, (body, may) in done.items():
        assert post(caller, path, body, role).is_success is may, path
        assert post(caller, path, body, role, "grant").is_success is False, "not on another campus"
    assert caller.get("/api/v1/notice-routes", caller.token(role)).is_success is sets_routes


def test_suppressed_for_a_time_with_a_reason_by_whom(fleet: Fleet, caller: Caller, kiosk: Kiosk) -> None:
    breaks(fleet, kiosk)
    [one] = held(fleet)
    until = fleet.clock.at + timedelta(hours=2)
    body = {"until": until.isoformat(), "reason": "The room is being painted."}
    told = post(caller, f"incidents/{one.id}/suppress", body).json()["suppression"]
    assert (told["by"], told["reason"]) == ("it of all", "The room is being painted.")
    view = caller.get(f"/api/v1/kiosks/{kiosk.id}").json()
    assert (view["verdict"], view["reported_verdict"], view["signals"][0]["suppressed"]) == ("ready", "attention", True)
    again = {"until": fleet.clock.at.isoformat(), "reason": "It is dry."}
    assert post(caller, f"incidents/{one.id}/suppress", again).json()["suppression"] is None
    assert caller.get(f"/api/v1/kiosks/{kiosk.id}").json()["verdict"] == "attention"


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"until": "2026-11-23T12:00:00Z", "reason": " "},
        {"until": "2026-11-23T12:00:00", "reason": "x"},
        {"until": "2030-01-01T00:00:00Z", "reason": "x"},
        {"until": "2026-11-23T12:00:00Z", "reason": "x\ny"},
        {"until": "2026-11-23T12:00:00Z", "reason": "x" * 201},
        {"until": "2026-11-23T12:00:00Z", "reason": "x", "for": "ever"},
    ],
)
def test_a_suppression_that_cannot_be_meant_is_refused(
    fleet: Fleet, caller: Caller, kiosk: Kiosk, body: dict[str, str]
) -> None:
    breaks(fleet, kiosk)
    problem(post(caller, f"incidents/{held(fleet)[0].id}/suppress", body), 422)
    assert held(fleet)[0].suppressed_until is None


def test_a_person_reports_and_a_person_says_that_it_is_over(fleet: Fleet, caller: Caller, kiosk: Kiosk) -> None:
    fleet.take(kiosk.is_born())
    made = post(caller, "incidents/report", {"kiosk": kiosk.id, "kind": "other"}, Role.AIDE, "lincoln").json()
    assert (made["signal"], made["reported"], made["timeline"][0]["who"]) == ("help.other", True, "aide of lincoln")
    fleet.look(after_s=60)
    assert post(caller, f"incidents/{made['id']}/resolve").json()["state"] == "resolved"
    again = post(caller, "incidents/report", {"kiosk": kiosk.id}).json()
    assert (again["id"], again["opening"], again["state"]) == (made["id"], 2, "open")
    problem(post(caller, "incidents/report", {"kiosk": "nowhere-1"}), 404)
    problem(post(caller, "incidents/report", {"kiosk": kiosk.id, "kind": "s-0418 cries"}), 422)


def test_what_a_signal_opened_nobody_resolves_by_hand(fleet: Fleet, caller: Caller, kiosk: Kiosk) -> None:
    breaks(fleet, kiosk)
    problem(post(caller, f"incidents/{held(fleet)[0].id}/resolve"), 409)


def test_the_room_hears_who_answered_its_call(fleet: Fleet, caller: Caller, kiosk: Kiosk) -> None:
    kiosk.at = fleet.clock.at
    kiosk.write("help.called", None, kind="adult", call="call-1")
    fleet.look(kiosk.is_born(), kiosk.sends())
    [one] = held(fleet)
    post(caller, f"incidents/{one.id}/acknowledge", None, Role.AIDE, "lincoln")
    post(caller, f"incidents/{one.id}/acknowledge")
    [command] = fleet.post.to(kiosk, Topic.COMMAND)
    assert command["name"] == "help-answered"
    assert command["args"] == {"by_role": "aide", "by": None, "call": "call-1"}, "a display name is no reference"


def test_an_answer_goes_to_the_rooms_newest_call(fleet: Fleet, caller: Caller, kiosk: Kiosk) -> None:
    kiosk.at = fleet.clock.at
    kiosk.write("help.called", None, kind="adult", call="call-1")
    kiosk.write("help.called", None, kind="adult", call="call-2")
    fleet.look(kiosk.is_born(), kiosk.sends())
    post(caller, f"incidents/{held(fleet)[0].id}/acknowledge")
    assert [one["args"]["call"] for one in fleet.post.to(kiosk, Topic.COMMAND)] == ["call-2"]


def test_what_was_reported_here_answers_no_call_of_the_room(fleet: Fleet, caller: Caller, kiosk: Kiosk) -> None:
    kiosk.at = fleet.clock.at
    kiosk.write("help.called", None, kind="adult", call="call-1")
    fleet.look(kiosk.is_born(), kiosk.sends())
    made = post(caller, "incidents/report", {"kiosk": kiosk.id, "kind": "other"}).json()
    assert post(caller, f"incidents/{made['id']}/acknowledge").status_code == 200
    assert fleet.post.to(kiosk, Topic.COMMAND) == []


def test_the_room_says_that_its_call_is_over(fleet: Fleet, caller: Caller, kiosk: Kiosk) -> None:
    kiosk.at = fleet.clock.at
    kiosk.write("help.called", None, kind="adult", call="call-1")
    fleet.look(kiosk.is_born(), kiosk.sends())
    kiosk.write("help.over", None, call="another")
    fleet.look(kiosk.sends(2))
    assert [one.state.value for one in held(fleet)] == ["open"], "that was another call"
    kiosk.write("help.over", None, call="call-1")
    fleet.look(kiosk.sends(3))
    [one] = held(fleet)
    told = caller.get(f"/api/v1/incidents/{one.id}").json()
    last = told["timeline"][-1]
    assert (told["state"], last["what"], last["who"]) == ("resolved", "resolved", "the room")
    problem(post(caller, f"incidents/{one.id}/acknowledge"), 409)
    kiosk.write("help.called", None, kind="adult", call="call-2")
    fleet.look(kiosk.sends(4))
    assert [(one.state.value, one.opening, one.call) for one in held(fleet)] == [("open", 2, "call-2")]
    kiosk.write("help.over", None, call="call-1")
    fleet.look(kiosk.sends(5))
    assert [one.state.value for one in held(fleet)] == ["open"], "an end that comes late ends no newer call"


def test_a_call_is_acknowledged_also_while_the_kiosk_cannot_hear_it(fleet: Fleet, caller: Caller, kiosk: Kiosk) -> None:
    kiosk.at = fleet.clock.at
    kiosk.write("help.called", None, kind="adult")
    fleet.look(kiosk.is_born(), kiosk.sends())
    fleet.post.down = True
    answer = post(caller, f"incidents/{held(fleet)[0].id}/acknowledge")
    assert (answer.status_code, answer.json()["acknowledged_by"]) == (200, "it of all")


def test_routes_are_added_listed_and_removed_and_audited(fleet: Fleet, caller: Caller) -> None:
    body = {
        "role": "point-person", "channel": "email", "campus": "lincoln", "person": "lee-1",
        "address": "lee@school.example", "quiet_from": "17:00", "quiet_until": "07:00", "min_duration_s": 30,
    }  # fmt: skip
    made = post(caller, "notice-routes", body)
    assert made.status_code == 201, made.text
    listed = caller.get("/api/v1/notice-routes").json()["items"]
    assert {one["id"] for one in listed} == {made.json()["id"], "in-page-it", "in-page-therapist"}
    assert made.json() | body == made.json() | {"quiet_from": "17:00", "quiet_until": "07:00"} | body
    path = f"/api/v1/notice-routes/{made.json()['id']}"
    problem(caller.client.delete(path, headers=caller.token(Role.IT, "grant")), 404)
    assert caller.client.delete(path, headers=caller.token(Role.IT)).status_code == 204
    problem(caller.client.delete(path, headers=caller.token(Role.IT)), 404)
    whats = [row["what"] for row in caller.get("/api/v1/audit").json()["items"]]
    assert {"notice-route.added", "notice-route.removed"} <= set(whats)


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"role": "it", "channel": "email", "address": "nobody"}, "address"),
        ({"role": "it", "channel": "email", "address": "a@b.example\r\nBcc: x@y.example"}, "address"),
        ({"role": "it", "channel": "webhook", "address": "http://hooks.example/"}, "address"),
        ({"role": "it", "channel": "webhook", "address": "https://169.254.169.254/"}, "address"),
        ({"role": "it", "channel": "webhook", "address": "file:///etc/shadow"}, "address"),
        ({"role": "it", "channel": "email"}, ""),
        ({"role": "it", "channel": "in-page", "address": "x"}, ""),
        ({"role": "it", "channel": "in-page", "severity": "info"}, ""),
        ({"role": "it", "channel": "in-page", "quiet_from": "17:00"}, ""),
        ({"role": "it", "channel": "in-page", "quiet_from": "17:00", "quiet_until": "17:00"}, ""),
        ({"role": "point-person", "channel": "in-page"}, ""),
        ({"role": "it", "channel": "in-page", "person": "lee-1"}, ""),
        ({"role": "headmaster", "channel": "in-page"}, "role"),
        ({"role": "it", "channel": "in-page", "steps": 3}, "steps"),
    ],
)
def test_a_route_that_cannot_be_meant_is_refused_in_words(
    fleet: Fleet, caller: Caller, body: dict[str, Any], field: str
) -> None:
    answer = post(caller, "notice-routes", body)
    problem(answer, 422)
    assert field in json.dumps(answer.json()["errors"])
    assert len(caller.get("/api/v1/notice-routes").json()["items"]) == 2


def test_without_a_mail_server_no_mail_is_promised(fleet: Fleet, caller: Caller) -> None:
    fleet.parts.settings = fleet.parts.settings.model_copy(update={"smtp": None})
    answer = post(caller, "notice-routes", {"role": "it", "channel": "email", "address": "a@b.example"})
    problem(answer, 422)
    assert "set [smtp]" in answer.text


def test_a_route_of_every_campus_is_for_those_who_have_every_campus(fleet: Fleet, caller: Caller) -> None:
    problem(post(caller, "notice-routes", {"role": "it", "channel": "in-page"}, Role.IT, "lincoln"), 403)
    problem(
        post(caller, "notice-routes", {"role": "it", "channel": "in-page", "campus": "grant"}, Role.IT, "lincoln"), 404
    )
    own = {"role": "it", "channel": "in-page", "campus": "lincoln"}
    assert post(caller, "notice-routes", own, Role.IT, "lincoln").status_code == 201


def test_notices_are_listed_with_their_delivery(fleet: Fleet, caller: Caller, kiosk: Kiosk) -> None:
    route(fleet, "ada")
    breaks(fleet, kiosk)
    queued = caller.get("/api/v1/notices?state=queued").json()["items"]
    assert [(one["channel"], one["attempts"], one["sent_at"]) for one in queued] == [("email", 0, None)]
    assert len(caller.get("/api/v1/notices").json()["items"]) == len(told(fleet)) == 3
    page = caller.get("/api/v1/notices?limit=2").json()
    rest = caller.get(f"/api/v1/notices?limit=2&cursor={page['next']}").json()
    assert len({one["id"] for one in page["items"] + rest["items"]}) == 3
    assert caller.get("/api/v1/notices", caller.token(Role.IT, "grant")).json()["items"] == []


def test_scores_by_kiosk_and_campus(fleet: Fleet, caller: Caller, kiosk: Kiosk) -> None:
    fleet.look(kiosk.is_born(), kiosk.is_ready())
    for _ in range(5):
        fleet.look(kiosk.is_ready(), after_s=15)
    fleet.watch._keep_tally(fleet.clock.now())
    view = caller.get(f"/api/v1/kiosks/{kiosk.id}").json()
    assert view["readiness_days"] == [{"day": "2026-11-23", "score": 1.0}]
    campus = caller.get("/api/v1/campuses/lincoln/health").json()
    assert (campus["score"], campus["kiosks"]) == (1.0, [{"kiosk": kiosk.id, "score": 1.0}])
    assert campus["days"][0]["ready_ms"] == 75_000
    problem(caller.get("/api/v1/campuses/nowhere/health"), 404)
    problem(caller.get("/api/v1/campuses/lincoln/health", caller.token(Role.IT, "grant")), 404)
