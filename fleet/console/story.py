"""What a page tells of one session: a heading, its state, how complete its record is, timeline and figures. Pure."""

from dataclasses import dataclass
from datetime import datetime, tzinfo
from math import inf
from typing import Final

from markupsafe import Markup

from fleet.attendance import Attended
from fleet.console.confirming import room_word_in_words
from fleet.console.figures import Figure, figures, so_far
from fleet.console.layout import Kind, lay_out, legend
from fleet.console.standing import BADGES, GOING_ON, Badge, Standing
from fleet.console.timeline import svg
from fleet.console.words import Running, running
from fleet.lost import lost_in_words
from fleet.times import credible, duration, time_of_day
from fleet.views import KioskView, SessionView
from wire.ledger import ClockTrust


@dataclass(frozen=True, slots=True)
class Story:
    """One session, ready to be shown."""

    id: str
    kiosk: str
    campus: str
    heading: str
    badge: Badge
    how: str
    """By whom it began and ended, in one or two sentences."""
    elapsed: str
    running: Running | None
    """Set while it goes on, so that the page may count on."""
    record: str
    complete: bool
    timeline: Markup | None
    """None when no row of it can be drawn."""
    notes: tuple[str, ...]
    """Who was there and why it ended early, as cards and people said, oldest first."""
    legend: tuple[tuple[Kind, str], ...]
    figures: tuple[Figure, ...]


def story(session: SessionView, kiosk: KioskView, now: datetime, zone: tzinfo | None) -> Story:
    """The story of `session` of `kiosk`, whose ages were measured at `now`."""
    going_on = session.state in GOING_ON
    current = kiosk.session is not None and kiosk.session.id == session.id
    heard = current and kiosk.presence.state == "online"
    silent_s = 0.0
    if going_on and not heard:  # of a session that is not the kiosk's current one, nothing was heard after its last row
        silent_s = min(session.age_s or 0, (kiosk.presence.age_s if current else None) or inf)
    silent_ms = int(silent_s * 1_000)
    drawn = so_far(session, silent_ms)
    clock = running(session if heard else drawn, now, zone, heard=heard) if going_on else None
    drawing = lay_out(drawn, silent_ms)
    return Story(
        id=session.id,
        kiosk=session.kiosk,
        campus=session.campus,
        heading=_heading(session, now, zone),
        badge=_NOT_HEARD if going_on and not heard else _BADGES.get(session.state, _START_MISSING),
        how=_how(session, now, zone),
        elapsed=duration(drawn.minutes.elapsed_ms),
        running=clock,
        record=_record(session, heard=heard),
        complete=session.complete,
        timeline=svg(drawn, drawing, zone) if drawing.pieces else None,
        notes=_notes(session, now, zone),
        legend=legend(drawing),
        figures=figures(drawn.minutes, going_on=going_on),
    )


def _heading(session: SessionView, now: datetime, zone: tzinfo | None) -> str:
    if session.started_at is None:
        return "Session whose start has not arrived yet"
    if session.clock is ClockTrust.UNSET or not credible(session.started_at, now):
        return "Session at an unknown time"
    return f"Session {time_of_day(session.started_at, now, zone)}"


def _how(session: SessionView, now: datetime, zone: tzinfo | None) -> str:
    parts = []
    if session.started_by:
        parts.append(f"Started by {_BY.get(session.started_by, session.started_by)}.")
    if session.clock is ClockTrust.UNSET and session.started_at is not None:
        parts.append("The kiosk's clock was not set; times count from the start.")
    if session.state == "ended" and session.ended_by:
        at = ""
        if session.ended_at and session.clock is not ClockTrust.UNSET and credible(session.ended_at, now):
            at = f" at {time_of_day(session.ended_at, now, zone)}"
        parts.append(f"Ended{at} {_ENDED_BY.get(session.ended_by, f'by {session.ended_by}')}.")
    if session.minutes.bounds:
        lost = lost_in_words(session.minutes.bounds)
        parts.append(f"{lost[0].upper()}{lost[1:]}.")
    if session.state == "cancelled":
        parts.append("Cancelled, so it counts in no minutes.")
    return " ".join(parts)


def _notes(session: SessionView, now: datetime, zone: tzinfo | None) -> tuple[str, ...]:
    found = []
    for one in session.attendance:
        at = "" if one.clock is ClockTrust.UNSET else f"{time_of_day(one.at, now, zone)} "
        found.append(f"{at}{_noted(one)}")
    for word in session.room_said:
        at = "" if word.clock is ClockTrust.UNSET else f"{time_of_day(word.at, now, zone)} "
        found.append(f"{at}{room_word_in_words(word)}")
    if len(session.students_confirmed) > 1:
        found.append(f"{len(session.students_confirmed)} students confirmed: a group.")
    return tuple(found)


def _noted(one: Attended) -> str:
    student = f"Student {one.student}" if one.student else "The student"
    if one.type == "student.confirmed":
        by = f" by card {one.card}" if one.card is not None else ""
        why = f"; this may make up for booking {one.makes_up}" if one.makes_up else ""
        return f"{student} confirmed{by}{why}."
    if one.card is None:
        return "“Not this student”, said the room: recording stops, and what was recorded is destroyed."
    return f"{student}'s card {one.card} is another booking's: nothing is recorded until this session's own is shown."


def _record(session: SessionView, *, heard: bool) -> str:
    if session.complete:
        return "The record is complete."
    if session.state in GOING_ON and heard:
        return "The session goes on; its record grows."
    if session.state in GOING_ON:
        return "Part of this record has not arrived yet. The kiosk keeps it."
    return "Part of this record has not arrived yet."


_BADGES: Final = {
    "running": BADGES[Standing.LIVE],
    "paused": BADGES[Standing.PAUSED],
    "interrupted": Badge("Interrupted", "warn", "blocked"),
    "ended": Badge("Ended", "done", "ended"),
    "cancelled": Badge("Cancelled", "off", "unknown"),
}
_START_MISSING: Final = Badge("Start not arrived", "ask", "unknown")
_NOT_HEARD: Final = Badge("Not heard from", "ask", "unknown")
_BY: Final = {
    "button": "the button",
    "screen": "a tap on the screen",
    "fleet": "the fleet",
    "kiosk": "the kiosk",
    "power": "the kiosk after a power cut",
}
_ENDED_BY: Final = {
    "hold": "by a hold of the button",
    "button": "by the button",
    "screen": "on the screen",
    "next-start": "by the start of the next session",
    "kiosk": "by itself when its time was over",
    "fleet": "by the fleet",
    "power": "by a power cut",
}
