"""The recovery ladder: what to do about a camera worker, and what to call the state it is in. Pure.

The rungs, from the mildest: the worker itself tries a missing source again every second; a source that is open but
gives nothing for 2 s is reopened, at most every 3 s; a worker that gives no sign of life for 1.5 s is killed and
started again. The pauses before a new start grow only while workers die young and without a frame.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from device.cameras.boundary import Report, WorkerState

DEAF_AFTER_NS: Final = 1_500_000_000
"""Six heartbeats missed."""
START_GRACE_NS: Final = 10_000_000_000
"""A cold Raspberry Pi takes seconds to start Python and load OpenCV."""
LAST_BREATH_NS: Final = 500_000_000
"""A process that ends closes its socket a moment before it is gone."""
STALLED_AFTER_NS: Final = 2_000_000_000
REOPEN_EVERY_NS: Final = 3_000_000_000
YOUNG_NS: Final = 10_000_000_000
PAUSES_S: Final = (0.0, 1.0, 2.0, 4.0, 8.0, 15.0)


class CameraState(StrEnum):
    """What the rest of the kiosk is told about a camera."""

    CLOSED = "closed"
    OPENING = "opening"
    OPEN = "open"
    MISSING = "missing"
    STALLED = "stalled"
    RESTARTING = "restarting"


class Rung(StrEnum):
    """What to do now."""

    WAIT = "wait"
    REOPEN = "reopen"
    KILL = "kill"


@dataclass(frozen=True, slots=True)
class Life:
    """One worker process as the agent knows it. Times are CLOCK_MONOTONIC, nanoseconds."""

    spawned_ns: int
    heard_ns: int | None = None
    """When its last report was read; None before the first."""
    report: Report | None = None
    reopen_asked_ns: int | None = None
    hung_up_ns: int | None = None
    """When its end of the socket was seen closed: it is about to end, or nothing will ever be heard of it again."""
    killed_ns: int | None = None
    """When it was sent SIGKILL; None while it may live."""


def next_rung(life: Life, now_ns: int) -> Rung:
    """What to do about a worker that has not ended."""
    if life.killed_ns is not None:
        return Rung.WAIT
    if life.hung_up_ns is not None:
        return Rung.KILL if now_ns - life.hung_up_ns >= LAST_BREATH_NS else Rung.WAIT
    if _is_silent(life, now_ns):
        return Rung.KILL
    asked_ns = life.reopen_asked_ns
    if is_stalled(life.report) and (asked_ns is None or now_ns - asked_ns >= REOPEN_EVERY_NS):
        return Rung.REOPEN
    return Rung.WAIT


def is_stalled(report: Report | None) -> bool:
    """Whether the source was open without a frame for 2 s, by the worker's own clock when it said so.

    The age is taken at the time of speaking, so that a busy agent which reads late blames nobody.
    """
    if report is None or report.opened_ns is None or report.state not in {WorkerState.OPEN, WorkerState.STALLED}:
        return False
    return report.sent_ns - max(report.opened_ns, report.last_frame_ns or 0) >= STALLED_AFTER_NS


def state_of(life: Life | None, *, wanted: bool, first: bool) -> CameraState:
    """The word for the camera's state.

    Args:
        life: the worker; None while there is none.
        wanted: whether the camera is wanted open.
        first: whether no worker of this camera has died yet.
    """
    report = life.report if life is not None else None
    if (life is not None and life.killed_ns is not None) or (report is None and not first):
        return CameraState.RESTARTING
    match report.state if report is not None else WorkerState.CLOSED:
        case WorkerState.CLOSED:
            return CameraState.OPENING if wanted else CameraState.CLOSED
        case WorkerState.OPENING:
            return CameraState.OPENING
        case WorkerState.MISSING | WorkerState.FAILED:
            return CameraState.MISSING
        case WorkerState.OPEN | WorkerState.STALLED:
            return CameraState.STALLED if is_stalled(report) else CameraState.OPEN


def may_be_open(life: Life | None, *, last_order: int) -> bool:
    """Whether the device may be open; what is not known counts as open.

    Args:
        life: the worker; None when there is none, its death confirmed.
        last_order: the number of the last order to open or close that was sent to it; 0 if none was.
    """
    if life is None or not last_order:
        return False
    if life.report is None or life.report.order < last_order:
        return True
    return life.report.device_open


def young_deaths(before: int, lived_ns: int, frames: int) -> int:
    """How many workers in a row died young and without a frame, counting the one that just died."""
    return before + 1 if lived_ns < YOUNG_NS and not frames else 0


def pause_s(young: int) -> float:
    """How long to wait before the next start, after so many young deaths in a row. The first is answered at once."""
    return PAUSES_S[min(max(young - 1, 0), len(PAUSES_S) - 1)]


def _is_silent(life: Life, now_ns: int) -> bool:
    if life.heard_ns is None:
        return now_ns - life.spawned_ns >= START_GRACE_NS
    return now_ns - life.heard_ns >= DEAF_AFTER_NS
