"""A counted press: how soon the lamp says "heard", how soon `session.started` is durable, beside a bare fdatasync.

The real panel on mock pins, the real machine and the real ledger file; the network is down throughout. Each press
starts a session; the state is put back to idle for the next.
"""

import asyncio
import os
import time
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from gpiozero.pins.mock import MockFactory, MockPin

from device.gestures import Gesture
from device.kiosk import Kiosk
from device.panel import Panel
from device.session import states as s
from device.session.journal import Journal
from device.session.ledger import Ledger
from device.settings import Settings
from lab.bench.figures import Figure, Results, at_most, percentile
from lab.clock import LabClock

_COUNTS_NS: Final = 30_000_000
_LAMP_GOAL_MS: Final = 20.0
_OVER_BARE_MS: Final = 30.0


class _TimedPin(MockPin):  # type: ignore[misc]  # gpiozero publishes no types
    """A mock pin that remembers when its output last went high."""

    lit_ns = 0

    def _set_state(self, value: Any) -> None:
        super()._set_state(value)
        if value:
            self.lit_ns = time.monotonic_ns()


def measure(results: Results, folder: Path, presses: int) -> None:
    """Press that often, and print both figures."""
    lamp_ms, durable_ms, bare_ms = asyncio.run(_press(folder, presses))
    results.samples("press_to_lamp_ms", "ms", lamp_ms)
    results.samples("press_to_durable_ms", "ms", durable_ms)
    results.samples("bare_fdatasync_ms", "ms", bare_ms)
    bare = percentile(bare_ms, 99)
    results.add(at_most("counted press to lamp, p99", percentile(lamp_ms, 99), _LAMP_GOAL_MS, "ms", f"n={presses}"))
    results.add(Figure("bare fdatasync of 4 KiB, p99", bare, "ms"))
    goal = round(bare + _OVER_BARE_MS, 3)
    results.add(at_most("counted press to durable, p99", percentile(durable_ms, 99), goal, "ms", "bare p99 + 30 ms"))
    results.add(at_most("counted press to durable, median", percentile(durable_ms, 50), goal, "ms"))


async def _press(folder: Path, presses: int) -> tuple[list[float], list[float], list[float]]:
    loop = asyncio.get_running_loop()
    settings = Settings.model_validate(
        {
            "data_dir": folder,
            "kiosk": {"id": "bench-1", "campus": "bench"},
            "link": {"urls": ["mqtt://127.0.0.1:1"]},
            "cameras": {"idle": "closed", "overhead": {"uri": "scene:desk"}, "front": {"uri": "scene:student"}},
        }
    )
    clock = LabClock("bench", 0)
    journal = Journal(Ledger.open(folder / "ledger.db"))
    factory = MockFactory(pin_class=_TimedPin)
    arrived: asyncio.Queue[None] = asyncio.Queue()

    def hear(one: Gesture) -> None:
        loop.call_soon_threadsafe(kiosk.gesture, one, 0)

    panel = Panel(settings.panel, hear, factory)
    kiosk = Kiosk(settings, clock, journal, panel, {})
    append = journal.append

    async def timed(facts: Any) -> Any:
        rows = await append(facts)
        if any(fact.type == "session.started" for fact in facts):
            arrived.put_nowait(None)
        return rows

    journal.append = timed  # type: ignore[method-assign]  # the bench stands where the screen would
    running = asyncio.ensure_future(kiosk.run())
    kiosk.post(s.Booted("bench"))
    panel.start()
    button, lamp = factory.pin(settings.panel.button_pin), factory.pin(settings.panel.lamp_pin)
    lamp_ms, durable_ms, bare_ms = [], [], []
    with (folder / "bare").open("wb", buffering=0) as bare:
        for _ in range(presses):
            down_ns = time.monotonic_ns()
            button.drive_low()
            async with asyncio.timeout(10):
                await arrived.get()
            durable_ms.append((time.monotonic_ns() - down_ns - _COUNTS_NS) / 1e6)
            lamp_ms.append((lamp.lit_ns - down_ns - _COUNTS_NS) / 1e6)
            button.drive_high()
            bare_ms.append(await asyncio.to_thread(_bare_sync, bare.fileno()))
            await asyncio.sleep(0.05)
            kiosk.state = replace(s.State(), phase=s.Phase.IDLE)
            panel.show(panel.lamp.OFF)
    running.cancel()
    await asyncio.wait({running})
    panel.stop()
    await journal.close()
    return lamp_ms, durable_ms, bare_ms


def _bare_sync(descriptor: int) -> float:
    begun = time.monotonic_ns()
    os.write(descriptor, b"\0" * 4096)
    os.fdatasync(descriptor)
    return (time.monotonic_ns() - begun) / 1e6
