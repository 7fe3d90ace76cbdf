"""Tells readers which kiosks changed, so that nobody has to refresh a page.

The ingest's thread says what changed; a ticker notices what changes by mere silence. Each reader gets sets of kiosk
ids, at most two a second, however much happens.
"""

import asyncio
from collections.abc import AsyncIterator, Collection
from typing import Final

from fleet.clock import Clock
from fleet.presence import Reach
from fleet.roll import Entry, Roll
from fleet.sights import VERDICT_LIMIT_S

EVERY_S: Final = 0.5
TICK_S: Final = 1.0


class Changes:
    """Belongs to one event loop from `run` on; `tell` may be called from any thread at any time."""

    def __init__(self) -> None:
        self._loop: asyncio.AbstractEventLoop | None = None
        self._readers: set[_Reader] = set()
        self._closed = False

    def tell(self, kiosks: Collection[str]) -> None:
        """These kiosks changed. Nobody is told who does not listen yet."""
        loop = self._loop
        if loop is None or self._closed:
            return
        told = frozenset(kiosks)
        try:
            loop.call_soon_threadsafe(self._spread, told)
        except RuntimeError:  # the loop was closed between two lines: nobody listens any more
            self._loop = None

    async def subscribe(self) -> AsyncIterator[set[str]]:
        """Sets of kiosk ids that changed, until the service stops."""
        reader = _Reader()
        self._readers.add(reader)
        try:
            while not self._closed:
                await reader.some.wait()
                if reader.changed:
                    yield reader.take()
                    await asyncio.sleep(EVERY_S)
        finally:
            self._readers.discard(reader)

    async def run(self, roll: Roll, clock: Clock) -> None:
        """Carry changes to readers, and notice silence, until cancelled."""
        self._loop = asyncio.get_running_loop()
        standing: dict[str, tuple[Reach, bool]] = {}
        while True:
            now = clock.now()
            found = {entry.id: (entry.presence.reach(now), _is_news(entry, now.mono_s)) for entry in roll.entries()}
            self._spread({kiosk for kiosk, how in found.items() if standing.get(kiosk, how) != how})
            standing = found
            await asyncio.sleep(TICK_S)

    def close(self) -> None:
        """End every subscription; called on the loop."""
        self._closed = True
        for reader in self._readers:
            reader.some.set()

    def _spread(self, kiosks: Collection[str]) -> None:
        if not kiosks:
            return
        for reader in self._readers:
            reader.changed.update(kiosks)
            reader.some.set()


class _Reader:
    def __init__(self) -> None:
        self.changed: set[str] = set()
        self.some = asyncio.Event()

    def take(self) -> set[str]:
        taken, self.changed = self.changed, set()
        self.some.clear()
        return taken


def _is_news(entry: Entry, now_s: float) -> bool:
    return entry.readiness_at is not None and now_s - entry.readiness_at.mono_s < VERDICT_LIMIT_S
