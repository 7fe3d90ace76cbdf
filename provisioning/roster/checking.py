"""What no line of a roster shows by itself: one thing given to two kiosks, a campus that is not registered. Pure."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from typing import Final

from provisioning.errors import Problem, RosterRefused
from provisioning.roster.device import Device, device
from provisioning.roster.reading import Row

UNIQUE: Final = ("kiosk", "hostname", "asset", "serial", "mac", "address")
"""What one kiosk alone may have; upper and lower case are the same."""


def checked(
    name: str, rows: Iterable[Row], problems: Iterable[Problem], campuses: Collection[str]
) -> dict[int, Device]:
    """The kiosks of a roster by their line.

    Args:
        name: what errors call the file.
        rows: its lines.
        problems: what was wrong with lines that are no rows.
        campuses: those that are registered.

    Raises:
        RosterRefused: anything is wrong, with everything that is.
    """
    wrong = list(problems)
    found: dict[int, Device] = {}
    for row in rows:
        one = device(row.line, row.cells)
        if isinstance(one, Device):
            found[row.line] = one
        else:
            wrong += one
    known = ", ".join(sorted(campuses)) or "none"
    wrong += [
        Problem(
            line,
            "campus",
            f"there is no campus {one.campus!r}; registered: {known:.200}. See carrel-provision campus init",
        )
        for line, one in found.items()
        if one.campus not in campuses
    ]
    wrong += _twice(found)
    if wrong:
        raise RosterRefused(name, wrong)
    return found


def taken(found: Mapping[int, Device], others: Iterable[Device]) -> list[Problem]:
    """What the roster gives to its kiosks although a kiosk elsewhere has it; `others` are those not in the roster."""
    owners = {
        (column, value.lower()): one
        for one in others
        for column in UNIQUE
        if (value := _value(one, column)) is not None
    }
    return [
        Problem(line, column, f"{_shown(one, column)!r} is already that of {owner.kiosk} at {owner.campus}")
        for line, one in found.items()
        for column in UNIQUE
        if (value := _value(one, column)) is not None and (owner := owners.get((column, value.lower()))) is not None
    ]


def _twice(found: Mapping[int, Device]) -> list[Problem]:
    problems = []
    for column in UNIQUE:
        lines: dict[str, list[int]] = defaultdict(list)
        for line, one in found.items():
            if (value := _value(one, column)) is not None:
                lines[value.lower()].append(line)
        for same in lines.values():
            problems += [
                Problem(line, column, f"{_shown(found[line], column)!r} is already in line {same[0]}")
                for line in same[1:]
            ]
    return problems


def _value(one: Device, column: str) -> str | None:
    """What must differ. Two campuses may use the same private addresses: one counts within its campus."""
    value: str | None = getattr(one, column)
    return f"{one.campus} {value.partition('/')[0]}" if value is not None and column == "address" else value


def _shown(one: Device, column: str) -> str:
    return str(getattr(one, column))
