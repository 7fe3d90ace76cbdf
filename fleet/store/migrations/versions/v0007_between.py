"""Which call of a room an incident is of; what clinicians confirm; whom a session was begun for."""

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
    op.create_table(
        "confirmations",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("session", sa.Text, sa.ForeignKey("sessions.id"), nullable=False),
        sa.Column("provided_ms", sa.BigInteger, nullable=False),
        sa.Column("reason", sa.Text),
        sa.Column("note", sa.Text),
        sa.Column("who", sa.Text, nullable=False),
        sa.Column("clinician", sa.Text),
        sa.Column("at_us", sa.BigInteger, nullable=False),
    )
    op.create_index("ix_confirmations_session", "confirmations", ["session", "id"])
    op.create_table(
        "session_students",
        sa.Column("session", sa.Text, sa.ForeignKey("sessions.id"), nullable=False),
        sa.Column("student", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("session", "student", name="pk_session_students"),
    )
    op.create_index("ix_session_students_student", "session_students", ["student"])
    op.execute(sa.text("update sessions set due = true"))  # folded once more, which fills the table
