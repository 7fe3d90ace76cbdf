"""F1, F2, F4 of docs/threat-model.md: the ledger on a disk that is cut off, full, read-only or damaged."""

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from device.errors import LedgerDamaged, LedgerUnwritable
from device.session.ledger import Ledger
from device.session.ledger_files import epochs
from tests.device.session.facts import all_rows, facts, instant
from wire.messages import LedgerAck

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


def test_a_row_is_handed_to_the_disk_itself_before_it_counts(ledger: Ledger) -> None:
    # What only a power cut could show: with less than FULL the last rows would be in the kernel's memory.
    assert ledger._db.execute("pragma synchronous").fetchone() == (2,)
    assert ledger._db.execute("pragma journal_mode").fetchone() == ("wal",)


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
    ledger.take_ack(LedgerAck(epoch=ledger.epoch, through=3))
    ledger.take_ack(LedgerAck(epoch=ledger.epoch, through=4))
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


def test_an_empty_file_is_damaged(path: Path) -> None:
    path.parent.mkdir()
    path.write_bytes(b"")
    with pytest.raises(LedgerDamaged, match="empty"):
        Ledger.open(path)


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
