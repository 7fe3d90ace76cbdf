import asyncio
import json
import re
from datetime import UTC, datetime
from html.parser import HTMLParser

import httpx
import pytest

from fleet.access.roles import Principal, Role
from fleet.attendance import Attended
from fleet.console.pages import SESSIONS_SHOWN
from fleet.views import KioskView, SessionView
from tests.fleet.console.district import District, console
from tests.fleet.console.made_up import kiosk, session, signal, span
from wire.ledger import ClockTrust
from wire.minutes import Mode
from wire.signals import Verdict

HOSTILE = "</script><img src=x onerror=alert(1)>'\""
LINCOLN_AIDE = Principal("anna", Role.AIDE, frozenset({"lincoln"}))


def get(district: District, *paths: str, principal: Principal | None = None) -> list[httpx.Response]:
    async def ask() -> list[httpx.Response]:
        app = console(district, principal) if principal else console(district)
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(transport=transport, base_url="http://fleet.test") as client:
            return [await client.get(path) for path in paths]

    return asyncio.run(ask())


class Reader(HTMLParser):
    """Every element of a page with its attributes, and all its text."""

    def __init__(self, markup: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(markup)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.text += data


def live_session(**more: object) -> SessionView:
    return session([span(0, 600), span(600, 640, Mode.PAUSED)], "running", **more)


def busy_district() -> District:
    running = live_session()
    return District(
        [
            kiosk(
                state="live", session=running, verdict=Verdict.ATTENTION, signals=(signal("camera.glare", "overhead"),)
            ),
            kiosk("grant-1", campus="grant"),
        ],
        [running, session([span(0, 90)], id="old-one")],
    )


def test_the_board_has_every_kiosk_with_verdict_reasons_and_evidence() -> None:
    (page,) = get(busy_district(), "/")
    assert page.status_code == 200
    assert page.headers["cache-control"] == "no-store"
    text = Reader(page.text).text
    for told in (
        "lincoln-12",
        "In session",
        "Needs a hand",
        "A bright spot hides part of the page.",
        "checked",
        "Ready",
    ):
        assert told in text
    assert text.index("lincoln-12") < text.index("grant-1"), "what is in session stands first"


def test_a_foreign_kiosk_is_unknown_in_plain_words() -> None:
    pages = get(busy_district(), "/kiosks/grant-1", "/kiosks/nobody", "/events?kiosk=grant-1", principal=LINCOLN_AIDE)
    assert [page.status_code for page in pages] == [404, 404, 404]
    assert "belongs to a campus that is not yours" in Reader(pages[0].text).text
    assert pages[0].text == pages[1].text, "what is not theirs looks as if it did not exist"


def test_a_foreign_session_is_unknown_too() -> None:
    district = District([kiosk("grant-1", campus="grant")], [session([], id="s-1", kiosk="grant-1", campus="grant")])
    mine, foreign = get(district, "/sessions/s-1")[0], get(district, "/sessions/s-1", principal=LINCOLN_AIDE)[0]
    assert (mine.status_code, foreign.status_code) == (200, 404)


def test_only_who_may_command_is_offered_commands() -> None:
    district = busy_district()
    (for_it,), (for_aide,) = get(district, "/"), get(district, "/", principal=LINCOLN_AIDE)
    assert 'data-command="preflight"' in for_it.text
    assert "data-command" not in for_aide.text
    assert "grant-1" not in for_aide.text


def test_the_kiosk_page_shows_signals_sessions_vitals_and_record() -> None:
    (page,) = get(busy_district(), "/kiosks/lincoln-12")
    text = Reader(page.text).text
    for told in (
        "Signals",
        "For IT",
        "Sessions",
        "The record is complete.",
        "Vitals",
        "unknown",
        "Ledger epoch",
        "0.1.0",
    ):
        assert told in text
    assert page.text.count('class="timeline"') == 2


def test_the_kiosk_page_shows_its_newest_sessions_only() -> None:
    many = [session([span(0, 60)], id=f"s-{n}") for n in range(SESSIONS_SHOWN + 5)]
    (page,) = get(District([kiosk()], many), "/kiosks/lincoln-12")
    assert page.text.count('class="timeline"') == SESSIONS_SHOWN


def test_a_fragment_is_the_page_without_its_frame() -> None:
    district = busy_district()
    for path in ("/kiosks/lincoln-12", "/sessions/old-one"):
        whole, fragment = get(district, path, f"{path}?fragment=1")
        assert "<html" in whole.text
        assert "<html" not in fragment.text
        assert "<h1" in fragment.text


def test_what_a_kiosk_says_is_only_ever_text() -> None:
    bad = kiosk(
        version=HOSTILE,
        boot=HOSTILE,
        state=HOSTILE,
        verdict=Verdict.ATTENTION,
        signals=(
            signal("camera.covered", HOSTILE, evidence={HOSTILE: HOSTILE, "nested": {"a": [HOSTILE]}}),
            signal(HOSTILE, HOSTILE),
        ),
        health={"model": HOSTILE, "clock": HOSTILE, "cameras": {HOSTILE: {"state": HOSTILE, "fps": HOSTILE}}},
    )
    told = session([span(0, 60, Mode.INTERRUPTED, cause=HOSTILE)], id="a b", started_by=HOSTILE, ended_by=HOSTILE)
    pages = get(District([bad], [told]), "/", "/kiosks/lincoln-12", "/sessions/a%20b", f"/?q={HOSTILE}")
    for page in pages:
        assert page.status_code == 200
        found = Reader(page.text)
        assert "img" not in [tag for tag, _ in found.elements]
        assert not [name for _, attrs in found.elements for name in attrs if name.startswith("on") or name == "style"]
    assert HOSTILE in Reader(pages[1].text).text


def test_pages_keep_the_content_security_policy() -> None:
    for page in get(busy_district(), "/", "/kiosks/lincoln-12", "/sessions/old-one", "/sign-in", "/nowhere"):
        found = Reader(page.text)
        for tag, attrs in found.elements:
            assert "style" not in attrs
            assert tag != "style"
            if tag == "script":
                assert str(attrs["src"]).startswith("/static/")
        assert not re.search(r"https?://(?!www\.w3\.org)", page.text), "nothing comes from elsewhere"


def test_ids_in_a_page_are_its_own() -> None:
    for page in get(busy_district(), "/", "/kiosks/lincoln-12", "/sessions/old-one"):
        ids = [attrs["id"] for _, attrs in Reader(page.text).elements if "id" in attrs]
        assert len(ids) == len(set(ids))
        assert not [one for one in ids if one is None or re.search(r"\s", one)]


def test_ten_thousand_kiosks_stay_a_small_page() -> None:
    reasons = (signal("camera.covered", "overhead"), signal("storage.low"), signal("camera.slow", "front"))
    district = District(
        [
            kiosk(f"a-kiosk-with-a-rather-long-name-{n:05}", campus="a-campus-with-a-long-name", state="live",
                  session=live_session(), verdict=Verdict.ATTENTION, signals=reasons)
            for n in range(10_000)
        ]
    )  # fmt: skip
    first, found, last = get(district, "/", "/?q=name-00042", "/?page=200")
    assert len(first.content) <= 100 * 1024
    assert "10000 in session" in Reader(first.text).text
    assert "Page 1 of 200, 10000 kiosks" in Reader(first.text).text
    assert found.text.count('class="row') == 1
    assert last.text.count('class="row') == 50


@pytest.mark.parametrize("query", ["?page=0", "?page=x"])
def test_a_page_that_is_no_number_is_refused(query: str) -> None:
    assert get(busy_district(), f"/{query}")[0].status_code == 422


def test_odd_questions_are_answered() -> None:
    pages = get(busy_district(), "/?page=99", "/?show=nonsense", "/?q=%20%20", "/?q=zzz", f"/?q={'x' * 5_000}")
    assert [page.status_code for page in pages] == [200] * 5
    assert "No kiosk fits." in Reader(pages[3].text).text
    assert "No kiosk is enrolled yet." in Reader(get(District([]), "/")[0].text).text


def test_static_files_stay_in_their_folder() -> None:
    fine, up, encoded, folder, missing = get(
        District([]),
        "/static/tokens.css",
        "/static/../pages.py",
        "/static/%2e%2e/pages.py",
        "/static/",
        "/static/no-such.css",
    )
    assert fine.status_code == 200
    assert fine.headers["cache-control"] == "no-cache"
    assert [one.status_code for one in (up, encoded, folder, missing)] == [404] * 4


async def read_stream(district: District, path: str, enough: int) -> list[tuple[str, dict[str, object]]]:
    """The first events of a stream, read as a server would run it; `httpx` would wait for the stream's end."""
    app = console(district)
    received: list[tuple[str, dict[str, object]]] = []
    done = asyncio.Event()
    path, _, query = path.partition("?")

    async def receive() -> dict[str, object]:
        await done.wait()
        return {"type": "http.disconnect"}

    async def send(message: dict[str, object]) -> None:
        body = message.get("body", b"")
        assert isinstance(body, bytes)
        found = (re.fullmatch(r"event: (\w+)\ndata: (.*)", block) for block in body.decode().split("\n\n"))
        received.extend((one[1], json.loads(one[2])) for one in found if one)
        if len(received) >= enough:
            done.set()

    scope = {
        "type": "http", "method": "GET", "path": path, "raw_path": path.encode(), "query_string": query.encode(),
        "headers": [], "scheme": "http", "server": ("fleet.test", 80), "client": ("test", 1), "http_version": "1.1",
        "asgi": {"version": "3.0", "spec_version": "2.3"}, "root_path": "",
    }  # fmt: skip
    async with app.router.lifespan_context(app), asyncio.timeout(20):
        await app(scope, receive, send)  # type: ignore[arg-type]  # plain dicts are what a server hands over
    return received


def test_the_board_stream_sends_rows_then_only_what_changed() -> None:
    district = busy_district()

    async def scene() -> list[tuple[str, dict[str, object]]]:
        reading = asyncio.create_task(read_stream(district, "/events", 6))
        await asyncio.sleep(1)
        blocked = kiosk("grant-1", campus="grant", verdict=Verdict.BLOCKED, signals=(signal("storage.readonly"),))
        district.put(blocked)
        return await reading

    events = asyncio.run(scene())
    assert [name for name, _ in events[:4]] == ["tick", "kiosk", "kiosk", "order"]
    assert events[3][1]["ids"] == ["lincoln-12", "grant-1"]
    name, data = events[4]
    assert (name, data["id"]) == ("kiosk", "grant-1")
    assert "Cannot run a session" in str(data["html"])
    assert "1 cannot run" in Reader(str(data["summary"])).text
    assert datetime.fromisoformat(str(events[0][1]["now"])).tzinfo == UTC


def test_the_streams_question_is_the_pages() -> None:
    events = asyncio.run(read_stream(busy_district(), "/events?show=ready", 3))
    assert [data.get("id") for name, data in events if name == "kiosk"] == ["grant-1"]


def test_a_kiosks_stream_tells_of_that_kiosk_only() -> None:
    district = busy_district()

    async def scene() -> list[tuple[str, dict[str, object]]]:
        reading = asyncio.create_task(read_stream(district, "/events?kiosk=lincoln-12", 3))
        await asyncio.sleep(1)
        district.put(kiosk("grant-1", campus="grant", verdict=Verdict.BLOCKED))
        await asyncio.sleep(1)
        district.put(kiosk(verdict=Verdict.BLOCKED))
        return await reading

    events = asyncio.run(scene())
    assert [(name, data.get("id")) for name, data in events] == [
        ("tick", None),
        ("kiosk", "lincoln-12"),
        ("kiosk", "lincoln-12"),
    ]


def test_a_stream_ends_when_the_fleet_stops() -> None:
    district = busy_district()

    async def scene() -> None:
        reading = asyncio.create_task(read_stream(district, "/events", 1_000))
        await asyncio.sleep(1)
        district.changes.close()
        await asyncio.wait_for(reading, 10)

    asyncio.run(scene())


def test_a_view_is_told_as_it_is_when_it_is_read() -> None:
    silent: KioskView = kiosk(presence="unknown", heard_s=70, state="live", session=live_session())
    (page,) = get(District([silent]), "/")
    assert "It was in session; it keeps its own record." in Reader(page.text).text
    assert "data-clock" not in page.text


def test_a_sessions_page_says_who_was_there_and_escapes_it() -> None:
    facts = [
        Attended(type="student.confirmed", student=student, at=datetime.now(UTC), clock=ClockTrust.SYNCED, card=card)
        for student, card in (("s-0418", 10), (HOSTILE, 11))
    ]
    seen = session([span(0, 60)], attendance=facts, students_confirmed=("s-0418", HOSTILE))
    district = District([kiosk(state="idle")], [seen])
    for answer in get(district, f"/sessions/{seen.id}", f"/kiosks/{seen.kiosk}"):
        page = Reader(answer.text)
        assert "Student s-0418 confirmed by card 10." in page.text
        assert f"Student {HOSTILE} confirmed by card 11." in page.text
        assert "2 students confirmed: a group." in page.text
        assert not [name for name, _ in page.elements if name == "img"]
