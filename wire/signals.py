"""Signals as data: what can be wrong with a kiosk, how long it must hold, and what it means to each reader.

A verdict is the worst active, unsuppressed signal. Among the picture signals of one camera a higher one holds the lower
ones back (`outranked`), because a covered lens is also dark and blurred and only one thing has to be done about it.
The table itself is `wire/signal_table.py`.
"""

from collections.abc import Iterable, Mapping
from enum import StrEnum
from typing import Annotated, Any, Final

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from wire.codec import WireModel


class Severity(StrEnum):
    """How bad a signal is: `blocked` a session would fail, `attention` it works but something is wrong."""

    BLOCKED = "blocked"
    ATTENTION = "attention"
    INFO = "info"


class Verdict(StrEnum):
    """A kiosk's own judgement of itself. A reader without fresh news shows `unknown`, never the last good one."""

    READY = "ready"
    ATTENTION = "attention"
    BLOCKED = "blocked"
    UNKNOWN = "unknown"


class Signal(BaseModel):
    """One row of the table."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: str
    severity: Severity
    per_role: bool = False
    within_s: float
    """A true signal is seen at the kiosk within this time, its hold included."""
    hold_s: float
    """It must be true this long before it counts ..."""
    clear_s: float
    """... and false this long before it clears."""
    true_when: str
    aide: str
    """What to do, in one sentence a child could read."""
    therapist: str
    it: str
    remedy: str | None = None
    """What the kiosk tries by itself."""


class ActiveSignal(WireModel):
    """A signal that counts now. `outranked` ones are shown held back and change no verdict."""

    id: Annotated[str, Field(max_length=40)]
    role: Annotated[str, Field(max_length=20)] | None = None
    severity: Severity
    since: AwareDatetime
    evidence: dict[str, Any] = Field(default_factory=dict)
    outranked: bool = False


_RANKS: Final[Mapping[str, int]] = {
    "camera.covered": 0,
    "camera.shuttered": 0,
    "camera.dark": 1,
    "camera.overexposed": 1,
    "camera.glare": 2,
    "camera.blurred": 3,
    "camera.moved": 3,
}
_BADNESS: Final = {Severity.BLOCKED: 2, Severity.ATTENTION: 1, Severity.INFO: 0}
_VERDICTS: Final = {2: Verdict.BLOCKED, 1: Verdict.ATTENTION, 0: Verdict.READY}


def ranked(signals: Iterable[ActiveSignal]) -> tuple[ActiveSignal, ...]:
    """The signals, worst first, with the lower picture signals of each camera marked as held back."""
    found = list(signals)
    best: dict[str | None, int] = {}
    for signal in found:
        if signal.id in _RANKS:
            best[signal.role] = min(best.get(signal.role, 9), _RANKS[signal.id])
    marked = [
        signal.model_copy(update={"outranked": signal.id in _RANKS and _RANKS[signal.id] > best[signal.role]})
        for signal in found
    ]
    return tuple(sorted(marked, key=lambda one: (one.outranked, -_BADNESS[one.severity], one.since, one.id)))


def verdict(signals: Iterable[ActiveSignal]) -> Verdict:
    """What the worst signal that is not held back makes of the kiosk."""
    return _VERDICTS[max((_BADNESS[one.severity] for one in signals if not one.outranked), default=0)]
