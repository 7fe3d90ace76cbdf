"""Claims, and the kiosks that asked with them."""

from typing import Final

import sqlalchemy as sa
from alembic import op

revision: Final = "0009"
down_revision: Final = "0008"
branch_labels: Final = None
depends_on: Final = None


def upgrade() -> None:
    """Create the tables."""
    op.create_table(
        "claims",
        sa.Column("hash", sa.Text, primary_key=True),
        sa.Column("campus", sa.Text, nullable=False),
        sa.Column("kiosk", sa.Text),
        sa.Column("serial", sa.Text),
        sa.Column("count", sa.Integer, nullable=False),
        sa.Column("expires_us", sa.BigInteger, nullable=False),
        sa.Column("created_us", sa.BigInteger, nullable=False),
        sa.Column("created_by", sa.Text, nullable=False),
    )
    op.create_table(
        "enrolments",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("claim", sa.Text, nullable=False),
        sa.Column("campus", sa.Text, nullable=False),
        sa.Column("kiosk", sa.Text, nullable=False),
        sa.Column("serial", sa.Text, nullable=False),
        sa.Column("csr", sa.Text, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("reason", sa.Text),
        sa.Column("replaces", sa.Boolean, nullable=False),
        sa.Column("chain", sa.Text),
        sa.Column("asked_us", sa.BigInteger, nullable=False),
        sa.Column("decided_us", sa.BigInteger),
        sa.Column("decided_by", sa.Text),
    )
    op.create_index("ix_enrolments_newest", "enrolments", ["asked_us", "id"])
    op.create_index("ix_enrolments_claim", "enrolments", ["claim"])
