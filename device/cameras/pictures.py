"""Single pictures of a camera for people: small ones that move, and stills in full size. Each lives in memory only."""

import asyncio
import time
from collections.abc import Callable
from typing import Final, Protocol, TypeVar

from device.cameras.boundary import Do, Order, View
from device.cameras.errors import NoPicture
from device.cameras.ladder import CameraState
from device.cameras.process import Still, WorkerProcess

T = TypeVar("T")

_PREVIEW_FOR_S: Final = 5.0
_PREVIEW_ASK_EVERY_NS: Final = 1_000_000_000
_PREVIEW_MAX_AGE_NS: Final = 2_000_000_000
_POLL_S: Final = 0.02


class Supervised(Protocol):
    """What is asked of a camera's supervision."""

    @property
    def worker(self) -> WorkerProcess | None:
        """The present worker."""
        ...

    def trouble(self) -> str | None:
        """Why it can give no picture at all, in words; None while it may."""
        ...

    def state(self) -> CameraState:
        """The word for its state."""
        ...


class Pictures:
    """Asks the present worker for pictures.

    Args:
        camera: whose.
        name: what people call it.
        clock_ns: CLOCK_MONOTONIC, or a clock that agrees with it.
    """

    def __init__(self, camera: Supervised, name: str, clock_ns: Callable[[], int] = time.monotonic_ns) -> None:
        self._camera = camera
        self._name = name
        self._clock_ns = clock_ns
        self._asked: tuple[WorkerProcess, int] | None = None
        self._one_still = asyncio.Lock()

    def preview(self) -> bytes | None:
        """The latest small JPEG, if it is younger than 2 s. Asking keeps previews coming for the next seconds."""
        worker = self._camera.worker
        if worker is None or self._camera.trouble() is not None:
            return None
        self._ask_preview(worker)
        preview = worker.preview()
        if preview is None or self._clock_ns() - preview.captured_ns > _PREVIEW_MAX_AGE_NS:
            return None
        return preview.jpeg

    async def snapshot(self, timeout_s: float) -> bytes:
        """A small JPEG of a frame taken after this call; raises `NoPicture`."""
        asked_ns = self._clock_ns()

        def look(worker: WorkerProcess) -> bytes | None:
            self._ask_preview(worker)
            preview = worker.preview()
            return preview.jpeg if preview is not None and preview.captured_ns > asked_ns else None

        return await self._until(look, timeout_s)

    async def still(self, view: View, timeout_s: float, max_bytes: int = 0) -> Still:
        """A JPEG in full size of a frame taken after this call, of at most `max_bytes` if any; raises `NoPicture`."""
        asked: list[WorkerProcess] = []
        asked_ns = self._clock_ns()

        def look(worker: WorkerProcess) -> Still | None:
            if worker not in asked:
                worker.still = None
                if worker.send(Order(Do.STILL, view=view, max_bytes=max_bytes)):
                    asked.append(worker)
            # One that somebody before had given up waiting for may show what may not be shown any more.
            return worker.still if worker.still is not None and worker.still.captured_ns >= asked_ns else None

        async with self._one_still:  # the worker makes one at a time
            still = await self._until(look, timeout_s)
        if not still.jpeg:
            raise NoPicture(f"The {self._name} has nothing to show: {still.words}.")
        return still

    async def _until(self, look: Callable[[WorkerProcess], T | None], timeout_s: float) -> T:
        loop = asyncio.get_running_loop()
        deadline = loop.time() + timeout_s
        while True:
            if (trouble := self._camera.trouble()) is not None:
                raise NoPicture(f"The {self._name} {trouble}")
            worker = self._camera.worker
            if worker is not None and (picture := look(worker)) is not None:
                return picture
            if loop.time() >= deadline:
                state = self._camera.state()
                raise NoPicture(f"The {self._name} gave no picture within {timeout_s:g} s (it is {state}).")
            await asyncio.sleep(_POLL_S)

    def _ask_preview(self, worker: WorkerProcess) -> None:
        now_ns = self._clock_ns()
        if self._asked is not None and self._asked[0] is worker and now_ns - self._asked[1] < _PREVIEW_ASK_EVERY_NS:
            return
        if worker.send(Order(Do.PREVIEW, for_s=_PREVIEW_FOR_S)):
            self._asked = worker, now_ns
