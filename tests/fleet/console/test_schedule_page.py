"""The schedule's page on the real service in a real Chromium: by day, an import with its faults by row, a dismissal."""

from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect

from fleet.access.roles import Role
from tests.fleet.booking import Secretary, at
from tests.fleet.calling import Caller
from tests.fleet.world import Fleet
from tests.system.browser import signs_in

pytestmark = pytest.mark.needs_chromium


@pytest.fixture
def office(fleet: Fleet, caller: Caller) -> Secretary:
    office = Secretary(fleet, caller)
    office.ok("PUT", "campuses/lincoln/calendar", {"time_zone": "America/Chicago"})
    office.books(start=at(8), record="always", consent=True)
    office.books(start=at(30), kiosk="lincoln-4", therapist="th-other", student="s-0502")
    return office


def opened(browser: Browser, office: Secretary, role: Role, width: int = 1280) -> Page:
    context = browser.new_context(viewport={"width": width, "height": 900})
    page = context.new_page()
    base = str(office.caller.client.base_url).rstrip("/")
    signs_in(page, base, base + office.caller.link(role, "lincoln", "roosevelt"))
    page.goto(f"{base}/schedule?campus=lincoln")
    return page


@pytest.mark.parametrize("width", [1280, 380])
def test_the_page_is_clean_at_any_width_and_shows_bookings_by_day(
    browser: Browser, office: Secretary, width: int, tmp_path: Path
) -> None:
    page = opened(browser, office, Role.IT, width)
    expect(page.get_by_role("heading", level=1)).to_have_text("Schedule of lincoln")
    expect(page.get_by_role("region", name="Monday 23 November")).to_contain_text("11:00")
    expect(page.get_by_role("region", name="Monday 23 November")).to_contain_text("s-0418")
    expect(page.get_by_role("region", name="Tuesday 24 November")).to_contain_text("lincoln-4")
    assert Axe().run(page).response["violations"] == []
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), "nothing has to be pushed aside"
    page.context.close()


def test_a_file_with_bad_rows_says_each_by_its_line_and_a_good_one_is_imported(
    browser: Browser, office: Secretary, tmp_path: Path
) -> None:
    page = opened(browser, office, Role.THERAPIST)
    bad, good = tmp_path / "bad.csv", tmp_path / "good.csv"
    header = "kiosk,therapist,student,start,minutes\n"
    bad.write_text(header + "lincoln-12,th-lane,=1,2026-11-25 10:00,30\nnowhere,th-lane,s-0600,2026-11-25 10:00,30\n")
    good.write_text(header + "lincoln-12,th-lane,s-0600,2026-11-25 10:00,30\n")
    page.get_by_label("A CSV list").set_input_files(bad)
    page.get_by_role("button", name="Import").click()
    expect(page.locator("#import-said")).to_have_text("Nothing was imported: 2 values do not fit.")
    rows = page.locator("#faults tbody tr")
    expect(rows).to_have_count(2)
    expect(rows.nth(0)).to_contain_text("spreadsheet's formula")
    expect(rows.nth(1)).to_contain_text("no kiosk or room 'nowhere'")
    assert Axe().run(page).response["violations"] == []
    page.get_by_label("A CSV list").set_input_files(good)
    page.get_by_role("button", name="Import").click()
    expect(page.get_by_role("region", name="Wednesday 25 November")).to_contain_text("s-0600", timeout=10_000)
    page.context.close()


def test_a_dismissal_is_one_action_and_the_board_tells_it(browser: Browser, office: Secretary) -> None:
    page = opened(browser, office, Role.IT)
    page.get_by_label("Today, school is out at").fill("10:30")
    page.get_by_label("Because of").fill("snow")
    page.get_by_role("button", name="Close from then on").click()
    expect(page.locator(".closed")).to_contain_text("snow", timeout=10_000)
    expect(page.locator(".fell")).to_contain_text("Will not be held: school-event")
    page.get_by_role("button", name="Take back").click()
    expect(page.locator("#reopen-said")).to_have_text("Open as planned. 1 bookings are held again.")
    expect(page.locator(".fell")).to_have_count(0, timeout=10_000)
    page.get_by_label("Today, school is out at").fill("10:30")
    page.get_by_role("button", name="Close from then on").click()
    expect(page.locator(".closed")).to_be_visible(timeout=10_000)
    page.goto(str(office.caller.client.base_url))
    expect(page.locator(".notice")).to_contain_text("lincoln is closed from")
    page.context.close()


def test_an_aide_sees_when_and_not_whose_and_has_nothing_to_press(browser: Browser, office: Secretary) -> None:
    page = opened(browser, office, Role.AIDE)
    expect(page.get_by_role("region", name="Monday 23 November")).to_contain_text("11:00")
    expect(page.locator("main")).not_to_contain_text("s-0418")
    expect(page.get_by_role("button", name="Import")).to_have_count(0)
    page.goto(str(office.caller.client.base_url) + "/schedule?campus=elsewhere")
    expect(page.locator("body")).to_contain_text("No campus with this name")
    page.context.close()
