"""The tables of incidents, notices and the health score; `fleet/store/tables.py` says how times are kept."""

from typing import Final

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    ForeignKey,
    Index,
    Integer,
    PrimaryKeyConstraint,
    Table,
    Text,
    UniqueConstraint,
    text,
)

from fleet.store import tables

metadata: Final = tables.metadata

incidents: Final = Table(
    "incidents",
    metadata,
    Column("id", Text, primary_key=True),
    Column("kiosk", Text, ForeignKey("kiosks.id"), nullable=False),
    Column("campus", Text, nullable=False),
    Column("signal", Text, nullable=False),
    Column("role", Text, nullable=False),
    Column("severity", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("opened_us", BigInteger, nullable=False),
    Column("turned_us", BigInteger, nullable=False),
    Column("opening", Integer, nullable=False),
    Column("openings", Text, nullable=False),
    Column("evidence", Text, nullable=False),
    Column("resolved_us", BigInteger),
    Column("cleared_us", BigInteger),
    Column("flapping", Boolean, nullable=False),
    Column("flaps", Integer, nullable=False),
    Column("acknowledged_us", BigInteger),
    Column("acknowledged_by", Text),
    Column("suppressed_us", BigInteger),
    Column("suppressed_by", Text),
    Column("suppressed_reason", Text),
    Column("remedy", Text),
    Column("kept", Boolean, nullable=False),
    Column("call", Text),
)
"""One row each. `role` is empty where the signal has none; `suppressed_us` is until when; `openings` is a JSON list of
microseconds; `kept`: it touches a booking, and stays as long as that booking's session record; `call`: of the room,
null where no room called."""

Index("ix_incidents_newest", incidents.c.opened_us, incidents.c.id)
Index("ix_incidents_kiosk", incidents.c.kiosk, incidents.c.opened_us)
Index(
    "ix_incidents_living",
    incidents.c.kiosk,
    incidents.c.signal,
    incidents.c.role,
    unique=True,
    sqlite_where=text("state <> 'closed'"),
    postgresql_where=text("state <> 'closed'"),
)

incident_events: Final = Table(
    "incident_events",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("incident", Text, ForeignKey("incidents.id", ondelete="CASCADE"), nullable=False),
    Column("at_us", BigInteger, nullable=False),
    Column("what", Text, nullable=False),
    Column("who", Text),
    Column("detail", Text, nullable=False),
)
"""Their timelines."""

Index("ix_incident_events_incident", incident_events.c.incident, incident_events.c.id)

calls: Final = Table(
    "calls",
    metadata,
    Column("kiosk", Text, ForeignKey("kiosks.id"), nullable=False),
    Column("epoch", Text, nullable=False),
    Column("seq", BigInteger, nullable=False),
    Column("kind", Text, nullable=False),
    Column("session", Text),
    Column("at_us", BigInteger, nullable=False),
    Column("clock", Text, nullable=False),
    Column("received_us", BigInteger, nullable=False),
    Column("taken", Boolean, nullable=False),
    Column("call", Text),
    PrimaryKeyConstraint("kiosk", "epoch", "seq", name="pk_calls"),
)
"""Ledger rows in which somebody called for help, or said that it is over, kept with the rows themselves.

`taken`: an incident knows of it."""

Index("ix_calls_waiting", calls.c.received_us, sqlite_where=text("taken = 0"), postgresql_where=text("not taken"))

notice_routes: Final = Table(
    "notice_routes",
    metadata,
    Column("id", Text, primary_key=True),
    Column("role", Text, nullable=False),
    Column("channel", Text, nullable=False),
    Column("campus", Text),
    Column("kiosk", Text),
    Column("person", Text),
    Column("address", Text),
    Column("severity", Text, nullable=False),
    Column("min_duration_s", Integer, nullable=False),
    Column("quiet_from", Text),
    Column("quiet_until", Text),
    Column("step", Integer, nullable=False),
    Column("created_by", Text, nullable=False),
    Column("created_us", BigInteger, nullable=False),
    Column("removed_us", BigInteger),
)
"""Who is told of what, and how. A removed one stays as long as its notices name it."""

notices: Final = Table(
    "notices",
    metadata,
    Column("id", Text, primary_key=True),
    Column("key", Text, nullable=False),
    Column("incident", Text, ForeignKey("incidents.id", ondelete="CASCADE")),
    Column("route", Text, nullable=False),
    Column("channel", Text, nullable=False),
    Column("address", Text),
    Column("to_role", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("kiosk", Text, nullable=False),
    Column("campus", Text, nullable=False),
    Column("room", Text),
    Column("signal", Text, nullable=False),
    Column("role", Text, nullable=False),
    Column("severity", Text, nullable=False),
    Column("opening", Integer, nullable=False),
    Column("since_us", BigInteger, nullable=False),
    Column("flapping", Boolean, nullable=False),
    Column("created_us", BigInteger, nullable=False),
    Column("state", Text, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("next_us", BigInteger, nullable=False),
    Column("claimed_us", BigInteger),
    Column("sent_us", BigInteger),
    Column("error", Text),
    UniqueConstraint("key", name="uq_notices_key"),
)
"""The outbox: `queued` until the other side took it (`sent`) or nobody will try again (`failed`).

There is one of each `key`. A closure's has no incident, and no kiosk: an empty text. `claimed_us`: until then
somebody is at it."""

Index("ix_notices_newest", notices.c.created_us, notices.c.id)
Index("ix_notices_incident", notices.c.incident)
Index(
    "ix_notices_queued",
    notices.c.next_us,
    sqlite_where=text("state = 'queued'"),
    postgresql_where=text("state = 'queued'"),
)

readiness_days: Final = Table(
    "readiness_days",
    metadata,
    Column("kiosk", Text, ForeignKey("kiosks.id"), nullable=False),
    Column("day", Text, nullable=False),
    Column("campus", Text, nullable=False),
    Column("ready_ms", BigInteger, nullable=False),
    Column("attention_ms", BigInteger, nullable=False),
    Column("blocked_ms", BigInteger, nullable=False),
    Column("unknown_ms", BigInteger, nullable=False),
    PrimaryKeyConstraint("kiosk", "day", name="pk_readiness_days"),
)
"""How long each kiosk was how, within bell times, by the campus's own days: what the fleet saw itself, summed."""

Index("ix_readiness_days_campus", readiness_days.c.campus, readiness_days.c.day)
