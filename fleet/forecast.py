"""Will this kiosk be ready for that booking? A verdict, reasons, the age of the evidence, what to change. Pure.

What is not known is not claimed: a kiosk that is silent, or has not said lately how it is, is `unknown` with the time
of its last sign, never as good as it once was. A look before a booking (`wire/preflight.py`) counts until the next one,
at most `LOOK_COUNTS`; of a camera that is open now the kiosk's own signals are newer, and count instead.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo
from enum import StrEnum
from typing import Final

from fleet.clock import Instant
from fleet.incidents import Key
from fleet.planning import Plan, State
from fleet.presence import Reach
from fleet.roll import Entry
from fleet.sights import is_news, key_of, verdict_of
from fleet.times import credible, time_of_day
from fleet.vitals_now import UNKNOWN_LINK, LinkQuality, are_closed, link_quality, open_cameras
from wire.minutes import Minutes
from wire.preflight import BEFORE_MIN, Check, Preflight
from wire.schedule import OVERDUE_AFTER
from wire.signal_table import words
from wire.signals import ActiveSignal, Severity, Verdict

LOOK_COUNTS: Final = timedelta(hours=2)
"""What a look found is older than this no evidence any more."""

REASONS: Final[Mapping[str, str]] = {
    "student-absent": "the student was absent",
    "student-unavailable": "the student could not come",
    "student-unwell": "the student was not well",
    "student-declined": "the student did not want to",
    "therapist-absent": "the therapist could not come",
    "no-staff-or-room": "nobody, or no room, was free",
    "school-event": "the school had something else on",
    "technical": "a technical trouble",
    "other": "another reason",
    "cancelled": "cancelled",
}
"""Why a booking was not held, in words; those that a kiosk offers are among them."""


class Phase(StrEnum):
    """How far a booking came."""

    COMING = "coming"
    DUE = "due"
    """Its start has come, and nobody pressed yet."""
    RUNNING = "running"
    HELD = "held"
    MISSED = "missed"
    """Its end has come, and no session of it is known here."""
    FELL = "fell"
    """It will not be held, or was not, for a reason that somebody gave."""


class Overdue(StrEnum):
    """Of whom nothing is seen though it is time."""

    START = "start"
    THERAPIST = "therapist"


@dataclass(frozen=True, slots=True)
class Held:
    """A session of a booking, as far as its rows came."""

    id: str
    kiosk: str
    state: str
    """`running`, `paused`, `interrupted`, `ended`, `cancelled` or `unknown`."""
    started_at: datetime | None
    minutes: Minutes
    received_at: datetime

    @property
    def is_over(self) -> bool:
        """Whether its end is known."""
        return self.state in {"ended", "cancelled"}


@dataclass(frozen=True, slots=True)
class Forecast:
    """What a reader is told of one booking."""

    phase: Phase
    verdict: Verdict
    reasons: tuple[str, ...]
    needs: tuple[str, ...] = ()
    """What would have to change for a better verdict; nothing when it is the best."""
    evidence: str = "checked"
    """The words before the evidence's age: `checked`, `last heard`."""
    evidence_at: datetime | None = None
    """Null: there is none."""
    next_look_at: datetime | None = None
    link: LinkQuality = UNKNOWN_LINK
    overdue: Overdue | None = None
    in_session: bool = False
    """Whether a session ran at this kiosk when it was last heard, whosever it was."""


def forecast(
    plan: Plan,
    kiosk: str | None,
    entry: Entry | None,
    held: Held | None,
    now: Instant,
    zone: tzinfo | None,
    suppressed: Collection[Key] = (),
    room_says: str | None = None,
) -> Forecast:
    """What is to be said of a booking at `now`.

    Args:
        plan: the booking.
        kiosk: which kiosk stands in its room, if one does.
        entry: what was last heard of that kiosk.
        held: the newest session of this booking, if one is known.
        now: the time.
        zone: the campus's, for times of day.
        suppressed: the signals that somebody took out of this kiosk's verdict for a time.
        room_says: the reason that somebody in the room gave for a booking without a session.
    """
    phase = _phase(plan, held, now.at)
    if phase in {Phase.FELL, Phase.HELD}:
        return _is_over(plan, phase, held, now, zone)
    if kiosk is None:
        told = ("No kiosk stands in this room.",)
        return Forecast(phase, Verdict.BLOCKED, told, ("Put a kiosk into the room, or move the booking.",))
    if phase is Phase.MISSED:
        return _missed(entry, now, zone) if room_says is None else _missed_because(room_says)
    if entry is None or entry.presence.heard is None:
        return Forecast(phase, Verdict.UNKNOWN, ("Never heard from.",), (_BE_HEARD,))
    if not is_news(entry, now):
        return _silent(phase, entry, now, zone)
    return _heard(plan, phase, _without(entry, suppressed, now), held, now, zone)


def _is_over(plan: Plan, phase: Phase, held: Held | None, now: Instant, zone: tzinfo | None) -> Forecast:
    if phase is Phase.FELL:
        why = REASONS.get(plan.reason or "", plan.reason or plan.state.value)
        return Forecast(
            phase, Verdict.UNKNOWN, (f"Will not be held: {why}." if now.at < plan.end else f"Not held: {why}.",)
        )
    assert held is not None
    return Forecast(phase, Verdict.UNKNOWN, (_was_held(held, now, zone),), evidence_at=held.received_at)


def _phase(plan: Plan, held: Held | None, now: datetime) -> Phase:
    if held is not None and not held.is_over:
        return Phase.RUNNING
    if held is not None and held.state == "ended":
        return Phase.HELD
    if plan.state is not State.PLANNED:
        return Phase.FELL
    if now >= plan.end:
        return Phase.MISSED
    return Phase.DUE if now >= plan.start else Phase.COMING


def _without(entry: Entry, suppressed: Collection[Key], now: Instant) -> Entry:
    """The kiosk as it would be without the signals that somebody suppressed."""
    said = entry.readiness
    assert said is not None
    kept = tuple(one for one in said.signals if key_of(one) not in suppressed)
    if len(kept) == len(said.signals):
        return entry
    less = said.model_copy(update={"signals": kept, "verdict": verdict_of(entry, now, suppressed)})
    return entry._replace(readiness=less)


def in_session(entry: Entry) -> bool:
    """Whether a session ran when the kiosk was last heard."""
    return entry.readiness is not None and entry.readiness.state in _IN_SESSION


def _silent(phase: Phase, entry: Entry, now: Instant, zone: tzinfo | None) -> Forecast:
    assert entry.presence.heard is not None
    ran = in_session(entry)
    then = " It was in session; it keeps its own record." if ran else ""
    if entry.presence.reach(now) is Reach.ONLINE:
        text = f"It is connected, but has not said lately how it is.{then}"
        at = entry.readiness_at.at if entry.readiness_at else None
        return Forecast(phase, Verdict.UNKNOWN, (text,), (_SAY,), "checked", at, in_session=ran)
    at = entry.presence.heard.at
    text = f"Not heard from since {time_of_day(at, now.at, zone)}.{then}"
    return Forecast(phase, Verdict.UNKNOWN, (text,), (_BE_HEARD,), "last heard", at, in_session=ran)


def _missed_because(reason: str) -> Forecast:
    text = f"Nobody pressed the button. The room says: {REASONS.get(reason, reason)}."
    return Forecast(Phase.MISSED, Verdict.UNKNOWN, (text,), ("Say whether that is why it was not held.",))


def _missed(entry: Entry | None, now: Instant, zone: tzinfo | None) -> Forecast:
    needs = ("Say why it was not held.",)
    if entry is None or entry.presence.heard is None:
        return Forecast(Phase.MISSED, Verdict.UNKNOWN, ("No session of it is known here.",), needs)
    if entry.presence.reach(now) is not Reach.ONLINE:
        since = time_of_day(entry.presence.heard.at, now.at, zone)
        text = f"No session of it is known here; the kiosk is not heard from since {since} and keeps its own record."
        return Forecast(
            Phase.MISSED, Verdict.UNKNOWN, (text,), evidence="last heard", evidence_at=entry.presence.heard.at
        )
    return Forecast(Phase.MISSED, Verdict.UNKNOWN, ("Nobody pressed the button.",), needs)


def _heard(plan: Plan, phase: Phase, entry: Entry, held: Held | None, now: Instant, zone: tzinfo | None) -> Forecast:
    said = entry.readiness
    assert said is not None
    assert entry.readiness_at is not None
    overdue = _overdue(plan, phase, held, entry, now)
    ran = in_session(entry)
    found = _Found.of(one for one in said.signals if overdue is None or one.id not in _OVERDUE_SIGNALS)
    look = _counting(said.preflight, now.at)
    is_open, closed = open_cameras(entry, now), are_closed(entry, now)
    if look is not None and not ran:
        found.add_look(look, is_open, time_of_day(look.at, now.at, zone))
    verdict = max((said.verdict, found.verdict), key=_BADNESS.__getitem__)
    if overdue is not None:
        verdict = max((verdict, Verdict.ATTENTION), key=_BADNESS.__getitem__)
    link = link_quality(entry, now)
    reasons = [*_first(plan, phase, entry, overdue, now, zone), *found.reasons]
    if not found.reasons and verdict in {Verdict.READY, Verdict.ATTENTION} and overdue is None:
        well = verdict is Verdict.READY
        reasons.append(
            _all_well(is_open, look, link, now, zone, ran=ran, is_closed=closed) if well else "It does not say why."
        )
    elif not reasons:
        reasons.append("It is starting up." if said.state == "booting" else "It does not say why.")
    if plan.late_min:
        reasons.append(f"The therapist comes {plan.late_min} min later.")
    needs = list(found.needs)
    if overdue is Overdue.START:
        needs.insert(0, "Somebody in the room presses the button.")
    if overdue is Overdue.THERAPIST:
        needs.insert(0, "The therapist joins.")
    return Forecast(
        phase,
        verdict,
        tuple(dict.fromkeys(reasons)),
        tuple(dict.fromkeys(needs)),
        "checked",
        _evidence_at(entry, look, is_open, ran=ran),
        _next_look(plan, phase, now.at),
        link,
        overdue,
        ran,
    )


def _first(
    plan: Plan, phase: Phase, entry: Entry, overdue: Overdue | None, now: Instant, zone: tzinfo | None
) -> Iterable[str]:
    """What comes before all that the kiosk says of itself."""
    state = entry.readiness.state if entry.readiness else None
    if overdue is Overdue.START:
        late = int((now.at - plan.start).total_seconds() // 60)
        yield f"It should have begun at {time_of_day(plan.start, now.at, zone)}, {late} min ago; nobody has pressed."
    if overdue is Overdue.THERAPIST:
        yield "The room waits: the button was pressed, and the therapist is not there."
    if phase is not Phase.RUNNING and state in _IN_SESSION:
        yield "Another session still runs at this kiosk."
    elif state == "buffering":
        yield "The therapist cannot see or hear the room. The session goes on."
    elif state == "paused":
        yield "Paused: cameras and microphone are off."


def _overdue(plan: Plan, phase: Phase, held: Held | None, entry: Entry, now: Instant) -> Overdue | None:
    """Whether something that should be is not, where it can be known; a therapist who is late as told is not absent."""
    late = timedelta(minutes=plan.late_min or 0)
    if phase is Phase.RUNNING and entry.readiness and any(one.id == _ABSENT for one in entry.readiness.signals):
        return Overdue.THERAPIST
    if phase is Phase.DUE:
        is_idle = not in_session(entry)
        return Overdue.START if is_idle and now.at >= plan.start + late + OVERDUE_AFTER else None
    if phase is not Phase.RUNNING or held is None or held.started_at is None or held.minutes.connected_ms != 0:
        return None
    due = max(held.started_at, plan.start + late) + OVERDUE_AFTER
    return Overdue.THERAPIST if credible(held.started_at, now.at) and now.at >= due else None


class _Found:
    """What is wrong, worst first, each said once."""

    def __init__(self) -> None:
        self.reasons: list[str] = []
        self.needs: list[str] = []
        self.verdict = Verdict.READY

    @classmethod
    def of(cls, signals: Iterable[ActiveSignal]) -> "_Found":
        """By the kiosk's own signals; what is held back or only worth knowing is no reason."""
        found = cls()
        counting = [one for one in signals if not one.outranked and one.severity is not Severity.INFO]
        for one in sorted(counting, key=lambda one: one.severity is not Severity.BLOCKED):
            found._add(words(one.id, one.role, "therapist"), words(one.id, one.role, "aide"), _VERDICTS[one.severity])
        return found

    def add_look(self, look: Preflight, is_open: frozenset[str], at: str) -> None:
        """What a look found that no signal can say now, because the camera or the microphone is closed again."""
        for one in look.checks:
            if one.ok is False and _only_a_look_knows(one, is_open):
                why = one.why or f"the {one.name} is not as it should be"
                self._add(
                    f"Checked {at}: {why[0].lower()}{why[1:].rstrip('.')}.",
                    "Look into it, then check now.",
                    Verdict.ATTENTION,
                )

    def _add(self, reason: str, need: str, verdict: Verdict) -> None:
        self.reasons.append(reason)
        self.needs.append(need)
        self.verdict = max((self.verdict, verdict), key=_BADNESS.__getitem__)


def _only_a_look_knows(check: Check, is_open: frozenset[str]) -> bool:
    if check.name in {"camera", "picture"}:
        return check.role not in is_open
    return check.name == "audio"


def _counting(look: Preflight | None, now: datetime) -> Preflight | None:
    """The last look, while it is evidence; one of a clock that cannot be believed is none."""
    if look is None or not credible(look.at, now) or now - look.at > LOOK_COUNTS:
        return None
    return look


def _all_well(
    is_open: frozenset[str],
    look: Preflight | None,
    link: LinkQuality,
    now: Instant,
    zone: tzinfo | None,
    *,
    ran: bool,
    is_closed: bool,
) -> str:
    connection = "" if link.word == "unknown" else f", connection {link.word}"
    if ran:
        return f"It finds nothing wrong{connection}."
    seen = {one.role for one in look.checks if one.name == "picture" and one.ok} if look else set()
    if "overhead" in is_open or "overhead" in seen:
        return f"Page readable{connection}."
    if look is not None:
        return f"Nothing wrong found at {time_of_day(look.at, now.at, zone)}{connection}."
    unseen = "; its cameras are closed and were not looked through yet" if is_closed else ""
    return f"It finds nothing wrong{unseen}{connection}."


def _evidence_at(entry: Entry, look: Preflight | None, is_open: frozenset[str], *, ran: bool) -> datetime | None:
    """As old as the oldest that is needed: with closed cameras, the last look through them."""
    assert entry.readiness_at is not None
    if ran or is_open or look is None:
        return entry.readiness_at.at
    return min(look.at, entry.readiness_at.at)


def _next_look(plan: Plan, phase: Phase, now: datetime) -> datetime | None:
    if phase is not Phase.COMING:
        return None
    return next((at for before in BEFORE_MIN if (at := plan.start - timedelta(minutes=before)) > now), None)


def _was_held(held: Held, now: Instant, zone: tzinfo | None) -> str:
    began = held.started_at
    since = f" It began at {time_of_day(began, now.at, zone)}." if began and credible(began, now.at) else ""
    return f"Held, {held.minutes.elapsed_ms // 60_000} min.{since}"


_ABSENT: Final = "therapist.absent"
_OVERDUE_SIGNALS: Final = frozenset({"session.overdue", _ABSENT})
"""The kiosk says so too; it is said once."""
_IN_SESSION: Final = frozenset({"starting", "live", "buffering", "paused", "ending"})
_BADNESS: Final = {Verdict.READY: 0, Verdict.UNKNOWN: 1, Verdict.ATTENTION: 2, Verdict.BLOCKED: 3}
_VERDICTS: Final = {Severity.BLOCKED: Verdict.BLOCKED, Severity.ATTENTION: Verdict.ATTENTION}
_BE_HEARD: Final = "It has to be heard: somebody in the room looks whether it has power and its network."
_SAY: Final = "It has to say how it is: check now."
