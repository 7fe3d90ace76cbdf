"""The tables of what people say of sessions: what a clinician confirms; and whom each session was begun for.

Times are kept as in `fleet.store.tables`.
"""

from typing import Final

from sqlalchemy import BigInteger, Column, ForeignKey, Index, Integer, PrimaryKeyConstraint, Table, Text

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
