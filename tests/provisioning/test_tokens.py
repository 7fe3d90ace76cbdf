"""Claim tokens: made once, kept as a hash, counted, bound, over after 14 days."""

import contextlib
import sqlite3
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from provisioning.register import Register, campus
from provisioning.tokens import Claims, Verdict, Wanted

NOW = datetime(2027, 1, 4, 8, tzinfo=UTC)
SERIAL = "10000000abcdef01"


@pytest.fixture
def register(tmp_path: Path) -> Path:
    with contextlib.closing(Register.open(tmp_path / "register.db")) as made:
        made.add(campus("lincoln", "Lincoln", "UTC"))
    return tmp_path / "register.db"


@contextlib.contextmanager
def opened(path: Path) -> Iterator[Claims]:
    with contextlib.closing(Register.open(path)) as one:
        yield Claims(one.db)


def attempts(path: Path) -> list[str]:
    with contextlib.closing(sqlite3.connect(path)) as db:
        return [verdict for (verdict,) in db.execute("select verdict from claim_attempts order by id")]


def test_a_token_is_long_new_each_time_and_never_in_the_register(register: Path) -> None:
    with opened(register) as claims:
        tokens = claims.make([Wanted("lincoln")] * 200, NOW)
    assert len(set(tokens)) == 200
    assert {len(token) for token in tokens} == {32}  # base64 of 192 bits
    raw = b"".join(path.read_bytes() for path in register.parent.glob("register.db*"))
    assert not any(token.encode() in raw for token in tokens)


def test_c14_a_token_is_good_as_often_as_it_counts_and_every_attempt_is_kept(register: Path) -> None:
    with opened(register) as claims:
        (token,) = claims.make([Wanted("lincoln", count=2)], NOW)
        said = [claims.use(token, "lincoln", None, NOW) for _ in range(4)]
        assert claims.check(token, "lincoln", None, NOW) is Verdict.USED_UP
    assert said == [Verdict.GOOD, Verdict.GOOD, Verdict.USED_UP, Verdict.USED_UP]
    assert attempts(register) == ["good", "good", "used-up", "used-up"]


@pytest.mark.parametrize(
    ("at", "serial", "where", "verdict"),
    [
        (NOW + timedelta(days=14) - timedelta(seconds=1), SERIAL.upper(), "lincoln", Verdict.GOOD),
        (NOW + timedelta(days=14), SERIAL, "lincoln", Verdict.EXPIRED),
        (NOW, "10000000abcdef02", "lincoln", Verdict.OTHER_SERIAL),
        (NOW, None, "lincoln", Verdict.OTHER_SERIAL),
        (NOW, SERIAL, "grant", Verdict.OTHER_CAMPUS),
    ],
)
def test_c14_late_or_by_another_a_token_is_refused_and_stays_unused(
    register: Path, at: datetime, serial: str | None, where: str, verdict: Verdict
) -> None:
    with opened(register) as claims:
        (token,) = claims.make([Wanted("lincoln", "lincoln-01", SERIAL)], NOW)
        assert claims.use(token, where, serial, at) is verdict
        assert claims.use(token, "lincoln", SERIAL, NOW) is (
            Verdict.USED_UP if verdict is Verdict.GOOD else Verdict.GOOD
        )
    assert attempts(register)[0] == verdict


@pytest.mark.parametrize("token", ["", "x", "x" * 100_000, "\udcff", "' or 1=1 --", "é"])
def test_c14_what_is_no_token_is_unknown(register: Path, token: str) -> None:
    with opened(register) as claims:
        assert claims.use(token, "lincoln", None, NOW) is Verdict.UNKNOWN
    assert attempts(register) == ["unknown"]


def test_a_new_token_for_a_kiosk_withdraws_its_unused_one(register: Path) -> None:
    with opened(register) as claims:
        (old,) = claims.make([Wanted("lincoln", "lincoln-01")], NOW)
        (other,) = claims.make([Wanted("lincoln", "lincoln-02")], NOW)
        (new,) = claims.make([Wanted("lincoln", "lincoln-01")], NOW)
        said = [claims.use(token, "lincoln", None, NOW) for token in (old, other, new)]
    assert said == [Verdict.WITHDRAWN, Verdict.GOOD, Verdict.GOOD]


def test_two_kiosks_at_the_same_moment_share_no_single_use(register: Path) -> None:
    with opened(register) as claims:
        (token,) = claims.make([Wanted("lincoln", count=3)], NOW)
    said: list[Verdict] = []

    def claim() -> None:
        with opened(register) as claims:
            said.append(claims.use(token, "lincoln", None, NOW))

    kiosks = [threading.Thread(target=claim) for _ in range(8)]
    for kiosk in kiosks:
        kiosk.start()
    for kiosk in kiosks:
        kiosk.join()
    assert sorted(said) == [Verdict.GOOD] * 3 + [Verdict.USED_UP] * 5
