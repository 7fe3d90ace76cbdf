"""Certificates for the lab and for tests, made here: Ed25519 by PyNaCl, DER by hand (RFC 5280, RFC 8410).

Real enough for OpenSSL to serve and to verify, and good for loopback only: no key of them leaves the machine.
"""

import base64
import ipaddress
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from nacl.signing import SigningKey

_ED25519: Final = bytes.fromhex("300506032b6570")
_PKCS8: Final = bytes.fromhex("302e020100300506032b657004220420")
_BASIC, _USAGE, _NAMES = bytes.fromhex("0603551d13"), bytes.fromhex("0603551d0f"), bytes.fromhex("0603551d11")
_COMMON_NAME, _ORGANISATION = bytes.fromhex("0603550403"), bytes.fromhex("060355040a")
_TRUE: Final = b"\x01\x01\xff"


@dataclass(frozen=True, slots=True)
class Authority:
    """Somebody who signs."""

    name: str
    key: SigningKey

    @classmethod
    def new(cls, name: str) -> "Authority":
        """One with a fresh key."""
        return cls(name, SigningKey.generate())

    def own(self, folder: Path) -> Path:
        """Its own certificate as a file, which is what is to be trusted."""
        now = datetime.now(UTC)
        extensions = [_extension(_BASIC, _der(0x30, _TRUE)), _extension(_USAGE, b"\x03\x02\x01\x06")]
        der = _certificate(self, self.name, self.key, (now - timedelta(days=1), now + timedelta(days=30)), extensions)
        return _written(folder / f"{self.name.split()[0].lower()}.pem", der)

    def sign(
        self, folder: Path, name: str, *, ends: datetime, begins: datetime | None = None, hosts: Sequence[str] = ()
    ) -> tuple[Path, Path]:
        """A certificate and its key as files, for `hosts` (names and addresses); valid from `begins` to `ends`."""
        key = SigningKey.generate()
        begins = begins or min(datetime.now(UTC), ends) - timedelta(days=1)
        named = b"".join(_host(one) for one in hosts)
        extensions = [_extension(_NAMES, _der(0x30, named))] if named else []
        der = _certificate(self, name, key, (begins, ends), extensions)
        private = folder / f"{name}.key"
        private.write_text(_pem("PRIVATE KEY", _PKCS8 + bytes(key)), encoding="ascii")
        private.chmod(0o600)
        return _written(folder / f"{name}.pem", der), private


def _certificate(
    by: Authority, name: str, key: SigningKey, valid: tuple[datetime, datetime], extensions: list[bytes]
) -> bytes:
    serial = _der(0x02, b"\x01" + secrets.token_bytes(8))
    public = _der(0x30, _ED25519 + _der(0x03, b"\0" + bytes(key.verify_key)))
    validity = _der(0x30, b"".join(_der(0x18, one.astimezone(UTC).strftime("%Y%m%d%H%M%SZ").encode()) for one in valid))
    body = b"\xa0\x03\x02\x01\x02" + serial + _ED25519 + _name(by.name) + validity + _name(name) + public
    if extensions:
        body += _der(0xA3, _der(0x30, b"".join(extensions)))
    told = _der(0x30, body)
    return _der(0x30, told + _ED25519 + _der(0x03, b"\0" + by.key.sign(told).signature))


def _name(text: str) -> bytes:
    parts = [_COMMON_NAME + _der(0x0C, text.encode()), _ORGANISATION + _der(0x0C, b"Carrel lab")]
    return _der(0x30, b"".join(_der(0x31, _der(0x30, one)) for one in parts))


def _host(host: str) -> bytes:
    try:
        return _der(0x87, ipaddress.ip_address(host).packed)
    except ValueError:
        return _der(0x82, host.encode("ascii"))


def _extension(oid: bytes, value: bytes) -> bytes:
    critical = b"" if oid == _NAMES else _TRUE
    return _der(0x30, oid + critical + _der(0x04, value))


def _der(tag: int, content: bytes) -> bytes:
    size = len(content)
    if size < 0x80:
        return bytes([tag, size]) + content
    length = size.to_bytes((size.bit_length() + 7) // 8)
    return bytes([tag, 0x80 | len(length)]) + length + content


def _written(path: Path, der: bytes) -> Path:
    fresh = path.with_suffix(".new")
    fresh.write_text(_pem("CERTIFICATE", der), encoding="ascii")
    fresh.replace(path)
    return path


def _pem(what: str, der: bytes) -> str:
    text = base64.b64encode(der).decode()
    lines = [text[at : at + 64] for at in range(0, len(text), 64)]
    return "\n".join((f"-----BEGIN {what}-----", *lines, f"-----END {what}-----", ""))
