"""The ledger as a file: numbered, chained, acknowledged, forked, killed, full, damaged."""

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from device.errors import AnswerRefused, LedgerUnwritable
from device.session.ledger import BATCH_BYTES, BATCH_ROWS, Ledger
from device.session.ledger_files import epochs
from tests.device.session.facts import all_rows, fact, facts, short_session
from wire.codec import MAX_PAYLOAD_BYTES, encode, read
from wire.errors import BadPayload
from wire.ledger import verified
from wire.messages import LedgerAck, LedgerBatch
from wire.minutes import fold

# Numbers and chain


@settings(max_examples=25, deadline=None)
@given(sizes=st.lists(st.integers(0, 7), max_size=6), reopen=st.lists(st.booleans(), min_size=6, max_size=6))
def test_numbers_have_no_holes_and_hashes_follow(
    tmp_path_factory: pytest.TempPathFactory, sizes: list[int], reopen: list[bool]
) -> None:
    path = tmp_path_factory.mktemp("kiosk") / "ledger.db"
    ledger, second = Ledger.open(path), 0
    for size, again in zip(sizes, reopen, strict=False):
        rows = ledger.append(facts(size, second))
        assert [row.seq for row in rows] == list(range(second + 1, second + size + 1))
        second += size
        if again:
            ledger.close()
            ledger = Ledger.open(path)
        assert ledger.head == second
    ledger.close()
    assert len(all_rows(path)) == second


def test_a_fact_that_fits_no_type_takes_no_number(ledger: Ledger) -> None:
    ledger.append(facts(2))
    with pytest.raises(BadPayload, match=r"session\.danced"):
        ledger.append([fact(3), fact(4, "session.danced")])
    with pytest.raises(BadPayload, match="by"):
        ledger.append([fact(3), fact(4, "session.paused")])
    assert ledger.head == 2
    assert [row.seq for row in ledger.append(facts(1, 5))] == [3]
    assert [row.seq for row in ledger.rows()] == [1, 2, 3]


def test_a_row_too_long_to_be_sent_is_never_written(ledger: Ledger) -> None:
    with pytest.raises(BadPayload, match="characters"):
        ledger.append([fact(1, "link.down", reason="x" * 17_000)])
    assert ledger.head == 0


def test_a_ledger_is_one_epoch_for_life(ledger: Ledger, path: Path) -> None:
    epoch = ledger.epoch
    ledger.append(facts(3))
    ledger.close()
    again = Ledger.open(path)
    assert again.epoch == epoch
    again.close()


def test_rows_come_back_as_they_were_told(ledger: Ledger) -> None:
    rows = ledger.append(list(short_session()))
    assert ledger.rows() == rows
    assert ledger.rows(after=3, limit=1) == [rows[3]]
    assert ledger.session_rows("s-1") == rows
    assert ledger.session_rows("s-2") == []
    assert ledger.last_session() == "s-1"
    assert ledger.booked() == {"b-0900"}


def test_a_cancelled_session_was_none_for_its_booking(ledger: Ledger) -> None:
    ledger.append([next(short_session()), fact(9, "session.cancelled", reason="button.stuck")])
    assert ledger.booked() == frozenset()


def test_small_facts_and_commands_are_remembered_across_boots(ledger: Ledger, path: Path) -> None:
    ledger.keep("birth", 7)
    ledger.keep("birth", 8)
    assert ledger.first_time("command-1")
    assert not ledger.first_time("command-1")
    ledger.close()
    again = Ledger.open(path)
    assert again.kept("birth") == 8
    assert again.kept("death") is None
    assert not again.first_time("command-1")
    assert again.first_time("command-2")
    again.close()


# Batches


def test_batches_are_bounded_in_rows_and_follow_each_other(ledger: Ledger) -> None:
    ledger.append(facts(600))
    after, sizes, prev = 0, [], ledger.epoch
    while (batch := ledger.batch(after)) is not None:
        assert (batch.epoch, batch.first, batch.prev) == (ledger.epoch, after + 1, prev)
        verified(batch.prev, batch.rows, batch.first)
        assert read(LedgerBatch, encode(batch)) == batch
        after, prev = after + len(batch.rows), batch.rows[-1].hash
        sizes.append(len(batch.rows))
    assert sizes == [BATCH_ROWS, BATCH_ROWS, 100]
    assert ledger.batch(10_000) is None


@pytest.mark.parametrize("text", ["x", "ü", '"', "\\", "\x01", "😀"])
def test_batches_are_bounded_in_bytes_whatever_the_text(ledger: Ledger, text: str) -> None:
    ledger.append([fact(n, "link.down", reason=text * 2_500) for n in range(60)])
    after = 0
    while (batch := ledger.batch(after)) is not None:
        assert sum(len(row.body.encode()) for row in batch.rows) <= BATCH_BYTES
        assert len(encode(batch)) <= MAX_PAYLOAD_BYTES
        after += len(batch.rows)
    assert after == 60


# What the fleet answers


def test_an_acknowledgement_of_the_right_row_is_remembered(ledger: Ledger, path: Path) -> None:
    ledger.append(facts(5))
    ledger.take_ack(LedgerAck(epoch=ledger.epoch, through=3, hash=all_rows(path)[2].hash))
    assert ledger.acked == 3
    oldest = ledger.oldest_unacked()
    assert oldest is not None
    assert oldest.seq == 4
    assert ledger.backlog_bytes() == sum(len(row.body) for row in all_rows(path)[3:])
    ledger.close()
    again = Ledger.open(path)
    assert again.acked == 3
    again.close()


def test_an_acknowledgement_never_goes_back_but_a_replay_does(ledger: Ledger) -> None:
    ledger.append(facts(5))
    ledger.take_ack(LedgerAck(epoch=ledger.epoch, through=5))
    ledger.take_ack(LedgerAck(epoch=ledger.epoch, through=2))
    assert ledger.acked == 5
    ledger.take_ack(LedgerAck(epoch=ledger.epoch, replay_from=3))
    assert ledger.acked == 2
    ledger.take_ack(LedgerAck(epoch=ledger.epoch, replay_from=5))
    assert ledger.acked == 2


def test_answers_about_other_rows_change_nothing(ledger: Ledger) -> None:
    ledger.append(facts(5))
    epoch = ledger.epoch
    for stranger in (
        LedgerAck(epoch="another", through=5),
        LedgerAck(epoch=epoch, through=6),
        LedgerAck(epoch=epoch, through=5, hash="0" * 64),
        LedgerAck(epoch="another", fork_at=1),
        LedgerAck(epoch=epoch, fork_at=6),
        LedgerAck(epoch=epoch, fork_at=2**62),
    ):
        with pytest.raises(AnswerRefused, match="nothing is deleted"):
            ledger.take_ack(stranger)
    assert (ledger.epoch, ledger.head, ledger.acked) == (epoch, 5, 0)


def test_nothing_of_an_empty_ledger_is_acknowledged(ledger: Ledger) -> None:
    ledger.take_ack(LedgerAck(epoch=ledger.epoch, through=0, hash=ledger.epoch))
    assert ledger.acked == 0
    assert ledger.oldest_unacked() is None
    assert ledger.batch(0) is None


# Forks


@pytest.mark.parametrize("at_seq", [1, 2, 4, 5])
def test_a_fork_copies_what_the_fleet_has_not_and_changes_no_minute(path: Path, at_seq: int) -> None:
    ledger = Ledger.open(path)
    ledger.append(list(short_session()))
    before, old = fold(ledger.session_rows("s-1")), ledger.epoch
    ledger.take_ack(LedgerAck(epoch=old, fork_at=at_seq))
    assert ledger.epoch != old
    assert ledger.acked == 0
    assert [row.seq for row in ledger.rows()] == list(range(1, 5 - at_seq + 3))
    note = ledger.rows()[0]
    assert (note.type, note.session, note.data) == ("ledger.forked", None, {"epoch": old, "seq": at_seq})
    assert fold(ledger.session_rows("s-1")) == before
    assert ledger.last_session() == "s-1"
    assert ledger.booked() == {"b-0900"}
    ledger.append(facts(1, 300))
    ledger.close()
    (first, kept), (second, copies) = epochs(path)
    assert [len(verified(first, kept, 1)), len(verified(second, copies, 1))] == [5, 5 - at_seq + 3]


def test_a_fork_of_a_fork_copies_no_note_twice(ledger: Ledger) -> None:
    ledger.append(facts(3))
    ledger.fork(2)
    ledger.fork(1)
    assert [row.type for row in ledger.rows()] == ["ledger.forked", "help.asked", "help.asked"]
    assert len(ledger.session_rows("s-1")) == 3


def test_a_session_begun_before_a_fork_is_still_the_last_one(ledger: Ledger, path: Path) -> None:
    ledger.append(list(short_session())[:3])
    ledger.fork(3)
    ledger.close()
    again = Ledger.open(path)
    assert again.last_session() == "s-1"
    assert again.booked() == {"b-0900"}
    assert fold(again.session_rows("s-1")).state == "running"
    again.close()


@pytest.mark.parametrize("refuses", ["pragma query_only=on", "pragma max_page_count=1"])
def test_a_fork_that_the_disk_refuses_leaves_the_old_epoch(ledger: Ledger, refuses: str) -> None:
    ledger.append(facts(500))
    epoch = ledger.epoch
    ledger._db.execute(refuses)  # a full disk has room for the new epoch's name, and none for its rows
    with pytest.raises(LedgerUnwritable):
        ledger.fork(2)
    ledger._db.execute("pragma query_only=off")
    ledger._db.execute("pragma max_page_count=1000000")
    assert (ledger.epoch, ledger.head) == (epoch, 500)
    assert [row.seq for row in ledger.append(facts(1, 900))] == [501]
    assert len(ledger.rows()) == 501
