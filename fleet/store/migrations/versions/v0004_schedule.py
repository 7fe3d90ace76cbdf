"""Rooms, bookings, consents, cards, calendars, closures, mandates: the schedule."""

from typing import Final

import sqlalchemy as sa
from alembic import op

revision: Final = "0004"
down_revision: Final = "0003"
branch_labels: Final = None
depends_on: Final = None


def upgrade() -> None:
    """Create the tables."""
    op.create_table(
        "rooms",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("campus", sa.Text, nullable=False),
        sa.Column("name", sa.Text),
        sa.Column("kiosk", sa.Text, sa.ForeignKey("kiosks.id"), unique=True),
        sa.Column("point_person", sa.Text),
        sa.Column("office", sa.Text),
        sa.Column("created_us", sa.BigInteger, nullable=False),
    )
    op.create_table(
        "closures",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("campus", sa.Text, nullable=False),
        sa.Column("from_us", sa.BigInteger, nullable=False),
        sa.Column("to_us", sa.BigInteger, nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("created_us", sa.BigInteger, nullable=False),
        sa.Column("created_by", sa.Text, nullable=False),
    )
    op.create_table(
        "bookings",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("campus", sa.Text, nullable=False),
        sa.Column("room", sa.Text, sa.ForeignKey("rooms.id"), nullable=False),
        sa.Column("therapist", sa.Text, nullable=False),
        sa.Column("start_us", sa.BigInteger, nullable=False),
        sa.Column("end_us", sa.BigInteger, nullable=False),
        sa.Column("model", sa.Text, nullable=False),
        sa.Column("record", sa.Text, nullable=False),
        sa.Column("point_person", sa.Text),
        sa.Column("link", sa.Text),
        sa.Column("late_min", sa.Integer),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("reason", sa.Text),
        sa.Column("settled_us", sa.BigInteger),
        sa.Column("closure", sa.Text, sa.ForeignKey("closures.id")),
        sa.Column("source", sa.Text),
        sa.Column("created_us", sa.BigInteger, nullable=False),
        sa.Column("created_by", sa.Text, nullable=False),
        sa.Column("changed_us", sa.BigInteger, nullable=False),
    )
    op.create_table(
        "booking_students",
        sa.Column("booking", sa.Text, sa.ForeignKey("bookings.id"), nullable=False),
        sa.Column("student", sa.Text, nullable=False),
        sa.Column("goals", sa.Text, nullable=False),
        sa.Column("makes_up", sa.Text),
        sa.PrimaryKeyConstraint("booking", "student", name="pk_booking_students"),
    )
    op.create_table(
        "consents",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("campus", sa.Text, nullable=False),
        sa.Column("student", sa.Text, nullable=False),
        sa.Column("scope", sa.Text, nullable=False),
        sa.Column("since_us", sa.BigInteger, nullable=False),
        sa.Column("until_us", sa.BigInteger),
        sa.Column("revoked_us", sa.BigInteger),
        sa.Column("created_us", sa.BigInteger, nullable=False),
        sa.Column("created_by", sa.Text, nullable=False),
    )
    op.create_table(
        "cards",
        sa.Column("campus", sa.Text, nullable=False),
        sa.Column("number", sa.Integer, nullable=False),
        sa.Column("student", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("campus", "number", name="pk_cards"),
    )
    op.create_table(
        "calendars",
        sa.Column("campus", sa.Text, primary_key=True),
        sa.Column("calendar", sa.Text, nullable=False),
        sa.Column("changed_us", sa.BigInteger, nullable=False),
    )
    op.create_table(
        "mandates",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("campus", sa.Text, nullable=False),
        sa.Column("student", sa.Text, nullable=False),
        sa.Column("minutes", sa.Integer, nullable=False),
        sa.Column("per", sa.Text, nullable=False),
        sa.Column("from_day", sa.Text, nullable=False),
        sa.Column("until_day", sa.Text, nullable=False),
        sa.Column("created_us", sa.BigInteger, nullable=False),
        sa.UniqueConstraint("campus", "student", "per", "from_day", name="uq_mandates"),
    )
    op.create_table(
        "schedules",
        sa.Column("kiosk", sa.Text, sa.ForeignKey("kiosks.id"), primary_key=True),
        sa.Column("campus", sa.Text, nullable=False),
        sa.Column("revision", sa.BigInteger, nullable=False),
        sa.Column("changed_us", sa.BigInteger, nullable=False),
    )
    op.create_index("ix_rooms_campus", "rooms", ["campus"])
    op.create_index("ix_bookings_room", "bookings", ["room", "end_us"])
    op.create_index("ix_bookings_campus", "bookings", ["campus", "start_us", "id"])
    op.create_index("ix_bookings_therapist", "bookings", ["therapist", "end_us"])
    op.create_index("ix_bookings_source", "bookings", ["campus", "source"])
    op.create_index("ix_booking_students_student", "booking_students", ["student"])
    op.create_index("ix_consents_student", "consents", ["student", "campus"])
    op.create_index("ix_consents_revoked", "consents", ["revoked_us"])
    op.create_index("ix_closures_campus", "closures", ["campus", "to_us"])
