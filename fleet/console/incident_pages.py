"""The console's pages of incidents and notices, and the stream that renews them."""

import asyncio
from functools import partial
from http import HTTPStatus
from typing import Any, Final

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, Response, StreamingResponse

from fleet.access.roles import Principal, Right
from fleet.api.deps import fleet, time_of
from fleet.api.incidents import read_incident
from fleet.console.events import Watched, stream
from fleet.console.incidents import deliveries, lines, row
from fleet.console.notices import Shown
from fleet.console.pages import ZONE, Reader, live, tick
from fleet.console.render import page, render_problem
from fleet.errors import NotFound
from fleet.in_page import READS, open_incidents
from fleet.incident_views import IncidentLine, NoticeView, incident_line, notice_view
from fleet.notices import Channel
from fleet.parts import FleetParts
from fleet.store import incidents as store
from fleet.store import notices as outbox

OPEN_SHOWN: Final = 100
OVER_SHOWN: Final = 20
NOTICES_SHOWN: Final = 50

router: Final = APIRouter(include_in_schema=False)


@router.get("/incidents")
async def read_incidents(request: Request, reader: Reader, *, fragment: bool = False) -> HTMLResponse:
    """Open ones first, those that nobody looks after before the others; then what is over."""
    source, now = fleet(request), time_of(request)
    found = open_incidents(source, reader)
    over = await asyncio.to_thread(_over, source, reader)
    told = live("incidents", "/incidents/events", reader, now) | {
        "rows": [row(one, _room(source, one.kiosk), now, ZONE) for one in found[:OPEN_SHOWN]],
        "more": max(0, len(found) - OPEN_SHOWN),
        "over": [row(one, _room(source, one.kiosk), now, ZONE) for one in over],
        **_rights(reader),
    }
    return page("_incidents.html" if fragment else "incidents.html", **told)


@router.get("/incidents/events")
async def read_incident_events(request: Request, reader: Reader) -> Response:
    """Says that the pages of incidents and notices have news, as server-sent events."""
    source = fleet(request)
    shown, watched = Shown(), Watched("")

    async def look() -> list[str]:
        state = await asyncio.to_thread(_state, source, reader)
        return [*watched.news(state), *shown.news(source, reader)]

    text = stream(source.subscribe(), look, partial(tick, source.clock))
    headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
    return StreamingResponse(text, media_type="text/event-stream", headers=headers)


@router.get("/incidents/{incident_id}")
async def read_one(request: Request, incident_id: str, reader: Reader, *, fragment: bool = False) -> HTMLResponse:
    """One incident: its timeline, its evidence, and who was told."""
    source, now = fleet(request), time_of(request)
    try:
        one = await asyncio.to_thread(read_incident, source, reader, incident_id)
    except NotFound:
        detail = "No incident with this address is known here, or it belongs to a campus that is not yours."
        return render_problem(request, HTTPStatus.NOT_FOUND, "No such incident", detail)
    rooms = {one.kiosk: _room(source, one.kiosk)}
    told = live("incident", "/incidents/events", reader, now) | {
        "one": row(one, rooms[one.kiosk], now, ZONE),
        "lines": lines(one.timeline, now, ZONE),
        "deliveries": deliveries(one.notices, rooms, now, ZONE),
        **_rights(reader),
    }
    return page("_incident.html" if fragment else "incident.html", **told)


@router.get("/notices")
async def read_notices(request: Request, reader: Reader, *, fragment: bool = False) -> HTMLResponse:
    """The reader's inbox, and for IT what left by mail and webhook."""
    source, now = fleet(request), time_of(request)
    found, left = await asyncio.to_thread(_notices, source, reader)
    rooms = {one.kiosk: _room(source, one.kiosk) for one in (*found, *left) if one.kiosk}
    waiting = {one.id for one in open_incidents(source, reader) if one.acknowledged_at is None}
    told = live("notices", "/incidents/events", reader, now) | {
        "inbox": deliveries(found, rooms, now, ZONE),
        "left": deliveries(left, rooms, now, ZONE),
        "waiting": waiting,
        **_rights(reader),
    }
    return page("_notices.html" if fragment else "notices.html", **told)


def _over(source: FleetParts, reader: Principal) -> list[IncidentLine]:
    now = source.clock.now().at
    with source.database.read() as connection:
        rows = store.newest(connection, limit=OVER_SHOWN, campuses=reader.campuses, is_open=False)
    found = [incident_line(store.incident_of(one), now) for one in rows]
    return sorted(found, key=lambda one: one.resolved_at or one.since, reverse=True)


def _notices(source: FleetParts, reader: Principal) -> tuple[list[NoticeView], list[NoticeView]]:
    sees = reader.may(Right.NOTICE_ROUTES)
    roles = {one.value for one in READS[reader.role]}
    with source.database.read() as connection:
        pages = outbox.newest(
            connection, limit=NOTICES_SHOWN, campuses=reader.campuses, channel=Channel.IN_PAGE, to_roles=roles
        )
        left = outbox.newest(connection, limit=NOTICES_SHOWN, campuses=reader.campuses, not_channel=Channel.IN_PAGE)
    return (
        [notice_view(one, with_address=sees) for one in pages],
        [notice_view(one, with_address=sees) for one in left] if sees else [],
    )


def _state(source: FleetParts, reader: Principal) -> tuple[Any, ...]:
    """What the pages would show differently: incidents as they are in memory, and the newest notices' delivery."""
    found = open_incidents(source, reader)
    with source.database.read() as connection:
        sent = outbox.newest(connection, limit=NOTICES_SHOWN, campuses=reader.campuses)
    return (
        tuple(
            (one.id, one.opening, one.acknowledged_at, one.suppression, one.flaps, one.remedy, one.severity)
            for one in found
        ),
        tuple((one.id, one.state, one.attempts) for one in sent),
    )


def _rights(reader: Principal) -> dict[str, bool]:
    return {"may_answer": reader.may(Right.ANSWER), "may_suppress": reader.may(Right.SUPPRESS)}


def _room(source: FleetParts, kiosk: str) -> str | None:
    entry = source.roll.get(kiosk)
    return entry.readiness.room if entry is not None and entry.readiness is not None else None
