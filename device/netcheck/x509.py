"""As much of X.509 as it takes to name who signed a certificate and when it ends (RFC 5280, section 4.1). Pure.

The standard library verifies certificates but reads none that it does not trust, and that is the one to be named here.
Nothing is trusted because of what is read: the connection was refused before.
"""

import base64
import binascii
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

_SEQUENCE, _SET, _OID, _UTC_TIME, _TIME, _VERSION = 0x30, 0x31, 0x06, 0x17, 0x18, 0xA0
_TEXTS: Final = {0x0C: "utf-8", 0x13: "ascii", 0x16: "ascii", 0x14: "latin-1", 0x1E: "utf-16-be"}
_COMMON_NAME, _ORGANISATION = bytes.fromhex("550403"), bytes.fromhex("55040a")
_PEM: Final = re.compile(rb"-----BEGIN CERTIFICATE-----(.+?)-----END CERTIFICATE-----", re.DOTALL)
_MOST_NAME: Final = 80


@dataclass(frozen=True, slots=True)
class Paper:
    """What a certificate says of itself."""

    subject: str
    issuer: str
    not_before: datetime
    not_after: datetime


def paper(der: bytes) -> Paper:
    """What a certificate in DER says.

    Raises:
        ValueError: it is no certificate.
    """
    try:
        certificate = _one(der, _SEQUENCE)
        fields = list(_parts(_one(certificate, _SEQUENCE)))
        fields = fields[1:] if fields[0][0] == _VERSION else fields
        _, _, (_, issuer), (_, validity), (_, subject), *_ = fields
        (from_tag, begins), (to_tag, ends), *_ = _parts(validity)
        return Paper(_name(subject), _name(issuer), _time(from_tag, begins), _time(to_tag, ends))
    except (ValueError, IndexError, UnicodeDecodeError) as error:
        raise ValueError(f"no certificate: {error}") from error


def first_of(pem: bytes) -> Paper:
    """The first certificate of a PEM file; raises ValueError when there is none."""
    match = _PEM.search(pem)
    if match is None:
        raise ValueError("no certificate: nothing of the form BEGIN CERTIFICATE")
    try:
        return paper(base64.b64decode(b"".join(match[1].split()), validate=True))
    except binascii.Error as error:
        raise ValueError(f"no certificate: {error}") from error


def _parts(data: bytes) -> Iterator[tuple[int, bytes]]:
    """Tag and content of each element."""
    at = 0
    while at < len(data):
        tag, length, at = data[at], data[at + 1], at + 2
        if length & 0x80:
            count = length & 0x7F
            if not 1 <= count <= 4:
                raise ValueError("a length that DER does not know")
            length, at = int.from_bytes(data[at : at + count]), at + count
        if at + length > len(data):
            raise ValueError("cut short")
        yield tag, data[at : at + length]
        at += length


def _one(data: bytes, wanted: int) -> bytes:
    tag, content = next(_parts(data), (0, b""))
    if tag != wanted:
        raise ValueError(f"element {tag:#x} where {wanted:#x} belongs")
    return content


def _name(data: bytes) -> str:
    """The common name and the organisation, whichever is there."""
    said: dict[bytes, str] = {}
    for _, entry in _parts(data):
        for _, pair in _parts(entry):
            (_, oid), (kind, value), *_ = _parts(pair)
            said[oid] = value.decode(_TEXTS.get(kind, "latin-1"), errors="replace")
    words = [said[one] for one in (_COMMON_NAME, _ORGANISATION) if said.get(one)]
    clean = ["".join(letter for letter in word if letter.isprintable())[:_MOST_NAME] for word in words]
    return ", ".join(dict.fromkeys(clean)) or "nobody named"


def _time(tag: int, value: bytes) -> datetime:
    text = value.decode("ascii")
    if tag == _UTC_TIME:  # two digits of the year: 50 and more are of the last century
        text = ("19" if text[:2] >= "50" else "20") + text
    elif tag != _TIME:
        raise ValueError("a time of no known kind")
    return datetime.strptime(text, "%Y%m%d%H%M%SZ").replace(tzinfo=UTC)
