"""Sessions: what a press really delivered."""

import asyncio
from functools import partial
from typing import Annotated, Final, Self, TypeAlias, TypeVar

from fastapi import APIRouter, Query
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, StringConstraints, TypeAdapter, model_validator

from fleet import confirming
from fleet.api.deps import Clinician, Fleet, LedgerReader, Reader
from fleet.api.kiosks import Cursor
from fleet.api.paging import Page, cursor_of, place_in
from fleet.api.problems import answers
from fleet.errors import BadValue, NotFound
from fleet.parts import Place
from fleet.views import SegmentView, SessionLine, SessionView, StillView
from wire.ids import Id

router: Final = APIRouter(prefix="/sessions", tags=["sessions"])

_Note = Annotated[str, StringConstraints(strip_whitespace=True, max_length=200, pattern=r"^[^\x00-\x1f]*$")]
MINUTE_MS: Final = 60_000


class Confirm(BaseModel):
    """What was provided, as a clinician says: `provided_ms`, or `minutes`."""

    model_config = ConfigDict(extra="forbid")

    provided_ms: Annotated[int | None, Field(ge=0, le=confirming.LONGEST_MS, strict=True)] = None
    minutes: Annotated[float | None, Field(ge=0, le=1_440, strict=True, allow_inf_nan=False)] = None
    reason: Annotated[str | None, Field(max_length=40, description="Why it was not as planned; the closed list")] = None
    note: Annotated[_Note | None, Field(description="For colleagues; name no student")] = None
    clinician: Annotated[Id | None, Field(description="For whom a portal confirms; nobody else may say it")] = None

    @model_validator(mode="after")
    def _one_of_both(self) -> Self:
        if (self.provided_ms is None) == (self.minutes is None):
            raise ValueError("give `provided_ms` or `minutes`, one of them")
        return self

    @property
    def ms(self) -> int:
        """Milliseconds."""
        return self.provided_ms if self.provided_ms is not None else round((self.minutes or 0) * MINUTE_MS)


_PLACE: Final = TypeAdapter(Place)
_Limit: TypeAlias = Annotated[int, Query(ge=1, le=200, description="Items on a page")]
T = TypeVar("T")


@router.get("", operation_id="listSessions", summary="Sessions, newest first", responses=answers(422))
async def list_sessions(
    fleet: Fleet,
    reader: Reader,
    kiosk: Annotated[str | None, Query(max_length=40, description="Of this kiosk only")] = None,
    since: Annotated[AwareDatetime | None, Query(alias="from", description="Began at this time or later")] = None,
    until: Annotated[AwareDatetime | None, Query(alias="to", description="Began before this time")] = None,
    cursor: Cursor = None,
    limit: _Limit = 50,
) -> Page[SessionLine]:
    """What is known of each session as of its last row that arrived."""
    if since is not None and until is not None and until < since:
        raise BadValue("to", "is earlier than `from`")
    lines, more = await fleet.sessions_page(
        reader, limit=limit, kiosk=kiosk, since=since, until=until, before=place_in(cursor, _PLACE)
    )
    return Page[SessionLine](items=lines, next=cursor_of(more))


@router.get("/{session}", operation_id="getSession", summary="One session", responses=answers(404))
async def get_session(session: str, fleet: Fleet, reader: Reader) -> SessionView:
    """Minutes, timeline, and whether every row of it is held."""
    view = await fleet.session(reader, session)
    if view is None:
        raise NotFound("There is no such session here.")
    return view


@router.post(
    "/{session}/confirm",
    operation_id="confirmSession",
    summary="Confirm the minutes provided",
    responses=answers(403, 404, 409, 422),
)
async def confirm_session(session: str, told: Confirm, fleet: Fleet, clinician: Clinician) -> SessionView:
    """Kept beside what was recorded; a new confirmation takes the place of the one before, which stays on record."""
    work = partial(confirming.confirm, reason=told.reason, note=told.note or None, clinician=told.clinician)
    await asyncio.to_thread(work, fleet, clinician, session, told.ms)
    return await get_session(session, fleet, clinician)


@router.get(
    "/{session}/stills",
    operation_id="listSessionStills",
    summary="A session's worksheet stills, newest first",
    responses=answers(403, 404, 422),
)
async def list_session_stills(
    session: str,
    fleet: Fleet,
    reader: LedgerReader,
    cursor: Cursor = None,
    limit: _Limit = 50,
) -> Page[StillView]:
    """Their figures; each picture is at its `image`, for those who may see it."""
    found = await fleet.stills_page(reader, session, limit=limit, before=place_in(cursor, _PLACE))
    return _page(Page[StillView], found)


@router.get(
    "/{session}/segments",
    operation_id="listSessionSegments",
    summary="A session's sealed recordings, newest first",
    responses=answers(403, 404, 422),
)
async def list_session_segments(
    session: str,
    fleet: Fleet,
    reader: LedgerReader,
    cursor: Cursor = None,
    limit: _Limit = 50,
) -> Page[SegmentView]:
    """Their figures and what became of them; they are opened with the fleet's keys alone, on its own machine."""
    found = await fleet.segments_page(reader, session, limit=limit, before=place_in(cursor, _PLACE))
    return _page(Page[SegmentView], found)


def _page(page: type[Page[T]], found: tuple[list[T], Place | None] | None) -> Page[T]:
    """What was found of a session, if there is one."""
    if found is None:
        raise NotFound("There is no such session here.")
    items, more = found
    return page(items=items, next=cursor_of(more))
