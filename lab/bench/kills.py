"""Camera workers killed and hung while they record: how soon frames are back, and whether every segment still opens.

Two kiosks of two small cameras each, under the product's own supervision and vault, in one loop. At random moments each
worker is killed (SIGKILL) or, every fourth time, hung (SIGSTOP: it lives and does nothing, as in a hanging driver). The
kills of different cameras overlap. Afterwards every segment is opened with the fleet's key and decoded.
"""

import asyncio
import os
import random
import signal
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from device.cameras.ladder import CameraState
from device.cameras.source import ROLES, CameraSpec
from device.cameras.status import CameraStatus
from device.cameras.supervisor import Camera
from device.session import states as s
from device.settings import Settings
from device.vault import Vault
from lab.bench.figures import Figure, Results, at_most, median, percentile
from lab.bench.idle import cpu_s
from lab.bench.neighbours import Neighbours
from lab.bench.recordings import Recordings
from lab.bench.waiting import until
from lab.clock import LabClock

BACK_GOAL_S: Final = 3.0
_KIOSKS: Final = 2
_SCENES: Final = {"overhead": "scene:desk", "front": "scene:student"}


@dataclass(slots=True)
class _Kiosk:
    """Two cameras that record onto one shelf."""

    recordings: Recordings
    cameras: dict[str, Camera] = field(default_factory=dict)
    posted: list[s.Event] = field(default_factory=list)
    failed: int = 0

    def changed(self, status: CameraStatus) -> None:
        """Count a camera that was given up."""
        self.failed += status.state is CameraState.FAILED

    def lost_ms(self) -> list[float]:
        """What the ledger is told to be missing from each recording that was cut off."""
        told = [one.data for one in self.posted if isinstance(one, s.Noted) and one.type == "segment.recovered"]
        return [float(data["lost_ms"]) for data in told if data.get("lost_ms") is not None]


@dataclass(slots=True)
class _Found:
    """Seconds after each kill."""

    killed_s: list[float] = field(default_factory=list)
    """Until frames were back."""
    hung_s: list[float] = field(default_factory=list)
    recording_s: list[float] = field(default_factory=list)
    """Until the next segment was begun."""
    start_cpu_s: list[float] = field(default_factory=list)
    """What the fresh worker had used of the processor when its frames were back."""


def measure(results: Results, folder: Path, kills: int) -> None:
    """Kill or hang that many workers, and print how it went."""
    kiosks = [_Kiosk(Recordings(folder / f"kiosk-{number}")) for number in range(_KIOSKS)]
    with Neighbours() as neighbours:
        found = asyncio.run(_kill(kiosks, folder, kills))
    looks = [one.recordings.look() for one in kiosks]
    unreadable = [words for one in looks for words in one.unreadable]
    segments = sum(len(one.videos) for one in looks)
    for name, samples in (("killed", found.killed_s), ("hung", found.hung_s)):
        results.samples(f"worker_{name}_to_frames_s", "s", samples)
        note = f"of {len(samples)}, median {median(samples):.2f} s; {neighbours}"
        results.add(at_most(f"camera worker {name} to frames back, worst", max(samples), BACK_GOAL_S, "s", note))
        results.add(at_most(f"camera worker {name} to frames back, p95", percentile(samples, 95), BACK_GOAL_S, "s"))
    results.add(Figure("CPU of a fresh worker to its first frames, median", median(found.start_cpu_s), "CPU-s"))
    results.add(Figure("killed or hung to the next segment begun, p95", percentile(found.recording_s, 95), "s"))
    if lost_ms := [one for kiosk in kiosks for one in kiosk.lost_ms()]:
        note = f"as the ledger tells of {len(lost_ms)} recordings cut off"
        results.add(Figure("video lost before the kill, p95", percentile(lost_ms, 95), "ms", note=note))
    note = "; ".join(unreadable[:2]) or f"of {segments}, each decoded to its last picture"
    results.add(at_most("segments unreadable after the kills", len(unreadable), 0, "", note))
    results.add(at_most("cameras given up", sum(one.failed for one in kiosks), 0, ""))


async def _kill(kiosks: list[_Kiosk], folder: Path, kills: int) -> _Found:
    found = _Found()
    async with AsyncExitStack() as stack:
        for number, kiosk in enumerate(kiosks):
            await stack.enter_async_context(_recording(kiosk, folder / f"kiosk-{number}"))
        cameras = [one for kiosk in kiosks for one in kiosk.cameras.values()]
        async with asyncio.TaskGroup() as tasks:
            for number, camera in enumerate(cameras):
                share = kills // len(cameras) + (number < kills % len(cameras))
                tasks.create_task(_kill_one(camera, share, random.Random(number), found))
    return found


async def _kill_one(camera: Camera, kills: int, chance: random.Random, found: _Found) -> None:
    await until(lambda: camera.status().segment is not None)
    for number in range(1, kills + 1):
        await asyncio.sleep(chance.uniform(0.1, 2.5))
        before = camera.status()
        assert before.pid is not None
        hangs = number % 4 == 2
        os.kill(before.pid, signal.SIGSTOP if hangs else signal.SIGKILL)
        killed_ns = time.monotonic_ns()
        await until(lambda killed_ns=killed_ns: _gives_since(camera, killed_ns))  # type: ignore[misc]
        (found.hung_s if hangs else found.killed_s).append((time.monotonic_ns() - killed_ns) / 1e9)
        fresh = camera.status().pid
        assert fresh not in {None, before.pid}
        found.start_cpu_s.append(cpu_s(fresh or 0))
        await until(lambda before=before: camera.status().segment not in {None, before.segment})  # type: ignore[misc]
        found.recording_s.append((time.monotonic_ns() - killed_ns) / 1e9)


def _gives_since(camera: Camera, since_ns: int) -> bool:
    """Whether it is open with a frame that was taken later."""
    status = camera.status()
    age_s = status.last_frame_age_s
    return status.state is CameraState.OPEN and age_s is not None and time.monotonic_ns() - age_s * 1e9 > since_ns


@asynccontextmanager
async def _recording(kiosk: _Kiosk, folder: Path) -> AsyncIterator[None]:
    """Both cameras open, encoding and recording; closed in order at the end."""
    settings = Settings.model_validate(
        {
            "data_dir": folder,
            "kiosk": {"id": "bench-1", "campus": "bench"},
            "link": {"urls": ["mqtt://127.0.0.1:1"]},
            "cameras": {role: {"uri": _SCENES[role]} for role in ROLES},
            "recording": {"fleet_key": kiosk.recordings.key},
        }
    )
    vault = Vault(settings, LabClock("bench", 0), kiosk.cameras, kiosk.posted.append)
    for role in ROLES:
        kiosk.cameras[role] = Camera(
            CameraSpec(role, _SCENES[role], 320, 180, 15.0, 500_000),
            on_change=kiosk.changed, on_event=vault.told, on_burial=vault.buried,
        )  # fmt: skip
    running = [asyncio.ensure_future(camera.run()) for camera in kiosk.cameras.values()]
    for camera in kiosk.cameras.values():
        camera.record(kiosk.recordings.plan)
        camera.want_coded(True)  # noqa: FBT003  # reads as a sentence
        camera.want_open(True)  # noqa: FBT003  # as above
    try:
        yield
    finally:
        await asyncio.gather(*(camera.stop() for camera in kiosk.cameras.values()))
        await asyncio.gather(*running)
        await vault.recover(frozenset(), frozenset(), None)  # what the next start would do
        await vault.close()
