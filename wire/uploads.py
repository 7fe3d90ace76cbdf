"""A segment's way to the fleet, as both sides know it: the kiosk asks over MQTT, sends by tus 1.0, and gets a receipt.

A kiosk's identity is its MQTT connection, so that is where an upload is allowed; the ticket's token carries the
permission over to HTTP, for this kiosk, segment, length and hash alone (docs/adr/0017).
"""

from enum import StrEnum
from typing import Annotated, Final

from pydantic import AwareDatetime, Field, PositiveInt

from wire.codec import WireModel
from wire.ids import Id
from wire.segments import SegmentId

TUS_VERSION: Final = "1.0.0"
TUS_TYPE: Final = "application/offset+octet-stream"
RECEIPT_HEADER: Final = "Carrel-Receipt"
"""Carries a receipt as base64 of its JSON, in the answer that completes an upload and in every later one."""
MOST_BYTES: Final = 512 * 1024 * 1024
"""No segment is as large: half a minute of the highest bitrate that settings allow is 190 MB."""
MOST_CHUNK_BYTES: Final = 1024 * 1024
"""What one PATCH may carry."""

_SIGNED: Final = "carrel segment receipt 1"

Hash = Annotated[str, Field(pattern=r"^[0-9a-f]{64}\z")]
"""BLAKE2b-256 over the whole file as it lies sealed, hex: what the ledger's row says."""
_Short = Annotated[str, Field(max_length=200)]


class UploadRequest(WireModel):
    """May this segment be sent? `epoch` and `row` name the ledger row that tells of it, which the fleet has by now."""

    segment: SegmentId
    bytes: Annotated[int, Field(ge=1, le=MOST_BYTES)]
    hash: Hash
    epoch: Annotated[str, Field(pattern=r"^[0-9a-f-]{36}\z")]
    row: PositiveInt


class Receipt(WireModel):
    """The fleet's word that it holds a segment durably; with it the kiosk may delete its own."""

    kiosk: Id
    segment: SegmentId
    hash: Hash
    bytes: PositiveInt
    stored_at: Annotated[str, Field(max_length=40)]
    """ISO 8601 in UTC, as it was signed."""
    signature: Annotated[str, Field(max_length=100)] = ""
    """Ed25519 over `signed_text` in UTF-8, base64."""

    def signed_text(self) -> str:
        """What the signature covers: every other field."""
        told = (_SIGNED, self.kiosk, self.segment, self.hash, str(self.bytes), self.stored_at)
        return "\n".join(told)


class TicketState(StrEnum):
    """What the fleet says to a request."""

    SEND = "send"
    STORED = "stored"
    """It has it already; the receipt comes with the ticket."""
    REFUSED = "refused"


class UploadTicket(WireModel):
    """The answer to a request, for exactly these bytes."""

    segment: SegmentId
    hash: Hash
    state: TicketState
    url: _Short | None = None
    """Where tus creates the upload; the upload itself is at `url`/`segment`."""
    token: Annotated[str, Field(max_length=2_000)] | None = None
    expires_at: AwareDatetime | None = None
    receipt: Receipt | None = None
    reason: _Short | None = None
    """Why it is refused, as a short stable word: `row-unknown`, `other-row`, `another-kiosks`, `destroyed`,
    `not-this-student`, `no-address`."""
