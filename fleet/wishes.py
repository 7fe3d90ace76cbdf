"""What somebody asks to have booked, before anything is looked up: the same for a request, a CSV row and a calendar."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Final

from fleet.errors import RowFault
from fleet.planning import LONGEST_MIN, MODELS, RECORDS
from wire.ids import ID_PATTERN, STUDENT_PATTERN
from wire.schedule import GOAL_PATTERN

_STUDENT: Final = re.compile(STUDENT_PATTERN)
_ID: Final = re.compile(ID_PATTERN)
_GOAL: Final = re.compile(GOAL_PATTERN)
_LINK: Final = re.compile(r"https://[^\s/?#@]+(?:[/?#][!-~]*)?")
_SEPARATORS: Final = re.compile(r"[\s;,|+]+")
_SCIENTIFIC: Final = re.compile(r"[0-9](?:[.,][0-9]+)?[eE]\+?[0-9]+")
_NUMBER: Final = re.compile(r"[0-9]+(?:[.,][0-9]+)?")
_YES: Final = frozenset({"yes", "y", "true", "1", "x", "si", "sí"})
_NO: Final = frozenset({"no", "n", "false", "0", "none", "-"})
_LONGEST_LINK: Final = 500
_MOST_STUDENTS: Final = 12
LOCAL: Final = ("%Y-%m-%dT%H:%M", "%Y-%m-%d %H:%M", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%d %H:%M:%S")


@dataclass(frozen=True, slots=True)
class ConsentWish:
    """That a consent to recordings is on record; `until` is its last day, null if it does not end."""

    until: date | None = None


@dataclass(frozen=True, slots=True)
class Wish:
    """One booking, or one row of a group's, as it was asked for."""

    place: str
    """A kiosk, or the name or id of a room."""
    therapist: str
    students: tuple[str, ...]
    start: datetime
    """Aware, or naive in the campus's own time."""
    minutes: int
    model: str | None = None
    record: str | None = None
    point_person: str | None = None
    link: str | None = None
    goals: tuple[str, ...] = ()
    makes_up: str | None = None
    consent: ConsentWish | None = None
    source: str | None = None
    cancelled: bool = False
    line: int | None = None
    columns: Mapping[str, str] = field(default_factory=dict, compare=False)
    """What the fields are called where it comes from, if otherwise."""

    def fault(self, name: str | None, message: str) -> RowFault:
        """Something that does not fit, at its place."""
        return RowFault(message, self.line, self.columns.get(name, name) if name else None)


class Unfit(Exception):
    """A text that is no value of its kind; the message says what is, and what probably happened to it."""


def a_place(text: str) -> str:
    """A kiosk or a room, in the words of whoever wrote it."""
    if not text:
        raise Unfit("is empty: write the kiosk's id or the room's name")
    return _plain(text, 80)


def a_therapist(text: str) -> str:
    """An opaque reference to a person."""
    if not text:
        raise Unfit("is empty: write the therapist's reference, such as th-lane")
    return _reference(text)


def a_point_person(text: str) -> str | None:
    """An opaque reference or a role."""
    return _reference(text) if text else None


def students(text: str) -> tuple[str, ...]:
    """The opaque references in a text, separated by spaces or semicolons."""
    found = tuple(one for one in _SEPARATORS.split(text.strip()) if one)
    if len(found) > _MOST_STUDENTS:
        raise Unfit(f"{len(found)} students, more than the {_MOST_STUDENTS} of a group")
    for one in found:
        a_student(one)
    if len(set(found)) < len(found):
        raise Unfit("names a student twice")
    return found


def a_student(text: str) -> str:
    """One opaque student reference."""
    if _STUDENT.fullmatch(text):
        return text
    _no_formula(text)
    example = "write an opaque reference such as s-0418"
    if _SCIENTIFIC.fullmatch(text):
        raise Unfit(f"{text[:20]!r} is a number that a spreadsheet has rounded: {example}, in a column of text")
    if text.isdecimal():
        why = "looks like a district's id, which is never kept here" if len(text) > 4 else "may have lost its letters"
        raise Unfit(f"a number {why}: {example}")
    if re.fullmatch(r"[a-z]{1,2}-[0-9]{1,2}", text):
        raise Unfit(f"{text!r} has too few digits; a spreadsheet may have taken its zeros: write {text[0]}-0418")
    if re.fullmatch(r"[a-z]{1,2}-[0-9]{7,}", text):
        raise Unfit(f"has more than 6 digits, as a district's id has, which is never kept here: {example}")
    if re.fullmatch(r"[A-Z]{1,2}-[0-9]{3,6}", text):
        raise Unfit(f"{text!r} has capital letters: write {text.lower()}")
    # What stands there may be a name: it is not said again.
    raise Unfit(f"is no student reference: {example}; names have no place here")


def minutes(text: str) -> int:
    """Whole minutes."""
    if text.isascii() and text.isdigit() and len(text) <= 4 and 1 <= int(text) <= LONGEST_MIN:
        return int(text)
    _no_formula(text)
    if not text:
        raise Unfit("is empty: write the planned minutes, such as 30")
    if re.fullmatch(r"[0-9]{1,2}:[0-9]{2}(?::[0-9]{2})?", text):
        raise Unfit(f"{text!r} is a time of day: write the planned minutes as a number, such as 30")
    if _SCIENTIFIC.fullmatch(text):
        raise Unfit(f"{text[:20]!r} is a number that a spreadsheet has rounded: write whole minutes, such as 30")
    raise Unfit(f"{text[:20]!r} is no number of minutes from 1 to {LONGEST_MIN}")


def start(text: str) -> datetime:
    """An instant with its offset, or a local time."""
    if not text:
        raise Unfit("is empty: write it as 2026-11-24 10:15")
    for form in LOCAL:
        try:
            return datetime.strptime(text, form)  # noqa: DTZ007  # naive is what it is: the campus's own time
        except ValueError:
            continue
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        at = None
    if at is not None and at.tzinfo is not None and 2000 <= at.year <= 2100:
        return at
    _no_formula(text)
    written = "write it as 2026-11-24 10:15, or with an offset as 2026-11-24T10:15-06:00"
    if _NUMBER.fullmatch(text) or _SCIENTIFIC.fullmatch(text):
        raise Unfit(f"{text[:20]!r} is how a spreadsheet counts days: {written}, in a column of text")
    if re.match(r"[0-9]{1,2}[./-][0-9]{1,2}[./-][0-9]{2,4}", text):
        raise Unfit(f"{text[:20]!r} can be read as two dates, as spreadsheets write them: {written}")
    if re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", text):
        raise Unfit(f"{text!r} has no time of day: {written}")
    raise Unfit(f"{text[:30]!r} is no date and time: {written}")


def consent(text: str) -> ConsentWish | None:
    """`yes`, the consent's last day, or nothing."""
    word = text.strip().lower()
    if not word or word in _NO:
        return None
    if word in _YES:
        return ConsentWish()
    try:
        return ConsentWish(date.fromisoformat(word))
    except ValueError as error:
        raise Unfit(f"{text[:20]!r} is neither yes, no nor the consent's last day as 2027-06-30") from error


def record(text: str) -> str | None:
    """A recording policy."""
    return _word(text, RECORDS)


def model(text: str) -> str | None:
    """A service model."""
    return _word(text.replace("pullout", "pull-out").replace("pushin", "push-in"), MODELS)


def a_link(text: str) -> str | None:
    """Where the therapist joins by other means; https only."""
    if not text:
        return None
    if len(text) > _LONGEST_LINK or not _LINK.fullmatch(text):
        raise Unfit("is no link that begins with https:// and names a host, without a user or password in it")
    return text


def goals(text: str) -> tuple[str, ...]:
    """Opaque goal codes."""
    found = tuple(dict.fromkeys(one.lower() for one in _SEPARATORS.split(text.strip()) if one))
    for one in found:
        if not _GOAL.fullmatch(one):
            raise Unfit("is no opaque code such as g-12: a goal's words are kept outside this product")
    return found


def a_booking(text: str) -> str | None:
    """The id of a booking."""
    if not text:
        return None
    if not _ID.fullmatch(text):
        raise Unfit(f"{text[:40]!r} is no booking's id; take it from the list of bookings")
    return text


def _reference(text: str) -> str:
    if _ID.fullmatch(text):
        return text
    _no_formula(text)
    if "@" in text or " " in text:
        raise Unfit("is no opaque reference such as th-lane: names and addresses have no place here")
    if _ID.fullmatch(text.lower()):
        raise Unfit(f"{text[:40]!r} has capital letters: write {text.lower()[:40]}")
    if not text.isascii():
        raise Unfit(f"{_shown(text)} has characters that only look like letters or digits: 3 to 40 of a-z, 0-9 and -")
    raise Unfit(f"{text[:40]!r} is no reference: 3 to 40 of a-z, 0-9 and -, no dash at either end")


def _word(text: str, words: tuple[str, ...]) -> str | None:
    word = text.strip().lower()
    if not word:
        return None
    if word not in words:
        _no_formula(text)
        raise Unfit(f"{text[:20]!r} is none of {', '.join(words)}")
    return word


def _plain(text: str, most: int) -> str:
    _no_formula(text)
    if len(text) > most:
        raise Unfit(f"is longer than {most} characters")
    if not text.isprintable():
        raise Unfit(f"{_shown(text)} has characters that cannot be shown")
    return text


def _no_formula(text: str) -> None:
    if text[:1] in {"=", "+", "@"} or (text[:1] == "-" and text != "-"):
        raise Unfit("is a spreadsheet's formula: write the value itself")


def _shown(text: str) -> str:
    return ascii(text[:40])
