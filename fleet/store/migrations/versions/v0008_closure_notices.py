"""A closure's notice is of no incident."""

from typing import Final

import sqlalchemy as sa
from alembic import op

revision: Final = "0008"
down_revision: Final = "0007"
branch_labels: Final = None
depends_on: Final = None


def upgrade() -> None:
    """Let a notice have none. SQLite makes the table anew, and would lose what its indexes leave out."""
    is_queued = sa.text("state = 'queued'")
    for name in ("ix_notices_newest", "ix_notices_incident", "ix_notices_queued"):
        op.drop_index(name, "notices")
    with op.batch_alter_table("notices") as notices:
        notices.alter_column("incident", existing_type=sa.Text, nullable=True)
    op.create_index("ix_notices_newest", "notices", ["created_us", "id"])
    op.create_index("ix_notices_incident", "notices", ["incident"])
    op.create_index("ix_notices_queued", "notices", ["next_us"], sqlite_where=is_queued, postgresql_where=is_queued)
