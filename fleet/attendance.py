"""Who was there, as the rows of a session say: students confirmed by a card, and cards of other bookings. Pure."""

import logging
from collections.abc import Iterable
from datetime import datetime
from typing import Final

from pydantic import BaseModel, ConfigDict

from wire.errors import BadPayload
from wire.ledger import ClockTrust, Row, checked, distinct, row_of

_log = logging.getLogger(__name__)

TYPES: Final = ("student.confirmed", "student.wrong")
"""The ledger types that say who was there, or was not to be."""


class Attended(BaseModel):
    """One fact about one student."""

    model_config = ConfigDict(frozen=True)

    type: str
    """`student.confirmed` or `student.wrong`."""
    student: str | None
    at: datetime
    clock: ClockTrust
    """How far `at` may be believed."""
    card: int | None = None
    """The number of the picture card that said so; null when a person did."""
    makes_up: str | None = None
    """The booking of that day without a session for which this unplanned one may stand."""


def attended(bodies: Iterable[str]) -> tuple[Attended, ...]:
    """The facts in the bodies of a session's rows, in their order; what is no such fact says nothing here."""
    rows = distinct(row for body in bodies if (row := _read(body)) is not None)
    return tuple(found for row in rows if row.type in TYPES and (found := _fact(row)) is not None)


def confirmed(facts: Iterable[Attended]) -> tuple[str, ...]:
    """The students that were confirmed, each once, in their order; an unplanned session has no others."""
    seen = (one.student for one in facts if one.type == "student.confirmed")
    return tuple(dict.fromkeys(student for student in seen if student is not None))


def _read(body: str) -> Row | None:
    try:
        return row_of(body)
    except BadPayload as error:
        _log.warning("a row about a student cannot be read: %s", error)
        return None


def _fact(row: Row) -> Attended | None:
    try:
        told = checked(row.type, row.data)
    except BadPayload as error:
        _log.warning("a row %s is not understood: %s", row.type, error)
        return None
    return Attended(
        type=row.type,
        student=told["student"],
        at=row.at,
        clock=row.clock,
        card=told["card"],
        makes_up=told.get("makes_up"),
    )
