"""The ledger for asyncio: one thread writes; rows that arrive while the disk is busy share the next transaction."""

import asyncio
import logging
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import TypeVar

from device.errors import LedgerError
from device.session.ledger import Ledger, as_row
from device.session.states import Fact
from wire.ledger import Row

_log = logging.getLogger(__name__)

T = TypeVar("T")


class Journal:
    """Everything that touches the ledger file passes through this object's one thread."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="kiosk.ledger")
        self._waiting: list[tuple[Sequence[Fact], asyncio.Future[list[Row]]]] = []
        self._writing: asyncio.Future[None] | None = None

    @property
    def epoch(self) -> str:
        """The current epoch."""
        return self._ledger.epoch

    @property
    def head(self) -> int:
        """The last seq given out."""
        return self._ledger.head

    @property
    def acked(self) -> int:
        """The seq through which the fleet has committed."""
        return self._ledger.acked

    async def append(self, facts: Sequence[Fact]) -> list[Row]:
        """Write `facts`; durable on return.

        Raises:
            BadPayload: a fact that fits no type, or is too long; none of `facts` is kept.
            LedgerUnwritable: they are in memory only.
        """
        for fact in facts:
            as_row(fact, 1)  # what is wrong with these is told to their caller, not to all who share the transaction
        loop = asyncio.get_running_loop()
        future: asyncio.Future[list[Row]] = loop.create_future()
        self._waiting.append((facts, future))
        if self._writing is None or self._writing.done():
            self._writing = asyncio.ensure_future(self._write())
        return await asyncio.shield(future)

    async def call(self, work: Callable[[Ledger], T]) -> T:
        """Run `work` on the ledger in its own thread."""
        return await asyncio.get_running_loop().run_in_executor(self._thread, work, self._ledger)

    async def close(self) -> None:
        """Write what waits, what the disk refused before too, then close the file."""
        if self._writing is not None:
            await self._writing
        try:
            await self.call(Ledger.write_waiting)
        except LedgerError as error:
            _log.error("%s; what happened since it refused is lost with this agent", error)
        await self.call(Ledger.close)
        self._thread.shutdown(wait=True)

    async def _write(self) -> None:
        while self._waiting:
            batch, self._waiting = self._waiting, []
            facts = [fact for some, _ in batch for fact in some]
            try:
                rows = await self.call(partial(_append, facts=facts))
            except Exception as error:  # noqa: BLE001  # passed on to each who waits for these rows
                for _, future in batch:
                    future.set_exception(error)
                continue
            for some, future in batch:
                future.set_result(rows[: len(some)])
                rows = rows[len(some) :]


def _append(ledger: Ledger, facts: list[Fact]) -> list[Row]:
    return ledger.append(facts)
