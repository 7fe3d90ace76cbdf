"""Many ask at once, one thread writes: everyone gets back what is theirs, in order."""

import asyncio
from pathlib import Path

import pytest

from device.errors import LedgerUnwritable
from device.session.journal import Journal
from device.session.ledger import Ledger
from device.session.ledger_files import epochs
from tests.device.session.facts import all_rows, fact, facts
from wire.errors import BadPayload


def test_rows_that_arrive_together_share_transactions_and_return_to_their_callers(path: Path) -> None:
    async def many() -> int:
        journal = Journal(Ledger.open(path))
        statements: list[str] = []
        await journal.call(lambda ledger: ledger._db.conn.set_trace_callback(statements.append))
        asked = [facts(1 + n % 3, n * 10) for n in range(100)]
        answers = await asyncio.gather(*(journal.append(some) for some in asked))
        for some, rows in zip(asked, answers, strict=True):
            assert [row.mono_ns for row in rows] == [one.at.mono_ns for one in some]
        seqs = [row.seq for rows in answers for row in rows]
        assert seqs == list(range(1, len(seqs) + 1))
        assert (journal.head, journal.acked) == (len(seqs), 0)
        await journal.close()
        return statements.count("COMMIT")

    assert asyncio.run(many()) < 10
    assert len(all_rows(path)) == 199


def test_a_row_is_on_disk_when_its_append_returns(path: Path) -> None:
    async def one() -> None:
        journal = Journal(Ledger.open(path))
        await journal.append(facts(1))
        ((epoch, rows),) = epochs(path)
        assert (epoch, len(rows)) == (journal.epoch, 1)
        await journal.close()

    asyncio.run(one())


def test_a_bad_fact_fails_its_caller_alone(path: Path) -> None:
    async def several() -> None:
        journal = Journal(Ledger.open(path))
        good, bad, more = await asyncio.gather(
            journal.append(facts(1)),
            journal.append([fact(1, "session.danced")]),
            journal.append(facts(1, 2)),
            return_exceptions=True,
        )
        assert isinstance(bad, BadPayload)
        assert isinstance(good, list)
        assert isinstance(more, list)
        assert [good[0].seq, more[0].seq] == [1, 2]
        await journal.close()

    asyncio.run(several())


def test_a_caller_that_gives_up_loses_no_row(path: Path) -> None:
    async def gives_up() -> None:
        journal = Journal(Ledger.open(path))
        task = asyncio.ensure_future(journal.append(facts(1)))
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        rows = await journal.append(facts(1, 1))
        assert rows[0].seq == 2
        await journal.close()

    asyncio.run(gives_up())
    assert len(all_rows(path)) == 2


def test_while_the_disk_refuses_all_are_told_and_all_is_written_later(path: Path) -> None:
    async def refused() -> None:
        journal = Journal(Ledger.open(path))
        await journal.call(lambda ledger: ledger._db.execute("pragma query_only=on"))
        told = await asyncio.gather(*(journal.append(facts(1, n)) for n in range(3)), return_exceptions=True)
        assert all(isinstance(one, LedgerUnwritable) for one in told)
        assert journal.head == 3
        await journal.call(lambda ledger: ledger._db.execute("pragma query_only=off"))
        rows = await journal.append(facts(1, 9))
        assert rows[0].seq == 4
        await journal.close()

    asyncio.run(refused())
    assert len(all_rows(path)) == 4


def test_closing_writes_what_the_disk_refused_before(path: Path) -> None:
    async def close() -> None:
        journal = Journal(Ledger.open(path))
        await journal.call(lambda ledger: ledger._db.execute("pragma query_only=on"))
        with pytest.raises(LedgerUnwritable):
            await journal.append(facts(2))
        await journal.call(lambda ledger: ledger._db.execute("pragma query_only=off"))
        await journal.close()

    asyncio.run(close())
    assert len(all_rows(path)) == 2


def test_closing_on_a_disk_that_still_refuses_says_what_is_lost(path: Path, caplog: pytest.LogCaptureFixture) -> None:
    async def close() -> None:
        journal = Journal(Ledger.open(path))
        await journal.call(lambda ledger: ledger._db.execute("pragma query_only=on"))
        with pytest.raises(LedgerUnwritable):
            await journal.append(facts(2))
        await journal.close()

    asyncio.run(close())
    assert "lost" in caplog.text
