"""Keeps the count of what was written to the disk, over restarts."""

import asyncio
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Final

from device.errors import LedgerUnwritable
from device.kit import kit
from device.session.journal import Journal
from device.session.ledger import Ledger
from device.wear import DISKSTATS, Wear, as_kept, counted, from_kept, kernel_boot, written_bytes

_KEEP_EVERY: Final = 40
"""Looks, of which there is one every 15 s: counting must not wear the card itself."""
_KEY: Final = "wear"


class WearCount:
    """What was written to the disk that holds `folder`."""

    def __init__(self, journal: Journal, folder: Path, diskstats: Path = DISKSTATS) -> None:
        self._journal, self._folder, self._diskstats = journal, folder, diskstats
        self._wear: Wear | None = None
        self._looks = 0

    async def look(self) -> Wear | None:
        """What is known now; None where the kernel does not count."""
        count = await asyncio.to_thread(written_bytes, self._folder, self._diskstats)
        if count is None:
            return None
        if self._wear is None:
            kept = await self._journal.call(partial(Ledger.kept, key=_KEY))
            self._wear = from_kept(kept, kit().storage.endurance_tb * 1e12)
        self._wear = counted(self._wear, kernel_boot(), count, datetime.now(UTC).date())
        if self._looks % _KEEP_EVERY == 0:
            await self._keep(self._wear)
        self._looks += 1
        return self._wear

    async def _keep(self, wear: Wear) -> None:
        try:
            await self._journal.call(partial(Ledger.keep, key=_KEY, value=as_kept(wear)))
        except LedgerUnwritable:
            self._looks = -1  # told by the row that fails next; this is tried again with the next look
