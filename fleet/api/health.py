"""Health scores: the share of bell times in which kiosks were ready."""

import asyncio
from datetime import timedelta
from typing import Annotated, Any, Final

from fastapi import APIRouter, Query
from pydantic import BaseModel, Field
from sqlalchemy import Row

from fleet.api.deps import Fleet, Reader
from fleet.api.problems import answers
from fleet.errors import NotFound
from fleet.incident_views import HealthDay, health_day
from fleet.store import readiness_days as store
from fleet.tally import score

router: Final = APIRouter(prefix="/campuses", tags=["health"])


class KioskScore(BaseModel):
    """One kiosk on the newest day."""

    kiosk: str
    score: float | None


class CampusHealth(BaseModel):
    """A campus's days in its own time, the newest first, and its kiosks on the newest of them, the worst first."""

    campus: str
    score: Annotated[float | None, Field(description="Over all the days; null when no time was counted")]
    days: list[HealthDay]
    kiosks: list[KioskScore]


@router.get(
    "/{campus}/health", operation_id="getCampusHealth", summary="A campus's health score", responses=answers(404, 422)
)
async def get_campus_health(
    campus: str,
    fleet: Fleet,
    reader: Reader,
    days: Annotated[int, Query(ge=1, le=366, description="How many days back, today included")] = 30,
) -> CampusHealth:
    """Summed by day as it happens; time in which this service did not watch counts for nothing."""
    if not reader.sees(campus) or not any(entry.campus == campus for entry in fleet.roll.entries()):
        raise NotFound(f"There is no campus {campus!r} here.")
    since = f"{fleet.clock.now().at - timedelta(days=days - 1):%Y-%m-%d}"

    def read() -> tuple[list[Row[Any]], list[Row[Any]]]:
        with fleet.database.read() as connection:
            found = store.of_campus(connection, campus, since)
            return found, store.today(connection, found[0].day, campus) if found else []

    found, newest = await asyncio.to_thread(read)
    told = [health_day(row) for row in found]
    names = ("ready_ms", "attention_ms", "blocked_ms", "unknown_ms")
    whole = HealthDay(
        day="", score=None, **{name: sum(getattr(one, name) for one in told) for name in names}
    )  # fmt: skip
    kiosks = [KioskScore(kiosk=row.kiosk, score=score(row)) for row in newest]
    kiosks.sort(key=lambda one: (one.score is None, one.score or 0.0, one.kiosk))
    return CampusHealth(campus=campus, score=score(whole), days=told, kiosks=kiosks)
