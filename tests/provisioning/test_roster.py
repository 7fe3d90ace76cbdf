"""Planning and applying rosters, through the command."""

import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from tests.provisioning.conftest import Provision

HEADER = "campus,kiosk,room,asset,serial,mac"
ROWS = (
    "lincoln,lincoln-01,Room 12,A-001,10000000abcdef01,2c:cf:67:00:00:01",
    "lincoln,lincoln-02,Room 14,A-002,10000000abcdef02,2C-CF-67-00-00-02",
    "lincoln,lincoln-03,Salón 3,,,",
)


@contextmanager
def opened(folder: Path) -> Iterator[sqlite3.Connection]:
    with closing(sqlite3.connect(folder / "register.db")) as connection:
        yield connection


def state(folder: Path) -> list[tuple[object, ...]]:
    with opened(folder) as register:
        return [
            *register.execute("select * from kiosks order by number"),
            *register.execute("select * from kiosk_changes"),
        ]


def roster(folder: Path, *rows: str, header: str = HEADER) -> Path:
    path = folder / "devices.csv"
    path.write_text("\n".join([header, *rows, ""]), encoding="utf-8")
    return path


def test_a_plan_changes_nothing_and_applying_it_does_what_it_said(
    tmp_path: Path, provision: Provision, capsys: pytest.CaptureFixture[str]
) -> None:
    path = roster(tmp_path, *ROWS)
    assert provision("roster", "plan", path) == 0
    assert "create  lincoln-03  lincoln, Salón 3" in capsys.readouterr().out
    assert state(tmp_path) == []
    assert provision("roster", "apply", path) == 0
    assert capsys.readouterr().out.endswith("applied: 3 to create, 0 to change, 0 to retire, 0 unchanged\n")
    with opened(tmp_path) as register:
        assert register.execute(
            "select number, kiosk, hostname, serial, mac from kiosks order by number"
        ).fetchall() == [
            (1, "lincoln-01", "carrel-lincoln-01", "10000000abcdef01", "2c:cf:67:00:00:01"),
            (2, "lincoln-02", "carrel-lincoln-02", "10000000abcdef02", "2c:cf:67:00:00:02"),
            (3, "lincoln-03", "carrel-lincoln-03", None, None),
        ]


def test_c15_the_same_roster_again_changes_nothing(
    tmp_path: Path, provision: Provision, capsys: pytest.CaptureFixture[str]
) -> None:
    provision("roster", "apply", roster(tmp_path, *ROWS))
    before = state(tmp_path)
    assert provision("roster", "apply", roster(tmp_path, *reversed(ROWS))) == 0
    assert "0 to create, 0 to change, 0 to retire, 3 unchanged" in capsys.readouterr().out
    assert state(tmp_path) == before


def test_changes_and_retirements_are_told_and_kept(
    tmp_path: Path, provision: Provision, capsys: pytest.CaptureFixture[str]
) -> None:
    provision("roster", "apply", roster(tmp_path, *ROWS))
    path = roster(tmp_path, ROWS[0].replace("Room 12", "Room 21"), ROWS[1])
    capsys.readouterr()
    assert provision("roster", "plan", path, "--json") == 0
    assert json.loads(capsys.readouterr().out) == {
        "create": [],
        "change": [{"kiosk": "lincoln-01", "what": {"room": ["Room 12", "Room 21"]}}],
        "retire": ["lincoln-03"],
        "unchanged": 1,
    }
    assert provision("roster", "apply", path, "--retire", "1") == 0
    with opened(tmp_path) as register:
        retired = dict(register.execute("select kiosk, retired_at is not null from kiosks"))
        changes = register.execute("select action, kiosk, what from kiosk_changes where id > 3").fetchall()
    assert retired == {"lincoln-01": 0, "lincoln-02": 0, "lincoln-03": 1}
    assert changes == [("change", "lincoln-01", '{"room": ["Room 12", "Room 21"]}'), ("retire", "lincoln-03", "{}")]
    provision("roster", "apply", roster(tmp_path, *ROWS))
    with opened(tmp_path) as register:
        numbers = register.execute(
            "select number from kiosks where kiosk = 'lincoln-03' and retired_at is null"
        ).fetchall()
    assert numbers == [(3,)]


def test_a_roster_of_half_a_school_does_not_retire_the_other_half(
    tmp_path: Path, provision: Provision, capsys: pytest.CaptureFixture[str]
) -> None:
    provision("roster", "apply", roster(tmp_path, *ROWS))
    before = state(tmp_path)
    assert provision("roster", "apply", roster(tmp_path, ROWS[0])) == 1
    told = capsys.readouterr().err
    assert "would retire 2 kiosks (lincoln-02, lincoln-03)" in told
    assert "add --retire 2" in told
    assert state(tmp_path) == before


def test_a_roster_says_nothing_about_campuses_that_it_does_not_name(tmp_path: Path, provision: Provision) -> None:
    provision("roster", "apply", roster(tmp_path, *ROWS))
    assert provision("roster", "apply", roster(tmp_path, "grant,grant-01,Gym,,,")) == 0
    with opened(tmp_path) as register:
        assert register.execute("select count(*) from kiosks where retired_at is null").fetchone() == (4,)


@pytest.mark.parametrize(
    ("row", "words"),
    [
        ("grant,grant-01,Gym,a-001,,", "line 2, asset: 'a-001' is already that of lincoln-01 at lincoln"),
        ("grant,grant-01,Gym,,10000000ABCDEF02,", "serial: '10000000abcdef02' is already that of lincoln-02"),
        ("grant,lincoln-01,Gym,,,", "campus: lincoln-01 belongs to campus lincoln"),
    ],
)
def test_c5_what_a_kiosk_of_another_campus_has_is_not_given_away(
    tmp_path: Path, provision: Provision, capsys: pytest.CaptureFixture[str], row: str, words: str
) -> None:
    provision("roster", "apply", roster(tmp_path, *ROWS))
    before = state(tmp_path)
    for verb in ("plan", "apply"):
        assert provision("roster", verb, roster(tmp_path, row)) == 1
        assert words in capsys.readouterr().err
    assert state(tmp_path) == before


def test_one_bad_row_among_good_ones_changes_nothing_and_every_bad_one_is_named(
    tmp_path: Path, provision: Provision, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = [f"lincoln,lincoln-{n:05},Room {n},,," for n in range(10_000)]
    rows[4_321] = "lincoln,lincoln-04321,,,1E+15,"
    assert provision("roster", "apply", roster(tmp_path, *rows)) == 1
    told = capsys.readouterr().err
    assert "2 problems; nothing was changed" in told
    assert "line 4323, room: is empty" in told
    assert "line 4323, serial: '1E+15': a spreadsheet has made a number of it" in told
    assert state(tmp_path) == []


def test_c11_ten_thousand_rows_go_in_as_one_transaction(
    tmp_path: Path, provision: Provision, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = [
        f"lincoln,lincoln-{n:05},Room {n},A-{n},{n:016x},02:00:00:00:{n >> 8:02x}:{n & 255:02x}" for n in range(10_000)
    ]
    path = roster(tmp_path, *rows)
    with opened(tmp_path) as register:
        before = register.execute("pragma data_version").fetchone()
        assert provision("roster", "apply", path) == 0
        # SQLite raises it once for each transaction that another connection commits.
        assert register.execute("pragma data_version").fetchone()[0] == before[0] + 1
        assert register.execute("select count(*), count(distinct number) from kiosks").fetchone() == (10_000, 10_000)
    assert "applied: 10000 to create" in capsys.readouterr().out


def test_a_crash_in_the_middle_leaves_the_register_as_it_was(tmp_path: Path, provision: Provision) -> None:
    provision("roster", "apply", roster(tmp_path, *ROWS))
    before = state(tmp_path)
    with opened(tmp_path) as register:
        register.execute(
            "create trigger full before insert on kiosk_changes begin select raise(abort, 'disk is full'); end"
        )
        register.commit()
    with pytest.raises(sqlite3.IntegrityError):
        provision("roster", "apply", roster(tmp_path, ROWS[0].replace("12", "13"), ROWS[1], ROWS[2]))
    assert state(tmp_path) == before


def test_a_register_that_somebody_else_writes_is_left_alone(
    tmp_path: Path, provision: Provision, capsys: pytest.CaptureFixture[str]
) -> None:
    with opened(tmp_path) as other:
        other.execute("begin immediate")
        assert provision("roster", "apply", roster(tmp_path, *ROWS)) == 1
    assert "the register cannot be written: database is locked; nothing was changed" in capsys.readouterr().err


def test_c8_an_exported_roster_calculates_nothing_and_reads_in_unchanged(
    tmp_path: Path, provision: Provision, capsys: pytest.CaptureFixture[str]
) -> None:
    told = ('lincoln,lincoln-01,"=HYPERLINK(""http://x"",""y"")",+1,,', "lincoln,lincoln-02,@SUM(A1),-2,,")
    provision("roster", "apply", roster(tmp_path, *told))
    before = state(tmp_path)
    assert before[0][3:6] == ('=HYPERLINK("http://x","y")', "carrel-lincoln-01", "+1")
    capsys.readouterr()
    assert provision("roster", "export", "lincoln") == 0
    text = capsys.readouterr().out
    assert """'=HYPERLINK(""http://x"",""y"")""" in text
    assert "'+1" in text
    assert "'@SUM(A1)" in text
    assert "'-2" in text
    (tmp_path / "again.csv").write_text(text, encoding="utf-8", newline="")
    assert provision("roster", "apply", tmp_path / "again.csv") == 0
    assert state(tmp_path) == before
