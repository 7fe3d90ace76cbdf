"""Notices: who was told of what, and who is to be told."""

import asyncio
import json
import uuid
from datetime import datetime, time
from http import HTTPStatus
from typing import Annotated, Any, Final, Self

from fastapi import APIRouter, Query, Response
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, TypeAdapter, model_validator
from sqlalchemy import Row

from fleet.access.roles import Principal, Right
from fleet.addresses import email_fault, url_fault
from fleet.api.deps import Fleet, Reader, RouteKeeper, known_campus
from fleet.api.kiosks import Cursor
from fleet.api.paging import Page, cursor_of, place_in
from fleet.api.problems import answers
from fleet.clock import moment
from fleet.errors import BadValue, NotAllowed, NotFound
from fleet.incident_views import NoticeView, notice_view
from fleet.notices import Channel, Route, To
from fleet.parts import FleetParts
from fleet.store import audit
from fleet.store import notices as store
from wire.ids import Id
from wire.signals import Severity

router: Final = APIRouter(tags=["notices"])

_PLACE: Final = TypeAdapter(tuple[int, str])


def _minute(at: time) -> time:
    if at.tzinfo is not None or at.second or at.microsecond:
        raise ValueError("write it as 17:30, in campus time")
    return at


Minute = Annotated[time, AfterValidator(_minute)]


class AskedRoute(BaseModel):
    """Who is to be told, of what, and how."""

    model_config = ConfigDict(extra="forbid")

    role: Annotated[To, Field(description="As what they are told; it chooses the words")]
    channel: Channel
    campus: Annotated[Id | None, Field(description="Null is every campus")] = None
    kiosk: Annotated[Id | None, Field(description="Of this kiosk's room only")] = None
    person: Annotated[Id | None, Field(description="A point person as the schedule names them")] = None
    address: Annotated[str | None, Field(max_length=500, description="E-mail or https:// address")] = None
    severity: Annotated[Severity, Field(description="Of incidents this bad or worse")] = Severity.ATTENTION
    min_duration_s: Annotated[int, Field(ge=0, le=86_400, description="Of incidents that lasted so long")] = 0
    quiet_from: Annotated[Minute | None, Field(description="From then on nothing leaves, in campus time")] = None
    quiet_until: Minute | None = None
    step: Annotated[int, Field(ge=0, le=9, description="0 is told first, each next one after 3 minutes")] = 0

    @model_validator(mode="after")
    def _fits(self) -> Self:
        for is_so, words in (
            (self.severity is Severity.INFO, "severity: what is only good to know opens no incident"),
            ((self.quiet_from is None) != (self.quiet_until is None), "quiet_from, quiet_until: give both or neither"),
            (
                self.quiet_from is not None and self.quiet_from == self.quiet_until,
                "quiet_until: the same as quiet_from",
            ),
            (
                self.role is To.POINT_PERSON and self.kiosk is None and self.person is None,
                "kiosk, person: a point person is told of a room; name its kiosk, or the person",
            ),
            (self.role is not To.POINT_PERSON and self.person is not None, "person: only point persons have one"),
            (self.channel is Channel.IN_PAGE and self.address is not None, "address: none is needed in-page"),
            (self.channel is not Channel.IN_PAGE and self.address is None, "address: where to?"),
        ):
            if is_so:
                raise ValueError(words)
        return self


class RouteView(AskedRoute):
    """Who is told, of what, and how."""

    id: str
    created_by: str
    created_at: datetime


@router.get("/notices", operation_id="listNotices", summary="Notices, newest first", responses=answers(422))
async def list_notices(
    fleet: Fleet,
    reader: Reader,
    state: Annotated[str | None, Query(pattern="^(queued|sent|failed)$")] = None,
    channel: Channel | None = None,
    cursor: Cursor = None,
    limit: Annotated[int, Query(ge=1, le=200, description="Items on a page")] = 50,
) -> Page[NoticeView]:
    """With their delivery. Addresses are shown to those who may set them."""
    before = place_in(cursor, _PLACE)

    def read() -> list[Row[Any]]:
        with fleet.database.read() as connection:
            return store.newest(
                connection, limit=limit + 1, campuses=reader.campuses, state=state, channel=channel, before=before
            )

    rows = await asyncio.to_thread(read)
    more = (rows[limit - 1].created_us, rows[limit - 1].id) if len(rows) > limit else None
    sees = reader.may(Right.NOTICE_ROUTES)
    items = [notice_view(row, with_address=sees) for row in rows[:limit]]
    return Page[NoticeView](items=items, next=cursor_of(more))


@router.get("/notice-routes", operation_id="listNoticeRoutes", summary="Who is told", responses=answers(403))
async def list_routes(fleet: Fleet, keeper: RouteKeeper) -> Page[RouteView]:
    """The newest first; those of all campuses are shown to everyone who may set any."""

    def read() -> list[Row[Any]]:
        with fleet.database.read() as connection:
            return store.route_rows(connection)

    rows = [row for row in await asyncio.to_thread(read) if row.campus is None or keeper.sees(row.campus)]
    return Page[RouteView](items=[_view(row, keeper) for row in reversed(rows)], next=None)


@router.post(
    "/notice-routes",
    operation_id="addNoticeRoute",
    summary="Let somebody be told",
    status_code=HTTPStatus.CREATED,
    responses=answers(403, 422, 503),
)
async def add_route(asked: AskedRoute, fleet: Fleet, keeper: RouteKeeper) -> RouteView:
    """From now on, also of what is open already."""
    _require_own(keeper, asked.campus)
    _require_reachable(asked, fleet)
    route = Route(id=str(uuid.uuid4()), **asked.model_dump())

    def write() -> Row[Any]:
        now = fleet.clock.now()
        detail = json.dumps(asked.model_dump(mode="json", exclude_defaults=True), ensure_ascii=False)
        with fleet.database.write() as connection:
            store.put_route(connection, route, keeper.name, now.at)
            audit.note(connection, now.at, keeper.name, "notice-route.added", route.id, detail, campus=asked.campus)
            row = next(one for one in store.route_rows(connection) if one.id == route.id)
        _renew(fleet)
        return row

    return _view(await asyncio.to_thread(write), keeper)


@router.delete(
    "/notice-routes/{route}",
    operation_id="removeNoticeRoute",
    summary="Tell somebody no more",
    status_code=HTTPStatus.NO_CONTENT,
    responses=answers(403, 404, 503),
)
async def remove_route(route: str, fleet: Fleet, keeper: RouteKeeper) -> Response:
    """What is in the outbox already still leaves."""

    def write() -> None:
        now = fleet.clock.now()
        with fleet.database.write() as connection:
            row = store.remove_route(connection, route, now.at)
            if row is None or (row.campus is not None and not keeper.sees(row.campus)):
                raise NotFound("There is no such route here.")
            _require_own(keeper, row.campus)
            audit.note(connection, now.at, keeper.name, "notice-route.removed", route, campus=row.campus)
        _renew(fleet)

    await asyncio.to_thread(write)
    return Response(status_code=HTTPStatus.NO_CONTENT)


def _require_own(keeper: Principal, campus: str | None) -> None:
    if campus is None and keeper.campuses is not None:
        raise NotAllowed("A route of every campus is for those who have every campus; name one of yours.")
    if campus is not None:
        known_campus(keeper, campus)


def _require_reachable(asked: AskedRoute, fleet: FleetParts) -> None:
    if asked.channel is Channel.EMAIL:
        if fleet.settings.smtp is None:
            raise BadValue("channel", "this fleet has no mail server; set [smtp] in its settings file first")
        fault = email_fault(asked.address or "")
    elif asked.channel is Channel.WEBHOOK:
        fault = url_fault(asked.address or "", allow_private=fleet.settings.webhook.allow_private)
    else:
        fault = None
    if fault is not None:
        raise BadValue("address", fault)


def _renew(fleet: FleetParts) -> None:
    if fleet.watch is not None:
        fleet.watch.routes_changed()


def _view(row: Any, keeper: Principal) -> RouteView:
    route = store.route_of(row)
    shown = row.campus is not None or keeper.campuses is None
    same = {name: getattr(route, name) for name in AskedRoute.model_fields} | {"id": route.id}
    made = {"created_by": row.created_by, "created_at": moment(row.created_us)}
    # What was good when it was set is shown as it is, whatever the rules became.
    return RouteView.model_construct(**(same if shown else same | {"address": None}), **made)
