"""A campus's schedule as a page: bookings by day, the import box, early dismissal. What it changes goes by the API."""

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, time, timedelta, tzinfo
from http import HTTPStatus
from typing import Annotated, Final

from fastapi import APIRouter, Depends, Request
from fastapi.responses import HTMLResponse, Response

from fleet import zones
from fleet.access.roles import Right
from fleet.access.web import Principal, signed_in
from fleet.api.deps import fleet
from fleet.console.render import page, render_problem
from fleet.parts import FleetParts
from fleet.places import name_of
from fleet.planning import Plan, State
from fleet.store import bookings, campuses, rooms
from fleet.times import day, time_of_day
from wire.school_day import instant

router: Final = APIRouter(include_in_schema=False)

DAYS: Final = 14
Reader = Annotated[Principal, Depends(signed_in)]


@dataclass(frozen=True, slots=True)
class Line:
    """One booking in a reader's words."""

    id: str
    when: str
    minutes: int
    room: str
    kiosk: str | None
    therapist: str
    students: str | None
    """Null for readers who may not know."""
    what: str
    fell: str | None
    """Why it will not be held."""


@dataclass(frozen=True, slots=True)
class Day:
    """One day's bookings."""

    name: str
    date: str
    lines: tuple[Line, ...]


@dataclass(frozen=True, slots=True)
class _Found:
    campus: str
    campuses: tuple[str, ...]
    zone: tzinfo
    zone_name: str
    days: tuple[Day, ...]
    closed: tuple[tuple[str, str], ...]
    """Of each closure its id and a sentence."""


@router.get("/schedule")
async def read_schedule(request: Request, reader: Reader, campus: str | None = None) -> Response:
    """The next 14 days of one campus, the first of the reader's if none is named."""
    parts = fleet(request)
    seen = sorted({entry.campus for entry in parts.roll.entries() if reader.sees(entry.campus)})
    where = campus or (seen[0] if seen else None)
    if where is None or not reader.sees(where) or where not in seen:
        detail = "No campus with this name is known here, or it is not yours. A campus is known once a kiosk was heard."
        return render_problem(request, HTTPStatus.NOT_FOUND, "No such campus", detail)
    now = parts.clock.now().at
    found = await asyncio.to_thread(_read, parts, reader, where, tuple(seen), now)
    return _page(found, reader, now)


def _page(found: _Found, reader: Principal, now: datetime) -> HTMLResponse:
    return page(
        "schedule.html",
        found=found,
        kind="schedule",
        events="",
        who=reader.name,
        may_plan=reader.may(Right.PLAN),
        now=now,
        zone=found.zone,
    )


def _read(parts: FleetParts, reader: Principal, campus: str, seen: tuple[str, ...], now: datetime) -> _Found:
    with parts.database.read() as connection:
        zone = zones.zone(campuses.calendar(connection, campus), parts.settings.time_zone)
        since = instant(datetime.combine(now.astimezone(zone).date(), time()), zone)
        until = since + timedelta(days=DAYS)
        plans = bookings.between(connection, since, until, campus=campus, only_planned=False)
        named = {
            one.id: (name_of(one, parts.roll), one.kiosk) for one in rooms.rooms_of(connection, frozenset({campus}))
        }
        closures = campuses.closures_of(connection, [campus], now)
    may_know = reader.may(Right.READ_LEDGER)
    closed = tuple((one.id, f"Closed from {time_of_day(one.since, now, zone)}: {one.reason}.") for one in closures)
    return _Found(campus, seen, zone, zone.key, _days(plans, named, zone, may_know=may_know), closed)


def _days(
    plans: Iterable[Plan], named: dict[str, tuple[str, str | None]], zone: tzinfo, *, may_know: bool
) -> tuple[Day, ...]:
    found: dict[str, list[Line]] = {}
    names: dict[str, str] = {}
    for plan in plans:
        if plan.state is State.CANCELLED:
            continue
        here = plan.start.astimezone(zone)
        names.setdefault(key := here.date().isoformat(), day(plan.start, zone))
        room, kiosk = named.get(plan.room, (plan.room, None))
        found.setdefault(key, []).append(
            Line(
                id=plan.id,
                when=f"{here:%H:%M}",
                minutes=plan.minutes,
                room=room,
                kiosk=kiosk,
                therapist=plan.therapist,
                students=", ".join(plan.students) if may_know else None,
                what=_what(plan),
                fell=None if plan.state is State.PLANNED else (plan.reason or plan.state.value),
            )
        )
    return tuple(Day(names[key], key, tuple(lines)) for key, lines in found.items())


def _what(plan: Plan) -> str:
    late = f"therapist {plan.late_min} min late" if plan.late_min else ""
    recorded = {"never": "", "always": "recorded with consent"}.get(plan.record, "recorded offline with consent")
    made_up = "makes up a missed one" if plan.makes_up else ""
    return ", ".join(one for one in (plan.model, recorded, made_up, late) if one)
