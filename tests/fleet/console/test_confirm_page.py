"""The session's page takes a clinician's word for the minutes provided, in a real Chromium."""

import pytest
from playwright.sync_api import Page, expect

from fleet.access.roles import Role
from tests.fleet.calling import Caller
from tests.fleet.console.test_worksheet_page import opens
from tests.fleet.world import Fleet, Kiosk
from tests.system.browser import barriers, cut_off

pytestmark = pytest.mark.needs_chromium


def ended(fleet: Fleet, kiosk: Kiosk) -> str:
    kiosk.at = fleet.clock.at
    session = kiosk.whole_session()
    fleet.take(kiosk.is_born(), kiosk.sends())
    fleet.settle()
    return session


def test_a_therapist_confirms_and_reads_what_stood_before(
    fleet: Fleet, caller: Caller, kiosk: Kiosk, page: Page
) -> None:
    session = ended(fleet, kiosk)
    opens(page, caller, f"/sessions/{session}")
    page.get_by_label("Minutes", exact=True).fill("2.5")
    page.get_by_label("if not as planned, because").select_option("student-declined")
    page.get_by_role("button", name="Confirm").click()
    expect(page.locator("#answer-confirm")).to_have_text("Confirmed.")
    page.reload()
    expect(page.get_by_text("2:30 provided, confirmed")).to_contain_text("the student declined")
    page.get_by_label("Minutes", exact=True).fill("2")
    page.get_by_role("button", name="Confirm").click()
    expect(page.locator("#answer-confirm")).to_have_text("Confirmed.")
    page.reload()
    expect(page.get_by_text("Before: 2:30 provided")).to_be_visible()
    for width in (1440, 390):
        page.set_viewport_size({"width": width, "height": 900})
        assert barriers(page) == []
        assert cut_off(page) == []


def test_nobody_else_is_asked(fleet: Fleet, caller: Caller, kiosk: Kiosk, page: Page) -> None:
    session = ended(fleet, kiosk)
    opens(page, caller, f"/sessions/{session}", Role.IT)
    expect(page.get_by_text("The record is complete.")).to_be_visible()
    expect(page.get_by_role("button", name="Confirm")).to_have_count(0)
