"""From facts to a verdict with reasons: pure, by the signal table in wire/. Absent evidence changes no verdict."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final

from device import clock_trouble
from device.cameras.ladder import CameraState
from device.cameras.source import CameraSpec
from device.cameras.status import TROUBLE
from device.session.clock import NS_PER_S, Instant
from device.session.trust import Opinion
from device.session.windows import planned_end, usable
from device.snapshot import CameraView
from wire.ledger import ClockTrust
from wire.schedule import Schedule
from wire.signal_table import SIGNALS
from wire.signals import ActiveSignal, Severity, Verdict, ranked, verdict

Key = tuple[str, str | None]
"""A signal's id and, where it has one, its camera's role."""

LINK_MATTERS_BEFORE: Final = timedelta(minutes=30)
COVERED_MATTERS_BEFORE: Final = timedelta(minutes=10)
_COVERED: Final = frozenset({"camera.covered", "camera.shuttered"})
SLOW_SHARE: Final = 0.9
LEDGER_BYTES_PER_S: Final = 2_000
"""What a session writes without recording: rows, vitals and the instant it lives, with room to spare."""
LOW_S: Final = 2 * 3_600
CRITICAL_S: Final = 10 * 60
NOT_IN_FRAME_S: Final = 3.0
"""How long too few markers may be found: an arm passes in less."""
WORN_SHARE: Final = 0.9
"""Nine tenths of what the card endures: time to change it in the next holidays."""
RESTARTS_AN_HOUR: Final = 3
BACKLOG_OLD: Final = timedelta(hours=24)
HEAT_LIMIT_C: Final = 80.0
"""A Pi throttles from 80 degrees on (Raspberry Pi documentation, frequency management)."""


@dataclass(frozen=True, slots=True)
class Facts:
    """What the judgement rests on. None is "unknown" and raises nothing, except for cameras that were tried."""

    now: Instant
    clock: Opinion | None = None
    """What is made of the machine's clock; None where nobody looks at it."""
    cameras: Mapping[str, CameraView] = field(default_factory=dict)
    wanted: Mapping[str, CameraSpec] = field(default_factory=dict)
    """What each camera was asked for."""
    link_up: bool = False
    in_session: bool = False
    schedule: Schedule | None = None
    storage_free_bytes: int | None = None
    unwritten: bool = False
    button_stuck: bool = False
    undervoltage: bool | None = None
    throttled: bool | None = None
    temperature_c: float | None = None
    oldest_unacked_at: datetime | None = None
    lamp_agrees: bool = True
    starts_last_hour: int = 0
    swapped: bool = False
    overdue_booking: str | None = None
    """A booking that nobody has started 3 minutes after its start."""
    therapist_missing_s: int | None = None
    """Since when the therapist is not there, once that is 3 minutes."""
    """The front camera looks down on the mat, and the overhead one does not see it."""
    recording_bytes_per_s: float = 0.0
    """What both cameras write while they record; 0 where nothing is ever recorded."""
    storage_worn_share: float | None = None
    """How much of what the card endures was written to it."""
    also: Mapping[Key, dict[str, Any]] = field(default_factory=dict)
    """What is true of sound, network, certificate, software and schedule (device/conditions.py)."""
    tried: Mapping[Key, dict[str, Any]] = field(default_factory=dict)
    """What the kiosk tried about a signal by itself, and what came of it."""


@dataclass(frozen=True, slots=True)
class Watch:
    """How long one signal's condition has been true, or false again."""

    true_ns: int
    false_ns: int | None = None
    since: datetime | None = None
    """When it began to count; None while it is still held."""


@dataclass(frozen=True, slots=True)
class Judgement:
    """The verdict, the active signals (worst first), and what is being watched."""

    verdict: Verdict
    signals: tuple[ActiveSignal, ...] = ()
    watches: Mapping[Key, Watch] = field(default_factory=dict)

    def names(self, signal: str) -> bool:
        """Whether a signal is active, of whichever camera."""
        return any(one.id == signal for one in self.signals)


def judge(facts: Facts, watches: Mapping[Key, Watch]) -> Judgement:
    """What `facts` make of the kiosk, given what was being watched before."""
    true_now = conditions(facts)
    now_ns = facts.now.mono_ns
    kept: dict[Key, Watch] = {}
    active: list[ActiveSignal] = []
    for key in {*true_now, *watches}:
        row = SIGNALS[key[0]]
        before = watches.get(key)
        if key in true_now:
            true_ns = before.true_ns if before and before.false_ns is None else now_ns
            since = before.since if before else None
            if since is None and now_ns - true_ns >= row.hold_s * NS_PER_S:
                since = facts.now.wall
            kept[key] = Watch(true_ns, None, since)
        elif before is not None and before.since is not None:
            false_ns = now_ns if before.false_ns is None else before.false_ns
            if now_ns - false_ns >= row.clear_s * NS_PER_S:
                continue
            kept[key] = Watch(before.true_ns, false_ns, before.since)
        else:
            continue
        counted = kept[key].since
        if counted is not None:
            severity = _severity(key, true_now, facts)
            active.append(
                ActiveSignal(
                    id=key[0],
                    role=key[1],
                    severity=severity,
                    since=counted,
                    evidence=true_now.get(key, {"clearing": True}),
                )
            )
    signals = ranked(active)
    return Judgement(verdict(signals), signals, kept)


def conditions(facts: Facts) -> dict[Key, dict[str, Any]]:
    """What is true now, before any hold time, each with its evidence."""
    found: dict[Key, dict[str, Any]] = {}
    for role, camera in facts.cameras.items():
        found |= _camera(role, camera, facts.wanted.get(role))
    if not facts.link_up:
        found["link.down", None] = {}
    found |= clock_trouble.conditions(facts.now, facts.clock)
    if facts.button_stuck:
        found["button.stuck", None] = {}
    if not facts.lamp_agrees:
        found["lamp.mismatch", None] = {}
    if facts.starts_last_hour > RESTARTS_AN_HOUR:
        found["agent.restarting", None] = {"starts": facts.starts_last_hour}
    if facts.swapped:
        found["camera.swapped", None] = {}
    found |= _people(facts)
    found |= _storage(facts)
    if facts.storage_worn_share is not None and facts.storage_worn_share >= WORN_SHARE:
        found["storage.worn", None] = {"worn_share": round(facts.storage_worn_share, 2)}
    found |= _power(facts)
    oldest = facts.oldest_unacked_at
    if oldest is not None and facts.now.trust is not ClockTrust.UNSET and facts.now.wall - oldest > BACKLOG_OLD:
        found["backlog.old", None] = {"oldest": oldest.isoformat(timespec="seconds")}
    found |= facts.also
    return {key: {**evidence, "remedy": facts.tried[key]} if key in facts.tried else evidence
            for key, evidence in found.items()}  # fmt: skip


def _camera(role: str, camera: CameraView, wanted: CameraSpec | None) -> dict[Key, dict[str, Any]]:
    """What is wrong with one camera, by its state, its figures and its pictures."""
    found: dict[Key, dict[str, Any]] = {}
    if camera.state in TROUBLE:
        found["camera.missing", role] = {"state": camera.state, "detail": camera.detail}
        if camera.state == CameraState.FAILED:
            found["camera.missing", role]["proposal"] = "restart the kiosk"
    if camera.state != CameraState.OPEN:
        return found
    if wanted is not None and camera.fps is not None and camera.fps < SLOW_SHARE * wanted.fps:
        found["camera.slow", role] = {"fps": round(camera.fps, 1), "wanted_fps": wanted.fps}
    if wanted is not None and camera.native is not None and not camera.native.serves(wanted):
        found["camera.small", role] = {
            "gives": f"{camera.native.width}x{camera.native.height} {camera.native.form}".strip(),
            "asked": f"{wanted.width}x{wanted.height}",
        }
    if camera.unchecked or any(one["condition"] == "unusable" for one in camera.seen or ()):
        # Frames that nobody can judge are no evidence of a picture that a therapist could read.
        found["camera.missing", role] = {"state": camera.state, "detail": camera.unchecked or "the picture is unusable"}
    for one in camera.seen or ():
        name = f"camera.{one['condition']}"
        if name in SIGNALS:
            found[name, role] = one["evidence"]
    mat = camera.mat
    # What covers, blurs or moves the picture hides the mat as well, and is the thing to do something about.
    if role == "overhead" and mat and not camera.seen and mat["expected"] and mat["missing_s"] >= NOT_IN_FRAME_S:
        found["mat.not_in_frame", role] = {"markers": mat["markers"], "missing_s": mat["missing_s"]}
    return found


def _people(facts: Facts) -> dict[Key, dict[str, Any]]:
    found: dict[Key, dict[str, Any]] = {}
    if facts.overdue_booking is not None:
        found["session.overdue", None] = {"booking": facts.overdue_booking}
    if facts.therapist_missing_s is not None:
        found["therapist.absent", None] = {"missing_s": facts.therapist_missing_s}
    return found


def _storage(facts: Facts) -> dict[Key, dict[str, Any]]:
    if facts.unwritten:
        return {("storage.readonly", None): {}}
    if facts.storage_free_bytes is None:
        return {}
    left_s = facts.storage_free_bytes / (LEDGER_BYTES_PER_S + facts.recording_bytes_per_s)
    evidence = {"free_bytes": facts.storage_free_bytes, "lasts_s": round(left_s)}
    if left_s < CRITICAL_S:
        return {("storage.critical", None): evidence}
    return {("storage.low", None): evidence} if left_s < LOW_S else {}


def _power(facts: Facts) -> dict[Key, dict[str, Any]]:
    found: dict[Key, dict[str, Any]] = {}
    if facts.undervoltage:
        found["power.undervoltage", None] = {}
    if facts.throttled:
        found["power.throttled", None] = {}
    if facts.temperature_c is not None and facts.temperature_c > HEAT_LIMIT_C - 5:
        found["heat.high", None] = {"temperature_c": facts.temperature_c}
    return found


def _severity(key: Key, true_now: Mapping[Key, dict[str, Any]], facts: Facts) -> Severity:
    name = key[0]
    if name == "clock.unset" and facts.now.trust is ClockTrust.HELD:
        return Severity.INFO  # it may well be right, and a kiosk without network can do no better
    if name == "camera.missing" and all((name, role) in true_now for role in facts.cameras):
        return Severity.BLOCKED
    if name == "link.down" and _near_booking(facts, LINK_MATTERS_BEFORE):
        return Severity.ATTENTION
    # Long before a booking somebody may have closed the shutter, or laid a cloth over the lens, on purpose.
    held = usable(facts.schedule, facts.now)
    if (
        name in _COVERED
        and held is not None
        and not facts.in_session
        and not _near_booking(facts, COVERED_MATTERS_BEFORE)
    ):
        return Severity.INFO
    return SIGNALS[name].severity


def _near_booking(facts: Facts, before: timedelta) -> bool:
    """Whether a booking runs, or begins within `before`."""
    held = usable(facts.schedule, facts.now)
    return held is not None and any(one.start - before <= facts.now.wall < planned_end(one) for one in held.bookings)
