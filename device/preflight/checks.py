"""From what was seen to what is said of each part: pure. What did not answer or is not fitted is unknown, never ok."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from device.cameras.ladder import CameraState
from device.cameras.status import TROUBLE
from device.conditions import SoundFacts
from device.session.clock import Instant
from device.session.trust import Opinion
from device.snapshot import CameraView
from wire.ledger import ClockTrust
from wire.preflight import Check
from wire.signal_table import SIGNALS
from wire.signals import ActiveSignal, Severity, Verdict

NAMES: Final = {"overhead": "desk camera", "front": "front camera"}
_OF_CAMERAS: Final = frozenset({"camera.missing", "camera.slow", "camera.small"})
"""Signals of the device; every other one of a camera is of its picture."""
_FAMILIES: Final = {"audio": "audio", "link": "link", "certificate": "link", "storage": "storage", "button": "button",
                    "clock": "clock"}  # fmt: skip
_NOT_HERE: Final = frozenset(
    {"session.overdue", "therapist.absent", "schedule.stale", "backlog.old", "software.behind"}
)
"""What no look at the machine can say anything about."""


@dataclass(frozen=True, slots=True)
class StorageSeen:
    """What is left on the disk, and what a session takes of it."""

    free_bytes: int | None
    """None when the disk did not say in time."""
    bytes_per_s: float
    planned_s: float
    writable: bool | None = None


@dataclass(frozen=True, slots=True)
class Seen:
    """Everything that one look saw."""

    now: Instant
    judged: Verdict
    """The kiosk's own verdict at that moment, by signals that held long enough."""
    signals: tuple[ActiveSignal, ...] = ()
    cameras: Mapping[str, CameraView] = field(default_factory=dict)
    first_frame_s: Mapping[str, float] = field(default_factory=dict)
    """By role, how long after it was asked to open a camera gave its first picture."""
    barred: str = ""
    """Why the cameras were not opened, in words; empty when they were, or stood open."""
    checked: bool = True
    """Whether pictures are checked on this kiosk."""
    link_up: bool = False
    echo_ms: float | None = None
    """The round trip of an echo asked for in this look; None when none came back."""
    storage: StorageSeen | None = None
    sound: SoundFacts | None = None
    has_button: bool = True
    stuck: bool = False
    clock: Opinion | None = None


def checks(seen: Seen) -> tuple[Check, ...]:
    """What is said of each part, in the order in which a person would look."""
    found: list[Check] = []
    for role, view in seen.cameras.items():
        found += [_camera(seen, role, view), _picture(seen, role, view)]
    found += [_audio(seen), _link(seen), _storage(seen), _button(seen), _clock(seen)]
    machine = _of(seen, "machine", None)
    if machine:
        found.append(_check("machine", {}, machine))
    return tuple(found)


def verdict(seen: Seen, found: Iterable[Check]) -> Verdict:
    """What the checks make of the kiosk: no better than its own verdict, and never ready with cameras nobody saw."""
    found = tuple(found)
    if seen.judged is Verdict.BLOCKED or _all_fail(found, "camera"):
        return Verdict.BLOCKED
    counting = [one for one in found if one.ok is False and not _may_wait(seen, one)]
    blind = [one for one in found if one.name == "camera" and one.ok is None]
    if seen.judged is Verdict.ATTENTION or counting or (blind and not seen.barred):
        return Verdict.ATTENTION
    return Verdict.UNKNOWN if blind else seen.judged


def signals_of(check: Check) -> tuple[str, ...]:
    """The signals that stand behind a check, most telling first; a reader finds words for them in the table."""
    found = check.evidence.get("signals")
    return tuple(str(one) for one in found) if isinstance(found, list | tuple) else ()


def _camera(seen: Seen, role: str, view: CameraView) -> Check:
    named, evidence = NAMES.get(role, role), _known(state=view.state, fps=_round(view.fps))
    evidence |= _known(first_frame_s=_round(seen.first_frame_s.get(role)))
    signals = _of(seen, "camera", role)
    if view.state == CameraState.OPEN:
        return _check("camera", evidence, signals, role)
    if view.state in TROUBLE:
        why = f"The {named} gives no picture{': ' if view.detail else '.'}{view.detail}"
        evidence["signals"] = ["camera.missing"]
        return Check(name="camera", role=role, ok=False, why=why[:200], evidence=evidence)
    why = seen.barred or f"The {named} did not open in time."
    return Check(name="camera", role=role, ok=None, why=why[:200], evidence=evidence)


def _picture(seen: Seen, role: str, view: CameraView) -> Check:
    named = NAMES.get(role, role)
    if view.state != CameraState.OPEN:
        return Check(name="picture", role=role, why=f"There is no picture of the {named} to look at.")
    if not seen.checked:
        return Check(name="picture", role=role, why="Picture checks are switched off on this kiosk.")
    if view.unchecked or view.seen is None:
        why = f"The picture of the {named} was not checked in time."
        return Check(name="picture", role=role, why=(view.unchecked or why)[:200])
    now = {f"camera.{one['condition']}": one["evidence"] for one in view.seen}
    held = _of(seen, "picture", role)
    names = [*(one for one in now if one not in held), *held]
    evidence = _known(px_per_mm=(view.mat or {}).get("px_per_mm")) | {
        name.partition(".")[2]: now[name] for name in names if now.get(name)
    }
    known = sorted((one for one in names if one in SIGNALS), key=_rank)
    if names and not known:
        why = f"The picture of the {named} cannot be judged."
        return Check(name="picture", role=role, ok=False, why=why, evidence=evidence)
    return _check("picture", evidence, tuple(known), role)


def _audio(seen: Seen) -> Check:
    sound, signals = seen.sound, _of(seen, "audio", None)
    if signals:
        return _check("audio", {}, signals)
    if sound is None or (sound.has_microphone is None and sound.has_speaker is None):
        return Check(name="audio", why="Nothing looks at this kiosk's sound.")
    evidence = _known(microphone=sound.has_microphone, speaker=sound.has_speaker, silent=sound.is_silent)
    if sound.has_microphone is False or sound.has_speaker is False:
        return _check("audio", evidence, ("audio.missing",))
    if sound.is_silent:
        return _check("audio", evidence, ("audio.silent",))
    if sound.is_silent is None:
        return Check(name="audio", why="The microphone is there; nobody listened to it.", evidence=evidence)
    return Check(name="audio", ok=True, evidence=evidence)


def _link(seen: Seen) -> Check:
    evidence, signals = _known(round_trip_ms=seen.echo_ms), _of(seen, "link", None)
    if seen.link_up and seen.echo_ms is None and not signals:
        return Check(name="link", why="The fleet did not answer in time.", evidence=evidence)
    if not seen.link_up and "link.down" not in signals:
        signals = ("link.down", *signals)
    return _check("link", evidence, signals)


def _storage(seen: Seen) -> Check:
    of, signals = seen.storage, _of(seen, "storage", None)
    if of is not None and of.writable is False and "storage.readonly" not in signals:
        signals = ("storage.readonly", *signals)
    if of is None or of.free_bytes is None:
        if signals:
            return _check("storage", {}, signals)
        return Check(name="storage", why="The disk did not say in time what is left on it.")
    lasts_s, planned_min = of.free_bytes / of.bytes_per_s, round(of.planned_s / 60)
    evidence = {"free_bytes": of.free_bytes, "lasts_s": round(lasts_s), "planned_s": round(of.planned_s)}
    if lasts_s < of.planned_s:
        why = f"Storage lasts for {int(lasts_s // 60)} of the {planned_min} planned minutes."
        return Check(name="storage", ok=False, why=why, evidence=evidence | {"signals": [*signals] or ["storage.low"]})
    return _check("storage", evidence, signals)


def _button(seen: Seen) -> Check:
    signals = _of(seen, "button", None)
    if seen.stuck or signals:
        return _check("button", {}, signals or ("button.stuck",))
    if not seen.has_button:
        return Check(name="button", why="No button is fitted, or its pin cannot be read; the screen starts a session.")
    return Check(name="button", ok=True)


def _clock(seen: Seen) -> Check:
    trust, opinion = seen.now.trust, seen.clock
    evidence = _known(
        trust=trust.value,
        source=opinion.source.value if opinion else None,
        off_s=round(opinion.off.total_seconds(), 3) if opinion and opinion.off is not None else None,
    )
    signals = _of(seen, "clock", None)
    if trust is ClockTrust.UNSET:
        return _check("clock", evidence, signals or ("clock.unset",))
    if trust is ClockTrust.HELD:
        return Check(name="clock", why="The clock is set, and nothing vouches for it now.", evidence=evidence)
    return _check("clock", evidence, signals)


def _check(name: str, evidence: dict[str, Any], signals: tuple[str, ...], role: str | None = None) -> Check:
    """A check by its signals: well without any, else in the table's words for a therapist about the first."""
    if not signals:
        return Check(name=name, role=role, ok=True, evidence=evidence)
    why = SIGNALS[signals[0]].therapist.format(camera=NAMES.get(role or "", role or ""))
    return Check(name=name, role=role, ok=False, why=why[:200], evidence=evidence | {"signals": list(signals)})


def _of(seen: Seen, family: str, role: str | None) -> tuple[str, ...]:
    """The signals that count now, of one family and camera, worst first."""
    return tuple(
        one.id
        for one in seen.signals
        if one.id in SIGNALS and not one.outranked and one.role == role and family_of(one.id) == family and _wrong(one)
    )


def family_of(signal: str) -> str | None:
    """The check under which a signal is told; None where a look can say nothing about it."""
    if signal in _NOT_HERE:
        return None
    if signal in _OF_CAMERAS:
        return "camera"
    head = signal.partition(".")[0]
    if head in {"camera", "mat"}:
        return "picture" if SIGNALS[signal].per_role else "machine"
    return _FAMILIES.get(head, "machine")


def _wrong(one: ActiveSignal) -> bool:
    """What is active only as information is no fault of the family; a link or a lens is, whenever one looks."""
    return one.severity is not Severity.INFO or family_of(one.id) in {"picture", "link"}


def _may_wait(seen: Seen, check: Check) -> bool:
    """Whether all that fails counts as information only: a shutter closed long before a booking, on purpose."""
    now = {(one.id, one.role): one.severity for one in seen.signals}
    signals = signals_of(check)
    return bool(signals) and all(now.get((one, check.role)) is Severity.INFO for one in signals)


def _all_fail(found: Iterable[Check], name: str) -> bool:
    of = [one.ok for one in found if one.name == name]
    return bool(of) and all(ok is False for ok in of)


def _rank(signal: str) -> tuple[int, str]:
    order = ("camera.frozen", "camera.covered", "camera.dark", "camera.overexposed", "camera.glare", "camera.blurred")
    return (order.index(signal) if signal in order else len(order)), signal


def _known(**values: Any) -> dict[str, Any]:
    return {name: value for name, value in values.items() if value is not None}


def _round(value: float | None) -> float | None:
    return None if value is None else round(value, 2)
