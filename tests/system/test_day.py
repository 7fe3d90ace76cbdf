"""The demo's school day: what happens is on the board, told, on the room's screen, and in the day's score."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.system.browser import barriers, cut_off
from tests.system.running import Demo, running_demo, until

pytestmark = [pytest.mark.needs_mosquitto, pytest.mark.needs_chromium, pytest.mark.timeout(600)]

WITHIN_S = 300
MOMENTS = [
    "green-board", "covered", "aide", "recovered", "overdue", "missed", "no-show", "session", "held", "score",
]  # fmt: skip


@pytest.fixture(scope="module")
def demo(folder: Path) -> Iterator[Demo]:
    with running_demo("--kiosks", "2", "--day", "--data-dir", str(folder), clips=False) as found:
        yield found


@pytest.fixture
def board(browser: Browser, demo: Demo) -> Iterator[Page]:
    context = browser.new_context(viewport={"width": 390, "height": 844})
    page = context.new_page()
    page.goto(demo.told["sign_in"]["therapist"])
    expect(page.locator("h1")).to_have_text("Today", timeout=15_000)
    yield page
    context.close()


def moment(folder: Path, name: str) -> dict[str, Any]:
    """The moment of that name, once it came."""

    def look() -> dict[str, Any] | None:
        path = folder / "day.jsonl"
        lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
        return next((one for line in lines if (one := json.loads(line))["name"] == name), None)

    return until(look, WITHIN_S, f"the moment {name!r}")


def test_a_whole_day(demo: Demo, board: Page, folder: Path) -> None:
    board.evaluate("window.stayed = true")
    covered = moment(folder, "covered")
    print(covered["words"])  # noqa: T201  # a figure
    assert covered["at"][11:16] == "10:02", "the day's own time, not the machine's"
    empty = board.locator(f"#b-{covered['told']['booking']}")
    expect(empty).to_contain_text("The desk camera is covered.", timeout=5_000)
    expect(board.locator("#told")).to_contain_text("The desk camera is covered.", timeout=5_000)
    moment(folder, "overdue")
    expect(empty).to_contain_text("nobody has pressed", timeout=5_000)
    moment(folder, "no-show")
    expect(empty).to_contain_text("Not held: the student was absent.", timeout=5_000)
    session = moment(folder, "session")
    coming = board.locator(f"#b-{session['told']['booking']}")
    expect(coming).to_contain_text("10:15")
    expect(coming).to_contain_text("In session", timeout=5_000)
    assert cut_off(board) + barriers(board) == []
    scores = moment(folder, "score")["told"]
    assert 0 < scores["lincoln"]["score"] <= 1
    expect(coming).to_contain_text("Held", timeout=5_000)
    assert board.evaluate("window.stayed"), "nothing was loaded anew"
    lines = (folder / "day.jsonl").read_text(encoding="utf-8").splitlines()
    assert [json.loads(line)["name"] for line in lines] == MOMENTS
    kinds = {row["type"] for row in demo.kiosks[0].ledger()}
    assert "start.overdue" in kinds, "the room itself knew that nobody came"
