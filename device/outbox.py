"""Brings the ledger to the fleet: windowed, resumable; nothing is done with before the fleet says it is committed."""

import asyncio
import logging
from collections.abc import Callable
from typing import Final

from device.session.journal import Journal
from device.session.ledger import Ledger
from wire.codec import encode
from wire.messages import LedgerAck

_log = logging.getLogger(__name__)

WINDOW_ROWS: Final = 1_000
"""Rows sent and not yet confirmed; bounds memory here and at the fleet."""
RESEND_AFTER_S: Final = 5.0


class Outbox:
    """Sends what the fleet has not confirmed, oldest first, while the link is up."""

    def __init__(self, journal: Journal, publish: Callable[[bytes], bool]) -> None:
        self._journal = journal
        self._publish = publish
        self._wake = asyncio.Event()
        self._up = False
        self._sent = 0
        self._epoch = journal.epoch
        self._strangers = 0

    def link(self, *, up: bool) -> None:
        """The link came or went; what was sent and not confirmed is sent again."""
        self._up, self._sent = up, self._journal.acked
        self._wake.set()

    def written(self) -> None:
        """There are new rows."""
        self._wake.set()

    async def take_ack(self, ack: LedgerAck) -> None:
        """The fleet answered."""
        about_us = await self._journal.call(lambda ledger: ledger.take_ack(ack))
        if not about_us:
            # Another kiosk with this identity, or an answer to an epoch that is over.
            _log.log(logging.DEBUG if self._strangers else logging.WARNING, "an answer about other rows: %s", ack)
            self._strangers += 1
            return
        if ack.replay_from is not None or ack.fork_at is not None or self._epoch != self._journal.epoch:
            self._epoch, self._sent = self._journal.epoch, self._journal.acked
        self._sent = max(self._sent, self._journal.acked)
        self._wake.set()

    async def run(self) -> None:
        """Send until cancelled."""
        while True:
            acked = self._journal.acked
            await self._send_window()
            self._wake.clear()
            waiting = self._up and self._sent > self._journal.acked
            try:
                async with asyncio.timeout(RESEND_AFTER_S if waiting else None):
                    await self._wake.wait()
            except TimeoutError:
                if self._journal.acked == acked:
                    self._sent = acked  # nothing was confirmed for a while: send again from there

    async def _send_window(self) -> None:
        while self._up and self._sent - self._journal.acked < WINDOW_ROWS and self._sent < self._journal.head:
            after = self._sent
            batch = await self._journal.call(lambda ledger, after=after: Ledger.batch(ledger, after))  # type: ignore[misc]
            if batch is None or batch.epoch != self._epoch or not self._publish(encode(batch)):
                return
            if self._sent == after:
                self._sent = after + len(batch.rows)
