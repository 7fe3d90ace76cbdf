"""The identity's folder: `next/` is being made, `current/` is in use, `previous/` was before.

Each holds `key.pem`, `request.pem` and `certificate.pem`. Every step is one rename of a whole folder, so that a power
cut at any of them leaves a key beside its own certificate in `current/` or `previous/`, and `mended` finds it.
"""

import logging
import os
import secrets
import shutil
import stat
from pathlib import Path
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from device.errors import IdentityTrouble
from wire.disk import sync_folder

_log = logging.getLogger(__name__)

FOLDER: Final = "identity"
KEY, REQUEST, CERTIFICATE = "key.pem", "request.pem", "certificate.pem"
_OTHERS: Final = stat.S_IRWXG | stat.S_IRWXO


class Identity:
    """The folder of one kiosk's identity.

    Args:
        data_dir: of the kiosk.
        kiosk: its id, which is to be the certificate's name.
    """

    def __init__(self, data_dir: Path, kiosk: str) -> None:
        self._folder, self._kiosk = data_dir / FOLDER, kiosk

    @property
    def certificate(self) -> Path:
        """The chain in use; `[link] certificate` of kiosk.toml."""
        return self._folder / "current" / CERTIFICATE

    @property
    def key(self) -> Path:
        """Its key; `[link] key` of kiosk.toml."""
        return self._folder / "current" / KEY

    def wanted(self) -> str:
        """The request for the next certificate, in PEM; the same one until that certificate came.

        Raises:
            IdentityTrouble: it cannot be written.
        """
        following = self._folder / "next"
        try:
            if not (following / REQUEST).exists():
                self._make(following)
            return (following / REQUEST).read_text()
        except (OSError, ValueError) as error:
            raise IdentityTrouble(f"{following}: no key can be made: {error}") from error

    def take(self, chain: str) -> None:
        """Use the certificate that came for `wanted`, from now on.

        Raises:
            IdentityTrouble: it is of another key or name; or it cannot be written. What was in use stays so.
        """
        following = self._folder / "next"
        try:
            _write(following / CERTIFICATE, chain.encode())
            self._check(following)
            self._adopt()
        except OSError as error:
            raise IdentityTrouble(f"{self._folder}: the certificate cannot be kept: {error}") from error

    def mended(self) -> bool:
        """Put right what a power cut or a damaged file left; whether there is an identity to use.

        Raises:
            IdentityTrouble: the disk refuses.
        """
        try:
            for name in ("current", "next", "previous"):
                if self._is_whole(self._folder / name):
                    if name != "current":
                        _log.warning("the identity in use is not whole; the %s one is used", name)
                        self._promote(name)
                    return True
        except OSError as error:
            raise IdentityTrouble(f"{self._folder}: the identity cannot be put right: {error}") from error
        return False

    def proof(self, context: bytes) -> bytes:
        """An ECDSA signature, SHA-256, by the key in use over `context` and the next request in DER."""
        request = x509.load_pem_x509_csr(self.wanted().encode())
        der = request.public_bytes(serialization.Encoding.DER)
        return _key(self.key).sign(context + der, ec.ECDSA(hashes.SHA256()))

    def _make(self, following: Path) -> None:
        unfinished = self._folder / f".making-{secrets.token_hex(4)}"
        unfinished.mkdir(mode=0o700, parents=True)
        key = ec.generate_private_key(ec.SECP256R1())
        form = serialization.PrivateFormat.PKCS8
        _write(unfinished / KEY, key.private_bytes(serialization.Encoding.PEM, form, serialization.NoEncryption()))
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, self._kiosk)])
        request = x509.CertificateSigningRequestBuilder().subject_name(name).sign(key, hashes.SHA256())
        _write(unfinished / REQUEST, request.public_bytes(serialization.Encoding.PEM))
        self._clear(following)
        unfinished.rename(following)
        sync_folder(self._folder)
        for left in self._folder.glob(".making-*"):
            self._clear(left)

    def _adopt(self) -> None:
        current, previous = self._folder / "current", self._folder / "previous"
        if self._is_whole(current):
            self._clear(previous)
            current.rename(previous)
            sync_folder(self._folder)
        self._promote("next")

    def _promote(self, name: str) -> None:
        current = self._folder / "current"
        self._clear(current)
        (self._folder / name).rename(current)
        sync_folder(self._folder)

    def _clear(self, folder: Path) -> None:
        """Let a folder be gone: renamed first, so that no half of it is ever taken for a whole one."""
        if folder.exists():
            gone = self._folder / f".making-{secrets.token_hex(4)}"
            folder.rename(gone)
            shutil.rmtree(gone)

    def _is_whole(self, folder: Path) -> bool:
        try:
            self._check(folder)
        except (IdentityTrouble, OSError) as error:
            if (folder / CERTIFICATE).exists():
                _log.warning("%s cannot be used: %s", folder, error)
            return False
        return True

    def _check(self, folder: Path) -> None:
        try:
            certificate = x509.load_pem_x509_certificate((folder / CERTIFICATE).read_bytes())
        except ValueError as error:
            raise IdentityTrouble(f"{folder / CERTIFICATE}: no certificate can be read: {error}") from error
        if certificate.public_key() != _key(folder / KEY).public_key():
            raise IdentityTrouble(f"{folder}: the certificate is of another key")
        names = certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
        if [one.value for one in names] != [self._kiosk]:
            raise IdentityTrouble(f"{folder / CERTIFICATE} names {names[0].value if names else 'nobody'!r}")


def _key(path: Path) -> ec.EllipticCurvePrivateKey:
    if path.stat().st_mode & _OTHERS:
        raise IdentityTrouble(f"{path}: others than its owner may read this key; run `chmod 600 {path}`")
    try:
        key = serialization.load_pem_private_key(path.read_bytes(), None)
    except (ValueError, TypeError) as error:
        raise IdentityTrouble(f"{path}: no key can be read: {error}") from error
    if not isinstance(key, ec.EllipticCurvePrivateKey):
        raise IdentityTrouble(f"{path}: this is no ECDSA key")
    return key


def _write(path: Path, data: bytes) -> None:
    unfinished = path.with_name(f".{path.name}")
    unfinished.unlink(missing_ok=True)
    fd = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(fd, "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(fd)
    unfinished.rename(path)
    sync_folder(path.parent)
