"""Tries what wire/remedies.py has for the active signals, and keeps what came of it.

When is pure (`due`); what is done is a mapping from a remedy's name to something that returns words. One that fails
says why, and that is kept as well.
"""

import asyncio
import logging
import shutil
import subprocess
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import time, timedelta
from functools import partial
from typing import Any, Final

from device.errors import KioskError, LedgerUnwritable
from device.readiness import Key
from device.session.clock import Instant, zone_of
from device.session.journal import Journal
from device.session.ledger import Ledger
from device.session.states import State
from device.session.windows import planned_end, usable
from wire.ledger import ClockTrust
from wire.remedies import REMEDIES, Remedy
from wire.signals import ActiveSignal

_log = logging.getLogger(__name__)

_LOOK_EVERY_S: Final = 1.0
_WITHIN_S: Final = 30.0
_OUTPUT: Final = 300
_KEPT: Final = 50
_KEY: Final = "remedies"
_TIMESYNC: Final = ("try-restart", "systemd-timesyncd.service")

Do = Callable[[], Awaitable[str]]


@dataclass(frozen=True, slots=True)
class Tried:
    """One try."""

    signal: str
    role: str | None
    name: str
    at: str
    mono_s: float
    ok: bool
    output: str

    @property
    def told(self) -> dict[str, Any]:
        """As it stands in the signal's evidence."""
        return {"name": self.name, "at": self.at, "ok": self.ok, "output": self.output}


def due(remedy: Remedy, active_s: float, tried_s: Sequence[float], state: State, now: Instant) -> bool:
    """Whether to try it now.

    Args:
        remedy: the data.
        active_s: for how long the signal has counted.
        tried_s: how long ago it was tried for this signal, each try.
        state: the session machine's.
        now: the kiosk's time.
    """
    if active_s < remedy.after_s or any(one < remedy.every_s for one in tried_s):
        return False
    if sum(one < 86_400 for one in tried_s) >= remedy.per_day or (state.session is not None and not remedy.in_session):
        return False
    return not _disturbs(remedy, state, now)


def _disturbs(remedy: Remedy, state: State, now: Instant) -> bool:
    held = usable(state.schedule, now)
    clear = timedelta(seconds=remedy.clear_of_bookings_s)
    if clear and held and any(one.start - clear <= now.wall < planned_end(one) for one in held.bookings):
        return True
    if remedy.quiet is None or now.trust is ClockTrust.UNSET:
        return False
    begins, ends = remedy.quiet
    return begins <= _local(state, now) < ends


def _local(state: State, now: Instant) -> time:
    return now.wall.astimezone(zone_of(state.time_zone)).time()


class Remedies:
    """Runs them, one at a time.

    Args:
        does: by a remedy's name, what is done; returns words, raises `KioskError` with words.
        journal: where the last tries are kept over restarts, for whoever looks later.
    """

    def __init__(self, does: Mapping[str, Do], journal: Journal) -> None:
        self._does, self._journal = does, journal
        self._since_ns: dict[Key, int] = {}
        self.tries: list[Tried] = []
        """In this boot, newest last."""

    def told(self) -> dict[Key, dict[str, Any]]:
        """The last try for each signal that counts, for its evidence."""
        last = {(one.signal, one.role): one.told for one in self.tries}
        return {key: told for key, told in last.items() if key in self._since_ns}

    async def run(self, signals: Callable[[], Sequence[ActiveSignal]], state: Callable[[], State],
                  now: Callable[[], Instant]) -> None:  # fmt: skip
        """Try what is due, until cancelled."""
        while True:
            await self.step(signals(), state(), now())
            await asyncio.sleep(_LOOK_EVERY_S)

    async def step(self, signals: Sequence[ActiveSignal], state: State, now: Instant) -> None:
        """Try what is due now."""
        active = {(one.id, one.role) for one in signals if one.id in REMEDIES}
        self._since_ns = {key: self._since_ns.get(key, now.mono_ns) for key in active}
        for key, since_ns in self._since_ns.items():
            remedy = REMEDIES[key[0]]
            ago = [now.mono_ns / 1e9 - one.mono_s for one in self.tries if (one.signal, one.role) == key]
            if remedy.name in self._does and due(remedy, (now.mono_ns - since_ns) / 1e9, ago, state, now):
                await self._try(remedy, key, now)

    async def _try(self, remedy: Remedy, key: Key, now: Instant) -> None:
        try:
            async with asyncio.timeout(_WITHIN_S):
                ok, output = True, await self._does[remedy.name]()
        except TimeoutError:
            ok, output = False, f"not done within {_WITHIN_S:.0f} s"
        except KioskError as error:
            ok, output = False, str(error)
        at = now.wall.isoformat(timespec="seconds")
        tried = Tried(key[0], key[1], remedy.name, at, now.mono_ns / 1e9, ok, output[:_OUTPUT])
        first = not any((one.signal, one.role) == key for one in self.tries)
        _log.log(logging.WARNING if first else logging.DEBUG, "%s: tried %s: %s", key[0], remedy.name, tried.output)
        self.tries = [*self.tries, tried][-_KEPT * 10 :]
        kept = [asdict(one) for one in self.tries[-_KEPT:]]
        try:
            await self._journal.call(partial(Ledger.keep, key=_KEY, value=kept))
        except LedgerUnwritable as error:
            _log.debug("%s; the tries are in memory only", error)  # said once where rows are written


async def synchronize() -> str:
    """Have systemd's time service ask its servers anew.

    Raises:
        KioskError: there is none here, or this user may not.
    """
    tool = shutil.which("systemctl")
    if tool is None:
        raise KioskError("there is no systemctl here to ask the time service with")
    try:
        await asyncio.to_thread(
            partial(subprocess.run, [tool, *_TIMESYNC], check=True, capture_output=True, text=True, timeout=10)
        )
    except subprocess.CalledProcessError as error:
        raise KioskError(f"the time service was not restarted: {error.stderr.strip()[:200]}") from error
    except (OSError, subprocess.SubprocessError) as error:
        raise KioskError(f"the time service was not restarted: {error}") from error
    return "the time service was asked to start anew"
