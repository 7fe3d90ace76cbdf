"""The MQTT connection: the only file of the fleet that imports paho.

Every attempt is a new client with a clean start: brokers hold nothing that matters. paho's callbacks only put messages
into the inbox. A broker that does not know MQTT 5 is asked again with 3.1.1 at once.
"""

import logging
import random
import ssl
import threading
from collections.abc import Callable
from typing import Any, Final
from urllib.parse import urlsplit

import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode
from paho.mqtt.subscribeoptions import SubscribeOptions

from fleet.errors import LinkDown, SettingsUnusable
from fleet.inbox import Inbox
from fleet.incoming import Raw
from fleet.settings import DEFAULT_PORTS, FleetSettings
from wire.codec import MAX_PAYLOAD_BYTES
from wire.topics import FROM_KIOSK, Channel, every_kiosk

_log = logging.getLogger(__name__)

KEEPALIVE_S: Final = 10
CONNECT_WITHIN_S: Final = 5.0
FIRST_RETRY_S: Final = 3.0
BACKOFF_CAP_S: Final = 15.0
MOST_UNSENT: Final = 10_000
"""Answers waiting for a slow broker; beyond it they are dropped, and kiosks send again."""

_QOS: Final = {channel: 0 if channel in {Channel.HEALTH, Channel.ECHO} else 1 for channel in FROM_KIOSK}


def retry_after_s(attempt: int) -> float:
    """How long to wait after failure `attempt` (from 1): uniform in 0-3 s, then full jitter, base 1 s, cap 15 s."""
    reach = FIRST_RETRY_S if attempt <= 1 else min(BACKOFF_CAP_S, 2.0 ** min(attempt - 1, 10))
    return random.uniform(0.0, reach)  # noqa: S311  # spreads a herd, keeps no secret


class Link:
    """Keeps one connection to one of the brokers, in a thread of its own."""

    def __init__(
        self,
        settings: FleetSettings,
        inbox: Inbox,
        *,
        client_id: str,
        on_change: Callable[[bool], None] = lambda _up: None,
    ) -> None:
        """Say where messages go; nothing is connected before `start`.

        Args:
            settings: brokers, TLS and login.
            inbox: takes every message.
            client_id: how the broker knows this process; two of the same id would throw each other out.
            on_change: told when a broker is connected and subscribed (True) or lost (False), on the link's thread.
        """
        self._settings, self._inbox, self._client_id, self._on_change = settings, inbox, client_id, on_change
        self._password = _password(settings)
        self._contexts = {url: _context(settings) for url in settings.brokers if not url.startswith("mqtt:")}
        self._old_protocol: set[str] = set()
        self._client: mqtt.Client | None = None
        self._attempt: _Attempt | None = None
        self._stopping = threading.Event()
        self._lost = threading.Event()
        self._failing = False
        self.connections = 0
        """How often a broker was connected; another number says that what was sent before may be forgotten there."""
        self._thread = threading.Thread(target=self._run, name="fleet.broker", daemon=True)

    @property
    def connected(self) -> bool:
        """Whether a broker is connected and has granted the subscriptions."""
        return self._client is not None

    def start(self) -> None:
        """Begin to connect; returns at once."""
        self._thread.start()

    def stop(self, timeout_s: float = 5.0) -> bool:
        """Disconnect; whether the thread ended in time."""
        self._stopping.set()
        self._lost.set()
        if self._attempt is not None:
            self._attempt.settle("stopping")
        if self._thread.ident is not None:
            self._thread.join(timeout_s)
        return not self._thread.is_alive()

    def publish(self, topic: str, payload: bytes, *, qos: int, retain: bool = False) -> None:
        """Hand a message to the broker, which tells a `retain`ed one to whoever subscribes later too.

        Raises:
            LinkDown: no broker is connected, or too much waits already.
        """
        client = self._client
        if client is None:
            raise LinkDown("no broker is connected")
        code = client.publish(topic, payload, qos=qos, retain=retain).rc
        if code != mqtt.MQTT_ERR_SUCCESS:
            raise LinkDown(mqtt.error_string(code))

    def _run(self) -> None:
        attempt = 0
        turn = 0
        while not self._stopping.is_set():
            url = self._settings.brokers[turn % len(self._settings.brokers)]
            was_up, reason, again = self._connection(url)
            if self._stopping.is_set():
                return
            if again:  # the same broker, by the older protocol
                continue
            _log.log(logging.DEBUG if self._failing else logging.WARNING, "no connection to %s: %s", url, reason)
            self._failing = True
            attempt, turn = (1, turn) if was_up else (attempt + 1, turn + 1)
            self._stopping.wait(retry_after_s(attempt))

    def _connection(self, url: str) -> tuple[bool, str, bool]:
        """One connection from attempt to loss: whether it was ever up, why it ended, whether to ask again at once."""
        old = url in self._old_protocol
        self._lost.clear()
        self._attempt = attempt = _Attempt(self._inbox, self._lost)
        client = self._client_for(url, attempt, old=old)
        parts = urlsplit(url)
        try:
            client.connect(parts.hostname or "", parts.port or DEFAULT_PORTS[parts.scheme], KEEPALIVE_S)
            client.loop_start()
            if self._stopping.is_set() or not attempt.settled.wait(CONNECT_WITHIN_S):
                return False, "the broker does not answer", False
            if attempt.refusal:
                self._old_protocol.symmetric_difference_update({url} if attempt.other_protocol else ())
                return False, attempt.refusal, attempt.other_protocol and not old
            self._up(client, url)
            self._lost.wait()
            return True, "the connection was lost", False  # noqa: TRY300  # an else would only move it away
        except (OSError, ValueError) as error:
            return False, f"{type(error).__name__}: {error}", False
        finally:
            if self._client is not None:
                self._client = None
                self._on_change(False)  # noqa: FBT003  # the callback has one argument
            client.on_message = client.on_disconnect = client.on_connect = client.on_subscribe = None
            client.disconnect()
            client.loop_stop()

    def _up(self, client: mqtt.Client, url: str) -> None:
        self.connections += 1
        self._client = client
        self._failing = False
        _log.info("connected to %s", url)
        self._on_change(True)  # noqa: FBT003  # the callback has one argument

    def _client_for(self, url: str, attempt: "_Attempt", *, old: bool) -> mqtt.Client:
        parts = urlsplit(url)
        client = mqtt.Client(
            CallbackAPIVersion.VERSION2,
            client_id=self._client_id,
            protocol=MQTTProtocolVersion.MQTTv311 if old else MQTTProtocolVersion.MQTTv5,
            transport="websockets" if parts.scheme == "wss" else "tcp",
            clean_session=True if old else None,
            reconnect_on_failure=False,
        )
        client.connect_timeout = CONNECT_WITHIN_S
        client.max_queued_messages_set(MOST_UNSENT)
        client.max_inflight_messages_set(200)
        if parts.scheme == "wss":
            client.ws_set_options(path=parts.path or "/mqtt")
        if url in self._contexts:
            client.tls_set_context(self._contexts[url])
        if self._settings.broker_login:
            client.username_pw_set(self._settings.broker_login.username, self._password)
        client.on_connect, client.on_subscribe = attempt.on_connect, attempt.on_subscribe
        client.on_message, client.on_disconnect = attempt.on_message, attempt.on_disconnect
        return client


class _Attempt:
    """What paho tells of one connection."""

    def __init__(self, inbox: Inbox, lost: threading.Event) -> None:
        self.settled = threading.Event()
        self.refusal: str | None = None
        self.other_protocol = False
        self._inbox, self._lost = inbox, lost

    def on_connect(
        self, client: mqtt.Client, _data: Any, _flags: Any, code: ReasonCode, _properties: Properties | None
    ) -> None:
        if code.is_failure:
            self.settle(f"refused: {code}", other_protocol="rotocol" in str(code))
            return
        if client.protocol == MQTTProtocolVersion.MQTTv5:
            # Our own answers need not come back.
            client.subscribe([(every_kiosk(one), SubscribeOptions(qos, noLocal=True)) for one, qos in _QOS.items()])
        else:
            client.subscribe([(every_kiosk(one), qos) for one, qos in _QOS.items()])

    def on_subscribe(
        self, _client: mqtt.Client, _data: Any, _mid: int, codes: list[ReasonCode], _properties: Properties | None
    ) -> None:
        refused = [f"{every_kiosk(one)}: {code}" for one, code in zip(_QOS, codes, strict=False) if code.is_failure]
        self.settle(f"subscription refused: {refused[0]}" if refused else None)

    def on_message(self, _client: mqtt.Client, _data: Any, message: mqtt.MQTTMessage) -> None:
        # Of an oversized payload only enough is kept to see that it is one.
        try:
            topic = message.topic
        except UnicodeDecodeError:
            topic = "?"
        self._inbox.put(Raw(topic, bytes(message.payload[: MAX_PAYLOAD_BYTES + 1]), retained=bool(message.retain)))

    def on_disconnect(
        self, _client: mqtt.Client, _data: Any, _flags: Any, code: ReasonCode, _properties: Properties | None
    ) -> None:
        # A broker that closes without a word may know the other version of the protocol only.
        self.settle(f"closed: {code}", other_protocol=True)
        self._lost.set()

    def settle(self, refusal: str | None, *, other_protocol: bool = False) -> None:
        if not self.settled.is_set():
            self.refusal, self.other_protocol = refusal, other_protocol
            self.settled.set()


def _password(settings: FleetSettings) -> str | None:
    if settings.broker_login is None:
        return None
    path = settings.broker_login.password_file
    try:
        return path.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsUnusable(f"broker_login.password_file: {path}: {error}") from error


def _context(settings: FleetSettings) -> ssl.SSLContext:
    tls = settings.tls
    try:
        context = ssl.create_default_context(cafile=tls.ca)
        if tls.cert and tls.key:
            context.load_cert_chain(tls.cert, tls.key)
    except (OSError, ssl.SSLError) as error:
        raise SettingsUnusable(f"[tls]: {error}") from error
    return context
