"""Consents in the store: given, ended by themselves, taken back; nothing of that is ever removed."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Connection, Row, select, update

from fleet.clock import micros, moment, moment_or_none
from fleet.store.engine import chunks
from fleet.store.schedule_tables import consents

RECORDING: Final = "recording"
"""The scope that lets a kiosk keep pictures: sealed recordings, and worksheet stills that somebody asks for.

The other one, `telepractice`, that sessions are held over a network at all, is on record and switches nothing.
"""


@dataclass(frozen=True, slots=True)
class Given:
    """One consent for one student."""

    id: str
    campus: str
    student: str
    scope: str
    since: datetime
    until: datetime | None = None
    revoked_at: datetime | None = None
    created_by: str = ""


def add(connection: Connection, given: Sequence[Given], at: datetime) -> None:
    """Keep new consents."""
    if given:
        connection.execute(
            consents.insert(),
            [
                {
                    "id": one.id,
                    "campus": one.campus,
                    "student": one.student,
                    "scope": one.scope,
                    "since_us": micros(one.since),
                    "until_us": None if one.until is None else micros(one.until),
                    "revoked_us": None,
                    "created_us": micros(at),
                    "created_by": one.created_by,
                }
                for one in given
            ],
        )


def one(connection: Connection, consent: str) -> Given | None:
    """One consent."""
    row = connection.execute(select(consents).where(consents.c.id == consent)).one_or_none()
    return None if row is None else _given(row)


def of(connection: Connection, campus: str | None, students: Iterable[str]) -> dict[str, list[Given]]:
    """Every consent of these students, of this campus if given, by student and then in their order."""
    found: dict[str, list[Given]] = defaultdict(list)
    for some in chunks(students):
        query = select(consents).where(consents.c.student.in_(some))
        if campus is not None:
            query = query.where(consents.c.campus == campus)
        for row in connection.execute(query.order_by(consents.c.since_us, consents.c.id)):
            found[row.student].append(_given(row))
    return found


def revoke(connection: Connection, consent: str, at: datetime) -> None:
    """Take it back from `at` on."""
    connection.execute(
        update(consents).where(consents.c.id == consent, consents.c.revoked_us.is_(None)).values(revoked_us=micros(at))
    )


def revoked_since(connection: Connection, since: datetime, campuses: Iterable[str] | None = None) -> list[Given]:
    """The consents to recordings that were taken back from `since` on."""
    query = select(consents).where(consents.c.revoked_us >= micros(since), consents.c.scope == RECORDING)
    if campuses is not None:
        query = query.where(consents.c.campus.in_(sorted(campuses)))
    return [_given(row) for row in connection.execute(query.order_by(consents.c.revoked_us))]


def _given(row: Row[Any]) -> Given:
    return Given(
        row.id, row.campus, row.student, row.scope, moment(row.since_us), moment_or_none(row.until_us),
        moment_or_none(row.revoked_us), row.created_by,
    )  # fmt: skip
