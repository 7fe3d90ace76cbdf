"""Of which booking a session is, so that a board finds it."""

from typing import Final

import sqlalchemy as sa
from alembic import op

revision: Final = "0006"
down_revision: Final = "0005"
branch_labels: Final = None
depends_on: Final = None


def upgrade() -> None:
    """Add the column; sessions that are held already are folded once more, which fills it."""
    op.add_column("sessions", sa.Column("booking", sa.Text))
    held = sa.text("booking is not null")
    op.create_index("ix_sessions_booking", "sessions", ["booking"], sqlite_where=held, postgresql_where=held)
    op.execute(sa.text("update sessions set due = true"))
