"""Plays the demo's school day and takes a picture of the board and of the room's screen at each of its moments.

.venv/bin/python scripts/day_pictures.py DIR [--few]     (--few: those of the documentation)
"""

import json
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from playwright.sync_api import Browser, sync_playwright

LAST = "score"
FEW = {"01-covered-board", "02-aide-room-12", "06-no-show-phone", "07-session-board"}
WITHIN_S = 600


def main(folder: Path, few: frozenset[str]) -> int:
    """0 when every moment came."""
    folder.mkdir(parents=True, exist_ok=True)
    data = Path(tempfile.mkdtemp(prefix="carrel-day-"))
    command = [sys.executable, "-m", "lab.cli", "demo", "--day", "--json", "--port", "0", "--data-dir", str(data)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        told = json.loads(process.stdout.readline())
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
            names = _pictures(browser, told, data / "day.jsonl", folder, process, few)
    finally:
        process.terminate()
        process.wait(30)
        shutil.rmtree(data, ignore_errors=True)
    return 0 if LAST in names else 1


def _pictures(
    browser: Browser, told: dict, path: Path, folder: Path, process: subprocess.Popen, few: frozenset[str]
) -> list[str]:
    board = browser.new_page(viewport={"width": 1440, "height": 1000})
    board.goto(told["sign_in"]["therapist"])
    board.wait_for_url(f"{told['fleet']}/")
    phone = browser.new_page(viewport={"width": 390, "height": 844})
    phone.goto(told["sign_in"]["aide"])
    phone.wait_for_url(f"{told['fleet']}/")
    phone.goto(f"{told['fleet']}/today")
    screen = browser.new_page(viewport={"width": 1024, "height": 600})
    screen.goto(told["kiosks"][1]["screen"])
    empty = browser.new_page(viewport={"width": 1024, "height": 600})
    empty.goto(told["kiosks"][0]["screen"])
    names: list[str] = []
    until_s = time.monotonic() + WITHIN_S
    while LAST not in names and time.monotonic() < until_s and process.poll() is None:
        lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
        for line in lines[len(names) :]:
            moment = json.loads(line)
            print(moment["at"], moment["name"], moment["words"], flush=True)
            board.wait_for_timeout(1200)  # the page renews itself twice a second
            if moment["name"] == LAST:  # the score stands on the kiosk's page
                board.goto(f"{told['fleet']}/kiosks/{told['kiosks'][0]['id']}")
                phone.goto(f"{told['fleet']}/kiosks/{told['kiosks'][1]['id']}")
            number = f"{len(names):02}-{moment['name']}"
            for name, page in (("board", board), ("phone", phone), ("room-12", empty), ("room-4", screen)):
                if not few or f"{number}-{name}" in few:
                    page.screenshot(path=folder / f"day-{number}-{name}.png", full_page=moment["name"] == LAST)
            names.append(moment["name"])
        board.wait_for_timeout(150)
    return names


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), frozenset(FEW if sys.argv[2:] == ["--few"] else ())))
