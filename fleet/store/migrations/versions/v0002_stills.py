"""Worksheet stills; the audit's rows are chained, those that are there already too."""

from typing import Final

import sqlalchemy as sa
from alembic import op

from fleet.store.audit import BEGINNING, chained

revision: Final = "0002"
down_revision: Final = "0001"
branch_labels: Final = None
depends_on: Final = None


def upgrade() -> None:
    """Create the new table and chain the audit."""
    op.create_table(
        "stills",
        sa.Column("id", sa.Text, sa.ForeignKey("commands.id"), primary_key=True),
        sa.Column("kiosk", sa.Text, sa.ForeignKey("kiosks.id"), nullable=False),
        sa.Column("campus", sa.Text, nullable=False),
        sa.Column("session", sa.Text),
        sa.Column("captured_us", sa.BigInteger),
        sa.Column("received_us", sa.BigInteger, nullable=False),
        sa.Column("role", sa.Text),
        sa.Column("view", sa.Text),
        sa.Column("origin", sa.Text),
        sa.Column("px_per_mm", sa.Float),
        sa.Column("width_px", sa.Integer),
        sa.Column("height_px", sa.Integer),
        sa.Column("bytes", sa.Integer),
        sa.Column("hash", sa.Text),
        sa.Column("sharp", sa.Boolean),
        sa.Column("key_id", sa.Text),
        sa.Column("sealed", sa.LargeBinary),
        sa.Column("unusable", sa.Text),
        sa.Column("destroyed_us", sa.BigInteger),
        sa.Column("destroyed_why", sa.Text),
    )
    op.create_index("ix_stills_session", "stills", ["session", "received_us"])
    op.add_column("audit", sa.Column("campus", sa.Text))
    op.add_column("audit", sa.Column("hash", sa.Text, nullable=False, server_default=""))
    op.create_table(
        "audit_head",
        sa.Column("id", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("last", sa.BigInteger, nullable=False),
        sa.Column("hash", sa.Text, nullable=False),
    )
    _chain()


def _chain() -> None:
    connection, last, hash_ = op.get_bind(), 0, BEGINNING
    rows = connection.execute(sa.text("select id, at_us, who, what, about, detail, campus from audit order by id"))
    for row in rows.all():
        last, hash_ = row.id, chained(hash_, row)
        connection.execute(sa.text("update audit set hash = :hash where id = :id"), {"hash": hash_, "id": last})
    connection.execute(
        sa.text("insert into audit_head (id, last, hash) values (1, :last, :hash)"), {"last": last, "hash": hash_}
    )
