"""How kiosks come to an identity, renew it and lose it."""

import asyncio
from datetime import datetime
from http import HTTPStatus
from typing import Annotated, Any, Final, Literal

from fastapi import APIRouter, Query, Request, Response
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter
from sqlalchemy import Row

from fleet import enrolling
from fleet.api.deps import Enroller, Fleet, known, known_campus
from fleet.api.kiosks import Cursor
from fleet.api.paging import Page, cursor_of, place_in
from fleet.api.problems import answers
from fleet.clock import moment
from fleet.errors import NotAllowed, TooMany
from fleet.store import audit
from fleet.store import claims as store
from wire.claims import Claim, EnrolAnswer, EnrolAsk, RenewAsk, code_of

router: Final = APIRouter(tags=["enrolment"])

_PLACE: Final = TypeAdapter(tuple[int, str])


class NewClaims(BaseModel):
    """What tokens allow, by their hashes; the tokens stay with whoever made them."""

    model_config = ConfigDict(extra="forbid")

    claims: Annotated[list[Claim], Field(min_length=1, max_length=2_000)]


class ClaimsKept(BaseModel):
    """What became of them."""

    added: int
    unchanged: int


class EnrolmentView(BaseModel):
    """A kiosk that asked."""

    id: str
    code: str = Field(description="The same on the kiosk's screen")
    campus: str
    kiosk: str
    serial: str
    state: Literal["pending", "approved", "refused"]
    reason: str | None
    signed: bool
    asked_at: datetime
    decided_by: str | None


@router.post(
    "/enrolment", operation_id="enrol", summary="Ask for an identity with a claim",
    responses=answers(403, 422, 429, 503),
)  # fmt: skip
async def enrol(ask: EnrolAsk, fleet: Fleet, request: Request) -> EnrolAnswer:
    """Needs no sign-in, but a claim. Ask again word for word until it is approved or refused."""
    client, now = request.client.host if request.client else "unknown", fleet.clock.now()
    wait_s = fleet.backoff.wait_s(client, now.mono_s)
    if wait_s > 0:
        raise TooMany(wait_s)
    try:
        return await asyncio.to_thread(enrolling.enrol, fleet, ask)
    except NotAllowed:
        fleet.backoff.wrong(client, now.mono_s)
        raise


@router.post(
    "/enrolment/renewal", operation_id="renewIdentity", summary="Ask for the next certificate",
    responses=answers(403, 422, 503),
)  # fmt: skip
async def renew(ask: RenewAsk, fleet: Fleet) -> EnrolAnswer:
    """Needs no sign-in, but the key of the present certificate, which may have ended up to 400 days ago."""
    return await asyncio.to_thread(enrolling.renew, fleet, ask)


@router.post("/claims", operation_id="addClaims", summary="Let tokens be used", responses=answers(403, 404, 422, 503))
async def add_claims(told: NewClaims, fleet: Fleet, enroller: Enroller) -> ClaimsKept:
    """One that is here already stays as it is."""
    for one in told.claims:
        known_campus(enroller, one.campus)

    def write() -> int:
        now = fleet.clock.now().at
        with fleet.database.write() as connection:
            added = store.add(connection, told.claims, enroller.name, now)
            if added:
                audit.note(connection, now, enroller.name, "claims.added", None, f"{added} claims")
        return added

    added = await asyncio.to_thread(write)
    return ClaimsKept(added=added, unchanged=len(told.claims) - added)


@router.get("/enrolments", operation_id="listEnrolments", summary="Kiosks that asked", responses=answers(403, 422))
async def list_enrolments(
    fleet: Fleet,
    enroller: Enroller,
    state: Annotated[Literal["pending", "approved", "refused"] | None, Query(description="Only these")] = None,
    cursor: Cursor = None,
    limit: Annotated[int, Query(ge=1, le=200, description="Items on a page")] = 50,
) -> Page[EnrolmentView]:
    """Newest first."""
    before = place_in(cursor, _PLACE)

    def read() -> list[Row[Any]]:
        with fleet.database.read() as connection:
            return store.newest(connection, limit + 1, enroller.campuses, before, state)

    rows = await asyncio.to_thread(read)
    more = (rows[limit - 1].asked_us, rows[limit - 1].id) if len(rows) > limit else None
    return Page[EnrolmentView](items=[_view(row) for row in rows[:limit]], next=cursor_of(more))


@router.post(
    "/enrolments/{enrolment}/approve", operation_id="approveEnrolment", summary="Let a kiosk in", status_code=204,
    responses=answers(403, 404, 409, 503),
)  # fmt: skip
async def approve(enrolment: str, fleet: Fleet, enroller: Enroller) -> Response:
    """It is signed at the kiosk's next question; whatever another key holds of this kiosk is then revoked."""
    await asyncio.to_thread(enrolling.approve, fleet, enroller, enrolment)
    return Response(status_code=HTTPStatus.NO_CONTENT)


@router.post(
    "/enrolments/{enrolment}/refuse", operation_id="refuseEnrolment", summary="Keep a kiosk out", status_code=204,
    responses=answers(403, 404, 409, 503),
)  # fmt: skip
async def refuse(enrolment: str, fleet: Fleet, enroller: Enroller) -> Response:
    """The kiosk is told so."""
    await asyncio.to_thread(enrolling.refuse, fleet, enroller, enrolment)
    return Response(status_code=HTTPStatus.NO_CONTENT)


@router.post(
    "/kiosks/{kiosk}/revoke", operation_id="revokeKiosk", summary="Shut a kiosk out", status_code=204,
    responses=answers(403, 404, 409, 503),
)  # fmt: skip
async def revoke(kiosk: str, fleet: Fleet, enroller: Enroller) -> Response:
    """All its certificates are revoked; the broker's keeper cuts its link within seconds."""
    entry = known(fleet, enroller, kiosk)
    await asyncio.to_thread(enrolling.revoke, fleet, enroller, entry.campus, kiosk)
    return Response(status_code=HTTPStatus.NO_CONTENT)


def _view(row: Row[Any]) -> EnrolmentView:
    return EnrolmentView(
        id=row.id, code=code_of(row.id), campus=row.campus, kiosk=row.kiosk, serial=row.serial, state=row.state,
        reason=row.reason, signed=row.chain is not None, asked_at=moment(row.asked_us), decided_by=row.decided_by,
    )  # fmt: skip
