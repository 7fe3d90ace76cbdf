"""First light: kiosks, ledger, sessions, health, commands, people, audit."""

from typing import Final

import sqlalchemy as sa
from alembic import op

revision: Final = "0001"
down_revision: Final = None
branch_labels: Final = None
depends_on: Final = None


def upgrade() -> None:
    """Create the first tables."""
    _kiosks()
    _ledger()
    _sessions()
    _people()


def _kiosks() -> None:
    op.create_table(
        "kiosks",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("campus", sa.Text, nullable=False),
        sa.Column("first_seen_us", sa.BigInteger, nullable=False),
        sa.Column("birth", sa.BigInteger, nullable=False),
        sa.Column("boot", sa.Text),
        sa.Column("version", sa.Text),
        sa.Column("epoch", sa.Text),
        sa.Column("heard_us", sa.BigInteger),
        sa.Column("online_since_us", sa.BigInteger),
        sa.Column("dead_us", sa.BigInteger),
        sa.Column("readiness", sa.Text),
        sa.Column("readiness_us", sa.BigInteger),
        sa.Column("health", sa.Text),
        sa.Column("health_us", sa.BigInteger),
    )
    op.create_table(
        "health_samples",
        sa.Column("kiosk", sa.Text, sa.ForeignKey("kiosks.id"), nullable=False),
        sa.Column("received_us", sa.BigInteger, nullable=False),
        sa.Column("health", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("kiosk", "received_us", name="pk_health_samples"),
    )
    op.create_table(
        "commands",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("kiosk", sa.Text, sa.ForeignKey("kiosks.id"), nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("args", sa.Text, nullable=False),
        sa.Column("created_by", sa.Text, nullable=False),
        sa.Column("created_us", sa.BigInteger, nullable=False),
        sa.Column("expires_us", sa.BigInteger, nullable=False),
        sa.Column("replied_us", sa.BigInteger),
        sa.Column("reply", sa.Text),
        sa.Column("error", sa.Text),
    )


def _ledger() -> None:
    op.create_table(
        "ledger_epochs",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("kiosk", sa.Text, sa.ForeignKey("kiosks.id"), nullable=False),
        sa.Column("epoch", sa.Text, nullable=False),
        sa.Column("through", sa.BigInteger, nullable=False),
        sa.Column("through_hash", sa.Text, nullable=False),
        sa.Column("top", sa.BigInteger, nullable=False),
        sa.Column("created_us", sa.BigInteger, nullable=False),
        sa.UniqueConstraint("kiosk", "epoch", name="uq_ledger_epochs_kiosk_epoch"),
    )
    op.create_table(
        "ledger_rows",
        sa.Column("epoch_id", sa.Integer, sa.ForeignKey("ledger_epochs.id"), nullable=False),
        sa.Column("seq", sa.BigInteger, nullable=False),
        sa.Column("type", sa.Text, nullable=False),
        sa.Column("session", sa.Text),
        sa.Column("body", sa.Text, nullable=False),
        sa.Column("hash", sa.Text, nullable=False),
        sa.Column("received_us", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("epoch_id", "seq", name="pk_ledger_rows"),
    )
    op.create_index(
        "ix_ledger_rows_session",
        "ledger_rows",
        ["session"],
        sqlite_where=sa.text("session is not null"),
        postgresql_where=sa.text("session is not null"),
    )
    op.create_table(
        "ledger_forks",
        sa.Column("epoch_id", sa.Integer, sa.ForeignKey("ledger_epochs.id"), nullable=False),
        sa.Column("seq", sa.BigInteger, nullable=False),
        sa.Column("hash", sa.Text, nullable=False),
        sa.Column("body", sa.Text, nullable=False),
        sa.Column("received_us", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("epoch_id", "seq", "hash", name="pk_ledger_forks"),
    )


def _sessions() -> None:
    op.create_table(
        "sessions",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("kiosk", sa.Text, sa.ForeignKey("kiosks.id"), nullable=False),
        sa.Column("campus", sa.Text, nullable=False),
        sa.Column("order_us", sa.BigInteger, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("started_us", sa.BigInteger),
        sa.Column("ended_us", sa.BigInteger),
        sa.Column("started_by", sa.Text),
        sa.Column("ended_by", sa.Text),
        sa.Column("clock", sa.Text, nullable=False),
        sa.Column("minutes", sa.Text, nullable=False),
        sa.Column("timeline", sa.Text, nullable=False),
        sa.Column("complete", sa.Boolean, nullable=False),
        sa.Column("fold_version", sa.Integer, nullable=False),
        sa.Column("received_us", sa.BigInteger, nullable=False),
        sa.Column("is_open", sa.Boolean, nullable=False),
        sa.Column("due", sa.Boolean, nullable=False),
    )
    op.create_index("ix_sessions_order", "sessions", ["order_us", "id"])
    op.create_index("ix_sessions_kiosk", "sessions", ["kiosk", "order_us"])
    op.create_index(
        "ix_sessions_due", "sessions", ["due"], sqlite_where=sa.text("due = 1"), postgresql_where=sa.text("due")
    )
    op.create_index(
        "ix_sessions_open",
        "sessions",
        ["kiosk"],
        sqlite_where=sa.text("is_open = 1"),
        postgresql_where=sa.text("is_open"),
    )


def _people() -> None:
    op.create_table(
        "people",
        sa.Column("name", sa.Text, primary_key=True),
        sa.Column("role", sa.Text, nullable=False),
        sa.Column("campuses", sa.Text),
        sa.Column("created_us", sa.BigInteger, nullable=False),
    )
    op.create_table(
        "credentials",
        sa.Column("hash", sa.Text, primary_key=True),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("person", sa.Text, sa.ForeignKey("people.name", ondelete="CASCADE"), nullable=False),
        sa.Column("created_us", sa.BigInteger, nullable=False),
        sa.Column("expires_us", sa.BigInteger),
    )
    op.create_index("ix_credentials_person", "credentials", ["person"])
    op.create_table(
        "audit",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("at_us", sa.BigInteger, nullable=False),
        sa.Column("who", sa.Text, nullable=False),
        sa.Column("what", sa.Text, nullable=False),
        sa.Column("about", sa.Text),
        sa.Column("detail", sa.Text),
    )
