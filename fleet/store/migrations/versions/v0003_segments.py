"""Sealed segments that kiosks send."""

from typing import Final

import sqlalchemy as sa
from alembic import op

revision: Final = "0003"
down_revision: Final = "0002"
branch_labels: Final = None
depends_on: Final = None


def upgrade() -> None:
    """Create the table."""
    op.create_table(
        "segments",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("kiosk", sa.Text, sa.ForeignKey("kiosks.id"), nullable=False),
        sa.Column("campus", sa.Text, nullable=False),
        sa.Column("session", sa.Text),
        sa.Column("role", sa.Text, nullable=False),
        sa.Column("started_us", sa.BigInteger, nullable=False),
        sa.Column("clock", sa.Text, nullable=False),
        sa.Column("ms", sa.BigInteger, nullable=False),
        sa.Column("bytes", sa.BigInteger, nullable=False),
        sa.Column("hash", sa.Text, nullable=False),
        sa.Column("announced_us", sa.BigInteger, nullable=False),
        sa.Column("stored_us", sa.BigInteger),
        sa.Column("destroyed_us", sa.BigInteger),
        sa.Column("destroyed_why", sa.Text),
    )
    op.create_index("ix_segments_session", "segments", ["session", "started_us"])
