"""The topics of the contract: `carrel/v1/{campus}/{kiosk}/{channel}`."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from wire.errors import BadTopic
from wire.ids import is_id

ROOT: Final = "carrel/v1"


class Channel(StrEnum):
    """The last part of a topic: what the message is."""

    PRESENCE = "presence"
    HEALTH = "health"
    READINESS = "readiness"
    LEDGER = "ledger"
    LEDGER_ACK = "ledger/ack"
    SCHEDULE = "schedule"
    CONFIG = "config"
    COMMAND = "command"
    REPLY = "reply"
    ECHO = "echo"
    UPLOAD = "upload"
    UPLOAD_TICKET = "upload/ticket"


FROM_KIOSK: Final = (
    Channel.PRESENCE,
    Channel.HEALTH,
    Channel.READINESS,
    Channel.LEDGER,
    Channel.REPLY,
    Channel.ECHO,
    Channel.UPLOAD,
)
FROM_FLEET: Final = (
    Channel.LEDGER_ACK,
    Channel.SCHEDULE,
    Channel.CONFIG,
    Channel.COMMAND,
    Channel.ECHO,
    Channel.UPLOAD_TICKET,
)


@dataclass(frozen=True, slots=True)
class Topic:
    """One kiosk's topic."""

    campus: str
    kiosk: str
    channel: Channel

    def __str__(self) -> str:
        return f"{ROOT}/{self.campus}/{self.kiosk}/{self.channel}"

    @classmethod
    def parse(cls, text: str) -> "Topic":
        """The topic in `text`.

        Raises:
            BadTopic: another root, an id that does not match the contract, or an unknown channel.
        """
        parts = text.split("/", 4)
        if len(parts) != 5 or "/".join(parts[:2]) != ROOT:
            raise BadTopic(f"{text[:80]!r} is not of the form {ROOT}/campus/kiosk/channel")
        _, _, campus, kiosk, channel = parts
        if not (is_id(campus) and is_id(kiosk)):
            raise BadTopic(f"{text[:80]!r} names no valid campus and kiosk")
        try:
            return cls(campus, kiosk, Channel(channel))
        except ValueError as error:
            raise BadTopic(f"{text[:80]!r} ends in no channel of this contract") from error


def every_kiosk(channel: Channel) -> str:
    """The subscription filter for `channel` of all kiosks of all campuses."""
    return f"{ROOT}/+/+/{channel}"
