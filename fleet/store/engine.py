"""The database: many readers, and on SQLite one writer at a time in all processes of this machine.

SQLite before 3.51.3 can damage a WAL file when two connections write or checkpoint at once (the WAL-reset bug), and
Debian 12 has 3.40. So every write goes through one connection of the process, under a lock that other processes share.
"""

import fcntl
import sqlite3
import threading
import time
from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import IO, Any, Final, TypeVar

from sqlalchemy import URL, Connection, Engine, Table, create_engine, event, make_url
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import ArgumentError, DataError, DBAPIError, IntegrityError, NoSuchModuleError, ProgrammingError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from fleet.errors import SettingsUnusable, StoreDown

BUSY_S: Final = 5.0
CHUNK: Final = 400
_READERS: Final = 8
_FORGET_WITHIN_MS: Final = 100
"""How long emptying the journal may wait for readers: whoever waits for the ingest must not notice."""

Value = TypeVar("Value", str, int)


class Database:
    """Opened once per process; safe to use from any thread."""

    def __init__(self, url: str, busy_s: float = BUSY_S) -> None:
        """Open the database at a SQLAlchemy URL; its tables are `migrate`'s business.

        Args:
            url: `sqlite:///…` with a file, or `postgresql://…`.
            busy_s: on SQLite, how long to wait for whoever writes at the moment.

        Raises:
            SettingsUnusable: no such kind of database, its driver is not installed, or its folder cannot be made.
        """
        try:
            parsed = make_url(url)
            self.path = Path(parsed.database or "") if parsed.get_backend_name() == "sqlite" else None
            self._lock_file = _lock_file(self.path) if self.path else None
            self._writer = _sqlite(url, busy_s) if self._lock_file else _postgresql(parsed)
            self._reader = _sqlite(url, busy_s, read_only=True) if self._lock_file else _reading(self._writer)
        except (ArgumentError, NoSuchModuleError, ModuleNotFoundError) as error:
            raise SettingsUnusable(f"database: {error}") from error
        except OSError as error:
            raise SettingsUnusable(f"database: {error.filename}: {error.strerror}") from error
        self._busy_s = busy_s
        self._writing = threading.Lock()

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """A consistent view of what is committed.

        Raises:
            StoreDown: nothing can be read at the moment.
        """
        with _translated(), self._reader.connect() as connection:
            yield connection

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """A transaction, durable when the block is left and undone when it raises.

        Raises:
            StoreDown: nothing can be written at the moment, and nothing of this was.
        """
        with self._alone(), _translated(), self._writer.begin() as connection:
            yield connection

    def forget(self) -> bool:
        """On SQLite: empty the journal, which still holds what was deleted; False when a reader was in the way.

        Raises:
            StoreDown: it cannot be done at the moment.
        """
        if self._lock_file is None:
            return True
        with self._alone(), _translated(), closing(self._writer.raw_connection()) as connection:
            cursor = connection.cursor()
            try:
                cursor.execute(f"pragma busy_timeout={_FORGET_WITHIN_MS}")
                busy, *_ = cursor.execute("pragma wal_checkpoint(truncate)").fetchone()
            except sqlite3.Error as error:
                raise StoreDown(str(error)) from error
            finally:
                cursor.execute(f"pragma busy_timeout={round(self._busy_s * 1000)}")
                cursor.close()
            return not busy

    def close(self) -> None:
        """Close every connection."""
        self._reader.dispose()
        if self._lock_file is None:
            return
        with self._alone():  # the last to leave checkpoints the WAL
            self._writer.dispose()
        self._lock_file.close()

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """On SQLite: no other thread and no other process of this service writes meanwhile."""
        if self._lock_file is None:
            yield
            return
        deadline_s = time.monotonic() + self._busy_s
        if not self._writing.acquire(timeout=self._busy_s):
            raise StoreDown("another thread has been writing for too long")
        try:
            _lock(self._lock_file, deadline_s)
            try:
                yield
            finally:
                fcntl.flock(self._lock_file, fcntl.LOCK_UN)
        finally:
            self._writing.release()


def insert(connection: Connection, table: Table) -> sqlite.Insert | postgresql.Insert:
    """An insert that knows `on_conflict_do_nothing` and `on_conflict_do_update`, in the database's own dialect."""
    return postgresql.insert(table) if connection.dialect.name == "postgresql" else sqlite.insert(table)


@contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except (DataError, IntegrityError, ProgrammingError):
        raise  # the statement's own fault: trying again would not help
    except (DBAPIError, PoolTimeout) as error:
        raise StoreDown(str(error.__cause__ or error).splitlines()[0]) from error


def _lock(lock_file: IO[bytes], deadline_s: float) -> None:
    while True:
        try:
            fcntl.flock(lock_file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            if time.monotonic() >= deadline_s:
                raise StoreDown("another process has been writing for too long") from error
            time.sleep(0.005)
        else:
            return


def chunks(values: Iterable[Value], size: int = CHUNK) -> Iterator[list[Value]]:
    """Distinct values, sorted, so many at a time: a statement takes no more of them than a database likes."""
    wanted = sorted(set(values))
    for start in range(0, len(wanted), size):
        yield wanted[start : start + size]


def _lock_file(path: Path) -> IO[bytes]:
    if path.name in {"", ":memory:"}:
        raise ArgumentError("SQLite needs a file here: two engines share it")
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    return path.with_name(f"{path.name}.lock").open("ab")


def _postgresql(url: URL) -> Engine:
    """The engine for anything but SQLite; a PostgreSQL whose driver is not named gets the one of extra `postgres`."""
    if url.drivername == "postgresql":
        url = url.set(drivername="postgresql+psycopg")
    return create_engine(url, pool_pre_ping=True)


def _reading(engine: Engine) -> Engine:
    """The same connections for readers: what they see is of one moment, as on SQLite, and they change nothing."""
    return engine.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)


def _sqlite(url: str, busy_s: float, *, read_only: bool = False) -> Engine:
    engine = create_engine(
        url,
        pool_size=_READERS if read_only else 1,
        max_overflow=0,
        connect_args={"check_same_thread": False},
    )

    @event.listens_for(engine, "connect")
    def _connected(connection: Any, _record: Any) -> None:
        connection.isolation_level = None  # transactions begin below, not where the driver guesses
        for pragma in (
            "journal_mode=wal",
            "synchronous=full",
            "foreign_keys=on",
            "secure_delete=on",
            f"query_only={'on' if read_only else 'off'}",
            f"busy_timeout={round(busy_s * 1000)}",
        ):
            connection.execute(f"pragma {pragma}").close()

    @event.listens_for(engine, "begin")
    def _begun(connection: Connection) -> None:
        connection.exec_driver_sql("begin" if read_only else "begin immediate")

    return engine
