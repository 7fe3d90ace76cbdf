"""The tables of the schedule: rooms, bookings, consents, cards, calendars, closures, mandates.

Times and JSON are kept as in `fleet.store.tables`; days are texts such as `2026-11-24`, in the campus's own time.
"""

from typing import Final

from sqlalchemy import (
    BigInteger,
    Column,
    ForeignKey,
    Index,
    Integer,
    PrimaryKeyConstraint,
    Table,
    Text,
    UniqueConstraint,
)

from fleet.store.tables import metadata

rooms: Final = Table(
    "rooms",
    metadata,
    Column("id", Text, primary_key=True),
    Column("campus", Text, nullable=False),
    Column("name", Text),
    Column("kiosk", Text, ForeignKey("kiosks.id"), unique=True),
    Column("point_person", Text),
    Column("office", Text),
    Column("created_us", BigInteger, nullable=False),
)
"""Where bookings belong: a kiosk may be exchanged, its room stays. `point_person` is a reference or a role, no name.

`name` is null while nobody gave it one: then it is called as its kiosk says.
"""

Index("ix_rooms_campus", rooms.c.campus)

bookings: Final = Table(
    "bookings",
    metadata,
    Column("id", Text, primary_key=True),
    Column("campus", Text, nullable=False),
    Column("room", Text, ForeignKey("rooms.id"), nullable=False),
    Column("therapist", Text, nullable=False),
    Column("start_us", BigInteger, nullable=False),
    Column("end_us", BigInteger, nullable=False),
    Column("model", Text, nullable=False),
    Column("record", Text, nullable=False),
    Column("point_person", Text),
    Column("link", Text),
    Column("late_min", Integer),
    Column("state", Text, nullable=False),
    Column("reason", Text),
    Column("settled_us", BigInteger),
    Column("closure", Text, ForeignKey("closures.id")),
    Column("source", Text),
    Column("created_us", BigInteger, nullable=False),
    Column("created_by", Text, nullable=False),
    Column("changed_us", BigInteger, nullable=False),
)
"""Planned sessions. `state`: planned, cancelled or settled; `source`: of what calendar entry it was made."""

Index("ix_bookings_room", bookings.c.room, bookings.c.end_us)
Index("ix_bookings_campus", bookings.c.campus, bookings.c.start_us, bookings.c.id)
Index("ix_bookings_therapist", bookings.c.therapist, bookings.c.end_us)
Index("ix_bookings_source", bookings.c.campus, bookings.c.source)

booking_students: Final = Table(
    "booking_students",
    metadata,
    Column("booking", Text, ForeignKey("bookings.id"), nullable=False),
    Column("student", Text, nullable=False),
    Column("goals", Text, nullable=False),
    Column("makes_up", Text),
    PrimaryKeyConstraint("booking", "student", name="pk_booking_students"),
)
"""Who is booked: opaque references. `goals` is a JSON list of opaque codes."""

Index("ix_booking_students_student", booking_students.c.student)

consents: Final = Table(
    "consents",
    metadata,
    Column("id", Text, primary_key=True),
    Column("campus", Text, nullable=False),
    Column("student", Text, nullable=False),
    Column("scope", Text, nullable=False),
    Column("since_us", BigInteger, nullable=False),
    Column("until_us", BigInteger),
    Column("revoked_us", BigInteger),
    Column("created_us", BigInteger, nullable=False),
    Column("created_by", Text, nullable=False),
)
"""Consents as they were given and taken back; none is ever changed into another or removed."""

Index("ix_consents_student", consents.c.student, consents.c.campus)
Index("ix_consents_revoked", consents.c.revoked_us)

cards: Final = Table(
    "cards",
    metadata,
    Column("campus", Text, nullable=False),
    Column("number", Integer, nullable=False),
    Column("student", Text, nullable=False),
    PrimaryKeyConstraint("campus", "number", name="pk_cards"),
)
"""Who holds which picture card."""

calendars: Final = Table(
    "calendars",
    metadata,
    Column("campus", Text, primary_key=True),
    Column("calendar", Text, nullable=False),
    Column("changed_us", BigInteger, nullable=False),
)
"""Each campus's zone, bells, holidays, early releases and A/B days, as JSON of the model in wire/."""

closures: Final = Table(
    "closures",
    metadata,
    Column("id", Text, primary_key=True),
    Column("campus", Text, nullable=False),
    Column("from_us", BigInteger, nullable=False),
    Column("to_us", BigInteger, nullable=False),
    Column("reason", Text, nullable=False),
    Column("created_us", BigInteger, nullable=False),
    Column("created_by", Text, nullable=False),
)
"""Days that ended early, or never began, after they were planned."""

Index("ix_closures_campus", closures.c.campus, closures.c.to_us)

mandates: Final = Table(
    "mandates",
    metadata,
    Column("id", Text, primary_key=True),
    Column("campus", Text, nullable=False),
    Column("student", Text, nullable=False),
    Column("minutes", Integer, nullable=False),
    Column("per", Text, nullable=False),
    Column("from_day", Text, nullable=False),
    Column("until_day", Text, nullable=False),
    Column("created_us", BigInteger, nullable=False),
    UniqueConstraint("campus", "student", "per", "from_day", name="uq_mandates"),
)
"""What is owed: minutes per week or month, from one day up to and with another."""

schedules: Final = Table(
    "schedules",
    metadata,
    Column("kiosk", Text, ForeignKey("kiosks.id"), primary_key=True),
    Column("campus", Text, nullable=False),
    Column("revision", BigInteger, nullable=False),
    Column("changed_us", BigInteger, nullable=False),
)
"""Which kiosks hold a schedule, and how often it changed. A kiosk that never had a booking is told none."""
