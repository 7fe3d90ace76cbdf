"""Whether a receipt is the fleet's own word about this very segment; only then may the kiosk's copy go."""

import base64
import binascii
from typing import Final

from nacl.exceptions import BadSignatureError
from nacl.signing import VerifyKey

from device.errors import UploadTrouble
from wire.uploads import Receipt

_ADVICE: Final = "copy the line that `carrel-fleet receipt-key` prints"
_KEY_BYTES: Final = 32


def receipt_key(text: str) -> VerifyKey:
    """The fleet's public key in base64 `text`.

    Raises:
        ValueError: not base64, or of another length.
    """
    try:
        raw = base64.b64decode(text.strip(), validate=True)
    except binascii.Error as error:
        raise ValueError(f"the fleet's receipt key is not base64; {_ADVICE}") from error
    if len(raw) != _KEY_BYTES:
        raise ValueError(f"the fleet's receipt key has {len(raw)} bytes, not {_KEY_BYTES}; {_ADVICE}")
    return VerifyKey(raw)


def require(receipt: Receipt, key: VerifyKey, kiosk: str, segment: str, hash_: str, size_bytes: int) -> None:
    """Pass only what the fleet signed for exactly these bytes.

    Raises:
        UploadTrouble: `bad-receipt`; the message says what is wrong with it.
    """
    said = (receipt.kiosk, receipt.segment, receipt.hash, receipt.bytes)
    if said != (kiosk, segment, hash_, size_bytes):
        raise UploadTrouble("bad-receipt", "the fleet's receipt is about another segment, hash or length")
    try:
        key.verify(receipt.signed_text().encode(), base64.b64decode(receipt.signature, validate=True))
    except (BadSignatureError, binascii.Error, ValueError) as error:
        words = "the fleet's receipt is not signed by the key in kiosk.toml ([recording] receipt_key)"
        raise UploadTrouble("bad-receipt", words) from error
