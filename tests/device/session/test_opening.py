"""F3, F4: a damaged ledger is set aside whole, what can be read goes on, and both can be looked into."""

import os
import random
import shutil
import sqlite3
from pathlib import Path

import pytest

from device import cli
from device.errors import LedgerDamaged, StartError
from device.session.ledger import Ledger
from device.session.ledger_files import cannot_be_read, look
from device.session.opening import open_ledger
from tests.device.session.facts import facts, instant, short_session
from wire.messages import LedgerAck


def hot(path: Path, commits: int = 60) -> Path:
    """A ledger as a power cut leaves it: most rows are in the log only."""
    made = path.with_name("made.db")
    ledger = Ledger.open(made)
    ledger.append(list(short_session())[:2])
    ledger._db.execute("pragma wal_checkpoint(truncate)")
    ledger.keep("birth", 7)
    ledger.first_time("command-1")
    for number in range(commits):
        ledger.append(facts(1, 100 + number))
    for part in ("", "-wal"):
        shutil.copyfile(made.with_name(made.name + part), path.with_name(path.name + part))
    ledger.close()
    return path.with_name(f"{path.name}-wal")


def aside_of(path: Path) -> Path:
    (found,) = path.parent.glob("ledger.db.damaged-*[0-9]")
    return found


def test_a_whole_ledger_with_its_log_is_just_opened(path: Path) -> None:
    path.parent.mkdir()
    hot(path)
    ledger = open_ledger(path, instant())
    assert ledger.head == 62
    ledger.close()
    assert [one.name for one in path.parent.glob("ledger.db*")] == ["ledger.db"]


@pytest.mark.parametrize("kind", ["payload", "header"])
def test_a_damaged_log_loses_only_what_cannot_be_read_and_says_so(path: Path, kind: str) -> None:
    path.parent.mkdir()
    log = hot(path)
    whole = log.read_bytes()
    frame = 24 + 4096
    at = 32 + 40 * frame + (10 if kind == "header" else 600)
    damaged = whole[:at] + bytes(byte ^ 0x5A for byte in whole[at : at + 64]) + whole[at + 64 :]
    log.write_bytes(damaged)
    with pytest.raises(LedgerDamaged, match="frame 41"):
        Ledger.open(path)
    ledger = open_ledger(path, instant(500))
    told = ledger.rows()[-1]
    assert told.type == "ledger.damaged"
    assert 2 < told.data["rows"] < 62
    assert ledger.last_session() == "s-1"
    assert ledger.kept("birth") == 7
    assert not ledger.first_time("command-1")
    assert [row.seq for row in ledger.rows()] == list(range(1, told.data["rows"] + 3))
    ledger.close()
    aside = aside_of(path)
    assert aside.name == told.data["file"]
    assert aside.with_name(f"{aside.name}-wal").read_bytes() == damaged, "kept to the letter"
    assert len(look(aside)[0].rows) == told.data["rows"]
    assert aside.with_name(f"{aside.name}-wal").read_bytes() == damaged, "looking changes nothing"


def test_a_log_torn_in_its_last_transaction_is_a_power_cut(path: Path) -> None:
    path.parent.mkdir()
    log = hot(path)
    log.write_bytes(log.read_bytes()[:-5000])
    ledger = open_ledger(path, instant())
    assert ledger.head in {60, 61}
    assert not list(path.parent.glob("*damaged*"))
    ledger.close()


def test_a_file_truncated_to_nothing_or_gone_beside_its_log_is_set_aside(path: Path) -> None:
    path.parent.mkdir()
    for number in range(2):
        hot(path)
        if number:
            path.unlink()
        else:
            path.write_bytes(b"")
        ledger = open_ledger(path, instant())
        assert ledger.rows()[-1].type == "ledger.damaged"
        ledger.close()
        logs = list(path.parent.glob("ledger.db.damaged-*-wal"))
        assert len(logs) == number + 1
        assert all(one.stat().st_size > 100_000 for one in logs)


def test_a_random_sector_flipped_anywhere_loses_nothing_that_can_be_read(path: Path) -> None:
    ledger = Ledger.open(path)
    ledger.append(list(short_session()))
    ledger.append(facts(600, 200))
    ledger.close()
    whole = path.read_bytes()
    chance, found = random.Random(5), 0
    for _ in range(25):
        for one in path.parent.iterdir():
            one.unlink()
        at = 512 * chance.randrange(len(whole) // 512)
        path.write_bytes(whole[:at] + bytes(byte ^ 0xFF for byte in whole[at : at + 512]) + whole[at + 512 :])
        ledger = open_ledger(path, instant(900))
        asides = list(path.parent.glob("*damaged-*[0-9]"))
        if asides:
            found += 1
            told = ledger.rows()[-1].data
            assert told["file"] == asides[0].name
            assert len(ledger.rows()) >= told["rows"]
        else:
            assert ledger.head == 605, "free space was hit"
        ledger.append(facts(1, 1_000))
        ledger.close()
    assert found > 10


@pytest.mark.parametrize("cut", ["before", "between", "leftover log"])
def test_a_cut_while_it_is_set_aside_loses_nothing(path: Path, cut: str, monkeypatch: pytest.MonkeyPatch) -> None:
    path.parent.mkdir()
    log = hot(path)
    whole = log.read_bytes()
    log.write_bytes(whole[: 32 + 40 * 4120] + bytes(600) + whole[32 + 40 * 4120 + 600 :])
    rename, renames = Path.rename, 0

    def cut_rename(self: Path, target: Path) -> Path:
        nonlocal renames
        renames += 1
        if renames == {"before": 1, "leftover log": 2, "between": 3}[cut]:
            raise KeyboardInterrupt
        return rename(self, target)

    monkeypatch.setattr(Path, "rename", cut_rename)
    with pytest.raises(KeyboardInterrupt):
        open_ledger(path, instant(500))
    monkeypatch.setattr(Path, "rename", rename)
    ledger = open_ledger(path, instant(501))
    assert ledger.rows()[-1].type == "ledger.damaged"
    assert ledger.rows()[-1].data["rows"] > 2
    ledger.close()
    assert sorted(one.name.partition(".db")[2][:9] for one in path.parent.glob("ledger.db*")) == [
        "", ".damaged-", ".damaged-",
    ]  # fmt: skip


def test_a_folder_that_refuses_says_what_to_do(path: Path) -> None:
    path.parent.mkdir()
    path.mkdir()
    with pytest.raises(StartError, match="check data_dir"):
        open_ledger(path, instant())


def test_f3_a_disk_that_does_not_give_back_is_damage_and_one_that_does_not_take_is_not() -> None:
    for name, damaged in (("SQLITE_IOERR_READ", True), ("SQLITE_IOERR_WRITE", False), ("SQLITE_FULL", False)):
        error = sqlite3.OperationalError("disk I/O error")
        error.sqlite_errorname = name
        assert cannot_be_read(error) is damaged


def test_the_tool_looks_into_both(path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    ledger = Ledger.open(path)
    ledger.append(list(short_session()))
    ledger.close()
    whole = path.read_bytes()
    at = whole.index(b'"session.paused"')
    path.write_bytes(whole[:at] + b'"session.poused"' + whole[at + 16 :])
    open_ledger(path, instant(500)).close()
    config = path.parent / "kiosk.toml"
    config.write_text(
        f'data_dir = "{path.parent}"\n[kiosk]\nid = "lincoln-12"\ncampus = "lincoln"\n'
        '[link]\nurls = ["mqtt://127.0.0.1:1"]\n'
        '[cameras.overhead]\nuri = "scene:desk"\n[cameras.front]\nuri = "scene:student"\n'
    )
    assert cli.main(["ledger", "verify", "--config", str(config)]) == 0
    aside = aside_of(path)
    told = capsys.readouterr().out
    assert "every hash follows" in told
    assert f"--file {aside}" in told
    assert cli.main(["ledger", "verify", "--config", str(config), "--file", str(aside)]) == 1
    assert "1 rows from 1 on can be read" in capsys.readouterr().err
    assert cli.main(["ledger", "export", "--config", str(config), "--file", str(aside)]) == 1
    assert '"session.started"' in capsys.readouterr().out
    assert cli.main(["ledger", "verify", "--config", str(config), "--file", os.devnull + "x"]) == 1


def test_what_goes_on_is_sent_again_and_acknowledged(path: Path) -> None:
    path.parent.mkdir()
    log = hot(path)
    whole = log.read_bytes()
    log.write_bytes(whole[: 32 + 40 * 4120] + bytes(600) + whole[32 + 40 * 4120 + 600 :])
    ledger = open_ledger(path, instant(500))
    assert ledger.acked == 0
    batch = ledger.batch(0)
    assert batch is not None
    assert len(batch.rows) == ledger.head
    ledger.take_ack(LedgerAck(epoch=ledger.epoch, through=ledger.head, hash=batch.rows[-1].hash), ledger.head)
    assert ledger.acked == ledger.head
    ledger.close()
