"""The service's HTTP side: API, console, sign-in and operations in one application."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from importlib.metadata import version
from typing import Final

from fastapi import APIRouter, FastAPI

from fleet.access.web import router as sign_in_router
from fleet.api import (
    audit,
    board,
    booking_acts,
    bookings,
    campuses,
    commands,
    enrolment,
    imports,
    incidents,
    kiosks,
    notices,
    operations,
    problems,
    sessions,
    stills,
    students,
    uploads,
)
from fleet.api import health as health_scores
from fleet.api.openapi import tidy
from fleet.console.incident_pages import router as incidents_router
from fleet.console.pages import router as console_router
from fleet.console.schedule import router as schedule_router
from fleet.console.today_pages import router as today_router
from fleet.guard import Guard
from fleet.parts import FleetParts

_DESCRIPTION: Final = (
    "What kiosks say and what sessions really delivered. Send `Authorization: Bearer …`. Lists come in pages: "
    "`items` and `next`. Ages are in seconds; null is `never` or `not known`. Errors are RFC 9457 problem details."
)


def create_app(parts: FleetParts) -> FastAPI:
    """The application over these parts; while it lives, it tells readers what changes."""

    @asynccontextmanager
    async def living(_app: FastAPI) -> AsyncIterator[None]:
        ticking = asyncio.create_task(parts.changes.run(parts.roll, parts.clock), name="fleet.changes")
        try:
            yield
        finally:
            parts.changes.close()
            ticking.cancel()
            with suppress(asyncio.CancelledError):
                await ticking

    app = FastAPI(
        title="Carrel fleet",
        version=version("carrel"),
        description=_DESCRIPTION,
        lifespan=living,
        openapi_url="/api/v1/openapi.json",
        docs_url=None,  # they load scripts from elsewhere, which our own policy forbids
        redoc_url=None,
    )
    app.state.fleet = parts
    app.openapi = lambda: tidy(app)  # type: ignore[method-assign]  # the way FastAPI names for it
    problems.install(app)
    api = APIRouter(prefix="/api/v1")
    for router in (kiosks.router, commands.router, sessions.router, stills.router, board.router, audit.router):
        api.include_router(router)
    more = (imports.router, bookings.router, booking_acts.router, campuses.router, students.router, uploads.router)
    for router in (*more, enrolment.router, incidents.router, notices.router, health_scores.router):
        api.include_router(router)
    app.include_router(api)
    app.include_router(operations.router)
    app.include_router(sign_in_router)
    app.include_router(schedule_router)
    app.include_router(today_router)
    app.include_router(console_router)
    app.include_router(incidents_router)
    app.add_middleware(Guard, settings=parts.settings)
    return app
