"""The schedule in a whole demo: a list by HTTP is on the kiosk's screen, whatever dies; a revocation destroys."""

import contextlib
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

import httpx
import pytest
from playwright.sync_api import Browser, expect

from tests.system.browser import signs_in
from tests.system.running import Demo, Kiosk, running_demo, until
from tests.system.test_recording import files, records, rows

pytestmark = [pytest.mark.needs_mosquitto, pytest.mark.needs_chromium, pytest.mark.timeout(400)]

STUDENT: Final = "s-0777"
HEADER: Final = "kiosk,therapist,student,start,minutes,record,consent"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("schedule")


@pytest.fixture(scope="module")
def demo(folder: Path) -> Iterator[Demo]:
    with running_demo("--kiosks", "2", "--data-dir", str(folder), clips=False) as found:
        yield found


def asks(demo: Demo, method: str, path: str, **more: Any) -> httpx.Response:
    token = {"Authorization": f"Bearer {demo.told['api_token']}"}
    headers = token | more.pop("headers", {})
    return demo.http.request(method, f"{demo.url}/api/v1/{path}", headers=headers, **more)


def imports(demo: Demo, *lines: str) -> httpx.Response:
    body = "\n".join([HEADER, *lines])
    return asks(demo, "PUT", "bookings/import", content=body, headers={"Content-Type": "text/csv"})


def answers(demo: Demo) -> bool:
    with contextlib.suppress(httpx.HTTPError):
        return demo.http.get(f"{demo.url}/readyz").is_success
    return False


def schedule_of(kiosk: Kiosk) -> dict[str, Any]:
    return kiosk.state.get("schedule") or {"revision": 0, "bookings": 0, "next": None, "as_of": ""}


def start(minutes: float) -> str:
    return (datetime.now(UTC) + timedelta(minutes=minutes)).isoformat(timespec="seconds")


def test_a_list_by_http_reaches_the_screen_and_outlives_every_death(demo: Demo, browser: Browser, folder: Path) -> None:
    kiosk, other = demo.kiosks
    assert kiosk.state["schedule"] is None, "a demo holds no schedule"
    screen = browser.new_page(viewport={"width": 1024, "height": 600})
    screen.goto(kiosk.screen)
    bad = imports(demo, f"{kiosk.id},th-lane,{STUDENT},{start(-1)},30,always,yes", f"{kiosk.id},Ann Lane,x,never,0,,")
    assert bad.status_code == 422
    assert {one["line"] for one in bad.json()["errors"]} == {3}
    assert kiosk.state["schedule"] is None

    line = f"{kiosk.id},th-lane,{STUDENT},{start(-1)},30,always,yes"
    began_s = time.monotonic()
    assert imports(demo, line).json()["added"] == 1
    until(lambda: schedule_of(kiosk)["bookings"] == 1, 10, "the kiosk is told")
    print(f"an import is at the kiosk after {time.monotonic() - began_s:.2f} s")  # noqa: T201  # a figure
    expect(screen.locator("#do")).to_contain_text("Press", timeout=10_000)
    expect(screen.locator("main")).to_contain_text("30 minutes")
    assert other.state["schedule"] is None, "nothing is told to another room's kiosk"
    revision = schedule_of(kiosk)["revision"]
    assert imports(demo, line).json() == {"rows": 1, "added": 0, "changed": 0, "unchanged": 1, "notes": []}

    held_at = datetime.fromisoformat(schedule_of(kiosk)["as_of"])
    demo.kill("broker")
    demo.kill("fleet")
    assert schedule_of(kiosk)["bookings"] == 1
    kiosk.cut_power(for_s=1)
    kiosk.reaches("no answer", within_s=5)
    kiosk.reaches("idle", within_s=40)
    assert schedule_of(kiosk)["bookings"] == 1, "it works from what it holds, without broker, fleet or memory"
    until(
        lambda: (now := schedule_of(kiosk))["as_of"] and datetime.fromisoformat(now["as_of"]) >= held_at,
        20,
        "told anew",
    )
    assert schedule_of(kiosk)["revision"] == revision
    until(lambda: answers(demo), 60, "people are answered as well, which takes the fleet a little longer")
    assert imports(demo, line).json()["unchanged"] == 1, "the fleet's own restart lost nothing"
    screen.close()


def test_without_a_network_a_press_starts_the_booked_session(demo: Demo) -> None:
    kiosk = demo.kiosks[0]
    booked = demo.fleet(f"bookings?kiosk={kiosk.id}")["items"][0]
    kiosk.cut_link("silent")
    until(lambda: not kiosk.state["link"]["up"], 20, "the link is down")
    kiosk.press()
    session = kiosk.reaches("buffering")["session"]["id"]
    kiosk.restore_link()
    kiosk.reaches("live", within_s=40)
    started = until(lambda: rows(kiosk, "session.started"), 20, "the fleet has the row")
    assert (started[0]["session"], started[0]["data"]["booking"]) == (session, booked["id"])


def test_a_revocation_stops_the_recording_and_leaves_nothing_after_it_on_either_side(demo: Demo, folder: Path) -> None:
    kiosk = demo.kiosks[0]
    assert kiosk.state["state"] == "live", "the session before goes on"
    records(kiosk, folder)
    demo.kill("kiosks", kiosk.id, "front")  # so that a finished segment lies there, and may be on its way
    until(lambda: rows(kiosk, "segment.recovered"), 40, "the fleet knows of it")
    (consent,) = demo.fleet(f"students/{STUDENT}/consents")["items"]
    done = asks(demo, "POST", f"students/{STUDENT}/consents/{consent['id']}/revoke")
    assert done.is_success, done.text
    began_s = time.monotonic()
    stopped = until(
        lambda: one if (one := kiosk.state["recording"])["keep"] == "nothing" else None, 10, "nothing is recorded"
    )
    print(f"a revocation stops the recording after {time.monotonic() - began_s:.2f} s")  # noqa: T201  # a figure
    assert stopped["reason"] == "no-consent"
    gone = until(
        lambda: [one for one in rows(kiosk, "segment.destroyed") if one["data"]["reason"] == "consent-revoked"],
        30,
        "what reached past the revocation is destroyed, with a row",
    )
    assert gone
    until(lambda: not files(folder, kiosk, ".part"), 20, "no recorder has a file")
    ids = {one["data"]["segment"] for one in gone}
    assert not ids & {path.stem for path in files(folder, kiosk, ".seg", ".gone")}
    assert not ids & {path.stem for path in (folder / "fleet" / "data" / "segments").rglob("*.seg")}
    assert kiosk.state["state"] == "live", "the session goes on"


def test_a_dismissal_takes_the_booking_from_the_screen_and_says_so_on_the_board(demo: Demo, browser: Browser) -> None:
    other = demo.kiosks[1]
    assert imports(demo, f"{other.id},th-other,s-0555,{start(10)},30,,").json()["added"] == 1
    until(lambda: schedule_of(other)["bookings"] == 1, 10, "the kiosk is told")
    closed = asks(demo, "POST", f"campuses/{other.campus}/closures", json={"from": start(5), "reason": "snow"})
    assert closed.status_code == 201, closed.text
    assert len(closed.json()["settled"]) == 1
    until(lambda: (now := schedule_of(other))["bookings"] == 0 and now["settled"] == 1, 10, "the kiosk is told so")
    board = browser.new_page()
    signs_in(board, demo.url, demo.told["sign_in"]["therapist"])
    expect(board.locator(".notice")).to_contain_text("snow")
    board.close()
