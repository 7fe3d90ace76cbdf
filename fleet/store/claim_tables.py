"""Tables of claims and of the kiosks that asked with them."""

from typing import Final

from sqlalchemy import BigInteger, Boolean, Column, Index, Integer, Table, Text

from fleet.store.tables import metadata

claims: Final = Table(
    "claims",
    metadata,
    Column("hash", Text, primary_key=True),
    Column("campus", Text, nullable=False),
    Column("kiosk", Text),
    Column("serial", Text),
    Column("count", Integer, nullable=False),
    Column("expires_us", BigInteger, nullable=False),
    Column("created_us", BigInteger, nullable=False),
    Column("created_by", Text, nullable=False),
)
"""What each token allows, by its SHA-256; the token itself is nowhere."""

enrolments: Final = Table(
    "enrolments",
    metadata,
    Column("id", Text, primary_key=True),
    Column("claim", Text, nullable=False),
    Column("campus", Text, nullable=False),
    Column("kiosk", Text, nullable=False),
    Column("serial", Text, nullable=False),
    Column("csr", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("reason", Text),
    Column("replaces", Boolean, nullable=False),
    Column("chain", Text),
    Column("asked_us", BigInteger, nullable=False),
    Column("decided_us", BigInteger),
    Column("decided_by", Text),
)
"""Each request by the SHA-256 of it. `replaces`: a person said that this one counts, whatever another key holds."""

Index("ix_enrolments_newest", enrolments.c.asked_us, enrolments.c.id)
Index("ix_enrolments_claim", enrolments.c.claim)
