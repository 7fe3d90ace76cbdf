"""Incidents: what was wrong, who looks after it, what was tried, who was told."""

import asyncio
from typing import Annotated, Any, Final, Literal

from fastapi import APIRouter, Query
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, StringConstraints, TypeAdapter
from sqlalchemy import Row

from fleet import answering
from fleet.access.roles import Principal, Right
from fleet.api.deps import Answerer, Fleet, Reader, Suppressor, known
from fleet.api.kiosks import Cursor
from fleet.api.paging import Page, cursor_of, place_in
from fleet.api.problems import answers
from fleet.errors import NotFound
from fleet.incident_views import IncidentLine, IncidentView, incident_line, incident_view, notice_view
from fleet.incidents import Incident
from fleet.parts import FleetParts
from fleet.store import incidents as store
from fleet.store import notices as outbox
from wire.ids import Id

router: Final = APIRouter(prefix="/incidents", tags=["incidents"])

_PLACE: Final = TypeAdapter(tuple[int, str])
Reason = Annotated[
    str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200, pattern=r"^[^\x00-\x1f]*$")
]


class Suppress(BaseModel):
    """For how long, and why."""

    model_config = ConfigDict(extra="forbid")

    until: Annotated[AwareDatetime, Field(description="A time that has passed ends the suppression")]
    reason: Annotated[Reason, Field(description="For colleagues; name no student. It goes into no notice.")]


class Report(BaseModel):
    """Something that a person saw."""

    model_config = ConfigDict(extra="forbid")

    kiosk: Id
    kind: Annotated[
        Literal["adult", "other"], Field(description="The room needs an adult, or something else is wrong")
    ] = "other"


@router.get("", operation_id="listIncidents", summary="Incidents, newest first", responses=answers(422))
async def list_incidents(
    fleet: Fleet,
    reader: Reader,
    kiosk: Annotated[str | None, Query(max_length=40, description="Of this kiosk only")] = None,
    campus: Annotated[str | None, Query(max_length=40, description="Of this campus only")] = None,
    *,
    is_open: Annotated[bool | None, Query(alias="open", description="Open ones, or those that are not")] = None,
    cursor: Cursor = None,
    limit: Annotated[int, Query(ge=1, le=200, description="Items on a page")] = 50,
) -> Page[IncidentLine]:
    """By their first opening. One that happens again within seven days is the same one."""
    before = place_in(cursor, _PLACE)

    def read() -> list[Row[Any]]:
        with fleet.database.read() as connection:
            return store.newest(
                connection,
                limit=limit + 1,
                campuses=reader.campuses,
                kiosk=kiosk,
                campus=campus,
                is_open=is_open,
                before=before,
            )

    rows = await asyncio.to_thread(read)
    now = fleet.clock.now().at
    more = (rows[limit - 1].opened_us, rows[limit - 1].id) if len(rows) > limit else None
    items = [incident_line(_freshest(fleet, row), now) for row in rows[:limit]]
    return Page[IncidentLine](items=items, next=cursor_of(more))


@router.get("/{incident}", operation_id="getIncident", summary="One incident", responses=answers(404))
async def get_incident(incident: str, fleet: Fleet, reader: Reader) -> IncidentView:
    """With its timeline, the oldest line first, and its notices, the newest first."""
    return await asyncio.to_thread(read_incident, fleet, reader, incident)


@router.post(
    "/report",
    operation_id="reportIncident",
    summary="Report that something is wrong",
    responses=answers(403, 404, 422, 503),
)
async def report_incident(told: Report, fleet: Fleet, answerer: Answerer) -> IncidentView:
    """One for each kiosk and kind; said again after two minutes, the same people are told again."""
    entry = known(fleet, answerer, told.kiosk)
    one = await asyncio.to_thread(answering.report, fleet, answerer, entry, told.kind)
    return await asyncio.to_thread(read_incident, fleet, answerer, one.id)


@router.post(
    "/{incident}/acknowledge",
    operation_id="acknowledgeIncident",
    summary="Look after an incident",
    responses=answers(403, 404, 409, 503),
)
async def acknowledge_incident(incident: str, fleet: Fleet, answerer: Answerer) -> IncidentView:
    """Nobody further is told. Whoever was first stays; the room hears who answered its call."""
    await asyncio.to_thread(answering.acknowledge, fleet, answerer, incident)
    return await asyncio.to_thread(read_incident, fleet, answerer, incident)


@router.post(
    "/{incident}/suppress",
    operation_id="suppressIncident",
    summary="Take an incident out of verdict and notices for a time",
    responses=answers(403, 404, 409, 422, 503),
)
async def suppress_incident(incident: str, told: Suppress, fleet: Fleet, suppressor: Suppressor) -> IncidentView:
    """It goes on being watched and shown."""
    await asyncio.to_thread(answering.suppress, fleet, suppressor, incident, told.until, told.reason)
    return await asyncio.to_thread(read_incident, fleet, suppressor, incident)


@router.post(
    "/{incident}/resolve",
    operation_id="resolveIncident",
    summary="Say that what a person reported is over",
    responses=answers(403, 404, 409, 503),
)
async def resolve_incident(incident: str, fleet: Fleet, answerer: Answerer) -> IncidentView:
    """A signal's incident resolves itself, and by nothing else."""
    await asyncio.to_thread(answering.resolve, fleet, answerer, incident)
    return await asyncio.to_thread(read_incident, fleet, answerer, incident)


def read_incident(fleet: FleetParts, reader: Principal, id_: str) -> IncidentView:
    """One incident; raises `NotFound` when there is none for this reader."""
    with fleet.database.read() as connection:
        row = store.one(connection, id_)
        if row is None or not reader.sees(row.campus):
            raise NotFound("There is no such incident here.")
        events, told = store.events_of(connection, id_), outbox.of_incident(connection, id_)
    notices = [notice_view(one, with_address=reader.may(Right.NOTICE_ROUTES)) for one in told]
    return incident_view(_freshest(fleet, row), events, notices, fleet.clock.now().at)


def _freshest(fleet: FleetParts, row: Row[Any]) -> Incident:
    """The incident as it is in memory, whose evidence may be a minute newer than the store's."""
    living = fleet.watch.book.find(row.id) if fleet.watch is not None else None
    return living or store.incident_of(row)
