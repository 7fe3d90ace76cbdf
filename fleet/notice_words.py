"""A notice in words: for people as a subject and a text, for programs as JSON. Pure."""

from dataclasses import dataclass
from typing import Any, Final

from fleet.notices import Kind, Notice, To, room_name
from fleet.own_signals import is_known, words
from wire.signals import Severity


@dataclass(frozen=True, slots=True)
class Letter:
    """A notice for a person."""

    subject: str
    text: str


def sentence_of(signal: str, role: str | None) -> str:
    """What is wrong, in one sentence of the table's."""
    return words(signal, role, "therapist") if is_known(signal) else _NO_WORDS


def letter(notice: Notice, url: str) -> Letter:
    """The notice as a mail; `url` is where the incident is acknowledged, by someone who signs in."""
    if notice.kind in OF_A_CAMPUS:
        return _campus_letter(notice, url)
    where = room_name(notice.room, notice.kiosk)
    what = sentence_of(notice.signal, notice.role)
    over = notice.kind is Kind.RESOLVED
    since = notice.since
    lines = [
        f"{where} (kiosk {notice.kiosk}, campus {notice.campus})",
        "",
        f"It is over: {what}" if over else what,
        f"Since {since:%H:%M} on {_DAYS[since.weekday()]} {since:%Y-%m-%d}, campus time.",
    ]
    if notice.flapping and not over:
        lines.append("It comes and goes; it is held open until it has been quiet for ten minutes.")
    if not over:
        lines += _do(notice)
    lines += ["", f"{'See it' if over else 'Look at it and acknowledge it'}: {url}"]
    if not over and notice.to is To.POINT_PERSON:
        lines.append("If nobody acknowledges it within three minutes, the next person is told.")
    head = "Over" if over else "Cannot run a session" if notice.severity is Severity.BLOCKED else "Needs a hand"
    return Letter(f"{head}: {where}: {what}", "\n".join(lines) + "\n")


def payload(notice: Notice, url: str) -> dict[str, Any]:
    """The notice for a program."""
    return {
        "type": notice.kind.value,
        "timestamp": notice.at.isoformat(),
        "data": {
            "incident": notice.incident,
            "kiosk": notice.kiosk or None,
            "campus": notice.campus,
            "room": room_name(notice.room, notice.kiosk) or None,
            "signal": notice.signal if is_known(notice.signal) else None,
            "camera": notice.role if notice.role in _CAMERAS else None,
            "severity": notice.severity.value,
            "opening": notice.opening,
            "since": notice.since.isoformat(),
            "flapping": notice.flapping,
            "text": OF_A_CAMPUS.get(notice.kind) or sentence_of(notice.signal, notice.role),
            "url": url,
        },
    }


def _campus_letter(notice: Notice, url: str) -> Letter:
    """Why it closes is not told: a person wrote that, and may have named somebody."""
    since = notice.since
    lines = [
        f"Campus {notice.campus}",
        "",
        OF_A_CAMPUS[notice.kind],
        f"From {since:%H:%M} on {_DAYS[since.weekday()]} {since:%Y-%m-%d}, campus time.",
        "",
        f"See what is booked: {url}",
    ]
    head = "Closes early" if notice.kind is Kind.CLOSED else "Does not close early"
    return Letter(f"{head}: {notice.campus} from {since:%H:%M}", "\n".join(lines) + "\n")


def _do(notice: Notice) -> list[str]:
    if not is_known(notice.signal) or notice.to is To.THERAPIST:
        return []
    if notice.to is To.IT:
        return ["", words(notice.signal, notice.role, "it")]
    return ["", f"What to do: {words(notice.signal, notice.role, 'aide')}"]


OF_A_CAMPUS: Final = {
    Kind.CLOSED: "The campus closes early; what is booked there after that is settled as a school event.",
    Kind.REOPENED: "The campus does not close early after all; what is still to come is held as it was booked.",
}
_NO_WORDS: Final = "Something is wrong that this version has no words for."
_CAMERAS: Final = frozenset({"overhead", "front"})
_DAYS: Final = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
