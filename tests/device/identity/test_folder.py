"""The identity's folder: a cut at any step, damaged files, a certificate of somebody else."""

import os
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509

from device.errors import IdentityTrouble
from device.identity import folder as folder_module
from device.identity.folder import Identity
from device.identity.renewing import due_at, retry_after_s
from tests.district import District, csr

KIOSK = "lincoln-12"


@pytest.fixture(scope="module")
def district(tmp_path_factory: pytest.TempPathFactory) -> District:
    return District(tmp_path_factory.mktemp("district"))


def signed(district: District, request: str) -> str:
    with district.authority() as authority:
        return authority.sign(KIOSK, request, datetime.now(UTC), replace=True)


def enrolled(district: District, data_dir: Path) -> Identity:
    identity = Identity(data_dir, KIOSK)
    identity.take(signed(district, identity.wanted()))
    return identity


def serial(identity: Identity) -> int:
    return x509.load_pem_x509_certificate(identity.certificate.read_bytes()).serial_number


def fits(identity: Identity) -> bool:
    certificate = x509.load_pem_x509_certificate(identity.certificate.read_bytes())
    return certificate.public_key() == folder_module._key(identity.key).public_key()


class PowerCut(BaseException):
    """Nothing after this moment was done."""


def test_a_key_is_made_here_once_and_read_by_nobody_else(district: District, tmp_path: Path) -> None:
    identity = Identity(tmp_path, KIOSK)
    assert not identity.mended()
    request = identity.wanted()
    assert identity.wanted() == request
    identity.take(signed(district, request))
    assert identity.mended()
    assert fits(identity)
    assert identity.key.stat().st_mode & 0o777 == 0o600
    assert identity.wanted() != request, "the next one has a new key"


def test_x5_a_cut_at_any_step_leaves_a_pair_that_fits(
    district: District, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    steps = {"n": 0, "cut": 0}

    def counted(real: Callable[..., Any]) -> Callable[..., Any]:
        def call(*args: Any, **more: Any) -> Any:
            steps["n"] += 1
            if steps["n"] == steps["cut"]:
                raise PowerCut
            return real(*args, **more)

        return call

    cuts = 0
    for cut in range(1, 200):
        data_dir = tmp_path / str(cut)
        identity = enrolled(district, data_dir)
        old = serial(identity)
        steps |= {"n": 0, "cut": cut}
        with monkeypatch.context() as patched:
            for name in ("rename", "fsync", "open", "mkdir", "unlink", "rmdir"):
                patched.setattr(os, name, counted(getattr(os, name)))
            try:
                identity.take(signed(district, identity.wanted()))
                done = True
            except PowerCut:
                done = False
        after = Identity(data_dir, KIOSK)
        assert after.mended(), cut
        assert fits(after), cut
        if done:
            assert serial(after) != old
            break
        cuts += 1
        again = after.wanted()
        after.take(signed(district, again))
        assert fits(after), f"and goes on after a cut at step {cut}"
    assert cuts > 15, "cut at each of them"


def test_x4_what_is_damaged_is_not_used_while_there_is_a_good_pair(
    district: District, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    damages: tuple[Callable[[Identity], object], ...] = (
        lambda one: one.certificate.write_bytes(b"garbage"),
        lambda one: one.certificate.write_bytes(one.certificate.read_bytes()[:200]),
        lambda one: one.key.write_bytes(b""),
        lambda one: one.key.unlink(),
        lambda one: one.key.chmod(0o644),
        lambda one: one.certificate.write_text(signed(district, csr(KIOSK)[1])),
    )
    for n, damage in enumerate(damages):
        identity = enrolled(district, tmp_path / str(n))
        old = serial(identity)
        identity.take(signed(district, identity.wanted()))
        damage(identity)
        assert identity.mended()
        assert (serial(identity), fits(identity)) == (old, True)
        assert "the previous one is used" in caplog.text
    crlf = enrolled(district, tmp_path / "crlf")
    crlf.certificate.write_bytes(crlf.certificate.read_bytes().replace(b"\n", b"\r\n"))
    now = serial(crlf)
    assert crlf.mended()
    assert serial(crlf) == now, "another end of line damages nothing"


def test_x4_a_certificate_of_another_key_or_name_is_not_taken(district: District, tmp_path: Path) -> None:
    identity = enrolled(district, tmp_path)
    old = serial(identity)
    identity.wanted()
    for chain, words in ((signed(district, csr(KIOSK)[1]), "another key"), ("nothing", "can be read")):
        with pytest.raises(IdentityTrouble, match=words):
            identity.take(chain)
    other = Identity(tmp_path / "other", "lincoln-13")
    request = other.wanted()
    with district.authority() as authority:
        chain = authority.sign("lincoln-13", request, datetime.now(UTC), replace=True)
    with pytest.raises(IdentityTrouble, match="names 'lincoln-13'"):
        _renamed(other, KIOSK).take(chain)
    assert (serial(identity), fits(identity)) == (old, True)


def _renamed(identity: Identity, kiosk: str) -> Identity:
    identity._kiosk = kiosk
    return identity


def test_renewal_comes_at_half_life_spread_and_x6_goes_on_asking() -> None:
    begins = datetime(2026, 8, 1, tzinfo=UTC)
    ends = begins + timedelta(days=180)
    assert due_at(begins, ends, 0) == begins + timedelta(days=90)
    assert due_at(begins, ends, 1) == begins + timedelta(days=72)
    waits = [retry_after_s(one) for one in range(1, 80)]
    assert waits[:3] == [900, 1800, 3600]
    assert max(waits) == waits[-1] == 86_400
    assert sum(waits[:60]) < timedelta(days=60).total_seconds(), "a server down for 60 days is still asked daily"
