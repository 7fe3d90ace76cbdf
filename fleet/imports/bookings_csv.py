"""Bookings from a list: `kiosk,therapist,student,start,minutes` and more."""

from collections.abc import Callable
from typing import Any, Final

from fleet import wishes
from fleet.errors import RowFault
from fleet.imports.table import Line, lines_of
from fleet.wishes import Unfit, Wish

REQUIRED: Final = ("kiosk", "therapist", "student", "start", "minutes")
OPTIONAL: Final = ("consent", "record", "point_person", "link", "model", "goals", "makes_up")
_ALIASES: Final = {"room": "kiosk", "students": "student"}
_READERS: Final[dict[str, tuple[str, Callable[[str], Any]]]] = {
    "kiosk": ("place", wishes.a_place),
    "therapist": ("therapist", wishes.a_therapist),
    "student": ("students", wishes.students),
    "start": ("start", wishes.start),
    "minutes": ("minutes", wishes.minutes),
    "consent": ("consent", wishes.consent),
    "record": ("record", wishes.record),
    "point_person": ("point_person", wishes.a_point_person),
    "link": ("link", wishes.a_link),
    "model": ("model", wishes.model),
    "goals": ("goals", wishes.goals),
    "makes_up": ("makes_up", wishes.a_booking),
}


def read(data: bytes) -> tuple[list[Wish], list[RowFault]]:
    """The wishes in a file, and what of it does not fit, so that both can be told in one answer.

    Raises:
        BadRows: the file has no such form at all.
    """
    found, faults = [], []
    for line in lines_of(data, REQUIRED, OPTIONAL, _ALIASES):
        told, bad = _told(line)
        faults += bad
        if not bad:
            found.append(Wish(**told, line=line.number))
    return found, faults


def _told(line: Line) -> tuple[dict[str, Any], list[RowFault]]:
    told: dict[str, Any] = {}
    faults = []
    for column, (name, reader) in _READERS.items():
        try:
            told[name] = reader(line[column])
        except Unfit as error:
            faults.append(RowFault(str(error), line.number, column))
    return told, faults
