"""Whether what stands on the kiosk's page fits: nothing outside, nothing cut off, nothing too small for a finger."""

from typing import Final

from playwright.sync_api import Page, ViewportSize, expect

DISPLAY: Final[ViewportSize] = {"width": 1024, "height": 600}
STAGE: Final = (300, 480)
"""A place on the page where nothing stands but the page itself."""

_FITS: Final = """() => {
  const found = [], unit = Math.min(innerWidth / 1024, innerHeight / 600);
  const seen = (e) => e.getClientRects().length > 0 && !e.closest(".unseen, [hidden]");
  const tall = (e) => e.scrollHeight > e.clientHeight + 1;
  const [words, panel] = [document.getElementById("words"), document.getElementById("panel")];
  if (seen(words) && tall(words)) found.push(`the words need ${words.scrollHeight} of ${words.clientHeight} px`);
  if (seen(panel) && tall(panel)) found.push(`the controls need ${panel.scrollHeight} of ${panel.clientHeight} px`);
  for (const e of document.querySelectorAll("#words *, footer *, #panel *, #tiles *")) {
    if (!seen(e) || e.closest("svg")) continue;
    const b = e.getBoundingClientRect();
    if (b.width && (b.right > innerWidth + 1 || b.bottom > innerHeight + 1 || b.left < -1)) found.push(`outside: ${e.textContent}`);
  }
  for (const e of document.querySelectorAll("h1, #do, #then")) {
    if (seen(e) && e.scrollWidth > e.clientWidth + 1) found.push(`too wide: ${e.textContent}`);
  }
  for (const e of document.querySelectorAll("button")) {
    const b = e.getBoundingClientRect(), text = e.querySelector(".text")?.getBoundingClientRect();
    if (!seen(e)) continue;
    if (b.height < 76 * unit - 1) found.push(`too low for a finger: ${e.textContent}`);
    if (text && (text.top < b.top || text.bottom > b.bottom || text.left < b.left || text.right > b.right)) found.push(`cut off: ${e.textContent}`);
  }
  for (const e of document.querySelectorAll(".tile figcaption")) {
    if (seen(e) && e.getBoundingClientRect().height > e.parentElement.clientHeight) found.push(`cut off: ${e.textContent}`);
  }
  const last = document.getElementById("then");
  for (const e of document.querySelectorAll("#do, #figures, #bar, #clock, h1")) {
    if (!seen(e) || !seen(last) || !last.textContent || e.matches("[data-counting] #bar")) continue;
    if (e.getBoundingClientRect().bottom > last.getBoundingClientRect().top + 1) found.push(`runs into the last line: ${e.textContent}`);
  }
  const todo = document.getElementById("do");
  if (seen(todo) && parseFloat(getComputedStyle(todo).fontSize) < 38 * unit - 0.1) found.push("what to do is too small");
  return found;
}"""  # noqa: E501  # a script for the browser


def fits(page: Page) -> list[str]:
    """What does not fit, in words."""
    found: list[str] = page.evaluate(_FITS)
    return found


def opened(page: Page, address: str) -> None:
    """Show the page, and wait until it has heard of the kiosk."""
    page.goto(address)
    expect(page.locator("#tap[aria-disabled]")).to_be_attached()
