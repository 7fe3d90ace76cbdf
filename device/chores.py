"""What the agent does again and again beside its events; each runs until cancelled."""

import asyncio
import contextlib
import logging
import time
from datetime import timedelta
from functools import partial
from typing import Final

from device import boot
from device.errors import LedgerError, LedgerUnwritable
from device.gestures import Gesture
from device.kiosk import Kiosk
from device.session import states as s
from device.session.clock import NS_PER_S
from device.session.journal import Journal
from device.session.ledger import Ledger
from device.session.sleep import NAP_NS
from device.session.trust import Opinion
from wire.ledger import ClockTrust

_log = logging.getLogger(__name__)

ALIVE_EVERY_S: Final = 2.0
JUDGE_EVERY_S: Final = 0.25
RETRY_EVERY_S: Final = 1.0
WAIT_FOR_TIME_NS: Final = 30 * NS_PER_S
"""So long a session that was cut off waits for a true clock; longer, an aide would press again."""
PRUNE_EVERY_S: Final = 3_600.0
PROVE_EVERY_S: Final = 45.0
"""A refusal is to be seen within a minute."""
STEP_MS: Final = 1_000
"""A wall clock that moves this much against the monotonic one was stepped."""


async def hand_over_gestures(kiosk: Kiosk, waiting: asyncio.Queue[Gesture]) -> None:
    """Hand over what the button said, from the moment the pins were taken on."""
    offset_ns, slept_ns = _offset(kiosk)
    while True:
        gesture = await waiting.get()
        # Not anew each time: a hold is known by its press's very instant. A suspended machine moves the two apart.
        if kiosk.clock.now().slept_ns - slept_ns >= NAP_NS:
            offset_ns, slept_ns = _offset(kiosk)
        kiosk.gesture(gesture, offset_ns)


def _offset(kiosk: Kiosk) -> tuple[int, int]:
    now = kiosk.clock.now()
    return now.mono_ns - time.monotonic_ns(), now.slept_ns


async def say_booted(kiosk: Kiosk, booted: s.Booted) -> None:
    """Let the machine begin; with a session to resume, once it can be known how long the kiosk was away.

    A Pi without a battery wakes up with the time it had; with a network the true one comes within seconds. A press
    meanwhile counts (`session/limits.py`, BOOT_PRESS_NS).
    """
    began = kiosk.clock.now()
    found = booted.open
    if found is not None and found.last.boot != began.boot and found.last.trust is not ClockTrust.UNSET:
        while (now := kiosk.clock.now()).trust is ClockTrust.UNSET and now.mono_ns - began.mono_ns < WAIT_FOR_TIME_NS:
            await kiosk.changed(JUDGE_EVERY_S)
    kiosk.post(booted)


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
    """Notice when the wall clock is stepped, or the time is known by something else, or a clock is not believed."""
    before, told = kiosk.clock.now(), kiosk.clock.opinion
    if told.refused:
        kiosk.post(clock_row(0, told))
    while True:
        await asyncio.sleep(1)
        now, opinion = kiosk.clock.now(), kiosk.clock.opinion
        if now.slept_ns - before.slept_ns >= NAP_NS:
            kiosk.post(s.Tick())  # whatever happens first is told of the sleep; here it is told at once
        wall_ms = (now.wall - before.wall).total_seconds() * 1_000
        step_ms = round(wall_ms - (now.mono_ns - before.mono_ns) / 1_000_000)
        if abs(step_ms) >= STEP_MS or _by(opinion) != _by(told):
            _log.log(*clock_said(opinion))
            kiosk.post(clock_row(step_ms, opinion))
        before, told = now, opinion


def _by(opinion: Opinion) -> tuple[str, str, str | None]:
    return opinion.trust, opinion.source, opinion.refused


def clock_row(step_ms: int, opinion: Opinion) -> s.ClockStepped:
    """What the ledger is told of a step, or of another opinion."""
    if opinion.refused is None:
        return s.ClockStepped(step_ms, opinion.source.value)
    beside_ms = opinion.beside // timedelta(milliseconds=1)
    return s.ClockStepped(step_ms, opinion.source.value, opinion.refused.value, beside_ms)


def clock_said(opinion: Opinion) -> tuple[int, str, str, str, str]:
    """Level, form and words for the log."""
    if opinion.refused is None:
        return logging.INFO, "clock: %s by %s%s", opinion.trust.value, opinion.source.value, ""
    why = f"; the machine's clock ({opinion.refused.value}, {opinion.beside} ahead) is not believed: check NTP"
    return logging.WARNING, "clock: %s by %s%s", opinion.trust.value, opinion.source.value, why


async def retry_ledger(kiosk: Kiosk, journal: Journal) -> None:
    """While the disk refuses, try again every second what is kept in memory."""
    while True:
        await asyncio.sleep(RETRY_EVERY_S)
        if not kiosk.unwritten:
            continue
        try:
            await journal.call(Ledger.write_waiting)
            await journal.call(partial(boot.prove_writable, at=kiosk.clock.now()))
        except LedgerUnwritable:
            continue  # said once when it began
        _log.info("the ledger can be written again")
        kiosk.unwritten = False
        kiosk.post(s.StorageChanged(ok=True))


async def prove_storage(kiosk: Kiosk, journal: Journal) -> None:
    """Outside sessions, when nothing else is written, see every 45 s whether the disk still takes anything."""
    while True:
        if kiosk.state.session is None and not kiosk.unwritten:
            try:
                await journal.call(partial(boot.prove_writable, at=kiosk.clock.now()))
            except LedgerUnwritable as error:
                kiosk.refuse_writes(error)
        await asyncio.sleep(PROVE_EVERY_S)


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
