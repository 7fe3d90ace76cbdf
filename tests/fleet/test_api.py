"""The API: shapes of the contract, pages that stay put, errors in one form."""

import json
import uuid
from typing import Any

import httpx
import pytest

from fleet.access.roles import Role
from tests.fleet.calling import Caller
from tests.fleet.world import BEGAN, Fleet, Kiosk
from wire.signals import ActiveSignal, Severity, Verdict
from wire.topics import Channel


def problem(answer: httpx.Response, status: int) -> dict[str, Any]:
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    told: dict[str, Any] = answer.json()
    assert told["status"] == status
    assert told["title"]
    assert told["detail"]
    return told


def test_a_kiosk_with_its_presence_verdict_and_signals(fleet: Fleet, caller: Caller, kiosk: Kiosk) -> None:
    covered = ActiveSignal(id="camera.covered", role="front", severity=Severity.ATTENTION, since=BEGAN)
    fleet.take(
        kiosk.is_born(),
        kiosk.is_ready(Verdict.ATTENTION, covered),
        kiosk.is_healthy(backlog_rows=2, temperature_c=None),
    )
    fleet.clock.pass_(3)
    told = caller.get(f"/api/v1/kiosks/{kiosk.id}").json()
    heard = BEGAN.isoformat().replace("+00:00", "Z")
    assert told["presence"] == {"state": "online", "since": heard, "last_heard_at": heard, "age_s": 3.0}
    assert (told["verdict"], told["verdict_age_s"], told["state"], told["state_age_s"]) == (
        "attention",
        3.0,
        "idle",
        3.0,
    )
    assert told["signals"][0]["id"] == "camera.covered"
    assert told["signals"][0]["aide"] == "Lift off what covers the front camera."
    assert (told["version"], told["boot"], told["epoch"]) == ("0.1.0", "boot-1", kiosk.epoch)
    assert (told["backlog_rows"], told["health_age_s"], told["health"]["temperature_c"]) == (2, 3.0, None)
    assert told["session"] is None


def test_old_news_is_no_verdict(fleet: Fleet, caller: Caller, kiosk: Kiosk) -> None:
    fleet.take(kiosk.is_born(), kiosk.is_ready())
    assert caller.get(f"/api/v1/kiosks/{kiosk.id}").json()["verdict"] == "ready"
    fleet.clock.pass_(80)
    fleet.take(kiosk.asks())
    fleet.clock.pass_(11)
    told = caller.get(f"/api/v1/kiosks/{kiosk.id}").json()
    assert (told["presence"]["state"], told["verdict"], told["reported_verdict"]) == ("online", "unknown", "ready")


def test_a_silent_kiosk_is_unknown_then_offline(fleet: Fleet, caller: Caller, kiosk: Kiosk) -> None:
    fleet.take(kiosk.is_born(), kiosk.is_ready())
    seen = []
    for _ in range(3):
        told = caller.get(f"/api/v1/kiosks/{kiosk.id}").json()
        seen.append((told["presence"]["state"], told["verdict"]))
        fleet.clock.pass_(45)
    assert seen == [("online", "ready"), ("unknown", "unknown"), ("offline", "unknown")]


def test_the_running_session_is_the_one_the_kiosk_names(fleet: Fleet, caller: Caller, kiosk: Kiosk) -> None:
    lost, session = kiosk.press(), kiosk.press()
    fleet.take(kiosk.sends(), kiosk.is_ready(state="live", session=session))
    fleet.settle()
    assert caller.get(f"/api/v1/kiosks/{kiosk.id}").json()["session"]["id"] == session
    fleet.take(kiosk.is_ready(state="idle"))
    assert caller.get(f"/api/v1/kiosks/{kiosk.id}").json()["session"] is None
    assert caller.get(f"/api/v1/sessions/{lost}").json()["state"] == "running"


def test_the_ledger_oldest_first_in_pages(fleet: Fleet, caller: Caller, kiosk: Kiosk) -> None:
    kiosk.whole_session()
    fleet.take(kiosk.sends())
    rows: list[dict[str, Any]] = []
    after: int | None = 0
    while after is not None:
        page = caller.get(f"/api/v1/kiosks/{kiosk.id}/ledger?after={after}&limit=2").json()
        rows += page["items"]
        after = page["next"]
    assert [row["seq"] for row in rows] == list(range(1, kiosk.head + 1))
    for row, kept in zip(rows, kiosk.rows, strict=True):
        body = json.loads(kept.body)
        assert row["epoch"] == kiosk.epoch
        assert row["hash"] == kept.hash
        assert {name: row[name] for name in body} == body
    assert page["epochs"] == [{"epoch": kiosk.epoch, "through": kiosk.head, "top": kiosk.head, "put_aside": 0}]


def test_the_ledger_of_an_earlier_epoch(fleet: Fleet, caller: Caller, kiosk: Kiosk) -> None:
    fresh = Kiosk()
    kiosk.write("help.asked")
    fresh.write("button.freed")
    fleet.take(kiosk.is_born(), kiosk.sends())
    fleet.take(fresh.sends())
    current = caller.get(f"/api/v1/kiosks/{kiosk.id}/ledger").json()
    assert [row["type"] for row in current["items"]] == ["button.freed"]
    assert [one["epoch"] for one in current["epochs"]] == [kiosk.epoch, fresh.epoch]
    earlier = caller.get(f"/api/v1/kiosks/{kiosk.id}/ledger?epoch={kiosk.epoch}").json()
    assert [row["type"] for row in earlier["items"]] == ["help.asked"]


def test_a_session_with_minutes_that_add_up(fleet: Fleet, caller: Caller, kiosk: Kiosk) -> None:
    session = kiosk.whole_session()
    fleet.take(kiosk.sends())
    fleet.settle()
    told = caller.get(f"/api/v1/sessions/{session}").json()
    assert (told["kiosk"], told["campus"], told["state"], told["complete"]) == (kiosk.id, kiosk.campus, "ended", True)
    assert (told["started_by"], told["ended_by"], told["clock"]) == ("button", "hold", "synced")
    minutes = told["minutes"]
    split = minutes["running_ms"] + minutes["paused_ms"] + sum(minutes["interrupted_ms"].values())
    assert split == minutes["elapsed_ms"] == told["timeline"][-1]["end_ms"]
    assert minutes["connected_ms"] is None
    assert minutes["provided_ms"] is None
    assert [span["mode"] for span in told["timeline"]] == ["running", "running", "paused", "running", "running"]


def test_sessions_newest_first_in_pages_that_new_ones_do_not_move(fleet: Fleet, caller: Caller, kiosk: Kiosk) -> None:
    made = []
    for _ in range(5):
        made.append(kiosk.whole_session())
        kiosk.pass_(60)
    fleet.take(kiosk.sends())
    fleet.settle()
    first = caller.get("/api/v1/sessions?limit=2").json()
    newer = kiosk.whole_session()
    fleet.take(kiosk.sends())
    fleet.settle()
    listed = [line["id"] for line in first["items"]]
    cursor = first["next"]
    while cursor:
        page = caller.get(f"/api/v1/sessions?limit=2&cursor={cursor}").json()
        listed += [line["id"] for line in page["items"]]
        cursor = page["next"]
    assert listed == made[::-1]
    assert caller.get("/api/v1/sessions?limit=1").json()["items"][0]["id"] == newer


def test_sessions_of_a_kiosk_and_a_time(fleet: Fleet, caller: Caller, kiosk: Kiosk) -> None:
    other = Kiosk(id="lincoln-13")
    early = kiosk.whole_session()
    kiosk.pass_(3_600)
    late = kiosk.whole_session()
    elsewhere = other.whole_session()
    fleet.take(kiosk.sends(), other.sends())
    fleet.settle()
    noon = "2026-11-23T09:30:00Z"

    def ids(query: str) -> set[str]:
        return {line["id"] for line in caller.get(f"/api/v1/sessions?{query}").json()["items"]}

    assert ids(f"kiosk={kiosk.id}") == {early, late}
    assert ids(f"from={noon}") == {late}
    assert ids(f"to={noon}") == {early, elsewhere}
    assert ids(f"kiosk={kiosk.id}&from={noon}&to={noon}") == set()


def test_kiosks_newest_first_in_pages_that_new_ones_do_not_move(fleet: Fleet, caller: Caller) -> None:
    made = [Kiosk(id=f"lincoln-{number}") for number in range(10, 15)]
    for kiosk in made:
        fleet.take(kiosk.asks())
        fleet.clock.pass_(1)
    first = caller.get("/api/v1/kiosks?limit=2").json()
    fleet.take(Kiosk(id="lincoln-99").asks())
    rest = caller.get(f"/api/v1/kiosks?limit=10&cursor={first['next']}").json()
    assert [one["id"] for one in first["items"] + rest["items"]] == [kiosk.id for kiosk in reversed(made)]
    assert rest["next"] is None


def test_health_now_and_before(fleet: Fleet, caller: Caller, kiosk: Kiosk) -> None:
    for temperature in (50.0, 51.0, 52.0):
        fleet.take(kiosk.is_healthy(temperature_c=temperature))
        fleet.clock.pass_(61)
    page = caller.get(f"/api/v1/kiosks/{kiosk.id}/health?limit=2").json()
    assert page["current"]["temperature_c"] == 52.0
    assert page["age_s"] == 61.0
    rest = caller.get(f"/api/v1/kiosks/{kiosk.id}/health?cursor={page['next']}").json()
    kept = [one["health"]["temperature_c"] for one in page["items"] + rest["items"]]
    assert kept == [52.0, 51.0, 50.0]


def test_a_command_is_sent_once_and_its_reply_is_shown(fleet: Fleet, caller: Caller, kiosk: Kiosk) -> None:
    fleet.take(kiosk.is_born())
    path = f"/api/v1/kiosks/{kiosk.id}/commands"
    asked = caller.client.post(path, json={"name": "preflight", "expires_in_s": 20}, headers=caller.token())
    assert asked.status_code == 202
    assert asked.json()["state"] == "waiting"
    [command] = fleet.post.to(kiosk, Channel.COMMAND)
    assert (command["id"], command["name"], command["epoch"]) == (asked.json()["id"], "preflight", kiosk.epoch)
    assert command["expires_at"] == asked.json()["expires_at"]
    stranger = Kiosk(id="lincoln-13")
    fleet.take(stranger.replies(command["id"], {"verdict": "blocked"}))
    assert caller.get(asked.headers["Location"]).json()["state"] == "waiting"
    fleet.take(kiosk.replies(command["id"], {"verdict": "ready"}), kiosk.replies(command["id"], {"verdict": "late"}))
    told = caller.get(asked.headers["Location"]).json()
    assert (told["state"], told["reply"]["result"]) == ("answered", {"verdict": "ready"})


def test_a_command_without_reply_expires(fleet: Fleet, caller: Caller, kiosk: Kiosk) -> None:
    fleet.take(kiosk.is_born())
    path = f"/api/v1/kiosks/{kiosk.id}/commands"
    asked = caller.client.post(path, json={"name": "identify"}, headers=caller.token())
    fleet.clock.pass_(30)
    assert caller.get(asked.headers["Location"]).json()["state"] == "expired"


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"name": "wipe"}, "name"),
        ({"name": "identify", "args": {"loud": True}}, "args"),
        ({"name": "identify", "expires_in_s": 0}, "expires_in_s"),
        ({"name": "identify", "expires_in_s": 301}, "expires_in_s"),
        ({"name": "identify", "when": "now"}, "when"),
        ([], ""),
    ],
)
def test_a_command_that_does_not_fit_is_refused_by_field(
    fleet: Fleet, caller: Caller, kiosk: Kiosk, body: object, field: str
) -> None:
    fleet.take(kiosk.is_born())
    answer = caller.client.post(f"/api/v1/kiosks/{kiosk.id}/commands", json=body, headers=caller.token())
    assert problem(answer, 422)["errors"][0]["field"].endswith(field)
    assert fleet.post.to(kiosk, Channel.COMMAND) == []


def test_a_command_that_cannot_be_sent_now_says_so(fleet: Fleet, caller: Caller, kiosk: Kiosk) -> None:
    fleet.take(kiosk.asks())
    path = f"/api/v1/kiosks/{kiosk.id}/commands"
    told = problem(caller.client.post(path, json={"name": "identify"}, headers=caller.token()), 409)
    assert "ledger" in told["detail"]
    fleet.take(kiosk.is_born())
    fleet.post.down = True
    told = problem(caller.client.post(path, json={"name": "identify"}, headers=caller.token()), 503)
    assert "nothing was sent" in told["detail"]


def test_a_foreign_campus_does_not_exist(fleet: Fleet, caller: Caller, kiosk: Kiosk) -> None:
    foreign = Kiosk(id="franklin-01", campus="franklin")
    session = foreign.whole_session()
    own = kiosk.whole_session()
    fleet.take(foreign.is_born(), foreign.sends(), kiosk.is_born(), kiosk.sends())
    fleet.settle()
    headers = caller.token(Role.IT, "lincoln")
    for path in (
        f"/kiosks/{foreign.id}",
        f"/kiosks/{foreign.id}/ledger",
        f"/kiosks/{foreign.id}/health",
        f"/kiosks/{foreign.id}/commands/{uuid.uuid4()}",
        f"/sessions/{session}",
    ):
        problem(caller.get(f"/api/v1{path}", headers), 404)
    answer = caller.client.post(f"/api/v1/kiosks/{foreign.id}/commands", json={"name": "identify"}, headers=headers)
    problem(answer, 404)
    assert [one["id"] for one in caller.get("/api/v1/kiosks", headers).json()["items"]] == [kiosk.id]
    assert [one["id"] for one in caller.get("/api/v1/sessions", headers).json()["items"]] == [own]


@pytest.mark.parametrize(
    ("path", "field"),
    [
        ("/kiosks?limit=0", "limit"),
        ("/kiosks?limit=many", "limit"),
        ("/kiosks?cursor=nonsense", "cursor"),
        ("/kiosks?cursor=bnVsbA", "cursor"),
        ("/sessions?from=yesterday", "from"),
        ("/sessions?from=2026-11-23T09:00:00", "from"),
        ("/sessions?to=2026-11-22T09:00:00Z&from=2026-11-23T09:00:00Z", "to"),
        ("/sessions?cursor=%00", "cursor"),
        ("/readiness?at=soon", "at"),
        ("/kiosks/lincoln-12/ledger?after=-1", "after"),
        ("/kiosks/lincoln-12/ledger?after=99999999999999999999", "after"),
        ("/kiosks/lincoln-12/ledger?limit=5000", "limit"),
        ("/kiosks/lincoln-12/health?cursor=WzFd0", "cursor"),
    ],
)
def test_a_query_that_does_not_fit_names_its_field(
    fleet: Fleet, caller: Caller, kiosk: Kiosk, path: str, field: str
) -> None:
    fleet.take(kiosk.is_born())
    assert problem(caller.get(f"/api/v1{path}"), 422)["errors"][0]["field"] == field


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/api/v1/nothing", 404),
        ("GET", "/api/v1/kiosks/lincoln-99", 404),
        ("GET", "/api/v1/kiosks/..%2f..%2fetc", 404),
        ("GET", "/api/v1/sessions/unknown", 404),
        ("DELETE", "/api/v1/kiosks", 405),
        ("PUT", "/api/v1/sessions/x", 405),
        ("TRACE", "/api/v1/kiosks", 405),
        ("BREW", "/api/v1/kiosks", 405),
        ("GET", "/static/../../etc/passwd", 404),
        ("GET", "/static/%2e%2e/%2e%2e/pages.py", 404),
    ],
)
def test_h3_h11_every_error_is_a_problem_in_one_form(caller: Caller, method: str, path: str, status: int) -> None:
    problem(caller.client.request(method, path, headers=caller.token()), status)


def test_h4_a_body_that_is_no_json_or_too_large(fleet: Fleet, caller: Caller, kiosk: Kiosk) -> None:
    fleet.take(kiosk.is_born())
    path, headers = f"/api/v1/kiosks/{kiosk.id}/commands", caller.token() | {"Content-Type": "application/json"}
    problem(caller.client.post(path, content=b"{", headers=headers), 422)
    problem(caller.client.post(path, content=b"[" * 100_000, headers=headers), 400)
    problem(caller.client.post(path, content=b"x" * 1_100_000, headers=headers), 413)
    problem(caller.client.post(path, content=(b"x" * 100_000 for _ in range(12)), headers=headers), 413)


def test_whatever_a_hostile_kiosk_says_can_be_shown(fleet: Fleet, caller: Caller, kiosk: Kiosk) -> None:
    deep: dict[str, Any] = {}
    for _ in range(25):
        deep = {"deeper": deep}
    signal = ActiveSignal(
        id="never.heard", role="<script>", severity=Severity.INFO, since=BEGAN, evidence={"a": deep, "b": 2**63 - 1}
    )
    session = kiosk.press()
    kiosk.write("what.ever", session, text="\u2028<script>\U0001f600", deep=deep)
    fleet.take(kiosk.sends(), kiosk.is_ready(Verdict.READY, signal), kiosk.is_healthy(cameras={"front": deep}))
    fleet.settle()
    for path in (f"/kiosks/{kiosk.id}", f"/kiosks/{kiosk.id}/ledger", f"/kiosks/{kiosk.id}/health", "/sessions"):
        assert caller.get(f"/api/v1{path}").status_code == 200


def test_the_document_names_every_route_and_its_errors(caller: Caller) -> None:
    document = caller.client.get("/api/v1/openapi.json").json()
    operations = [(path, operation) for path, item in document["paths"].items() for operation in item.values()]
    assert {path for path, _ in operations} >= {"/api/v1/kiosks/{kiosk}/ledger", "/api/v1/readiness", "/metrics"}
    assert len({operation["operationId"] for _, operation in operations}) == len(operations)
    for path, operation in operations:
        assert operation["summary"]
        assert operation["tags"]
        if path.startswith("/api/"):
            assert operation["responses"]["401"]["content"].keys() == {"application/problem+json"}
    assert "HTTPValidationError" not in document["components"]["schemas"]


def test_operators_see_health_readiness_and_counters(fleet: Fleet, caller: Caller, kiosk: Kiosk) -> None:
    assert caller.client.get("/healthz").json() == {"ok": True}
    not_yet = caller.client.get("/readyz")
    assert (not_yet.status_code, not_yet.json()["ok"]) == (503, False)
    kiosk.whole_session()
    fleet.take(kiosk.is_born(), kiosk.sends(), kiosk.says(Channel.HEALTH, b"{"))
    assert caller.client.get("/readyz").json() == {"ok": True, "reasons": []}
    fleet.post.down = True
    lost = caller.client.get("/readyz")
    assert (lost.status_code, lost.json()["reasons"]) == (503, ["no broker is connected"])
    text = caller.client.get("/metrics").text
    for line in (
        'carrel_messages_total{channel="ledger"} 1.0',
        'carrel_messages_dropped_total{reason="malformed"} 1.0',
        f"carrel_ledger_rows_committed_total {kiosk.head}.0",
        'carrel_kiosks{presence="online"} 1.0',
        "carrel_broker_connected 0.0",
    ):
        assert line in text.splitlines()
    assert kiosk.id not in text


def test_a_session_says_whose_cards_were_seen(fleet: Fleet, caller: Caller, kiosk: Kiosk) -> None:
    session, quiet = kiosk.press(), kiosk.press()
    kiosk.write("student.confirmed", session, student="s-0418", by="card", card=10, makes_up="b-0900")
    kiosk.write("student.wrong", session, student="s-0777", by="card", card=12)
    kiosk.write("student.confirmed", session, student="s-0502", by="card", card=11)
    fleet.take(kiosk.sends())
    fleet.settle()
    told = caller.get(f"/api/v1/sessions/{session}").json()
    assert told["students_confirmed"] == ["s-0418", "s-0502"]
    assert [(one["type"], one["student"], one["card"], one["makes_up"]) for one in told["attendance"]] == [
        ("student.confirmed", "s-0418", 10, "b-0900"),
        ("student.wrong", "s-0777", 12, None),
        ("student.confirmed", "s-0502", 11, None),
    ]
    told = caller.get(f"/api/v1/sessions/{quiet}").json()
    assert (told["students_confirmed"], told["attendance"]) == ([], [])
