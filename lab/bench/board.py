"""What a board costs the server: 200 bookings of a day, among 10,000 kiosks that all say how they are.

Measured through the whole application (sign-in, forecasts, JSON) without a socket, with the day at hand and read anew
from the store after a change, which is a real SQLite file. Beside the time that passed stands what the processor spent:
on a machine that does much else, that is the server's own part.
"""

import asyncio
import secrets
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

import httpx

from fleet.access.roles import Principal, Role
from fleet.access.secrets import Kind, Person, add_person, issue
from fleet.app import create_app
from fleet.clock import SystemClock, micros
from fleet.importing import CSV, Importer
from fleet.long_lived import settle
from fleet.metrics import Metrics
from fleet.parts import FleetParts
from fleet.roll import Roll
from fleet.settings import FleetSettings
from fleet.store import kiosks
from fleet.store.engine import Database
from fleet.store.migrate import migrate
from fleet.store.tables import kiosks as table
from lab.bench.figures import Results, at_most, median, percentile
from wire.messages import Readiness
from wire.signals import Verdict

KIOSKS: Final = 10_000
BOOKINGS: Final = 200
_CAMPUSES: Final = 200
_HEADER: Final = "kiosk,therapist,student,start,minutes"


def measure(results: Results, folder: Path, times: int, count: int = KIOSKS) -> None:
    """Print what `times` boards cost."""
    parts = _district(folder, count)
    settle(whole=True)  # as the service does
    try:
        therapist = Principal("bench", Role.THERAPIST, None)
        now = parts.clock.now()
        middle = now.at + timedelta(hours=12)
        assert len(parts.days.day(therapist, middle, parts.clock.now())) == BOOKINGS
        kept = asyncio.run(_answers(parts, middle, times, lambda: None))
        anew = asyncio.run(_answers(parts, middle, max(10, times // 5), parts.days.stale))
    finally:
        parts.database.close()
    what = f"board, {BOOKINGS} bookings, {count} kiosks"
    for name, samples in (("", kept), (", read anew", anew)):
        passed, spent = zip(*samples, strict=True)
        results.samples(f"board{name.replace(', ', '-').replace(' ', '-')}", "ms", passed)
        note = f" median {median(passed):.1f} ms"
        results.add(at_most(f"{what}{name}: p99", percentile(passed, 99), 50, "ms", note))
        note = f" median {median(spent):.1f} ms"
        results.add(at_most(f"{what}{name}: processor, p99", percentile(spent, 99), 50, "ms", note))


async def _answers(
    parts: FleetParts, at: datetime, times: int, before: Callable[[], None]
) -> list[tuple[float, float]]:
    """How long each whole answer took, and what of it the processor spent, in milliseconds."""
    add_person(parts.database, Person("bench", Role.THERAPIST, None), parts.clock.now())
    token = issue(parts.database, Kind.TOKEN, "bench", parts.clock.now())
    transport = httpx.ASGITransport(app=create_app(parts))
    samples = []
    async with httpx.AsyncClient(
        transport=transport, base_url="http://127.0.0.1", headers={"Authorization": f"Bearer {token}"}
    ) as client:
        await client.get("/api/v1/readiness")  # what a running service has done long ago
        for _ in range(times):
            before()
            began_s, spent_s = time.perf_counter(), time.process_time()
            answer = await client.get("/api/v1/readiness", params={"at": at.isoformat()})
            samples.append(((time.perf_counter() - began_s) * 1_000, (time.process_time() - spent_s) * 1_000))
            assert len(answer.json()["items"]) == BOOKINGS, answer.text
    return samples


def _district(folder: Path, count: int) -> FleetParts:
    settings = FleetSettings(data_dir=folder, time_zone="UTC")
    database = Database(f"sqlite:///{folder / 'fleet.sqlite'}")
    migrate(database)
    clock = SystemClock()
    now = clock.now()
    ids = [(f"kiosk-{n:05}", f"campus-{n % _CAMPUSES:03}") for n in range(count)]
    with database.write() as connection:
        rows = [{"id": id_, "campus": campus, "first_seen_us": micros(now.at), "birth": 1} for id_, campus in ids]
        connection.execute(table.insert(), rows)
    with database.read() as connection:
        roll = Roll(kiosks.load(connection, now))
    for id_, campus in ids:
        roll.heard(campus, id_, now, live=True)
        roll.readiness(id_, Readiness(verdict=Verdict.READY, at=now.at, state="idle"), now, live=True)
        roll.health(id_, {"link_round_trip_ms": 30, "cameras": {"overhead": {"state": "open"}}}, now)
    start = datetime.combine((now.at + timedelta(hours=12)).date(), datetime.min.time(), UTC) + timedelta(hours=23)
    day = start.strftime("%Y-%m-%dT%H:%MZ")
    lines = [f"{id_},th-{secrets.randbelow(10**6):06}{n},s-{n + 1_000},{day},30" for n, (id_, _) in enumerate(ids)]
    importer = Importer(database, roll, Principal("bench", Role.SERVICE, None))
    importer.bookings("\n".join([_HEADER, *lines[:BOOKINGS]]).encode(), CSV, clock.now())
    return FleetParts(settings, database, roll, Metrics(roll, clock), clock)
