"""The MQTT link to the fleet: the only file of the kiosk that imports paho.

Every attempt is a new client with a clean start, because nothing that matters may live in a client's memory. paho's
callbacks only hand over to the loop. Birth and will carry the same number, committed before each CONNECT. The link is
up only while the fleet answers echoes: a broker that takes our messages and a fleet that is down look alike otherwise.
"""

import asyncio
import contextlib
import logging
import random
import ssl
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from urllib.parse import urlsplit

import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion

from device.link_quality import LinkQuality
from device.settings import LinkSettings
from wire.codec import MAX_PAYLOAD_BYTES, encode, read
from wire.errors import WireError
from wire.messages import Echo
from wire.topics import FROM_FLEET, Channel, Topic

_log = logging.getLogger(__name__)

KEEPALIVE_S: Final = 10
CONNECT_WITHIN_S: Final = 5.0
ANSWER_WITHIN_S: Final = 4.0
ECHO_EVERY_S: Final = 5.0
ECHO_IN_SESSION_S: Final = 2.0
ECHO_WITHIN_S: Final = 5.0
_ECHO_LOOK_S: Final = 0.02
GIVE_UP_AFTER_S: Final = 15.0
"""A connection whose echoes stay unanswered this long is closed, and the next URL is tried."""
FIRST_RETRY_S: Final = 3.0
BACKOFF_CAP_S: Final = 15.0
STOP_WITHIN_S: Final = 2.0
_MEASURED_BYTES: Final = (24 * 1024, 96 * 1024, 160 * 1024)
"""Echoes of these sizes, the next only where it takes no longer than this: what is on its way delays what is live."""
_MEASURED_TAKES_S: Final = 1.0
_MEASURED_FROM: Final = 2_000_000_000
"""Echoes that measure are numbered from here on, those that ask whether the fleet is there from 1."""
_MEASURED_WITHIN_S: Final = 3.0
INBOX: Final = 256
"""Messages waiting to be read; what a flood sends beyond it is dropped and counted."""


@dataclass(frozen=True, slots=True)
class Life:
    """What the link says of this kiosk when it connects and when it dies."""

    birth: bytes
    death: bytes


def retry_after_s(attempt: int) -> float:
    """How long to wait before attempt `attempt` (from 1): uniform in 0-3 s, then full jitter, base 1 s, cap 15 s."""
    reach = FIRST_RETRY_S if attempt <= 1 else min(BACKOFF_CAP_S, 2.0 ** min(attempt - 1, 10))
    return random.uniform(0.0, reach)  # noqa: S311  # spreads a herd, keeps no secret


class Link:
    """Keeps one connection alive, says whether the fleet answers, carries messages both ways."""

    def __init__(
        self,
        settings: LinkSettings,
        campus: str,
        kiosk: str,
        *,
        life: Callable[[], Awaitable[Life]],
        on_message: Callable[[Channel, bytes], Awaitable[None]],
        on_change: Callable[[bool, str], None],
        on_time: Callable[[datetime, float], None] = lambda _at, _round_trip_s: None,
    ) -> None:
        """Say what to do with what happens.

        Args:
            settings: brokers and identity.
            campus: this kiosk's campus id.
            kiosk: this kiosk's id; also the MQTT client id.
            life: commits the next birth number and gives birth and will.
            on_message: takes each message of the fleet but echoes.
            on_change: told when the fleet begins (True) or stops (False, with the reason) to answer.
            on_time: told the fleet's time of an answer, and how many seconds before now it was asked.
        """
        self._settings, self._campus, self._kiosk = settings, campus, kiosk
        self._life, self._on_message, self._on_change, self._on_time = life, on_message, on_change, on_time
        self._client: mqtt.Client | None = None
        self._lost: asyncio.Event = asyncio.Event()
        self._inbox: asyncio.Queue[tuple[str, bytes]] = asyncio.Queue(INBOX)
        self._echo_n = 0
        self._echo_sent: float | None = None
        self._answered = asyncio.Event()
        self._hurry = asyncio.Event()
        self._old_protocol: set[str] = set()
        self._failing = False
        self.up = False
        self.dropped = 0
        self.round_trip_ms: float | None = None
        self.quality = LinkQuality()
        self._measured: tuple[int, asyncio.Future[float]] | None = None
        self._measured_n = _MEASURED_FROM
        self.echo_every_s = ECHO_EVERY_S

    async def run(self) -> None:
        """Connect, and connect again, until cancelled."""
        attempt = 0
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._read(), name="kiosk.link.read")
            while True:
                url = self._settings.urls[attempt % len(self._settings.urls)]
                spoke_new = url not in self._old_protocol
                was_up, reason = await self._connection(url)
                if spoke_new and url in self._old_protocol:
                    continue  # the same broker again at once, in the version that it may know
                attempt = 1 if was_up else attempt + 1
                self._streak(url, reason)
                await asyncio.sleep(retry_after_s(attempt))

    def publish(self, channel: Channel, payload: bytes, *, qos: int, retain: bool = False) -> bool:
        """Hand a message to the connection; False when there is none. Nothing is kept here for later."""
        if self._client is None:
            return False
        info = self._client.publish(self._topic(channel), payload, qos=qos, retain=retain)
        return info.rc == mqtt.MQTT_ERR_SUCCESS

    async def echo(self, within_s: float) -> float | None:
        """Ask the fleet for a sign of life now: the round trip in milliseconds, None when none comes in time."""
        asked = self._echo_n
        self._hurry.set()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(within_s):
                while not (self._echo_n > asked and self._answered.is_set()):  # noqa: ASYNC110  # the link's own events
                    await asyncio.sleep(_ECHO_LOOK_S)
                return self.round_trip_ms
        return None

    def reconnect(self) -> None:
        """Close the connection; the next address is tried within seconds."""
        self._lost.set()

    async def measure_upload(self, enough_bps: int) -> int | None:
        """Send the fleet a few large echoes, until `enough_bps` is shown; the best of them, bits per second.

        TCP begins slowly, so that the figure is what can be sent at least. None when no echo is answered in time.
        """
        best: int | None = None
        for size in _MEASURED_BYTES:
            if best is not None and (best >= enough_bps or size * 8 / best > _MEASURED_TAKES_S):
                break
            took_s = await self._measure(size)
            if took_s is None:
                break
            there_s = max(0.001, took_s - (self.quality.median_ms or self.round_trip_ms or 0.0) / 1_000)
            best = max(best or 0, round(size * 8 / there_s))
        return best

    async def _measure(self, size: int) -> float | None:
        """How long an echo of `size` bytes takes; as long as was waited where none came, None without a connection."""
        self._measured_n += 1
        loop = asyncio.get_running_loop()
        coming: asyncio.Future[float] = loop.create_future()
        self._measured, begun = (self._measured_n, coming), loop.time()
        ask = encode(Echo(sender="kiosk", n=self._measured_n))
        padded = ask[:-1] + b',"pad":"' + b"0" * size + b'"}'  # a field that nobody knows is ignored
        if not self.publish(Channel.ECHO, padded, qos=0):
            return None
        try:
            async with asyncio.timeout(_MEASURED_WITHIN_S):
                return await coming - begun
        except TimeoutError:
            return _MEASURED_WITHIN_S if self.up else None

    async def say_goodbye(self, death: bytes) -> None:
        """Publish a planned death and close; takes at most about 2 s."""
        client, self._client = self._client, None
        self._on_change = lambda _up, _reason: None  # what follows is no loss
        if client is None:
            return
        info = client.publish(self._topic(Channel.PRESENCE), death, qos=1, retain=True)
        try:
            await asyncio.wait_for(asyncio.to_thread(info.wait_for_publish, STOP_WITHIN_S), STOP_WITHIN_S + 0.5)
        except (TimeoutError, RuntimeError, ValueError) as error:
            _log.info("the planned death could not be published: %s", error)
        client.disconnect()

    async def _connection(self, url: str) -> tuple[bool, str]:
        """One connection from attempt to loss: whether the fleet ever answered on it, and why it ended."""
        loop = asyncio.get_running_loop()
        life = await self._life()
        self._lost.clear()
        connected: asyncio.Future[str] = loop.create_future()
        client = self._client_for(url, life, loop, connected)
        parts = urlsplit(url)
        port = parts.port or {"mqtts": 8883, "wss": 443}.get(parts.scheme, 1883)
        was_up = False
        try:
            async with asyncio.timeout(CONNECT_WITHIN_S + 1):
                await asyncio.to_thread(client.connect, parts.hostname or "", port, KEEPALIVE_S)
            client.loop_start()
            async with asyncio.timeout(ANSWER_WITHIN_S):
                refusal = await connected
            if refusal:
                return False, refusal
            self._client = client
            self.quality.forget()
            self.publish(Channel.PRESENCE, life.birth, qos=1, retain=True)
            was_up, reason = await self._listen()
        except TimeoutError:
            reason = "the broker does not answer"
            self._doubt_version(url)
        except (OSError, ValueError, ssl.SSLError) as error:
            reason = f"{type(error).__name__}: {error}"
        finally:
            self._client = None
            self._set_up(up=False, reason="connection lost")
            client.on_message = client.on_disconnect = None
            client.disconnect()
            await asyncio.shield(asyncio.to_thread(client.loop_stop))
        return was_up, reason

    async def _listen(self) -> tuple[bool, str]:
        """Ask for echoes until the connection is lost or stays dumb."""
        loop = asyncio.get_running_loop()
        was_up, heard = False, loop.time()
        while not self._lost.is_set():
            asked = loop.time()
            self._ask()
            answered = await self._within(self._answered, ECHO_WITHIN_S)
            if answered:
                was_up, heard = True, loop.time()
                self._set_up(up=True)
                await self._within(self._hurry, max(0.0, self.echo_every_s - (loop.time() - asked)))
                self._hurry.clear()
                continue
            if self._lost.is_set():
                break
            self._set_up(up=False, reason="the fleet does not answer")
            if loop.time() - heard >= GIVE_UP_AFTER_S:
                return was_up, "the fleet does not answer"
        return was_up, "the broker closed the connection"

    async def _within(self, event: asyncio.Event, seconds: float) -> bool:
        """Wait for `event`, or for the connection's loss; whether `event` came."""
        waits = [asyncio.ensure_future(one.wait()) for one in {event, self._lost}]
        try:
            await asyncio.wait(waits, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for wait in waits:
                wait.cancel()
        return event.is_set()

    def _ask(self) -> None:
        self._echo_n += 1
        self._answered.clear()
        self._echo_sent = asyncio.get_running_loop().time()
        self.quality.asked(self._echo_n)
        self.publish(Channel.ECHO, encode(Echo(sender="kiosk", n=self._echo_n)), qos=0)

    async def _read(self) -> None:
        """Take messages out of the inbox, one at a time."""
        while True:
            name, payload = await self._inbox.get()
            try:
                channel = Topic.parse(name).channel
                if channel is Channel.ECHO:
                    self._hear(read(Echo, payload))
                else:
                    await self._on_message(channel, payload)
            except WireError as error:
                self.dropped += 1
                _log.log(logging.WARNING if self.dropped == 1 else logging.DEBUG, "dropped from %s: %s", name, error)

    def _hear(self, echo: Echo) -> None:
        now = asyncio.get_running_loop().time()
        if self._measured and echo.sender == "fleet" and echo.n == self._measured[0] and not self._measured[1].done():
            self._measured[1].set_result(now)
        if echo.sender == "fleet" and echo.n == self._echo_n and self._echo_sent is not None:
            round_trip_s = now - self._echo_sent
            self.round_trip_ms = round(round_trip_s * 1000, 1)
            if echo.at is not None and not self._answered.is_set():  # the first answer: a second one came late
                self._on_time(echo.at, round_trip_s)
            self.quality.answered(echo.n, self.round_trip_ms)
            self._answered.set()

    def _set_up(self, *, up: bool, reason: str = "") -> None:
        if up != self.up:
            self.up = up
            self._on_change(up, reason)

    def _doubt_version(self, url: str) -> None:
        """A broker that closes or says nothing may know the other version only (amqtt and a will in version 5)."""
        self._old_protocol ^= {url}

    def _streak(self, url: str, reason: str) -> None:
        """Say once that the link fails; repeats are for those who look closely."""
        _log.log(logging.DEBUG if self._failing else logging.WARNING, "no link by %s: %s", url, reason)
        self._failing = True

    def _topic(self, channel: Channel) -> str:
        return str(Topic(self._campus, self._kiosk, channel))

    def _client_for(
        self, url: str, life: Life, loop: asyncio.AbstractEventLoop, connected: asyncio.Future[str]
    ) -> mqtt.Client:
        old = url in self._old_protocol
        client = _new_client(url, self._kiosk, self._settings, old=old)
        client.will_set(self._topic(Channel.PRESENCE), life.death, qos=1, retain=True)
        inbox_topics = [(self._topic(channel), 0 if channel is Channel.ECHO else 1) for channel in FROM_FLEET]

        answered = False

        def settle(refusal: str) -> None:
            if not connected.done():
                connected.set_result(refusal)

        def on_connect(c: mqtt.Client, _data: Any, _flags: Any, code: Any, _properties: Any) -> None:
            nonlocal answered
            answered = True
            if not code.is_failure:
                c.subscribe(inbox_topics)
                return
            if "rotocol" in str(code):
                self._old_protocol.add(url)
            loop.call_soon_threadsafe(settle, f"refused: {code}")

        def on_subscribe(_c: Any, _data: Any, _mid: Any, codes: list[Any], _properties: Any) -> None:
            failed = [str(code) for code in codes if code.is_failure]
            loop.call_soon_threadsafe(settle, f"subscription refused: {failed[0]}" if failed else "")

        def on_message(_c: Any, _data: Any, message: mqtt.MQTTMessage) -> None:
            # Over the limit a payload is not even kept waiting; its empty stand-in is counted as malformed.
            payload = bytes(message.payload) if len(message.payload) <= MAX_PAYLOAD_BYTES else b""
            loop.call_soon_threadsafe(self._offer, message.topic, payload)

        def on_disconnect(_c: Any, _data: Any, _flags: Any, code: Any, _properties: Any) -> None:
            if not answered:
                self._doubt_version(url)
            loop.call_soon_threadsafe(settle, f"closed: {code}")
            loop.call_soon_threadsafe(self._lost.set)

        client.on_connect, client.on_subscribe = on_connect, on_subscribe
        client.on_message, client.on_disconnect = on_message, on_disconnect
        return client

    def _offer(self, topic: str, payload: bytes) -> None:
        try:
            self._inbox.put_nowait((topic, payload))
        except asyncio.QueueFull:
            self.dropped += 1


def _new_client(url: str, client_id: str, settings: LinkSettings, *, old: bool) -> mqtt.Client:
    parts = urlsplit(url)
    client = mqtt.Client(
        CallbackAPIVersion.VERSION2,
        client_id=client_id,
        protocol=MQTTProtocolVersion.MQTTv311 if old else MQTTProtocolVersion.MQTTv5,
        transport="websockets" if parts.scheme == "wss" else "tcp",
        clean_session=True if old else None,
    )
    client.connect_timeout = CONNECT_WITHIN_S
    if parts.scheme == "wss":
        client.ws_set_options(path=parts.path or "/mqtt")
    if parts.scheme != "mqtt":
        context = ssl.create_default_context(cafile=settings.ca)
        if settings.certificate:
            context.load_cert_chain(settings.certificate, settings.key)
        client.tls_set_context(context)
    return client
