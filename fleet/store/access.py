"""People and the hashes of their secrets in the store."""

import json
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, delete, select

from fleet.clock import micros
from fleet.store.engine import insert
from fleet.store.tables import credentials, people


def put_person(connection: Connection, name: str, role: str, campuses: frozenset[str] | None, at: datetime) -> None:
    """Add a person, or change what one may do."""
    adding = insert(connection, people).values(
        name=name,
        role=role,
        campuses=None if campuses is None else json.dumps(sorted(campuses)),
        created_us=micros(at),
    )
    changing = {"role": adding.excluded.role, "campuses": adding.excluded.campuses}
    connection.execute(adding.on_conflict_do_update(index_elements=["name"], set_=changing))


def drop_person(connection: Connection, name: str) -> bool:
    """Remove a person and every secret of theirs; False when there is none of that name."""
    connection.execute(delete(credentials).where(credentials.c.person == name))
    return connection.execute(delete(people).where(people.c.name == name)).rowcount > 0


def everybody(connection: Connection) -> list[Row[Any]]:
    """All people by name."""
    return list(connection.execute(select(people).order_by(people.c.name)))


def put_secret(
    connection: Connection, hash_: str, kind: str, person: str, at: datetime, expires: datetime | None
) -> None:
    """Keep the hash of a secret."""
    connection.execute(
        credentials.insert().values(
            hash=hash_,
            kind=kind,
            person=person,
            created_us=micros(at),
            expires_us=micros(expires) if expires else None,
        )
    )


def owner(connection: Connection, hash_: str, kind: str, now: datetime) -> Row[Any] | None:
    """The person whose secret this is, while it has not expired."""
    query = (
        select(people)
        .join(credentials, credentials.c.person == people.c.name)
        .where(credentials.c.hash == hash_, credentials.c.kind == kind)
        .where(credentials.c.expires_us.is_(None) | (credentials.c.expires_us > micros(now)))
    )
    return connection.execute(query).one_or_none()


def drop_secret(connection: Connection, hash_: str) -> None:
    """Withdraw one secret."""
    connection.execute(delete(credentials).where(credentials.c.hash == hash_))


def drop_expired(connection: Connection, now: datetime) -> None:
    """Forget secrets that can open nothing any more."""
    connection.execute(delete(credentials).where(credentials.c.expires_us <= micros(now)))
