"""A worksheet in a real Chromium, from the real fleet: a grid that is exact, and a measure that needs no mouse."""

import fcntl
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from fleet.access.roles import Role
from tests.fleet.calling import Caller
from tests.fleet.serving import until
from tests.fleet.test_stills import figures, seen
from tests.fleet.worksheets import arrives, told
from tests.fleet.world import Fleet, Kiosk
from tests.system.browser import barriers, cut_off, signs_in
from wire.messages import Reply
from wire.topics import Channel

pytestmark = pytest.mark.needs_chromium

WITHIN_MS = 10_000


def opens(page: Page, caller: Caller, path: str, role: Role = Role.THERAPIST) -> None:
    """Sign in as someone of this role and open a page."""
    base = str(caller.client.base_url).rstrip("/")
    signs_in(page, base, base + caller.link(role, "lincoln"))
    with page.expect_response(lambda answer: answer.url.startswith(base + path)):
        page.goto(base + path)


def looks_at(page: Page, caller: Caller, still: str) -> None:
    opens(page, caller, f"/stills/{still}")
    page.wait_for_function("document.getElementById('sheet') !== null")


def click_px(page: Page, x: float, y: float) -> None:
    """Click at a pixel of the picture, whatever its zoom."""
    box = page.evaluate(
        """() => { const s = document.getElementById('sheet'), b = s.getBoundingClientRect();
        return {x: b.left, y: b.top, zoom: b.width / s.viewBox.baseVal.width} }"""
    )
    page.mouse.click(box["x"] + x * box["zoom"], box["y"] + y * box["zoom"])


def length(page: Page) -> Locator:
    return page.locator("#length")


def test_the_picture_has_a_grid_of_exact_millimetres(fleet: Fleet, caller: Caller, kiosk: Kiosk, page: Page) -> None:
    still = arrives(fleet, caller, kiosk)
    looks_at(page, caller, still)
    expect(page.locator(".pill")).to_have_text("3.9 px per mm: good enough for handwriting")
    shown = page.evaluate(
        """async () => {
          const image = new Image(); image.src = document.getElementById('picture').href.baseVal;
          await image.decode();
          const s = document.getElementById('sheet'), b = s.getBoundingClientRect();
          const size = (id) => document.getElementById(id).width.baseVal.value;
          const real = [image.naturalWidth, image.naturalHeight];
          return {real, box: [b.width, b.height], mm: size('mm'), cm: size('cm')}
        }"""
    )
    assert shown["real"] == shown["box"] == [468, 351], "one pixel of the picture is one of the page"
    assert (shown["mm"], shown["cm"]) == (pytest.approx(3.9, abs=1e-5), pytest.approx(39, abs=1e-4))
    one = page.locator("#lines")
    expect(one).to_be_visible()
    page.get_by_role("button", name="Millimetre grid").press("Enter")
    expect(one).to_be_hidden()
    page.get_by_role("button", name="Millimetre grid").press(" ")
    expect(one).to_be_visible()


def test_a_bar_of_20_mm_measures_20_mm_at_every_zoom(fleet: Fleet, caller: Caller, kiosk: Kiosk, page: Page) -> None:
    looks_at(page, caller, arrives(fleet, caller, kiosk))
    for zoom in ("1x", "2x", "4x"):
        page.get_by_role("button", name=zoom).click()
        page.locator("#frame").evaluate("one => one.scrollTo(0, 0)")
        page.get_by_role("button", name="Measure anew").click()
        expect(length(page)).to_have_text("Nothing is measured yet.")
        click_px(page, 117, 98)
        expect(length(page)).to_contain_text("set the other")
        click_px(page, 195, 98)
        expect(length(page)).to_have_text("20.0 mm, give or take 0.8 mm")
        page.locator("#frame").screenshot()


def test_points_can_be_dragged(fleet: Fleet, caller: Caller, kiosk: Kiosk, page: Page) -> None:
    looks_at(page, caller, arrives(fleet, caller, kiosk))
    click_px(page, 117, 98)
    click_px(page, 300, 98)
    box = page.locator("#sheet").bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + 300, box["y"] + 98)
    page.mouse.down()
    page.mouse.move(box["x"] + 195, box["y"] + 98, steps=4)
    page.mouse.up()
    expect(length(page)).to_have_text("20.0 mm, give or take 0.8 mm")


def test_it_measures_by_touch(fleet: Fleet, caller: Caller, kiosk: Kiosk, browser: Browser) -> None:
    still = arrives(fleet, caller, kiosk)
    context = browser.new_context(viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True)
    phone = context.new_page()
    looks_at(phone, caller, still)
    phone.locator("#frame").evaluate("one => one.scrollIntoView({block: 'start'})")
    box = phone.locator("#sheet").bounding_box()
    assert box is not None
    for x in (117, 195):
        phone.touchscreen.tap(box["x"] + x, box["y"] + 98)
    expect(length(phone)).to_have_text("20.0 mm, give or take 0.8 mm")
    context.close()


def test_it_measures_by_keyboard_alone(fleet: Fleet, caller: Caller, kiosk: Kiosk, page: Page) -> None:
    looks_at(page, caller, arrives(fleet, caller, kiosk))
    for _ in range(20):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.id") == "frame":
            break
    expect(page.locator("#frame")).to_be_focused()
    page.keyboard.press("Enter")
    page.keyboard.press("Enter")
    for _ in range(7):
        page.keyboard.press("Shift+ArrowRight")
    for _ in range(8):
        page.keyboard.press("ArrowRight")
    expect(length(page)).to_have_text("20.0 mm, give or take 0.8 mm")
    page.keyboard.press("Enter")
    for _ in range(2):
        page.keyboard.press("Shift+ArrowLeft")
    expect(length(page)).to_have_text("25.1 mm, give or take 0.8 mm")
    for _ in range(60):
        page.keyboard.press("Shift+ArrowUp")
    assert page.evaluate("[...document.querySelectorAll('.point')].every((one) => one.cy.baseVal.value >= 0)")
    page.keyboard.press("Escape")
    expect(length(page)).to_have_text("Nothing is measured yet.")


@pytest.mark.parametrize(
    ("a", "b", "px_per_mm", "words"),
    [
        ((0, 0), (39, 0), 3.9, "10.0 mm, give or take 0.7 mm"),
        ((0, 0), (0, 0), 4.0, "0.0 mm, give or take 0.5 mm"),
        ((0, 0), (300, 400), 5.0, "100.0 mm, give or take 1.4 mm"),
    ],
)
def test_a_length_says_what_it_may_be_off(
    fleet: Fleet, caller: Caller, page: Page, a: tuple[int, int], b: tuple[int, int], px_per_mm: float, words: str
) -> None:
    page.goto(f"{str(caller.client.base_url).rstrip('/')}/sign-in")
    said = page.evaluate(
        """async ([a, b, scale]) => { const m = await import('/static/measure.js');
        return m.words(m.measured({x: a[0], y: a[1]}, {x: b[0], y: b[1]}, scale)) }""",
        [a, b, px_per_mm],
    )
    assert said == words


def test_too_coarse_is_said_and_what_to_do(fleet: Fleet, caller: Caller, kiosk: Kiosk, page: Page) -> None:
    looks_at(page, caller, arrives(fleet, caller, kiosk, scale=2.1))
    expect(page.locator(".pill")).to_have_text("2.1 px per mm: too coarse to judge letters; move the camera closer")


def test_without_a_scale_there_is_no_grid_and_it_says_why(
    fleet: Fleet, caller: Caller, kiosk: Kiosk, page: Page
) -> None:
    looks_at(page, caller, arrives(fleet, caller, kiosk, scale=None))
    expect(page.locator("main")).to_contain_text("the mat was not in the picture")
    assert page.locator("#lines, #length, #grid").count() == 0
    page.get_by_role("button", name="2x").click()
    assert page.locator("#sheet").get_attribute("width") == "720"


def test_one_page_is_one_view(fleet: Fleet, caller: Caller, kiosk: Kiosk, page: Page) -> None:
    still = arrives(fleet, caller, kiosk)
    looks_at(page, caller, still)
    for zoom in ("4x", "1x"):
        page.get_by_role("button", name=zoom).click()
    page.wait_for_load_state("networkidle")
    assert seen(fleet) == [("therapist of lincoln", still)]


def test_a_picture_that_the_fleet_does_not_give_is_said(
    fleet: Fleet, caller: Caller, kiosk: Kiosk, page: Page, tmp_path: Path
) -> None:
    still = arrives(fleet, caller, kiosk)
    opens(page, caller, "/kiosks/lincoln-12")
    with (tmp_path / "fleet.sqlite.lock").open("ab") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        page.goto(f"{str(caller.client.base_url).rstrip('/')}/stills/{still}")
        expect(page.locator("#trouble")).to_contain_text("did not give the picture", timeout=WITHIN_MS)


@pytest.mark.parametrize(
    ("role", "words"),
    [(Role.IT, "not its picture"), (Role.AUDITOR, "not its picture"), (Role.AIDE, "does not include worksheets")],
)
def test_who_may_not_see_pictures_sees_none(
    fleet: Fleet, caller: Caller, kiosk: Kiosk, page: Page, role: Role, words: str
) -> None:
    still = arrives(fleet, caller, kiosk)
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    opens(page, caller, f"/stills/{still}", role)
    expect(page.locator("main")).to_contain_text(words)
    assert page.locator("#sheet").count() == 0
    assert not [one for one in asked if "image.jpg" in one]


def test_a_destroyed_picture_says_why(fleet: Fleet, caller: Caller, kiosk: Kiosk, page: Page) -> None:
    still = arrives(fleet, caller, kiosk)
    kiosk.write("student.wrong", figures(caller, still)["session"], student=None)
    fleet.take(kiosk.sends())
    opens(page, caller, f"/stills/{still}")
    expect(page.locator("main")).to_contain_text("The picture was destroyed: somebody in the room said")
    opens(page, caller, f"/sessions/{figures(caller, still)['session']}")
    expect(page.locator(".sheets li")).to_contain_text("Worksheet")


@pytest.mark.parametrize("where", ["kiosks", "sessions"])
def test_a_therapist_asks_waits_and_looks(fleet: Fleet, caller: Caller, kiosk: Kiosk, page: Page, where: str) -> None:
    session = in_session(fleet, kiosk)
    opens(page, caller, f"/{where}/{kiosk.id if where == 'kiosks' else session}")
    answer = page.locator(f"#answer-{kiosk.id}")
    page.get_by_role("button", name="Ask for a worksheet").press("Enter")
    expect(answer).to_have_text("Asking the kiosk …")
    fleet.take(kiosk.says(Channel.REPLY, Reply(id=sent(fleet, kiosk), ok=True, result=told(fleet, session))))
    expect(answer).to_contain_text("The worksheet has arrived", timeout=WITHIN_MS)
    expect(answer).to_contain_text("fine enough for handwriting")
    answer.get_by_role("link", name="Look at it").press("Enter")
    expect(page.locator(".pill")).to_have_text("3.9 px per mm: good enough for handwriting")


def test_a_refusal_is_said_in_the_kiosks_words(fleet: Fleet, caller: Caller, kiosk: Kiosk, page: Page) -> None:
    in_session(fleet, kiosk)
    opens(page, caller, f"/kiosks/{kiosk.id}")
    page.get_by_role("button", name="Ask for a worksheet").click()
    said = "Not every student of this booking has a consent to pictures in force."
    fleet.take(kiosk.says(Channel.REPLY, Reply(id=sent(fleet, kiosk), ok=False, error="no-consent", detail=said)))
    expect(page.locator(f"#answer-{kiosk.id}")).to_have_text(f"No worksheet. {said}", timeout=WITHIN_MS)


@pytest.mark.parametrize("role", [Role.IT, Role.AUDITOR, Role.AIDE])
def test_nobody_else_is_offered_the_button(fleet: Fleet, caller: Caller, kiosk: Kiosk, page: Page, role: Role) -> None:
    session = in_session(fleet, kiosk)
    for path in (f"/kiosks/{kiosk.id}", f"/sessions/{session}"):
        opens(page, caller, path, role)
        expect(page.locator("h1")).to_be_visible()
        assert page.locator("[data-command=still]").count() == 0


def test_the_button_is_there_only_while_a_session_runs(fleet: Fleet, caller: Caller, kiosk: Kiosk, page: Page) -> None:
    session = in_session(fleet, kiosk)
    opens(page, caller, f"/kiosks/{kiosk.id}")
    assert page.locator("[data-command=still]").count() == 1
    for state in ("paused", "ending"):
        fleet.take(kiosk.is_ready(state=state, session=session))
        opens(page, caller, f"/kiosks/{kiosk.id}")
        assert page.locator("[data-command=still]").count() == 0


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize(("width", "height"), [(1440, 900), (390, 844)])
def test_no_barriers_and_nothing_cut_off(
    fleet: Fleet, caller: Caller, kiosk: Kiosk, browser: Browser, scheme: Any, width: int, height: int
) -> None:
    still, bare = arrives(fleet, caller, kiosk), arrives(fleet, caller, kiosk, scale=None)
    # The policy is bypassed for axe alone, which is put into the page as a script of its own.
    size: Any = {"width": width, "height": height}
    context = browser.new_context(viewport=size, color_scheme=scheme, bypass_csp=True)
    page = context.new_page()
    opens(page, caller, "/")
    session = figures(caller, still)["session"]
    for path in (f"/stills/{still}", f"/stills/{bare}", f"/sessions/{session}", f"/kiosks/{kiosk.id}"):
        page.goto(f"{str(caller.client.base_url).rstrip('/')}{path}")
        assert barriers(page) == [], path
        assert cut_off(page) == [], path
    context.close()


def in_session(fleet: Fleet, kiosk: Kiosk) -> str:
    session = kiosk.press()
    fleet.take(kiosk.is_born(), kiosk.sends(), kiosk.is_ready(state="live", session=session))
    fleet.settle()
    fleet.take(kiosk.asks())
    return session


def sent(fleet: Fleet, kiosk: Kiosk) -> str:
    """The id of the request that has reached the kiosk."""
    until(lambda: fleet.post.to(kiosk, Channel.COMMAND), "a command is sent", 10)
    return str(fleet.post.to(kiosk, Channel.COMMAND)[-1]["id"])
