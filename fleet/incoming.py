"""What came over MQTT, judged before anything is done with it. Pure."""

from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from typing import Final

from fleet.errors import FleetError
from wire.codec import MAX_PAYLOAD_BYTES, decode, validate
from wire.errors import BadPayload, BadTopic, BrokenChain
from wire.ledger import Row, verified
from wire.messages import Echo, Health, LedgerBatch, Presence, Readiness, Reply
from wire.topics import Channel, Topic
from wire.uploads import UploadRequest

LARGEST_INTEGER: Final = 2**63 - 1
"""What SQLite and PostgreSQL can keep."""
_NUL: Final = rb"\u0000"


class Reason(StrEnum):
    """Why a message was dropped, as `/metrics` counts it."""

    TOPIC = "topic"
    TOO_LARGE = "too_large"
    MALFORMED = "malformed"
    BROKEN_CHAIN = "broken_chain"
    FOREIGN = "foreign"
    """The kiosk's id belongs to another campus."""
    FLOOD = "flood"
    """More came than could wait."""
    STORE = "store"
    """The database refuses this one message, or has been down for too long to keep it waiting."""


class Unusable(FleetError):
    """A message that is dropped and counted."""

    def __init__(self, reason: Reason, message: str) -> None:
        super().__init__(message)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Raw:
    """A message as the broker handed it over. A payload over the limit comes cut to one byte more than the limit."""

    topic: str
    payload: bytes
    retained: bool = False
    """Replayed by the broker, not sent now."""


@dataclass(frozen=True, slots=True)
class Parcel:
    """A checked batch of ledger rows."""

    kiosk: str
    campus: str
    batch: LedgerBatch
    rows: tuple[Row, ...]

    @property
    def last(self) -> int:
        """The highest seq in it."""
        return self.batch.first + len(self.rows) - 1


_Plain = Presence | Health | Readiness | Reply | Echo | UploadRequest
Said = _Plain | Parcel


def understood(raw: Raw) -> tuple[Topic, Said]:
    """What `raw` says.

    Raises:
        Unusable: with the reason; nothing may be done with it.
    """
    try:
        topic = _topic(raw.topic)
    except BadTopic as error:
        raise Unusable(Reason.TOPIC, str(error)) from error
    if len(raw.payload) > MAX_PAYLOAD_BYTES:
        raise Unusable(Reason.TOO_LARGE, f"more than the {MAX_PAYLOAD_BYTES} bytes allowed")
    try:
        return topic, _said(topic, raw.payload)
    except BrokenChain as error:
        raise Unusable(Reason.BROKEN_CHAIN, str(error)) from error
    except BadPayload as error:
        raise Unusable(Reason.MALFORMED, str(error)) from error


_topic: Final = lru_cache(maxsize=16_384)(Topic.parse)  # the same few, over and over


def _said(topic: Topic, payload: bytes) -> Said:
    if _NUL in payload:
        raise BadPayload("a NUL character, which no database text can hold")
    value = decode(payload)
    if topic.channel is Channel.LEDGER:
        return _parcel(topic, validate(LedgerBatch, value))
    model = _MODELS.get(topic.channel)
    if model is None:
        raise BadPayload(f"kiosks send nothing on {topic.channel}")
    return validate(model, value)


_MODELS: Final[dict[Channel, type[_Plain]]] = {
    Channel.ECHO: Echo,
    Channel.PRESENCE: Presence,
    Channel.HEALTH: Health,
    Channel.READINESS: Readiness,
    Channel.REPLY: Reply,
    Channel.UPLOAD: UploadRequest,
}


def _parcel(topic: Topic, batch: LedgerBatch) -> Parcel:
    if batch.first == 1 and batch.prev != batch.epoch:
        raise BrokenChain("row 1: it must follow from the epoch")
    if batch.first + len(batch.rows) > LARGEST_INTEGER:
        raise BadPayload("first: no ledger has so many rows")
    return Parcel(topic.kiosk, topic.campus, batch, tuple(verified(batch.prev, batch.rows, batch.first)))
