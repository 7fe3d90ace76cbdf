"""The smallest fleet a link needs: answers echoes and acknowledges ledger rows, over a real broker."""

import threading
from datetime import UTC, datetime, timedelta
from types import TracebackType
from typing import Any, Self

import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion

from wire.codec import encode, read
from wire.ledger import verified
from wire.messages import Echo, LedgerAck, LedgerBatch
from wire.topics import Channel, Topic, every_kiosk


class TinyFleet:
    """Keeps what it hears; can be told to stop answering."""

    def __init__(self, port: int, papers: tuple[str, str, str] | None = None) -> None:
        """Connect, with authority, certificate and key where the broker asks for them."""
        self.answers = True
        self.acks = True
        self.wrong: timedelta | None = None
        """How far its clock is off; None tells no time, as a fleet of before."""
        self.rows: dict[int, str] = {}
        self._hashes: dict[tuple[str, int], str] = {}
        self.heard: list[tuple[Channel, bytes]] = []
        self._subscribed = threading.Event()
        self.client = mqtt.Client(CallbackAPIVersion.VERSION2, client_id="tiny-fleet", protocol=mqtt.MQTTv311)
        self.client.on_connect = lambda c, *_: c.subscribe([(every_kiosk(channel), 1) for channel in Channel])
        self.client.on_subscribe = lambda *_: self._subscribed.set()
        self.client.on_message = self._take
        if papers is not None:
            self.client.tls_set(*papers)
        self.client.connect("127.0.0.1", port)
        self.client.loop_start()
        assert self._subscribed.wait(5)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, _t: type[BaseException] | None, _v: BaseException | None, _b: TracebackType | None) -> None:
        self.client.disconnect()
        self.client.loop_stop()

    def send(self, kiosk: Topic, payload: bytes) -> None:
        self.client.publish(str(kiosk), payload, qos=1)

    def of(self, channel: Channel) -> list[bytes]:
        return [payload for one, payload in self.heard if one is channel]

    def _now(self) -> datetime | None:
        return None if self.wrong is None else datetime.now(UTC) + self.wrong

    def _take(self, _client: Any, _data: Any, message: mqtt.MQTTMessage) -> None:
        topic = Topic.parse(message.topic)
        self.heard.append((topic.channel, bytes(message.payload)))
        if topic.channel is Channel.ECHO and self.answers:
            echo = read(Echo, bytes(message.payload))
            if echo.sender == "kiosk":
                self.client.publish(message.topic, encode(Echo(sender="fleet", n=echo.n, at=self._now())))
        elif topic.channel is Channel.LEDGER and self.acks:
            batch = read(LedgerBatch, bytes(message.payload))
            for row in verified(batch.prev, batch.rows, batch.first):
                self.rows[row.seq] = row.type
            self._hashes.update(((batch.epoch, seq), row.hash) for seq, row in enumerate(batch.rows, batch.first))
            through = 0
            while (batch.epoch, through + 1) in self._hashes:
                through += 1
            if through:
                ack = LedgerAck(epoch=batch.epoch, through=through, hash=self._hashes[batch.epoch, through])
                self.send(Topic(topic.campus, topic.kiosk, Channel.LEDGER_ACK), encode(ack))
