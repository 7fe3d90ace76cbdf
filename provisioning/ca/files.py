"""Files of an authority: whole or not at all after a power cut, and keys that nobody but their owner can read."""

import os
import secrets
import stat
from pathlib import Path
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from provisioning.errors import AuthorityUnusable
from wire.disk import sync_folder

PRIVATE: Final = 0o600
PUBLIC: Final = 0o644
_OTHERS: Final = stat.S_IRWXG | stat.S_IRWXO


def write(path: Path, data: bytes, mode: int = PUBLIC, *, only_new: bool = False) -> None:
    """Write `path` durably; raises `AuthorityUnusable`, also where it exists and `only_new`."""
    unfinished = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        fd = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, PRIVATE)
        try:
            with os.fdopen(fd, "wb") as file:
                file.write(data)
                os.fchmod(fd, mode)
                file.flush()
                os.fsync(fd)
            if only_new:
                path.hardlink_to(unfinished)
            else:
                unfinished.replace(path)
        finally:
            unfinished.unlink(missing_ok=True)
        sync_folder(path.parent)
    except FileExistsError as error:
        raise AuthorityUnusable(f"{path} is there already; nothing was changed") from error
    except OSError as error:
        raise AuthorityUnusable(f"{path}: cannot be written: {error.strerror or error}") from error


def read(path: Path) -> bytes:
    """What stands in a file; raises `AuthorityUnusable`."""
    try:
        return path.read_bytes()
    except OSError as error:
        raise AuthorityUnusable(f"{path}: cannot be read: {error.strerror or error}") from error


def key_bytes(key: ec.EllipticCurvePrivateKey, passphrase: bytes | None = None) -> bytes:
    """A key as PKCS #8 in PEM, encrypted where there is a passphrase."""
    how = serialization.BestAvailableEncryption(passphrase) if passphrase else serialization.NoEncryption()
    return key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, how)


def read_key(path: Path, passphrase: bytes | None = None) -> ec.EllipticCurvePrivateKey:
    """A key that nobody but its owner can read; raises `AuthorityUnusable` saying what is wrong with it."""
    data = read(path)
    if stat.S_IMODE(path.stat().st_mode) & _OTHERS:
        raise AuthorityUnusable(f"{path}: others than its owner may read this key; run `chmod 600 {path}`")
    try:
        key = serialization.load_pem_private_key(data, passphrase)
    except (ValueError, TypeError) as error:
        raise AuthorityUnusable(f"{path}: the key cannot be opened: {error}") from error
    if not isinstance(key, ec.EllipticCurvePrivateKey):
        raise AuthorityUnusable(f"{path}: this is no ECDSA key")
    return key


def read_certificates(path: Path) -> list[x509.Certificate]:
    """The certificates of a PEM file; raises `AuthorityUnusable`."""
    try:
        return x509.load_pem_x509_certificates(read(path))
    except ValueError as error:
        raise AuthorityUnusable(f"{path}: no certificate can be read: {error}") from error


def pem(one: x509.Certificate | x509.CertificateSigningRequest | x509.CertificateRevocationList) -> bytes:
    """PEM of a certificate, a request or a list."""
    return one.public_bytes(serialization.Encoding.PEM)
