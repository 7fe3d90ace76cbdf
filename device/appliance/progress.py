"""Feeds systemd's watchdog only while the agent proves that it gets on: its loop, its machine of events, its ledger.

A thread or a timer that says "alive" says nothing. Here two questions go where the work goes: one through the queue of
events and the session machine, one through the ledger's thread. The answer to neither is made up.
"""

import asyncio
import contextlib
import logging
import time
from collections.abc import Awaitable, Callable
from enum import StrEnum
from typing import Final

from device.appliance.notify import Notifier
from device.errors import KioskError
from device.kiosk import Kiosk
from device.session import states as s
from device.session.journal import Journal
from device.session.ledger import Ledger

_log = logging.getLogger(__name__)

ASK_EVERY_S: Final = 2.0
STUCK_S: Final = 5.0
"""Events that wait for so long, while the disk does not, will wait for ever."""
DISK_S: Final = 120.0
"""A worn card may stall for a minute, and a restart makes it no faster: it would only take the session's screen away
(home-assistant/operating-system#4705 tells of restarts that nothing but a slow disk had caused)."""


class Verdict(StrEnum):
    """How the agent gets on."""

    WELL = "gets on"
    DISK = "waits for its disk"
    STUCK = "is stuck"


def judged(machine_s: float, ledger_s: float) -> Verdict:
    """What to make of two questions.

    Args:
        machine_s: for how long the session machine has owed an answer; 0 when it owes none.
        ledger_s: the same of the ledger's thread.
    """
    if ledger_s >= DISK_S:
        return Verdict.STUCK
    if ledger_s >= STUCK_S:
        return Verdict.DISK
    return Verdict.STUCK if machine_s >= STUCK_S else Verdict.WELL


class Question:
    """One question at a time to one part; asked anew once it was answered.

    Args:
        ask: puts the question, returns with the answer. An answer may be a `KioskError`: refusing is getting on.
    """

    def __init__(self, ask: Callable[[], Awaitable[object]]) -> None:
        self._ask = ask
        self._asked_s = 0.0
        self._task: asyncio.Task[None] | None = None
        self.answers = 0

    def waits_s(self, now_s: float) -> float:
        """Ask if nothing is asked; for how long the answer is owed."""
        if self._task is not None and self._task.done():
            self._task.result()  # a defect is not hidden
            self._task = None
            self.answers += 1
        if self._task is None:
            self._asked_s = now_s
            self._task = asyncio.ensure_future(self._put())
            return 0.0
        return now_s - self._asked_s

    def withdraw(self) -> None:
        """Wait for no answer any more."""
        if self._task is not None:
            self._task.cancel()

    async def _put(self) -> None:
        with contextlib.suppress(KioskError):
            await self._ask()


async def watch(kiosk: Kiosk, journal: Journal, notifier: Notifier) -> None:
    """Say ready after the first answers, then feed the watchdog while there are more, until cancelled."""
    machine, ledger = Question(lambda: kiosk.tell(s.Tick())), Question(lambda: journal.call(_nothing))
    before, is_ready, told = Verdict.WELL, False, ""
    try:
        while True:
            now_s = time.monotonic()
            verdict = judged(machine.waits_s(now_s), ledger.waits_s(now_s))
            if verdict is not before:
                level = logging.INFO if verdict is Verdict.WELL else logging.WARNING
                _log.log(level, "the agent %s", verdict.value)
                before = verdict
            if not is_ready and machine.answers and ledger.answers:
                is_ready = True
                notifier.ready()
            if verdict is not Verdict.STUCK:
                notifier.alive()
            words = _status(kiosk, verdict)
            if words != told:
                told = words
                notifier.status(words)
            await asyncio.sleep(ASK_EVERY_S if is_ready else ASK_EVERY_S / 20)
    finally:
        machine.withdraw()
        ledger.withdraw()
        notifier.stopping()


def _status(kiosk: Kiosk, verdict: Verdict) -> str:
    """Phase and readiness; nobody's name and no session's."""
    words = f"{kiosk.state.phase.value}, {kiosk.judgement.verdict.value}"
    return words if verdict is Verdict.WELL else f"{words}; {verdict.value}"


def _nothing(_: Ledger) -> None:
    """What the ledger's thread does when asked whether it is there."""
