"""Booking, changing and cancelling: looked up, held against all that is booked, and kept whole or not at all.

Everything here works inside the caller's transaction, so that what was looked at is what the change rests on. Whoever
changes something touches the kiosks concerned; the sender then tells them (`fleet/sending.py`).
"""

import uuid
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from sqlalchemy import Connection

from fleet import wishes, zones
from fleet.access.roles import Principal
from fleet.consents import give_by_file
from fleet.errors import BadRows, RowFault
from fleet.places import Places
from fleet.planning import Attending, Clash, Kind, Plan, State, clashes, merged
from fleet.roll import Roll
from fleet.store import bookings as store
from fleet.store import campuses, rooms
from fleet.wishes import Unfit, Wish
from wire.school_day import instants

FARTHEST: Final = timedelta(days=2 * 366)
"""A year that was mistyped is no plan."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of the wishes."""

    added: tuple[Plan, ...] = ()
    changed: tuple[Plan, ...] = ()
    unchanged: tuple[Plan, ...] = ()
    notes: tuple[str, ...] = ()


@dataclass
class Desk:
    """Who books what, where and when.

    Args:
        connection: from `Database.write`.
        roll: the kiosks there are.
        principal: who asks; what they may not see does not exist for them.
        now: an aware instant.
        zone_setting: the fleet's own time zone, for campuses without a calendar.
        campus: where a room's name is looked for; null is all that the principal sees.
    """

    connection: Connection
    roll: Roll
    principal: Principal
    now: datetime
    zone_setting: str | None = None
    campus: str | None = None
    faults: list[RowFault] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    lines: dict[str, Wish] = field(default_factory=dict)
    """Of which line each new or changed booking comes."""
    _zones: dict[str, ZoneInfo] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.places = Places.of(self.connection, self.roll, self.principal, self.campus)
        self.rooms = self.places.by_id()
        self.calendars = campuses.all_calendars(self.connection, {one.campus for one in self.places.rooms})

    def book(self, asked: Sequence[Wish]) -> Outcome:
        """Have all of these booked, or none.

        Raises:
            BadRows: what does not fit, each at its line; nothing was changed.
        """
        wanted = [plan for wish in asked if (plan := self._planned(wish)) is not None]
        self._refuse_repeats(wanted)
        groups = self._groups(wanted)
        added, changed, unchanged = self._against_held(groups)
        self._look_up_missed([*added, *changed])
        self._refuse_clashes([*added, *changed])
        if self.faults:
            raise BadRows(sorted(self.faults, key=lambda one: (one.line or 0, one.column or "")))
        fresh = [*added, *changed]
        self.places.keep(self.connection, (self.rooms[one.room] for one in fresh), self.now)
        store.add(self.connection, added, self.now)
        for one in changed:
            store.change(self.connection, one, self.now)
        told = self._consents(wanted)
        self.touch({one.room for one in fresh} | told)
        return Outcome(tuple(added), tuple(changed), tuple(unchanged), tuple(dict.fromkeys(self.notes)))

    def change(self, held: Plan, after: Plan) -> Plan:
        """Let a booking be another one; raises `BadRows` when it cannot be held so."""
        if after == held:
            return held
        if after.slot != held.slot:
            self._refuse_past(after, lambda name, message: RowFault(message, None, name))
        self._look_up_missed([after])
        self._refuse_clashes([after])
        if self.faults:
            raise BadRows(self.faults)
        self.places.keep(self.connection, [self.rooms[after.room]], self.now)
        store.change(self.connection, after, self.now)
        self.touch({held.room, after.room})
        return after

    def touch(self, changed: Iterable[str]) -> None:
        """The kiosks of these rooms have news."""
        held = rooms.some(self.connection, changed)
        rooms.touch(self.connection, (one.kiosk for one in held.values()), self.now)

    def zone(self, campus: str) -> ZoneInfo:
        """The time zone of a campus."""
        if campus not in self._zones:
            self._zones[campus] = zones.zone(self.calendars.get(campus), self.zone_setting)
        return self._zones[campus]

    def instant(self, start: datetime, campus: str) -> datetime:
        """The instant of a start that may be local; raises `Unfit` for one that comes never or twice."""
        if start.tzinfo is not None:
            at = start.astimezone(UTC)
        else:
            zone = self.zone(campus)
            found = instants(start, zone)
            if not found:
                raise Unfit(f"{start:%Y-%m-%d %H:%M} never comes at {campus}: clocks go forward then ({zone.key})")
            if len(found) > 1:
                both = " or ".join(at.astimezone(zone).isoformat(timespec="minutes") for at in found)
                raise Unfit(
                    f"{start:%Y-%m-%d %H:%M} comes twice at {campus}, as clocks go back ({zone.key}): write {both}"
                )
            at = found[0]
        if at > self.now + FARTHEST:
            raise Unfit(f"{at:%Y-%m-%d} is more than two years ahead")
        return at

    # One wish

    def _planned(self, wish: Wish) -> "_Wanted | None":
        try:
            room = self.places.find(wish.place)
        except Unfit as error:
            self._fault(wish, "kiosk", str(error))
            return None
        try:
            start = self.instant(wish.start, room.campus)
        except Unfit as error:
            self._fault(wish, "start", str(error))
            return None
        if wish.model == "consult" and wish.students:
            self._fault(wish, "student", "a consult has no student")
        elif wish.model != "consult" and not wish.students:
            self._fault(wish, "student", "is empty: write an opaque reference such as s-0418; only a consult has none")
        plan = Plan(
            id=f"b-{uuid.uuid4().hex[:16]}",
            campus=room.campus,
            room=room.id,
            therapist=wish.therapist,
            start=start,
            planned=timedelta(minutes=wish.minutes),
            attending=tuple(Attending(one, wish.goals, wish.makes_up) for one in sorted(wish.students)),
            model=wish.model or ("group" if len(wish.students) > 1 else "pull-out"),
            record=wish.record or "never",
            point_person=wish.point_person,
            link=wish.link,
            source=wish.source,
            created_by=self.principal.name,
        )
        return _Wanted(wish, plan)

    def _refuse_repeats(self, wanted: Iterable["_Wanted"]) -> None:
        seen: dict[tuple[object, ...], Wish] = {}
        for one in wanted:
            for student in one.plan.students or ("",):
                before = seen.setdefault((*one.plan.slot, student), one.wish)
                if before is not one.wish:
                    self._fault(one.wish, None, f"says again what line {before.line} says")

    def _groups(self, wanted: Iterable["_Wanted"]) -> list["_Wanted"]:
        """Rows of the same slot as one; what they say of it must agree."""
        found: dict[tuple[object, ...], _Wanted] = {}
        for one in wanted:
            key = (one.wish.source, *one.plan.slot) if one.wish.source else one.plan.slot
            held = found.get(key)
            if held is None:
                found[key] = one
                continue
            told: dict[str, str | None] = {}
            for name in _SHARED:
                first, second = getattr(held.wish, name), getattr(one.wish, name)
                if first and second and first != second:
                    self._fault(one.wish, name, f"{second!r}, but line {held.wish.line} of the same group: {first!r}")
                told[name] = first or second
            wish = replace(held.wish, **told)  # type: ignore[arg-type]  # all of them are texts
            plan = merged(held.plan, one.plan)
            plan = replace(
                plan, record=told["record"] or plan.record, point_person=told["point_person"], link=told["link"]
            )
            if told["model"] and told["model"] != "pull-out":
                plan = replace(plan, model=told["model"])
            found[key] = _Wanted(wish, plan)
        return list(found.values())

    # Against what is booked

    def _against_held(self, groups: Sequence["_Wanted"]) -> tuple[list[Plan], list[Plan], list[Plan]]:
        """What is new, what changes, and what is so already."""
        held = store.same_slot_or_source(self.connection, [one.plan for one in groups])
        # One that stands outweighs one that fell.
        by_slot = {plan.slot: plan for plan in sorted(held, key=lambda plan: plan.state is State.PLANNED)}
        by_source = {(plan.campus, plan.source): plan for plan in held if plan.source}
        added: list[Plan] = []
        changed: list[Plan] = []
        unchanged: list[Plan] = []
        for one in groups:
            was = by_source.get((one.plan.campus, one.plan.source)) if one.plan.source else None
            is_moved = was is not None
            was = was or by_slot.get(one.plan.slot)
            if was is None:
                if not one.wish.cancelled:
                    self.lines[one.plan.id] = one.wish
                    self._refuse_past(one.plan, one.wish.fault)
                    added.append(one.plan)
                continue
            after = self._after(was, one, is_moved=is_moved)
            if after == was:
                unchanged.append(was)
                continue
            self.lines[after.id] = one.wish
            if after.slot != was.slot or after.students != was.students:
                self._refuse_past(after, one.wish.fault)
            changed.append(after)
        return added, changed, unchanged

    def _after(self, was: Plan, one: "_Wanted", *, is_moved: bool) -> Plan:
        if was.state is not State.PLANNED:
            self.notes.append(f"{one.where}: this booking was {was.state.value} ({was.reason}); it stays so")
            return was
        if one.wish.cancelled:
            return replace(was, state=State.CANCELLED, reason="cancelled")
        after = was
        if is_moved:
            after = replace(
                after, room=one.plan.room, campus=one.plan.campus, therapist=one.plan.therapist, start=one.plan.start,
                planned=one.plan.planned, attending=(),
            )  # fmt: skip
        after = merged(after, one.plan)
        told = {name: value for name in _SHARED if (value := getattr(one.wish, name))}
        if told.get("model") == "pull-out" and len(after.attending) > 1:
            del told["model"]
        return replace(after, **told)

    def _refuse_past(self, plan: Plan, fault: Callable[[str | None, str], RowFault]) -> None:
        if plan.end <= self.now:
            at = plan.start.astimezone(self.zone(plan.campus))
            self.faults.append(fault("start", f"{at:%Y-%m-%d %H:%M} is over: only what is to come can be booked"))

    def _look_up_missed(self, plans: Sequence[Plan]) -> None:
        named = {one.makes_up for plan in plans for one in plan.attending if one.makes_up}
        known = store.by_id(self.connection, named) if named else {}
        for plan in plans:
            for one in plan.attending:
                missed = known.get(one.makes_up or "")
                if one.makes_up is None:
                    continue
                if missed is None or missed.campus != plan.campus or missed.id == plan.id:
                    self._fault_of(plan, "makes_up", f"there is no other booking {one.makes_up!r} at {plan.campus}")
                elif one.student not in missed.students:
                    self._fault_of(plan, "makes_up", f"{one.makes_up} is no booking of {one.student}")

    def _refuse_clashes(self, fresh: Sequence[Plan]) -> None:
        planned = [one for one in fresh if one.state is State.PLANNED]
        if not planned:
            return
        first, last = min(one.start for one in planned), max(one.end for one in planned)
        ids = {one.id for one in fresh}
        held = [one for one in store.between(self.connection, first, last) if one.id not in ids]
        for clash in clashes([*held, *planned], lambda plan: plan.id in ids):
            mine, other = (clash.one, clash.other) if clash.one.id in ids else (clash.other, clash.one)
            self._fault_of(mine, _COLUMNS[clash.kind], self._clash_words(clash, other), is_conflict=True)
        for closure in campuses.closures_of(self.connection, {one.campus for one in planned}, first, last):
            for plan in planned:
                if plan.campus == closure.campus and closure.covers(plan.start):
                    at = closure.since.astimezone(self.zone(plan.campus))
                    words = f"{plan.campus} is closed from {at:%Y-%m-%d %H:%M} on that day"
                    self._fault_of(plan, "start", words, is_conflict=True)

    def _clash_words(self, clash: Clash, other: Plan) -> str:
        zone = self.zone(other.campus)
        when = f"{other.start.astimezone(zone):%Y-%m-%d %H:%M}-{other.end.astimezone(zone):%H:%M}"
        if not self.principal.sees(other.campus):
            return f"{clash.kind.value} {clash.what} is booked elsewhere at {when}"
        room = self.rooms.get(other.room)
        line = self.lines.get(other.id)
        which = f"line {line.line}" if line is not None and line.line is not None else f"booking {other.id}"
        what = room.name if clash.kind is Kind.ROOM and room else clash.what
        where = "" if clash.kind is Kind.ROOM else f" in {room.name if room else other.room}"
        with_ = "" if clash.kind is Kind.THERAPIST else f" with {other.therapist}"
        return f"{clash.kind.value} {what} is booked {when}{where}{with_} ({which})"

    def _consents(self, wanted: Iterable["_Wanted"]) -> set[str]:
        """Keep the consents that were told; the rooms that have to hear of them."""
        told: dict[str, dict[str, wishes.ConsentWish]] = {}
        for one in wanted:
            if one.wish.consent is not None:
                told.setdefault(one.plan.campus, {}).update(dict.fromkeys(one.wish.students, one.wish.consent))
        changed: set[str] = set()
        for campus, by_student in told.items():
            given, notes = give_by_file(
                self.connection, campus, by_student, self.zone(campus), self.principal.name, self.now
            )
            self.notes += notes
            if given:
                changed |= store.rooms_of_students(self.connection, campus, given)
        return changed

    def _fault(self, wish: Wish, name: str | None, message: str) -> None:
        self.faults.append(wish.fault(name, message))

    def _fault_of(self, plan: Plan, name: str, message: str, *, is_conflict: bool = False) -> None:
        wish = self.lines.get(plan.id)
        fault = RowFault(message, None, name) if wish is None else wish.fault(name, message)
        self.faults.append(replace(fault, is_conflict=is_conflict))


@dataclass(frozen=True, slots=True)
class _Wanted:
    wish: Wish
    plan: Plan

    @property
    def where(self) -> str:
        return f"line {self.wish.line}" if self.wish.line is not None else "the request"


_SHARED: Final = ("model", "record", "point_person", "link")
"""What the rows of a group say of it together."""
_COLUMNS: Final[Mapping[Kind, str]] = {Kind.ROOM: "kiosk", Kind.THERAPIST: "therapist", Kind.STUDENT: "student"}
