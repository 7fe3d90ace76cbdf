"""Mandates from a list: `student,minutes,per,from,until`."""

from dataclasses import dataclass
from datetime import date
from typing import Final

from fleet import wishes
from fleet.errors import BadRows, RowFault
from fleet.imports.table import Line, lines_of
from fleet.wishes import Unfit

REQUIRED: Final = ("student", "minutes", "per", "from", "until")
PERIODS: Final = ("week", "month")


@dataclass(frozen=True, slots=True)
class Owed:
    """Minutes that a student is owed in each week or month of a stretch of days."""

    student: str
    minutes: int
    per: str
    from_day: date
    until_day: date


def read(data: bytes) -> list[Owed]:
    """The mandates in a file; raises `BadRows` naming all that does not fit."""
    found: list[Owed] = []
    faults: list[RowFault] = []
    first: dict[tuple[str, str, date], int] = {}
    for line in lines_of(data, REQUIRED):
        owed, bad = _owed(line)
        faults += bad
        if owed is None:
            continue
        before = first.setdefault((owed.student, owed.per, owed.from_day), line.number)
        if before != line.number:
            faults.append(RowFault(f"says again what line {before} says", line.number))
        found.append(owed)
    if faults:
        raise BadRows(faults)
    return found


def _owed(line: Line) -> tuple[Owed | None, list[RowFault]]:
    faults = []
    student, minutes, days = "", 0, {}
    try:
        student = wishes.a_student(line["student"])
    except Unfit as error:
        faults.append(RowFault(str(error), line.number, "student"))
    try:
        minutes = wishes.minutes(line["minutes"])
    except Unfit as error:
        faults.append(RowFault(str(error), line.number, "minutes"))
    per = line["per"].lower()
    if per not in PERIODS:
        faults.append(RowFault(f"{per[:20]!r} is neither week nor month", line.number, "per"))
    for column in ("from", "until"):
        try:
            days[column] = date.fromisoformat(line[column])
        except ValueError:
            faults.append(RowFault(f"{line[column][:20]!r} is no day: write it as 2026-08-17", line.number, column))
    if len(days) == 2 and days["until"] < days["from"]:
        faults.append(RowFault("is before `from`", line.number, "until"))
    return (None, faults) if faults else (Owed(student, minutes, per, days["from"], days["until"]), [])
