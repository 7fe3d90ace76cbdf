"""The audit: who did what and when."""

import asyncio
from datetime import datetime
from typing import Annotated, Any, Final

from fastapi import APIRouter, Query
from pydantic import BaseModel, Field, TypeAdapter
from sqlalchemy import Row

from fleet.api.deps import AuditReader, Fleet
from fleet.api.kiosks import Cursor
from fleet.api.paging import Page, cursor_of, place_in
from fleet.api.problems import answers
from fleet.clock import moment
from fleet.store import audit as store

router: Final = APIRouter(prefix="/audit", tags=["audit"])

_ID: Final = TypeAdapter(tuple[int])


class AuditRow(BaseModel):
    """Something that somebody did."""

    id: int
    at: datetime
    who: str = Field(description="A person, a program, or `fleet` itself")
    what: str
    about: str | None = Field(description="The id of what it was done to")
    detail: str | None
    campus: str | None
    hash: str = Field(description="SHA-256 over the hash of the row before and this row")


@router.get("", operation_id="listAudit", summary="The audit, newest first", responses=answers(403, 422))
async def list_audit(
    fleet: Fleet,
    reader: AuditReader,
    cursor: Cursor = None,
    limit: Annotated[int, Query(ge=1, le=500, description="Items on a page")] = 100,
) -> Page[AuditRow]:
    """What was done on the reader's campuses; what belongs to no campus is for readers of all of them."""
    before = place_in(cursor, _ID)

    def read() -> list[Row[Any]]:
        with fleet.database.read() as connection:
            return store.newest(connection, limit + 1, reader.campuses, before[0] if before else None)

    rows = await asyncio.to_thread(read)
    names = ("id", "who", "what", "about", "detail", "campus", "hash")
    items = [AuditRow(at=moment(row.at_us), **{name: getattr(row, name) for name in names}) for row in rows[:limit]]
    return Page[AuditRow](items=items, next=cursor_of((items[-1].id,)) if len(rows) > limit else None)
