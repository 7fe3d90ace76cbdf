"""Files of bookings and mandates: read whole, or refused with every line that does not fit."""

import asyncio
from dataclasses import asdict
from typing import Annotated, Any, Final

from fastapi import APIRouter, Query, Request
from pydantic import BaseModel, Field

from fleet.access.roles import Principal
from fleet.api.campuses import Campus
from fleet.api.deps import Fleet, Planner, known_campus
from fleet.api.problems import answers
from fleet.errors import Refused
from fleet.importing import CALENDAR, CSV, Imported, Importer
from fleet.parts import FleetParts
from wire.ids import Id

router: Final = APIRouter(tags=["imports"])

_FILE: Final[dict[str, Any]] = {
    "requestBody": {
        "required": True,
        "content": {kind: {"schema": {"type": "string", "format": "binary"}} for kind in (CSV, CALENDAR)},
    }
}
_LIST: Final[dict[str, Any]] = {
    "requestBody": {"required": True, "content": {CSV: {"schema": {"type": "string", "format": "binary"}}}}
}


class OtherType(Refused):
    """A body of a kind that is not read here."""

    status = 415
    title = "Another kind of file"


class ImportView(BaseModel):
    """What became of a file; the same file again is all unchanged."""

    rows: int
    added: int
    changed: int
    unchanged: int
    notes: list[str] = Field(description="What was left as it is, and why")


@router.put(
    "/bookings/import",
    operation_id="importBookings",
    summary="Import bookings",
    responses=answers(403, 404, 413, 415, 422),
    openapi_extra=_FILE,
)
async def import_bookings(
    request: Request,
    fleet: Fleet,
    planner: Planner,
    campus: Annotated[Id | None, Query(description="Where rooms are looked for; null is all of the reader's")] = None,
) -> ImportView:
    """A CSV list or an iCalendar file; on any bad row nothing is imported, and every bad row is named."""
    kind = _kind(request, (CSV, CALENDAR))
    data = await request.body()
    importer = _importer(fleet, planner, campus)
    made = await asyncio.to_thread(importer.bookings, data, kind, fleet.clock.now())
    fleet.days.stale()
    fleet.changes.tell({entry.id for entry in fleet.roll.entries() if planner.sees(entry.campus)} if made.added else ())
    return _view(made)


@router.put(
    "/campuses/{campus}/mandates/import",
    operation_id="importMandates",
    summary="Import mandates",
    responses=answers(403, 404, 413, 415, 422),
    openapi_extra=_LIST,
)
async def import_mandates(campus: Campus, request: Request, fleet: Fleet, planner: Planner) -> ImportView:
    """A CSV list `student,minutes,per,from,until`; `per` is week or month."""
    known_campus(planner, campus)
    _kind(request, (CSV,))
    data = await request.body()
    return _view(await asyncio.to_thread(_importer(fleet, planner, campus).mandates, data, fleet.clock.now()))


def _importer(fleet: FleetParts, planner: Principal, campus: str | None) -> Importer:
    if campus is not None:
        known_campus(planner, campus)
    return Importer(fleet.database, fleet.roll, planner, fleet.settings.time_zone, campus)


def _kind(request: Request, known: tuple[str, ...]) -> str:
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind not in known:
        raise OtherType(f"Send it with Content-Type: {' or '.join(known)}.")
    return kind


def _view(made: Imported) -> ImportView:
    return ImportView.model_validate(asdict(made))
