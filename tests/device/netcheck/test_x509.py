"""Certificates are read as OpenSSL reads them, and what is none is an error, never a crash."""

import base64
import contextlib
import subprocess
import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from device.netcheck.x509 import first_of, paper
from lab.papers import Authority


def der(pem: bytes) -> bytes:
    return base64.b64decode(b"".join(pem.split(b"-----")[2].split()))


def made(tmp_path: Path, *arguments: str) -> bytes:
    curve = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes")
    command = ["openssl", "req", "-x509", *curve, "-keyout", "k.pem", "-out", "c.pem", *arguments]
    subprocess.run(command, cwd=tmp_path, check=True, capture_output=True)
    return (tmp_path / "c.pem").read_bytes()


@pytest.mark.parametrize("days", [2, 365 * 40])
def test_openssls_own_certificates_are_read(tmp_path: Path, days: int) -> None:
    pem = made(tmp_path, "-days", str(days), "-subj", "/C=US/O=Lincoln School/CN=Web Filter Ü", "-utf8")
    found = first_of(b"some words before\n" + pem)
    assert found.subject == found.issuer == "Web Filter Ü, Lincoln School"
    assert abs(found.not_after - datetime.now(UTC) - timedelta(days=days)) < timedelta(minutes=5)


def test_the_labs_own_are_what_openssl_verifies(tmp_path: Path) -> None:
    authority = Authority.new("Carrel Campus CA")
    ends = datetime.now(UTC).replace(microsecond=0) + timedelta(days=3)
    certificate, _ = authority.sign(tmp_path, "kiosk", ends=ends)
    found = first_of(certificate.read_bytes())
    assert (found.subject, found.not_after) == ("kiosk, Carrel lab", ends)
    ours = authority.own(tmp_path)
    assert verified(ours, certificate)
    assert not verified(Authority.new("Stranger").own(tmp_path), certificate)


def verified(authority: Path, certificate: Path) -> bool:
    command = ["openssl", "verify", "-CAfile", str(authority), str(certificate)]
    return subprocess.run(command, check=False, capture_output=True).returncode == 0


def test_a_name_of_unprintable_letters_or_none_is_said_plainly(tmp_path: Path) -> None:
    found = first_of(made(tmp_path, "-subj", "/C=US"))
    assert found.issuer == "nobody named"


@given(st.binary(max_size=300))
def test_x4_garbage_is_an_error(data: bytes) -> None:
    with pytest.raises(ValueError, match="no certificate"):
        paper(data)
    with pytest.raises(ValueError, match="no certificate"):
        first_of(data)


@given(st.data())
def test_a_damaged_certificate_is_read_or_refused_and_never_crashes(data: st.DataObject) -> None:
    whole = bytearray(_WHOLE)
    at = data.draw(st.integers(0, len(whole) - 1))
    whole[at] = data.draw(st.integers(0, 255))
    cut = bytes(whole[: data.draw(st.integers(1, len(whole)))])
    with contextlib.suppress(ValueError):  # any other error fails
        assert paper(cut).issuer


def _whole() -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        return der(Authority.new("A").own(Path(folder)).read_bytes())


_WHOLE = _whole()
