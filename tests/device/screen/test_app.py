"""The page's address by address, in process."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import replace
from typing import Any

import cv2
import httpx
import numpy as np
import pytest

from device.errors import KioskError
from device.screen.app import create_screen
from device.snapshot import Place
from tests.device.screen.gallery import GALLERY
from tests.device.screen.room import PLACE, Room
from tests.device.screen.served import ShownKiosk, jpeg, large

PORT = 8080
OWN = {"Origin": f"http://127.0.0.1:{PORT}"}
Ask = Callable[[httpx.AsyncClient], Awaitable[Any]]


def with_page(kiosk: ShownKiosk, ask: Ask, language: str = "en") -> Any:
    """What `ask` gets from the page of `kiosk`."""

    async def run() -> Any:
        transport = httpx.ASGITransport(create_screen(kiosk, PORT, language))
        async with httpx.AsyncClient(transport=transport, base_url=f"http://127.0.0.1:{PORT}") as client:
            return await ask(client)

    return asyncio.run(run())


def get(path: str, kiosk: ShownKiosk | None = None, language: str = "en", **headers: str) -> httpx.Response:
    kiosk = kiosk or ShownKiosk(GALLERY["ready"]())
    found = with_page(kiosk, lambda client: client.get(path, headers=headers), language)
    assert isinstance(found, httpx.Response)
    return found


def post(path: str, body: object, kiosk: ShownKiosk | None = None, **headers: str) -> httpx.Response:
    kiosk = kiosk or ShownKiosk(GALLERY["ready"]())
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    found = with_page(kiosk, lambda client: client.post(path, content=content, headers=OWN | headers))
    assert isinstance(found, httpx.Response)
    return found


def width_of(jpeg_bytes: bytes) -> int:
    picture = cv2.imdecode(np.frombuffer(jpeg_bytes, np.uint8), cv2.IMREAD_COLOR)
    assert picture is not None
    return int(picture.shape[1])


class TestThePage:
    def test_it_says_at_once_what_the_kiosk_is(self) -> None:
        found = get("/")
        assert found.status_code == 200
        assert "Ready" in found.text
        assert "Press the button to start." in found.text
        assert '<html lang="en"' in found.text

    def test_it_speaks_the_kiosks_language(self) -> None:
        assert '<html lang="es"' in get("/", language="es").text

    def test_nothing_stands_inline_and_nobody_may_frame_it(self) -> None:
        found = get("/")
        assert "<style" not in found.text
        assert " style=" not in found.text
        assert "onclick" not in found.text
        assert found.text.count("<script") == found.text.count('<script type="module" src="/static/kiosk.js">') == 1
        policy = found.headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "frame-ancestors 'none'" in policy
        assert "unsafe" not in policy

    def test_h8_a_room_may_be_called_anything(self) -> None:
        place = replace(PLACE, room="</script><img src=x onerror=alert(1)>")
        found = get("/", ShownKiosk(Room(place=place).boot().snapshot()))
        assert "<img" not in found.text
        assert "&lt;img" in found.text

    def test_its_files(self) -> None:
        for name, kind in (
            ("kiosk.js", "text/javascript"),
            ("hold.js", "text/javascript"),
            ("kiosk.css", "text/css"),
            ("icon.svg", "image/svg+xml"),
        ):
            found = get(f"/static/{name}")
            assert found.status_code == 200
            assert found.headers["content-type"].startswith(kind)

    def test_no_answer_is_kept_by_a_cache_or_shared_with_another_origin(self) -> None:
        for path in ("/", "/api/state", "/static/kiosk.js", "/healthz", "/nothing"):
            found = get(path)
            assert found.headers["cache-control"] == "no-store"
            assert found.headers["cross-origin-resource-policy"] == "same-origin"
            assert "access-control-allow-origin" not in found.headers

    def test_healthz(self) -> None:
        assert get("/healthz").json()["ok"] is True

    def test_no_description_of_itself_lies_open(self) -> None:
        for path in ("/docs", "/redoc", "/openapi.json"):
            assert get(path).status_code == 404


class TestH1AndH2:
    def test_h1_a_foreign_host(self) -> None:
        found = get("/", Host="evil.com")
        assert found.status_code == 400
        assert "error" in found.json()

    def test_h2_a_write_from_elsewhere_presses_nothing(self) -> None:
        for headers in ({"Origin": "http://evil.com"}, {"Origin": "null"}, {"Origin": ""}):
            kiosk = ShownKiosk(GALLERY["ready"]())
            assert post("/api/button", {"gesture": "press"}, kiosk, **headers).status_code == 403
            assert kiosk.asked == []

    def test_h2_a_write_without_origin(self) -> None:
        kiosk = ShownKiosk(GALLERY["ready"]())
        found = with_page(kiosk, lambda client: client.post("/api/button", json={"gesture": "press"}))
        assert found.status_code == 403
        assert kiosk.asked == []

    def test_h2_a_refusal_has_the_page_policy_too(self) -> None:
        assert "content-security-policy" in get("/", Host="evil.com").headers


H3 = [
    "/static/../app.py",
    "/static/%2e%2e/app.py",
    "/static/..%2fapp.py",
    "/static/%2e%2e%2f%2e%2e%2f%2e%2e%2fetc/shadow",
    "/static//etc/shadow",
    "/static/%2fetc%2fshadow",
    "/static/..%5capp.py",
    "/static/kiosk.js%00",
    "/static/",
    "/static",
    "/api/cameras/..%2f..%2fetc/snapshot.jpg",
    "/api/cameras/..%2f..%2fetc/still.jpg",
    "/../../etc/shadow",
]


@pytest.mark.parametrize("path", H3)
def test_h3_no_path_leads_out_of_the_page(path: str) -> None:
    assert get(path).status_code == 404


class TestH4AndBodies:
    def test_h4_a_hundred_megabytes_are_refused_unread(self) -> None:
        async def endless() -> AsyncIterator[bytes]:
            while True:
                sent.append(1)
                yield b"x" * 1024

        sent: list[int] = []
        kiosk = ShownKiosk(GALLERY["ready"]())
        found = with_page(kiosk, lambda client: client.post("/api/button", content=endless(), headers=OWN))
        assert found.status_code == 413
        assert "error" in found.json()
        assert len(sent) < 40

    @pytest.mark.parametrize(
        "body",
        [
            b"", b"press", b"[]", b'"press"', b"\xff\xfe", b"{" * 2000, b'{"gesture": NaN}', b'{"gesture": "press"',
            b'{"gesture":"press","gesture":"hold"}', b'{"gesture":"kick"}', b'{"gesture":1}', b"{}",
            b'{"gesture":"press","by":"me"}', b'{"gesture":' + b"9" * 6000 + b"}",
        ],
    )  # fmt: skip
    def test_what_is_no_gesture_is_refused_in_words(self, body: bytes) -> None:
        kiosk = ShownKiosk(GALLERY["ready"]())
        found = post("/api/button", body, kiosk)
        assert found.status_code == 422
        assert len(found.json()["error"]) > 5
        assert kiosk.asked == []

    def test_an_unknown_key_is_named(self) -> None:
        assert "by" in post("/api/button", {"gesture": "press", "by": "me"}).json()["error"]


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/api/button"), ("GET", "/api/action"), ("PUT", "/api/button"), ("DELETE", "/api/button"),
        ("POST", "/"), ("POST", "/api/state"), ("PATCH", "/api/action"), ("TRACE", "/"), ("OPTIONS", "/api/button"),
        ("PRESS", "/api/button"),
    ],
)  # fmt: skip
def test_h11_another_method_does_nothing(method: str, path: str) -> None:
    kiosk = ShownKiosk(GALLERY["ready"]())
    headers = OWN | {"X-HTTP-Method-Override": "POST"}
    found = with_page(kiosk, lambda client: client.request(method, path, json={"gesture": "press"}, headers=headers))
    assert found.status_code in {404, 405}
    assert "error" in found.json()
    assert kiosk.asked == []


class TestTheButton:
    @pytest.mark.parametrize("gesture", ["press", "hold"])
    def test_a_tap_does_what_the_button_does(self, gesture: str) -> None:
        kiosk = ShownKiosk(GALLERY["ready"]())
        found = post("/api/button", {"gesture": gesture}, kiosk)
        assert found.status_code == 200
        assert found.json()["state"] == "idle"
        assert kiosk.asked == [(gesture, "screen")]

    def test_any_of_the_pages_own_names_will_do(self) -> None:
        assert post("/api/button", {"gesture": "press"}, Origin=f"http://localhost:{PORT}").status_code == 200


class TestActions:
    @pytest.mark.parametrize(
        ("name", "value", "text"),
        [
            ("extend", "10", "10"), ("extend", 10, "10"), ("help", None, ""), ("absent", "s-0418", "s-0418"),
            ("reason", "technical", "technical"), ("not-this-student", "", ""), ("still-here", "", ""),
        ],
    )  # fmt: skip
    def test_they_reach_the_kiosk(self, name: str, value: object, text: str) -> None:
        kiosk = ShownKiosk(GALLERY["live"]())
        assert post("/api/action", {"name": name, "value": value}, kiosk).status_code == 200
        assert kiosk.asked == [(name, text)]

    def test_an_unknown_one_is_422(self) -> None:
        kiosk = ShownKiosk(GALLERY["live"]())
        found = post("/api/action", {"name": "explode"}, kiosk)
        assert found.status_code == 422
        assert "explode" not in found.headers
        assert kiosk.asked == []

    def test_a_value_of_another_kind_is_422(self) -> None:
        values: list[object] = [[], {}, True, 1.5]
        for value in values:
            assert post("/api/action", {"name": "extend", "value": value}).status_code == 422

    def test_one_that_does_not_fit_is_409_with_the_kiosks_words(self) -> None:
        kiosk = ShownKiosk(GALLERY["ready"]())
        kiosk.refuses = "No session is running."
        found = post("/api/action", {"name": "extend", "value": "5"}, kiosk)
        assert (found.status_code, found.json()) == (409, {"error": "No session is running."})

    def test_the_language_is_the_pages_own(self) -> None:
        kiosk = ShownKiosk(GALLERY["ready"]())

        async def ask(client: httpx.AsyncClient) -> tuple[int, str, str, int]:
            told = await client.post("/api/action", json={"name": "language", "value": "es"}, headers=OWN)
            page, state = await client.get("/"), await client.get("/api/state")
            wrong = await client.post("/api/action", json={"name": "language", "value": "tlh"}, headers=OWN)
            return told.status_code, page.text, state.json()["language"], wrong.status_code

        status, page, language, wrong = with_page(kiosk, ask)
        assert (status, language, wrong) == (200, "es", 409)
        assert "Listo" in page
        assert kiosk.asked == []


PICTURES = ["snapshot.jpg", "still.jpg", "worksheet.jpg", "preview"]


class TestPictures:
    def test_a_snapshot_is_a_jpeg(self) -> None:
        found = get("/api/cameras/overhead/snapshot.jpg")
        assert found.status_code == 200
        assert found.headers["content-type"] == "image/jpeg"
        assert found.content == jpeg("overhead")

    def test_a_still_is_a_jpeg_in_full_size(self) -> None:
        found = get("/api/cameras/overhead/still.jpg")
        assert found.status_code == 200
        assert found.headers["content-type"] == "image/jpeg"
        assert found.content == large("overhead")
        assert width_of(found.content) > width_of(get("/api/cameras/overhead/snapshot.jpg").content)

    def test_a_worksheet_says_its_scale_where_it_has_one(self) -> None:
        found = get("/api/cameras/overhead/worksheet.jpg")
        assert found.content == large("overhead")
        assert found.headers["X-Pixels-Per-Millimetre"] == "3.250"
        assert "X-Pixels-Per-Millimetre" not in get("/api/cameras/front/worksheet.jpg").headers

    def test_no_picture_is_kept_by_a_cache(self) -> None:
        for name in ("snapshot.jpg", "still.jpg", "worksheet.jpg"):
            assert get(f"/api/cameras/front/{name}").headers["cache-control"] == "no-store"

    def test_another_sites_page_gets_no_picture(self) -> None:
        kiosk = ShownKiosk(GALLERY["ready"]())
        for name in ("snapshot.jpg", "still.jpg", "worksheet.jpg"):
            assert get(f"/api/cameras/front/{name}", kiosk, **{"Sec-Fetch-Site": "cross-site"}).status_code == 403
        assert kiosk.pictures_given == 0

    @pytest.mark.parametrize("name", PICTURES)
    def test_no_such_camera(self, name: str) -> None:
        assert get(f"/api/cameras/ceiling/{name}").status_code == 404

    @pytest.mark.parametrize("name", PICTURES)
    def test_a_camera_without_a_picture_says_why(self, name: str) -> None:
        found = get(f"/api/cameras/front/{name}", ShownKiosk(GALLERY["paused"]()))
        assert (found.status_code, found.json()) == (503, {"error": "The front camera is closed."})

    def test_any_trouble_with_a_name_is_told(self) -> None:
        class Broken(ShownKiosk):
            async def picture(self, role: str) -> bytes:
                raise KioskError(f"The {role} camera burns.")

        for name in PICTURES:
            found = get(f"/api/cameras/front/{name}", Broken(GALLERY["ready"]()))
            assert (found.status_code, found.json()) == (503, {"error": "The front camera burns."})


def test_a_kiosk_in_another_place_tells_its_own_name() -> None:
    place = Place("oak-3", "oak", "Library", "")
    found = get("/api/state", ShownKiosk(Room(place=place).boot().snapshot())).json()
    assert (found["kiosk"], found["campus"], found["room"]) == ("oak-3", "oak", "Library")
