"""What a new kiosk shows to be given an identity, and what is said of it. Pure; both sides go by the same."""

import hashlib
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Annotated, Final, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, StringConstraints

from wire.ids import Id
from wire.signing import Pem

LIVES: Final = timedelta(days=14)
CERTIFICATE_FILE: Final = "identity/current/certificate.pem"
"""Where a kiosk keeps its certificate, below its `data_dir`."""
KEY_FILE: Final = "identity/current/key.pem"

Hash = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}\z")]
Serial = Annotated[str, StringConstraints(pattern=r"^[0-9a-zA-Z.-]{4,40}\z")]
Token = Annotated[str, StringConstraints(min_length=22, max_length=200)]


class Claim(BaseModel):
    """What a token allows, without the token."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    hash: Hash
    """As `token_hash` gives it."""
    campus: Id
    kiosk: Id | None = None
    """Null: any of the campus's, and a person approves which."""
    serial: Serial | None = None
    """The one Raspberry Pi that may use it; null: any."""
    count: Annotated[int, Field(ge=1, le=500)] = 1
    """How many kiosks may use it."""
    expires_at: AwareDatetime


class EnrolAsk(BaseModel):
    """A new kiosk's question: am I who I say? Asked again word for word until it is decided."""

    model_config = ConfigDict(frozen=True)

    token: Token
    campus: Id
    kiosk: Id
    serial: Serial
    csr: Pem
    """PKCS #10 in PEM, of a key that never leaves the kiosk."""


class RenewAsk(BaseModel):
    """A kiosk's wish for its next certificate (see `wire.signing.SignAsk`)."""

    model_config = ConfigDict(frozen=True)

    campus: Id
    kiosk: Id
    certificate: Pem
    csr: Pem
    proof: Annotated[str, StringConstraints(max_length=1_024)]


class EnrolAnswer(BaseModel):
    """What is said of a kiosk that asked."""

    model_config = ConfigDict(frozen=True)

    state: Literal["pending", "approved", "refused"]
    code: str = ""
    """The same on the kiosk's screen and in the fleet's list, for a person who approves to compare."""
    reason: str = ""
    chain: str = ""
    """When approved: the kiosk's certificate and its authority's, in PEM."""


class Verdict(StrEnum):
    """What is said of a claim."""

    GOOD = "good"
    UNKNOWN = "unknown"
    OTHER_CAMPUS = "other-campus"
    OTHER_KIOSK = "other-kiosk"
    OTHER_SERIAL = "other-serial"
    EXPIRED = "expired"
    USED_UP = "used-up"


def token_hash(token: str) -> str:
    """How a token is looked up: SHA-256 of its UTF-8 in hex. 192 bits of chance need no slow hash."""
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()


def request_id(csr: str) -> str:
    """How a request is looked up: one key, one request, whoever sends it how often."""
    return hashlib.sha256(csr.encode("utf-8", "surrogatepass")).hexdigest()


def code_of(request: str) -> str:
    """Six signs of a request's id that two people can compare over a telephone: `4F7-0A2`."""
    return f"{request[:3]}-{request[3:6]}".upper()


def verdict(claim: Claim | None, ask: EnrolAsk, used: int, now: datetime) -> Verdict:
    """What is to be said of a claim that `used` other requests were made with already; `now` is aware."""
    if claim is None:
        return Verdict.UNKNOWN
    if claim.campus != ask.campus:
        return Verdict.OTHER_CAMPUS
    if now >= claim.expires_at:
        return Verdict.EXPIRED
    if claim.serial is not None and claim.serial.lower() != ask.serial.lower():
        return Verdict.OTHER_SERIAL
    if claim.kiosk is not None and claim.kiosk != ask.kiosk:
        return Verdict.OTHER_KIOSK
    return Verdict.USED_UP if used >= claim.count else Verdict.GOOD
