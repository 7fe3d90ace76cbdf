"""What keeps a running broker by the authorities' lists: new lists are put in place, and who is on one is thrown out.

mosquitto reads a list at SIGHUP, and asks it only of who comes new. So who is connected is thrown out beside: the
keeper connects by the kiosk's name where only it can, and mosquitto closes the older of two connections of one name.
A mosquitto 2.0.11 with websockets dies of the first websocket after a SIGHUP, so such a one is ended instead, for its
supervisor to start it anew (docs/adr/0033).
"""

import hashlib
import logging
import os
import signal
import socket
from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec

from provisioning.broker import rules
from provisioning.ca import authority, files
from provisioning.errors import AuthorityUnusable, BrokerUnusable

_log = logging.getLogger(__name__)

LOOK_EVERY_S: Final = 5.0
ANSWER_WITHIN_S: Final = 5.0
TOLD_EVERY: Final = timedelta(days=30)
"""A list lives 180 days, and a broker may run for longer."""
_APPLIED: Final = "lists.applied"
_END: Final = "-----END X509 CRL-----\n"
_CONNACK: Final = b"\x20\x02"


class Keeper:
    """Holds one broker to the lists of its authorities.

    Args:
        folder: of the broker's files.
        authorities: folders with `authority.pem`, `root.pem`, `crl.pem` and `revoked.txt`; their keys are not needed.
        campus: as the broker was written with.
    """

    def __init__(self, folder: Path, authorities: Sequence[Path], campus: str = "+") -> None:
        self._folder, self._authorities, self._campus = folder, authorities, campus

    def install(self, now: datetime) -> set[str]:
        """Put the present lists in place; the names that are shut out.

        Raises:
            AuthorityUnusable: a list is damaged, over, or of somebody else; what is in place stays.
        """
        lists: dict[bytes, None] = {}
        names: set[str] = set()
        for one in self._authorities:
            issuers = files.read_certificates(one / authority.CERTIFICATE) + files.read_certificates(
                one / authority.ROOT
            )
            for crl in _checked(one / authority.CRL, issuers, now):
                lists[files.pem(crl)] = None
            names |= set(files.read(one / authority.REVOKED).decode().split())
        _write_new(self._folder / rules.CRL, b"".join(lists))
        _write_new(self._folder / rules.KIOSKS, rules.kiosks_acl(self._campus, names).encode())
        return names

    def apply(self, now: datetime) -> set[str]:
        """Put the lists in place, let the broker read them, throw out who is on; raises as `install` and `kick`."""
        names = self.install(now)
        pid = self._pid()
        anew = rules.WEBSOCKETS in files.read(self._folder / rules.CONF).decode()
        try:
            os.kill(pid, signal.SIGTERM if anew else signal.SIGHUP)
        except OSError as error:
            raise BrokerUnusable(f"no broker has the process number {pid}: {error.strerror}") from error
        for name in () if anew else sorted(names):
            self.kick(name)
        files.write(self._folder / _APPLIED, f"{self._told()} {now.isoformat()}\n".encode())
        return names

    def is_due(self, now: datetime) -> bool:
        """Whether the broker has to be told: others are revoked than it knows, or its lists are a month old."""
        try:
            told, at = (self._folder / _APPLIED).read_text().split()
            return told != self._told() or now - datetime.fromisoformat(at) > TOLD_EVERY
        except FileNotFoundError:
            return True
        except (OSError, ValueError) as error:
            _log.warning("%s cannot be read, so the broker is told again: %s", self._folder / _APPLIED, error)
            return True

    def _told(self) -> str:
        """What is revoked at present, as a short hash; a list that was only written anew has the same."""
        digest = hashlib.sha256()
        for one in self._authorities:
            digest.update(files.read(one / authority.REVOKED))
            for crl in _lists(one / authority.CRL):
                serials = sorted(f"{row.serial_number:x}" for row in crl)
                digest.update(f"{crl.issuer.rfc4514_string()} {serials}\n".encode())
        return digest.hexdigest()

    def _pid(self) -> int:
        path = self._folder / rules.PID
        try:
            return int(path.read_text())
        except (OSError, ValueError) as error:
            raise BrokerUnusable(f"{path}: no process number of a running broker can be read: {error}") from error

    def kick(self, name: str) -> None:
        """Throw out whoever is connected by this name; nobody being so is fine. Raises `BrokerUnusable`."""
        path = self._folder / rules.KICK
        body = b"\x00\x04MQTT\x04\x02\x00\x05" + len(name).to_bytes(2, "big") + name.encode()
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as door:
                door.settimeout(ANSWER_WITHIN_S)
                door.connect(str(path))
                door.sendall(bytes([0x10, len(body)]) + body)
                said = door.recv(4)
                door.sendall(b"\xe0\x00")
        except OSError as error:
            raise BrokerUnusable(f"{path}: the broker cannot be told to throw {name} out: {error}") from error
        if not said.startswith(_CONNACK) or said[3:] != b"\x00":
            raise BrokerUnusable(f"{path}: the broker refused to throw {name} out: {said.hex()}")


def _lists(path: Path) -> list[x509.CertificateRevocationList]:
    texts = files.read(path).decode(errors="replace").split(_END)[:-1]
    try:
        return [x509.load_pem_x509_crl((one + _END).encode()) for one in texts]
    except ValueError as error:
        raise AuthorityUnusable(f"{path}: a list in it cannot be read: {error}") from error


def _checked(path: Path, issuers: list[x509.Certificate], now: datetime) -> list[x509.CertificateRevocationList]:
    found = _lists(path)
    for crl in found:
        by = next((one.public_key() for one in issuers if one.subject == crl.issuer), None)
        if not isinstance(by, ec.EllipticCurvePublicKey) or not crl.is_signature_valid(by):
            raise AuthorityUnusable(f"{path}: a list in it is signed by none of its authorities")
        if crl.next_update_utc is None or crl.next_update_utc <= now:
            raise AuthorityUnusable(f"{path}: a list in it is over, and a broker with it would refuse everybody")
    if {one.issuer for one in found} != {one.subject for one in issuers}:
        raise AuthorityUnusable(f"{path}: it has to hold one list of each of its authorities")
    return found


def _write_new(path: Path, data: bytes) -> None:
    if not path.exists() or path.read_bytes() != data:
        files.write(path, data)
