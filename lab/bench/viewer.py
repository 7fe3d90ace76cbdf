"""What viewers that stall or leave cost a recording: nothing. The same camera is recorded without and with three.

One viewer's feed takes its first picture and never another; so does one reader of the bus; a third viewer reads along
and leaves in mid-stream. Every frame that the worker offered to its encoder must be in the segments at the end.
"""

import asyncio
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from device.cameras.recording import Event, Sealed
from device.cameras.source import CameraSpec
from device.cameras.supervisor import Camera
from device.segments import Shelf
from lab.bench.figures import Figure, Results, at_most
from lab.bench.recordings import Recordings
from lab.bench.waiting import until

_SPEC: Final = CameraSpec("front", "scene:student", 640, 480, 30.0, 2_000_000)
_FIRST_WITHIN_S: Final = 10.0


@dataclass(frozen=True, slots=True)
class _Run:
    """One recording, seen from the worker and from the disk."""

    offered: int
    """Frames that the worker gave its encoder."""
    recorded: int
    """Frames that can be decoded from the disk."""
    told_lost: int
    """Frames that the worker says were left out or lost."""


def measure(results: Results, folder: Path, seconds: float) -> None:
    """Record for so long without viewers and with them."""
    alone = asyncio.run(_record(Recordings(folder / "alone"), seconds, watched=False))
    watched = asyncio.run(_record(Recordings(folder / "watched"), seconds, watched=True))
    for name, run in (("without viewers", alone), ("with two that stall and one that leaves", watched)):
        results.add(Figure(f"frames recorded {name}", run.recorded, "", note=f"of {run.offered} in {seconds:.0f} s"))
    results.add(Figure("frames a recording lost without viewers", alone.offered - alone.recorded, ""))
    note = f"the worker itself says {watched.told_lost}"
    lost = max(watched.offered - watched.recorded, watched.told_lost)
    results.add(at_most("frames a recording lost with stalled viewers", lost, 0, "", note))


async def _record(recordings: Recordings, seconds: float, *, watched: bool) -> _Run:
    Shelf(recordings.folder)
    told: list[Event] = []
    camera = Camera(_SPEC, on_event=told.append)
    running = asyncio.ensure_future(camera.run())
    camera.record(recordings.plan)
    camera.want_coded(True)  # noqa: FBT003  # reads as a sentence
    camera.want_open(True)  # noqa: FBT003  # as above
    await until(lambda: camera.status().segment is not None)
    with ExitStack() as viewers:
        if watched:
            await _stalled(camera, viewers)
            await asyncio.gather(asyncio.sleep(seconds), _leaves(camera, seconds / 2))
        else:
            await asyncio.sleep(seconds)
        camera.want_open(False)  # noqa: FBT003  # as above
        await until(lambda: camera.status().segment is None and bool(told))
    at_the_end = camera.status()
    await camera.stop()
    await running
    look = recordings.look()
    assert not look.unreadable
    assert {one.segment for one in told if isinstance(one, Sealed)} == {one.segment for one in look.videos}
    return _Run(
        offered=at_the_end.packets + at_the_end.left_out,
        recorded=sum(one.frames for one in look.videos),
        told_lost=at_the_end.lost + at_the_end.left_out,
    )


async def _stalled(camera: Camera, viewers: ExitStack) -> None:
    """Two viewers that have seen one picture and keep their place for ever."""
    feed = viewers.enter_context(camera.packets())
    assert await feed.next(_FIRST_WITHIN_S) is not None
    assert camera.worker is not None
    reader = camera.worker.bus()
    viewers.callback(reader.close)
    assert reader.read() is not None


async def _leaves(camera: Camera, after_s: float) -> None:
    """A viewer that reads along and then is gone, without a word."""
    with camera.packets() as feed:
        until_s = asyncio.get_running_loop().time() + after_s
        while asyncio.get_running_loop().time() < until_s:
            await feed.next(1.0)
