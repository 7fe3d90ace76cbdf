"""The tables, in SQLAlchemy Core. Every time is an integer of microseconds since 1970 in UTC (`…_us`).

Texts called `readiness`, `health`, `minutes`, `timeline`, `args` and `reply` hold JSON of the models in wire/.
"""

from typing import Final

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Float,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    PrimaryKeyConstraint,
    Table,
    Text,
    UniqueConstraint,
    text,
)

metadata: Final = MetaData()

kiosks: Final = Table(
    "kiosks",
    metadata,
    Column("id", Text, primary_key=True),
    Column("campus", Text, nullable=False),
    Column("first_seen_us", BigInteger, nullable=False),
    Column("birth", BigInteger, nullable=False),
    Column("boot", Text),
    Column("version", Text),
    Column("epoch", Text),
    Column("heard_us", BigInteger),
    Column("online_since_us", BigInteger),
    Column("dead_us", BigInteger),
    Column("readiness", Text),
    Column("readiness_us", BigInteger),
    Column("health", Text),
    Column("health_us", BigInteger),
)
"""What was last known of each kiosk: one row each, so that a board needs no history."""

ledger_epochs: Final = Table(
    "ledger_epochs",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("kiosk", Text, ForeignKey("kiosks.id"), nullable=False),
    Column("epoch", Text, nullable=False),
    Column("through", BigInteger, nullable=False),
    Column("through_hash", Text, nullable=False),
    Column("top", BigInteger, nullable=False),
    Column("created_us", BigInteger, nullable=False),
    UniqueConstraint("kiosk", "epoch", name="uq_ledger_epochs_kiosk_epoch"),
)
"""Each kiosk's ledgers: rows 1 to `through` are held and chained without a hole, `top` is the highest held at all."""

ledger_rows: Final = Table(
    "ledger_rows",
    metadata,
    Column("epoch_id", Integer, ForeignKey("ledger_epochs.id"), nullable=False),
    Column("seq", BigInteger, nullable=False),
    Column("type", Text, nullable=False),
    Column("session", Text),
    Column("body", Text, nullable=False),
    Column("hash", Text, nullable=False),
    Column("received_us", BigInteger, nullable=False),
    PrimaryKeyConstraint("epoch_id", "seq", name="pk_ledger_rows"),
)
"""The rows as they came. `(kiosk, epoch, seq)` is the key; the epoch's number stands for the first two."""

Index(
    "ix_ledger_rows_session",
    ledger_rows.c.session,
    sqlite_where=text("session is not null"),
    postgresql_where=text("session is not null"),
)

ledger_forks: Final = Table(
    "ledger_forks",
    metadata,
    Column("epoch_id", Integer, ForeignKey("ledger_epochs.id"), nullable=False),
    Column("seq", BigInteger, nullable=False),
    Column("hash", Text, nullable=False),
    Column("body", Text, nullable=False),
    Column("received_us", BigInteger, nullable=False),
    PrimaryKeyConstraint("epoch_id", "seq", "hash", name="pk_ledger_forks"),
)
"""Rows that came with a known key and another hash, or on top of such rows; never acknowledged, always kept."""

sessions: Final = Table(
    "sessions",
    metadata,
    Column("id", Text, primary_key=True),
    Column("kiosk", Text, ForeignKey("kiosks.id"), nullable=False),
    Column("campus", Text, nullable=False),
    Column("order_us", BigInteger, nullable=False),
    Column("state", Text, nullable=False),
    Column("started_us", BigInteger),
    Column("ended_us", BigInteger),
    Column("started_by", Text),
    Column("ended_by", Text),
    Column("clock", Text, nullable=False),
    Column("minutes", Text, nullable=False),
    Column("timeline", Text, nullable=False),
    Column("complete", Boolean, nullable=False),
    Column("fold_version", Integer, nullable=False),
    Column("received_us", BigInteger, nullable=False),
    Column("is_open", Boolean, nullable=False),
    Column("due", Boolean, nullable=False),
    Column("booking", Text),
)
"""What the fold made of each session's rows. `is_open`: neither ended nor cancelled. `due`: rows came since."""

Index("ix_sessions_order", sessions.c.order_us, sessions.c.id)
Index("ix_sessions_kiosk", sessions.c.kiosk, sessions.c.order_us)
Index("ix_sessions_due", sessions.c.due, sqlite_where=text("due = 1"), postgresql_where=text("due"))
Index(
    "ix_sessions_booking",
    sessions.c.booking,
    sqlite_where=text("booking is not null"),
    postgresql_where=text("booking is not null"),
)
Index("ix_sessions_open", sessions.c.kiosk, sqlite_where=text("is_open = 1"), postgresql_where=text("is_open"))

health_samples: Final = Table(
    "health_samples",
    metadata,
    Column("kiosk", Text, ForeignKey("kiosks.id"), nullable=False),
    Column("received_us", BigInteger, nullable=False),
    Column("health", Text, nullable=False),
    PrimaryKeyConstraint("kiosk", "received_us", name="pk_health_samples"),
)
"""About one a minute of each kiosk."""

commands: Final = Table(
    "commands",
    metadata,
    Column("id", Text, primary_key=True),
    Column("kiosk", Text, ForeignKey("kiosks.id"), nullable=False),
    Column("name", Text, nullable=False),
    Column("args", Text, nullable=False),
    Column("created_by", Text, nullable=False),
    Column("created_us", BigInteger, nullable=False),
    Column("expires_us", BigInteger, nullable=False),
    Column("replied_us", BigInteger),
    Column("reply", Text),
    Column("error", Text),
)

people: Final = Table(
    "people",
    metadata,
    Column("name", Text, primary_key=True),
    Column("role", Text, nullable=False),
    Column("campuses", Text),
    Column("created_us", BigInteger, nullable=False),
)
"""`campuses` is a JSON list; null is all of them."""

credentials: Final = Table(
    "credentials",
    metadata,
    Column("hash", Text, primary_key=True),
    Column("kind", Text, nullable=False),
    Column("person", Text, ForeignKey("people.name", ondelete="CASCADE"), nullable=False),
    Column("created_us", BigInteger, nullable=False),
    Column("expires_us", BigInteger),
)
"""Tokens, sign-in links and web sessions, by the SHA-256 of the secret; the secret itself is nowhere."""

Index("ix_credentials_person", credentials.c.person)

audit: Final = Table(
    "audit",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("at_us", BigInteger, nullable=False),
    Column("who", Text, nullable=False),
    Column("what", Text, nullable=False),
    Column("about", Text),
    Column("detail", Text),
    Column("campus", Text),
    Column("hash", Text, nullable=False, server_default=""),
)
"""Who did what and when; only ever added to, each row chained to the one before. `campus` is null for none."""

audit_head: Final = Table(
    "audit_head",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("last", BigInteger, nullable=False),
    Column("hash", Text, nullable=False),
)
"""One row: the newest of the audit, so that a missing end is seen too. Writers take turns on it."""

stills: Final = Table(
    "stills",
    metadata,
    Column("id", Text, ForeignKey("commands.id"), primary_key=True),
    Column("kiosk", Text, ForeignKey("kiosks.id"), nullable=False),
    Column("campus", Text, nullable=False),
    Column("session", Text),
    Column("captured_us", BigInteger),
    Column("received_us", BigInteger, nullable=False),
    Column("role", Text),
    Column("view", Text),
    Column("origin", Text),
    Column("px_per_mm", Float),
    Column("width_px", Integer),
    Column("height_px", Integer),
    Column("bytes", Integer),
    Column("hash", Text),
    Column("sharp", Boolean),
    Column("key_id", Text),
    Column("sealed", LargeBinary),
    Column("unusable", Text),
    Column("destroyed_us", BigInteger),
    Column("destroyed_why", Text),
)
"""Worksheets that were asked for, by the request's id. `sealed` is the picture as it came, null once destroyed."""

Index("ix_stills_session", stills.c.session, stills.c.received_us)

segments: Final = Table(
    "segments",
    metadata,
    Column("id", Text, primary_key=True),
    Column("kiosk", Text, ForeignKey("kiosks.id"), nullable=False),
    Column("campus", Text, nullable=False),
    Column("session", Text),
    Column("role", Text, nullable=False),
    Column("started_us", BigInteger, nullable=False),
    Column("clock", Text, nullable=False),
    Column("ms", BigInteger, nullable=False),
    Column("bytes", BigInteger, nullable=False),
    Column("hash", Text, nullable=False),
    Column("announced_us", BigInteger, nullable=False),
    Column("stored_us", BigInteger),
    Column("destroyed_us", BigInteger),
    Column("destroyed_why", Text),
)
"""Sealed segments, from the ticket on: `stored_us` is null while one arrives. The files lie in the segment store."""

Index("ix_segments_session", segments.c.session, segments.c.started_us)
