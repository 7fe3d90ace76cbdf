"""Brings recordings to the fleet: after the facts, oldest first, one at a time, slowly while a session runs.

Nothing is deleted here before the fleet's signed receipt of the very bytes is in hand and two things are durable: a
flag beside the file, and the row `segment.uploaded`. After a crash in between, what is left of that is done first.
"""

import asyncio
import logging
import random
import time
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import Any, Final, TypeVar

from device import receipts, revocation
from device.errors import LedgerUnwritable, ShelfError, UploadTrouble
from device.kiosk import Kiosk
from device.link import Link
from device.pace import Pace
from device.segment_budget import Kept
from device.session import states as s
from device.session.journal import Journal
from device.upload_client import UploadClient, allowed
from device.vault import Vault
from wire.codec import encode
from wire.ledger import Segment
from wire.topics import Channel
from wire.uploads import Receipt, TicketState, UploadRequest, UploadTicket

_log = logging.getLogger(__name__)

T = TypeVar("T")

LOOK_EVERY_S: Final = 2.0
TICKET_WITHIN_S: Final = 10.0
CALM_ROWS: Final = 20
"""With more rows than this unconfirmed, facts go first."""
CHUNK_BYTES: Final = 256 * 1024
"""At most; on a slow line pieces are as small as `pace.py` finds, so that rows of now hardly wait behind one."""
CHUNK_IN_SESSION_BYTES: Final = 64 * 1024
"""Two seconds at the default rate: so soon a session's state, or a destroyed file, is noticed."""
BACKOFF_CAP_S: Final = 120.0
LATER_S: Final = 3_600.0
"""A segment that the fleet refuses by itself is not asked for again sooner; the others go on."""
SOON_S: Final = 20.0
"""A segment without a row: most likely it got its name just now, and its row is on the way."""

_TELLING: Final = frozenset({"segment.sealed", "segment.recovered"})
_UPLOADED: Final = frozenset({"segment.uploaded"})
_OF_THIS_SEGMENT: Final = frozenset(
    {
        "bad-receipt",
        "consent-revoked",
        "destroyed",
        "not-this-student",
        "other-row",
        "other-hash",
        "another-kiosks",
        "too-long",
        "damaged",
        "no-row",
    }
)
"""Reasons that concern one segment and will not pass by themselves."""


@dataclass(frozen=True, slots=True)
class _Told:
    """What the ledger says of a segment: its manifest, and where that stands."""

    epoch: str
    row: int
    hash: str
    bytes: int


def retry_after_s(failures: int) -> float:
    """How long to wait after that many failures in a row (from 1): full jitter, base 2 s, cap 2 min."""
    return random.uniform(0.0, min(BACKOFF_CAP_S, 2.0 ** min(failures, 10)))  # noqa: S311  # spreads a herd


class Uploader:
    """Needs a receipt key; without one it does nothing at all.

    Args:
        kiosk: whose session decides the pace, and whose schedule says which consents are taken back.
        vault: where recordings lie.
        journal: the ledger.
        link: the connection that says who we are.
        written: told that there are new rows.
    """

    def __init__(
        self, kiosk: Kiosk, vault: Vault, journal: Journal, link: Link, written: Callable[[], None] = lambda: None
    ) -> None:
        self._kiosk, self._vault, self._journal, self._link, self._written = kiosk, vault, journal, link, written
        self._of = kiosk.settings
        text = self._of.recording.receipt_key
        self._key = receipts.receipt_key(text) if text else None
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="kiosk.upload")
        self._pace = Pace(CHUNK_BYTES)
        self._asked: tuple[str, asyncio.Future[UploadTicket]] | None = None
        self._later: dict[str, float] = {}
        self._students: dict[str, tuple[str, ...]] = {}
        self._has_finished = False
        """Whether nothing is left that has its receipt and still lies here."""
        self._failures = 0
        self._trouble: str | None = None

    async def run(self) -> None:
        """Let go what may not be kept, send what may, until cancelled; the first waits for no sending."""
        try:
            async with asyncio.TaskGroup() as both:
                both.create_task(self._again(self._let_go_revoked))
                both.create_task(self._again(self._turn))
        finally:
            self._thread.shutdown(wait=False, cancel_futures=True)

    async def _again(self, work: Callable[[], Awaitable[float]]) -> None:
        while True:
            try:
                wait_s = await work()
            except UploadTrouble as trouble:
                wait_s = self._failed(trouble.reason, str(trouble))
            except (ShelfError, LedgerUnwritable) as error:
                wait_s = self._failed("storage", str(error))
            await asyncio.sleep(wait_s)

    def take_ticket(self, ticket: UploadTicket) -> None:
        """The fleet answered; what was not asked for just now is let fall."""
        if self._asked is not None and self._asked[0] == ticket.segment and not self._asked[1].done():
            self._asked[1].set_result(ticket)

    async def _turn(self) -> float:
        """Finish what has its receipt, then send one segment; how long to wait before the next turn."""
        if self._key is None or (self._has_finished and not self._is_calm()):
            return LOOK_EVERY_S
        kept = await self._vault.on_shelf(lambda shelf: shelf.contents())
        for one in kept:
            if one.uploaded:
                await self._finish(one)
        self._has_finished = True
        now_s = time.monotonic()
        waiting = [one for one in kept if not one.uploaded and self._later.get(one.segment, 0.0) <= now_s]
        if not waiting or not self._is_calm():
            return LOOK_EVERY_S
        one = waiting[0]
        try:
            done = await self._send(one)
        except UploadTrouble as trouble:
            if trouble.reason not in _OF_THIS_SEGMENT:
                raise
            self._later[one.segment] = now_s + (SOON_S if trouble.reason == "no-row" else LATER_S)
            self._say(trouble.reason, f"segment {one.segment}: {trouble}")
            return 0.0
        if done:
            self._failures = 0
            self._say(None, "recordings can be sent again")
        return 0.0 if done else LOOK_EVERY_S

    def _is_calm(self) -> bool:
        """The fleet answers, and the facts are there: only then it is the pictures' turn."""
        return self._link.up and self._journal.head - self._journal.acked <= CALM_ROWS

    async def _send(self, one: Kept) -> bool:
        """One segment from wherever the fleet has it; False when it is not its turn any more."""
        told = await self._told(one)
        if told is None:
            return False
        ticket = await self._ticket(one, told)
        if ticket.state is TicketState.REFUSED:
            raise UploadTrouble(ticket.reason or "refused", f"the fleet refuses it: {ticket.reason}")
        receipt = ticket.receipt
        if ticket.state is TicketState.SEND:
            receipt = await self._pour(one, told, ticket)
        if receipt is None:
            return False
        assert self._key is not None
        receipts.require(receipt, self._key, self._of.kiosk.id, one.segment, told.hash, told.bytes)
        self._has_finished = False
        await self._vault.on_shelf(lambda shelf: shelf.mark_uploaded(one.segment))
        await self._finish(one)
        return True

    async def _told(self, one: Kept) -> _Told | None:
        """What the ledger says of it; None while the fleet does not hold that row yet."""
        rows = await self._journal.call(lambda ledger: ledger.telling(one.session, _TELLING))
        for epoch, row in rows:
            said = Segment.model_validate(row.data)
            if said.segment == one.segment and said.hash and said.bytes:
                if epoch == self._journal.epoch and row.seq > self._journal.acked:
                    return None
                if said.bytes != one.bytes:
                    raise UploadTrouble("damaged", f"it has {one.bytes} bytes and its row says {said.bytes}")
                return _Told(epoch, row.seq, said.hash, said.bytes)
        raise UploadTrouble("no-row", "no row of the ledger tells of it yet; at the latest the next start writes one")

    async def _ticket(self, one: Kept, told: _Told) -> UploadTicket:
        answer: asyncio.Future[UploadTicket] = asyncio.get_running_loop().create_future()
        self._asked = (one.segment, answer)
        asked = UploadRequest(segment=one.segment, bytes=told.bytes, hash=told.hash, epoch=told.epoch, row=told.row)
        if not self._link.publish(Channel.UPLOAD, encode(asked), qos=1):
            raise UploadTrouble("unreachable", "there is no link to ask for a ticket")
        try:
            async with asyncio.timeout(TICKET_WITHIN_S):
                ticket = await answer
        except TimeoutError as error:
            raise UploadTrouble("no-ticket", "the fleet does not answer a request to send a recording") from error
        finally:
            self._asked = None
        if ticket.hash != told.hash:
            raise UploadTrouble("other-row", "the fleet's ticket is for other bytes")
        return ticket

    async def _pour(self, one: Kept, told: _Told, ticket: UploadTicket) -> Receipt | None:
        """Send piece by piece; None when the link or the file went away meanwhile."""
        url = allowed(ticket.url or "", self._of.upload_hosts)
        ca = self._of.upload.ca or self._of.link.ca
        client = UploadClient(url, ticket.token or "", one.segment, ca, self._rate_bps)
        try:
            offset, receipt = await self._run(client.held)
            if offset == 0 and receipt is None:
                await self._run(partial(client.create, told.bytes))
            while receipt is None:
                if not self._is_calm():
                    return None
                most = CHUNK_IN_SESSION_BYTES if self._in_session() else CHUNK_BYTES
                size = min(most, self._pace.window_bytes)
                try:
                    data = await self._vault.on_shelf(partial(_piece, one.segment, offset, size))
                except ShelfError:
                    await self._run(client.end)  # most likely destroyed here: the fleet is to have no half of it
                    kept = await self._vault.on_shelf(lambda shelf: shelf.contents())
                    if any(other.segment == one.segment for other in kept):
                        raise
                    return None
                sent, receipt = await self._run(partial(client.send, offset, data))
                self._pace.answered(client.answered_s, len(data))
                if receipt is None and (sent != offset + len(data) or not data):
                    raise UploadTrouble("refused", f"the fleet stands at byte {sent} after one sent from {offset} on")
                offset = sent
            return receipt
        finally:
            client.stop()
            client.close()

    async def _finish(self, one: Kept) -> None:
        """Its receipt is in hand: write that down, then let our copy go."""
        rows = await self._journal.call(lambda ledger: ledger.telling(one.session, _UPLOADED | _TELLING))
        about = [row for _, row in rows if row.data.get("segment") == one.segment]
        if not any(row.type in _UPLOADED for row in about):
            said: dict[str, Any] = next((row.data for row in about), {})
            data = {"segment": one.segment, "role": one.role, "ms": said.get("ms"), "bytes": one.bytes,
                    "hash": said.get("hash")}  # fmt: skip
            await self._journal.append([s.Fact("segment.uploaded", data, one.session, self._kiosk.clock.now())])
            self._written()
        await self._vault.on_shelf(lambda shelf: shelf.destroy(one.segment))
        self._vault.look_again()

    async def _let_go_revoked(self) -> float:
        """Destroy what was recorded after a consent was taken back; often, because a camera may just have ended."""
        gaps = revocation.revoked(self._kiosk.state.schedule)
        if not gaps:
            return LOOK_EVERY_S
        kept = await self._vault.on_shelf(lambda shelf: shelf.contents())
        for session in {one.session for one in kept} - self._students.keys():
            rows = await self._journal.call(lambda ledger, session=session: ledger.session_rows(session))  # type: ignore[misc]
            begun = next((row for row in rows if row.type == "session.started"), None)
            self._students[session] = tuple(begun.data.get("students", ())) if begun else ()
        lengths = {
            one.segment: await self._vault.on_shelf(partial(_duration, one.segment))
            for one in revocation.doomed(kept, self._students, gaps, lambda _one: timedelta(days=1))
        }
        doomed = revocation.doomed(kept, self._students, gaps, lambda one: lengths.get(one.segment, timedelta(0)))
        if doomed:
            await self._vault.give_up(doomed, "consent-revoked")
        return LOOK_EVERY_S

    def _in_session(self) -> bool:
        return self._kiosk.state.session is not None

    def _rate_bps(self) -> float:
        of = self._of.upload
        return of.session_kbit_s * 1_000.0 if self._in_session() else of.idle_mbit_s * 1_000_000.0

    async def _run(self, work: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._thread, work)

    def _failed(self, reason: str, words: str) -> float:
        self._failures += 1
        self._say(reason, words)
        return retry_after_s(self._failures)

    def _say(self, reason: str | None, words: str) -> None:
        """Say once per streak what is wrong, in the log and on /api/state."""
        if reason != self._trouble:
            _log.log(logging.WARNING if reason else logging.INFO, "%s", words)
        self._trouble = self._vault.upload_trouble = reason


def _piece(segment: str, offset: int, size: int, shelf: Any) -> bytes:
    data: bytes = shelf.read(segment, offset, size)
    return data


def _duration(segment: str, shelf: Any) -> timedelta:
    return timedelta(milliseconds=shelf.scan(segment).duration_ms)
