"""What webhooks are signed by, in the form of Standard Webhooks 1.0 (standardwebhooks.com).

The signed text is `id.timestamp.body`, the signature `v1,` and the HMAC-SHA256 in base64, the secret `whsec_` and its
bytes in base64. While a secret is exchanged both sign, so that a receiver may change its own at any time between.
"""

import base64
import binascii
import hashlib
import hmac
import secrets
from pathlib import Path
from typing import Final

from fleet.errors import SettingsUnusable
from fleet.secret_files import read_secret, write_secret

FILE: Final = "webhook-secrets"
PREFIX: Final = "whsec_"
_BYTES: Final = 32
_LEAST_BYTES: Final = 24
_WHAT: Final = "the webhooks' secret"


def webhook_secrets(data_dir: Path) -> tuple[str, ...]:
    """The secrets, the newest first, one or two of them; made if there is none.

    Raises:
        SettingsUnusable: the message names the file and what to do.
    """
    path = data_dir / FILE
    if not path.exists():
        write_secret(path, _fresh())
    found = tuple(read_secret(path, _WHAT).split())
    for one in found:
        _bytes(one, path)
    return found[:2]


def rotate(data_dir: Path) -> tuple[str, ...]:
    """A fresh secret first, the one before it second; an older one signs no more."""
    path = data_dir / FILE
    before = webhook_secrets(data_dir)[:1] if path.exists() else ()
    found = (_fresh(), *before)
    write_secret(path, "\n".join(found))
    return found


def signature(id_: str, timestamp_s: int, body: bytes, keys: tuple[str, ...]) -> str:
    """The header `webhook-signature`: one for each secret, with a space between."""
    text = f"{id_}.{timestamp_s}.".encode() + body
    signed = (hmac.new(_bytes(key), text, hashlib.sha256).digest() for key in keys)
    return " ".join(f"v1,{base64.b64encode(one).decode()}" for one in signed)


def _fresh() -> str:
    return PREFIX + base64.b64encode(secrets.token_bytes(_BYTES)).decode()


def _bytes(key: str, path: Path | None = None) -> bytes:
    try:
        found = base64.b64decode(key.removeprefix(PREFIX), validate=True)
    except binascii.Error:
        found = b""
    if not key.startswith(PREFIX) or len(found) < _LEAST_BYTES:
        where = path or FILE
        raise SettingsUnusable(f"{where}: not a secret of the form {PREFIX}…; run `carrel-fleet webhook-secret --new`")
    return found
