"""Kiosks, their vitals, their ledgers."""

import asyncio
from datetime import datetime
from typing import Annotated, Any, Final

from fastapi import APIRouter, Query
from pydantic import AwareDatetime, BaseModel, Field, TypeAdapter

from fleet.api.deps import Fleet, LedgerReader, Reader, known
from fleet.api.paging import Page, cursor_of, place_in
from fleet.api.problems import answers
from fleet.clock import micros, moment
from fleet.store import kiosks as store
from fleet.store import rows
from fleet.views import KioskView
from wire.ledger import ClockTrust, row_of

router: Final = APIRouter(prefix="/kiosks", tags=["kiosks"])

_AT_AND_ID: Final = TypeAdapter(tuple[int, str])
_AT: Final = TypeAdapter(tuple[int])

Limit = Annotated[int, Query(ge=1, le=500, description="Items on a page")]
Cursor = Annotated[str | None, Query(max_length=500, description="`next` of the page before")]


class Vitals(BaseModel):
    """Vitals of a kiosk as they were received."""

    received_at: datetime
    health: dict[str, Any]


class VitalsPage(Page[Vitals]):
    """Kept vitals, about one a minute, newest first, with the last ones heard."""

    current: dict[str, Any] | None
    age_s: float | None


class LedgerItem(BaseModel):
    """One ledger row, with where it lies and when it came."""

    epoch: str
    seq: int
    type: str
    session: str | None
    at: AwareDatetime
    mono_ns: int
    boot: str
    clock: ClockTrust
    data: dict[str, Any]
    hash: str = Field(description="SHA-256 over the hash of the row before and this row's own text")
    received_at: datetime


class LedgerEpoch(BaseModel):
    """One ledger file of the kiosk."""

    epoch: str
    through: int = Field(description="Rows 1 to this one are held without a hole")
    top: int = Field(description="The highest row held")
    put_aside: int = Field(description="Rows that came with a known number and another content; kept, never counted")


class LedgerPage(BaseModel):
    """Ledger rows, oldest first."""

    items: list[LedgerItem]
    next: int | None = Field(description="Give it as `after` for the next page; null when no more is held")
    epoch: str | None = Field(description="The epoch of the rows")
    epochs: list[LedgerEpoch] = Field(description="All ledgers of this kiosk, oldest first")


@router.get("", operation_id="listKiosks", summary="All kiosks, newest first", responses=answers(422))
async def list_kiosks(fleet: Fleet, reader: Reader, cursor: Cursor = None, limit: Limit = 100) -> Page[KioskView]:
    """Kiosks in the order in which they were first heard, the newest first."""
    before = place_in(cursor, _AT_AND_ID)
    views = {view.id: view for view in await fleet.kiosks(reader)}
    entries = [fleet.roll.get(kiosk) for kiosk in views]
    places = sorted(((micros(entry.first_seen.at), entry.id) for entry in entries if entry), reverse=True)
    wanted = [place for place in places if before is None or place < before]
    more = wanted[limit - 1] if len(wanted) > limit else None
    return Page[KioskView](items=[views[id_] for _, id_ in wanted[:limit]], next=cursor_of(more))


@router.get("/{kiosk}", operation_id="getKiosk", summary="One kiosk", responses=answers(404))
async def get_kiosk(kiosk: str, fleet: Fleet, reader: Reader) -> KioskView:
    """Presence, verdict, signals, session and vitals, each with its age in seconds."""
    known(fleet, reader, kiosk)
    view = await fleet.kiosk(reader, kiosk)
    assert view is not None
    return view


@router.get("/{kiosk}/health", operation_id="getHealth", summary="A kiosk's vitals", responses=answers(404, 422))
async def get_health(kiosk: str, fleet: Fleet, reader: Reader, cursor: Cursor = None, limit: Limit = 100) -> VitalsPage:
    """The last vitals and those kept of the past 30 days."""
    entry = known(fleet, reader, kiosk)
    before = place_in(cursor, _AT)

    def read() -> list[tuple[int, dict[str, Any]]]:
        with fleet.database.read() as connection:
            return store.samples_of(connection, kiosk, before[0] if before else None, limit + 1)

    found = await asyncio.to_thread(read)
    age_s = entry.health_at.age_s(fleet.clock.now()) if entry.health_at else None
    return VitalsPage(
        items=[Vitals(received_at=moment(at_us), health=health) for at_us, health in found[:limit]],
        next=cursor_of((found[limit - 1][0],)) if len(found) > limit else None,
        current=entry.health,
        age_s=age_s,
    )


@router.get("/{kiosk}/ledger", operation_id="getLedger", summary="A kiosk's ledger", responses=answers(403, 404, 422))
async def get_ledger(
    kiosk: str,
    fleet: Fleet,
    reader: LedgerReader,
    epoch: Annotated[str | None, Query(max_length=40, description="Null is the current one")] = None,
    after: Annotated[int, Query(ge=0, le=2**63 - 1, description="Rows after this number")] = 0,
    limit: Annotated[int, Query(ge=1, le=1000)] = 500,
) -> LedgerPage:
    """The rows as the kiosk wrote them, oldest first."""
    entry = known(fleet, reader, kiosk)
    wanted = epoch or entry.epoch

    def read() -> tuple[list[rows.KeptRow], list[rows.Epoch]]:
        with fleet.database.read() as connection:
            found = rows.after(connection, kiosk, wanted, after, limit + 1) if wanted else []
            return found, rows.epochs(connection, kiosk)

    found, epochs = await asyncio.to_thread(read)
    return LedgerPage(
        items=[_item(wanted or "", row) for row in found[:limit]],
        next=found[limit - 1].seq if len(found) > limit else None,
        epoch=wanted,
        epochs=[
            LedgerEpoch(epoch=one.epoch, through=one.through, top=one.top, put_aside=one.put_aside) for one in epochs
        ],
    )


def _item(epoch: str, kept: rows.KeptRow) -> LedgerItem:
    return LedgerItem(
        epoch=epoch, hash=kept.hash, received_at=moment(kept.received_us), **row_of(kept.body).model_dump()
    )
