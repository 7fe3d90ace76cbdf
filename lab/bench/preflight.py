"""A look before a booking on a kiosk whose cameras are closed, from the request to its answer.

The real cameras' processes with picture checks, the real machine, ledger and judgement, at the lab's picture sizes;
the echo is answered at once. Well, it lasts as long as pictures take to be judged; with a worker that hangs, as long
as its own deadline lets it.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

from device import chores
from device.cameras.source import CameraSpec
from device.cameras.supervisor import Camera
from device.kiosk import Kiosk
from device.kit import kit
from device.preflight.looks import Looks
from device.session import states as s
from device.session.journal import Journal
from device.session.ledger import Ledger
from device.settings import Settings
from lab.bench.figures import Results, at_most, median, percentile
from lab.bench.neighbours import Neighbours
from lab.bench.waiting import until
from lab.clock import LabClock
from lab.faults import Fault, set_fault
from wire.preflight import Preflight

_GOAL_S: Final = 10.0
_HUNG_SHARE: Final = 5
_SPECS: Final = (
    CameraSpec("overhead", "scene:desk", 1280, 720, 10.0, 1_000_000),
    CameraSpec("front", "scene:student", 640, 480, 15.0, 1_000_000),
)


def measure(results: Results, folder: Path, looks: int) -> None:
    """Look that often with cameras that are well, and a fifth as often with one that hangs."""
    for name, fault, count in (("", Fault.NONE, looks), (", one worker hangs", Fault.HUNG, -(-looks // _HUNG_SHARE))):
        place = folder / fault.value
        place.mkdir(parents=True)
        with Neighbours() as neighbours:
            found = asyncio.run(_look(place, fault, count))
        took_s = [one.took_ms / 1_000 for one in found]
        results.samples(f"preflight_{fault.value}_s", "s", took_s)
        verdicts = ", ".join(sorted({one.verdict.value for one in found}))
        note = f"n={count}, said {verdicts}; {neighbours}"
        results.add(at_most(f"pre-flight{name}, median", median(took_s), _GOAL_S, "s", note))
        results.add(
            at_most(f"pre-flight{name}, p95", percentile(took_s, 95), _GOAL_S, "s", f"worst {max(took_s):.1f} s")
        )


async def _look(folder: Path, fault: Fault, count: int) -> list[Preflight]:
    found = []
    async with _kiosk(folder) as (looks, cameras):
        for _ in range(count):
            await until(lambda: all(not one.status().device_open and one.status().pid is not None for one in cameras))
            set_fault(folder / "front", fault)
            found.append(await looks.asked())
            set_fault(folder / "front", Fault.NONE)
    return found


@asynccontextmanager
async def _kiosk(folder: Path) -> AsyncIterator[tuple[Looks, list[Camera]]]:
    """A kiosk that opens no camera by itself, as its agent puts it together."""
    settings = Settings.model_validate(
        {
            "data_dir": folder,
            "kiosk": {"id": "bench-1", "campus": "bench"},
            "link": {"urls": ["mqtt://127.0.0.1:1"]},
            "cameras": {"idle": "closed", **{spec.role: {"uri": spec.uri} for spec in _SPECS}},
        }
    )
    cameras: dict[str, Camera] = {}
    journal = Journal(Ledger.open(folder / "ledger.db"))
    kiosk = Kiosk(settings, LabClock("bench", 0), journal, None, cameras)
    for spec in _SPECS:
        cameras[spec.role] = Camera(
            spec, factory="lab.faults:open_source", factory_args={"switch": str(folder / spec.role)},
            mat=kit().mat.plain, on_change=kiosk.camera, on_step=kiosk.camera_step,
        )  # fmt: skip

    async def echo(_within_s: float) -> float | None:
        return 1.0

    work = (kiosk.run(), chores.judge(kiosk), *(one.run() for one in cameras.values()))
    running = [asyncio.ensure_future(one) for one in work]
    kiosk.post(s.Booted("bench"))
    kiosk.post(s.LinkChanged(up=True))
    await until(lambda: kiosk.state.phase is s.Phase.IDLE)
    try:
        yield Looks(kiosk, journal, echo), list(cameras.values())
    finally:
        await asyncio.gather(*(one.stop() for one in cameras.values()))
        for task in running[:2]:
            task.cancel()
        await asyncio.wait(running)
        await journal.close()
