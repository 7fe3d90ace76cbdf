"""Who gets in, as whom, and what everyone else gets."""

import re
from pathlib import Path

import pytest

from fleet.access import secrets
from fleet.access.backoff import FREE_TRIES, LONGEST_WAIT_S, MOST_CLIENTS, Backoff
from fleet.access.roles import Role
from fleet.access.secrets import Kind
from fleet.access.web import COOKIE
from fleet.app import create_app
from tests.fleet.calling import Caller, served
from tests.fleet.test_api import problem
from tests.fleet.world import Fleet, Kiosk, running_fleet

SECRET = re.compile(r"[A-Za-z0-9_-]{43}")


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {b"Authorization": b"Bearer"},
        {b"Authorization": b"Bearer wrong"},
        {b"Authorization": b"Basic aXQ6aXQ="},
        {b"Authorization": b"Bearer \xff\xfe"},
        {b"Cookie": COOKIE.encode() + b"=wrong"},
    ],
)
@pytest.mark.parametrize("path", ["/kiosks", "/readiness", "/sessions", "/kiosks/lincoln-12/ledger"])
def test_without_a_good_token_nothing_is_told(caller: Caller, headers: dict[bytes, bytes], path: str) -> None:
    answer = caller.client.get(f"/api/v1{path}", headers=headers)
    problem(answer, 401)
    assert answer.headers["WWW-Authenticate"] == "Bearer"


def test_a_token_opens_until_it_expires_or_its_owner_leaves(fleet: Fleet, caller: Caller) -> None:
    headers = caller.token(Role.AIDE, "lincoln")
    assert caller.get("/api/v1/kiosks", headers).status_code == 200
    assert secrets.remove_person(fleet.database, "aide of lincoln", fleet.clock.now())
    problem(caller.get("/api/v1/kiosks", headers), 401)


def test_only_hashes_of_secrets_are_kept(fleet: Fleet, caller: Caller) -> None:
    token = caller.token()["Authorization"].split()[1]
    link = caller.link().split("/")[-1]
    caller.client.get(f"/sign-in/{link}")
    session = caller.client.cookies[COOKIE]
    with fleet.database.read() as connection:
        kept = repr(connection.exec_driver_sql("select * from credentials").all())
        kept += repr(connection.exec_driver_sql("select * from audit").all())
    for secret in (token, link, session):
        assert SECRET.fullmatch(secret)
        assert secret not in kept


@pytest.mark.parametrize(
    ("role", "reads_ledger", "commands"),
    [
        (Role.IT, 200, 202),
        (Role.THERAPIST, 200, 202),
        (Role.AIDE, 403, 403),
        (Role.AUDITOR, 200, 403),
        (Role.SERVICE, 200, 202),
    ],
)
def test_what_roles_may(
    fleet: Fleet, caller: Caller, kiosk: Kiosk, role: Role, reads_ledger: int, commands: int
) -> None:
    fleet.take(kiosk.is_born())
    headers = caller.token(role, "lincoln")
    assert caller.get(f"/api/v1/kiosks/{kiosk.id}", headers).status_code == 200
    assert caller.get("/api/v1/sessions", headers).status_code == 200
    assert caller.get(f"/api/v1/kiosks/{kiosk.id}/ledger", headers).status_code == reads_ledger
    answer = caller.client.post(f"/api/v1/kiosks/{kiosk.id}/commands", json={"name": "identify"}, headers=headers)
    assert answer.status_code == commands


def test_a_link_signs_a_browser_in_and_leads_on_by_itself(caller: Caller) -> None:
    assert caller.client.get("/").headers["location"] == "/sign-in"
    assert caller.client.get("/sign-in").status_code == 401
    link = caller.link(Role.THERAPIST, "lincoln")
    page = caller.client.get(link)
    assert page.status_code == 200
    assert 'http-equiv="refresh" content="0;url=/"' in page.text
    cookie = page.headers["set-cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=strict" in cookie
    assert "Secure" not in cookie  # this service is reached by http
    assert caller.client.get("/").status_code == 200
    assert caller.client.get("/sign-in").headers["location"] == "/"
    assert caller.client.get("/api/v1/kiosks").status_code == 200
    assert caller.client.get(link).status_code == 200  # again, until it expires


def test_over_https_the_cookie_is_secure(tmp_path: Path) -> None:
    with (
        running_fleet(tmp_path, public_url="https://fleet.example") as fleet,
        served(create_app(fleet.parts)) as client,
    ):
        page = client.get(Caller(fleet, client).link(), headers={"Host": "fleet.example"})
    assert "Secure" in page.headers["set-cookie"]


def test_links_and_sessions_expire(fleet: Fleet, caller: Caller) -> None:
    link = caller.link()
    caller.client.get(link)
    fleet.clock.pass_(12 * 3600 + 1)
    problem(caller.client.get("/api/v1/kiosks"), 401)
    fleet.clock.pass_(7 * 24 * 3600)
    problem(caller.client.get(link), 401)


def test_signing_out_ends_the_session_at_the_service(caller: Caller) -> None:
    caller.client.get(caller.link())
    kept = dict(caller.client.cookies)
    problem(caller.client.post("/sign-out"), 403)
    out = caller.client.post("/sign-out", headers=caller.origin)
    assert (out.status_code, out.headers["location"]) == (303, "/sign-in")
    caller.client.cookies.update(kept)
    problem(caller.client.get("/api/v1/kiosks"), 401)


@pytest.mark.parametrize(
    "host", ["evil.com", "evil.com:8000", "", "127.0.0.1.evil.com", "[::ffff:8.8.8.8]", "[", "8.8.8.8"]
)
@pytest.mark.parametrize("path", ["/", "/api/v1/kiosks", "/healthz", "/static/tokens.css", "/sign-in/x"])
def test_h1_an_unknown_host_is_refused(caller: Caller, host: str, path: str) -> None:
    problem(caller.client.get(path, headers={"Host": host}), 400)


@pytest.mark.parametrize("host", ["localhost:8000", "LOCALHOST", "127.0.0.1", "127.0.0.2:1", "[::1]:8000"])
def test_h1_loopback_is_known_by_all_its_names(caller: Caller, host: str) -> None:
    assert caller.client.get("/healthz", headers={"Host": host}).status_code == 200


@pytest.mark.parametrize(
    "origin",
    [
        None,
        "null",
        "http://evil.com",
        "https://127.0.0.1:8001",
        "http://127.0.0.1",
        "file://127.0.0.1:8000",
        "http://[",
    ],
)
def test_h2_a_write_with_a_cookie_must_come_from_our_own_page(
    fleet: Fleet, caller: Caller, kiosk: Kiosk, origin: str | None
) -> None:
    fleet.take(kiosk.is_born())
    caller.client.get(caller.link())
    headers = {"Origin": origin} if origin is not None else {}
    path = f"/api/v1/kiosks/{kiosk.id}/commands"
    problem(caller.client.post(path, json={"name": "identify"}, headers=headers), 403)
    assert caller.client.post(path, json={"name": "identify"}, headers=caller.origin).status_code == 202


def test_h2_a_bearer_needs_no_origin(fleet: Fleet, caller: Caller, kiosk: Kiosk) -> None:
    fleet.take(kiosk.is_born())
    path = f"/api/v1/kiosks/{kiosk.id}/commands"
    headers = caller.token() | {"Origin": "http://evil.com"}
    assert caller.client.post(path, json={"name": "identify"}, headers=headers).status_code == 202


def test_h7_wrong_secrets_make_an_address_wait(fleet: Fleet, caller: Caller) -> None:
    good = caller.token()
    for number in range(FREE_TRIES):
        problem(caller.client.get(f"/sign-in/wrong-{number}"), 401)
    locked = caller.client.get("/api/v1/kiosks", headers={"Authorization": "Bearer wrong"})
    problem(locked, 429)
    assert int(locked.headers["Retry-After"]) >= 1
    problem(caller.get("/api/v1/kiosks", good), 429)
    fleet.clock.pass_(2)
    assert caller.get("/api/v1/kiosks", good).status_code == 200
    with fleet.database.read() as connection:
        notes = connection.exec_driver_sql("select what, about from audit where who = 'unknown'").all()
    assert [tuple(note) for note in notes] == [("link.refused", "127.0.0.1")]


def test_h7_a_wrong_cookie_locks_nobody_out(caller: Caller) -> None:
    for _ in range(3 * FREE_TRIES):
        problem(caller.client.get("/api/v1/kiosks", headers={"Cookie": f"{COOKIE}=old"}), 401)
    assert caller.get("/api/v1/kiosks").status_code == 200


def test_h7_waits_grow_to_a_bound_and_memory_too() -> None:
    backoff = Backoff()
    now_s, waits = 0.0, []
    for _ in range(30):
        backoff.wrong("10.0.0.1", now_s)
        waits.append(backoff.wait_s("10.0.0.1", now_s))
        now_s += waits[-1]
    assert waits[: FREE_TRIES - 1] == [0.0] * (FREE_TRIES - 1)
    assert waits[FREE_TRIES - 1 :] == sorted(waits[FREE_TRIES - 1 :])
    assert max(waits) == LONGEST_WAIT_S
    for number in range(MOST_CLIENTS + 50):
        backoff.wrong(f"client-{number}", now_s)
    assert len(backoff._tries) == MOST_CLIENTS
    backoff.right("10.0.0.1")
    assert backoff.wait_s("10.0.0.1", now_s) == 0.0


def test_every_answer_carries_the_security_headers(caller: Caller) -> None:
    for path in ("/", "/sign-in", "/api/v1/kiosks", "/api/v1/nothing", "/healthz", "/static/tokens.css"):
        headers = caller.client.get(path).headers
        assert "frame-ancestors 'none'" in headers["Content-Security-Policy"]
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["Cache-Control"] in {"no-store", "no-cache"}


def test_secrets_are_long_and_never_the_same(fleet: Fleet, caller: Caller) -> None:
    caller.token(Role.AIDE)
    issued = {secrets.issue(fleet.database, Kind.LINK, "aide of all", fleet.clock.now()) for _ in range(20)}
    assert len(issued) == 20
    assert all(SECRET.fullmatch(secret) for secret in issued)
