"""The page on which the cameras are set up, `/commission`, and what it asks: begin, confirm, exchange, end."""

from collections.abc import Callable
from http import HTTPStatus
from typing import Literal, Protocol

from fastapi import FastAPI, Request
from fastapi.responses import HTMLResponse, JSONResponse
from pydantic import BaseModel, ConfigDict
from starlette.exceptions import HTTPException

from device.aim import Progress
from device.errors import KioskError, PlacementUnwritable
from device.placement import Person
from device.screen.asking import asked
from device.screen.page import Page
from device.screen.setup_view import setup_view
from device.snapshot import Snapshot


class CameraSetup(Protocol):
    """What goes on when somebody sets the cameras up."""

    def begin(self) -> None: ...

    def look(self) -> Progress:
        """How it goes; as long as somebody asks, it goes on."""

    async def confirm(self, by: Person) -> None: ...

    async def exchange(self, by: Person) -> None: ...

    def end(self) -> None: ...


class SetupAsked(BaseModel):
    """What somebody wants, and in which role."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    do: Literal["begin", "confirm", "exchange", "end"]
    by: Person = "it"


class SetupPage:
    """The page and its addresses.

    Args:
        setup: what goes on.
        page: the templates and files.
        snapshot: the kiosk now.
        language: of the page, now.
    """

    def __init__(
        self, setup: CameraSetup, page: Page, snapshot: Callable[[], Snapshot], language: Callable[[], str]
    ) -> None:
        self._setup, self._page, self._snapshot, self._language = setup, page, snapshot, language

    def add_to(self, app: FastAPI) -> None:
        """Serve it."""
        app.add_api_route("/commission", self._show, methods=["GET"], response_model=None)
        app.add_api_route("/api/commission", self._told, methods=["GET"], response_model=None)
        app.add_api_route("/api/commission", self._do, methods=["POST"], response_model=None)

    async def _show(self) -> HTMLResponse:
        return HTMLResponse(self._page.setup_html(self._view(), self._language()))

    async def _told(self) -> JSONResponse:
        return JSONResponse(self._view())

    async def _do(self, request: Request) -> JSONResponse:
        wanted = await asked(SetupAsked, request)
        try:
            match wanted.do:
                case "begin":
                    self._setup.begin()
                case "confirm":
                    await self._setup.confirm(wanted.by)
                case "exchange":
                    await self._setup.exchange(wanted.by)
                case "end":
                    self._setup.end()
        except PlacementUnwritable as error:
            raise HTTPException(HTTPStatus.INSUFFICIENT_STORAGE, str(error)) from error
        except KioskError as error:
            raise HTTPException(HTTPStatus.CONFLICT, str(error)) from error
        return await self._told()

    def _view(self) -> dict[str, object]:
        return setup_view(self._setup.look(), self._snapshot().setup, self._language())
