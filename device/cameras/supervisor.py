"""The agent's side of a camera: keeps one worker alive, says what is known of the camera, and hands out previews."""

import asyncio
import contextlib
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, Final

from device.cameras import ladder
from device.cameras.boundary import DEFAULT_FACTORY, Do, Order, Setup
from device.cameras.errors import NoPicture
from device.cameras.ladder import CameraState, Life, Rung
from device.cameras.process import WorkerProcess
from device.cameras.source import CameraSpec
from device.cameras.status import CameraStatus, StreakLog

_TICK_S: Final = 0.1
_BURY_S: Final = 1.0
_UNKILLABLE_NS: Final = 3_000_000_000
_PREVIEW_FOR_S: Final = 5.0
_PREVIEW_ASK_EVERY_NS: Final = 1_000_000_000
_PREVIEW_MAX_AGE_NS: Final = 2_000_000_000
_SNAPSHOT_POLL_S: Final = 0.02


class Camera:
    """One camera of the kiosk, behind a process of its own.

    Args:
        spec: the camera.
        factory: `module:function` that opens its source inside the worker.
        factory_args: keyword arguments for it, as JSON allows them.
        on_change: called in the loop with the new status whenever `state` or `device_open` changes; it must not block.
        clock_ns: CLOCK_MONOTONIC, or a clock that agrees with it: frames are stamped by another process.
    """

    def __init__(
        self,
        spec: CameraSpec,
        *,
        factory: str = DEFAULT_FACTORY,
        factory_args: Mapping[str, Any] | None = None,
        on_change: Callable[[CameraStatus], None] | None = None,
        clock_ns: Callable[[], int] = time.monotonic_ns,
    ) -> None:
        self.spec: Final = spec
        self._setup = Setup(spec, factory, dict(factory_args or {}))
        self._on_change = on_change
        self._clock_ns = clock_ns
        self._wanted = False
        self._worker: WorkerProcess | None = None
        self._life: Life | None = None
        self._ordered = False
        """What the present worker was last told to be."""
        self._order = 0
        self._preview_asked_ns: int | None = None
        self._last_frame_ns: int | None = None
        self._restarts = 0
        self._young_deaths = 0
        self._epitaph = ""
        self._told: tuple[CameraState, bool] | None = None
        self._log = StreakLog()
        self._running = False
        self._stopping = asyncio.Event()
        self._ended = asyncio.Event()

    async def run(self) -> None:
        """Keep a worker alive until `stop`; run it as one task. Cancelled, it kills the worker.

        Raises:
            RuntimeError: it has been run before.
        """
        if self._running:
            raise RuntimeError(f"the {self.spec.role} camera is already supervised")
        self._running = True
        try:
            while not self._stopping.is_set():
                await self._live_once()
                if not self._stopping.is_set():
                    self._restarts += 1
                    with contextlib.suppress(TimeoutError):
                        async with asyncio.timeout(ladder.pause_s(self._young_deaths)):
                            await self._stopping.wait()
        finally:
            self._ended.set()
            self._notice()

    async def stop(self, deadline_s: float = 3.0) -> None:
        """Close the camera and end its worker, by force after `deadline_s`. It takes at most 1 s longer than that."""
        self._wanted = False
        self._stopping.set()
        if not self._running:
            return
        if self._worker is not None:
            self._worker.send(Order(Do.STOP))
        if not await self._ends_within(deadline_s):
            self._kill("it did not stop when asked")
            await self._ends_within(_BURY_S)

    def want_open(self, wanted: bool) -> None:  # noqa: FBT001 - reads as a sentence: want_open(True)
        """Say whether the camera is to be open, for as long as nothing else is said; a new worker is told again."""
        self._wanted = wanted and not self._stopping.is_set()
        self._tell()
        self._notice()

    def status(self) -> CameraStatus:
        """What is known of the camera now."""
        state, life = self._state(), self._life
        report = life.report if life is not None else None
        age_ns = None if self._last_frame_ns is None else max(0, self._clock_ns() - self._last_frame_ns)
        return CameraStatus(
            role=self.spec.role,
            state=state,
            pid=None if self._worker is None else self._worker.pid,
            fps=report.fps if report is not None and state is CameraState.OPEN else None,
            last_frame_age_s=None if age_ns is None else age_ns / 1e9,
            device_open=ladder.may_be_open(life, last_order=self._order),
            restarts=self._restarts,
            detail=self._detail(state),
        )

    def preview(self) -> bytes | None:
        """The latest small JPEG, if it is younger than 2 s. Asking keeps previews coming for the next seconds."""
        if self._worker is None or not self._wanted:
            return None
        self._ask_preview()
        preview = self._worker.preview()
        if preview is None or self._clock_ns() - preview.captured_ns > _PREVIEW_MAX_AGE_NS:
            return None
        return preview.jpeg

    async def snapshot(self, timeout_s: float = 2.0) -> bytes:
        """A small JPEG of a frame taken after this call.

        Raises:
            NoPicture: with plain words, when the camera is closed or missing, or gives nothing in time.
        """
        asked_ns = self._clock_ns()
        loop = asyncio.get_running_loop()
        deadline = loop.time() + timeout_s
        name = f"The {self.spec.role} camera"
        while True:
            state = self._state()
            if not self._wanted or state is CameraState.CLOSED:
                raise NoPicture(f"{name} is closed.")
            if state is CameraState.MISSING:
                raise NoPicture(f"{name} is missing: {self._detail(state)}")
            if self._worker is not None:
                self._ask_preview()
                preview = self._worker.preview()
                if preview is not None and preview.captured_ns > asked_ns:
                    return preview.jpeg
            if loop.time() >= deadline:
                raise NoPicture(f"{name} gave no picture within {timeout_s:g} s (it is {state}).")
            await asyncio.sleep(_SNAPSHOT_POLL_S)

    async def _live_once(self) -> None:
        """One worker, from its start to its funeral."""
        spawned_ns = self._clock_ns()
        try:
            worker = WorkerProcess.spawn(self._setup)
        except OSError as error:
            self._young_deaths += 1
            self._epitaph = f"its process could not be started: {error}"
            self._notice()
            return
        self._worker, self._life = worker, Life(spawned_ns)
        self._ordered, self._order, self._preview_asked_ns = False, 0, None
        died = asyncio.Event()
        loop = asyncio.get_running_loop()
        loop.add_reader(worker.control_fd, self._hear)

        def on_death() -> None:
            died.set()
            loop.remove_reader(worker.death_fd)

        loop.add_reader(worker.death_fd, on_death)
        try:
            while not died.is_set():
                # Heard before judged: a loop that was busy for a while must not take its own delay for the worker's.
                self._hear()
                self._climb()
                self._tell()
                self._notice()
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(_TICK_S):
                        await died.wait()
        finally:
            if not died.is_set():
                self._kill("its supervision ended")
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(_BURY_S):
                        await died.wait()
            self._hear()
            loop.remove_reader(worker.death_fd)
            loop.remove_reader(worker.control_fd)
            self._bury(worker)

    def _hear(self) -> None:
        if self._worker is None or self._life is None or self._life.hung_up_ns is not None:
            return
        reports, closed = self._worker.hear()
        if reports:
            self._life = replace(self._life, report=reports[-1], heard_ns=self._clock_ns())
            self._last_frame_ns = reports[-1].last_frame_ns or self._last_frame_ns
        if closed:
            # Left in, the reader would wake the loop for ever.
            asyncio.get_running_loop().remove_reader(self._worker.control_fd)
            self._life = replace(self._life, hung_up_ns=self._clock_ns())
        self._notice()

    def _climb(self) -> None:
        assert self._life is not None
        assert self._worker is not None
        now_ns = self._clock_ns()
        match ladder.next_rung(self._life, now_ns):
            case Rung.KILL:
                self._kill("it gave no sign of life" if self._life.hung_up_ns is None else "it hung up and did not end")
            case Rung.REOPEN:
                self._worker.send(Order(Do.REOPEN, self._order))
                self._life = replace(self._life, reopen_asked_ns=now_ns)
            case Rung.WAIT:
                pass

    def _kill(self, reason: str) -> None:
        if self._worker is None or self._life is None or self._life.killed_ns is not None:
            return
        self._epitaph = f"its process was killed because {reason}"
        self._life = replace(self._life, killed_ns=self._clock_ns())
        self._worker.kill()
        self._notice()

    def _bury(self, worker: WorkerProcess) -> None:
        """The worker is dead, or never will be: draw the conclusions."""
        assert self._life is not None
        words = worker.exit_words()
        report = self._life.report
        lived_ns = self._clock_ns() - self._life.spawned_ns
        self._young_deaths = ladder.young_deaths(self._young_deaths, lived_ns, report.frames if report else 0)
        if self._life.killed_ns is None:
            self._epitaph = f"its process {words}"
        self._life = None if words is not None else self._life
        self._worker = None
        worker.close()
        self._notice()

    def _tell(self) -> None:
        """Tell the worker what is wanted, unless it was told already."""
        if self._worker is None or self._wanted == self._ordered:
            return
        if self._worker.send(Order(Do.OPEN if self._wanted else Do.CLOSE, self._order + 1)):
            self._ordered = self._wanted
            self._order += 1

    def _ask_preview(self) -> None:
        now_ns = self._clock_ns()
        asked_ns = self._preview_asked_ns
        if self._worker is None or (asked_ns is not None and now_ns - asked_ns < _PREVIEW_ASK_EVERY_NS):
            return
        if self._worker.send(Order(Do.PREVIEW, self._order, _PREVIEW_FOR_S)):
            self._preview_asked_ns = now_ns

    def _state(self) -> CameraState:
        if self._ended.is_set() or (self._stopping.is_set() and self._life is None):
            return CameraState.CLOSED
        return ladder.state_of(self._life, wanted=self._wanted, first=not self._restarts and not self._epitaph)

    def _detail(self, state: CameraState) -> str:
        report = self._life.report if self._life is not None else None
        match state:
            case CameraState.RESTARTING if self._is_unkillable():
                return "its process does not end; the kiosk has to be restarted"
            case CameraState.RESTARTING:
                return self._epitaph
            case CameraState.STALLED:
                return (report.detail if report is not None else "") or "it is open but gives no frames"
            case CameraState.MISSING:
                return report.detail if report is not None else ""
            case _:
                return ""

    def _is_unkillable(self) -> bool:
        killed_ns = self._life.killed_ns if self._life is not None else None
        return killed_ns is not None and self._clock_ns() - killed_ns > _UNKILLABLE_NS

    def _notice(self) -> None:
        """Log and tell what changed, once."""
        status = self.status()
        if self._told == (status.state, status.device_open):
            return
        self._told = (status.state, status.device_open)
        self._log.note(status)
        if self._on_change is not None:
            self._on_change(status)

    async def _ends_within(self, seconds: float) -> bool:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._ended.wait()
        return self._ended.is_set()
