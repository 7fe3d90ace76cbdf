"""What is sent when: live rows before a long backlog, nothing beyond a window, and all again when nobody answers."""

import asyncio
import random
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from device import outbox as product
from device import pace
from device.outbox import WINDOW_ROWS, Outbox
from device.session.journal import Journal
from device.session.ledger import Ledger
from tests.device.session.facts import facts
from wire.codec import read
from wire.messages import LedgerAck, LedgerBatch


class Sent:
    """An outbox whose batches are looked at, with a fleet that answers when it is told to."""

    def __init__(self, journal: Journal) -> None:
        self.journal, self.batches = journal, list[LedgerBatch]()
        self.outbox = Outbox(journal, self._publish)

    def _publish(self, payload: bytes) -> bool:
        self.batches.append(read(LedgerBatch, payload))
        return True

    @property
    def firsts(self) -> list[int]:
        return [batch.first for batch in self.batches]

    async def until(self, true: Callable[[], bool]) -> None:
        async with asyncio.timeout(10):
            while not true():  # noqa: ASYNC110
                await asyncio.sleep(0.01)

    async def ack(self, seq: int, **also: object) -> None:
        row = await self.journal.call(lambda ledger: ledger._hash(seq))
        told = {"epoch": self.journal.epoch, "through": seq, "hash": row, **also}
        await self.outbox.take_ack(LedgerAck.model_validate(told))


def scenario(path: Path, rows: int, story: Callable[[Sent], Awaitable[None]]) -> None:
    async def run() -> None:
        ledger = Ledger.open(path)
        ledger.append(facts(rows))
        journal = Journal(ledger)
        sent = Sent(journal)
        running = asyncio.ensure_future(sent.outbox.run())
        try:
            await story(sent)
        finally:
            running.cancel()
            await asyncio.wait({running})
            await journal.close()

    asyncio.run(run())


@pytest.fixture(autouse=True)
def a_fast_line(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of which the kiosk knows from the start; how it finds that out is test_pace.py's."""
    monkeypatch.setattr(pace, "START_BYTES", product.WINDOW_BYTES)


@pytest.fixture
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(product, "SPREAD_S", 0.0)


@pytest.mark.usefixtures("at_once")
def test_a_live_row_goes_before_a_long_backlog_and_one_acknowledgement_ends_both(tmp_path: Path) -> None:
    async def story(on: Sent) -> None:
        on.outbox.link(up=True)
        await on.until(lambda: len(on.batches) == 4)
        await on.journal.append(facts(1, 9_000))
        on.outbox.written()
        await on.until(lambda: on.firsts[-1] == 3_001)
        assert on.firsts == [1, 251, 501, 751, 3_001], "a window of the backlog, then what happens now"
        while on.journal.acked < 3_000:
            await on.ack(min(3_000, on.journal.acked + 1_000))
            await on.until(lambda: sum(len(one.rows) for one in on.batches) >= min(3_001, on.journal.acked + 1_001))
        await on.ack(3_001)
        assert on.journal.acked == 3_001
        await on.journal.append(facts(1, 9_001))
        on.outbox.written()
        await on.until(lambda: on.firsts[-1] == 3_002)
        assert sorted(on.firsts) == [*range(1, 3_001, 250), 3_001, 3_002], "nothing was sent twice"

    scenario(tmp_path / "ledger.db", 3_000, story)


@pytest.mark.usefixtures("at_once")
def test_a_hole_that_the_two_lanes_make_is_not_sent_twice(tmp_path: Path) -> None:
    async def story(on: Sent) -> None:
        on.outbox.link(up=True)
        await on.until(lambda: len(on.batches) == 4)
        await on.outbox.take_ack(LedgerAck(epoch=on.journal.epoch, replay_from=1))
        await asyncio.sleep(0.1)
        assert on.firsts == [1, 251, 501, 751]

    scenario(tmp_path / "ledger.db", 3_000, story)


def test_a_campus_does_not_send_its_backlogs_at_once_and_live_rows_do_not_wait_for_that(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(random, "uniform", lambda _least, most: most)

    async def story(on: Sent) -> None:
        on.outbox.link(up=True)
        await on.journal.append(facts(1, 9_000))
        on.outbox.written()
        await on.until(lambda: on.firsts == [301])
        await asyncio.sleep(0.5)
        assert on.firsts == [301]
        await on.until(lambda: on.firsts == [301, 1, 251])

    scenario(tmp_path / "ledger.db", 300, story)


def test_a_link_that_flaps_does_not_begin_to_wait_anew(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def story(on: Sent) -> None:
        monkeypatch.setattr(random, "uniform", lambda _least, _most: 0.0)
        on.outbox.link(up=True)
        await on.until(lambda: on.firsts == [1, 251])
        monkeypatch.setattr(random, "uniform", lambda _least, _most: 1_000.0)
        on.outbox.link(up=False)
        on.outbox.link(up=True)
        await on.until(lambda: on.firsts == [1, 251, 1, 251])

    scenario(tmp_path / "ledger.db", 300, story)


def test_a_short_backlog_waits_for_nothing(tmp_path: Path) -> None:
    async def story(on: Sent) -> None:
        on.outbox.link(up=True)
        await on.until(lambda: on.firsts == [1])

    scenario(tmp_path / "ledger.db", 250, story)


@pytest.mark.usefixtures("at_once")
def test_without_an_answer_all_is_sent_again_though_rows_keep_coming(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(product, "RESEND_AFTER_S", 0.3)

    async def story(on: Sent) -> None:
        on.outbox.link(up=True)
        for second in range(100):
            await on.journal.append(facts(1, 9_000 + second))
            on.outbox.written()
            await asyncio.sleep(0.01)
        assert on.firsts.count(1) >= 3
        assert max(batch.first + len(batch.rows) for batch in on.batches) <= WINDOW_ROWS + 300

    scenario(tmp_path / "ledger.db", 10, story)


@pytest.mark.usefixtures("at_once")
def test_answers_about_other_rows_are_counted_told_once_and_change_nothing(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async def story(on: Sent) -> None:
        on.outbox.link(up=True)
        await on.until(lambda: bool(on.batches))
        for wrong in ({"hash": "0" * 64}, {"epoch": "another"}, {"through": 99}):
            await on.ack(5, **wrong)
        assert (on.outbox.answers_refused, on.journal.acked) == (3, 0)
        assert [one.levelname for one in caplog.records if one.name == "device.outbox"] == ["WARNING"]
        await on.ack(10)
        assert on.journal.acked == 10
        await on.ack(3, epoch="another")
        assert [one.levelname for one in caplog.records if one.name == "device.outbox"] == ["WARNING"] * 2

    scenario(tmp_path / "ledger.db", 10, story)


def test_a_fork_that_the_disk_refuses_is_asked_again_and_ends_nothing(tmp_path: Path) -> None:
    async def story(on: Sent) -> None:
        on.outbox.link(up=True)
        await on.until(lambda: bool(on.batches))
        await on.journal.call(lambda ledger: ledger._db.execute("pragma query_only=on"))
        before = on.journal.epoch
        await on.outbox.take_ack(LedgerAck(epoch=before, fork_at=2))
        assert on.journal.epoch == before
        await on.journal.call(lambda ledger: ledger._db.execute("pragma query_only=off"))
        await on.outbox.take_ack(LedgerAck(epoch=before, fork_at=2))
        assert on.journal.epoch != before
        await on.until(lambda: on.batches[-1].epoch == on.journal.epoch)

    scenario(tmp_path / "ledger.db", 10, story)
