"""The token of a ticket: what a kiosk may send over HTTP for a quarter of an hour. Pure."""

import base64
import binascii
import hashlib
import hmac
from datetime import UTC, datetime, timedelta
from typing import Final

from pydantic import AwareDatetime, PositiveInt

from fleet.errors import NotSignedIn
from wire.codec import WireModel, encode, read
from wire.errors import BadPayload
from wire.ids import Id
from wire.segments import SegmentId
from wire.uploads import Hash

LIVES: Final = timedelta(minutes=15)
_MOST_CHARACTERS: Final = 2_000
_PURPOSE: Final = b"carrel upload ticket 1\n"


class Grant(WireModel):
    """Exactly these bytes of this segment, from this kiosk, until then."""

    kiosk: Id
    segment: SegmentId
    hash: Hash
    bytes: PositiveInt
    until: AwareDatetime


def token(secret: bytes, grant: Grant) -> str:
    """`grant` as a bearer token."""
    told = encode(grant)
    return f"{_text(told)}.{_text(_seal(secret, told))}"


def granted(secret: bytes, text: str, now: datetime) -> Grant:
    """What a token allows.

    Raises:
        NotSignedIn: not one of ours, changed, or over.
    """
    told, _, seal = text.partition(".")
    try:
        if len(text) > _MOST_CHARACTERS:
            raise NotSignedIn(_UNKNOWN)  # nobody decodes what cannot be one
        body = _bytes(told)
        if not hmac.compare_digest(_seal(secret, body), _bytes(seal)):
            raise NotSignedIn(_UNKNOWN)
        grant = read(Grant, body)
    except (binascii.Error, ValueError, BadPayload) as error:
        raise NotSignedIn(_UNKNOWN) from error
    if now.astimezone(UTC) >= grant.until:
        raise NotSignedIn("This upload's token is over; ask for another over MQTT.")
    return grant


_UNKNOWN: Final = "This needs the token of an upload ticket, which a kiosk asks for over MQTT."


def _seal(secret: bytes, told: bytes) -> bytes:
    return hmac.new(secret, _PURPOSE + told, hashlib.sha256).digest()


def _text(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


def _bytes(text: str) -> bytes:
    return base64.b64decode(text.encode("ascii") + b"=" * (-len(text) % 4), altchars=b"-_", validate=True)
