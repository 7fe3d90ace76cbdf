"""The kiosk's page on loopback: what it shows, its events, its pictures, and what a tap on it does."""

import asyncio
from collections.abc import Awaitable, Mapping
from http import HTTPStatus
from typing import Any, Final, Protocol, TypeVar

from fastapi import FastAPI, Request
from fastapi.responses import HTMLResponse, JSONResponse, Response, StreamingResponse
from starlette.exceptions import HTTPException

from device.cameras.boundary import View
from device.cameras.errors import CameraError
from device.cameras.process import Still
from device.errors import KioskError
from device.release import VERSION
from device.screen.api_state import api_state
from device.screen.asking import ActionAsked, ButtonAsked, asked
from device.screen.guard import Guard
from device.screen.page import Page
from device.screen.setup_page import CameraSetup, SetupPage
from device.screen.streams import BOUNDARY, Streams
from device.screen.view import view
from device.screen.words import TABLES
from device.snapshot import Snapshot

T = TypeVar("T")

BY: Final = "screen"
"""Who pressed, in the ledger."""
_PICTURE_WITHIN_S: Final = 5.0


class Kiosk(Protocol):
    """The kiosk, as its page sees it."""

    def snapshot(self) -> Snapshot: ...

    async def changed(self, timeout_s: float) -> None:
        """Return on the next change, or after `timeout_s`."""

    async def press(self, by: str) -> None: ...

    async def hold(self, by: str) -> None: ...

    async def ask(self, name: str, value: str) -> None:
        """An action; raises `Refused` when it does not fit the state."""

    async def picture(self, role: str) -> bytes:
        """A fresh JPEG; raises `LookupError` for no such camera, `KioskError` or `CameraError` when it gives none."""

    async def still(self, role: str, view: View = View.PICTURE) -> Still:
        """The same in full size, never on a disk; raises as `picture` does."""

    def preview(self, role: str) -> bytes | None:
        """The latest JPEG, None when there is none."""


def create_screen(kiosk: Kiosk, port: int, language: str = "en", setup: CameraSetup | None = None) -> FastAPI:
    """The page's application.

    Args:
        kiosk: what it shows.
        port: the port it is served on, for Host and Origin.
        language: one of the catalogues', until somebody in the room chooses the other.
        setup: what sets up the cameras; without it there is no page for that.

    Returns:
        An application whose `state.streams.close()` ends the streams of open pages before the server stops.
    """
    return _Screen(kiosk, language, setup).application(port)


class _Screen:
    def __init__(self, kiosk: Kiosk, language: str, setup: CameraSetup | None) -> None:
        self._kiosk, self._language, self._setup = kiosk, language, setup
        self._page = Page()
        self._streams = Streams(kiosk, self._told)

    def application(self, port: int) -> FastAPI:
        app = FastAPI(title="Carrel kiosk", docs_url=None, redoc_url=None, openapi_url=None)
        app.state.streams = self._streams
        app.add_middleware(Guard, port=port)
        app.add_exception_handler(HTTPException, _refused)
        for path, serve in (
            ("/", self._show),
            ("/static/{name}", self._asset),
            ("/healthz", self._health),
            ("/api/state", self._state),
            ("/api/events", self._events),
            ("/api/cameras/{role}/snapshot.jpg", self._snapshot),
            ("/api/cameras/{role}/still.jpg", self._still),
            ("/api/cameras/{role}/worksheet.jpg", self._worksheet),
            ("/api/cameras/{role}/preview", self._preview),
        ):
            app.add_api_route(path, serve, methods=["GET"], response_model=None)
        if self._setup is not None:
            SetupPage(self._setup, self._page, self._kiosk.snapshot, lambda: self._language).add_to(app)
        app.add_api_route("/api/button", self._button, methods=["POST"], response_model=None)
        app.add_api_route("/api/action", self._action, methods=["POST"], response_model=None)
        return app

    # What is so

    async def _show(self) -> HTMLResponse:
        snapshot = self._kiosk.snapshot()
        return HTMLResponse(self._page.html(view(snapshot, self._language), release(snapshot)))

    async def _asset(self, name: str) -> Response:
        asset = self._page.assets.get(name)
        if asset is None:
            raise HTTPException(HTTPStatus.NOT_FOUND, "There is no such file.")
        return Response(asset.content, media_type=asset.media_type)

    async def _health(self) -> JSONResponse:
        return JSONResponse({"ok": True, "version": VERSION, "state": self._kiosk.snapshot().state.phase.value})

    async def _state(self) -> JSONResponse:
        return JSONResponse(api_state(self._kiosk.snapshot(), self._language))

    def _told(self) -> dict[str, Any]:
        snapshot = self._kiosk.snapshot()
        return {
            "release": release(snapshot),
            "state": api_state(snapshot, self._language),
            "view": view(snapshot, self._language).model_dump(mode="json"),
        }

    async def _events(self) -> StreamingResponse:
        return StreamingResponse(self._streams.events(), media_type="text/event-stream")

    # Pictures

    async def _snapshot(self, role: str) -> Response:
        return Response(await self._picture(self._kiosk.picture(role)), media_type="image/jpeg")

    async def _still(self, role: str) -> Response:
        still = await self._picture(self._kiosk.still(role))
        return Response(still.jpeg, media_type="image/jpeg")

    async def _worksheet(self, role: str) -> Response:
        """The mat or the page on it, straight; with its scale, where the mat tells it."""
        still = await self._picture(self._kiosk.still(role, View.WORKSHEET))
        scale = {} if still.px_per_mm is None else {"X-Pixels-Per-Millimetre": f"{still.px_per_mm:.3f}"}
        return Response(still.jpeg, media_type="image/jpeg", headers=scale)

    async def _preview(self, role: str) -> StreamingResponse:
        first = await self._picture(self._kiosk.picture(role))
        frames = self._streams.frames(first, lambda: self._kiosk.preview(role))
        return StreamingResponse(frames, media_type=f"multipart/x-mixed-replace; boundary={BOUNDARY}")

    async def _picture(self, coming: Awaitable[T]) -> T:
        try:
            async with asyncio.timeout(_PICTURE_WITHIN_S):
                return await coming
        except LookupError as error:
            raise HTTPException(HTTPStatus.NOT_FOUND, "There is no such camera.") from error
        except TimeoutError as error:
            raise HTTPException(HTTPStatus.SERVICE_UNAVAILABLE, "The camera gave no picture in time.") from error
        except (KioskError, CameraError) as error:
            raise HTTPException(HTTPStatus.SERVICE_UNAVAILABLE, str(error)) from error

    # What is done

    async def _button(self, request: Request) -> JSONResponse:
        gesture = (await asked(ButtonAsked, request)).gesture
        try:
            await (self._kiosk.press(BY) if gesture == "press" else self._kiosk.hold(BY))
        except KioskError as error:
            raise HTTPException(HTTPStatus.CONFLICT, str(error)) from error
        return await self._state()

    async def _action(self, request: Request) -> JSONResponse:
        action = await asked(ActionAsked, request)
        if action.name == "language":
            self._speak(action.text)
        else:
            try:
                await self._kiosk.ask(action.name, action.text)
            except KioskError as error:
                raise HTTPException(HTTPStatus.CONFLICT, str(error)) from error
        return await self._state()

    def _speak(self, language: str) -> None:
        if language not in TABLES:
            raise HTTPException(HTTPStatus.CONFLICT, f"A language is one of: {', '.join(TABLES)}.")
        self._language = language
        self._streams.ring()


def release(snapshot: Snapshot) -> str:
    """What an open page compares: with another release or another boot it loads itself anew."""
    return f"{VERSION} {snapshot.at.boot}"


async def _refused(_: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, HTTPException)
    headers: Mapping[str, str] | None = error.headers
    return JSONResponse({"error": error.detail}, error.status_code, dict(headers or {}))
