"""What a kiosk is told of its room: the 14 days' window, consents as they stand, school days. Pure."""

import logging
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final, cast

from fleet.planning import NEEDS, Plan, State
from fleet.store.campuses import Closure
from fleet.store.consents import RECORDING, Given
from fleet.store.rooms import Room
from wire.codec import MAX_PAYLOAD_BYTES, encode
from wire.schedule import SCHEDULE_DAYS, Booking, Consent, Model, Schedule, SchoolDay, Settled
from wire.school_day import Calendar, in_school, school_day

_log = logging.getLogger(__name__)

AHEAD: Final = timedelta(days=SCHEDULE_DAYS)
BEHIND: Final = timedelta(days=1)
"""A session may still run, and a card may show what it makes up for today."""
REVOKED_FOR: Final = timedelta(days=60)
"""For so long a kiosk is told of a consent taken back: longer than it may lie unplugged with recordings on it."""


@dataclass(frozen=True, slots=True)
class Facts:
    """All that the schedule of one kiosk is made of."""

    kiosk: str
    campus: str
    time_zone: str
    room: Room | None = None
    """Null for a kiosk that stands in no room any more: it is told that nothing is booked."""
    plans: tuple[Plan, ...] = ()
    consents: Mapping[str, Sequence[Given]] = field(default_factory=dict)
    """By student."""
    was_here: frozenset[str] = frozenset()
    """Students with a consent taken back who were ever booked in this room."""
    cards: Mapping[int, str] = field(default_factory=dict)
    calendar: Calendar | None = None
    closures: tuple[Closure, ...] = ()


def told(facts: Facts, revision: int, now: datetime) -> Schedule:
    """The schedule that the kiosk gets at `now`."""
    plans = [one for one in facts.plans if one.end > now - BEHIND and one.start < now + AHEAD]
    students = {student for plan in plans for student in plan.students}
    gone = sorted(facts.was_here - students)
    room = facts.room
    return Schedule(
        revision=revision,
        as_of=now,
        bookings=tuple(_booking(one, facts.consents, now) for one in plans if one.state is State.PLANNED),
        cards=dict(facts.cards),
        room=room.name if room else None,
        time_zone=facts.time_zone,
        days=_days(facts, now),
        office=room.office if room else None,
        point_person=room.point_person if room else None,
        settled=tuple(_settled(one) for one in plans if one.state is not State.PLANNED),
        consents=tuple(one for student in gone for one in _told_of(facts.consents.get(student, ()), now)),
    )


def fitting(schedule: Schedule) -> bytes:
    """The schedule as it is sent; of one too large for a message the last bookings are left out, and that is logged."""
    payload = encode(schedule)
    while len(payload) > MAX_PAYLOAD_BYTES and schedule.bookings:
        kept = sorted(schedule.bookings, key=lambda one: one.start)[: len(schedule.bookings) * 3 // 4]
        _log.warning("a schedule of %d bookings is too large, %d are sent", len(schedule.bookings), len(kept))
        schedule = schedule.model_copy(update={"bookings": tuple(kept)})
        payload = encode(schedule)
    return payload


def is_in_school(calendar: Calendar, at: datetime, closures: Iterable[Closure]) -> bool:
    """Whether a campus has school at that instant, closures counted."""
    closed = any(one.covers(at) for one in closures)
    return not closed and in_school(calendar, at)


def consents_in_force(given: Iterable[Given], at: datetime) -> list[Given]:
    """The consents to recordings that count at that instant; one taken back outweighs all that were given before."""
    of_recording = [one for one in given if one.scope == RECORDING]
    taken_back = [one.revoked_at for one in of_recording if one.revoked_at is not None and one.revoked_at <= at]
    last = max(taken_back, default=None)
    return [
        one
        for one in of_recording
        if one.revoked_at is None
        and one.since <= at
        and (one.until is None or at < one.until)
        and (last is None or one.since >= last)
    ]


def gaps(given: Iterable[Given]) -> list[tuple[datetime, datetime | None]]:
    """The stretches without consent that a revocation began: each up to the next consent, or open."""
    of_recording = [one for one in given if one.scope == RECORDING]
    found = []
    for one in of_recording:
        if one.revoked_at is not None:
            again = [
                other.since
                for other in of_recording
                if other.since >= one.revoked_at and (other.revoked_at is None or other.revoked_at > one.revoked_at)
            ]
            found.append((one.revoked_at, min(again, default=None)))
    return sorted(found, key=lambda gap: gap[0])


def _booking(plan: Plan, consents: Mapping[str, Sequence[Given]], now: datetime) -> Booking:
    return Booking(
        id=plan.id,
        start=plan.start,
        planned_ms=plan.planned // timedelta(milliseconds=1),
        therapist=plan.therapist,
        students=plan.students,
        model=cast("Model", plan.model),
        needs=NEEDS,
        record=plan.record,
        consents=tuple(one for student in plan.students for one in _told_of(consents.get(student, ()), now)),
        point_person=plan.point_person,
        link=plan.link,
        makes_up=plan.makes_up,
        goals={one.student: one.goals for one in plan.attending if one.goals},
        late_min=plan.late_min,
    )


def _told_of(given: Sequence[Given], now: datetime) -> list[Consent]:
    """A student's consents as kiosks are told them.

    Of one that counts already, and that follows on none taken back, nobody needs to know since when: so a kiosk whose
    clock is a little behind believes it at once.
    """
    # A kiosk of any release takes each consent for one to recordings.
    of_recording = [one for one in given if one.scope == RECORDING and _is_told(one, now)]
    taken_back = [one for one in of_recording if one.revoked_at is not None]
    return [
        Consent(
            student=one.student,
            since=one.since if taken_back or one.since > now else None,
            until=one.until,
            revoked_at=one.revoked_at,
        )
        for one in of_recording
    ]


def _is_told(given: Given, now: datetime) -> bool:
    if given.revoked_at is not None:
        return given.revoked_at > now - REVOKED_FOR
    return given.until is None or given.until > now - BEHIND


def _settled(plan: Plan) -> Settled:
    return Settled(
        id=plan.id,
        start=plan.start,
        planned_ms=plan.planned // timedelta(milliseconds=1),
        reason=plan.reason or plan.state.value,
    )


def _days(facts: Facts, now: datetime) -> tuple[SchoolDay, ...] | None:
    calendar = facts.calendar
    if calendar is None:
        return None
    today = now.astimezone(calendar.zone).date()
    found = []
    for n in range(SCHEDULE_DAYS + 1):
        day = today + timedelta(days=n)
        closes = [one.since for one in facts.closures if one.since.astimezone(calendar.zone).date() == day]
        if (school := school_day(calendar, day, min(closes, default=None))) is not None:
            found.append(school)
    return tuple(found)
