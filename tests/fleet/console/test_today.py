"""The therapist's board in a real Chromium over a real fleet: live, acted on, on a phone, by keyboard."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from fleet.access.roles import Role
from fleet.app import create_app
from fleet.clock import SystemClock
from tests.fleet.booking import Secretary
from tests.fleet.calling import Caller, served
from tests.fleet.world import HandClock, running_fleet
from tests.system.browser import barriers, cut_off
from wire.signals import ActiveSignal, Severity, Verdict

pytestmark = pytest.mark.needs_chromium

WITHIN_MS = 12_000


def soon(minutes: float) -> str:
    return (datetime.now(UTC) + timedelta(minutes=minutes)).isoformat()


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Secretary]:
    clock = HandClock(at=SystemClock().now().at)
    with running_fleet(tmp_path, clock) as fleet, served(create_app(fleet.parts)) as client:
        office = Secretary(fleet, Caller(fleet, client))
        for kiosk in office.kiosks:
            kiosk.at = clock.at
            fleet.take(kiosk.is_ready(), kiosk.is_healthy(link_round_trip_ms=20))
        yield office


@pytest.fixture
def board(office: Secretary, page: Page) -> Page:
    page.goto(f"{office.caller.client.base_url}{office.caller.link(Role.THERAPIST)}")
    expect(page.locator("h1")).to_have_text("Today", timeout=WITHIN_MS)
    return page


def row(page: Page, booking: dict[str, Any]) -> Any:
    return page.locator(f"#b-{booking['id']}")


def tells(office: Secretary, *raws: Any) -> None:
    office.fleet.take(*raws)
    office.fleet.parts.tell([one.id for one in office.kiosks])


def test_it_renews_itself_and_keeps_what_somebody_writes(office: Secretary, board: Page) -> None:
    expect(board.locator("main")).to_contain_text("Nothing is booked today.")
    made = office.books(start=soon(1), point_person="office")
    one = row(board, made)
    expect(one).to_contain_text("Ready", timeout=WITHIN_MS)
    expect(one).to_contain_text("point person office")
    one.get_by_text("Cannot come").click()
    one.get_by_label("Hand to").fill("th-ot")
    kiosk = office.kiosks[0]
    kiosk.at = office.fleet.clock.at
    covered = ActiveSignal(id="camera.covered", role="overhead", severity=Severity.ATTENTION, since=kiosk.at)
    tells(office, kiosk.is_ready(Verdict.ATTENTION, covered))
    expect(one).to_contain_text("The desk camera is covered.", timeout=WITHIN_MS)
    expect(one).to_contain_text("To do: Lift off what covers the desk camera.")
    expect(board.locator("#today-summary")).to_contain_text("1 needs a hand")
    expect(one.get_by_label("Hand to")).to_have_value("th-ot")
    expect(one.get_by_label("Hand to")).to_be_focused()


def test_late_and_cannot_come_by_keyboard(office: Secretary, board: Page) -> None:
    made = office.books(start=soon(1))
    one = row(board, made)
    expect(one).to_be_visible(timeout=WITHIN_MS)
    one.locator("summary", has_text="Running late").focus()
    board.keyboard.press("Enter")
    board.keyboard.press("Tab")
    board.keyboard.press("Enter")
    expect(one).to_contain_text("The therapist comes 5 min later.", timeout=WITHIN_MS)
    expect(one.locator(".answer")).to_contain_text("The room is told: 5 min late.")
    one.locator("summary", has_text="Cannot come").focus()
    board.keyboard.press("Enter")
    board.keyboard.press("Tab")
    board.keyboard.type("th-other")
    board.keyboard.press("Enter")
    expect(one.locator(".where")).to_contain_text("th-other", timeout=WITHIN_MS)
    assert office.ok("GET", f"bookings/{made['id']}")["therapist"] == "th-other"


@pytest.mark.parametrize("width", [390, 1440])
def test_it_is_readable_and_without_barriers(
    office: Secretary, board: Page, width: int, screenshots: Path, browser: Browser
) -> None:
    office.books(start=soon(1), point_person="office")
    missed = office.books(kiosk="lincoln-4", therapist="th-other", student="s-0502", start=soon(-0.5), minutes=1)
    assert missed["minutes"] == 1
    office.books(kiosk="roosevelt-1", therapist="th-third", student="s-0503", start=soon(3))
    tells(office, office.kiosks[2].dies())
    board.set_viewport_size({"width": width, "height": 900})
    expect(board.locator("#today > li")).to_have_count(3, timeout=WITHIN_MS)
    expect(board.locator("#today")).to_contain_text("Not heard from since", timeout=WITHIN_MS)
    board.locator("summary", has_text="Cannot come").first.click()
    assert cut_off(board) + barriers(board) == []
    board.screenshot(path=screenshots / f"today-{width}.png", full_page=True)
    board.goto(f"{office.caller.client.base_url}/today?therapist=th-lane")
    expect(board.locator("#today > li")).to_have_count(1)
    assert cut_off(board) + barriers(board) == []
