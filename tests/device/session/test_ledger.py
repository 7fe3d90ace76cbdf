"""The ledger as a file: numbered, chained, acknowledged, forked, killed, full, damaged."""

import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from device.errors import LedgerDamaged, LedgerUnwritable
from device.session.ledger import BATCH_BYTES, BATCH_ROWS, Ledger, epochs
from tests.device.session.facts import fact, facts, instant, short_session
from wire.codec import MAX_PAYLOAD_BYTES, encode, read
from wire.errors import BadPayload
from wire.ledger import verified
from wire.messages import LedgerAck, LedgerBatch, WireRow
from wire.minutes import fold


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "data" / "ledger.db"


@pytest.fixture
def ledger(path: Path) -> Iterator[Ledger]:
    found = Ledger.open(path)
    yield found
    found.close()


def all_rows(path: Path) -> list[WireRow]:
    """The rows of a ledger of one epoch, their numbers and chain verified."""
    ((epoch, rows),) = epochs(path)
    verified(epoch, rows, 1)
    return rows


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
    assert ledger.take_ack(LedgerAck(epoch=ledger.epoch, through=3, hash=all_rows(path)[2].hash))
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
    assert ledger.take_ack(LedgerAck(epoch=ledger.epoch, through=2))
    assert ledger.acked == 5
    assert ledger.take_ack(LedgerAck(epoch=ledger.epoch, replay_from=3))
    assert ledger.acked == 2
    assert ledger.take_ack(LedgerAck(epoch=ledger.epoch, replay_from=5))
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
        assert not ledger.take_ack(stranger)
    assert (ledger.epoch, ledger.head, ledger.acked) == (epoch, 5, 0)


def test_nothing_of_an_empty_ledger_is_acknowledged(ledger: Ledger) -> None:
    assert ledger.take_ack(LedgerAck(epoch=ledger.epoch, through=0, hash=ledger.epoch))
    assert ledger.acked == 0
    assert ledger.oldest_unacked() is None
    assert ledger.batch(0) is None


# Forks


@pytest.mark.parametrize("at_seq", [1, 2, 4, 5])
def test_a_fork_copies_what_the_fleet_has_not_and_changes_no_minute(path: Path, at_seq: int) -> None:
    ledger = Ledger.open(path)
    ledger.append(list(short_session()))
    before, old = fold(ledger.session_rows("s-1")), ledger.epoch
    assert ledger.take_ack(LedgerAck(epoch=old, fork_at=at_seq))
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


def test_a_fork_that_the_disk_refuses_leaves_the_old_epoch(ledger: Ledger) -> None:
    ledger.append(facts(5))
    epoch = ledger.epoch
    ledger._db.execute("pragma query_only=on")
    with pytest.raises(LedgerUnwritable):
        ledger.fork(2)
    ledger._db.execute("pragma query_only=off")
    assert (ledger.epoch, ledger.head) == (epoch, 5)
    assert [row.seq for row in ledger.append(facts(1, 9))] == [6]
    assert len(ledger.rows()) == 6


# Killed

_APPENDS = """
import sys
from pathlib import Path
from device.session.ledger import Ledger
from tests.device.session.facts import facts
ledger = Ledger.open(Path(sys.argv[1]))
while True:
    rows = ledger.append(facts(3, ledger.head))
    print(rows[-1].seq, flush=True)
"""


def test_every_row_whose_append_returned_outlives_kill_9(path: Path) -> None:
    promised = 0
    for kill in range(5):
        child = subprocess.Popen([sys.executable, "-c", _APPENDS, str(path)], stdout=subprocess.PIPE, text=True)
        assert child.stdout is not None
        with child, child.stdout:
            for _ in range(4 + 7 * kill):
                promised = int(child.stdout.readline())
            child.send_signal(signal.SIGKILL)
            rest = child.stdout.read().splitlines()
        if rest and rest[-1]:
            promised = max(promised, *(int(line) for line in rest if line))
        ledger = Ledger.open(path)
        assert ledger.head >= promised
        assert ledger.head % 3 == 0, "a transaction is there in whole or not at all"
        ledger.close()
        assert len(all_rows(path)) >= promised


# Full and read-only

_FILLS = """
import resource, sys
from pathlib import Path
from device.errors import LedgerUnwritable
from device.session.ledger import Ledger
from tests.device.session.facts import facts
path = Path(sys.argv[1])
ledger = Ledger.open(path)
ledger.append(facts(10))
limit = path.with_name("ledger.db-wal").stat().st_size + 20_000
resource.setrlimit(resource.RLIMIT_FSIZE, (limit, resource.RLIM_INFINITY))
refused = []
while len(refused) < 5:
    try:
        ledger.append(facts(1, ledger.head))
    except LedgerUnwritable:
        refused.append(ledger.head)
assert refused == list(range(refused[0], refused[0] + 5)), refused
assert ledger.batch(refused[0] - 1) is None, "what is not durable is not sent"
assert not ledger.rows(after=refused[0] - 1)
try:
    ledger.keep("birth", 1)
    raise SystemExit("a full disk took a fact")
except LedgerUnwritable:
    pass
try:
    ledger.first_time("command-1")
    raise SystemExit("a full disk took a command")
except LedgerUnwritable:
    pass
resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
ledger.write_waiting()
assert ledger.rows(after=refused[0] - 1)[-1].seq == refused[-1]
ledger.append(facts(1, ledger.head))
assert ledger.first_time("command-1")
ledger.close()
print(refused[-1] + 1)
"""


def test_a_full_disk_keeps_rows_in_memory_until_there_is_room(path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", _FILLS, str(path)], capture_output=True, text=True, check=False, timeout=60
    )
    assert done.returncode == 0, done.stderr
    assert len(all_rows(path)) == int(done.stdout)


def test_what_a_read_only_disk_refused_is_written_first_when_it_can_be(ledger: Ledger, path: Path) -> None:
    ledger.append(facts(2))
    ledger._db.execute("pragma query_only=on")
    for second in (2, 3):
        with pytest.raises(LedgerUnwritable, match="readonly"):
            ledger.append(facts(1, second))
    assert ledger.head == 4
    assert len(all_rows(path)) == 2
    ledger._db.execute("pragma query_only=off")
    ledger.append(facts(1, 4))
    assert [row.mono_ns for row in ledger.rows()] == [instant(second).mono_ns for second in range(5)]
    assert len(all_rows(path)) == 5


def test_an_acknowledgement_on_a_read_only_disk_counts_until_the_next_boot(
    ledger: Ledger, caplog: pytest.LogCaptureFixture
) -> None:
    ledger.append(facts(5))
    ledger._db.execute("pragma query_only=on")
    assert ledger.take_ack(LedgerAck(epoch=ledger.epoch, through=3))
    assert ledger.take_ack(LedgerAck(epoch=ledger.epoch, through=4))
    assert ledger.acked == 4
    assert [record.levelname for record in caplog.records] == ["WARNING"]


def test_a_folder_that_is_a_file_is_said(tmp_path: Path) -> None:
    (tmp_path / "data").write_text("not a folder")
    with pytest.raises(LedgerUnwritable, match="data"):
        Ledger.open(tmp_path / "data" / "ledger.db")


# Damaged


def written(path: Path, rows: int = 200) -> bytes:
    """A closed ledger's file."""
    ledger = Ledger.open(path)
    ledger.append(facts(rows))
    ledger.close()
    return path.read_bytes()


def test_a_file_that_is_no_ledger_is_damaged(path: Path) -> None:
    path.parent.mkdir()
    path.write_bytes(b"Once upon a time. " * 500)
    with pytest.raises(LedgerDamaged):
        Ledger.open(path)


def test_a_truncated_file_is_damaged(path: Path) -> None:
    whole = written(path)
    path.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(LedgerDamaged):
        Ledger.open(path)


def test_a_flipped_sector_in_any_page_of_rows_is_damaged(path: Path) -> None:
    whole = written(path)
    found = 0
    for sector in range(whole.index(b'{"seq":1,') // 512, len(whole) // 512):
        at = sector * 512
        if b"help.asked" not in whole[at : at + 512]:
            continue
        path.write_bytes(whole[:at] + bytes(byte ^ 0xFF for byte in whole[at : at + 512]) + whole[at + 512 :])
        with pytest.raises(LedgerDamaged):
            Ledger.open(path)
        found += 1
    assert found > 50


def test_a_single_changed_letter_in_a_row_is_damaged(path: Path) -> None:
    whole = written(path, 5)
    path.write_bytes(whole.replace(b'"seq":3,"type":"help.asked"', b'"seq":3,"type":"help.oskar"'))
    with pytest.raises(LedgerDamaged, match="row 3"):
        Ledger.open(path)


def test_an_empty_file_is_a_new_ledger(path: Path) -> None:
    path.parent.mkdir()
    path.write_bytes(b"")
    ledger = Ledger.open(path)
    assert ledger.head == 0
    ledger.close()


def test_a_lost_journal_file_leaves_an_older_ledger_that_holds_together(path: Path) -> None:
    ledger = Ledger.open(path)
    ledger.append(facts(5))
    ledger._db.execute("pragma wal_checkpoint(truncate)")
    ledger.append(facts(5, 5))
    copy = path.with_name("copy.db")
    copy.write_bytes(path.read_bytes())
    ledger.close()
    older = Ledger.open(copy)
    assert older.head == 5
    older.close()
    assert len(all_rows(copy)) == 5


def test_a_tool_that_looks_at_a_damaged_file_says_so(path: Path) -> None:
    path.parent.mkdir()
    path.write_bytes(b"Once upon a time. " * 500)
    with pytest.raises(LedgerDamaged):
        epochs(path)
