"""The board: which kiosks are ready."""

from datetime import datetime
from typing import Annotated, Final

from fastapi import APIRouter, Query
from pydantic import AwareDatetime, TypeAdapter

from fleet.api.deps import Fleet, Reader
from fleet.api.kiosks import Cursor
from fleet.api.paging import Page, cursor_of, place_in
from fleet.api.problems import answers
from fleet.errors import BadValue
from fleet.views import KioskView

router: Final = APIRouter(tags=["readiness"])

NOW_WITHIN_S: Final = 60.0
_PLACE: Final = TypeAdapter(tuple[str, str])


class Board(Page[KioskView]):
    """Kiosks as they are at `at`, by campus and id."""

    at: datetime


@router.get("/readiness", operation_id="getReadiness", summary="The board", responses=answers(422))
async def get_readiness(
    fleet: Fleet,
    reader: Reader,
    at: Annotated[AwareDatetime | None, Query(description="Null is now; no other time can be answered yet")] = None,
    cursor: Cursor = None,
    limit: Annotated[int, Query(ge=1, le=1000, description="Items on a page")] = 500,
) -> Board:
    """Every kiosk with its presence, verdict and reasons."""
    now = fleet.clock.now()
    if at is not None and abs((at - now.at).total_seconds()) > NOW_WITHIN_S:
        raise BadValue("at", "only the present can be answered: neither history nor bookings are kept here yet")
    after = place_in(cursor, _PLACE)
    wanted = [view for view in await fleet.kiosks(reader) if after is None or (view.campus, view.id) > after]
    more = (wanted[limit - 1].campus, wanted[limit - 1].id) if len(wanted) > limit else None
    return Board(items=wanted[:limit], next=cursor_of(more), at=now.at)
