"""A kiosk's bundle, as both sides know it: files for its card, and a signed list of their hashes.

`user-data`, `network-config` and `meta-data` are cloud-init's, the rest stands under `carrel/`. The list says which
files there are and what they hash to; the signature is the campus's over the list.
"""

import base64
import binascii
import hashlib
import re
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Annotated, Final, Literal

from pydantic import Field, ValidationError

from wire.codec import WireModel
from wire.errors import WireError
from wire.ids import Id

FOLDER: Final = "carrel"
MANIFEST: Final = f"{FOLDER}/manifest.json"
SIGNATURE: Final = f"{FOLDER}/manifest.sig"
KIOSK_TOML: Final = f"{FOLDER}/kiosk.toml"
CLAIM: Final = f"{FOLDER}/claim.json"
AUTHORITY: Final = f"{FOLDER}/ca.pem"
ENVIRONMENT: Final = f"{FOLDER}/environment"
NETWORK: Final = f"{FOLDER}/network"
"""Keyfiles of NetworkManager, and the certificates they speak of."""
SEED: Final = ("user-data", "network-config", "meta-data")
"""What cloud-init reads from the card's first partition."""
MOST_BYTES: Final = 1024 * 1024
"""No file of a bundle is as large."""

_SIGNED: Final = b"carrel bundle 1\n"
_NAME: Final = re.compile(r"(?:[a-z0-9][a-z0-9._-]*/)*[a-z0-9][a-z0-9._-]*")


class BadBundle(WireError, ValueError):
    """A bundle's list is not one, or its files are not those of the list."""


class Manifest(WireModel):
    """Which files a bundle has."""

    version: Literal[1]
    campus: Id
    kiosk: Id
    files: dict[str, Annotated[str, Field(pattern=r"^[0-9a-f]{64}\z")]]
    """SHA-256 in hex by name, folders with `/`."""


class ClaimFile(WireModel):
    """What a new kiosk shows to be given an identity."""

    version: Literal[1] = 1
    campus: Id
    kiosk: Id
    token: Annotated[str, Field(min_length=22, max_length=100)]
    fleet_url: str
    expires_at: str
    """ISO 8601 in UTC."""


def signed_bytes(manifest: bytes) -> bytes:
    """What the campus's Ed25519 signature covers."""
    return _SIGNED + manifest


def digest(content: bytes) -> str:
    """A file's hash as the list has it."""
    return hashlib.sha256(content).hexdigest()


def parsed(manifest: bytes) -> Manifest:
    """The list, once its signature is known to be good.

    Raises:
        BadBundle: it is none, or names a file that could lie outside the bundle.
    """
    try:
        found = Manifest.model_validate_json(manifest)
    except ValidationError as error:
        raise BadBundle(f"{MANIFEST}: {error.errors(include_url=False)[0]['msg']}") from error
    for name in found.files:
        if not _NAME.fullmatch(name) or ".." in name:
            raise BadBundle(f"{MANIFEST}: {name!r:.80} is no name of a file in a bundle")
    return found


def opened(folder: Path, is_signed: Callable[[bytes, bytes], bool]) -> tuple[Manifest, dict[str, bytes]]:
    """A bundle's list and files, once all of them are known to be as the campus signed them.

    Args:
        folder: where the bundle lies, which may hold more, as a card does; under `carrel/` it may not.
        is_signed: whether the second argument is the campus's signature over the first.

    Raises:
        BadBundle: naming what is missing, changed or too much, or that the campus did not sign it.
    """
    try:
        manifest_bytes = _read(folder / MANIFEST)
        try:
            signature = base64.b64decode(_read(folder / SIGNATURE).strip(), validate=True)
        except binascii.Error:
            signature = b""
        if not is_signed(signed_bytes(manifest_bytes), signature):
            raise BadBundle(f"{MANIFEST} is not signed by this campus's key")
        manifest = parsed(manifest_bytes)
        there = {path.relative_to(folder).as_posix() for path in (folder / FOLDER).rglob("*") if not path.is_dir()}
        files = {name: _read(folder / name) for name in manifest.files if (folder / name).is_file()}
    except OSError as error:
        raise BadBundle(f"{error.filename}: {error.strerror or error}") from error
    _require(manifest, files, there)
    return manifest, files


def _require(manifest: Manifest, files: Mapping[str, bytes], there: Iterable[str]) -> None:
    for name, hash_ in manifest.files.items():
        if name not in files:
            raise BadBundle(f"{name} is missing")
        if digest(files[name]) != hash_:
            raise BadBundle(f"{name} is not as it was signed: its bytes have changed")
    extra = sorted(set(there) - set(manifest.files) - {MANIFEST, SIGNATURE})
    if extra:
        raise BadBundle(f"{extra[0]} is not of this bundle")


def _read(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(MOST_BYTES + 1)
