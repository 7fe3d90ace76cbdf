"""A day's bookings as the board of a therapist shows them: rows, their badges and the counts above. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from fleet.access.roles import Principal, Right
from fleet.console.standing import BADGES, COUNTED, Badge, Standing
from fleet.console.words import Running, ago
from fleet.forecast import Overdue, Phase
from fleet.forecast_views import ForecastView
from fleet.times import day, time_of_day
from wire.signals import Verdict
from wire.zones import zone_of


@dataclass(frozen=True, slots=True)
class TodayRow:
    """One booking. It holds instants and no ages, so what only grew older is no news."""

    booking: str
    when: str
    minutes: int
    start: datetime
    room: str
    kiosk: str | None
    campus: str
    therapist: str
    students: str | None
    tone: str
    badge: Badge
    trouble: Badge | None
    reasons: tuple[str, ...]
    needs: tuple[str, ...]
    evidence: str
    evidence_at: datetime | None
    next_look: str | None
    link: str
    person: str | None
    desk: str
    front: str
    running: Running | None
    session: str | None
    may_check: bool
    may_plan: bool
    may_say_why: bool
    late_min: int | None
    over: bool
    """Nothing is to be foretold any more."""


@dataclass(frozen=True, slots=True)
class Count:
    """How many bookings are how."""

    badge: Badge
    number: int
    word: str


@dataclass(frozen=True, slots=True)
class Today:
    """The day's board."""

    rows: tuple[TodayRow, ...]
    counts: tuple[Count, ...]
    name: str
    """The day, in the zone of its first booking."""
    whose: str | None = None
    """The therapist whose bookings alone are shown."""


def today(found: Iterable[ForecastView], reader: Principal, now: datetime, whose: str | None = None) -> Today:
    """The board of these bookings for this reader."""
    views = list(found)
    rows = tuple(_row(one, reader, now) for one in views)
    numbers: dict[Badge, int] = {}
    words: dict[Badge, tuple[str, str]] = {}
    for one in views:
        badge, word = _counted(one)
        numbers[badge] = numbers.get(badge, 0) + 1
        words[badge] = word
    counts = tuple(Count(badge, number, words[badge][number > 1]) for badge, number in numbers.items())
    zone = zone_of(views[0].time_zone) if views else None
    return Today(rows, counts, day(now, zone), whose)


def differs(old: TodayRow, new: TodayRow) -> bool:
    """Whether a reader would see it; the same instant measured twice may differ by a second."""
    if _moved(old.evidence_at, new.evidence_at) or _moved(_since(old), _since(new)):
        return True
    same = replace(old.running, at=new.running.at) if old.running and new.running else old.running
    return replace(old, evidence_at=new.evidence_at, running=same) != new


def _since(row: TodayRow) -> datetime | None:
    return row.running.at if row.running else None


def _moved(old: datetime | None, new: datetime | None) -> bool:
    if old is None or new is None:
        return old is not new
    return abs((new - old).total_seconds()) > 1.5


def _row(one: ForecastView, reader: Principal, now: datetime) -> TodayRow:
    zone = zone_of(one.time_zone)
    badge = _badge(one, now)
    running = None
    if one.phase is Phase.RUNNING and one.session is not None:
        heard = one.verdict is not Verdict.UNKNOWN
        running = Running(one.session.id, one.session.minutes.elapsed_ms, ago(one.session.age_s, now), heard, None)
    is_ahead = one.phase in {Phase.COMING, Phase.DUE}
    person = ", ".join(part for part in (one.point_person, one.office) if part)
    return TodayRow(
        booking=one.booking,
        when=f"{one.start.astimezone(zone):%H:%M}",
        minutes=one.minutes,
        start=one.start,
        room=one.room_name,
        kiosk=one.kiosk,
        campus=one.campus,
        therapist=one.therapist,
        students=None if one.students is None else ", ".join(one.students),
        tone=badge.tone,
        badge=badge,
        trouble=BADGES[Standing(one.verdict.value)] if one.phase is Phase.RUNNING and one.verdict in _TROUBLE else None,
        reasons=one.reasons,
        needs=one.needs,
        evidence=one.evidence.what,
        evidence_at=one.evidence.at,
        next_look=time_of_day(one.next_look_at, now, zone) if one.next_look_at else None,
        link=one.link.quality,
        person=person or None,
        desk=_picture(one, "overhead"),
        front=_picture(one, "front"),
        running=running,
        session=one.session.id if one.session else None,
        may_check=is_ahead and one.kiosk is not None and not one.in_session and reader.may(Right.COMMAND),
        may_plan=(is_ahead or one.phase is Phase.RUNNING) and reader.may(Right.PLAN),
        may_say_why=one.phase is Phase.MISSED and reader.may(Right.PLAN),
        late_min=one.late_min,
        over=one.phase in {Phase.HELD, Phase.MISSED, Phase.FELL},
    )


def _badge(one: ForecastView, now: datetime) -> Badge:
    if one.phase is Phase.FELL:
        return _FELL if now < one.end else _NOT_HELD
    if one.phase is Phase.RUNNING:
        silent = one.verdict is Verdict.UNKNOWN
        return _SILENT_IN_SESSION if silent else BADGES[_DOING.get(one.doing or "", Standing.LIVE)]
    if one.phase in _OVER:
        return _OVER[one.phase]
    if one.overdue is Overdue.START:
        return _OVERDUE
    is_off = one.presence == "offline" and one.verdict is Verdict.UNKNOWN
    return BADGES[Standing.OFFLINE if is_off else Standing(one.verdict.value)]


def _counted(one: ForecastView) -> tuple[Badge, tuple[str, str]]:
    """What a booking counts as, above the board."""
    match one.phase:
        case Phase.HELD:
            return _HELD, ("held", "held")
        case Phase.MISSED | Phase.FELL:
            return _NOT_HELD, ("not held", "not held")
        case Phase.RUNNING:
            return BADGES[Standing.LIVE], COUNTED[Standing.LIVE]
        case _:
            where = Standing(one.verdict.value)
            return BADGES[where], COUNTED[where]


def _picture(one: ForecastView, role: str) -> str:
    """What stands where a picture could: none leaves the room before its view is audited."""
    if one.verdict is Verdict.UNKNOWN or one.kiosk is None:
        return "unknown"
    camera = {"overhead": "desk camera", "front": "front camera"}[role]
    for word in ("covered", "gives no picture", "too little light"):
        if any(camera in reason and word in reason for reason in one.reasons):
            return {"covered": "covered", "gives no picture": "no picture", "too little light": "dark"}[word]
    return "kept in the room"


_TROUBLE: Final = {Verdict.ATTENTION, Verdict.BLOCKED}
_DOING: Final = {"buffering": Standing.BUFFERING, "paused": Standing.PAUSED}
_HELD: Final = Badge("Held", "ok", "ready")
_MISSED: Final = Badge("Not held", "warn", "attention")
_FELL: Final = Badge("Will not be held", "off", "unknown")
_NOT_HELD: Final = Badge("Not held", "off", "unknown")
_OVERDUE: Final = Badge("Not started", "warn", "attention")
_SILENT_IN_SESSION: Final = Badge("In session when last heard", "ask", "unknown")
_OVER: Final = {Phase.HELD: _HELD, Phase.MISSED: _MISSED}
