"""Claim tokens: what a new kiosk shows once, to be given an identity. The register keeps their hash alone.

The fleet is told by the same hash what each allows, and judges a token that is shown (`wire/claims.py`).
"""

import secrets
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from sqlite_utils import Database

from provisioning.transaction import writing
from wire.claims import LIVES, token_hash

_BYTES: Final = 24
"""192 bits, of which 128 would do."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """For whom a token is to be made."""

    campus: str
    kiosk: str | None = None
    serial: str | None = None
    count: int = 1


class Claims:
    """The register's claim tokens."""

    def __init__(self, db: Database) -> None:
        self._db = db

    def keep(self, made: Sequence[tuple[str, Wanted]], now: datetime, valid_for: timedelta = LIVES) -> None:
        """Take over tokens drawn by `drawn`; what a kiosk named there had before is withdrawn. One transaction."""
        at = _text(now)
        rows = [
            {
                "hash": token_hash(token), "campus": one.campus, "kiosk": one.kiosk, "serial": one.serial,
                "count": one.count, "made_at": at, "expires_at": _text(now + valid_for),
                "withdrawn_at": None,
            }
            for token, one in made
        ]  # fmt: skip
        with writing(self._db):
            for _, one in made:
                if one.kiosk is not None:
                    withdraw(self._db, one.kiosk, at)
            self._db.table("claims").insert_all(rows)


def allowances(made: Iterable[tuple[str, Wanted]], now: datetime, valid_for: timedelta = LIVES) -> list[dict[str, Any]]:
    """What tokens allow, by their hashes, for the fleet that is to let them in (`POST /api/v1/claims`)."""
    return [
        {
            "hash": token_hash(token), "campus": one.campus, "kiosk": one.kiosk, "serial": one.serial,
            "count": one.count, "expires_at": _text(now + valid_for),
        }
        for token, one in made
    ]  # fmt: skip


def withdraw(db: Database, kiosk: str, at: str) -> None:
    """Note that no token of a kiosk counts any more; a part of somebody's transaction."""
    db.execute("update claims set withdrawn_at = ? where kiosk = ? and withdrawn_at is null", [at, kiosk])


def drawn() -> str:
    """A new token, known to nobody yet."""
    return secrets.token_urlsafe(_BYTES)


def _text(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="seconds")
