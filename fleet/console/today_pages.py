"""The therapist's board as a page of its own; for a therapist it also stands first on the landing page."""

from functools import partial
from typing import Annotated, Final
from urllib.parse import urlencode

from fastapi import APIRouter, Query, Request
from fastapi.responses import HTMLResponse, Response, StreamingResponse

from fleet.api.deps import fleet, time_of
from fleet.console.events import stream
from fleet.console.notices import Shown as Corner
from fleet.console.pages import Reader, live, tick
from fleet.console.render import page
from fleet.console.today_events import NOT_HELD, Shown, day_of

router: Final = APIRouter(include_in_schema=False)

Whose = Annotated[str | None, Query(alias="therapist", max_length=40)]


@router.get("/today")
async def read_today(request: Request, reader: Reader, whose: Whose = None) -> HTMLResponse:
    """Today's bookings alone, on request those of one therapist."""
    now = time_of(request)
    found = await day_of(fleet(request), reader, now, whose)
    events = "/today/events" + (f"?{urlencode({'therapist': whose})}" if whose else "")
    return page("today.html", today=found, not_held=NOT_HELD, **live("today", events, reader, now))


@router.get("/today/events")
async def read_today_events(request: Request, reader: Reader, whose: Whose = None) -> Response:
    """What changes on that page, as server-sent events."""
    source, shown, corner = fleet(request), Shown(), Corner()

    async def look() -> list[str]:
        now = source.clock.now().at
        news = shown.news(await day_of(source, reader, now, whose), now)
        return [*news, *corner.news(source, reader)]

    headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
    text = stream(source.subscribe(), look, partial(tick, source.clock))
    return StreamingResponse(text, media_type="text/event-stream", headers=headers)
