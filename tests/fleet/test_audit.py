"""The audit: a chain that shows every change, and who may read it."""

import sqlite3
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from alembic import command
from alembic.config import Config
from hypothesis import given, settings
from hypothesis import strategies as st

from fleet.access.roles import Role
from fleet.errors import AuditBroken
from fleet.store import audit
from fleet.store.engine import Database
from fleet.store.migrate import SCRIPTS, migrate
from tests.fleet.calling import Caller
from tests.fleet.test_api import problem
from tests.fleet.world import BEGAN, Fleet, Kiosk, running_fleet


def fill(fleet: Fleet, count: int = 6) -> None:
    for n in range(count):
        with fleet.database.write() as connection:
            at = BEGAN + timedelta(seconds=n)
            audit.note(connection, at, f"ida-{n}", "still.viewed", f"s-{n}", "señal 😀", campus="lincoln")


def change(fleet: Fleet, *statements: str) -> None:
    with fleet.database.write() as connection:
        for statement in statements:
            connection.exec_driver_sql(statement)


def verify(fleet: Fleet, seen: str | None = None) -> tuple[int, str]:
    with fleet.database.read() as connection:
        return audit.verify(connection, seen)


def test_p2_what_was_written_follows_and_a_head_noted_down_stays_in_it(fleet: Fleet) -> None:
    assert verify(fleet) == (0, audit.BEGINNING)
    fill(fleet, 3)
    count, head = verify(fleet)
    assert count == 3
    fill(fleet, 2)
    assert verify(fleet, seen=head)[0] == 5
    with pytest.raises(AuditBroken, match="written anew"):
        verify(fleet, seen="0" * 64)


@pytest.mark.parametrize(
    ("statements", "row"),
    [
        (["update audit set who = 'max' where id = 3"], "row 3 "),
        (["update audit set at_us = at_us + 1 where id = 1"], "row 1 "),
        (["update audit set campus = null where id = 4"], "row 4 "),
        (["update audit set hash = (select hash from audit where id = 2) where id = 3"], "row 3 "),
        (["delete from audit where id = 3"], "row 4 "),
        (["delete from audit where id = 1"], "row 2 "),
        (["delete from audit where id = 6"], "ends with row 5"),
        (["delete from audit"], "ends with row 0"),
        (["delete from audit_head"], "ends with row 6"),
        (
            [
                "update audit set id = 100 where id = 2",
                "update audit set id = 2 where id = 3",
                "update audit set id = 3 where id = 100",
            ],
            "row 2 ",
        ),
    ],
)
def test_p2_a_row_edited_deleted_or_reordered_is_found(fleet: Fleet, statements: list[str], row: str) -> None:
    fill(fleet)
    change(fleet, *statements)
    with pytest.raises(AuditBroken, match=row):
        verify(fleet)


@settings(max_examples=25, deadline=None)
@given(
    told=st.lists(
        st.tuples(st.text(max_size=8), st.text(max_size=8), st.none() | st.text(max_size=8), st.text(max_size=8)),
        min_size=2,
        max_size=6,
        unique=True,
    ),
    data=st.data(),
)
def test_p2_whatever_was_written_any_two_rows_exchanged_are_found(
    told: list[tuple[str, str, str | None, str]], data: st.DataObject, tmp_path_factory: pytest.TempPathFactory
) -> None:
    with running_fleet(tmp_path_factory.mktemp("audit")) as fleet:
        for who, what, about, detail in told:
            with fleet.database.write() as connection:
                audit.note(connection, BEGAN, who, what, about, detail)
        assert verify(fleet)[0] == len(told)
        one = data.draw(st.integers(1, len(told) - 1))
        swap = "update audit set id = case id when {0} then -{1} when {1} then -{0} else id end"
        change(fleet, swap.format(one, one + 1), "update audit set id = -id where id < 0")
        with pytest.raises(AuditBroken):
            verify(fleet)


def test_an_audit_of_before_the_chain_is_chained_by_the_migration(tmp_path: Path) -> None:
    database = Database(f"sqlite:///{tmp_path / 'fleet.sqlite'}")
    config = Config()
    config.set_main_option("script_location", str(SCRIPTS))
    with database.write() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "0001")
        for n in (1, 2, 5):
            connection.exec_driver_sql(f"insert into audit (id, at_us, who, what) values ({n}, {n}, 'ida', 'x')")
    migrate(database)
    with database.write() as connection:
        assert audit.verify(connection)[0] == 3
        audit.note(connection, datetime.now(UTC), "ida", "y")
    with database.read() as connection:
        assert audit.verify(connection)[0] == 4
        assert [row.id for row in audit.newest(connection, 9)] == [6, 5, 2, 1]
    database.close()


def test_the_command_says_how_it_is_and_exits_with_1_when_it_is_not(tmp_path: Path) -> None:
    config = tmp_path / "fleet.toml"
    config.write_text('data_dir = "data"\n')

    def carrel_fleet(*arguments: str) -> "subprocess.CompletedProcess[str]":
        program = [sys.executable, "-m", "fleet.cli", *arguments, "--config", str(config)]
        return subprocess.run(program, capture_output=True, text=True, check=False)

    carrel_fleet("user", "add", "ida", "--role", "it")
    whole = carrel_fleet("audit", "verify")
    assert whole.returncode == 0
    assert whole.stdout.startswith("2 rows, ")
    head = whole.stdout.split()[-1]
    assert carrel_fleet("audit", "verify", "--seen", head).returncode == 0
    with sqlite3.connect(tmp_path / "data" / "fleet.sqlite") as database:
        database.execute("update audit set who = 'max' where id = 1")
    database.close()
    broken = carrel_fleet("audit", "verify")
    assert broken.returncode == 1
    assert broken.stderr.startswith("carrel-fleet: audit row 1 ")
    assert broken.stderr.count("\n") == 1


def test_two_writers_make_one_chain(fleet: Fleet, tmp_path: Path) -> None:
    other = Database(f"sqlite:///{tmp_path / 'fleet.sqlite'}")

    def write(into: Database) -> None:
        with into.write() as connection:
            audit.note(connection, BEGAN, "ida", "x")

    for _ in range(5):
        write(fleet.database)
        write(other)
    other.close()
    assert verify(fleet)[0] == 10


@pytest.mark.parametrize(
    ("role", "status"),
    [
        (Role.IT, 200),
        (Role.AUDITOR, 200),
        (Role.SERVICE, 200),
        (Role.PORTAL, 200),
        (Role.THERAPIST, 403),
        (Role.AIDE, 403),
    ],
)
def test_who_reads_the_audit(caller: Caller, role: Role, status: int) -> None:
    assert caller.get("/api/v1/audit", caller.token(role)).status_code == status


def test_the_audit_newest_first_in_pages_of_the_readers_own_campuses(
    fleet: Fleet, caller: Caller, kiosk: Kiosk
) -> None:
    other = Kiosk("grant-2", "grant")
    fleet.take(kiosk.is_born(), other.is_born())
    everywhere, lincoln = caller.token(Role.AUDITOR), caller.token(Role.AUDITOR, "lincoln")
    for one in (kiosk, other, kiosk):
        sent = caller.client.post(
            f"/api/v1/kiosks/{one.id}/commands", json={"name": "identify"}, headers=caller.token(Role.THERAPIST)
        )
        assert sent.status_code == 202
    own = caller.get("/api/v1/audit", lincoln).json()["items"]
    assert {(row["what"], row["about"], row["campus"], row["who"]) for row in own} == {
        ("command.identify", kiosk.id, "lincoln", "therapist of all")
    }
    rows: list[dict[str, Any]] = []
    page = caller.get("/api/v1/audit?limit=2", everywhere).json()
    while True:
        rows += page["items"]
        if page["next"] is None:
            break
        page = caller.get(f"/api/v1/audit?limit=2&cursor={page['next']}", everywhere).json()
    ids = [row["id"] for row in rows]
    assert ids == sorted(ids, reverse=True)
    assert len(set(ids)) == verify(fleet)[0] == len(ids)
    assert rows[0]["hash"] == verify(fleet)[1]
    problem(caller.get("/api/v1/audit?cursor=nonsense", everywhere), 422)
