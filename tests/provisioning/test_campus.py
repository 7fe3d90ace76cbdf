"""The register of campuses, through its command."""

import contextlib
import json
import sqlite3
from pathlib import Path

import pytest

from provisioning.cli import main


def run(register: Path, *arguments: str) -> int:
    return main(["campus", *arguments, "--register", str(register)])


def test_a_campus_is_registered_once_and_shown(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    register = tmp_path / "deep" / "register.db"
    told = ("init", "lincoln", "--name", "Lincoln Elementary", "--time-zone", "America/Chicago")
    assert run(register, *told) == 0
    assert run(register, *told) == 0
    assert "already registered just so" in capsys.readouterr().out
    assert run(register, "show") == 0
    assert json.loads(capsys.readouterr().out) == [
        {"id": "lincoln", "name": "Lincoln Elementary", "time_zone": "America/Chicago"}
    ]


@pytest.mark.parametrize(
    ("told", "words"),
    [
        (("init", "Lincoln", "--name", "L", "--time-zone", "UTC"), "id 'Lincoln'"),
        (("init", "../etc", "--name", "L", "--time-zone", "UTC"), "id '../etc'"),
        (("init", "lincoln", "--name", " ", "--time-zone", "UTC"), "name ' '"),
        (("init", "lincoln", "--name", "L", "--time-zone", "Chicago"), "write it as in 'America/Chicago'"),
        (("init", "lincoln", "--name", "L", "--time-zone", "../../etc/passwd"), "is no time zone"),
        (("show", "nowhere"), "no campus 'nowhere'; registered: none"),
    ],
)
def test_c10_what_is_not_valid_is_refused_in_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], told: tuple[str, ...], words: str
) -> None:
    assert run(tmp_path / "register.db", *told) == 1
    said = capsys.readouterr().err
    assert words in said
    assert said.count("\n") == 1


def test_a_campus_that_differs_is_not_overwritten(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    register = tmp_path / "register.db"
    run(register, "init", "lincoln", "--name", "Lincoln", "--time-zone", "UTC")
    assert run(register, "init", "lincoln", "--name", "Lincoln", "--time-zone", "America/Denver") == 1
    assert "nothing was changed" in capsys.readouterr().err


def test_a_file_that_is_no_register_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    register = tmp_path / "register.db"
    register.write_bytes(b"not a database, but long enough to be looked at as one" * 40)
    assert run(register, "show") == 1
    assert f"{register}: file is not a database" in capsys.readouterr().err
    with contextlib.closing(sqlite3.connect(register)) as connection, pytest.raises(sqlite3.DatabaseError):
        connection.execute("select 1 from campuses")
