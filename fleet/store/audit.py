"""The audit: who did what and when. Each row's hash covers the row before, so that no change to it stays unseen."""

import hashlib
import json
from collections.abc import Iterator
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Connection, Row, select, update

from fleet.clock import micros
from fleet.errors import AuditBroken
from fleet.store.tables import audit, audit_head

BEGINNING: Final = "carrel audit"
"""What the first row follows."""
_AT_ONCE: Final = 1_000


def note(
    connection: Connection,
    at: datetime,
    who: str,
    what: str,
    about: str | None = None,
    detail: str = "",
    *,
    campus: str | None = None,
) -> None:
    """Add to the audit; it is durable with the transaction.

    Args:
        connection: from `Database.write`.
        at: when.
        who: a person, a program, or `fleet` itself.
        what: a dotted word, for example `still.viewed`.
        about: the id of what it was done to.
        detail: more, for people.
        campus: where that is; null is nowhere in particular, which only readers of all campuses see.
    """
    head = connection.execute(select(audit_head).with_for_update()).one()
    told = {
        "id": head.last + 1,
        "at_us": micros(at),
        "who": who,
        "what": what,
        "about": about,
        "detail": detail or None,
        "campus": campus,
    }
    hash_ = _chained(head.hash, list(told.values()))
    connection.execute(audit.insert().values(**told, hash=hash_))
    connection.execute(update(audit_head).values(last=told["id"], hash=hash_))


def newest(
    connection: Connection, limit: int, campuses: frozenset[str] | None = None, before: int | None = None
) -> list[Row[Any]]:
    """Rows, newest first: of these campuses only, or of all with what belongs to none; before that number if given."""
    query = select(audit).order_by(audit.c.id.desc()).limit(limit)
    if campuses is not None:
        query = query.where(audit.c.campus.in_(sorted(campuses)))
    if before is not None:
        query = query.where(audit.c.id < before)
    return list(connection.execute(query))


def verify(connection: Connection, seen: str | None = None) -> tuple[int, str]:
    """Follow the chain from its beginning.

    Args:
        connection: from `Database.read`.
        seen: a hash that was noted down earlier, and has to be in it still.

    Returns:
        How many rows there are, and the newest one's hash.

    Raises:
        AuditBroken: the message names the first row that does not follow from the one before.
    """
    hash_, last, count, found = BEGINNING, 0, 0, seen in {None, BEGINNING}
    for row in _oldest_first(connection):
        hash_, before = chained(hash_, row), last
        if hash_ != row.hash:
            raise AuditBroken(
                f"audit row {row.id} does not follow from the one before ({before}): "
                "it was changed or moved, or rows between them are gone"
            )
        last, count, found = row.id, count + 1, found or hash_ == seen
    head = connection.execute(select(audit_head)).one_or_none()
    if head is None or (head.last, head.hash) != (last, hash_):
        raise AuditBroken(f"the audit ends with row {last}, but its newest was {head.last if head else 'another one'}")
    if not found:
        raise AuditBroken(f"no row has the hash {seen} that was noted down: the whole chain was written anew")
    return count, hash_


def chained(before: str, row: Any) -> str:
    """The hash of a row that follows the one with hash `before`: SHA-256, hex."""
    return _chained(before, [row.id, row.at_us, row.who, row.what, row.about, row.detail, row.campus])


def _chained(before: str, told: list[Any]) -> str:
    text = json.dumps(told, ensure_ascii=True, separators=(",", ":"))
    return hashlib.sha256(f"{before}\n{text}".encode()).hexdigest()


def _oldest_first(connection: Connection) -> Iterator[Row[Any]]:
    last = None
    while True:
        query = select(audit).order_by(audit.c.id).limit(_AT_ONCE)
        rows = connection.execute(query if last is None else query.where(audit.c.id > last)).all()
        yield from rows
        if len(rows) < _AT_ONCE:
            return
        last = rows[-1].id
