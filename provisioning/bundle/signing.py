"""The campus's signature over a bundle: Ed25519. The key's file is private; its public half is in the image."""

import base64
import binascii
import json
from collections.abc import Mapping
from pathlib import Path

from nacl.exceptions import BadSignatureError
from nacl.signing import SigningKey, VerifyKey

from provisioning.errors import BundleRefused, SecretsRefused
from provisioning.secret_file import require_private, write_private
from wire.bundles import MANIFEST, SIGNATURE, BadBundle, Manifest, digest, opened, signed_bytes


def make_key(path: Path) -> str:
    """Make a campus's signing key at `path`; the public half in base64.

    Raises:
        SecretsRefused: there is a file already, or it cannot be written.
    """
    key = SigningKey.generate()
    write_private(path, base64.b64encode(bytes(key)) + b"\n")
    return public_text(key)


def read_key(path: Path) -> SigningKey:
    """The signing key at `path`.

    Raises:
        SecretsRefused: it cannot be read, others can read it, or it is none.
    """
    require_private(path)
    try:
        return SigningKey(base64.b64decode(path.read_bytes().strip(), validate=True))
    except OSError as error:
        raise SecretsRefused(f"{path}: cannot be read: {error.strerror or error}") from error
    except (binascii.Error, ValueError) as error:
        raise SecretsRefused(f"{path}: holds no key that `carrel-provision bundle key` made") from error


def public_text(key: SigningKey) -> str:
    """The public half, in base64, as it stands in the image's /etc/carrel/bundle-key."""
    return base64.b64encode(bytes(key.verify_key)).decode()


def read_public(path: Path) -> VerifyKey:
    """The public half in the file at `path`.

    Raises:
        BundleRefused: there is none.
    """
    try:
        return VerifyKey(base64.b64decode(path.read_bytes().strip(), validate=True))
    except OSError as error:
        raise BundleRefused(f"{path}: cannot be read: {error.strerror or error}") from error
    except (binascii.Error, ValueError) as error:
        raise BundleRefused(f"{path}: holds no public key of a campus") from error


def signed(campus: str, kiosk: str, files: Mapping[str, bytes], key: SigningKey) -> dict[str, bytes]:
    """The bundle's list of files and the signature over it, by name."""
    manifest = Manifest(
        version=1, campus=campus, kiosk=kiosk, files={name: digest(files[name]) for name in sorted(files)}
    )
    text = json.dumps(manifest.model_dump(), separators=(",", ":")).encode() + b"\n"
    return {MANIFEST: text, SIGNATURE: base64.b64encode(key.sign(signed_bytes(text)).signature) + b"\n"}


def verify(folder: Path, key: VerifyKey) -> Manifest:
    """The list of the bundle in `folder`, once every file is known to be as it was signed.

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
        return opened(folder, is_signed)[0]
    except BadBundle as error:
        raise BundleRefused(f"{folder}: {error}; nothing of it may be used, make it anew") from error
