"""A viewer's place at a camera: coded pictures in turn, over the deaths of workers, never holding anyone up."""

import asyncio
import contextlib
from typing import Protocol, Self

from device.cameras.bus import BusReader
from device.cameras.process import WorkerProcess
from device.cameras.source import Packet


class Coded(Protocol):
    """A camera whose pictures are coded; what its viewers need of it."""

    worker: WorkerProcess | None
    bell: asyncio.Event

    def force_keyframe(self) -> None:
        """Somebody begins to look."""


class PacketFeed:
    """The packets of a camera for one viewer; use it as a context manager.

    The first packet is a keyframe, as is the first one after anything was missed.
    """

    def __init__(self, camera: Coded) -> None:
        self._camera = camera
        self._worker: WorkerProcess | None = None
        self._reader: BusReader | None = None
        self._lost = 0

    def __enter__(self) -> Self:
        self._camera.force_keyframe()
        return self

    def __exit__(self, *_: object) -> None:
        self._leave()

    @property
    def lost(self) -> int:
        """How many packets this viewer was too slow for."""
        return self._lost + (self._reader.lost if self._reader else 0)

    async def next(self, timeout_s: float) -> Packet | None:
        """The next packet; None when none came within `timeout_s`."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(timeout_s):
                while True:
                    rung = self._camera.bell  # taken before looking: a packet in between is not missed
                    if (packet := self._read()) is not None:
                        return packet
                    await rung.wait()
        return None

    def _read(self) -> Packet | None:
        worker = self._camera.worker
        if worker is not self._worker:
            self._leave()
            self._worker, self._reader = worker, worker.bus() if worker else None
        return self._reader.read() if self._reader else None

    def _leave(self) -> None:
        self._lost = self.lost
        if self._reader is not None:
            self._reader.close()
        self._worker = self._reader = None
