"""The two secrets of uploads, made at first use, mode 0600: what tickets are sealed with, what receipts are signed by.

Losing the first costs nothing: kiosks ask for new tickets. Losing the second means that kiosks refuse every receipt,
and so keep what they have, until they are told the new public key.
"""

import base64
import binascii
import contextlib
import os
import secrets
from pathlib import Path
from typing import Final

from nacl.signing import SigningKey

from fleet.errors import SettingsUnusable
from fleet.private_file import MODE, read_private
from wire.disk import sync_folder

TICKET_FILE: Final = "upload-secret"
RECEIPT_FILE: Final = "receipt-key"
_BYTES: Final = 32


def ticket_secret(data_dir: Path) -> bytes:
    """What tickets are authenticated with; raises `SettingsUnusable`."""
    return _secret(data_dir / TICKET_FILE)


def receipt_key(data_dir: Path) -> SigningKey:
    """What receipts are signed by; raises `SettingsUnusable`."""
    return SigningKey(_secret(data_dir / RECEIPT_FILE))


def receipt_public(data_dir: Path) -> str:
    """What kiosks are given to know receipts by, in base64; raises `SettingsUnusable`."""
    return base64.b64encode(bytes(receipt_key(data_dir).verify_key)).decode()


def _secret(path: Path) -> bytes:
    """The 32 bytes in the file at `path`, made if there is none; durable before they are used."""
    try:
        if not path.exists():
            _make(path)
    except OSError as error:
        raise SettingsUnusable(f"{path}: the key cannot be written: {error.strerror or error}") from error
    try:
        found = base64.b64decode(read_private(path).strip(), validate=True)
    except binascii.Error:
        found = b""
    if len(found) != _BYTES:
        raise SettingsUnusable(f"{path}: not a key of 32 bytes; restore it from a backup or move it away")
    return found


def _make(path: Path) -> None:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    unfinished = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    fd = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, MODE)
    try:
        with os.fdopen(fd, "wb") as file:
            file.write(base64.b64encode(secrets.token_bytes(_BYTES)) + b"\n")
            file.flush()
            os.fsync(file.fileno())
        with contextlib.suppress(FileExistsError):  # another process of this fleet was faster: its key counts
            path.hardlink_to(unfinished)
    finally:
        unfinished.unlink()
    sync_folder(path.parent)
