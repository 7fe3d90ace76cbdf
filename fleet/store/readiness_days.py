"""How long each kiosk was how, by day, in the store: sums, so that no history has to be read."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Connection, Row, func, select

from fleet.store.engine import insert
from fleet.store.incident_tables import readiness_days
from wire.signals import Verdict

_COLUMNS: Final = {verdict: f"{verdict.value}_ms" for verdict in Verdict}
_SUMS: Final = tuple(_COLUMNS.values())


@dataclass(frozen=True, slots=True)
class Spent:
    """How long a kiosk was how, on a day of its campus."""

    kiosk: str
    campus: str
    day: str
    ms: dict[Verdict, int]


def add(connection: Connection, spent: Iterable[Spent]) -> None:
    """Add to what is kept."""
    rows = [
        {"kiosk": one.kiosk, "campus": one.campus, "day": one.day}
        | {column: one.ms.get(verdict, 0) for verdict, column in _COLUMNS.items()}
        for one in spent
    ]
    if not rows:
        return
    adding = insert(connection, readiness_days)
    changing: dict[str, Any] = {name: readiness_days.c[name] + adding.excluded[name] for name in _SUMS}
    connection.execute(adding.on_conflict_do_update(index_elements=["kiosk", "day"], set_=changing), rows)


def of_kiosk(connection: Connection, kiosk: str, limit: int = 90) -> list[Row[Any]]:
    """A kiosk's days, newest first."""
    query = select(readiness_days).where(readiness_days.c.kiosk == kiosk)
    return list(connection.execute(query.order_by(readiness_days.c.day.desc()).limit(limit)))


def of_campus(connection: Connection, campus: str, since: str) -> list[Row[Any]]:
    """A campus's days from `since` on, each the sum over its kiosks (`kiosks` of them), newest first."""
    sums = [func.sum(readiness_days.c[name]).label(name) for name in _SUMS]
    query = (
        select(readiness_days.c.day, func.count().label("kiosks"), *sums)
        .where(readiness_days.c.campus == campus, readiness_days.c.day >= since)
        .group_by(readiness_days.c.day)
        .order_by(readiness_days.c.day.desc())
    )
    return list(connection.execute(query))


def today(connection: Connection, day: str, campus: str) -> list[Row[Any]]:
    """Every kiosk of a campus on one day, by id."""
    query = select(readiness_days).where(readiness_days.c.day == day, readiness_days.c.campus == campus)
    return list(connection.execute(query.order_by(readiness_days.c.kiosk)))
