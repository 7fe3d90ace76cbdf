"""What a roster would change in the register. Pure: a dry run is this and nothing else."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from typing import Final

from provisioning.errors import Problem
from provisioning.roster.checking import taken
from provisioning.roster.device import Device

_FIELDS: Final = tuple(one.name for one in fields(Device))


@dataclass(frozen=True, slots=True)
class Held:
    """A kiosk as the register has it. A retired one stays there, with its asset tag, for the inventory."""

    device: Device
    is_retired: bool


@dataclass(frozen=True, slots=True)
class Change:
    """A kiosk that stays and is told something else."""

    before: Device
    after: Device

    @property
    def what(self) -> dict[str, tuple[str | None, str | None]]:
        """By field, what was and what will be."""
        pairs = ((name, (getattr(self.before, name), getattr(self.after, name))) for name in _FIELDS)
        return {name: pair for name, pair in pairs if pair[0] != pair[1]}


@dataclass(frozen=True, slots=True)
class Plan:
    """What would be done; applying the same roster a second time gives an empty one."""

    create: tuple[Device, ...]
    again: tuple[Device, ...]
    """Retired once, and listed anew."""
    change: tuple[Change, ...]
    retire: tuple[Device, ...]
    unchanged: int

    @property
    def is_empty(self) -> bool:
        """Whether the register already is as the roster says."""
        return not (self.create or self.again or self.change or self.retire)

    def summary(self) -> str:
        """In one line."""
        return (
            f"{len(self.create) + len(self.again)} to create, {len(self.change)} to change, "
            f"{len(self.retire)} to retire, {self.unchanged} unchanged"
        )


def plan(found: Mapping[int, Device], held: Iterable[Held]) -> Plan | list[Problem]:
    """What the roster changes, or why it cannot.

    A roster speaks for the campuses it names and for no other: what it does not list there is retired.

    Args:
        found: the roster's kiosks by line, as `checked` gives them.
        held: all of the register.
    """
    register = {one.device.kiosk: one for one in held}
    listed = {one.kiosk for one in found.values()}
    campuses = {one.campus for one in found.values()}
    problems = [
        Problem(
            line,
            "campus",
            f"{one.kiosk} belongs to campus {was.device.campus}; retire it there and give it a new id here",
        )
        for line, one in found.items()
        if (was := register.get(one.kiosk)) is not None and was.device.campus != one.campus
    ]
    elsewhere = [
        one.device
        for one in register.values()
        if not one.is_retired and one.device.kiosk not in listed and one.device.campus not in campuses
    ]
    problems += taken(found, elsewhere)
    if problems:
        return problems
    create, again, change, unchanged = [], [], [], 0
    for one in found.values():
        was = register.get(one.kiosk)
        if was is None:
            create.append(one)
        elif was.is_retired:
            again.append(one)
        elif was.device != one:
            change.append(Change(was.device, one))
        else:
            unchanged += 1
    retire = [
        one.device
        for one in register.values()
        if not one.is_retired and one.device.campus in campuses and one.device.kiosk not in listed
    ]
    return Plan(tuple(create), tuple(again), tuple(change), tuple(retire), unchanged)
