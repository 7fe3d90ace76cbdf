"""The page of a kiosk that may not run yet: no bundle was applied, or its settings are refused.

A screen that says "refused to connect" tells an aide nothing and IT little. So before the agent is started this stands
at its address, looks every second at the settings, and ends once they can be used; systemd starts the agent after it.
"""

import asyncio
import contextlib
import hashlib
import logging
import signal
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from typing import Final, Literal

import uvicorn
from fastapi import FastAPI
from fastapi.responses import HTMLResponse, JSONResponse, Response

from device.agent import ServerInLoop, listen
from device.appliance.notify import Notifier
from device.bundle.apply import REFUSED
from device.release import VERSION
from device.screen.guard import Guard
from device.screen.page import Page
from device.screen.waiting_words import TABLES
from device.settings import Settings
from wire.settings_file import SettingsError, read_settings

_log = logging.getLogger(__name__)

LOOK_EVERY_S: Final = 1.0
_REFUSED: Final = Path("/") / REFUSED
_MOST_DETAIL: Final = 2_000


@dataclass(frozen=True, slots=True)
class Waiting:
    """What the kiosk waits for."""

    kind: Literal["no-settings", "bad-settings"]
    detail: str
    """For IT: the file, and what is wrong with it."""

    @property
    def release(self) -> str:
        """Changes when the page has to load itself anew."""
        return hashlib.sha256(f"{VERSION}\0{self.kind}\0{self.detail}".encode()).hexdigest()[:16]


def waited_for(config: Path, refused: Path = _REFUSED) -> Waiting | None:
    """Why the agent cannot be started with this file; None when it can.

    Args:
        config: the kiosk's settings.
        refused: where it is kept why a bundle was not taken over (`carrel-kiosk bundle apply`).
    """
    if not config.exists():
        why = refused.read_text(encoding="utf-8", errors="replace").strip() if refused.is_file() else ""
        says = f"{config}: is not there; no bundle was applied to this kiosk"
        return Waiting("no-settings", f"{says}\n{why}".strip()[:_MOST_DETAIL])
    try:
        read_settings(Settings, config)
    except SettingsError as error:
        return Waiting("bad-settings", str(error)[:_MOST_DETAIL])
    return None


async def wait(config: Path, port: int, notifier: Notifier | None = None) -> None:
    """Show the page until the settings can be used, or SIGTERM comes; returns at once when they can already.

    Args:
        config: the kiosk's settings.
        port: of the screen, on loopback.
        notifier: told what is waited for.

    Raises:
        StartError: the port is taken.
    """
    found = await asyncio.to_thread(waited_for, config)
    if found is None:
        return
    stopping, board = asyncio.Event(), _Board(found)
    for name in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(name, stopping.set)
    with listen(port) as sock:
        server = ServerInLoop(
            uvicorn.Config(
                board.application(port), log_level="warning", access_log=False, lifespan="off",
                timeout_graceful_shutdown=1,
            )
        )  # fmt: skip
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(server.serve(sockets=[sock]), name="waiting.screen")
            while found is not None and not stopping.is_set():
                if found != board.waiting or not board.is_told:
                    board.waiting, board.is_told = found, True
                    _log.warning("not started: %s", found.detail)
                    if notifier:
                        notifier.status(found.detail)
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(stopping.wait(), LOOK_EVERY_S)
                found = await asyncio.to_thread(waited_for, config)
            server.should_exit = True


class _Board:
    """What is shown, and as what."""

    def __init__(self, waiting: Waiting) -> None:
        self.waiting, self.is_told = waiting, False
        self._page = Page()

    def application(self, port: int) -> FastAPI:
        app = FastAPI(title="Carrel kiosk", docs_url=None, redoc_url=None, openapi_url=None)
        app.add_middleware(Guard, port=port)
        app.add_api_route("/", self._show, methods=["GET"], response_model=None)
        app.add_api_route("/static/{name}", self._asset, methods=["GET"], response_model=None)
        for path in ("/healthz", "/api/state"):
            app.add_api_route(path, self._health, methods=["GET"], response_model=None)
        return app

    async def _show(self) -> HTMLResponse:
        kind = self.waiting.kind
        said = [{"words": one, "title": one.title[kind], "do": one.do[kind]} for one in TABLES.values()]
        return HTMLResponse(
            self._page.waiting_html(
                said=said, kind=kind, detail=self.waiting.detail, release=self.waiting.release,
                footer=f"Carrel {VERSION}",
            )
        )  # fmt: skip

    async def _asset(self, name: str) -> Response:
        asset = self._page.assets.get(name)
        if asset is None:
            return JSONResponse({"error": "There is no such file."}, HTTPStatus.NOT_FOUND)
        return Response(asset.content, media_type=asset.media_type)

    async def _health(self) -> JSONResponse:
        told = {"ok": False, "version": VERSION, "waiting": self.waiting.kind, "release": self.waiting.release}
        return JSONResponse({**told, "error": self.waiting.detail}, HTTPStatus.SERVICE_UNAVAILABLE)
