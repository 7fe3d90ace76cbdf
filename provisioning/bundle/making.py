"""A campus's bundles: all of them or none, in a folder that was not there before."""

import json
import os
import shutil
import tempfile
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from nacl.signing import SigningKey

from provisioning.bundle.cloud_init import seed
from provisioning.bundle.kiosk_toml import kiosk_toml
from provisioning.bundle.signing import signed
from provisioning.campus_file import CampusFile
from provisioning.errors import BundleRefused, NetworkRefused
from provisioning.network.description import Network
from provisioning.network.keyfile import keyfile
from provisioning.network.profile import CA_FILE, CLIENT_FILE, KEY_FILE, sections
from provisioning.register import Campus
from provisioning.roster.device import Device
from provisioning.secret_file import SecretsFile, require_private
from provisioning.tokens import Claims, Wanted, allowances, drawn
from wire.bundles import AUTHORITY, CLAIM, ENVIRONMENT, KIOSK_TOML, NETWORK, ClaimFile
from wire.claims import LIVES
from wire.disk import sync_folder

_CABLE: Final = Network(medium="wired")
_CLAIMS_EACH: Final = 2_000
"""As many as the fleet takes at once."""


class Maker:
    """Makes the bundles of one campus.

    Args:
        campus: as registered.
        file: the campus's own.
        secrets: those that it names.
        key: signs for the campus.

    Raises:
        BundleRefused: a certificate that the campus's file names cannot be read.
    """

    def __init__(self, campus: Campus, file: CampusFile, secrets: SecretsFile, key: SigningKey) -> None:
        self._campus, self._file, self._secrets, self._key = campus, file, secrets, key
        self._authority = _pem(file.ca) if file.ca else None
        self._network_authorities = {name: _pem(one.ca) for name, one in file.networks.items() if one.ca}

    def files(self, device: Device, token: str, now: datetime) -> dict[str, bytes]:
        """All files of one kiosk's bundle by name, the signed list too.

        Raises:
            NetworkRefused: the kiosk's network is unknown, or its secret or certificates are missing or wrong.
        """
        expires = (now + LIVES).astimezone(UTC).isoformat(timespec="seconds")
        claim = ClaimFile(
            campus=self._campus.id, kiosk=device.kiosk, token=token, fleet_url=self._file.fleet_url, expires_at=expires
        )
        rest = {
            KIOSK_TOML: kiosk_toml(self._campus, self._file, device),
            CLAIM: claim.model_dump_json().encode() + b"\n",
            **self._network(device),
        }
        if self._authority is not None:
            rest[AUTHORITY] = self._authority
        if self._file.proxy:
            rest[ENVIRONMENT] = f"https_proxy={self._file.proxy}\nhttp_proxy={self._file.proxy}\n".encode()
        files = seed(self._campus, self._file, device, rest) | rest
        return files | signed(self._campus.id, device.kiosk, files, self._key)

    def write(
        self, devices: Iterable[Device], out: Path, claims: Claims, now: datetime, told: Callable[[int], None]
    ) -> int:
        """Write a folder `out` with a folder for each kiosk, and let the register know their tokens.

        Beside them lies `claims-1.json` and so on: the tokens' hashes, for the fleet.

        The register learns the tokens before the folder gets its name: a card whose token nobody knows would be worse
        than a token that no card has. `told` is called with the number of kiosks done so far.

        Raises:
            BundleRefused: `out` is there already, or cannot be written.
            NetworkRefused: as `files`; nothing is left behind.
        """
        if out.exists():
            raise BundleRefused(f"{out}: is there already; name a new folder, or remove it once its cards are written")
        made: list[tuple[str, Wanted]] = []
        part = None
        try:
            out.parent.mkdir(parents=True, exist_ok=True)
            part = Path(tempfile.mkdtemp(prefix=f".{out.name}.", dir=out.parent))
            for device in devices:
                token = drawn()
                _write(part / device.kiosk, self.files(device, token, now))
                made.append((token, Wanted(self._campus.id, device.kiosk, device.serial)))
                told(len(made))
            for number, first in enumerate(range(0, len(made), _CLAIMS_EACH), 1):
                some = allowances(made[first : first + _CLAIMS_EACH], now)
                _write(part, {f"claims-{number}.json": json.dumps({"claims": some}, indent=1).encode() + b"\n"})
            os.sync()
            claims.keep(made, now)
            part.rename(out)
            sync_folder(out.parent)
        except OSError as error:
            raise BundleRefused(f"{error.filename or out}: cannot be written: {error.strerror or error}") from error
        finally:
            if part is not None:
                shutil.rmtree(part, ignore_errors=True)
        return len(made)

    def _network(self, device: Device) -> dict[str, bytes]:
        name = device.network or "cable"
        network = self._file.networks.get(name, None if device.network else _CABLE)
        if network is None:
            known = ", ".join(self._file.networks) or "none"
            raise NetworkRefused(
                f"{device.kiosk}: there is no network {name!r} in the campus's file; there are: {known}"
            )
        secret = self._secrets.secrets.get(network.secret) if network.secret else None
        text = keyfile(sections(name, network, device, secret))
        files = {f"{NETWORK}/carrel.nmconnection": text.encode()}
        if name in self._network_authorities:
            files[f"{NETWORK}/{CA_FILE}"] = self._network_authorities[name]
        if network.certificates is not None:
            certificate, key = (network.certificates / f"{device.kiosk}.{kind}" for kind in ("pem", "key"))
            require_private(key)
            files |= {f"{NETWORK}/{CLIENT_FILE}": _pem(certificate), f"{NETWORK}/{KEY_FILE}": _pem(key)}
        return files


def _pem(path: Path) -> bytes:
    try:
        raw = path.read_bytes()
    except OSError as error:
        raise BundleRefused(f"{path}: cannot be read: {error.strerror or error}") from error
    if b"-----BEGIN " not in raw:
        raise BundleRefused(f"{path}: is no PEM file")
    return raw.replace(b"\r\n", b"\n")


def _write(folder: Path, files: dict[str, bytes]) -> None:
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(content)
