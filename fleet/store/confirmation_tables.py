"""The tables of what people say of sessions and bookings, clinicians and rooms, and whom each session was begun for.

Times are kept as in `fleet.store.tables`.
"""

from typing import Final

from sqlalchemy import BigInteger, Column, ForeignKey, Index, Integer, PrimaryKeyConstraint, Table, Text, text

from fleet.store.tables import metadata

confirmations: Final = Table(
    "confirmations",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("session", Text, ForeignKey("sessions.id"), nullable=False),
    Column("provided_ms", BigInteger, nullable=False),
    Column("reason", Text),
    Column("note", Text),
    Column("who", Text, nullable=False),
    Column("clinician", Text),
    Column("at_us", BigInteger, nullable=False),
)
"""What clinicians confirmed; only ever added to, and the newest of a session counts.

`clinician`: for whom a portal confirms, an opaque reference."""

Index("ix_confirmations_session", confirmations.c.session, confirmations.c.id)

session_students: Final = Table(
    "session_students",
    metadata,
    Column("session", Text, ForeignKey("sessions.id"), nullable=False),
    Column("student", Text, nullable=False),
    PrimaryKeyConstraint("session", "student", name="pk_session_students"),
)
"""Whom each session was begun for, as its fold says, so that a student's minutes are found without the ledger."""

Index("ix_session_students_student", session_students.c.student)

booking_reasons: Final = Table(
    "booking_reasons",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("booking", Text, ForeignKey("bookings.id"), nullable=False),
    Column("reason", Text, nullable=False),
    Column("who", Text, nullable=False),
    Column("clinician", Text),
    Column("at_us", BigInteger, nullable=False),
)
"""Why a booking was not held, as clinicians say; only ever added to, and the newest of a booking counts."""

Index("ix_booking_reasons_booking", booking_reasons.c.booking, booking_reasons.c.id)

room_words: Final = Table(
    "room_words",
    metadata,
    Column("epoch_id", Integer, ForeignKey("ledger_epochs.id"), nullable=False),
    Column("seq", BigInteger, nullable=False),
    Column("kiosk", Text, ForeignKey("kiosks.id"), nullable=False),
    Column("campus", Text, nullable=False),
    Column("type", Text, nullable=False),
    Column("session", Text),
    Column("booking", Text),
    Column("student", Text),
    Column("reason", Text),
    Column("about", Text),
    Column("at_us", BigInteger, nullable=False),
    Column("clock", Text, nullable=False),
    PrimaryKeyConstraint("epoch_id", "seq", name="pk_room_words"),
)
"""Ledger rows in which a room says why, or that a student is absent, kept with the rows themselves."""

Index(
    "ix_room_words_booking",
    room_words.c.booking,
    sqlite_where=text("booking is not null"),
    postgresql_where=text("booking is not null"),
)
Index(
    "ix_room_words_session",
    room_words.c.session,
    sqlite_where=text("session is not null"),
    postgresql_where=text("session is not null"),
)
