"""A made-up district behind the real console: the questions that pages ask of a fleet, answered from two lists."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress

from fastapi import FastAPI, Request, Response
from starlette.exceptions import HTTPException

from fleet.access.roles import Principal, Role
from fleet.access.web import signed_in
from fleet.clock import SystemClock
from fleet.console.pages import render_problem, render_sign_in, router
from fleet.live import Changes
from fleet.roll import Roll
from fleet.store.campuses import Closure
from fleet.views import KioskView, SessionLine, SessionView, StillView

IT = Principal("ada", Role.IT, None)
CSP = "default-src 'self'; img-src 'self' data:; style-src 'self'; script-src 'self'"


class District:
    """Kiosks and sessions that a test sets, and the changes it tells of."""

    def __init__(self, kiosks: list[KioskView], sessions: list[SessionView] | None = None) -> None:
        self.all_kiosks = {kiosk.id: kiosk for kiosk in kiosks}
        self.all_sessions = {session.id: session for session in sessions or []}
        self.all_stills: dict[str, StillView] = {}
        self.all_closures: list[Closure] = []
        self.changes = Changes()
        self.watch = None
        self.clock = SystemClock()

    def put(self, kiosk: KioskView) -> None:
        """The kiosk is like this from now on; may be called from any thread."""
        self.all_kiosks[kiosk.id] = kiosk
        self.changes.tell([kiosk.id])

    def subscribe(self) -> AsyncIterator[set[str]]:
        return self.changes.subscribe()

    async def kiosks(self, principal: Principal) -> list[KioskView]:
        return [kiosk for kiosk in self.all_kiosks.values() if principal.sees(kiosk.campus)]

    async def kiosk(self, principal: Principal, kiosk: str) -> KioskView | None:
        found = self.all_kiosks.get(kiosk)
        return found if found and principal.sees(found.campus) else None

    async def sessions(self, principal: Principal, kiosk: str | None = None, limit: int = 50) -> list[SessionLine]:
        found = [one for one in self.all_sessions.values() if one.kiosk == kiosk and principal.sees(one.campus)]
        return list(found[:limit])

    async def closures(self, principal: Principal) -> list[Closure]:
        return [one for one in self.all_closures if principal.sees(one.campus)]

    async def stills_page(
        self, principal: Principal, session: str
    ) -> tuple[list[StillView], tuple[int, str] | None] | None:
        return [one for one in self.all_stills.values() if one.session == session and principal.sees(one.campus)], None

    async def still(self, principal: Principal, id_: str) -> StillView | None:
        found = self.all_stills.get(id_)
        return found if found and principal.sees(found.campus) else None

    async def session(self, principal: Principal, session: str) -> SessionView | None:
        found = self.all_sessions.get(session)
        return found if found and principal.sees(found.campus) else None


def console(district: District, principal: Principal = IT) -> FastAPI:
    """The console alone, for someone who is signed in, under the policy that the fleet's own app sends."""

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        ticker = asyncio.create_task(district.changes.run(Roll(), SystemClock()))
        yield
        ticker.cancel()
        with suppress(asyncio.CancelledError):
            await ticker

    app = FastAPI(lifespan=lifespan)
    app.state.fleet = district
    app.dependency_overrides[signed_in] = lambda: principal

    @app.middleware("http")
    async def policy(request: Request, call_next: Callable[[Request], Awaitable[Response]]) -> Response:
        answer = await call_next(request)
        answer.headers["Content-Security-Policy"] = CSP
        return answer

    @app.exception_handler(HTTPException)
    async def problem(request: Request, error: HTTPException) -> Response:
        return render_problem(request, error.status_code, "Not found", "There is nothing at this address.")

    @app.get("/sign-in")
    def sign_in(request: Request) -> Response:
        return render_sign_in(request)

    app.include_router(router)
    return app
