"""Tokens, sign-in links and web sessions: random, shown once, kept as hashes only."""

import hashlib
import json
import secrets
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import Final

from fleet.access.roles import Principal, Role
from fleet.clock import Instant
from fleet.store import access, audit
from fleet.store.engine import Database

SECRET_BYTES: Final = 32
LINK_LIVES: Final = timedelta(days=7)
SESSION_LIVES: Final = timedelta(hours=12)


class Kind(StrEnum):
    """What a secret opens."""

    TOKEN = "token"  # noqa: S105  # the name of a kind, no secret
    LINK = "link"
    SESSION = "session"


@dataclass(frozen=True, slots=True)
class Person:
    """Someone who may sign in."""

    name: str
    role: Role
    campuses: frozenset[str] | None


def add_person(database: Database, person: Person, now: Instant) -> None:
    """Add a person, or change the role and campuses of one."""
    with database.write() as connection:
        access.put_person(connection, person.name, person.role.value, person.campuses, now.at)
        audit.note(connection, now.at, "console", "person.put", person.name, person.role.value)


def remove_person(database: Database, name: str, now: Instant) -> bool:
    """Remove a person and all their secrets; False when there is none of that name."""
    with database.write() as connection:
        found = access.drop_person(connection, name)
        if found:
            audit.note(connection, now.at, "console", "person.removed", name)
    return found


def people(database: Database) -> list[Person]:
    """Everyone, by name."""
    with database.read() as connection:
        return [Person(row.name, Role(row.role), _campuses(row.campuses)) for row in access.everybody(connection)]


def issue(database: Database, kind: Kind, name: str, now: Instant, lives: timedelta | None = None) -> str:
    """A fresh secret for the person `name`; this is the only time it can be read.

    Args:
        database: where its hash is kept.
        kind: what it opens.
        name: a person that exists.
        now: from when it counts.
        lives: for how long; null is for ever for a token, 7 days for a link, 12 hours for a session.
    """
    secret = secrets.token_urlsafe(SECRET_BYTES)
    lives = lives or {Kind.LINK: LINK_LIVES, Kind.SESSION: SESSION_LIVES}.get(kind)
    with database.write() as connection:
        access.drop_expired(connection, now.at)
        access.put_secret(connection, _hash(secret), kind.value, name, now.at, now.at + lives if lives else None)
        audit.note(connection, now.at, name, f"{kind.value}.issued")
    return secret


def link(own_url: str, secret: str) -> str:
    """The address that signs a browser in."""
    return f"{own_url}/sign-in/{secret}"


def owner(database: Database, kind: Kind, secret: str, now: Instant) -> Principal | None:
    """Whose secret this is; None for a wrong, expired or withdrawn one."""
    with database.read() as connection:
        row = access.owner(connection, _hash(secret), kind.value, now.at)
    return None if row is None else Principal(row.name, Role(row.role), _campuses(row.campuses))


def withdraw(database: Database, secret: str) -> None:
    """Let a secret open nothing any more."""
    with database.write() as connection:
        access.drop_secret(connection, _hash(secret))


def _hash(secret: str) -> str:
    # A plain hash is enough for 256 random bits: there is nothing to guess.
    return hashlib.sha256(secret.encode("utf-8", "replace")).hexdigest()


def _campuses(text: str | None) -> frozenset[str] | None:
    return None if text is None else frozenset(json.loads(text))
