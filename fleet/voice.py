"""Sends the ingest's answers; what cannot be sent is dropped, because kiosks ask and send again."""

import logging
from typing import Protocol

from pydantic import BaseModel

from fleet.errors import LinkDown
from wire.topics import Topic

_log = logging.getLogger(__name__)


class Sender(Protocol):
    """Where answers go; raises `LinkDown` when they cannot."""

    def publish(self, topic: str, payload: bytes, *, qos: int) -> None: ...


class Voice:
    """Says once per streak that nothing can be sent."""

    def __init__(self, sender: Sender) -> None:
        self._sender = sender
        self._failing = False

    def say(self, topic: Topic, message: BaseModel, *, qos: int) -> None:
        """Send `message` without its nulls."""
        payload = message.model_dump_json(by_alias=True, exclude_none=True).encode()
        try:
            self._sender.publish(str(topic), payload, qos=qos)
        except LinkDown as error:
            _log.log(logging.DEBUG if self._failing else logging.INFO, "an answer was not sent: %s", error)
            self._failing = True
        else:
            self._failing = False
