"""Which call of a room an incident is of."""

from typing import Final

import sqlalchemy as sa
from alembic import op

revision: Final = "0007"
down_revision: Final = "0006"
branch_labels: Final = None
depends_on: Final = None


def upgrade() -> None:
    """Add the columns; an open call of before is one that did not say which."""
    op.add_column("calls", sa.Column("call", sa.Text))
    op.add_column("incidents", sa.Column("call", sa.Text))
    incidents = sa.table("incidents", *(sa.column(name) for name in ("call", "signal", "state")))
    is_call = sa.and_(incidents.c.signal.in_(["help.adult", "help.other"]), incidents.c.state == "open")
    op.execute(sa.update(incidents).where(is_call).values(call=""))
