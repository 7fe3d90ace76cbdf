"""Brings the ledger to the fleet: windowed, resumable; nothing is done with before the fleet says it is committed.

After a long outage there are two lanes: what happens now goes at once, and the backlog follows, oldest first and as
fast as its answers come (`pace.py`). The fleet keeps rows in any order and acknowledges once no hole is left.
"""

import asyncio
import logging
import random
from collections.abc import Callable
from typing import Final

from device.errors import AnswerRefused, LedgerError
from device.pace import Flight
from device.session.journal import Journal
from device.session.ledger import BATCH_BYTES, BATCH_ROWS
from wire.codec import encode
from wire.messages import LedgerAck

_log = logging.getLogger(__name__)

WINDOW_ROWS: Final = 1_000
"""Rows sent and not yet confirmed, at most; bounds memory here and at the fleet."""
WINDOW_BYTES: Final = 512 * 1024
"""As above. On a slow line far less is under way."""
LIVE_WINDOW_ROWS: Final = 20_000
"""Of rows sent beside a backlog, whose own arrival nobody confirms before it; the fleet stores them as they come."""
RESEND_AFTER_S: Final = 5.0
RESEND_CAP_S: Final = 60.0
"""A fleet that answers echoes and no rows is busy, and all rows once more would not help it."""
SPREAD_S: Final = 60.0
"""A campus's backlogs begin within this time of an outage's end, short ones sooner."""
OUTAGE_S: Final = 20.0
"""A link away for less is its kiosk's own trouble: the backlog goes on, else that of one that flaps would never end."""
_SPREAD_PER_BATCH_S: Final = 1.0


class Outbox:
    """Sends what the fleet has not confirmed while the link is up."""

    def __init__(self, journal: Journal, publish: Callable[[bytes], bool]) -> None:
        self._journal = journal
        self._publish = publish
        self._wake = asyncio.Event()
        self._up = False
        self._epoch = journal.epoch
        self._turn = self._sent = self._sent_most = self._live_from = self._live_sent = 0
        self._flight = Flight(WINDOW_BYTES)
        self._resends = 0
        self._begin(0)
        self._moved_at = self._backlog_at = 0.0
        self._down_at = float("-inf")
        self._answers_in_streak = 0
        self.answers_refused = 0
        """Answers of the fleet that were about other rows than these, since this agent came up."""

    def link(self, *, up: bool) -> None:
        """The link came or went; what was sent and not confirmed is sent again."""
        now = asyncio.get_running_loop().time()
        if self._up and not up:
            self._down_at = now
        self._up = up
        backlog = self._journal.head - self._journal.acked
        if up:
            self._flight, self._resends = Flight(WINDOW_BYTES), 0
            # Beside a backlog, what happens while the link is away for a moment is still of now.
            goes_on = self._live_from if now - self._down_at < OUTAGE_S else 0
            self._begin((goes_on or self._journal.head) if backlog > BATCH_ROWS else 0)
        if up and self._live_from and now - self._down_at >= OUTAGE_S:
            wait_s = min(SPREAD_S, backlog / BATCH_ROWS * _SPREAD_PER_BATCH_S)
            self._backlog_at = now + random.uniform(0.0, wait_s)  # noqa: S311  # spreads a herd, keeps no secret
        self._moved_at = now
        self._wake.set()

    def written(self) -> None:
        """There are new rows."""
        self._wake.set()

    async def take_ack(self, ack: LedgerAck) -> None:
        """The fleet answered."""
        acked, sent = self._journal.acked, self._sent_most
        try:
            await self._journal.call(lambda ledger: ledger.take_ack(ack, sent))
        except AnswerRefused as refused:
            _log.log(logging.DEBUG if self._answers_in_streak else logging.WARNING, "refused: %s", refused)
            self._answers_in_streak += 1
            self.answers_refused += 1
        except LedgerError as error:
            _log.warning("the fleet's answer cannot be followed now, it will ask again: %s", error)
            return
        else:
            self._answers_in_streak = 0
        if self._epoch != self._journal.epoch:
            self._epoch, self._sent_most = self._journal.epoch, 0
            self._begin(0)
        elif self._journal.acked < acked:
            self._begin(0)  # a replay
        elif ack.replay_from is not None and not self._live_from:
            self._begin(0)  # something was lost on the way; with two lanes a hole is no news
        if self._journal.acked != acked:
            self._moved_at, self._resends = self._now(), 0
            self._flight.answered(self._journal.acked, self._moved_at)
        self._wake.set()

    async def run(self) -> None:
        """Send until cancelled."""
        while True:
            self._wake.clear()
            self._merge()
            if self._live_from:
                turn, sent = self._turn, await self._send_live(self._live_sent)
                self._live_sent = sent if turn == self._turn else self._live_sent
            if self._now() >= self._backlog_at:
                until = self._live_from or self._journal.head
                turn, sent = self._turn, await self._send(self._sent, until)
                self._sent = sent if turn == self._turn else self._sent
            try:
                async with asyncio.timeout(self._rest_s()):
                    await self._wake.wait()
            except TimeoutError:
                if self._waits_for_answer and self._now() - self._moved_at >= self._resend_after_s:
                    # Nothing was confirmed for a while: all from there again.
                    self._sent, self._live_sent, self._moved_at = self._journal.acked, self._live_from, self._now()
                    self._resends += 1
                    self._flight.unanswered()

    def _begin(self, live_from: int) -> None:
        """Send again from what is confirmed; with `live_from`, what comes after that row goes first."""
        self._turn += 1
        self._sent = self._journal.acked
        self._live_from = self._live_sent = live_from
        self._flight.forget()

    def _merge(self) -> None:
        """Once the backlog is confirmed there is one lane."""
        self._sent = max(self._sent, self._journal.acked)
        if self._live_from and self._journal.acked >= self._live_from:
            self._sent = max(self._live_sent, self._journal.acked)
            self._live_from = self._live_sent = 0

    @property
    def _waits_for_answer(self) -> bool:
        return self._up and (self._sent > self._journal.acked or self._live_sent > self._live_from)

    @property
    def _resend_after_s(self) -> float:
        return float(min(RESEND_CAP_S, RESEND_AFTER_S * 2**self._resends))

    def _rest_s(self) -> float | None:
        now = self._now()
        rests = [self._moved_at + self._resend_after_s - now] if self._waits_for_answer else []
        if self._up and self._backlog_at > now:
            rests.append(self._backlog_at - now)
        return max(0.0, min(rests)) if rests else None

    async def _send_live(self, after: int) -> int:
        """Send what happened beside a backlog, after seq `after`; the last seq sent."""
        while self._up and after - self._live_from < LIVE_WINDOW_ROWS and after < self._journal.head:
            sent = await self._publish_rows(after, BATCH_BYTES)
            if sent is None:
                break
            after = sent[0]
        return after

    async def _send(self, after: int, until: int) -> int:
        """Send from `after` on, as far as the window allows; the last seq sent."""
        turn = self._turn
        while self._up and after - self._journal.acked < WINDOW_ROWS and after < until:
            most_bytes = min(BATCH_BYTES, self._flight.next_bytes)
            sent = await self._publish_rows(after, most_bytes) if most_bytes else None
            if sent is None or turn != self._turn:
                break
            after, size_bytes = sent
            self._flight.sent(after, size_bytes, self._now())
            if self._live_from and self._wake.is_set():
                break  # what happened meanwhile goes first
        return after

    async def _publish_rows(self, after: int, most_bytes: int) -> tuple[int, int] | None:
        """Send one batch; its last seq and its bytes, or None when nothing was sent."""
        batch = await self._journal.call(lambda ledger: ledger.batch(after, most_bytes))
        payload = encode(batch) if batch is not None and batch.epoch == self._epoch else b""
        if batch is None or not payload or not self._publish(payload):
            return None
        if not self._waits_for_answer:
            self._moved_at = self._now()
        last = after + len(batch.rows)
        self._sent_most = max(self._sent_most, last)
        return last, len(payload)

    def _now(self) -> float:
        return asyncio.get_running_loop().time()
