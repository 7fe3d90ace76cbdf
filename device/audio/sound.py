"""The sound worker seen from the agent: what listens, what plays (`device.chimes.Speaker`), and the process behind."""

import asyncio
import contextlib
import json
import logging
import os
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from device.audio.cards import PROC
from device.audio.level import Level
from device.audio.tones import as_pcm
from device.errors import SoundError

_log = logging.getLogger(__name__)

_LOAD_S: Final = 8.0
"""A cold Pi takes seconds to load FFmpeg."""
_OPEN_S: Final = 8.0
"""A machine that is busy with two cameras takes its time; a device that hangs takes for ever."""
_END_S: Final = 1.0


@dataclass(frozen=True, slots=True)
class Hearing:
    """Where the machine's sound devices are; the lab's are files."""

    root: Path = PROC
    environment: Mapping[str, str] = field(default_factory=dict)
    """What the worker gets beside the agent's own, such as ALSA_CONFIG_PATH."""


class SoundWorker:
    """Starts the process when it is first needed, and a new one when it died or hung."""

    def __init__(self, hearing: Hearing) -> None:
        self._hearing = hearing
        self._process: asyncio.subprocess.Process | None = None
        self._waiting: dict[int, asyncio.Future[dict[str, Any]]] = {}
        self._reading: asyncio.Task[None] | None = None
        self._n = 0
        self._is_warm = False

    async def listen(self, pcm: str, seconds: float) -> list[Level]:
        """How loud each second was; raises `SoundError` when the device cannot be had."""
        told = await self._ask({"do": "listen", "pcm": pcm, "seconds": seconds}, b"", seconds)
        return [Level(*one) for one in told["levels"]]

    async def play(self, pcm: str, samples: Sequence[float], rate_hz: int) -> None:
        """Play them to their end; raises `SoundError`."""
        sound = as_pcm(samples)
        await self._ask(
            {"do": "play", "pcm": pcm, "rate_hz": rate_hz, "bytes": len(sound)}, sound, len(samples) / rate_hz
        )

    async def close(self) -> None:
        """End the process."""
        process, self._process = self._process, None
        reading, self._reading = self._reading, None
        if reading is not None:
            reading.cancel()
        if process is None:
            return
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_END_S):
                await process.wait()
        self._fail("it was ended")

    async def _ask(self, request: dict[str, Any], samples: bytes, lasts_s: float) -> dict[str, Any]:
        within_s = lasts_s + _OPEN_S + (0.0 if self._is_warm else _LOAD_S)
        self._n += 1
        number = self._n
        coming: asyncio.Future[dict[str, Any]] = asyncio.get_running_loop().create_future()
        try:
            process = await self._running()
            self._waiting[number] = coming
            assert process.stdin is not None
            process.stdin.write(json.dumps({**request, "id": number}).encode() + b"\n" + samples)
            await process.stdin.drain()
            async with asyncio.timeout(within_s):
                told = await coming
        except TimeoutError as error:
            await self.close()  # a driver that hangs lets go with its process
            raise SoundError(f"the sound device did not answer within {within_s:.0f} s") from error
        except OSError as error:
            await self.close()
            raise SoundError(f"the sound worker cannot be used: {error}") from error
        finally:
            self._waiting.pop(number, None)
        if "error" in told:
            raise SoundError(told["error"])
        return told

    async def _running(self) -> asyncio.subprocess.Process:
        if self._process is None or self._process.returncode is not None:
            self._is_warm = False
            self._process = await asyncio.create_subprocess_exec(
                sys.executable, "-P", "-m", "device.audio.worker",
                stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.DEVNULL,
                env={**os.environ, **self._hearing.environment},
            )  # fmt: skip
            self._reading = asyncio.create_task(self._read(self._process), name="kiosk.sound.read")
        return self._process

    async def _read(self, process: asyncio.subprocess.Process) -> None:
        assert process.stdout is not None
        while line := await process.stdout.readline():
            told = json.loads(line)
            self._is_warm = True
            coming = self._waiting.get(told["id"])
            if coming is not None and not coming.done():
                coming.set_result(told)
        if self._process is process:
            self._process = None  # the next request starts another
        self._fail("its process ended")

    def _fail(self, why: str) -> None:
        for coming in self._waiting.values():
            if not coming.done():
                coming.set_result({"error": why})


class WorkerSpeaker:
    """The kiosk's loudspeaker.

    Args:
        worker: what plays.
        pcm: which device to play to now; None while there is none.
    """

    def __init__(self, worker: SoundWorker, pcm: Callable[[], str | None]) -> None:
        self._worker, self._pcm = worker, pcm
        self._playing: asyncio.Task[None] | None = None

    def play(self, samples: Sequence[float], rate_hz: int) -> None:
        """See `chimes.Speaker.play`; what cannot be played is logged, and each tone is also in words."""
        pcm = self._pcm()
        if pcm is None or (self._playing is not None and not self._playing.done()):
            return
        self._playing = asyncio.get_running_loop().create_task(self._play(pcm, samples, rate_hz), name="kiosk.tone")

    async def _play(self, pcm: str, samples: Sequence[float], rate_hz: int) -> None:
        try:
            await self._worker.play(pcm, samples, rate_hz)
        except SoundError as error:
            _log.warning("a tone could not be played: %s", error)
