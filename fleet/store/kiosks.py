"""Kiosks and their vitals in the store."""

import json
from collections.abc import Iterable
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Connection, bindparam, delete, select, update

from fleet.clock import Instant, micros, moment_or_none
from fleet.presence import Presence
from fleet.roll import Entry, Unsaved
from fleet.store.engine import insert
from fleet.store.tables import health_samples, kiosks, ledger_epochs
from wire.codec import read
from wire.messages import Readiness

_TIMES: Final = ("heard_us", "online_since_us", "dead_us")


def save(connection: Connection, unsaved: Unsaved) -> None:
    """Write what was last heard of these kiosks over what was kept of them."""
    if unsaved.told:
        adding = insert(connection, kiosks)
        kept = {"id", "campus", "first_seen_us"}
        changing = {column.name: adding.excluded[column.name] for column in kiosks.c if column.name not in kept}
        connection.execute(
            adding.on_conflict_do_update(index_elements=["id"], set_=changing), [_values(one) for one in unsaved.told]
        )
    if unsaved.heard:
        changing_times = update(kiosks).where(kiosks.c.id == bindparam("kiosk"))
        connection.execute(
            changing_times.values({name: bindparam(name) for name in _TIMES}),
            [{"kiosk": one.id, **_times(one.presence)} for one in unsaved.heard],
        )


def load(connection: Connection, now: Instant) -> list[Entry]:
    """Every kiosk as it was kept. None of them is online before it is heard again."""
    throughs = {
        (row.kiosk, row.epoch): row.through
        for row in connection.execute(select(ledger_epochs.c.kiosk, ledger_epochs.c.epoch, ledger_epochs.c.through))
    }
    return [_entry(row, throughs.get((row.id, row.epoch), 0), now) for row in connection.execute(select(kiosks))]


def add_samples(connection: Connection, samples: Iterable[tuple[str, datetime, dict[str, Any]]]) -> None:
    """Keep vitals of kiosks, received at a time."""
    rows = [{"kiosk": kiosk, "received_us": micros(at), "health": json.dumps(told)} for kiosk, at, told in samples]
    if rows:
        connection.execute(insert(connection, health_samples).on_conflict_do_nothing(), rows)


def samples_of(
    connection: Connection, kiosk: str, before_us: int | None, limit: int
) -> list[tuple[int, dict[str, Any]]]:
    """Kept vitals, newest first: microseconds and message."""
    query = select(health_samples.c.received_us, health_samples.c.health).where(health_samples.c.kiosk == kiosk)
    if before_us is not None:
        query = query.where(health_samples.c.received_us < before_us)
    found = connection.execute(query.order_by(health_samples.c.received_us.desc()).limit(limit))
    return [(row.received_us, json.loads(row.health)) for row in found]


def campus_of(connection: Connection, kiosk: str) -> str:
    """Where a kiosk stands that is known."""
    campus: str = connection.execute(select(kiosks.c.campus).where(kiosks.c.id == kiosk)).scalar_one()
    return campus


def drop_samples(connection: Connection, before: datetime) -> None:
    """Forget vitals received before a time."""
    connection.execute(delete(health_samples).where(health_samples.c.received_us < micros(before)))


def _values(entry: Entry) -> dict[str, Any]:
    presence = entry.presence
    return {
        "id": entry.id,
        "campus": entry.campus,
        "first_seen_us": micros(entry.first_seen.at),
        "birth": presence.birth,
        "boot": entry.boot,
        "version": entry.version,
        "epoch": entry.epoch,
        **_times(presence),
        "readiness": entry.readiness.model_dump_json() if entry.readiness else None,
        "readiness_us": micros(entry.readiness_at.at) if entry.readiness_at else None,
        "health": json.dumps(entry.health) if entry.health is not None else None,
        "health_us": micros(entry.health_at.at) if entry.health_at else None,
    }


def _times(presence: Presence) -> dict[str, int | None]:
    heard_at = presence.heard.at if presence.heard else None
    times = (heard_at, presence.online_since, presence.dead_since)
    return {name: micros(at) if at else None for name, at in zip(_TIMES, times, strict=True)}


def _entry(row: Any, through: int, now: Instant) -> Entry:
    def instant(at_us: int | None) -> Instant | None:
        at = moment_or_none(at_us)
        return None if at is None else now.earlier(at)

    presence = Presence(
        listening=now,
        birth=row.birth,
        epoch=row.epoch,
        heard=instant(row.heard_us),
        online_since=moment_or_none(row.online_since_us),
        dead_since=moment_or_none(row.dead_us),
    )
    return Entry(
        id=row.id,
        campus=row.campus,
        first_seen=instant(row.first_seen_us) or now,
        presence=presence,
        boot=row.boot,
        version=row.version,
        epoch=row.epoch,
        through=through,
        readiness=read(Readiness, row.readiness.encode()) if row.readiness else None,
        readiness_at=instant(row.readiness_us),
        health=json.loads(row.health) if row.health else None,
        health_at=instant(row.health_us),
    )
