"""Picture cards in a whole demo: pixels on the desk become rows at the fleet, words on the screen, a stop on disk."""

import time
from datetime import datetime
from pathlib import Path
from typing import Any, Final

import pytest
from playwright.sync_api import Browser, expect

from lab.bookings import LATER
from tests.system.running import Kiosk, running_demo, until
from tests.system.test_recording import files, records, rows

pytestmark = [pytest.mark.needs_mosquitto, pytest.mark.needs_chromium, pytest.mark.timeout(300)]

FOX, BOAT = 10, 11
SEEN_WITHIN_S: Final = 15.0


def lay(kiosk: Kiosk, *numbers: int) -> None:
    kiosk.order("cards", cards=list(numbers))
    until(lambda: kiosk.state["cards"] == list(numbers), SEEN_WITHIN_S, f"the kiosk sees the cards {numbers}")


def written(kiosk: Kiosk, folder: Path) -> dict[str, int]:
    """Every file of video and how large it is."""
    return {path.name: path.stat().st_size for path in files(folder, kiosk, ".part", ".seg")}


def told(kiosk: Kiosk, type_: str) -> list[dict[str, Any]]:
    return [row["data"] for row in rows(kiosk, type_)]


def is_stopped(kiosk: Kiosk, folder: Path) -> bool:
    recording = kiosk.state["recording"]
    is_told = (recording["keep"], recording["reason"]) == ("nothing", "other-card")
    return is_told and not files(folder, kiosk, ".part")


def test_a_card_confirms_and_another_bookings_stops_recording_until_the_own_is_back(
    tmp_path: Path, browser: Browser
) -> None:
    with running_demo("--kiosks", "1", "--record", "--data-dir", str(tmp_path), clips=False) as demo:
        kiosk = demo.kiosk
        screen = browser.new_page(viewport={"width": 1024, "height": 600})
        screen.goto(kiosk.screen)
        kiosk.press()
        session = kiosk.reaches("live")["session"]["id"]
        records(kiosk, tmp_path)

        lay(kiosk, FOX)
        until(lambda: told(kiosk, "student.confirmed"), SEEN_WITHIN_S, "the fleet knows who is there")
        assert told(kiosk, "student.confirmed") == [
            {"student": "s-0418", "by": "card", "card": FOX, "makes_up": None}
        ]  # fmt: skip
        expect(screen.locator("#card")).to_have_text("Blue fox: confirmed.")
        records(kiosk, tmp_path)

        lay(kiosk, BOAT)
        until(lambda: told(kiosk, "student.wrong"), SEEN_WITHIN_S, "the fleet knows of the other booking's card")
        assert told(kiosk, "student.wrong") == [{"student": "s-0502", "by": "card", "card": BOAT}]
        expect(screen.locator("#do")).to_contain_text(whose(kiosk))
        expect(screen.locator("footer")).to_contain_text("Not recorded")
        until(lambda: is_stopped(kiosk, tmp_path), 10, "nothing is written any more")
        kept = written(kiosk, tmp_path)
        assert kept, "what was recorded before stays"
        time.sleep(3)
        assert written(kiosk, tmp_path) == kept, "not a byte"
        assert kiosk.state["state"] == "live", "the session goes on"

        lay(kiosk)
        expect(screen.locator("#do")).to_have_text("Show your own card.")
        assert is_stopped(kiosk, tmp_path), "gone is not enough"
        lay(kiosk, FOX)
        records(kiosk, tmp_path)
        expect(screen.locator("#do")).to_have_text("")
        assert set(kept) <= set(written(kiosk, tmp_path)), "nothing was destroyed"

        kiosk.cut_power(for_s=1)
        kiosk.reaches("no answer", within_s=5)
        assert kiosk.reaches("live", "buffering", within_s=40)["session"]["id"] == session
        records(kiosk, tmp_path)
        screen.close()
        time.sleep(6)
        kiosk.end_session()
        kiosk.arrives(session)
        assert len(told(kiosk, "student.confirmed")) == 1, "nobody is confirmed twice"
        assert kiosk.session(session)["students_confirmed"] == ["s-0418"]
        changes = [(one["keep"], one["reason"]) for one in told(kiosk, "recording.changed")]
        assert ("nothing", "other-card") in changes


def whose(kiosk: Kiosk) -> str:
    """What the screen has to say of the red boat; near midnight its booking is tomorrow's."""
    (mine,) = [row for row in rows(kiosk, "session.started") if row["data"]["booking"]]
    start = datetime.fromisoformat(kiosk.demo.fleet(f"bookings/{mine['data']['booking']}")["start"])
    later = start + LATER
    if later.date() > start.date():
        return "This card is another student's."
    return f"This is the {later.hour}:{later.minute:02}'s card."


def test_without_a_schedule_a_card_is_seen_and_means_nothing_even_on_a_real_picture(tmp_path: Path) -> None:
    with running_demo("--kiosks", "1", "--data-dir", str(tmp_path)) as demo:
        kiosk = demo.kiosk
        kiosk.press()
        session = kiosk.reaches("live")["session"]["id"]
        lay(kiosk, FOX, BOAT)
        lay(kiosk)
        time.sleep(3)
        kiosk.end_session()
        kiosk.arrives(session)
        assert told(kiosk, "student.confirmed") + told(kiosk, "student.wrong") == []
        assert "cards" not in str(kiosk.seen), "nothing of cards leaves the kiosk but rows"
        refused = demo.http.post(f"{demo.lab}/kiosks/{kiosk.id}/cards", json={"cards": [99]})
        assert refused.status_code == 422
        assert "there is no card 99; there are 10 (blue fox)" in refused.text
