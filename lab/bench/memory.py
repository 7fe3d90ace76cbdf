"""Whether a worker's memory grows: one camera at 1280 x 720 and 30 pictures a second, encoded and recorded for long.

Segments are removed as they come. The slope is a line through samples of the resident memory, by least squares, so that
a single high sample decides nothing; the growth over half an hour is that slope times 30 (K6 of the threat model).
"""

import asyncio
import statistics
import time
from pathlib import Path
from typing import Final

from device.cameras.recording import Event, Sealed
from device.cameras.source import CameraSpec
from device.cameras.supervisor import Camera
from device.segments import Shelf
from lab.bench.figures import Figure, Results, at_most
from lab.bench.idle import rss_mib
from lab.bench.recordings import Recordings

_SPEC: Final = CameraSpec("overhead", "scene:desk", 1280, 720, 30.0, 3_000_000)
_SAMPLE_EVERY_S: Final = 5.0
_OVER_MIN: Final = 30.0
_GOAL_MB: Final = 20.0
_KIB_PER_MIB: Final = 1024


def measure(results: Results, folder: Path, settle_s: float, seconds: float) -> None:
    """Let it settle, then watch its memory for so long."""
    at_s, memory_mib, pictures = asyncio.run(_watch(Recordings(folder), settle_s, seconds))
    results.samples("worker_memory_mib", "MiB", memory_mib)
    slope_kib_per_min = statistics.linear_regression(at_s, memory_mib).slope * 60 * _KIB_PER_MIB
    results.add(Figure("pictures it recorded meanwhile", pictures, ""))
    note = f"{len(at_s)} samples in {seconds / 60:.1f} min, from {memory_mib[0]:.1f} to {memory_mib[-1]:.1f} MiB"
    results.add(Figure("a recording worker's memory, most", max(memory_mib), "MiB", note=note))
    results.add(Figure("its slope", slope_kib_per_min, "KiB/min", note="least squares"))
    growth_mb = slope_kib_per_min * 1024 / 1e6 * _OVER_MIN
    results.add(at_most("its growth over 30 min", growth_mb, _GOAL_MB, "MB", "slope x 30 min"))


async def _watch(recordings: Recordings, settle_s: float, seconds: float) -> tuple[list[float], list[float], int]:
    """When each sample was taken, the memory then, MiB, and how many pictures were recorded in all."""
    shelf, pictures = Shelf(recordings.folder), 0

    def told(event: Event) -> None:
        nonlocal pictures
        if isinstance(event, Sealed):
            pictures += event.frames
            shelf.destroy(event.segment)

    camera = Camera(_SPEC, on_event=told)
    running = asyncio.ensure_future(camera.run())
    camera.record(recordings.plan)
    camera.want_coded(True)  # noqa: FBT003  # reads as a sentence
    camera.want_open(True)  # noqa: FBT003  # as above
    await asyncio.sleep(settle_s)
    pid = camera.status().pid
    assert pid is not None
    at_s, memory_mib = [], []
    begun_s = time.monotonic()
    while time.monotonic() - begun_s <= seconds:
        at_s.append(time.monotonic() - begun_s)
        memory_mib.append(rss_mib(pid))
        await asyncio.sleep(_SAMPLE_EVERY_S)
    assert camera.status().pid == pid, "it was another process in between"
    await camera.stop()
    await running
    return at_s, memory_mib, pictures
