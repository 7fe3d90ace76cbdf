"""Claim tokens: what a new kiosk shows once, to be given an identity. The register keeps their hash alone."""

import hashlib
import secrets
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any, Final

from sqlite_utils import Database

from provisioning.transaction import writing

VALID_FOR: Final = timedelta(days=14)
_BYTES: Final = 24
"""192 bits, of which 128 would do."""


@dataclass(frozen=True, slots=True)
class Claim:
    """What a token allows, without the token."""

    hash: str
    campus: str
    kiosk: str | None
    serial: str | None
    """The one Raspberry Pi that may use it; None: any."""
    count: int
    used: int
    expires_at: datetime
    is_withdrawn: bool


class Verdict(StrEnum):
    """What is said of a token."""

    GOOD = "good"
    UNKNOWN = "unknown"
    OTHER_CAMPUS = "other-campus"
    OTHER_SERIAL = "other-serial"
    EXPIRED = "expired"
    USED_UP = "used-up"
    WITHDRAWN = "withdrawn"


@dataclass(frozen=True, slots=True)
class Wanted:
    """For whom a token is to be made."""

    campus: str
    kiosk: str | None = None
    serial: str | None = None
    count: int = 1


def token_hash(token: str) -> str:
    """How a token is looked up: SHA-256 of its UTF-8 in hex. 192 bits of chance need no slow hash."""
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()


def verdict(claim: Claim | None, campus: str, serial: str | None, now: datetime) -> Verdict:
    """What is to be said of a token, by what the register has under its hash. Pure; `now` is aware."""
    if claim is None:
        return Verdict.UNKNOWN
    if claim.campus != campus:
        return Verdict.OTHER_CAMPUS
    if claim.is_withdrawn:
        return Verdict.WITHDRAWN
    if now >= claim.expires_at:
        return Verdict.EXPIRED
    if claim.serial is not None and (serial or "").lower() != claim.serial:
        return Verdict.OTHER_SERIAL
    return Verdict.USED_UP if claim.used >= claim.count else Verdict.GOOD


class Claims:
    """The register's claim tokens."""

    def __init__(self, db: Database) -> None:
        self._db = db

    def make(self, wanted: Iterable[Wanted], now: datetime, valid_for: timedelta = VALID_FOR) -> list[str]:
        """A token for each of `wanted`; whatever a kiosk named there had before is withdrawn. One transaction."""
        made = [(drawn(), one) for one in wanted]
        self.keep(made, now, valid_for)
        return [token for token, _ in made]

    def keep(self, made: Sequence[tuple[str, Wanted]], now: datetime, valid_for: timedelta = VALID_FOR) -> None:
        """Take over tokens that were drawn by `drawn`."""
        at = _text(now)
        rows = [
            {
                "hash": token_hash(token), "campus": one.campus, "kiosk": one.kiosk, "serial": one.serial,
                "count": one.count, "used": 0, "made_at": at, "expires_at": _text(now + valid_for),
                "withdrawn_at": None,
            }
            for token, one in made
        ]  # fmt: skip
        with writing(self._db):
            for _, one in made:
                if one.kiosk is not None:
                    withdraw(self._db, one.kiosk, at)
            self._db.table("claims").insert_all(rows)

    def check(self, token: str, campus: str, serial: str | None, now: datetime) -> Verdict:
        """What would be said of a token; nothing is counted."""
        return verdict(self._find(token), campus, serial, now)

    def use(self, token: str, campus: str, serial: str | None, now: datetime) -> Verdict:
        """Use a token once, if it is good; every attempt is written down. Check and count are one transaction."""
        with writing(self._db):
            said = self.check(token, campus, serial, now)
            if said is Verdict.GOOD:
                self._db.execute("update claims set used = used + 1 where hash = ?", [token_hash(token)])
            self._db.table("claim_attempts").insert(
                {
                    "at": _text(now), "hash": token_hash(token), "campus": campus[:40],
                    "serial": None if serial is None else serial[:40], "verdict": said.value,
                }
            )  # fmt: skip
        return said

    def _find(self, token: str) -> Claim | None:
        return next((_claim(row) for row in self._db.table("claims").rows_where("hash = ?", [token_hash(token)])), None)


def allowances(
    made: Iterable[tuple[str, Wanted]], now: datetime, valid_for: timedelta = VALID_FOR
) -> list[dict[str, Any]]:
    """What tokens allow, by their hashes, for the fleet that is to let them in (`POST /api/v1/claims`)."""
    return [
        {
            "hash": token_hash(token), "campus": one.campus, "kiosk": one.kiosk, "serial": one.serial,
            "count": one.count, "expires_at": _text(now + valid_for),
        }
        for token, one in made
    ]  # fmt: skip


def withdraw(db: Database, kiosk: str, at: str) -> None:
    """Let no unused token of a kiosk be used any more; a part of somebody's transaction."""
    db.execute(
        "update claims set withdrawn_at = ? where kiosk = ? and withdrawn_at is null and used < count", [at, kiosk]
    )


def drawn() -> str:
    """A new token, known to nobody yet."""
    return secrets.token_urlsafe(_BYTES)


def _claim(row: dict[str, Any]) -> Claim:
    return Claim(
        hash=row["hash"], campus=row["campus"], kiosk=row["kiosk"], serial=row["serial"], count=row["count"],
        used=row["used"], expires_at=datetime.fromisoformat(row["expires_at"]),
        is_withdrawn=row["withdrawn_at"] is not None,
    )  # fmt: skip


def _text(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="seconds")
