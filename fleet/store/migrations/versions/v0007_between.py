"""Which call of a room an incident is of; what clinicians and rooms say; whom a session was begun for."""

import json
from datetime import UTC, datetime
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
    op.create_table(
        "booking_reasons",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("booking", sa.Text, sa.ForeignKey("bookings.id"), nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("who", sa.Text, nullable=False),
        sa.Column("clinician", sa.Text),
        sa.Column("at_us", sa.BigInteger, nullable=False),
    )
    op.create_index("ix_booking_reasons_booking", "booking_reasons", ["booking", "id"])
    op.create_table(
        "room_words",
        sa.Column("epoch_id", sa.Integer, sa.ForeignKey("ledger_epochs.id"), nullable=False),
        sa.Column("seq", sa.BigInteger, nullable=False),
        sa.Column("kiosk", sa.Text, sa.ForeignKey("kiosks.id"), nullable=False),
        sa.Column("campus", sa.Text, nullable=False),
        sa.Column("type", sa.Text, nullable=False),
        sa.Column("session", sa.Text),
        sa.Column("booking", sa.Text),
        sa.Column("student", sa.Text),
        sa.Column("reason", sa.Text),
        sa.Column("about", sa.Text),
        sa.Column("at_us", sa.BigInteger, nullable=False),
        sa.Column("clock", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("epoch_id", "seq", name="pk_room_words"),
    )
    for name in ("booking", "session"):
        held = sa.text(f"{name} is not null")
        op.create_index(f"ix_room_words_{name}", "room_words", [name], sqlite_where=held, postgresql_where=held)
    _said_before()


def _said_before() -> None:
    """What rooms said in rows that are held already."""
    told = op.get_bind().execute(
        sa.text(
            "select r.epoch_id, r.seq, r.type, r.session, r.body, e.kiosk, k.campus from ledger_rows r "
            "join ledger_epochs e on e.id = r.epoch_id join kiosks k on k.id = e.kiosk "
            "where r.type in ('reason.given', 'reason.skipped', 'student.absent')"
        )
    )
    names = ("kiosk", "campus", "type", "session", "booking", "student", "reason", "about", "clock")
    numbers = (sa.column("epoch_id", sa.Integer), sa.column("seq", sa.BigInteger), sa.column("at_us", sa.BigInteger))
    words = sa.table("room_words", *numbers, *(sa.column(name, sa.Text) for name in names))
    for row in told.all():
        body = json.loads(row.body)
        data = {name: body["data"].get(name) for name in ("booking", "student", "reason", "about")}
        if not all(one is None or (isinstance(one, str) and len(one) <= _LONGEST) for one in data.values()):
            continue
        since = datetime.fromisoformat(body["at"]) - datetime(1970, 1, 1, tzinfo=UTC)
        at_us = (since.days * 86_400 + since.seconds) * 1_000_000 + since.microseconds
        found = {name: getattr(row, name) for name in ("epoch_id", "seq", "kiosk", "campus", "type", "session")}
        op.execute(sa.insert(words).values(**found, **data, at_us=at_us, clock=body["clock"]))


_LONGEST: Final = 80
