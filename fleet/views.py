"""What a reader of the fleet is told: the models behind the API's JSON and the console's pages.

Every fact carries its age in seconds, measured by the fleet on its own monotonic clock; null is "never" or "not known".
What is too old to be believed is `unknown`, never the last good value.
"""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

from fleet.attendance import Attended, confirmed
from fleet.clock import Instant, micros, moment, moment_or_none
from fleet.incidents import Key
from fleet.roll import Entry
from fleet.sights import verdict_of
from fleet.store.confirmations import Confirmed
from wire.ledger import ClockTrust
from wire.minutes import Minutes, Span
from wire.signal_table import words
from wire.signals import ActiveSignal, Severity, Verdict


class View(BaseModel):
    """A frozen model that is only ever shown."""

    model_config = ConfigDict(frozen=True)


class PresenceView(View):
    """Whether a kiosk is heard."""

    state: Literal["online", "unknown", "offline"]
    since: datetime | None
    """When this state began; null when the kiosk was never heard."""
    last_heard_at: datetime | None
    age_s: float | None
    """Since the last sign of life; null when it was never heard."""


class SignalView(View):
    """One active signal with its words for each reader."""

    id: str
    role: str | None
    severity: Severity
    since: datetime
    evidence: dict[str, Any]
    outranked: bool
    """Held back by a stronger signal of the same camera; it changes no verdict."""
    suppressed: bool = False
    """Somebody suppressed its incident for a time; it changes no verdict either."""
    aide: str
    therapist: str
    it: str


class SessionLine(View):
    """One session in a list."""

    id: str
    kiosk: str
    campus: str
    state: str
    """`running`, `paused`, `interrupted`, `ended`, `cancelled`, or `unknown` while its start has not arrived."""
    started_at: datetime | None
    ended_at: datetime | None
    started_by: str | None
    ended_by: str | None
    minutes: Minutes
    complete: bool
    """Ended or cancelled, and every ledger row up to its last is held here."""
    age_s: float | None
    """Since the last row of this session arrived."""


class ConfirmationView(View):
    """What a clinician confirmed of a session."""

    provided_ms: int
    reason: str | None
    note: str | None
    by: str
    clinician: str | None
    """For whom a portal confirmed."""
    at: datetime


class RoomWord(View):
    """What the room said: why a session ended early or did not happen, that it did not say, or who was absent."""

    type: str
    """`reason.given`, `reason.skipped` or `student.absent`."""
    about: str | None
    """`ended-early`, `not-started` or `did-not-happen`; null for what was said unasked."""
    reason: str | None
    student: str | None
    """Who was absent; null for readers who may not know, and where there was only one."""
    session: str | None
    at: datetime
    clock: ClockTrust
    """How far `at` may be believed."""


class SessionView(SessionLine):
    """One session with its timeline."""

    timeline: tuple[Span, ...]
    clock: ClockTrust
    """How far `started_at` may be believed."""
    students_confirmed: tuple[str, ...] = ()
    """Whose cards were seen; of an unplanned session these are its students, two and more are a group."""
    attendance: tuple[Attended, ...] = ()
    """What cards and people in the room said of who was there, oldest first."""
    room_said: tuple[RoomWord, ...] = ()
    """Why it ended early and who was absent, as the room says; a clinician's word stands in `confirmations`."""
    confirmations: tuple[ConfirmationView, ...] = ()
    """The newest, which counts, first; none for readers who may not read ledgers."""


class DayScore(View):
    """How much of a day's bell time a kiosk was ready."""

    day: str
    score: float | None
    """Null when no time of it was counted."""


class KioskView(View):
    """One kiosk as the board shows it."""

    id: str
    campus: str
    room: str | None = None
    """Where it stands, as it says itself."""
    presence: PresenceView
    verdict: Verdict
    """`unknown` while the kiosk is not online or its news is older than 90 s."""
    reported_verdict: Verdict | None
    """What the kiosk last said of itself, however old."""
    verdict_age_s: float | None
    signals: tuple[SignalView, ...]
    state: str | None
    """What the kiosk last said it was doing: `idle`, `live`, `buffering`, `paused`, …"""
    state_age_s: float | None
    session: SessionLine | None
    """The session that runs, or was running when the kiosk was last heard."""
    version: str | None
    boot: str | None
    epoch: str | None
    ledger_through: int
    """Rows 1 to this one of the current epoch are held without a hole."""
    backlog_rows: int | None
    health: dict[str, Any] | None = Field(description="The last vitals; a null inside is `not known`.")
    health_age_s: float | None
    readiness_days: tuple[DayScore, ...] = ()
    """The newest days, in campus time; asked of one kiosk only."""


class StillView(View):
    """A worksheet still: its figures, never its picture."""

    id: str
    kiosk: str
    campus: str
    session: str | None
    captured_at: datetime | None
    received_at: datetime
    role: str | None
    view: str | None
    origin: str | None
    """What it was set straight by: `mat`, or `page` where no mat was seen."""
    px_per_mm: float | None
    """Null where nothing in the picture tells its size."""
    sharp: bool | None
    """Whether handwriting can be judged at this scale, which takes 3 pixels to the millimetre."""
    width_px: int | None
    height_px: int | None
    bytes: int | None
    hash: str | None
    unusable: str | None
    """Why it was never fit to be shown; null when it is."""
    destroyed_at: datetime | None
    destroyed_why: str | None
    image: str | None
    """Where the picture is; null when there is none to show."""


def still_view(row: Any) -> StillView:
    """A row of the store's stills."""
    shown = row.unusable is None and row.destroyed_us is None
    same = ("id", "kiosk", "campus", "session", "role", "view", "origin", "px_per_mm", "sharp", "width_px",
            "height_px", "bytes", "hash", "unusable", "destroyed_why")  # fmt: skip
    return StillView(
        **{name: getattr(row, name) for name in same},
        captured_at=moment_or_none(row.captured_us),
        received_at=moment(row.received_us),
        destroyed_at=moment_or_none(row.destroyed_us),
        image=f"{still_address(row.id)}/image.jpg" if shown else None,
    )


class SegmentView(View):
    """A sealed segment at the fleet: its figures, never its pictures."""

    id: str
    kiosk: str
    campus: str
    session: str | None
    role: str
    started_at: datetime
    clock: str
    """How far `started_at` may be believed."""
    ms: int
    bytes: int
    hash: str
    state: Literal["arriving", "stored", "destroyed"]
    stored_at: datetime | None
    destroyed_at: datetime | None
    destroyed_why: str | None


def segment_view(row: Any) -> SegmentView:
    """A row of the store's segments."""
    same = ("id", "kiosk", "campus", "session", "role", "clock", "ms", "bytes", "hash", "destroyed_why")
    return SegmentView(
        **{name: getattr(row, name) for name in same},
        state="destroyed" if row.destroyed_us is not None else "arriving" if row.stored_us is None else "stored",
        started_at=moment(row.started_us),
        stored_at=moment_or_none(row.stored_us),
        destroyed_at=moment_or_none(row.destroyed_us),
    )


def still_address(id_: str) -> str:
    """Where a still's figures are."""
    return f"/api/v1/stills/{id_}"


def kiosk_view(entry: Entry, session: SessionLine | None, now: Instant, suppressed: Collection[Key] = ()) -> KioskView:
    """What is told of a kiosk at `now`, with the session that runs on it and the signals that are suppressed."""
    told = entry.readiness
    told_age_s = _age_s(entry.readiness_at, now)
    reach = entry.presence.reach(now)
    return KioskView(
        id=entry.id,
        campus=entry.campus,
        room=told.room if told else None,
        presence=PresenceView(
            state=reach.value,
            since=entry.presence.since(now),
            last_heard_at=entry.presence.heard.at if entry.presence.heard else None,
            age_s=_age_s(entry.presence.heard, now),
        ),
        verdict=verdict_of(entry, now, suppressed),
        reported_verdict=told.verdict if told else None,
        verdict_age_s=told_age_s,
        signals=tuple(signal_view(one, suppressed) for one in told.signals) if told else (),
        state=told.state if told else None,
        state_age_s=told_age_s if told and told.state else None,
        session=session,
        version=entry.version,
        boot=entry.boot,
        epoch=entry.epoch,
        ledger_through=entry.through,
        backlog_rows=entry.health.get("backlog_rows") if entry.health else None,
        health=entry.health,
        health_age_s=_age_s(entry.health_at, now),
    )


def signal_view(signal: ActiveSignal, suppressed: Collection[Key] = ()) -> SignalView:
    """An active signal with its words."""
    return SignalView(
        id=signal.id,
        role=signal.role,
        severity=signal.severity,
        since=signal.since,
        evidence=signal.evidence,
        outranked=signal.outranked,
        suppressed=(signal.id, signal.role) in suppressed,
        aide=words(signal.id, signal.role, "aide"),
        therapist=words(signal.id, signal.role, "therapist"),
        it=words(signal.id, signal.role, "it"),
    )


def session_line(row: Any, now: Instant, provided_ms: int | None = None) -> SessionLine:
    """A row of the store's sessions as a line, with what a clinician confirmed."""
    return SessionLine(**_line(row, now, provided_ms))


def session_view(
    row: Any,
    now: Instant,
    attendance: tuple[Attended, ...] = (),
    confirmed_by: Sequence[Confirmed] = (),
    room_said: tuple[RoomWord, ...] = (),
    provided_ms: int | None = None,
) -> SessionView:
    """A row of the store's sessions with its timeline, who was there, and what clinicians confirmed, newest first."""
    return SessionView(
        **_line(row, now, provided_ms),
        timeline=_TIMELINE.validate_json(row.timeline),
        clock=ClockTrust(row.clock),
        students_confirmed=confirmed(attendance),
        attendance=attendance,
        room_said=room_said,
        confirmations=tuple(_confirmation(one) for one in confirmed_by),
    )


def room_word(row: Any, *, may_know: bool) -> RoomWord:
    """A row of what rooms said."""
    return RoomWord(
        type=row.type,
        about=row.about,
        reason=row.reason,
        student=row.student if may_know else None,
        session=row.session,
        at=moment(row.at_us),
        clock=ClockTrust(row.clock),
    )


def _confirmation(one: Confirmed) -> ConfirmationView:
    return ConfirmationView(
        provided_ms=one.provided_ms, reason=one.reason, note=one.note, by=one.who, clinician=one.clinician, at=one.at
    )


_TIMELINE: Final = TypeAdapter(tuple[Span, ...])


def _line(row: Any, now: Instant, provided_ms: int | None) -> dict[str, Any]:
    return {
        "id": row.id,
        "kiosk": row.kiosk,
        "campus": row.campus,
        "state": row.state,
        "started_at": moment_or_none(row.started_us),
        "ended_at": moment_or_none(row.ended_us),
        "started_by": row.started_by,
        "ended_by": row.ended_by,
        "minutes": Minutes.model_validate_json(row.minutes).model_copy(update={"provided_ms": provided_ms}),
        "complete": row.complete,
        "age_s": max(0.0, (micros(now.at) - row.received_us) / 1_000_000),
    }


def _age_s(at: Instant | None, now: Instant) -> float | None:
    return None if at is None else round(at.age_s(now), 3)
