"""Answers of the fleet that cannot be true of these rows: refused with words, nothing deleted, nothing moved."""

from datetime import timedelta
from pathlib import Path

import pytest

from device.errors import AnswerRefused, LedgerUnwritable
from device.session.clock import Instant
from device.session.ledger import Ledger
from device.session.ledger_files import look
from tests.device.session.facts import fact, facts, instant, short_session
from wire.ledger import ClockTrust
from wire.messages import LedgerAck

_LATER = Instant(10**9, instant().wall + timedelta(days=31), "boot-9", ClockTrust.SYNCED)


def ack(ledger: Ledger, seq: int) -> LedgerAck:
    return LedgerAck(epoch=ledger.epoch, through=seq, hash=ledger._hash(seq))


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        ({"epoch": "another", "through": 5}, "epoch another"),
        ({"through": 6}, "the last row is 5"),
        ({"through": 5, "hash": "0" * 64}, "another hash"),
        ({"through": 5}, "sent through 4"),
        ({"fork_at": 6}, "a fork at row 6"),
        ({"replay_from": 7}, "a replay from row 7"),
        ({"through": 3, "replay_from": 1}, "2 things"),
        ({}, "0 things"),
    ],
)
def test_an_answer_about_other_rows_is_refused(ledger: Ledger, answer: dict[str, object], words: str) -> None:
    ledger.append(facts(5))
    before = ledger.epoch, ledger.head, ledger.acked, ledger.rows()
    with pytest.raises(AnswerRefused, match=words):
        ledger.take_ack(LedgerAck.model_validate({"epoch": ledger.epoch, **answer}), sent=4)
    assert (ledger.epoch, ledger.head, ledger.acked, ledger.rows()) == before


def test_what_a_life_before_this_one_sent_is_acknowledged_with_the_rows_hash(ledger: Ledger) -> None:
    ledger.append(facts(5))
    ledger.take_ack(ack(ledger, 5), sent=0)
    assert ledger.acked == 5


def test_a_row_that_is_in_memory_only_cannot_be_acknowledged(ledger: Ledger) -> None:
    ledger.append(facts(2))
    ledger._db.execute("pragma query_only=on")
    with pytest.raises(LedgerUnwritable):
        ledger.append(facts(1, 2))
    assert (ledger.head, ledger.durable) == (3, 2)
    with pytest.raises(AnswerRefused, match="the last row is 2"):
        ledger.take_ack(LedgerAck(epoch=ledger.epoch, through=3))
    ledger._db.execute("pragma query_only=off")
    ledger.write_waiting()
    assert ledger.durable == 3


# Pruning


def test_only_what_the_fleet_has_and_is_thirty_days_old_is_deleted(ledger: Ledger, path: Path) -> None:
    ledger.append(facts(10))
    assert ledger.prune(_LATER) == 0, "nothing was acknowledged"
    ledger.take_ack(ack(ledger, 6))
    assert ledger.prune(Instant(0, instant().wall + timedelta(days=29), "b", ClockTrust.SYNCED)) == 0
    assert ledger.prune(Instant(0, _LATER.wall, "b", ClockTrust.HELD)) == 0, "a clock nobody vouches for"
    assert ledger.prune(_LATER) == 6
    assert [row.seq for row in ledger.rows()] == [7, 8, 9, 10]
    ledger.append(facts(1, 10))
    ledger.close()
    (found,) = look(path)
    assert (found.pruned, len(found.rows), found.damage) == (6, 5, None)
    again = Ledger.open(path)
    assert (again.head, again.acked) == (11, 6)
    batch = again.batch(6)
    assert batch is not None
    assert (batch.first, len(batch.rows)) == (7, 5)
    again.take_ack(ack(again, 11))
    assert again.prune(_LATER) == 5
    assert again.rows() == []
    assert again.append(facts(1, 20))[0].seq == 12
    again.close()
    assert Ledger.open(path).head == 12


def test_rows_dated_1970_are_as_old_as_the_next_row_with_a_true_date(ledger: Ledger) -> None:
    early = Instant(5, instant().wall.replace(year=1970), "boot-1", ClockTrust.UNSET)
    unset = [fact(1), *(fact(0) for _ in range(2))]
    ledger.append([unset[0].__class__(one.type, one.data, one.session, early) for one in unset])
    ledger.take_ack(ack(ledger, 3))
    assert ledger.prune(_LATER) == 0
    ledger.append(facts(1))
    ledger.take_ack(ack(ledger, 4))
    assert ledger.prune(_LATER) == 4


def test_what_the_kiosk_still_needs_is_not_pruned(ledger: Ledger) -> None:
    ledger.append(facts(3))
    ledger.append([fact(3, "segment.sealed", None, segment="seg-1", role="front")])
    ledger.append(facts(2, 4))
    ledger.append(list(short_session("s-9")))
    ledger.take_ack(ack(ledger, ledger.head))
    assert ledger.prune(_LATER) == 3, "the segment lies on the disk"
    ledger.append([fact(300, "segment.destroyed", None, segment="seg-1", role="front")])
    assert ledger.prune(_LATER) == 3, "then to the last session"
    assert ledger.last_session() == "s-9"
    assert len(ledger.session_rows("s-9")) == 5


def test_a_replay_from_before_what_is_kept_is_refused_and_the_rest_goes_again(ledger: Ledger, path: Path) -> None:
    ledger.append(facts(10))
    ledger.take_ack(ack(ledger, 10))
    ledger.append(facts(2, 10))
    old = ledger.epoch
    assert ledger.prune(_LATER) == 10
    with pytest.raises(AnswerRefused, match="kept from 11 on"):
        ledger.take_ack(LedgerAck(epoch=old, replay_from=4))
    assert ledger.epoch != old
    note = ledger.rows()[0]
    assert (note.type, note.data) == ("ledger.forked", {"epoch": old, "seq": 11})
    assert len(ledger.rows()) == 3
    assert ledger.acked == 0
    first, second = look(path)
    assert (len(first.rows), len(second.rows)) == (2, 3), "nothing was deleted"


def test_within_what_is_kept_a_replay_is_answered(ledger: Ledger) -> None:
    ledger.append(facts(12))
    ledger.take_ack(ack(ledger, 6))
    ledger.prune(_LATER)
    ledger.take_ack(ack(ledger, 12))
    ledger.take_ack(LedgerAck(epoch=ledger.epoch, replay_from=7))
    assert ledger.acked == 6
