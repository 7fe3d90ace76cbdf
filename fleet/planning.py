"""Bookings as the fleet plans them, and the pure questions about them: which are one, and which cannot both be held."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum
from itertools import groupby
from typing import Final, Literal, get_args

from wire.schedule import Model, Role

Record = Literal["never", "when-offline", "always"]
MODELS: Final[tuple[str, ...]] = get_args(Model)
RECORDS: Final[tuple[str, ...]] = get_args(Record)
NEEDS: Final[tuple[Role, ...]] = ("overhead", "front")
LONGEST_MIN: Final = 480
CLOSED: Final = "school-event"
"""The reason of a booking that a closure settled; one of those that a kiosk offers (`device/session/limits.py`)."""


class State(StrEnum):
    """What is to become of a booking."""

    PLANNED = "planned"
    CANCELLED = "cancelled"
    SETTLED = "settled"
    """It will not be held, for a reason that is nobody's absence."""


@dataclass(frozen=True, slots=True)
class Attending:
    """One student of a booking."""

    student: str
    goals: tuple[str, ...] = ()
    makes_up: str | None = None


@dataclass(frozen=True, slots=True)
class Plan:
    """A planned session."""

    id: str
    campus: str
    room: str
    therapist: str
    start: datetime
    planned: timedelta
    attending: tuple[Attending, ...] = ()
    model: str = "pull-out"
    record: str = "never"
    point_person: str | None = None
    link: str | None = None
    late_min: int | None = None
    state: State = State.PLANNED
    reason: str | None = None
    source: str | None = None
    closure: str | None = None
    created_by: str = ""
    where: str = field(default="", compare=False)
    """Of which line of a file it comes, for messages."""

    @property
    def end(self) -> datetime:
        """When it is planned to end."""
        return self.start + self.planned

    @property
    def minutes(self) -> int:
        """Planned minutes."""
        return int(self.planned.total_seconds()) // 60

    @property
    def students(self) -> tuple[str, ...]:
        """Whom it is for, by opaque references, sorted."""
        return tuple(sorted(one.student for one in self.attending))

    @property
    def slot(self) -> tuple[str, str, datetime, timedelta]:
        """Room, therapist, start and length: what has these in common is one booking, of a group."""
        return self.room, self.therapist, self.start, self.planned

    @property
    def makes_up(self) -> str | None:
        """The missed booking for which it stands, if that is one and the same for all who make one up."""
        named = {one.makes_up for one in self.attending if one.makes_up}
        return named.pop() if len(named) == 1 else None


class Kind(StrEnum):
    """Why two bookings cannot both be held."""

    ROOM = "room"
    THERAPIST = "therapist"
    STUDENT = "student"


@dataclass(frozen=True, slots=True)
class Clash:
    """Two bookings that overlap in time and share what can be in one place only."""

    kind: Kind
    what: str
    """The room, therapist or student."""
    one: Plan
    other: Plan


def merged(held: Plan, new: Plan) -> Plan:
    """`held` with the students of `new`; what `new` says of a student counts, and what it leaves open does not."""
    attending = {one.student: one for one in held.attending}
    for one in new.attending:
        was = attending.get(one.student, Attending(one.student))
        attending[one.student] = Attending(one.student, one.goals or was.goals, one.makes_up or was.makes_up)
    both = tuple(sorted(attending.values(), key=lambda one: one.student))
    model = "group" if len(both) > 1 and held.model == "pull-out" else held.model
    return replace(held, attending=both, model=model)


def clashes(plans: Iterable[Plan], fresh: Callable[[Plan], bool] = lambda _plan: True) -> list[Clash]:
    """Every two planned bookings of which one is `fresh` and that cannot both be held.

    In one room one at a time, though the therapist be the same: a kiosk holds one session. A group is one booking, so
    its rows do not clash. Bookings that touch, one ending as the other begins, do not overlap.
    """
    held = [plan for plan in plans if plan.state is State.PLANNED]
    found = []
    for kind, keys in _KEYS.items():
        keyed = sorted(((key, plan) for plan in held for key in keys(plan)), key=lambda pair: _order(*pair))
        for what, pairs in groupby(keyed, key=lambda pair: pair[0]):
            found += [
                Clash(kind, what, one, other)
                for one, other in _overlapping([plan for _, plan in pairs])
                if fresh(one) or fresh(other)
            ]
    return found


_KEYS: Final[dict[Kind, Callable[[Plan], tuple[str, ...]]]] = {
    Kind.ROOM: lambda plan: (plan.room,),
    Kind.THERAPIST: lambda plan: (plan.therapist,),
    Kind.STUDENT: lambda plan: plan.students,
}


def _order(key: str, plan: Plan) -> tuple[str, datetime, str]:
    return key, plan.start, plan.id


def _overlapping(plans: list[Plan]) -> Iterator[tuple[Plan, Plan]]:
    """Pairs that overlap, of plans sorted by their start; each with the later one first."""
    running: list[Plan] = []
    for plan in plans:
        running = [one for one in running if one.end > plan.start]
        for one in running[:_MOST_AT_ONCE]:
            yield plan, one
        running.append(plan)


_MOST_AT_ONCE: Final = 5
"""A file that books one room a thousand times at the same minute need not be answered with half a million pairs."""
