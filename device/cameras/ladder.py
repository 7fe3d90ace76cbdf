"""The recovery ladder: what to do about a camera and its worker, and what to call the state they are in. Pure.

The rungs, from the mildest: the worker itself tries a missing source again every second; a source that is open but
gives nothing for 2 s is reopened, and if that brings no frame within 5 s its process is killed; a worker that gives no
sign of life for 1.5 s is killed. A killed or dead worker is replaced at once. Only workers that never gave a frame
although they should have count as fruitless: after them the pauses grow from 1 to 30 s, the second one has a USB
camera's port bound anew, and after five within a minute the camera is called failed; it is still tried twice a minute.
A restart of the whole kiosk is then proposed, and done outside sessions only (see reboot.py).
"""

from collections.abc import Sequence
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
REOPEN_WITHIN_NS: Final = 5_000_000_000
"""How long a reopened source may take to give a frame: closing 2 s, opening and the first picture 3 s."""
PAUSES_S: Final = (0.0, 1.0, 2.0, 4.0, 8.0, 16.0, 30.0)
REBIND_AFTER: Final = 2
"""So many fruitless workers in a row, and a USB camera's port is bound anew."""
FAILED_AFTER: Final = 5
FAILED_WITHIN_NS: Final = 60_000_000_000


class CameraState(StrEnum):
    """What the rest of the kiosk is told about a camera."""

    CLOSED = "closed"
    OPENING = "opening"
    OPEN = "open"
    MISSING = "missing"
    STALLED = "stalled"
    RESTARTING = "restarting"
    FAILED = "failed"


class Rung(StrEnum):
    """What to do now."""

    WAIT = "wait"
    REOPEN = "reopen"
    KILL = "kill"


class Cause(StrEnum):
    """What went wrong; each has its own first rung."""

    SILENT = "silent"
    """The worker lives and speaks, but its camera gives no frames."""
    DEAF = "deaf"
    """The worker lives and gives no sign of life: its driver hangs."""
    DIED = "died"
    """The worker's process ended by itself."""


@dataclass(frozen=True, slots=True)
class Step:
    """A rung taken, for the ledger and the log."""

    rung: str
    """`reopen`, `kill`, `respawn`, `rebind`, `failed` or `reboot`."""
    cause: Cause
    reason: str


@dataclass(frozen=True, slots=True)
class Life:
    """One worker process as the agent knows it. Times are CLOCK_MONOTONIC, nanoseconds."""

    spawned_ns: int
    heard_ns: int | None = None
    """When its last report was read; None before the first."""
    report: Report | None = None
    reopen_asked_ns: int | None = None
    """When it was last asked to reopen a source that is still silent."""
    hung_up_ns: int | None = None
    """When its end of the socket was seen closed: it is about to end, or nothing will ever be heard of it again."""
    killed_ns: int | None = None
    """When it was sent SIGKILL; None while it may live."""


def next_rung(life: Life, now_ns: int) -> tuple[Rung, Cause]:
    """What to do about a worker that has not ended, and why."""
    if life.killed_ns is not None:
        return Rung.WAIT, Cause.DEAF
    if life.hung_up_ns is not None:
        return Rung.KILL if now_ns - life.hung_up_ns >= LAST_BREATH_NS else Rung.WAIT, Cause.DIED
    if _is_deaf(life, now_ns):
        return Rung.KILL, Cause.DEAF
    asked_ns = _unanswered_reopen_ns(life)
    if asked_ns is None:
        return (Rung.REOPEN if is_stalled(life.report) else Rung.WAIT), Cause.SILENT
    return Rung.KILL if now_ns - asked_ns >= REOPEN_WITHIN_NS else Rung.WAIT, Cause.SILENT


def is_stalled(report: Report | None) -> bool:
    """Whether the source was open without a frame for 2 s, by the worker's own clock when it said so.

    The age is taken at the time of speaking, so that a busy agent which reads late blames nobody.
    """
    if report is None or report.opened_ns is None or report.state not in {WorkerState.OPEN, WorkerState.STALLED}:
        return False
    return report.sent_ns - max(report.opened_ns, report.last_frame_ns or 0) >= STALLED_AFTER_NS


def state_of(life: Life | None, *, wanted: bool, recovering: bool, failed: bool = False) -> CameraState:
    """The word for the camera's state.

    Args:
        life: the worker; None while there is none.
        wanted: whether the camera is wanted open.
        recovering: whether a worker died and no frame has come since: a camera that hangs at every opening is not well
            in between.
        failed: whether fruitless workers were too many; a frame ends that.
    """
    if failed and wanted:
        return CameraState.FAILED
    opening = CameraState.RESTARTING if recovering else CameraState.OPENING
    if recovering and (life is None or life.report is None or life.killed_ns is not None):
        return opening
    report = life.report if life is not None else None
    match report.state if report is not None else WorkerState.CLOSED:
        case WorkerState.CLOSED:
            state = opening if wanted else CameraState.CLOSED
        case WorkerState.MISSING | WorkerState.FAILED:
            state = CameraState.MISSING
        case WorkerState.OPEN | WorkerState.STALLED if is_stalled(report):
            state = CameraState.STALLED
        case WorkerState.OPEN | WorkerState.STALLED if gives(report):
            state = CameraState.OPEN
        case _:
            state = opening
    return state


def gives(report: Report | None) -> bool:
    """Whether a frame has come since the camera was opened."""
    return report is not None and (report.last_frame_ns or 0) >= (report.opened_ns or 0) > 0


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


def fruitless(before: Sequence[int], life: Life, now_ns: int, *, wanted: bool) -> tuple[int, ...]:
    """When the last workers in a row died that never gave a frame though one was wanted, with the one that just did.

    A camera that is not plugged in makes no worker die, and a worker killed while its camera was closed proves nothing.
    """
    report = life.report
    if report is not None and report.frames:
        return ()
    return (*before, now_ns)[-FAILED_AFTER:] if wanted else tuple(before)


def has_failed(fruitless_ns: Sequence[int], *, already: bool) -> bool:
    """Whether the camera counts as failed; once it does, it does until a frame comes."""
    if already:
        return bool(fruitless_ns)
    return len(fruitless_ns) >= FAILED_AFTER and fruitless_ns[-1] - fruitless_ns[0] <= FAILED_WITHIN_NS


def pause_s(fruitless_count: int, *, failed: bool) -> float:
    """How long to wait before the next start after so many fruitless workers; the first is answered at once."""
    return PAUSES_S[-1] if failed else PAUSES_S[min(max(fruitless_count - 1, 0), len(PAUSES_S) - 1)]


def _unanswered_reopen_ns(life: Life) -> int | None:
    """Since when a reopened source has owed a frame; None when it owes none.

    One that turns out to be missing or broken is another matter: the worker looks for it by itself.
    """
    report, asked_ns = life.report, life.reopen_asked_ns
    if report is None or asked_ns is None or (report.last_frame_ns or 0) > asked_ns:
        return None
    if report.state in {WorkerState.CLOSED, WorkerState.MISSING, WorkerState.FAILED}:
        return None
    return max(asked_ns, report.opened_ns or 0)


def _is_deaf(life: Life, now_ns: int) -> bool:
    if life.heard_ns is None:
        return now_ns - life.spawned_ns >= START_GRACE_NS
    return now_ns - life.heard_ns >= DEAF_AFTER_NS
