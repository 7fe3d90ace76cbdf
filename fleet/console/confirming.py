"""What a session's page says of what was confirmed, and whether it asks. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, tzinfo
from typing import Final

from fleet.times import duration, time_of_day
from fleet.views import ConfirmationView, RoomWord
from wire.reasons import REASONS


@dataclass(frozen=True, slots=True)
class Confirming:
    """The part of the page about provided minutes."""

    lines: tuple[str, ...]
    """What was confirmed, the newest, which counts, first."""
    asks: bool
    """Whether this reader may confirm, now."""
    reasons: tuple[tuple[str, str], ...]
    """Each reason and its words."""


def confirming(
    said: Sequence[ConfirmationView], now: datetime, zone: tzinfo | None, *, ended: bool, may: bool
) -> Confirming | None:
    """The part of the page, or None where there is nothing to say or ask.

    Args:
        said: the confirmations that this reader may know, newest first.
        now: the time.
        zone: of the times shown.
        ended: whether the session is over and counts.
        may: whether this reader is a clinician.
    """
    asks = ended and may
    if not said and not asks:
        return None
    lines = [_line(one, now, zone, counts=n == 0) for n, one in enumerate(said)]
    return Confirming(tuple(lines), asks, tuple((one, reason_in_words(one)) for one in REASONS))


def reason_in_words(reason: str) -> str:
    """A reason of the closed list as it is read; one of another version as it is."""
    return _WORDS.get(reason, reason)


def room_word_in_words(word: RoomWord) -> str:
    """What the room said, as a sentence."""
    about = _ABOUT.get(word.about or "", "Why")
    match word.type:
        case "student.absent":
            return f"{'The student' if word.student is None else f'Student {word.student}'} was absent, said the room."
        case "reason.skipped":
            return f"{about}: the room was asked and did not say."
        case _:
            return f"{about}, said the room: {reason_in_words(word.reason or 'other')}."


def _line(one: ConfirmationView, now: datetime, zone: tzinfo | None, *, counts: bool) -> str:
    whose = f"{one.by} for {one.clinician}" if one.clinician else one.by
    text = f"{duration(one.provided_ms)} provided, confirmed {time_of_day(one.at, now, zone)} by {whose}"
    text += f"; {reason_in_words(one.reason)}" if one.reason else ""
    text += f"; “{one.note}”" if one.note else ""
    return f"{text}." if counts else f"Before: {text}."


_WORDS: Final = {
    "student-absent": "the student was absent",
    "student-unavailable": "the student was not available",
    "student-declined": "the student declined",
    "therapist-absent": "the therapist was absent",
    "no-staff-or-room": "no staff or no room",
    "school-event": "a school event",
    "technical": "a technical reason",
    "other": "another reason",
}
_ABOUT: Final = {
    "ended-early": "Why it ended early",
    "not-started": "Why it has not begun",
    "did-not-happen": "Why it did not happen",
}
