"""Claims and requests in the store."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, func, select, tuple_, update

from fleet.clock import micros, moment
from fleet.store.claim_tables import claims, enrolments
from fleet.store.engine import insert
from wire.claims import Claim


def add(connection: Connection, new: Iterable[Claim], by: str, now: datetime) -> int:
    """Keep claims; how many were new.

    One that is here already stays as it is; a new one for a kiosk ends those that it had: its card was written anew.
    """
    count = 0
    for one in new:
        told = one.model_dump(exclude={"expires_at"}) | {"expires_us": micros(one.expires_at)}
        adding = insert(connection, claims).values(**told, created_us=micros(now), created_by=by)
        if connection.execute(adding.on_conflict_do_nothing(index_elements=["hash"])).rowcount == 0:
            continue
        count += 1
        if one.kiosk is not None:
            earlier = (claims.c.kiosk == one.kiosk, claims.c.hash != one.hash, claims.c.expires_us > micros(now))
            connection.execute(update(claims).where(*earlier).values(expires_us=micros(now)))
    return count


def find(connection: Connection, hash_: str) -> Claim | None:
    """The claim with this hash."""
    row = connection.execute(select(claims).where(claims.c.hash == hash_)).one_or_none()
    if row is None:
        return None
    return Claim(hash=row.hash, campus=row.campus, kiosk=row.kiosk, serial=row.serial, count=row.count,
                 expires_at=moment(row.expires_us))  # fmt: skip


def used(connection: Connection, hash_: str) -> int:
    """How many requests were made with this claim."""
    query = select(func.count()).select_from(enrolments).where(enrolments.c.claim == hash_)
    return int(connection.execute(query).scalar_one())


def ask(connection: Connection, id_: str, told: dict[str, Any], now: datetime) -> None:
    """Keep a request."""
    connection.execute(enrolments.insert().values(id=id_, asked_us=micros(now), replaces=False, **told))


def asked(connection: Connection, id_: str) -> Row[Any] | None:
    """One request."""
    return connection.execute(select(enrolments).where(enrolments.c.id == id_)).one_or_none()


def decide(connection: Connection, id_: str, now: datetime, by: str, **told: Any) -> None:
    """Say what becomes of a request."""
    values = {"decided_us": micros(now), "decided_by": by, **told}
    connection.execute(update(enrolments).where(enrolments.c.id == id_).values(**values))


def newest(
    connection: Connection,
    limit: int,
    campuses: frozenset[str] | None,
    before: tuple[int, str] | None,
    state: str | None,
) -> list[Row[Any]]:
    """Requests, newest first: of these campuses or of all, in this state or in any."""
    query = select(enrolments).order_by(enrolments.c.asked_us.desc(), enrolments.c.id.desc()).limit(limit)
    if campuses is not None:
        query = query.where(enrolments.c.campus.in_(sorted(campuses)))
    if state is not None:
        query = query.where(enrolments.c.state == state)
    if before is not None:
        query = query.where(tuple_(enrolments.c.asked_us, enrolments.c.id) < before)
    return list(connection.execute(query))
