"""Bookings from a calendar (iCalendar, RFC 5545): single and recurring events, exceptions, time zones.

A calendar knows no student. What a booking needs stands in properties of our own, `X-CARREL-KIOSK`, `-THERAPIST`,
`-STUDENT`, `-MODEL`, `-RECORD`, `-CONSENT`, `-POINT-PERSON`, `-GOALS`, `-MAKES-UP`, or in categories such as
`student:s-0418`; `LOCATION` may name the room and `URL` the link. Titles and descriptions are never read: they hold
names. Events with none of that are no bookings and left alone.
"""

import hashlib
import itertools
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta, tzinfo
from typing import Any, Final

from dateutil.rrule import rrulestr
from icalendar import Calendar, Event
from icalendar.prop import vRecur

from fleet import wishes
from fleet.errors import BadRows, RowFault
from fleet.imports.table import MOST_BYTES, text_of
from fleet.wishes import Unfit, Wish
from wire.school_day import instants

HORIZON: Final = timedelta(days=370)
"""A school year: what recurs later is read with a later import."""
MOST_BOOKINGS: Final = 20_000
MOST_EVENTS: Final = 5_000
_MOST_STEPS: Final = 50_000
_WITHIN_S: Final = 20.0
_OWN: Final = "X-CARREL-"
_FIELDS: Final[dict[str, tuple[str, Callable[[str], Any]]]] = {
    "KIOSK": ("place", wishes.a_place),
    "THERAPIST": ("therapist", wishes.a_therapist),
    "STUDENT": ("students", wishes.students),
    "MODEL": ("model", wishes.model),
    "RECORD": ("record", wishes.record),
    "CONSENT": ("consent", wishes.consent),
    "POINT-PERSON": ("point_person", wishes.a_point_person),
    "LINK": ("link", wishes.a_link),
    "GOALS": ("goals", wishes.goals),
    "MAKES-UP": ("makes_up", wishes.a_booking),
}
_ELSEWHERE: Final = {"KIOSK": "LOCATION", "LINK": "URL"}
_ONCE: Final = "once"
"""The key of an event that does not recur: it stays the same when the event is moved."""
_MARKS: Final = ("KIOSK", "THERAPIST", "STUDENT", "MODEL")
"""An event with one of these is a booking."""
_RULES: Final = {
    "DAILY": {"BYDAY"},
    "WEEKLY": {"BYDAY"},
    "MONTHLY": {"BYDAY", "BYMONTHDAY", "BYSETPOS"},
    "YEARLY": {"BYDAY", "BYMONTH", "BYMONTHDAY", "BYSETPOS"},
}
"""What may narrow each rule: a booking comes at most daily, and no rule may keep us looking for a day that never is."""
_COLUMNS: Final = {name: f"{_OWN}{field}" for field, (name, _) in _FIELDS.items()} | {
    "kiosk": f"{_OWN}KIOSK", "student": f"{_OWN}STUDENT", "start": "DTSTART", "minutes": "DTEND",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Read:
    """What a calendar holds."""

    wishes: tuple[Wish, ...]
    faults: tuple[RowFault, ...]
    notes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Entry:
    """One event with the line on which it begins."""

    event: Event
    line: int
    uid: str
    told: Mapping[str, str]

    def fault(self, column: str, message: str) -> RowFault:
        return RowFault(message, self.line, column)


def read(data: bytes, now: datetime) -> Read:
    """The wishes in a calendar from `now` to the horizon, and what of it does not fit.

    Raises:
        BadRows: it is no calendar, or holds more than can be read.
    """
    entries, others = _entries(data)
    changed = {(one.uid, _key(one.event.get("RECURRENCE-ID").dt)): one for one in entries if _is_exception(one)}
    found: list[Wish] = []
    faults: list[RowFault] = []
    over = beyond = 0
    began_s = time.monotonic()
    for entry in entries:
        if time.monotonic() - began_s > _WITHIN_S:
            raise BadRows(
                [entry.fault("RRULE", f"takes longer than {_WITHIN_S:.0f} s to read up to here: split the file")]
            )
        try:
            wish = _wish(entry)
            for start, key in _starts(entry, now + HORIZON):
                if not _is_exception(entry) and (entry.uid, key) in changed:
                    continue
                if _utc(start) + timedelta(minutes=wish.minutes) <= now:
                    over += 1
                elif _utc(start) > now + HORIZON:
                    beyond += 1
                else:
                    _refuse_doubtful(entry, start)
                    found.append(replace(wish, start=start, source=_source(entry.uid, key)))
                    if len(found) > MOST_BOOKINGS:
                        raise BadRows(
                            [entry.fault("RRULE", f"more than {MOST_BOOKINGS} bookings up to here: split the file")]
                        )
        except _Faulty as error:
            faults += error.faults
    notes = [
        (others, "events have none of our properties and are no bookings"),
        (over, "bookings are over and were left out"),
        (beyond, f"bookings are more than {HORIZON.days} days ahead and were left out"),
    ]
    return Read(tuple(found), tuple(faults), tuple(f"{count} {words}" for count, words in notes if count))


class _Faulty(Exception):
    def __init__(self, *faults: RowFault) -> None:
        super().__init__()
        self.faults = faults


def _entries(data: bytes) -> tuple[list[_Entry], int]:
    """The events that are bookings, and how many are none."""
    if len(data) > MOST_BYTES:
        raise BadRows([RowFault(f"{len(data)} bytes, more than the {MOST_BYTES} allowed: split the calendar")])
    text = text_of(data)
    lines = [number for number, line in enumerate(text.splitlines(), 1) if line.strip().upper() == "BEGIN:VEVENT"]
    if len(lines) > MOST_EVENTS:
        raise BadRows([RowFault(f"more than {MOST_EVENTS} events: split the calendar", lines[MOST_EVENTS])])
    try:
        calendars = Calendar.from_ical(text, multiple=True)
        events = [one for calendar in calendars for one in calendar.walk("VEVENT") if isinstance(one, Event)]
    except (ValueError, KeyError, IndexError, TypeError, AttributeError, RecursionError) as error:
        raise BadRows([RowFault(f"is no calendar that can be read: {str(error)[:120]}", 1)]) from error
    if not calendars or len(events) != len(lines):
        raise BadRows([RowFault("is no calendar that can be read: its events do not begin and end in order", 1)])
    found = []
    for event, line in zip(events, lines, strict=True):
        told = _told(event)
        if any(name in told for name in _MARKS):
            found.append(_Entry(event, line, str(event.get("UID") or ""), told))
    return found, len(events) - len(found)


def _told(event: Event) -> dict[str, str]:
    """What our own properties and categories say, by their names without what they begin with."""
    told = {
        name.upper().removeprefix(_OWN): _text(value) for name, value in event.items() if name.upper().startswith(_OWN)
    }
    for category in _categories(event):
        name, separator, value = category.partition(":")
        field = name.strip().upper().replace("_", "-").replace(" ", "-")
        if separator and field in _FIELDS:
            told[field] = f"{told[field]} {value.strip()}" if field in told else value.strip()
    return told


def _wish(entry: _Entry) -> Wish:
    """The booking that an event is, without its time."""
    told: dict[str, Any] = {}
    faults = []
    for field, (name, reader) in _FIELDS.items():
        text = entry.told.get(field, "")
        if not text and field in _ELSEWHERE:
            text = _text(entry.event.get(_ELSEWHERE[field]))
        try:
            told[name] = reader(text)
        except Unfit as error:
            faults.append(entry.fault(f"{_OWN}{field}", str(error)))
    faults += [entry.fault(f"{_OWN}{name}", "there is no such property") for name in entry.told if name not in _FIELDS]
    if not entry.uid:
        faults.append(entry.fault("UID", "is missing: without it a second import could not know the event again"))
    start, minutes = _length(entry)
    cancelled = _text(entry.event.get("STATUS")).upper() == "CANCELLED"
    try:
        told["minutes"] = wishes.minutes(minutes)
    except Unfit as error:
        faults.append(entry.fault("DTEND", str(error)))
    if faults:
        raise _Faulty(*faults)
    return Wish(**told, start=start, cancelled=cancelled, line=entry.line, columns=_COLUMNS)


def _length(entry: _Entry) -> tuple[datetime, str]:
    start = getattr(entry.event.get("DTSTART"), "dt", None)
    if not isinstance(start, datetime):
        what = "is missing" if start is None else "is a whole day: a booking has a time"
        raise _Faulty(entry.fault("DTSTART", what))
    end = getattr(entry.event.get("DTEND"), "dt", None)
    length = getattr(entry.event.get("DURATION"), "dt", None)
    if isinstance(end, datetime) and (end.tzinfo is None) == (start.tzinfo is None):
        length = end.astimezone(UTC) - start.astimezone(UTC) if start.tzinfo else end - start
    if not isinstance(length, timedelta):
        raise _Faulty(entry.fault("DTEND", "is missing: give it, or DURATION"))
    minutes, rest = divmod(length, timedelta(minutes=1))
    return start, str(minutes) if not rest and minutes > 0 else str(length)


def _starts(entry: _Entry, horizon: datetime) -> Iterator[tuple[datetime, str]]:
    """Each start of an event, and by what key an exception names it."""
    event = entry.event
    start: datetime = event.get("DTSTART").dt
    if _is_exception(entry):
        if event.get("RECURRENCE-ID").params.get("RANGE"):
            raise _Faulty(entry.fault("RECURRENCE-ID", "RANGE is not read: change the rule itself"))
        yield start, _key(event.get("RECURRENCE-ID").dt)
        return
    left_out = {_key(one.dt) for named in _listed(event.get("EXDATE")) for one in named.dts}
    extra = [one.dt for named in _listed(event.get("RDATE")) for one in named.dts]
    if any(not isinstance(one, datetime) for one in extra):
        raise _Faulty(entry.fault("RDATE", "is a whole day or a period: a booking has a time"))
    if event.get("RRULE") is None and not extra:
        yield start, _ONCE
        return
    seen = set()
    for at in itertools.chain(_by_rule(entry, start, horizon), extra):
        key = _key(at)
        if key not in left_out and key not in seen:
            seen.add(key)
            yield at, key


def _by_rule(entry: _Entry, start: datetime, horizon: datetime) -> Iterator[datetime]:
    """The starts that a rule gives, in the event's own local time, so that they keep it when clocks change."""
    rule = entry.event.get("RRULE")
    if rule is None:
        yield start
        return
    if isinstance(rule, list):
        raise _Faulty(entry.fault("RRULE", "stands twice"))
    parts = {name.upper(): values for name, values in rule.items()}
    _refuse_rule(entry, parts, start)
    until = next(iter(parts.pop("UNTIL", [])), None)
    zone, local = start.tzinfo, start.replace(tzinfo=None)
    last = _local(until, zone)
    try:
        text = vRecur(parts).to_ical().decode()  # type: ignore[no-untyped-call]
        dates = rrulestr(text, dtstart=local)
    except (ValueError, TypeError) as error:
        raise _Faulty(entry.fault("RRULE", f"cannot be read: {str(error)[:80]}")) from error
    for at in itertools.islice(dates, _MOST_STEPS):
        if (last is not None and at > last) or _utc(at.replace(tzinfo=zone)) > horizon + timedelta(days=1):
            return
        yield at.replace(tzinfo=zone)


def _refuse_rule(entry: _Entry, parts: Mapping[str, Any], start: datetime) -> None:
    every = str(next(iter(parts.get("FREQ", [])), "")).upper()
    if every not in _RULES:
        raise _Faulty(
            entry.fault("RRULE", f"FREQ={every[:20]} is none of {', '.join(_RULES)}: bookings come at most daily")
        )
    known = _RULES[every] | {"FREQ", "INTERVAL", "COUNT", "UNTIL", "WKST"}
    if strange := sorted(parts.keys() - known):
        raise _Faulty(entry.fault("RRULE", f"{', '.join(strange)[:60]} with FREQ={every} is not read"))
    if any(int(one) < 1 for one in parts.get("INTERVAL", [1])):
        raise _Faulty(entry.fault("RRULE", "INTERVAL is not 1 or more"))
    if start.year < 2000:
        raise _Faulty(entry.fault("DTSTART", "is before 2000"))


def _refuse_doubtful(entry: _Entry, start: datetime) -> None:
    """A local time that a zone has never, or twice, is nobody's plan."""
    if start.tzinfo is None:
        return  # it is looked at when the campus is known
    count = len(instants(start.replace(tzinfo=None), start.tzinfo))
    if count != 1:
        how = "never comes: clocks go forward then" if count == 0 else "comes twice, as clocks go back"
        raise _Faulty(entry.fault("DTSTART", f"{start:%Y-%m-%d %H:%M} {how} ({start.tzinfo})"))


def _local(until: date | datetime | None, zone: tzinfo | None) -> datetime | None:
    if until is None:
        return None
    if not isinstance(until, datetime):
        return datetime.combine(until, datetime.max.time())
    return until.replace(tzinfo=None) if until.tzinfo is None else until.astimezone(zone or UTC).replace(tzinfo=None)


def _is_exception(entry: _Entry) -> bool:
    return entry.event.get("RECURRENCE-ID") is not None


def _key(at: date | datetime) -> str:
    if isinstance(at, datetime) and at.tzinfo is not None:
        return at.astimezone(UTC).isoformat()
    return at.isoformat()


def _utc(at: datetime) -> datetime:
    """For comparison with the horizon only: of a time without a zone a few hours do not matter."""
    return at.astimezone(UTC) if at.tzinfo is not None else at.replace(tzinfo=UTC)


def _source(uid: str, key: str) -> str:
    """A key that gives the same event again: of its id nothing can be read, it may hold an address."""
    return "ics-" + hashlib.sha256(f"{uid}\n{key}".encode()).hexdigest()[:32]


def _listed(value: Any) -> list[Any]:
    return [] if value is None else value if isinstance(value, list) else [value]


def _categories(event: Event) -> list[str]:
    return [_text(one) for named in _listed(event.get("CATEGORIES")) for one in getattr(named, "cats", [named])]


def _text(value: Any) -> str:
    return " ".join(_text(one) for one in value) if isinstance(value, list) else str(value or "").strip()
