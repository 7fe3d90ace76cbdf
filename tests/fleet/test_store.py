"""The store: migrations and tables agree, one writer at a time, clear words when it cannot be used."""

import threading
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import text

from fleet.errors import SettingsUnusable, StoreDown
from fleet.store.engine import Database
from fleet.store.migrate import migrate
from fleet.store.schedule_tables import bookings
from tests.fleet import databases
from tests.fleet.world import Fleet

metadata = bookings.metadata
INDEXES = {
    "sqlite": "select sql from sqlite_master where type = 'index' and sql is not null",
    "postgresql": "select indexdef from pg_indexes where schemaname = current_schema()",
}


def url(folder: Path) -> str:
    return f"sqlite:///{folder / 'deep' / 'fleet.sqlite'}"


def test_migrations_make_exactly_the_tables_that_the_code_knows(tmp_path: Path) -> None:
    database = Database(databases.url_for(tmp_path / "deep"))
    migrate(database)
    migrate(database)  # again changes nothing
    with database.write() as connection:
        assert compare_metadata(MigrationContext.configure(connection), metadata) == []
        indexes = connection.execute(text(INDEXES[connection.dialect.name]))
        partial = {
            row[0].removeprefix("CREATE UNIQUE").split("INDEX ")[1].split()[0] for row in indexes if " WHERE " in row[0]
        }
    database.close()
    assert partial == {
        index.name for table in metadata.tables.values() for index in table.indexes if _is_partial(index)
    }


@pytest.mark.sqlite
def test_sqlite_is_durable_and_checks_its_references(fleet: Fleet) -> None:
    with fleet.database.write() as connection:
        pragmas = {
            name: connection.exec_driver_sql(f"pragma {name}").scalar_one()
            for name in ("journal_mode", "synchronous", "foreign_keys")
        }
    assert pragmas == {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1}


@pytest.mark.sqlite
def test_the_board_asks_for_open_and_due_sessions_by_index(fleet: Fleet) -> None:
    with fleet.database.read() as connection:
        for condition in ("is_open = 1", "due = 1"):
            [plan] = connection.exec_driver_sql(f"explain query plan select id from sessions where {condition}").all()
            assert "USING INDEX ix_sessions_" in plan[3]


def test_readers_cannot_write(fleet: Fleet) -> None:
    with pytest.raises(StoreDown, match=r"read-?only"), fleet.database.read() as connection:
        connection.exec_driver_sql("delete from kiosks")


def test_what_is_read_in_one_block_is_of_one_moment(fleet: Fleet) -> None:
    count = "select count(*) from people"
    with fleet.database.read() as connection:
        before = connection.exec_driver_sql(count).scalar_one()
        with fleet.database.write() as writing:
            writing.exec_driver_sql("insert into people values ('ida', 'it', null, 0)")
        assert connection.exec_driver_sql(count).scalar_one() == before
    with fleet.database.read() as connection:
        assert connection.exec_driver_sql(count).scalar_one() == before + 1


def test_a_block_that_raises_keeps_nothing(fleet: Fleet) -> None:
    def write_and_fail() -> None:
        with fleet.database.write() as connection:
            connection.exec_driver_sql("insert into people values ('ida', 'it', null, 0)")
            raise KeyError

    with pytest.raises(KeyError):
        write_and_fail()
    with fleet.database.read() as connection:
        assert connection.exec_driver_sql("select count(*) from people").scalar_one() == 0


@pytest.mark.sqlite
def test_writers_of_two_processes_take_turns(tmp_path: Path) -> None:
    one, two = Database(url(tmp_path)), Database(url(tmp_path), busy_s=0.05)
    migrate(one)
    with one.write(), pytest.raises(StoreDown, match="another process"), two.write():
        pass
    with two.write() as connection:
        connection.exec_driver_sql("insert into people values ('ida', 'it', null, 0)")
    one.close()
    two.close()


@pytest.mark.sqlite
def test_writers_of_one_process_wait_for_each_other(fleet: Fleet) -> None:
    entered = threading.Event()

    def write() -> None:
        with fleet.database.write() as connection:
            entered.set()
            connection.exec_driver_sql("insert into people values ('ida', 'it', null, 0)")

    with fleet.database.write() as connection:
        thread = threading.Thread(target=write)
        thread.start()
        assert not entered.wait(0.03)
        connection.exec_driver_sql("insert into people values ('max', 'it', null, 0)")
    thread.join(5)
    with fleet.database.read() as connection:
        assert connection.exec_driver_sql("select count(*) from people").scalar_one() == 2


@pytest.mark.parametrize(
    ("database", "words"),
    [
        ("sqlite://", "needs a file"),
        ("nosuch://x", "nosuch"),
        ("not a url", "parse"),
        ("postgresql+nodriver://x", "nodriver"),
    ],
)
def test_a_database_that_cannot_be_used_is_named(database: str, words: str) -> None:
    with pytest.raises(SettingsUnusable, match=words):
        Database(database)


@pytest.mark.sqlite
def test_a_file_that_is_no_database_is_a_store_that_is_down(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "fleet.sqlite"
    path.parent.mkdir()
    path.write_bytes(b"this is no database" * 100)
    database = Database(url(tmp_path))
    with pytest.raises(StoreDown, match="not a database"):
        migrate(database)
    database.close()


def _is_partial(index: object) -> bool:
    return index.dialect_options["sqlite"]["where"] is not None  # type: ignore[attr-defined]  # an Index
