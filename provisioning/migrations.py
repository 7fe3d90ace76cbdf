"""The register's tables, as they came about."""

from typing import Final

from sqlite_utils import Database
from sqlite_utils.migrations import Migrations

migrations: Final = Migrations("carrel-provisioning-register")


@migrations()
def first(db: Database) -> None:
    """Campuses."""
    db.table("campuses").create(
        {"id": str, "name": str, "time_zone": str}, pk="id", not_null={"name", "time_zone"}, strict=True
    )


@migrations()
def kiosks(db: Database) -> None:
    """Kiosks by their running number, which the code on a label is made of, and every change to them."""
    db.table("kiosks").create(
        {
            "number": int, "kiosk": str, "campus": str, "room": str, "hostname": str, "asset": str, "serial": str,
            "mac": str, "network": str, "address": str, "gateway": str, "dns": str, "retired_at": str,
        },
        pk="number",
        not_null={"kiosk", "campus", "room", "hostname"},
        foreign_keys=[("campus", "campuses", "id")],
        strict=True,
    )  # fmt: skip
    db.table("kiosks").create_index(["kiosk"], unique=True)
    db.table("kiosk_changes").create(
        {"id": int, "at": str, "action": str, "kiosk": str, "what": str},
        pk="id",
        not_null={"at", "action", "kiosk", "what"},
        strict=True,
    )


@migrations()
def claims(db: Database) -> None:
    """Claim tokens by their hash. No token stands here."""
    db.table("claims").create(
        {
            "hash": str, "campus": str, "kiosk": str, "serial": str, "count": int, "made_at": str, "expires_at": str,
            "withdrawn_at": str,
        },
        pk="hash",
        not_null={"campus", "count", "made_at", "expires_at"},
        foreign_keys=[("campus", "campuses", "id")],
        strict=True,
    )  # fmt: skip
    db.table("claims").create_index(["kiosk"])
