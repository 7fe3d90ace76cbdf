"""Sealing a segment while it is recorded: what is written can be opened by the fleet alone, never by this kiosk.

Each segment has a key of its own, which is wrapped for the fleet and then forgotten. Each piece is one message of
libsodium's secretstream, so a file cut anywhere still opens up to its last whole record (form in wire/segments.py).
"""

import base64
import binascii
import hashlib
from typing import Final

from nacl import bindings
from nacl.exceptions import CryptoError
from nacl.public import PublicKey, SealedBox

from device.cameras.errors import BadKey
from wire.errors import BadSegment
from wire.segments import (
    HASH_BYTES,
    MAX_SEALED_BYTES,
    Kind,
    SegmentFacts,
    SegmentHeader,
    associated,
    follows,
    key_id,
    pack_header,
    pack_record,
)

_KEY_BYTES: Final = bindings.crypto_box_PUBLICKEYBYTES
_MAX_PLAIN_BYTES: Final = MAX_SEALED_BYTES - bindings.crypto_secretstream_xchacha20poly1305_ABYTES
_ADVICE: Final = "copy the line that `carrel-fleet segment-key` prints"


def fleet_key(text: str) -> bytes:
    """The fleet's public key in base64 `text`, as 32 bytes.

    Raises:
        BadKey: not base64, of another length, or a number with which nothing can be sealed.
    """
    try:
        key = base64.b64decode(text.strip(), validate=True)
    except (binascii.Error, ValueError) as error:
        raise BadKey(f"the fleet's segment key is not base64; {_ADVICE}") from error
    _box(key)
    return key


class Sealer:
    """Seals the pieces of one segment in their order: INIT, any number of FRAGMENTs, END.

    Args:
        facts: what the header says in clear.
        key: the fleet's X25519 public key, 32 bytes, as `fleet_key` gives it.

    Raises:
        BadKey: nothing can be sealed for that key.
    """

    def __init__(self, facts: SegmentFacts, key: bytes) -> None:
        box = _box(key)
        # Only the wrapped key leaves this function; libsodium's own state moves on with each piece.
        secret = bindings.crypto_secretstream_xchacha20poly1305_keygen()
        self._state = bindings.crypto_secretstream_xchacha20poly1305_state()
        stream = bindings.crypto_secretstream_xchacha20poly1305_init_push(self._state, secret)
        told = SegmentHeader(
            **facts.model_dump(),
            key_id=key_id(key),
            wrapped_key=base64.b64encode(box.encrypt(secret)).decode(),
            stream=base64.b64encode(stream).decode(),
        )
        self.header, self._header_hash = pack_header(told)
        """The first bytes of the file."""
        self._link = self._header_hash
        self._last: Kind | None = None
        self._whole = hashlib.blake2b(self.header, digest_size=HASH_BYTES)
        self.bytes_out = len(self.header)
        """How long the file is with everything handed out so far."""

    def seal(self, kind: Kind, start_ms: int, duration_ms: int, plain: bytes) -> bytes:
        """A whole record with `plain` in it, to be written next; times count from the segment's first picture.

        Raises:
            BadSegment: a piece out of order, too large, or with a time that the form does not hold.
        """
        if not follows(self._last, kind):
            raise BadSegment(f"{kind.name} cannot come after {self._last.name if self._last else 'the header'}")
        if len(plain) > _MAX_PLAIN_BYTES:
            raise BadSegment(f"a piece of {len(plain)} bytes, more than the {_MAX_PLAIN_BYTES} allowed")
        bound = associated(self._header_hash, kind, start_ms, duration_ms)
        # From here on nothing may be refused: the stream has moved on.
        sealed = bindings.crypto_secretstream_xchacha20poly1305_push(
            self._state,
            plain,
            bound,
            bindings.crypto_secretstream_xchacha20poly1305_TAG_FINAL
            if kind is Kind.END
            else bindings.crypto_secretstream_xchacha20poly1305_TAG_MESSAGE,
        )
        record, self._link = pack_record(self._link, kind, start_ms, duration_ms, sealed)
        self._last = kind
        self._whole.update(record)
        self.bytes_out += len(record)
        return record

    @property
    def hash(self) -> str:
        """BLAKE2b-256 in hex over the header and all records handed out: the manifest's hash."""
        return self._whole.hexdigest()


def _box(key: bytes) -> SealedBox[PublicKey]:
    """Where the segment's key goes in; a key with which sealing fails is refused now and not in a session."""
    if len(key) != _KEY_BYTES:
        raise BadKey(f"the fleet's segment key has {len(key)} bytes instead of {_KEY_BYTES}; {_ADVICE}")
    box = SealedBox(PublicKey(key))
    try:
        box.encrypt(b"")
    except (CryptoError, RuntimeError) as error:
        raise BadKey(f"the fleet's segment key is not a key; {_ADVICE}") from error
    return box
