"""The durable journal of session facts and its outbox: one SQLite file, WAL, synchronous FULL, rows chained by hash.

All calls come from one thread (see `journal.py`): SQLite before 3.51.3 can damage a WAL file when two connections write
or checkpoint at once, and Debian 12 has 3.40.
"""

import contextlib
import json
import logging
import sqlite3
import uuid
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final, Self

from sqlite_utils import Database
from sqlite_utils.migrations import Migrations

from device.errors import AnswerRefused, LedgerDamaged, LedgerUnwritable
from device.session.clock import Instant
from device.session.fleet_answers import Held, check
from device.session.ledger_files import cannot_be_read, look_at_files
from device.session.pruning import prunable_through
from device.session.states import Fact
from wire.cards import by_card
from wire.errors import BadPayload, WireError
from wire.ledger import Row, body_of, chained, checked, distinct, row_of, verified
from wire.messages import LedgerAck, LedgerBatch, WireRow

_log = logging.getLogger(__name__)

BATCH_ROWS: Final = 250
BATCH_BYTES: Final = 128 * 1024
ROW_CHARACTERS: Final = 16_384
"""A longer row could never be sent (`wire.messages.WireRow`)."""
_VERIFIED_ROWS: Final = 1_000
"""The chain of the newest rows is looked at on opening; more would make a start slow."""

migrations: Final = Migrations("carrel-kiosk-ledger")


@migrations()
def first(db: Database) -> None:
    """Rows by epoch and seq, what of them the fleet holds, and small durable facts beside them."""
    db.table("epochs").create(
        {"epoch": str, "acked": int, "made": int}, pk="epoch", not_null={"acked", "made"}, strict=True
    )
    db.table("rows").create(
        {"epoch": str, "seq": int, "type": str, "session": str, "body": str, "hash": str},
        pk=("epoch", "seq"), not_null={"type", "body", "hash"}, strict=True,
    )  # fmt: skip
    db.table("rows").create_index(["session", "epoch", "seq"])
    db.table("kept").create({"key": str, "value": str}, pk="key", strict=True)
    db.table("commands").create({"id": str}, pk="id", strict=True)


@migrations()
def pruned(db: Database) -> None:
    """Through which row an epoch was pruned, and that row's hash, from which the next one follows."""
    db.table("epochs").add_column("pruned", int, not_null_default=0)
    db.table("epochs").add_column("pruned_hash", str)


@migrations()
def by_type(db: Database) -> None:
    """What a start asks for is a few rows of a few types; looking through a million for them took longer than that."""
    db.table("rows").create_index(["type"])


class Ledger:
    """Append-only rows, each known by `(epoch, seq)`; `seq` starts at 1 and has no holes."""

    def __init__(self, db: Database) -> None:
        self._db = db
        self._unwritten: list[tuple[Row, str, str]] = []
        self._seq = self._acked = self._pruned = 0
        self._head = ""
        self._pruned_hash = ""
        self._acked_lost = False
        found = list(db.query("select epoch from epochs order by made desc limit 1"))
        self.epoch: str = found[0]["epoch"] if found else self._begin(str(uuid.uuid4()), 1)
        self._load()

    @classmethod
    def open(cls, path: Path) -> Self:
        """The ledger at `path`, made if it is missing.

        Raises:
            LedgerDamaged: the file is no ledger.
            LedgerUnwritable: the folder cannot be written.
        """
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            look_at_files(path)
            with contextlib.ExitStack() as on_failure:
                connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
                on_failure.callback(connection.close)
                connection.executescript("pragma journal_mode=wal; pragma synchronous=full; pragma busy_timeout=5000")
                db = Database(connection)
                if db.execute("pragma quick_check(1)").fetchone()[0] != "ok":
                    raise LedgerDamaged(f"{path}: SQLite finds the file damaged")
                migrations.apply(db)
                ledger = cls(db)
                ledger._verify()
                on_failure.pop_all()
                return ledger
        except sqlite3.OperationalError as error:
            kind = LedgerDamaged if cannot_be_read(error) else LedgerUnwritable
            raise kind(f"{path}: {error}") from error
        except OSError as error:
            raise LedgerUnwritable(f"{path}: {error.strerror or error}") from error
        except (sqlite3.DatabaseError, WireError) as error:
            raise LedgerDamaged(f"{path}: {error}") from error

    def append(self, facts: Sequence[Fact]) -> list[Row]:
        """Write `facts` as rows, all or none, durable on return.

        Raises:
            BadPayload: a fact that fits no type, or is too long; none of `facts` is kept or has a number.
            LedgerUnwritable: the disk refuses; the rows have their numbers, are kept in memory and go first next time.
            LedgerDamaged: as above, but the file itself is found damaged.
        """
        rows = [as_row(fact, seq) for seq, fact in enumerate(facts, self._seq + 1)]
        self._chain(rows)
        self.write_waiting()
        return rows

    def write_waiting(self) -> None:
        """Write what is in memory only; raises `LedgerUnwritable` and `LedgerDamaged` as `append` does."""
        if not self._unwritten:
            return
        with self._writing("the ledger"), self._db.atomic():
            self._db.table("rows").insert_all(
                {
                    "epoch": self.epoch, "seq": row.seq, "type": row.type, "session": row.session,
                    "body": body, "hash": hash_,
                }
                for row, body, hash_ in self._unwritten
            )  # fmt: skip
        self._unwritten.clear()

    @property
    def head(self) -> int:
        """The last seq given out."""
        return self._seq

    @property
    def durable(self) -> int:
        """The last seq on the disk."""
        return self._unwritten[0][0].seq - 1 if self._unwritten else self._seq

    @property
    def acked(self) -> int:
        """The seq through which the fleet has committed."""
        return self._acked

    def batch(self, after: int, most_bytes: int = BATCH_BYTES) -> LedgerBatch | None:
        """The next rows to send after seq `after`, oldest first, bounded in number and bytes; one at least."""
        rows: list[WireRow] = []
        size = 0
        for row in self._db.query(
            "select body, hash from rows where epoch = ? and seq > ? order by seq limit ?",
            [self.epoch, after, BATCH_ROWS],
        ):
            size += len(row["body"].encode()) + 100
            if rows and size > most_bytes:
                break
            rows.append(WireRow.model_construct(body=row["body"], hash=row["hash"]))
        if not rows:
            return None
        return LedgerBatch(epoch=self.epoch, first=after + 1, prev=self._hash(after), rows=tuple(rows))

    def take_ack(self, ack: LedgerAck, sent: int | None = None) -> None:
        """Learn what the fleet holds.

        Args:
            ack: its answer.
            sent: the last seq sent since this agent came up, where somebody counts.

        Raises:
            AnswerRefused: it is not about these rows, or asks for rows that are not kept any more.
            LedgerUnwritable: a new epoch cannot be opened; the fleet asks again.
        """
        check(ack, Held(self.epoch, self.durable, sent, self._hash))
        if ack.fork_at is not None:
            self.fork(ack.fork_at)
        elif ack.replay_from is not None:
            if ack.replay_from <= self._pruned:
                kept = self._pruned + 1
                self.fork(kept)  # else the fleet would wait for ever for what nobody has, and acknowledge nothing more
                raise AnswerRefused(
                    f"a replay from row {ack.replay_from}, and rows are kept from {kept} on; "
                    f"these are sent again as epoch {self.epoch}"
                )
            self._remember_acked(min(self._acked, ack.replay_from - 1))
        elif ack.through is not None:
            self._remember_acked(max(self._acked, ack.through))

    def prune(self, now: Instant) -> int:
        """Delete rows that the fleet holds and that are older than 30 days; how many.

        Raises:
            LedgerUnwritable: nothing was deleted.
        """
        with self._writing("what was pruned"), self._db.atomic():
            through = prunable_through(self._db, self.epoch, self._pruned, self._acked, now)
            if through <= self._pruned:
                return 0
            hash_ = self._hash(through)
            self._db.execute("delete from rows where epoch = ? and seq <= ?", [self.epoch, through])
            self._db.execute(
                "update epochs set pruned = ?, pruned_hash = ? where epoch = ?", [through, hash_, self.epoch]
            )
        deleted, self._pruned, self._pruned_hash = through - self._pruned, through, hash_
        return deleted

    def fork(self, at_seq: int) -> None:
        """Open a new epoch and copy the rows from `at_seq` on into it: the fleet holds others by their numbers.

        Raises:
            LedgerUnwritable: the disk refuses; the ledger goes on in the old epoch, and the fleet will ask again.
        """
        self.write_waiting()
        self.go_on_from(self.epoch, at_seq, self.rows(after=at_seq - 1))

    def go_on_from(self, old: str, at_seq: int, rows: Sequence[Row]) -> None:
        """Open a new epoch with copies of `rows`, which begin at `at_seq` of epoch `old`; raises as `fork` does."""
        moved = [row for row in rows if row.type != "ledger.forked"]
        made = self._db.execute("select max(made) from epochs").fetchone()[0]
        before = self.epoch, self._seq, self._acked, self._head, self._pruned, self._pruned_hash
        try:
            with self._writing("a new epoch"), self._db.atomic():
                self._begin(str(uuid.uuid4()), made + 1)
                if moved:
                    note = {"type": "ledger.forked", "session": None, "data": {"epoch": old, "seq": at_seq}}
                    copies = [moved[0].model_copy(update=note), *moved]
                    self._chain([row.model_copy(update={"seq": seq}) for seq, row in enumerate(copies, 1)])
                    self.write_waiting()
        except BaseException:
            self.epoch, self._seq, self._acked, self._head, self._pruned, self._pruned_hash = before
            self._unwritten.clear()  # copies; the rows themselves stand in the old epoch
            raise
        _log.warning("ledger forked at %d: epoch %s goes on as %s", at_seq, old, self.epoch)

    def rows(self, after: int = 0, limit: int = -1) -> list[Row]:
        """The rows of the current epoch after seq `after`."""
        query = "select body from rows where epoch = ? and seq > ? order by seq limit ?"
        return [row_of(row["body"]) for row in self._db.query(query, [self.epoch, after, limit])]

    def newest(self, limit: int) -> list[Row]:
        """The last `limit` rows of this epoch that are still kept, oldest first."""
        return self.rows(max(0, self.durable - limit))

    def session_rows(self, session: str) -> list[Row]:
        """The rows of one session through all epochs, each fact once."""
        query = "select body from rows join epochs using (epoch) where session = ? order by made, seq"
        return distinct(row_of(row["body"]) for row in self._db.query(query, [session]))

    def last_session(self) -> str | None:
        """The id of the session that was started last."""
        query = (
            "select session from rows join epochs using (epoch) "
            "where type = 'session.started' order by made desc, seq desc limit 1"
        )
        return next((row["session"] for row in self._db.query(query)), None)

    def booked(self) -> frozenset[str]:
        """The bookings that had their session; one that was cancelled was none."""
        query = (
            "select body from rows where type = 'session.started' "
            "and session not in (select session from rows where type = 'session.cancelled')"
        )
        bookings = (row_of(row["body"]).data.get("booking") for row in self._db.query(query))
        return frozenset(booking for booking in bookings if booking)

    def segments(self) -> frozenset[str]:
        """The segments of which a row says that they are sealed or recovered."""
        query = "select body from rows where type in ('segment.sealed', 'segment.recovered')"
        return frozenset(str(row_of(row["body"]).data["segment"]) for row in self._db.query(query))

    def telling(self, session: str, types: frozenset[str]) -> list[tuple[str, Row]]:
        """The rows of a session of these types with their epochs, newest first."""
        query = "select epoch, body from rows join epochs using (epoch) where session = ? order by made desc, seq desc"
        found = ((row["epoch"], row_of(row["body"])) for row in self._db.query(query, [session]))
        return [(epoch, row) for epoch, row in found if row.type in types]

    def wrong_students(self) -> frozenset[str]:
        """The sessions of which somebody said that another student sat there; what a card says destroys nothing."""
        query = "select session, body from rows where type = 'student.wrong' and session is not null"
        return frozenset(row["session"] for row in self._db.query(query) if not by_card(row_of(row["body"]).data))

    def overdue(self) -> frozenset[str]:
        """The bookings of which it is already written that nobody pressed for them."""
        return self.named("start.overdue", "booking")

    def named(self, type_: str, field: str) -> frozenset[str]:
        """What the rows of a type name in one field, such as bookings."""
        rows = self._db.query("select body from rows where type = ?", [type_])
        found = (row_of(row["body"]).data.get(field) for row in rows)
        return frozenset(str(booking) for booking in found if booking is not None)

    def oldest_unacked(self) -> Row | None:
        """The oldest row that the fleet has not confirmed."""
        return next(iter(self.rows(after=self._acked, limit=1)), None)

    def backlog_bytes(self) -> int:
        """How many bytes of rows wait for the fleet."""
        query = "select coalesce(sum(length(body)), 0) from rows where epoch = ? and seq > ?"
        return int(self._db.execute(query, [self.epoch, self._acked]).fetchone()[0])

    def keep(self, key: str, value: Any) -> None:
        """Remember a small durable fact; raises `LedgerUnwritable`."""
        with self._writing(key), self._db.atomic():
            self._db.table("kept").insert({"key": key, "value": json.dumps(value)}, replace=True)

    def kept(self, key: str) -> Any:
        """A small durable fact, or None."""
        row = self._db.execute("select value from kept where key = ?", [key]).fetchone()
        return None if row is None else json.loads(row[0])

    def first_time(self, command: str) -> bool:
        """Whether a command id is new; it is remembered before this returns. Raises `LedgerUnwritable`."""
        with self._writing("a command's id"), self._db.atomic():
            cursor = self._db.execute("insert or ignore into commands (id) values (?)", [command])
            return cursor.rowcount == 1

    def close(self) -> None:
        """Close the file."""
        self._db.close()

    @contextlib.contextmanager
    def _writing(self, what: str) -> Iterator[None]:
        try:
            yield
        except (sqlite3.OperationalError, OSError) as error:
            raise LedgerUnwritable(f"{what} cannot be written: {error}") from error
        except sqlite3.DatabaseError as error:
            raise LedgerDamaged(f"{what} cannot be written: {error}") from error

    def _chain(self, rows: Sequence[Row]) -> None:
        """Number `rows` on from the head; they wait in memory until they are written."""
        for row in rows:
            body = body_of(row)
            self._head = chained(self._head, body)
            self._unwritten.append((row, body, self._head))
        self._seq += len(rows)

    def _verify(self) -> None:
        """Look at the newest rows; raises `WireError` when they do not follow from each other."""
        after = max(self._pruned, self._seq - _VERIFIED_ROWS)
        query = "select body, hash from rows where epoch = ? and seq > ? order by seq"
        kept = [WireRow.model_construct(**row) for row in self._db.query(query, [self.epoch, after])]
        verified(self._hash(after), kept, after + 1)

    def _begin(self, epoch: str, made: int) -> str:
        self._db.table("epochs").insert({"epoch": epoch, "acked": 0, "made": made})
        self.epoch, self._seq, self._acked, self._head = epoch, 0, 0, epoch
        self._pruned, self._pruned_hash = 0, epoch
        return epoch

    def _load(self) -> None:
        query = "select acked, pruned, coalesce(pruned_hash, epoch) from epochs where epoch = ?"
        self._acked, self._pruned, self._pruned_hash = self._db.execute(query, [self.epoch]).fetchone()
        last = self._db.execute(
            "select seq, hash from rows where epoch = ? order by seq desc limit 1", [self.epoch]
        ).fetchone()
        self._seq, self._head = last or (self._pruned, self._pruned_hash)

    def _hash(self, seq: int) -> str:
        if seq == self._pruned:
            return self._pruned_hash
        row = self._db.execute("select hash from rows where epoch = ? and seq = ?", [self.epoch, seq]).fetchone()
        return str(row[0]) if row else ""

    def _remember_acked(self, through: int) -> None:
        if through == self._acked:
            return
        self._acked = through
        try:
            with self._writing("what the fleet holds"), self._db.atomic():
                self._db.execute("update epochs set acked = ? where epoch = ?", [through, self.epoch])
        except LedgerUnwritable as error:  # forgotten at the next boot, then rows are sent twice, which harms nobody
            _log.log(logging.DEBUG if self._acked_lost else logging.WARNING, "%s", error)
            self._acked_lost = True
        else:
            self._acked_lost = False


def as_row(fact: Fact, seq: int) -> Row:
    """`fact` as the row with number `seq`; raises `BadPayload` when its data do not fit its type or are too long."""
    at = fact.at
    row = Row(
        seq=seq, type=fact.type, session=fact.session, at=at.wall, mono_ns=at.mono_ns, boot=at.boot, clock=at.trust,
        data=checked(fact.type, fact.data),
    )  # fmt: skip
    if len(body_of(row)) > ROW_CHARACTERS:
        raise BadPayload(f"{fact.type}: a row of more than {ROW_CHARACTERS} characters")
    return row
