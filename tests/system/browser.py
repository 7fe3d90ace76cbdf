"""Debian's Chromium, driven by Playwright."""

import contextlib
import shutil
from collections.abc import Iterator
from typing import Any

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, sync_playwright

_FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]

_CUT_OFF = """() => {
  const found = [];
  const seen = (e) => {
    const s = getComputedStyle(e), b = e.getBoundingClientRect();
    return s.visibility !== "hidden" && s.display !== "none" && b.width > 1 && b.height > 1;
  };
  const page = document.documentElement;
  if (page.scrollWidth > innerWidth + 1) found.push(`the page is ${page.scrollWidth} px wide`);
  for (const e of document.querySelectorAll("body *")) {
    const own = [...e.childNodes].some((n) => n.nodeType === 3 && n.textContent.trim());
    if (!own || !seen(e) || e.closest("svg, .visually-hidden, [aria-hidden=true], [hidden]")) continue;
    const b = e.getBoundingClientRect();
    if (b.right > innerWidth + 1 || b.left < -1) found.push(`beyond the side: ${e.textContent.trim().slice(0, 60)}`);
    const over = e.scrollWidth > e.clientWidth + 1 || e.scrollHeight > e.clientHeight + 1;
    if (getComputedStyle(e).overflow !== "visible" && over) found.push(`cut off: ${e.textContent.trim().slice(0, 60)}`);
  }
  return found;
}"""

_SMALL = """(least) => [...document.querySelectorAll("body *")]
  .filter((e) => [...e.childNodes].some((n) => n.nodeType === 3 && n.textContent.trim()) && !e.closest("[hidden]"))
  .filter((e) => { const b = e.getBoundingClientRect(); return b.width > 1 && b.height > 1
    && getComputedStyle(e).visibility !== "hidden" && parseFloat(getComputedStyle(e).fontSize) < least; })
  .map((e) => `${getComputedStyle(e).fontSize}: ${e.textContent.trim().slice(0, 60)}`)"""


@contextlib.contextmanager
def chromium() -> Iterator[Browser]:
    """A headless browser."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=_FLAGS)
        try:
            yield browser
        finally:
            browser.close()


def signs_in(page: Page, base: str, link: str) -> None:
    """Sign in by a link. Its page sends itself off and goes on to the board: whoever leaves before is not signed in."""
    page.goto(link)
    page.wait_for_url(f"{base}/")


def cut_off(page: Page) -> list[str]:
    """What stands beyond the page's edge or is cut off."""
    found: list[str] = page.evaluate(_CUT_OFF)
    return found


def smaller_than(page: Page, least_px: float) -> list[str]:
    """The texts that are too small to be read."""
    found: list[str] = page.evaluate(_SMALL, least_px)
    return found


def barriers(page: Page) -> list[str]:
    """What axe finds against people who cannot see, hear or point well."""
    violations: list[dict[str, Any]] = Axe().run(page).response["violations"]
    return [f"{one['id']}: {one['nodes'][0]['html'][:160]}" for one in violations]
