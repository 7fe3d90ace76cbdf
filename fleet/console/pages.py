"""The console's addresses: the board, a kiosk, a session, the streams that renew them, and the static files."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, tzinfo
from functools import partial
from http import HTTPStatus
from typing import Annotated, Any, Final

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import HTMLResponse, Response, StreamingResponse
from starlette.staticfiles import StaticFiles

from fleet.access.roles import Right, Role
from fleet.access.web import Principal, signed_in
from fleet.api.deps import fleet, time_of
from fleet.clock import Clock
from fleet.console.board import Board, Question, board, row
from fleet.console.closed import closed_words
from fleet.console.confirming import confirming
from fleet.console.events import Shown, Watched, event, stream
from fleet.console.incidents import row as incident_row
from fleet.console.kiosk import facts, signal_rows
from fleet.console.notices import Shown as Corner
from fleet.console.render import STATIC, hh_mm, iso, markup, offset_s, page, query, render_problem, render_sign_in
from fleet.console.standing import Standing, standing
from fleet.console.story import story
from fleet.console.today_events import NOT_HELD, day_of
from fleet.console.today_events import Shown as Today
from fleet.console.vitals import vitals
from fleet.console.words import ago
from fleet.console.worksheet import can_be_asked, sheet, sheets
from fleet.in_page import open_incidents
from fleet.parts import FleetParts
from fleet.times import day
from fleet.views import KioskView, SessionView

__all__ = ["Reader", "live", "render_problem", "render_sign_in", "router", "tick"]

SESSIONS_SHOWN: Final = 10
"""So many of a kiosk's newest sessions have their timeline on its page."""

ZONE: Final[tzinfo | None] = None
"""Times are shown in the zone of the machine that serves the fleet; pages name it."""


def _asked(q: str = "", show: str = "", page: Annotated[int, Query(ge=1)] = 1) -> Question:
    return Question(q.strip()[:80], Standing(show) if show in set(Standing) else None, page)


Reader = Annotated[Principal, Depends(signed_in)]
Asked = Annotated[Question, Depends(_asked)]
router: Final = APIRouter(include_in_schema=False)


@router.get("/")
async def read_board(request: Request, reader: Reader, question: Asked) -> HTMLResponse:
    """The board."""
    now = time_of(request)
    found = await _board(fleet(request), reader, question, now)
    events = "/events" + query(found.question, page=found.question.page)[1:]
    day = await day_of(fleet(request), reader, now) if _begins_with_today(reader, question) else None
    return page("board.html", board=found, today=day, not_held=NOT_HELD, **live("board", events, reader, now))


@router.get("/kiosks/{kiosk_id}")
async def read_kiosk(request: Request, kiosk_id: str, reader: Reader, *, fragment: bool = False) -> HTMLResponse:
    """One kiosk: how it is, its signals, sessions and vitals."""
    kiosk = await fleet(request).kiosk(reader, kiosk_id)
    if kiosk is None:
        return _no_kiosk(request)
    lines = await fleet(request).sessions(reader, kiosk=kiosk_id, limit=SESSIONS_SHOWN)
    sessions = [await fleet(request).session(reader, line.id) for line in lines]
    now = time_of(request)
    told = live("kiosk", f"/events?kiosk={kiosk_id}", reader, now)
    told |= _about(kiosk, [one for one in sessions if one is not None], now)
    found = open_incidents(fleet(request), reader, kiosk_id)
    told["incidents"] = [incident_row(one, kiosk.room, now, ZONE) for one in found]
    told |= {"may_answer": reader.may(Right.ANSWER), "may_suppress": reader.may(Right.SUPPRESS)}
    told["may_ask_still"] = _may_see_stills(reader) and can_be_asked(kiosk)
    return page("_kiosk.html" if fragment else "kiosk.html", **told)


@router.get("/sessions/{session_id}")
async def read_session(request: Request, session_id: str, reader: Reader, *, fragment: bool = False) -> HTMLResponse:
    """One session: its timeline, its figures and how complete its record is."""
    session = await fleet(request).session(reader, session_id)
    kiosk = None if session is None else await fleet(request).kiosk(reader, session.kiosk)
    if session is None or kiosk is None:
        detail = "No session with this address is known here, or it belongs to a campus that is not yours."
        return render_problem(request, HTTPStatus.NOT_FOUND, "No such session", detail)
    stills = await fleet(request).stills_page(reader, session_id) if reader.may(Right.READ_LEDGER) else None
    is_current = kiosk.session is not None and kiosk.session.id == session_id
    now = time_of(request)
    told = live("session", f"/events?kiosk={session.kiosk}", reader, now) | {
        "may_ask_still": _may_see_stills(reader) and is_current and can_be_asked(kiosk),
        "sheets": sheets(stills[0], now, ZONE) if stills else (),
        "one": story(session, kiosk, now, ZONE),
        "confirming": confirming(
            session.confirmations, now, ZONE, ended=session.state == "ended", may=reader.may(Right.CONFIRM)
        ),
        "last_row_at": None if session.age_s is None else ago(session.age_s, now),
    }
    return page("_session.html" if fragment else "session.html", **told)


@router.get("/stills/{still_id}")
async def read_still(request: Request, still_id: str, reader: Reader) -> HTMLResponse:
    """One worksheet, with its millimetres where it has a scale; the API gives the picture and writes that down."""
    if not reader.may(Right.READ_LEDGER):
        detail = "Your role does not include worksheets."
        return render_problem(request, HTTPStatus.FORBIDDEN, "Not allowed", detail)
    still = await fleet(request).still(reader, still_id)
    if still is None:
        detail = "No worksheet with this address is known here, or it belongs to a campus that is not yours."
        return render_problem(request, HTTPStatus.NOT_FOUND, "No such worksheet", detail)
    now = time_of(request)
    shown = sheet(still, now, ZONE, may_see=reader.may(Right.VIEW_STILLS))
    return page("still.html", sheet=shown, **live("still", "", reader, now))


@router.get("/events")
async def read_events(request: Request, reader: Reader, question: Asked, kiosk: str | None = None) -> Response:
    """What changes on the board that answers `question`, or on one kiosk's page, as server-sent events."""
    source, corner = fleet(request), Corner()
    if kiosk is None:
        shown, of_today = _shown(may_command=_may_command(reader)), Today()

        async def look() -> list[str]:
            now = source.clock.now().at
            news = shown.news(await _board(source, reader, question, now), now)
            if _begins_with_today(reader, question):
                news = [*of_today.news(await day_of(source, reader, now), now), *news]
            return [*news, *corner.news(source, reader)]

        text = stream(source.subscribe(), look, partial(tick, source.clock))
    elif await source.kiosk(reader, kiosk) is None:
        return _no_kiosk(request)
    else:
        watched = Watched(kiosk)

        async def look() -> list[str]:
            view = await source.kiosk(reader, kiosk)
            state = view and (standing(view), view.session and view.session.state)
            return [*(watched.news(state) if view else []), *corner.news(source, reader)]

        text = stream(watched.among(source.subscribe()), look, partial(tick, source.clock))
    headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
    return StreamingResponse(text, media_type="text/event-stream", headers=headers)


@router.get("/static/{path:path}")
async def read_static(request: Request, path: str) -> Response:
    """Styles, scripts and icons: asked for anew each time, answered from the browser's copy while that is current."""
    answer = await _FILES.get_response(path, request.scope)
    answer.headers["Cache-Control"] = "no-cache"
    return answer


_FILES: Final = StaticFiles(directory=STATIC)


async def _board(source: FleetParts, reader: Principal, question: Question, now: datetime) -> Board:
    """The board, with what campuses close early just now: therapists are told there, without a reload."""
    found = board(await source.kiosks(reader), question, now, ZONE)
    return replace(found, closed=closed_words(await source.closures(reader), now, ZONE))


def _begins_with_today(reader: Principal, question: Question) -> bool:
    """Whether the bookings of the day stand first on this reader's landing page."""
    return reader.role is Role.THERAPIST and not question.words and question.show is None and question.page == 1


def live(kind: str, events: str, reader: Principal, now: datetime) -> dict[str, Any]:
    """What every page that renews itself needs."""
    return {
        "kind": kind,
        "events": events,
        "who": reader.name,
        "may_command": _may_command(reader),
        "now": now,
        "zone": ZONE,
    }


def _about(kiosk: KioskView, sessions: Sequence[SessionView], now: datetime) -> dict[str, Any]:
    return {
        "kiosk": kiosk,
        "row": row(kiosk, now, ZONE),
        "signals": signal_rows(kiosk.signals, now, ZONE),
        "stories": [story(one, kiosk, now, ZONE) for one in sessions],
        "vitals": vitals(kiosk.health),
        "health_at": None if kiosk.health_age_s is None else ago(kiosk.health_age_s, now),
        "facts": facts(kiosk),
    }


def _shown(*, may_command: bool) -> Shown:
    return Shown(
        render_row=lambda row, now: markup("_row.html", row=row, now=now, may_command=may_command),
        render_summary=lambda found: markup("_summary.html", board=found),
        render_showing=lambda found: markup("_showing.html", board=found),
    )


def tick(clock: Clock) -> str:
    """The event that says that a stream lives, and the fleet's time."""
    now = clock.now().at
    told = {"now": iso(now), "offset_s": offset_s(now, ZONE), "day": f"{day(now, ZONE)}, {hh_mm(now, ZONE)}"}
    return event("tick", told)


def _no_kiosk(request: Request) -> HTMLResponse:
    detail = "No kiosk with this name is known here, or it belongs to a campus that is not yours."
    return render_problem(request, HTTPStatus.NOT_FOUND, "No such kiosk", detail)


def _may_command(reader: Principal) -> bool:
    return reader.may_command


def _may_see_stills(reader: Principal) -> bool:
    """Whether asking for a worksheet leads this reader anywhere."""
    return reader.may_command and reader.may(Right.VIEW_STILLS)
