"""A counted press to the first encoded picture of both cameras, as it lies before the agent: cameras warm, and cold.

The real panel on mock pins, the real machine and ledger, and two real workers whose scenes are paced at 30 a second. A
press counts when the pin has been down 30 ms; the ledger's row is durable before anything follows. Warm, the cameras
are open and only watched; cold, their devices are closed and their processes wait. Two small viewers, there before the
press, say when each camera's first picture can be had.
"""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

from gpiozero.pins.mock import MockFactory

from device.cameras.ladder import CameraState
from device.cameras.source import CameraSpec
from device.cameras.supervisor import Camera
from device.gestures import Gesture
from device.kiosk import Kiosk
from device.panel import Panel
from device.session import states as s
from device.session.journal import Journal
from device.session.ledger import Ledger
from device.settings import Settings
from lab.bench.figures import Results, at_most, median, percentile
from lab.bench.neighbours import Neighbours
from lab.bench.waiting import until
from lab.clock import LabClock

_WARM_GOAL_MS: Final = 300.0
_COLD_GOAL_MS: Final = 1_500.0
_COUNTS_NS: Final = 30_000_000
_REST_S: Final = 0.7
_WITHIN_S: Final = 20.0
_SPECS: Final = (
    CameraSpec("overhead", "scene:desk", 1280, 720, 30.0, 3_000_000),
    CameraSpec("front", "scene:student", 640, 480, 30.0, 2_000_000),
)


def measure(results: Results, folder: Path, presses: int) -> None:
    """Press that often with open cameras and that often with closed ones."""
    for name, idle, goal in (("warm", "watch", _WARM_GOAL_MS), ("cold", "closed", _COLD_GOAL_MS)):
        place = folder / name
        place.mkdir(parents=True)
        with Neighbours() as neighbours:
            found_ms = asyncio.run(_press(place, idle, presses))
        results.samples(f"press_to_first_pictures_{name}_ms", "ms", found_ms)
        note = f"n={presses}, median {median(found_ms):.0f} ms, worst {max(found_ms):.0f} ms; {neighbours}"
        results.add(
            at_most(f"press to both cameras' pictures, {name}, p95", percentile(found_ms, 95), goal, "ms", note)
        )


async def _press(folder: Path, idle: str, presses: int) -> list[float]:
    found_ms = []
    pins = MockFactory()
    async with _kiosk(folder, idle, pins) as (kiosk, cameras):
        button = pins.pin(kiosk.settings.panel.button_pin)
        for _ in range(presses):
            await _rest(kiosk, cameras, idle)
            async with asyncio.TaskGroup() as viewers:
                down_ns = time.monotonic_ns()
                there = [viewers.create_task(_first_ns(one, down_ns)) for one in cameras]
                await asyncio.sleep(0)
                down_ns = time.monotonic_ns()
                button.drive_low()
                await asyncio.sleep(0.1)
                button.drive_high()
            found_ms.append((max(one.result() for one in there) - down_ns - _COUNTS_NS) / 1e6)
    return found_ms


async def _first_ns(camera: Camera, since_ns: int) -> int:
    """When the first picture taken since then could be had."""
    with camera.packets() as feed:
        async with asyncio.timeout(_WITHIN_S):
            while True:
                packet = await feed.next(_WITHIN_S)
                if packet is not None and packet.captured_ns >= since_ns:
                    return time.monotonic_ns()


async def _rest(kiosk: Kiosk, cameras: list[Camera], idle: str) -> None:
    """Put the kiosk back to idle, as if no session had ever been, and wait until its cameras are as they are then."""
    while kiosk.state.phase is not s.Phase.IDLE:  # a row that is being written may bring the session back once more
        kiosk.state = s.State(phase=s.Phase.IDLE)
        kiosk.post(s.Tick())
        await asyncio.sleep(_REST_S)
    await until(lambda: all(_is_at_rest(one, idle) for one in cameras))
    await asyncio.sleep(_REST_S)
    coded = [one.status().packets for one in cameras]
    await asyncio.sleep(_REST_S)
    assert [one.status().packets for one in cameras] == coded, "pictures are encoded outside a session"


def _is_at_rest(camera: Camera, idle: str) -> bool:
    """Open and giving frames, or closed with its process waiting."""
    status = camera.status()
    if idle == "watch":
        return status.state is CameraState.OPEN
    return status.state is CameraState.CLOSED and not status.device_open and status.pid is not None


@asynccontextmanager
async def _kiosk(folder: Path, idle: str, pins: MockFactory) -> AsyncIterator[tuple[Kiosk, list[Camera]]]:
    """A kiosk without a network, as its agent puts it together."""
    settings = Settings.model_validate(
        {
            "data_dir": folder,
            "kiosk": {"id": "bench-1", "campus": "bench"},
            "link": {"urls": ["mqtt://127.0.0.1:1"]},
            "cameras": {"idle": idle, **{spec.role: {"uri": spec.uri} for spec in _SPECS}},
        }
    )
    loop = asyncio.get_running_loop()
    cameras: dict[str, Camera] = {}
    journal = Journal(Ledger.open(folder / "ledger.db"))

    def hear(one: Gesture) -> None:
        loop.call_soon_threadsafe(kiosk.gesture, one, 0)

    panel = Panel(settings.panel, hear, pins)
    kiosk = Kiosk(settings, LabClock("bench", 0), journal, panel, cameras)
    for spec in _SPECS:
        cameras[spec.role] = Camera(spec, on_change=kiosk.camera, on_step=kiosk.camera_step)
    running = [asyncio.ensure_future(work) for work in (kiosk.run(), *(one.run() for one in cameras.values()))]
    kiosk.post(s.Booted("bench"))
    panel.start()
    await until(lambda: kiosk.state.phase is s.Phase.IDLE)
    try:
        yield kiosk, list(cameras.values())
    finally:
        await asyncio.gather(*(one.stop() for one in cameras.values()))
        running[0].cancel()
        await asyncio.wait(running)
        panel.stop()
        await journal.close()
