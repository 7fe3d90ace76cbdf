"""The board: for each booking of a day, whether its kiosk will be ready, and what would have to change."""

import asyncio
from datetime import datetime, timedelta
from typing import Annotated, Final

from fastapi import APIRouter, Query, Response
from pydantic import AwareDatetime, TypeAdapter

from fleet.api.deps import Fleet, Reader
from fleet.api.kiosks import Cursor
from fleet.api.paging import Page, cursor_of, place_in
from fleet.api.problems import answers
from fleet.days import place
from fleet.errors import BadValue
from fleet.forecast_views import ForecastView
from wire.schedule import SCHEDULE_DAYS

router: Final = APIRouter(tags=["readiness"])

BEFORE: Final = timedelta(days=7)
AHEAD: Final = timedelta(days=SCHEDULE_DAYS)
_PLACE: Final = TypeAdapter(tuple[AwareDatetime, str, str])


class Board(Page[ForecastView]):
    """The bookings of the campus day in which `at` lies, as they stand `now`, by start."""

    at: datetime
    now: datetime


@router.get(
    "/readiness", operation_id="getReadiness", summary="The board", response_model=Board, responses=answers(422)
)
async def get_readiness(
    fleet: Fleet,
    reader: Reader,
    at: Annotated[AwareDatetime | None, Query(description="Of the day in which this lies; null is today")] = None,
    campus: Annotated[str | None, Query(max_length=40, description="Of this campus only")] = None,
    therapist: Annotated[str | None, Query(max_length=40, description="Of this therapist only")] = None,
    cursor: Cursor = None,
    limit: Annotated[int, Query(ge=1, le=1000, description="Items on a page")] = 500,
) -> Response:
    """Each with its verdict, the reasons in words, the evidence's age, and what would have to change."""
    now = fleet.clock.now()
    asked = at or now.at
    if not now.at - BEFORE <= asked <= now.at + AHEAD:
        raise BadValue("at", f"only the {BEFORE.days} days before now and the {AHEAD.days} after can be answered")
    after = place_in(cursor, _PLACE)
    found = await asyncio.to_thread(fleet.days.day, reader, asked, now, therapist)
    wanted = [one for one in found if campus in {None, one.campus} and (after is None or place(one) > after)]
    last = place(wanted[limit - 1]) if len(wanted) > limit else None
    more = None if last is None else (last[0].isoformat(), *last[1:])
    board = Board(items=wanted[:limit], next=cursor_of(more), at=asked, now=now.at)
    return Response(board.model_dump_json(), media_type="application/json")  # once: to be checked again takes longer
