"""The page for the school's firewall team, `/netcheck`, and the same as JSON: what to let out, and what was found."""

from typing import Protocol

from fastapi import FastAPI
from fastapi.responses import HTMLResponse, JSONResponse
from starlette.exceptions import HTTPException

from device.netcheck.rows import Mark, Result
from device.netcheck.run import needed_bps
from device.netcheck.text import rules, untouched
from device.screen.page import Page
from device.settings import Settings

_WORDS = {Mark.OK: "good", Mark.TROUBLE: "trouble", Mark.UNKNOWN: "not known"}


class Network(Protocol):
    """What was found of the network."""

    result: Result | None


class NetcheckPage:
    """The page and its address.

    Args:
        settings: the kiosk's.
        network: what the agent found last; None where nobody looks.
        page: the templates.
    """

    def __init__(self, settings: Settings, network: Network | None, page: Page) -> None:
        self._settings, self._network, self._page = settings, network, page

    def add_to(self, app: FastAPI) -> None:
        """Serve it."""
        app.add_api_route("/netcheck", self._show, methods=["GET"], response_model=None)
        app.add_api_route("/api/netcheck", self._told, methods=["GET"], response_model=None)

    async def _show(self) -> HTMLResponse:
        return HTMLResponse(
            self._page.netcheck_html(
                place=self._settings.place,
                rules=rules(self._settings),
                untouched=untouched(self._settings),
                needed_bps=needed_bps(self._settings),
                result=self._network.result if self._network else None,
                words=_WORDS,
            )
        )

    async def _told(self) -> JSONResponse:
        result = self._network.result if self._network else None
        if result is None:
            raise HTTPException(404, "The network has not been looked at yet.")
        return JSONResponse(result.json())
