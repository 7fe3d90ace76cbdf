"""Claim tokens: made once, kept as a hash, one for each kiosk. What is said of them: tests/fleet/test_enrolment.py."""

import contextlib
import sqlite3
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from provisioning.register import Register, campus
from provisioning.tokens import Claims, Wanted, drawn
from wire.claims import token_hash

NOW = datetime(2027, 1, 4, 8, tzinfo=UTC)


@pytest.fixture
def register(tmp_path: Path) -> Path:
    with contextlib.closing(Register.open(tmp_path / "register.db")) as made:
        made.add(campus("lincoln", "Lincoln", "UTC"))
    return tmp_path / "register.db"


@contextlib.contextmanager
def opened(path: Path) -> Iterator[Claims]:
    with contextlib.closing(Register.open(path)) as one:
        yield Claims(one.db)


def made(claims: Claims, *wanted: Wanted) -> list[str]:
    drawn_for = [(drawn(), one) for one in wanted]
    claims.keep(drawn_for, NOW)
    return [token for token, _ in drawn_for]


def counting(path: Path) -> set[str]:
    """The hashes of the tokens that are not withdrawn."""
    with contextlib.closing(sqlite3.connect(path)) as db:
        return {found for (found,) in db.execute("select hash from claims where withdrawn_at is null")}


def test_a_token_is_long_new_each_time_and_never_in_the_register(register: Path) -> None:
    with opened(register) as claims:
        tokens = made(claims, *[Wanted("lincoln")] * 200)
    assert len(set(tokens)) == 200
    assert {len(token) for token in tokens} == {32}  # base64 of 192 bits
    raw = b"".join(path.read_bytes() for path in register.parent.glob("register.db*"))
    assert not any(token.encode() in raw for token in tokens)
    assert counting(register) == {token_hash(token) for token in tokens}


def test_a_new_token_for_a_kiosk_withdraws_the_one_before(register: Path) -> None:
    with opened(register) as claims:
        made(claims, Wanted("lincoln", "lincoln-01"))
        (other,) = made(claims, Wanted("lincoln", "lincoln-02"))
        (new,) = made(claims, Wanted("lincoln", "lincoln-01"))
    assert counting(register) == {token_hash(other), token_hash(new)}
