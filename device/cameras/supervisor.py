"""The agent's side of a camera: keeps one worker alive, says what is known of it, and hands out its pictures."""

import asyncio
import contextlib
import logging
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, Final

from device.cameras import ladder
from device.cameras.aiming import Aiming
from device.cameras.boundary import DEFAULT_FACTORY, Do, Learned, Order, Report, Setup, StillTaken, View, output_of
from device.cameras.feed import PacketFeed
from device.cameras.ladder import CameraState, Cause, Life, Rung, Step
from device.cameras.pictures import Pictures
from device.cameras.port import Port
from device.cameras.process import Still, WorkerProcess
from device.cameras.recording import Event, Plan
from device.cameras.source import CameraSpec
from device.cameras.spare import Spare
from device.cameras.status import CameraStatus, StreakLog, detail
from device.cameras.uri import device_path
from device.cameras.wishes import Reference, Telling, Wishes

_log = logging.getLogger(__name__)

_TICK_S: Final = 0.1
_BURY_S: Final = 1.0
_UNKILLABLE_NS: Final = 3_000_000_000
_WHY_KILLED: Final = {
    Cause.DIED: "it hung up and did not end",
    Cause.DEAF: "it gave no sign of life",
    Cause.SILENT: "its camera gave no frame, and reopening it did not help",
}


class Camera:
    """One camera of the kiosk, behind a process of its own.

    Args:
        spec: the camera.
        factory: `module:function` that opens its source inside the worker.
        factory_args: keyword arguments for it, as JSON allows them.
        mat: the desk mat to look for, as `KitMat.plain` has it; `cards`: the student cards, `KitCards.plain`.
        checked: whether its pictures are looked at.
        on_change: called in the loop with the new status whenever its `news` changes; it must not block.
        on_step: called in the loop with each rung of the ladder that is taken.
        on_event: called in the loop with what became of a segment.
        on_burial: called in the loop when a worker is dead, with the time of its last coded picture: what it was
            writing has to be looked after, before the next worker starts.
        clock_ns: CLOCK_MONOTONIC, or a clock that agrees with it: frames are stamped by another process.
    """

    def __init__(  # noqa: PLR0913 - each is named by whoever gives it
        self,
        spec: CameraSpec,
        *,
        factory: str = DEFAULT_FACTORY,
        factory_args: Mapping[str, Any] | None = None,
        mat: dict[str, Any] | None = None,
        cards: dict[str, Any] | None = None,
        checked: bool = True,
        on_change: Callable[[CameraStatus], None] | None = None,
        on_step: Callable[[str, Step], None] | None = None,
        on_event: Callable[[Event], None] | None = None,
        on_burial: Callable[[str, int | None], None] | None = None,
        clock_ns: Callable[[], int] = time.monotonic_ns,
    ) -> None:
        self.spec = spec
        self._setup = Setup(spec, factory, dict(factory_args or {}), mat, checked, cards)
        self._on_change, self._on_step, self._on_event, self._on_burial = on_change, on_step, on_event, on_burial
        self._clock_ns = clock_ns
        self._spare = Spare(self._setup)
        self.aiming: Final = Aiming(self)
        self._pictures = Pictures(self, f"{spec.role} camera", clock_ns)
        self._wishes = Wishes()
        self._telling = Telling()
        self.worker: WorkerProcess | None = None
        self.bell = asyncio.Event()
        """Set, and replaced by a fresh one, whenever there may be a new packet."""
        self._life: Life | None = None
        self._last_frame_ns: int | None = None
        self._port = Port(device_path(spec.uri))
        self._restarts = 0
        self._fruitless_ns: tuple[int, ...] = ()
        self._failed = self._recovering = False
        self._epitaph = ""
        self._told: tuple[Any, ...] | None = None
        self._log = StreakLog()
        self._running = self._is_replaced = False
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
                if self._is_replaced:
                    self._is_replaced = self._recovering = False
                elif not self._stopping.is_set():
                    self._restarts += 1
                    await self._between_workers()
        finally:
            self._spare.drop()
            self._ended.set()
            self._notice()

    async def stop(self, deadline_s: float = 3.0) -> None:
        """Close the camera and end its worker, by force after `deadline_s`. It takes at most 1 s longer than that."""
        self._wishes = Wishes()
        self._stopping.set()
        if not self._running:
            return
        if self.worker is not None:
            self.worker.send(Order(Do.STOP))
        if not await self._ends_within(deadline_s):
            self._kill(Cause.DEAF, "it did not stop when asked")
            await self._ends_within(_BURY_S)

    def want_open(self, wanted: bool) -> None:  # noqa: FBT001 - reads as a sentence: want_open(True)
        """Say whether the camera is to be open, for as long as nothing else is said; a new worker is told again."""
        self._wish(is_open=wanted and not self._stopping.is_set())

    def want_coded(self, wanted: bool) -> None:  # noqa: FBT001 - as above
        """Say whether its pictures are to be encoded."""
        self._wish(coded=wanted and not self._stopping.is_set())

    def record(self, plan: Plan) -> None:
        """Say what may be kept of its coded pictures."""
        self._wish(plan=plan)

    def set_bitrate(self, bitrate_bps: int) -> None:
        """Take so many bits per second from now on, whatever worker it is."""
        self._wish(bitrate_bps=bitrate_bps)

    def refer(self, plain: Mapping[str, Any] | None) -> None:
        """Have its pictures judged by a reference that was learned before; by None, let it learn one as it comes."""
        number = self._wishes.reference.number + 1
        self._wish(reference=Reference(number, None if plain is None else dict(plain)))

    def be(self, spec: CameraSpec) -> None:
        """Be another device from now on: the next worker opens it. The caller has closed this one and waits for it."""
        self.spec = spec
        self._setup = replace(self._setup, spec=spec)
        self._spare.drop()
        self._spare, self._port = Spare(self._setup), Port(device_path(spec.uri))
        self.refer(None)
        self._is_replaced = True
        if self.worker is not None:
            self.worker.send(Order(Do.STOP))

    def force_keyframe(self) -> None:
        """Make the next coded picture a keyframe: somebody begins to look."""
        if self.worker is not None:
            self.worker.send(Order(Do.KEYFRAME, self._telling.order))

    def packets(self) -> PacketFeed:
        """Its coded pictures for one viewer, while they are wanted coded."""
        return PacketFeed(self)

    def status(self) -> CameraStatus:
        """What is known of the camera now."""
        state, life = self.state(), self._life
        report = life.report if life is not None else None
        age_ns = None if self._last_frame_ns is None else max(0, self._clock_ns() - self._last_frame_ns)
        return CameraStatus(
            role=self.spec.role,
            state=state,
            pid=None if self.worker is None else self.worker.pid,
            fps=report.fps if report is not None and state is CameraState.OPEN else None,
            last_frame_age_s=None if age_ns is None else age_ns / 1e9,
            device_open=ladder.may_be_open(life, last_order=self._telling.order),
            restarts=self._restarts,
            detail=self._detail(state),
            **output_of(report),
        )

    def preview(self) -> bytes | None:
        """The latest small JPEG, if it is younger than 2 s. Asking keeps previews coming for the next seconds."""
        return self._pictures.preview()

    async def snapshot(self, timeout_s: float = 2.0) -> bytes:
        """A small JPEG of a frame taken after this call; raises `NoPicture` with plain words when there is none."""
        return await self._pictures.snapshot(timeout_s)

    async def still(self, view: View = View.PICTURE, timeout_s: float = 4.0, max_bytes: int = 0) -> Still:
        """The same in full size, in memory only, here as in the worker; a worksheet needs a mat or a page in view."""
        return await self._pictures.still(view, timeout_s, max_bytes)

    def trouble(self) -> str | None:
        """Why it can give no picture at all, in words after its name; None while it may."""
        state = self.state()
        if not self._wishes.is_open or state is CameraState.CLOSED:
            return "is closed."
        if state in {CameraState.MISSING, CameraState.FAILED}:
            return f"is {state}: {self._detail(state)}"
        return None

    async def _live_once(self) -> None:
        """One worker, from its start to its funeral."""
        spawned_ns = self._clock_ns()
        try:
            worker = self._spare.take() or WorkerProcess.spawn(self._setup)
        except OSError as error:
            self._epitaph, self._recovering = f"its process could not be started: {error}", True
            self._count(Life(spawned_ns))
            return self._notice()
        self.worker, self._life = worker, Life(spawned_ns)
        self._telling = Telling()
        died = asyncio.Event()
        loop = asyncio.get_running_loop()
        loop.add_reader(worker.control_fd, self._hear)
        loop.add_reader(worker.bell_fd, self._ring, worker)

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
                self._mind_spare()
                self._notice()
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(_TICK_S):
                        await died.wait()
        finally:
            if not died.is_set():
                self._kill(Cause.DEAF, "its supervision ended")
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(_BURY_S):
                        await died.wait()
            self._hear()
            for fd in (worker.death_fd, worker.control_fd, worker.bell_fd):
                loop.remove_reader(fd)
            self._bury(worker)

    async def _between_workers(self) -> None:
        """The pause before the next start; where starts alone did not help, a USB camera's port is bound anew first."""
        if len(self._fruitless_ns) >= ladder.REBIND_AFTER and (words := await self._port.bind_anew()) is not None:
            self._step("rebind", Cause.SILENT, words)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(ladder.pause_s(len(self._fruitless_ns), failed=self._failed)):
                await self._stopping.wait()

    def _hear(self) -> None:
        if self.worker is None or self._life is None or self._life.hung_up_ns is not None:
            return
        told, closed = self.worker.hear()
        for one in told:
            match one:
                case Report():
                    self._life = replace(self._life, report=one, heard_ns=self._clock_ns())
                    self._last_frame_ns = one.last_frame_ns or self._last_frame_ns
                case StillTaken() | Learned():
                    pass  # whoever asked for it looks at `worker.still` or `worker.learned`
                case _ if self._on_event is not None:
                    self._on_event(one)
        if self._life.killed_ns is None and ladder.gives(self._life.report):
            self._fruitless_ns, self._failed, self._recovering = (), False, False
        if closed:
            # Left in, the reader would wake the loop for ever.
            asyncio.get_running_loop().remove_reader(self.worker.control_fd)
            self._life = replace(self._life, hung_up_ns=self._clock_ns())
        self._notice()

    def _mind_spare(self) -> None:
        """While pictures are coded, have the next worker ready; nothing changes while one is about to be needed."""
        if self._recovering or self._stopping.is_set():
            return
        try:
            self._spare.mind(wanted=self._wishes.coded and self._life is not None and ladder.gives(self._life.report))
        except OSError as error:
            _log.debug("no process can be held in reserve: %s", error)  # the next one is started when it is needed

    def _ring(self, worker: WorkerProcess) -> None:
        worker.silence_bell()
        self.bell.set()
        self.bell = asyncio.Event()

    def _climb(self) -> None:
        assert self._life is not None
        assert self.worker is not None
        now_ns = self._clock_ns()
        rung, cause = ladder.next_rung(self._life, now_ns)
        match rung:
            case Rung.KILL:
                self._kill(cause, _WHY_KILLED[cause])
            case Rung.REOPEN:
                self.worker.send(Order(Do.REOPEN, self._telling.order))
                self._life = replace(self._life, reopen_asked_ns=now_ns)
                self._step("reopen", cause, "the camera gave no frame for 2 s")
            case Rung.WAIT:
                if self._is_unkillable() and not self._failed:
                    self._failed = True
                    self._step("failed", cause, "its process does not end: a driver holds it in the kernel")

    def _kill(self, cause: Cause, reason: str) -> None:
        if self.worker is None or self._life is None or self._life.killed_ns is not None:
            return
        self._epitaph, self._recovering = f"its process was killed because {reason}", True
        self._life = replace(self._life, killed_ns=self._clock_ns())
        self.worker.kill()
        if not self._stopping.is_set():
            self._step("kill", cause, reason)
        self._notice()

    def _bury(self, worker: WorkerProcess) -> None:
        """The worker is dead, or never will be: draw the conclusions."""
        assert self._life is not None
        words = worker.exit_words()
        if self._life.killed_ns is None:
            self._epitaph = f"its process {words}"
            if not (self._stopping.is_set() or self._is_replaced):
                self._step("respawn", Cause.DIED, self._epitaph)
        self._count(self._life)
        self._recovering = True
        self.worker = None
        worker.close()
        self.bell.set()
        self.bell = asyncio.Event()
        if self._on_burial is not None:
            report = self._life.report
            self._on_burial(self.spec.role, report.last_packet_ns if report else None)
        self._life = None if words is not None else self._life
        self._notice()

    def _count(self, life: Life) -> None:
        """Count a worker that died, if it should have given a frame and never did."""
        self._fruitless_ns = ladder.fruitless(self._fruitless_ns, life, self._clock_ns(), wanted=self._wishes.is_open)
        failed = ladder.has_failed(self._fruitless_ns, already=self._failed)
        if failed and not self._failed:
            self._step("failed", Cause.DIED, f"{len(self._fruitless_ns)} processes in a row gave no frame")
        self._failed = failed

    def _step(self, rung: str, cause: Cause, reason: str) -> None:
        if self._on_step is not None:
            self._on_step(self.spec.role, Step(rung, cause, reason))

    def _wish(self, **changes: Any) -> None:
        self._wishes = replace(self._wishes, **changes)
        self._tell()
        self._notice()

    def _tell(self) -> None:
        """Tell the worker what is wanted, unless it was told already."""
        if self.worker is not None:
            self._telling.tell(self.worker, self._wishes)

    def state(self) -> CameraState:
        """The word for its state."""
        if self._ended.is_set() or (self._stopping.is_set() and self._life is None):
            return CameraState.CLOSED
        return ladder.state_of(
            self._life,
            wanted=self._wishes.is_open,
            recovering=self._recovering,
            failed=self._failed,
        )

    def _detail(self, state: CameraState) -> str:
        report = self._life.report if self._life is not None else None
        return detail(state, report.detail if report else "", self._epitaph, unkillable=self._is_unkillable())

    def _is_unkillable(self) -> bool:
        killed_ns = self._life.killed_ns if self._life is not None else None
        return killed_ns is not None and self._clock_ns() - killed_ns > _UNKILLABLE_NS

    def _notice(self) -> None:
        """Log and tell what changed, once."""
        status = self.status()
        if self._told == status.news:
            return
        self._told = status.news
        self._log.note(status)
        if status.state is CameraState.OPEN:
            self._port.learn()
        if self._on_change is not None:
            self._on_change(status)

    async def _ends_within(self, seconds: float) -> bool:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._ended.wait()
        return self._ended.is_set()
