"""What the agent does again and again beside its events; each runs until cancelled."""

import asyncio
import contextlib
import logging
import time
from functools import partial
from typing import Final

from device import boot
from device.errors import LedgerError, LedgerUnwritable
from device.gestures import Gesture
from device.kiosk import Kiosk
from device.session import states as s
from device.session.journal import Journal
from device.session.ledger import Ledger

_log = logging.getLogger(__name__)

ALIVE_EVERY_S: Final = 2.0
JUDGE_EVERY_S: Final = 0.25
RETRY_EVERY_S: Final = 1.0
PRUNE_EVERY_S: Final = 3_600.0
STEP_MS: Final = 1_000
"""A wall clock that moves this much against the monotonic one was stepped."""


async def hand_over_gestures(kiosk: Kiosk, waiting: asyncio.Queue[Gesture]) -> None:
    """Hand over what the button said, from the moment the pins were taken on."""
    offset_ns = kiosk.clock.now().mono_ns - time.monotonic_ns()  # once: a hold is known by its press's very instant
    while True:
        kiosk.gesture(await waiting.get(), offset_ns)


async def judge(kiosk: Kiosk) -> None:
    """Judge readiness anew a few times a second: hold times run out without any event."""
    while True:
        kiosk.judge()
        await asyncio.sleep(JUDGE_EVERY_S)


async def keep_alive_instant(kiosk: Kiosk, journal: Journal) -> None:
    """In a session, keep the instant lived through, so that after a power cut the minutes end where life did."""
    while True:
        if kiosk.state.session:
            now = kiosk.clock.now()
            with contextlib.suppress(LedgerUnwritable):  # told by the row that fails next; there is always one
                await journal.call(lambda ledger, now=now: boot.remember_alive(ledger, now))  # type: ignore[misc]
        await asyncio.sleep(ALIVE_EVERY_S)


async def watch_clock(kiosk: Kiosk) -> None:
    """Notice when the wall clock is stepped against the monotonic one."""
    before = kiosk.clock.now()
    while True:
        await asyncio.sleep(1)
        now = kiosk.clock.now()
        wall_ms = (now.wall - before.wall).total_seconds() * 1_000
        step_ms = round(wall_ms - (now.mono_ns - before.mono_ns) / 1_000_000)
        if abs(step_ms) >= STEP_MS or now.trust is not before.trust:
            kiosk.post(s.ClockStepped(step_ms))
        before = now


async def retry_ledger(kiosk: Kiosk, journal: Journal) -> None:
    """While the disk refuses, try again every second what is kept in memory."""
    while True:
        await asyncio.sleep(RETRY_EVERY_S)
        if not kiosk.unwritten:
            continue
        try:
            await journal.call(Ledger.write_waiting)
        except LedgerUnwritable:
            continue  # said once when it began
        _log.info("the ledger can be written again")
        kiosk.unwritten = False
        kiosk.post(s.StorageChanged(ok=True))


async def prune_ledger(kiosk: Kiosk, journal: Journal) -> None:
    """Every hour without a session, delete what the fleet has and nobody will ask for again, in small steps."""
    while True:
        try:
            deleted = 1
            while deleted and kiosk.state.session is None:
                deleted = await journal.call(partial(Ledger.prune, now=kiosk.clock.now()))
                await asyncio.sleep(RETRY_EVERY_S)
        except LedgerError as error:
            _log.warning("%s; it is tried again in an hour", error)
        await asyncio.sleep(PRUNE_EVERY_S)
