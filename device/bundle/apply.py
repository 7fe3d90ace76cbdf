"""A bundle is taken over: file by file, kiosk.toml last, each whole or not there at any power cut.

What the kiosk had before stays as it is until the whole bundle is known to be good: a spoilt one changes nothing.
"""

import base64
import binascii
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Final

from nacl.exceptions import BadSignatureError
from nacl.signing import VerifyKey

from device.errors import BundleRefused
from device.settings import Settings
from wire.bundles import (
    AUTHORITY,
    CLAIM,
    ENVIRONMENT,
    FOLDER,
    KIOSK_TOML,
    MANIFEST,
    NETWORK,
    BadBundle,
    Manifest,
    digest,
    opened,
)
from wire.disk import sync_folder
from wire.settings_file import SettingsError, read_settings

KEY: Final = Path("etc/carrel/bundle-key")
"""The campus's public key, a part of the image; below the root, as all paths here."""
SETTINGS: Final = Path("etc/carrel/kiosk.toml")
REFUSED: Final = Path("var/lib/carrel/bundle-refused.txt")
"""Why the newest bundle was not taken over, in words; there only while that is so."""

_APPLIED: Final = Path("etc/carrel/bundle-applied")
_CERTIFICATES: Final = Path("etc/carrel/network")
_PROFILES: Final = Path("etc/NetworkManager/system-connections")
_PLACES: Final = {
    AUTHORITY: (Path("etc/carrel/ca.pem"), 0o644),
    ENVIRONMENT: (Path("etc/carrel/environment"), 0o644),
    CLAIM: (Path("var/lib/carrel/claim.json"), 0o600),
}


@dataclass(frozen=True, slots=True)
class Applied:
    """What became of a bundle."""

    kiosk: str
    is_new: bool
    """False when this very bundle had been taken over before."""


def read_key(path: Path) -> VerifyKey:
    """The campus's public key in the file at `path`; raises `BundleRefused`."""
    try:
        return VerifyKey(base64.b64decode(path.read_bytes().strip(), validate=True))
    except OSError as error:
        raise BundleRefused(f"{path}: {error.strerror or error}; the image has to hold its campus's key") from error
    except (binascii.Error, ValueError) as error:
        raise BundleRefused(f"{path}: is no key that `carrel-provision bundle key` printed") from error


def verified(folder: Path, key: VerifyKey) -> tuple[Manifest, dict[str, bytes]]:
    """The bundle in `folder`, exactly as its campus signed it.

    Raises:
        BundleRefused: naming what is missing, changed or too much.
    """

    def is_signed(text: bytes, signature: bytes) -> bool:
        try:
            key.verify(text, signature)
        except (BadSignatureError, ValueError):
            return False
        return True

    try:
        return opened(folder, is_signed)
    except BadBundle as error:
        raise BundleRefused(f"{folder}: {error}; write the card's bundle anew") from error


def apply(folder: Path, key: VerifyKey, root: Path, step: Callable[[str], None] = lambda _: None) -> Applied:
    """Take the bundle in `folder` over into the system at `root`; the same one again only removes what is secret.

    Args:
        folder: the card's first partition, or a copy of a bundle.
        key: the campus's.
        root: `/` on a kiosk.
        step: told before each write, so that a test can cut the power there.

    Raises:
        BundleRefused: it is not as it was signed, its settings cannot be used, or the disk refuses.
    """
    try:
        manifest_bytes = (folder / MANIFEST).read_bytes()
        if _held(root / _APPLIED) == digest(manifest_bytes):
            kiosk = read_settings(Settings, root / SETTINGS).kiosk.id
            _scrub(folder, step)
            return Applied(kiosk, is_new=False)
        manifest, files = verified(folder, key)
        if KIOSK_TOML not in files:
            raise BundleRefused(f"{folder}: there is no {KIOSK_TOML}; write the card's bundle anew")
        _install(manifest, files, root, step)
        _write(root / _APPLIED, digest(manifest_bytes).encode() + b"\n", 0o644, step)
        _scrub(folder, step)
    except OSError as error:
        raise BundleRefused(f"{error.filename or folder}: {error.strerror or error}") from error
    except SettingsError as error:
        raise BundleRefused(f"the bundle's settings cannot be used: {error}") from error
    return Applied(manifest.kiosk, is_new=True)


def _install(manifest: Manifest, files: dict[str, bytes], root: Path, step: Callable[[str], None]) -> None:
    fresh = root / SETTINGS.with_name("kiosk.toml.new")
    _write(fresh, files[KIOSK_TOML], 0o644, step)
    try:
        _require_same(read_settings(Settings, fresh), manifest)
    except (SettingsError, BundleRefused):
        fresh.unlink()
        raise
    kept = set()
    for name, content in files.items():
        if (place := _place(name)) is not None:
            path, mode = root / place[0], place[1]
            _write(path, content, mode, step)
            kept.add(path)
    for stale in (root / _PLACES[AUTHORITY][0], root / _PLACES[ENVIRONMENT][0], *(root / _CERTIFICATES).glob("*")):
        if stale not in kept and stale.exists():
            step(f"remove {stale.name}")
            stale.unlink()
    step("rename kiosk.toml")
    fresh.replace(root / SETTINGS)
    sync_folder(fresh.parent)


def _require_same(settings: Settings, manifest: Manifest) -> None:
    if (settings.kiosk.campus, settings.kiosk.id) != (manifest.campus, manifest.kiosk):
        raise BundleRefused(f"kiosk.toml is for {settings.kiosk.id}, the bundle for {manifest.kiosk}")


def _place(name: str) -> tuple[Path, int] | None:
    """Where a file of the bundle goes, below the root, and its mode; None for what stays on the card."""
    if name in _PLACES:
        return _PLACES[name]
    path = PurePosixPath(name)
    if path.parent != PurePosixPath(NETWORK):
        return None
    return (_PROFILES if path.suffix == ".nmconnection" else _CERTIFICATES) / path.name, 0o600


def _write(path: Path, content: bytes, mode: int, step: Callable[[str], None]) -> None:
    """Durably, under its name only once whole, and never readable by more than `mode` says."""
    step(f"write {path.name}")
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = path.with_name(f".{path.name}.new")
    fresh.unlink(missing_ok=True)
    with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, mode), "wb") as file:
        file.write(content)
        file.flush()
        os.fchmod(file.fileno(), mode)
        folder = path.parent.stat()
        os.fchown(file.fileno(), folder.st_uid, folder.st_gid)  # the agent's own folder is the agent's
        os.fsync(file.fileno())
    step(f"rename {path.name}")
    fresh.replace(path)
    sync_folder(path.parent)


def _scrub(folder: Path, step: Callable[[str], None]) -> None:
    """Overwrite and remove what is secret; the card's partition is FAT, which anybody may read."""
    secret = [folder / CLAIM, *(folder / NETWORK).glob("*")]
    for path in filter(Path.is_file, secret):
        step(f"scrub {path.name}")
        with path.open("r+b") as file:
            file.write(bytes(path.stat().st_size))
            file.flush()
            os.fsync(file.fileno())
        path.unlink()
    if (folder / FOLDER).is_dir():
        sync_folder(folder / FOLDER)


def _held(path: Path) -> str | None:
    try:
        return path.read_text(encoding="ascii", errors="replace").strip()
    except FileNotFoundError:
        return None
