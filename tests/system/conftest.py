"""A running demo for each module, and its kiosk at rest for each test; a browser, and where its pictures go."""

import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from tests.system.browser import chromium
from tests.system.running import Demo, Kiosk, running_demo, until


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("demo")


@pytest.fixture(scope="module")
def demo(folder: Path) -> Iterator[Demo]:
    with running_demo("--kiosks", "1", "--data-dir", str(folder)) as found:
        yield found


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as found:
        yield found


@pytest.fixture(scope="module")
def screenshots(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where screenshots go: they are kept with `--screenshots DIR`."""
    kept = request.config.getoption("--screenshots")
    found = Path(kept) if kept else tmp_path_factory.mktemp("screenshots")
    found.mkdir(parents=True, exist_ok=True)
    return found


@pytest.fixture
def kiosk(demo: Demo) -> Kiosk:
    """A kiosk at rest: linked, both cameras open, no session, its button let go long enough to start anew."""
    found = demo.kiosk
    found.restore_link()
    for role in ("overhead", "front"):
        found.camera(role, "none")
    if found.state["state"] not in {"idle", "no answer"}:
        found.reaches("live", "buffering", "paused", "idle", within_s=60)
        if found.state["state"] != "idle":
            time.sleep(6)
            found.end_session()
    until(
        lambda: (
            (now := found.state)["state"] == "idle"
            and now["link"]["up"]
            and all(one["state"] == "open" for one in now["cameras"].values())
        ),
        60,
        "the kiosk is at rest",
    )
    return found
