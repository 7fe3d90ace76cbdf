"""Reading a kiosk's ledger back."""

from dataclasses import dataclass

from sqlalchemy import Connection, func, select

from fleet.store.tables import ledger_epochs, ledger_forks, ledger_rows


@dataclass(frozen=True, slots=True)
class KeptRow:
    """One row as it came."""

    seq: int
    body: str
    hash: str
    received_us: int


@dataclass(frozen=True, slots=True)
class Epoch:
    """One ledger file of a kiosk."""

    epoch: str
    through: int
    top: int
    put_aside: int
    """Rows that contradict held ones, kept beside them."""


def after(connection: Connection, kiosk: str, epoch: str, seq: int, limit: int) -> list[KeptRow]:
    """The rows after `seq`, oldest first."""
    query = (
        select(ledger_rows.c.seq, ledger_rows.c.body, ledger_rows.c.hash, ledger_rows.c.received_us)
        .join(ledger_epochs, ledger_epochs.c.id == ledger_rows.c.epoch_id)
        .where(ledger_epochs.c.kiosk == kiosk, ledger_epochs.c.epoch == epoch, ledger_rows.c.seq > seq)
        .order_by(ledger_rows.c.seq)
        .limit(limit)
    )
    return [KeptRow(*row) for row in connection.execute(query)]


def epochs(connection: Connection, kiosk: str) -> list[Epoch]:
    """A kiosk's ledgers, oldest first."""
    aside = (
        select(func.count())
        .where(ledger_forks.c.epoch_id == ledger_epochs.c.id)
        .correlate(ledger_epochs)
        .scalar_subquery()
    )
    query = (
        select(ledger_epochs.c.epoch, ledger_epochs.c.through, ledger_epochs.c.top, aside)
        .where(ledger_epochs.c.kiosk == kiosk)
        .order_by(ledger_epochs.c.id)
    )
    return [Epoch(*row) for row in connection.execute(query)]
