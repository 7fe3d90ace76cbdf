"""The ledger's files seen from outside SQLite, and every epoch in them for tools that only look.

SQLite reads a write-ahead log up to its first bad frame and passes over the rest in silence. That is right after a
power cut, whose last transaction nobody was promised; rows that were promised must not go that way.
"""

import logging
import shutil
import sqlite3
import struct
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from device.errors import LedgerDamaged
from wire.disk import sync_folder
from wire.errors import WireError
from wire.ledger import Row, verified
from wire.messages import WireRow

_log = logging.getLogger(__name__)

PARTS: Final = ("", "-wal", "-shm")
_UNREADABLE: Final = {"SQLITE_IOERR_READ", "SQLITE_IOERR_SHORT_READ", "SQLITE_IOERR_CORRUPTFS"}
_WAL_HEADER: Final = 32
_FRAME_HEADER: Final = 24
_WAL_MAGIC: Final = 0x377F0682


@dataclass(frozen=True, slots=True)
class Epoch:
    """One epoch with the rows that are kept of it, and how far they follow from each other."""

    name: str
    pruned: int
    """Rows through this one were deleted after the fleet had them."""
    rows: list[Row]
    wired: list[WireRow]
    damage: str | None = None
    """Why nothing after the last of `rows` can be read."""


def cannot_be_read(error: sqlite3.Error) -> bool:
    """Whether the disk failed to give back what was written, which no waiting mends."""
    return getattr(error, "sqlite_errorname", None) in _UNREADABLE


def look_at_files(path: Path) -> None:
    """Refuse files that SQLite would open as if nothing had been in them.

    Raises:
        LedgerDamaged: empty where rows were, a log without its file, or a log with a hole in it.
        OSError: the folder cannot be read.
    """
    log = path.with_name(f"{path.name}-wal")
    log_bytes = log.stat().st_size if log.exists() else 0
    if not path.exists():
        if log_bytes:
            raise LedgerDamaged(f"{path}: the file is gone and its log {log.name} is there")
        return
    if path.stat().st_size == 0:
        raise LedgerDamaged(f"{path}: the file is empty")
    if log_bytes:
        try:
            hole = _hole_in(log)
        except OSError as error:
            raise LedgerDamaged(f"{log}: {error.strerror or error}") from error
        if hole is not None:
            raise LedgerDamaged(f"{log}: frame {hole} is damaged, and promised rows follow it")


def _hole_in(log: Path) -> int | None:
    """The number of a bad frame that a power cut cannot explain.

    Each transaction is on the disk before the next begins, so a cut tears the last one only: a bad frame with more than
    one transaction's end from it on is damage. Format: https://sqlite.org/fileformat2.html#the_write_ahead_log
    """
    with log.open("rb") as file:
        header = file.read(_WAL_HEADER)
        if len(header) < _WAL_HEADER:
            return None
        magic, _, page_bytes = struct.unpack(">III", header[:12])
        if magic & ~1 != _WAL_MAGIC or not 512 <= page_bytes <= 65_536:
            return 0 if log.stat().st_size > _WAL_HEADER + 2 * (_FRAME_HEADER + 4_096) else None
        order = ">" if magic & 1 else "<"
        sums = _summed(order, header[:24], (0, 0))
        if sums != struct.unpack(">II", header[24:32]):
            return 0
        number, bad, ends = 0, None, 0
        while len(frame := file.read(_FRAME_HEADER + page_bytes)) == _FRAME_HEADER + page_bytes:
            number += 1
            own = frame[8:16] == header[16:24]  # others are left over from before the log was begun anew
            if bad is None:
                sums = _summed(order, frame[_FRAME_HEADER:], _summed(order, frame[:8], sums))
                bad = None if own and sums == struct.unpack(">II", frame[16:24]) else number
            if bad is not None and own:
                ends += struct.unpack(">I", frame[4:8])[0] != 0
        return bad if ends > 1 else None


def _summed(order: str, data: bytes, sums: tuple[int, int]) -> tuple[int, int]:
    one, two = sums
    words = struct.unpack(f"{order}{len(data) // 4}I", data)
    for first, second in zip(words[::2], words[1::2], strict=True):
        one = (one + first + two) & 0xFFFFFFFF
        two = (two + second + one) & 0xFFFFFFFF
    return one, two


def set_aside(path: Path, name: str) -> Path:
    """Rename the ledger at `path` with its log to `name`, durable on return; nothing of it is deleted."""
    aside = path.with_name(name)
    for part in PARTS:
        one = path.with_name(path.name + part)
        if one.exists():
            one.rename(aside.with_name(aside.name + part))
    sync_folder(path.parent)
    return aside


def epochs(path: Path) -> list[tuple[str, list[WireRow]]]:
    """Every epoch of a ledger file with its rows, in the order they were made; raises `LedgerDamaged`."""
    found = look(path)
    for one in found:
        if one.damage:
            raise LedgerDamaged(f"{path}: {one.damage}")
    return [(one.name, one.wired) for one in found]


def look(path: Path, *, copy: bool = False) -> list[Epoch]:
    """Every epoch as far as it can be read, in the order they were made.

    Args:
        path: the ledger.
        copy: read a copy, so that nothing of a damaged file changes; one that was set aside is always read thus.

    Raises:
        LedgerDamaged: not even the epochs can be read.
    """
    with _read_only(path, copy=copy) as connection:
        try:
            columns = {row[1] for row in connection.execute("pragma table_info(epochs)")}
            wanted = "pruned, coalesce(pruned_hash, epoch)" if "pruned" in columns else "0, epoch"
            names = list(connection.execute(f"select epoch, {wanted} from epochs order by made"))  # noqa: S608  # ours
        except sqlite3.DatabaseError as error:
            raise LedgerDamaged(f"{path}: {error}") from error
        return [_epoch(connection, *one) for one in names]


def beside(path: Path) -> tuple[dict[str, str], list[str]]:
    """The small facts (as JSON) and the commands' ids of a ledger that was set aside, as far as they can be read."""
    facts: dict[str, str] = {}
    commands: list[str] = []
    with _read_only(path, copy=True) as connection:
        try:
            facts.update(connection.execute("select key, value from kept"))
            commands += [row[0] for row in connection.execute("select id from commands")]
        except sqlite3.DatabaseError as error:
            _log.warning("%s: not all that was kept beside the rows can be read: %s", path, error)
    return facts, commands


def _epoch(connection: sqlite3.Connection, name: str, pruned: int, prev: str) -> Epoch:
    rows: list[Row] = []
    wired: list[WireRow] = []
    damage = None
    try:
        for body, hash_ in connection.execute("select body, hash from rows where epoch = ? order by seq", [name]):
            one = WireRow(body=body, hash=hash_)
            rows += verified(prev, [one], pruned + len(rows) + 1)
            wired.append(one)
            prev = hash_
    except (sqlite3.DatabaseError, WireError, ValueError) as error:
        damage = str(error)
    return Epoch(name, pruned, rows, wired, damage)


@contextmanager
def _read_only(path: Path, *, copy: bool) -> Iterator[sqlite3.Connection]:
    """The file as SQLite sees it, or a copy of it, because reading a log changes files."""
    with tempfile.TemporaryDirectory(prefix="carrel-ledger-") as folder:
        read = path
        if copy or ".damaged-" in path.name:
            read = Path(folder) / "ledger.db"
            for part in PARTS[:2]:
                one = path.with_name(path.name + part)
                if one.exists():
                    shutil.copyfile(one, read.with_name(read.name + part))
        connection = None
        try:
            connection = sqlite3.connect(f"file:{read}?mode=ro", uri=True)
            yield connection
        except sqlite3.OperationalError as error:
            raise LedgerDamaged(f"{path}: {error}") from error
        finally:
            if connection is not None:
                connection.close()
