"""The capture thread: the only thread that touches the camera, and only between an order to open and one to close."""

import logging
import threading
import time
from collections import deque
from dataclasses import dataclass, replace
from typing import Final, Protocol

from device.cameras.boundary import WorkerState
from device.cameras.errors import CameraError, SourceMissing, SourceStalled
from device.cameras.sound import require_sound
from device.cameras.source import CameraSpec, Frame, Native, Source, SourceFactory

_log = logging.getLogger(__name__)

READ_TIMEOUT_S: Final = 0.25
# How long the thread may take over each thing before it counts as stuck. A read's grace is short because being stuck
# only silences the heartbeat; six have to be missed to be killed. A USB camera's first picture takes seconds.
_READ_LIMIT_S: Final = READ_TIMEOUT_S + 0.25
_OPEN_LIMIT_S: Final = 8.0
_CLOSE_LIMIT_S: Final = 2.0
_RETRY_S: Final = 1.0
_STALLED_AFTER_NS: Final = 1_000_000_000
_FPS_WINDOW_NS: Final = 2_000_000_000
_FPS_MIN_NS: Final = 500_000_000


@dataclass(frozen=True, slots=True)
class Facts:
    """What is known of the camera now. Times are CLOCK_MONOTONIC, nanoseconds."""

    state: WorkerState = WorkerState.CLOSED
    device_open: bool = False
    opened_ns: int | None = None
    frames: int = 0
    last_frame_ns: int | None = None
    native: Native | None = None
    """What the open camera really gives."""
    detail: str = ""


class Watching(Protocol):
    """Who follows a camera, called in the capture thread; nothing of it may block."""

    def changed(self) -> None:
        """The state changed, or the first frame of an opening came."""

    def opened(self, source: Source) -> None:
        """The source is open; its first frame comes next."""

    def frame(self, frame: Frame) -> None:
        """A frame came."""

    def closing(self) -> None:
        """No frame comes after this; the source is about to be closed."""


class Capture:
    """Opens, reads and closes one source, and never gives up on it.

    Args:
        spec: the camera.
        open_source: what opens it.
        watching: who is told.
    """

    def __init__(self, spec: CameraSpec, open_source: SourceFactory, watching: Watching) -> None:
        self._spec = spec
        self._open_source = open_source
        self._watching = watching
        self._facts = Facts()  # replaced as a whole, by the capture thread alone
        self._stamps: deque[int] = deque()
        self._stamps_lock = threading.Lock()
        self._wanted = False
        self._reopen = False
        self._stopping = False
        self._nudge = threading.Event()
        self._due_ns = time.monotonic_ns() + int(_OPEN_LIMIT_S * 1e9)
        self._thread = threading.Thread(target=self._run, name=f"capture-{spec.role}", daemon=True)

    def start(self) -> None:
        """Start the thread; the camera stays closed."""
        self._thread.start()

    def want(self, *, is_open: bool) -> None:
        """Say whether the camera is to be open."""
        self._wanted = is_open
        self._nudge.set()

    def reopen(self) -> None:
        """Close the camera and open it again, if it is wanted open."""
        self._reopen = True
        self._nudge.set()

    def stop(self, deadline_s: float) -> bool:
        """Close the camera and end the thread.

        Returns:
            False when that took longer than `deadline_s`.
        """
        self._stopping = True
        self._nudge.set()
        self._thread.join(deadline_s)
        return not self._thread.is_alive()

    def facts(self) -> Facts:
        """What is known of the camera now."""
        return self._facts

    def may_be_open(self) -> bool:
        """Whether the device is open or about to be."""
        return self._facts.device_open or (self._wanted and self._facts.state is WorkerState.CLOSED)

    def fps(self, now_ns: int) -> float | None:
        """Frames per second over the last 2 s, or since the camera was opened; None in its first half second."""
        opened_ns = self._facts.opened_ns
        if opened_ns is None or now_ns - opened_ns < _FPS_MIN_NS:
            return None
        window_ns = min(_FPS_WINDOW_NS, now_ns - opened_ns)
        with self._stamps_lock:
            frames = sum(stamp > now_ns - window_ns for stamp in self._stamps)
        return frames / (window_ns / 1e9)

    def is_stuck(self, now_ns: int) -> bool:
        """Whether the thread is inside a call that should have come back: no more heartbeats then."""
        return now_ns > self._due_ns

    def is_running(self) -> bool:
        """Whether the thread lives; it ends early only when a source would not close."""
        return self._thread.is_alive()

    def _run(self) -> None:
        while not self._stopping:
            if self._wanted:
                self._live()
            else:
                self._know(state=WorkerState.CLOSED, detail="")
                self._rest(_RETRY_S)

    def _live(self) -> None:
        """One opening of the source, from before it opens to after it is closed."""
        trouble: Exception | None = None
        try:
            source = self._open()
        except Exception as error:  # noqa: BLE001 - the loop's edge: a foreign driver may raise anything, and is tried again
            self._complain(error)
            return
        try:
            self._know(state=WorkerState.OPEN, opened_ns=time.monotonic_ns(), native=source.native, detail="")
            self._watching.opened(source)
            self._read_until_unwanted(source)
        except Exception as error:  # noqa: BLE001 - as above
            trouble = error
        self._allow(_CLOSE_LIMIT_S)
        self._watching.closing()
        # An error here ends the thread and with it the process, on purpose: only that surely lets go of the device.
        source.close()
        self._facts = replace(self._facts, device_open=False, opened_ns=None, native=None)
        if trouble is not None:
            self._complain(trouble)

    def _open(self) -> Source:
        self._reopen = False
        # While a source is missing it is looked for every second; that is not worth a change of state each time.
        if self._facts.state not in {WorkerState.MISSING, WorkerState.FAILED}:
            self._know(state=WorkerState.OPENING, device_open=True, detail="")
        self._facts = replace(self._facts, device_open=True)
        self._allow(_OPEN_LIMIT_S)
        try:
            source = self._open_source(self._spec)
        except Exception:
            self._facts = replace(self._facts, device_open=False)
            raise
        with self._stamps_lock:
            self._stamps.clear()
        return source

    def _read_until_unwanted(self, source: Source) -> None:
        while self._wanted and not self._stopping and not self._reopen:
            self._allow(_READ_LIMIT_S)
            try:
                frame = source.read(READ_TIMEOUT_S)
            except SourceStalled as error:
                seen_ns = max(self._facts.opened_ns or 0, self._facts.last_frame_ns or 0)
                # A camera of two frames a second is slow, not stalled.
                if time.monotonic_ns() - seen_ns > _STALLED_AFTER_NS:
                    self._know(state=WorkerState.STALLED, detail=str(error))
            else:
                require_sound(frame, self._spec)
                self._take(frame)

    def _complain(self, error: Exception) -> None:
        """Report what went wrong, and wait a little before the next try."""
        match error:
            case SourceMissing():
                self._know(state=WorkerState.MISSING, detail=str(error))
            case CameraError():
                self._know(state=WorkerState.FAILED, detail=str(error))
            case _:
                words = f"{type(error).__name__}: {error}"
                if words != self._facts.detail:
                    _log.warning("the source of the %s camera broke", self._spec.role, exc_info=error)
                self._know(state=WorkerState.FAILED, detail=words)
        if self._wanted and not self._reopen:
            self._rest(_RETRY_S)

    def _take(self, frame: Frame) -> None:
        with self._stamps_lock:
            self._stamps.append(frame.captured_ns)
            while self._stamps[0] <= frame.captured_ns - _FPS_WINDOW_NS:
                self._stamps.popleft()
        facts = self._facts
        is_first = facts.last_frame_ns is None or facts.last_frame_ns < (facts.opened_ns or 0)
        self._facts = replace(facts, frames=facts.frames + 1, last_frame_ns=frame.captured_ns)
        self._know(state=WorkerState.OPEN, detail="")
        self._watching.frame(frame)
        if is_first:
            self._watching.changed()

    def _know(self, **changes: object) -> None:
        """Replace facts, and tell if the state or the words changed."""
        before = self._facts
        self._facts = replace(before, **changes)  # type: ignore[arg-type] # the callers above name fields of Facts
        if (before.state, before.detail) != (self._facts.state, self._facts.detail):
            self._watching.changed()

    def _allow(self, limit_s: float) -> None:
        self._due_ns = time.monotonic_ns() + int(limit_s * 1e9)

    def _rest(self, pause_s: float) -> None:
        self._allow(pause_s + _READ_LIMIT_S)
        self._nudge.wait(pause_s)
        self._nudge.clear()
