"""The kiosks' ledgers in the store: taken in any order and any number of times, acknowledged without holes."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final, NamedTuple

from sqlalchemy import Connection, bindparam, select, tuple_, update

from fleet.clock import micros
from fleet.incoming import Parcel
from fleet.store.engine import insert
from fleet.store.tables import ledger_epochs, ledger_forks, ledger_rows
from wire.ledger import chained

_CHUNK: Final = 500


class _NewRow(NamedTuple):
    """The columns of `ledger_rows` in their order, but for the last."""

    epoch_id: int
    seq: int
    type: str
    session: str | None
    body: str
    hash: str


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of all parcels of one kiosk's epoch in one transaction; true once it is committed."""

    kiosk: str
    campus: str
    epoch: str
    through: int
    """Rows 1 to this one are held and follow from each other."""
    hash: str
    """Of row `through`; of the epoch when that is 0."""
    new_rows: int = 0
    new_epoch: bool = False
    hole_at: int | None = None
    """A parcel began past this seq, which is missing."""
    fork_at: int | None = None
    """The lowest seq that is held with another hash; it and what follows was put aside."""
    stranger_at: int | None = None
    """A parcel follows from another row than the one held with this seq: it differs there or earlier."""
    sessions: frozenset[str] = frozenset()
    """The sessions that got new rows."""
    joined: frozenset[str] = frozenset()
    """The sessions of rows that waited beyond a hole and count now."""


Numbers = dict[tuple[str, str], int]
"""The store's number of each kiosk's epoch met so far: asking by number is far cheaper than by two names."""


def take(connection: Connection, parcels: Iterable[Parcel], at: datetime, numbers: Numbers) -> list[Outcome]:
    """Keep what is new in `parcels`, received at `at`; what is known already is harmless.

    The kiosks themselves must be kept before. Nothing may be acknowledged before the transaction is committed.

    Args:
        connection: from `Database.write`.
        parcels: in any order.
        at: when they came.
        numbers: kept by the caller from call to call, filled here.
    """
    by_ledger: dict[tuple[str, str], list[Parcel]] = defaultdict(list)
    for parcel in parcels:
        by_ledger[parcel.kiosk, parcel.batch.epoch].append(parcel)
    at_us = micros(at)
    books = [
        _Book(connection, row, by_ledger[row.kiosk, row.epoch][0].campus)
        for row in _kept(connection, by_ledger.keys(), at_us, numbers)
    ]
    outcomes = []
    for book in books:
        for parcel in sorted(by_ledger[book.kiosk, book.epoch], key=lambda one: one.batch.first):
            book.take(parcel)
        outcomes.append(book.close())
    _write(connection, books, at_us)
    return outcomes


@dataclass(slots=True)
class _Book:
    """One kiosk's epoch while parcels are added to it."""

    connection: Connection
    kept: Any
    campus: str
    kiosk: str = field(init=False)
    epoch: str = field(init=False)
    through: int = field(init=False)
    hash: str = field(init=False)
    top: int = field(init=False)
    new: dict[int, _NewRow] = field(default_factory=dict)
    aside: list[dict[str, Any]] = field(default_factory=list)
    begins: list[int] = field(default_factory=list)
    fork_at: int | None = None
    stranger_at: int | None = None

    def __post_init__(self) -> None:
        self.kiosk, self.epoch = self.kept.kiosk, self.kept.epoch
        self.through, self.hash, self.top = self.kept.through, self.kept.through_hash, self.kept.top

    def take(self, parcel: Parcel) -> None:
        """Sort the parcel's rows into new, known and those of another branch."""
        first = parcel.batch.first
        if first == self.through + 1 == self.top + 1 and parcel.batch.prev == self.hash:
            self._append(parcel)
            return
        self.begins.append(first)
        held = self._held(first - 1, parcel.last)
        before = held.get(first - 1)
        if before is not None and before != parcel.batch.prev:
            self.stranger_at = min(first - 1, self.stranger_at or first - 1)
            self._put_aside(parcel, first, held)
            return
        for seq, (wired, row) in enumerate(zip(parcel.batch.rows, parcel.rows, strict=True), first):
            known = held.get(seq)
            if known is None:
                self.new[seq] = _NewRow(self.kept.id, seq, row.type, row.session, wired.body, wired.hash)
                self.top = max(self.top, seq)
            elif known != wired.hash:
                self.fork_at = min(seq, self.fork_at or seq)
                self._put_aside(parcel, seq, held)
                return

    def close(self) -> Outcome:
        """Move `through` over every row that follows from the one before it."""
        joined: set[str] = set()
        for seq, body, hash_, session in self._rows_after_through():
            if seq != self.through + 1 or chained(self.hash, body) != hash_:
                break
            self.through, self.hash = seq, hash_
            if session and seq not in self.new:
                joined.add(session)
        return Outcome(
            kiosk=self.kiosk,
            campus=self.campus,
            epoch=self.epoch,
            through=self.through,
            hash=self.hash,
            new_rows=len(self.new),
            new_epoch=self.kept.top == 0,
            hole_at=self.through + 1 if any(begin > self.through + 1 for begin in self.begins) else None,
            fork_at=self.fork_at,
            stranger_at=self.stranger_at,
            sessions=frozenset(row.session for row in self.new.values() if row.session),
            joined=frozenset(joined),
        )

    def _append(self, parcel: Parcel) -> None:
        """Most parcels simply follow on what is held; their own chain was checked when they came."""
        for seq, (wired, row) in enumerate(zip(parcel.batch.rows, parcel.rows, strict=True), self.through + 1):
            self.new[seq] = _NewRow(self.kept.id, seq, row.type, row.session, wired.body, wired.hash)
        self.through = self.top = parcel.last
        self.hash = parcel.batch.rows[-1].hash

    def _held(self, first: int, last: int) -> dict[int, str]:
        """The hashes that stand from seq `first` to `last`; seq 0 is the epoch itself."""
        held = {0: self.epoch, self.through: self.hash}
        if first <= self.kept.top and (first != self.through or self.kept.top > self.through):
            query = select(ledger_rows.c.seq, ledger_rows.c.hash).where(
                ledger_rows.c.epoch_id == self.kept.id, ledger_rows.c.seq.between(first, last)
            )
            held.update((seq, hash_) for seq, hash_ in self.connection.execute(query))
        if self.new:
            held.update((seq, self.new[seq].hash) for seq in range(first, last + 1) if seq in self.new)
        return held

    def _put_aside(self, parcel: Parcel, from_seq: int, held: dict[int, str]) -> None:
        first = parcel.batch.first
        self.aside += [
            {"epoch_id": self.kept.id, "seq": seq, "hash": row.hash, "body": row.body}
            for seq, row in enumerate(parcel.batch.rows[from_seq - first :], from_seq)
            if held.get(seq) != row.hash
        ]

    def _rows_after_through(self) -> Iterator[tuple[int, str, str, str | None]]:
        """Seq, text, hash and session of the rows after `through`, new and old, read as far as they are asked for."""
        seq = self.through + 1
        while seq <= self.top:
            if seq in self.new:
                new = self.new[seq]
                yield seq, new.body, new.hash, new.session
                seq += 1
                continue
            of = ledger_rows.c
            query = select(of.seq, of.body, of.hash, of.session).where(of.epoch_id == self.kept.id, of.seq >= seq)
            found = self.connection.execute(query.order_by(ledger_rows.c.seq).limit(_CHUNK)).all()
            for row in found:
                if row.seq != seq:
                    break
                yield row.seq, row.body, row.hash, row.session
                seq += 1
            else:
                if found:
                    continue
            if seq not in self.new:
                return


def _kept(connection: Connection, wanted: AbstractSet[tuple[str, str]], at_us: int, numbers: Numbers) -> list[Any]:
    """What is held of these ledgers, new ones opened, locked until the transaction ends where the database can."""
    if not wanted:
        return []
    kept = list(connection.execute(_BY_NUMBER, {"ids": [numbers[one] for one in wanted if one in numbers]}))
    missing = list(wanted - {(row.kiosk, row.epoch) for row in kept})
    if missing:
        opening = insert(connection, ledger_epochs).on_conflict_do_nothing(index_elements=["kiosk", "epoch"])
        connection.execute(
            opening,
            [
                {"kiosk": kiosk, "epoch": epoch, "through": 0, "through_hash": epoch, "top": 0, "created_us": at_us}
                for kiosk, epoch in missing
            ],
        )
        by_name = select(ledger_epochs).where(tuple_(ledger_epochs.c.kiosk, ledger_epochs.c.epoch).in_(missing))
        kept += connection.execute(by_name.order_by(ledger_epochs.c.id).with_for_update())
    if len(numbers) > _MOST_NUMBERS:
        numbers.clear()
    numbers.update(((row.kiosk, row.epoch), row.id) for row in kept)
    return kept


_MOST_NUMBERS: Final = 200_000
_BY_NUMBER: Final = (
    select(ledger_epochs)
    .where(ledger_epochs.c.id.in_(bindparam("ids", expanding=True, literal_execute=True)))
    .order_by(ledger_epochs.c.id)
    .with_for_update()
)


def _write(connection: Connection, books: Sequence[_Book], at_us: int) -> None:
    rows = [(*row, at_us) for book in books for row in book.new.values()]
    if rows:
        _insert_rows(connection, rows)
    aside = [{**row, "received_us": at_us} for book in books for row in book.aside]
    if aside:
        connection.execute(insert(connection, ledger_forks).on_conflict_do_nothing(), aside)
    moved = [
        {"book": book.kept.id, "through": book.through, "through_hash": book.hash, "top": book.top}
        for book in books
        if (book.through, book.top) != (book.kept.through, book.kept.top)
    ]
    if moved:
        columns = ("through", "through_hash", "top")
        changing = update(ledger_epochs).where(ledger_epochs.c.id == bindparam("book"))
        connection.execute(changing.values({name: bindparam(name) for name in columns}), moved)


def _insert_rows(connection: Connection, rows: list[tuple[Any, ...]]) -> None:
    """Insert or ignore by the driver itself: per row, SQLAlchemy's own parameters cost more than the database does."""
    statement, positional = _insert_statement(connection)
    if positional:
        connection.exec_driver_sql(statement, rows)
    else:
        names = ledger_rows.columns.keys()
        connection.exec_driver_sql(statement, [dict(zip(names, row, strict=True)) for row in rows])


_STATEMENTS: Final[dict[str, tuple[str, bool]]] = {}


def _insert_statement(connection: Connection) -> tuple[str, bool]:
    """The statement as the driver takes it, compiled once, and whether its parameters go by the columns' order."""
    dialect = connection.dialect.name
    if dialect not in _STATEMENTS:
        compiled = insert(connection, ledger_rows).on_conflict_do_nothing().compile(dialect=connection.dialect)
        by_order = compiled.positional and compiled.positiontup == ledger_rows.columns.keys()
        _STATEMENTS[dialect] = str(compiled), by_order
    return _STATEMENTS[dialect]
