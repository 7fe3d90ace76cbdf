"""Incidents, notices, and how long each kiosk was ready."""

import time
from typing import Final

import sqlalchemy as sa
from alembic import op

revision: Final = "0005"
down_revision: Final = "0004"
branch_labels: Final = None
depends_on: Final = None


def upgrade() -> None:
    """Create the tables, and let people of IT and therapists be told in-page."""
    op.create_table(
        "incidents",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("kiosk", sa.Text, sa.ForeignKey("kiosks.id"), nullable=False),
        sa.Column("campus", sa.Text, nullable=False),
        sa.Column("signal", sa.Text, nullable=False),
        sa.Column("role", sa.Text, nullable=False),
        sa.Column("severity", sa.Text, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("opened_us", sa.BigInteger, nullable=False),
        sa.Column("turned_us", sa.BigInteger, nullable=False),
        sa.Column("opening", sa.Integer, nullable=False),
        sa.Column("openings", sa.Text, nullable=False),
        sa.Column("evidence", sa.Text, nullable=False),
        sa.Column("resolved_us", sa.BigInteger),
        sa.Column("cleared_us", sa.BigInteger),
        sa.Column("flapping", sa.Boolean, nullable=False),
        sa.Column("flaps", sa.Integer, nullable=False),
        sa.Column("acknowledged_us", sa.BigInteger),
        sa.Column("acknowledged_by", sa.Text),
        sa.Column("suppressed_us", sa.BigInteger),
        sa.Column("suppressed_by", sa.Text),
        sa.Column("suppressed_reason", sa.Text),
        sa.Column("remedy", sa.Text),
        sa.Column("kept", sa.Boolean, nullable=False),
    )
    op.create_index("ix_incidents_newest", "incidents", ["opened_us", "id"])
    op.create_index("ix_incidents_kiosk", "incidents", ["kiosk", "opened_us"])
    op.create_index(
        "ix_incidents_living",
        "incidents",
        ["kiosk", "signal", "role"],
        unique=True,
        sqlite_where=sa.text("state <> 'closed'"),
        postgresql_where=sa.text("state <> 'closed'"),
    )
    op.create_table(
        "incident_events",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("incident", sa.Text, sa.ForeignKey("incidents.id", ondelete="CASCADE"), nullable=False),
        sa.Column("at_us", sa.BigInteger, nullable=False),
        sa.Column("what", sa.Text, nullable=False),
        sa.Column("who", sa.Text),
        sa.Column("detail", sa.Text, nullable=False),
    )
    op.create_index("ix_incident_events_incident", "incident_events", ["incident", "id"])
    op.create_table(
        "calls",
        sa.Column("kiosk", sa.Text, sa.ForeignKey("kiosks.id"), nullable=False),
        sa.Column("epoch", sa.Text, nullable=False),
        sa.Column("seq", sa.BigInteger, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("session", sa.Text),
        sa.Column("at_us", sa.BigInteger, nullable=False),
        sa.Column("clock", sa.Text, nullable=False),
        sa.Column("received_us", sa.BigInteger, nullable=False),
        sa.Column("taken", sa.Boolean, nullable=False),
        sa.PrimaryKeyConstraint("kiosk", "epoch", "seq", name="pk_calls"),
    )
    op.create_index(
        "ix_calls_waiting",
        "calls",
        ["received_us"],
        sqlite_where=sa.text("taken = 0"),
        postgresql_where=sa.text("not taken"),
    )
    op.create_table(
        "notice_routes",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("role", sa.Text, nullable=False),
        sa.Column("channel", sa.Text, nullable=False),
        sa.Column("campus", sa.Text),
        sa.Column("kiosk", sa.Text),
        sa.Column("person", sa.Text),
        sa.Column("address", sa.Text),
        sa.Column("severity", sa.Text, nullable=False),
        sa.Column("min_duration_s", sa.Integer, nullable=False),
        sa.Column("quiet_from", sa.Text),
        sa.Column("quiet_until", sa.Text),
        sa.Column("step", sa.Integer, nullable=False),
        sa.Column("created_by", sa.Text, nullable=False),
        sa.Column("created_us", sa.BigInteger, nullable=False),
        sa.Column("removed_us", sa.BigInteger),
    )
    op.create_table(
        "notices",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("key", sa.Text, nullable=False),
        sa.Column("incident", sa.Text, sa.ForeignKey("incidents.id", ondelete="CASCADE"), nullable=False),
        sa.Column("route", sa.Text, nullable=False),
        sa.Column("channel", sa.Text, nullable=False),
        sa.Column("address", sa.Text),
        sa.Column("to_role", sa.Text, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("kiosk", sa.Text, nullable=False),
        sa.Column("campus", sa.Text, nullable=False),
        sa.Column("room", sa.Text),
        sa.Column("signal", sa.Text, nullable=False),
        sa.Column("role", sa.Text, nullable=False),
        sa.Column("severity", sa.Text, nullable=False),
        sa.Column("opening", sa.Integer, nullable=False),
        sa.Column("since_us", sa.BigInteger, nullable=False),
        sa.Column("flapping", sa.Boolean, nullable=False),
        sa.Column("created_us", sa.BigInteger, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("attempts", sa.Integer, nullable=False),
        sa.Column("next_us", sa.BigInteger, nullable=False),
        sa.Column("claimed_us", sa.BigInteger),
        sa.Column("sent_us", sa.BigInteger),
        sa.Column("error", sa.Text),
        sa.UniqueConstraint("key", name="uq_notices_key"),
    )
    op.create_index("ix_notices_newest", "notices", ["created_us", "id"])
    op.create_index("ix_notices_incident", "notices", ["incident"])
    op.create_index(
        "ix_notices_queued",
        "notices",
        ["next_us"],
        sqlite_where=sa.text("state = 'queued'"),
        postgresql_where=sa.text("state = 'queued'"),
    )
    op.create_table(
        "readiness_days",
        sa.Column("kiosk", sa.Text, sa.ForeignKey("kiosks.id"), nullable=False),
        sa.Column("day", sa.Text, nullable=False),
        sa.Column("campus", sa.Text, nullable=False),
        sa.Column("ready_ms", sa.BigInteger, nullable=False),
        sa.Column("attention_ms", sa.BigInteger, nullable=False),
        sa.Column("blocked_ms", sa.BigInteger, nullable=False),
        sa.Column("unknown_ms", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("kiosk", "day", name="pk_readiness_days"),
    )
    op.create_index("ix_readiness_days_campus", "readiness_days", ["campus", "day"])
    routes = sa.table(
        "notice_routes",
        *(sa.column(name) for name in ("id", "role", "channel", "severity", "created_by")),
        *(sa.column(name, sa.BigInteger) for name in ("min_duration_s", "step", "created_us")),
    )
    told = {"channel": "in-page", "severity": "attention", "min_duration_s": 0, "step": 0, "created_by": "fleet"}
    now_us = time.time_ns() // 1_000
    op.bulk_insert(
        routes, [{"id": f"in-page-{role}", "role": role, "created_us": now_us, **told} for role in ("it", "therapist")]
    )
