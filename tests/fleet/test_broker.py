"""The connection to real brokers: killed, silent, refusing, old, and flooding ones."""

import asyncio
import logging
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import paho.mqtt.client as mqtt
import pytest
from amqtt.broker import Broker as Amqtt
from paho.mqtt.enums import CallbackAPIVersion

from fleet import broker as link_module
from fleet.broker import Link, retry_after_s
from fleet.errors import LinkDown, SettingsUnusable
from fleet.inbox import Inbox
from fleet.incoming import Raw
from fleet.settings import FleetSettings
from tests.broker import free_port, needs_mosquitto, running_mosquitto
from tests.fleet.world import Kiosk
from wire.codec import MAX_PAYLOAD_BYTES
from wire.topics import Channel


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Tests wait less long for retries than a fleet does."""
    monkeypatch.setattr(link_module, "retry_after_s", lambda _attempt: 0.1)
    monkeypatch.setattr(link_module, "CONNECT_WITHIN_S", 2.0)


def until(true: Callable[[], bool], what: str, within_s: float = 40.0) -> None:
    deadline = time.monotonic() + within_s
    while not true():
        assert time.monotonic() < deadline, f"not within {within_s} s: {what}"
        time.sleep(0.02)


@contextmanager
def linked(*urls: str, inbox: Inbox | None = None) -> Iterator[tuple[Link, Inbox]]:
    inbox = inbox or Inbox()
    link = Link(FleetSettings(brokers=urls), inbox, client_id="fleet-test")
    link.start()
    try:
        yield link, inbox
    finally:
        assert link.stop()


@contextmanager
def speaking(port: int) -> Iterator[Callable[[Raw], None]]:
    """Something that publishes what it is given."""
    client = mqtt.Client(CallbackAPIVersion.VERSION2)
    client.connect("127.0.0.1", port)
    client.loop_start()
    try:
        yield lambda raw: client.publish(raw.topic, raw.payload, qos=1, retain=raw.retained).wait_for_publish(5)
    finally:
        client.disconnect()
        client.loop_stop()


def hears(inbox: Inbox, topic: str, within_s: float = 30.0) -> Raw:
    deadline = time.monotonic() + within_s
    while time.monotonic() < deadline:
        for raw in inbox.take(10, 0.1):
            if raw.topic == topic:
                return raw
    pytest.fail(f"nothing came on {topic}")


@needs_mosquitto
def test_it_hears_kiosks_and_is_heard() -> None:
    kiosk = Kiosk()
    with running_mosquitto() as broker, linked(broker.url) as (link, inbox):
        until(lambda: link.connected, "connected")
        heard: list[str] = []
        listener = mqtt.Client(CallbackAPIVersion.VERSION2)
        listener.on_message = lambda _c, _d, message: heard.append(message.topic)
        listener.connect("127.0.0.1", broker.port)
        listener.subscribe("#")
        listener.loop_start()
        with speaking(broker.port) as say:
            say(kiosk.asks(3))
            raw = hears(inbox, kiosk.topic(Channel.ECHO))
            link.publish(kiosk.topic(Channel.ECHO), b'{"from": "fleet", "n": 3}', qos=0)
            until(lambda: len(heard) >= 2, "the answer went out")
        listener.disconnect()
        listener.loop_stop()
        assert not raw.retained
        assert inbox.take(10, 0.3) == []  # our own answer does not come back over MQTT 5


@needs_mosquitto
def test_what_the_broker_replays_is_marked(tmp_path: Path) -> None:
    kiosk = Kiosk()
    with running_mosquitto() as broker:
        with speaking(broker.port) as say:
            say(kiosk.is_born(retained=True))
        with linked(broker.url) as (_, inbox):
            assert hears(inbox, kiosk.topic(Channel.PRESENCE)).retained


@needs_mosquitto
def test_m3_of_ten_megabytes_only_enough_is_kept_to_refuse_them() -> None:
    kiosk = Kiosk()
    with running_mosquitto() as broker, linked(broker.url) as (link, inbox):
        until(lambda: link.connected, "connected")
        with speaking(broker.port) as say:
            say(Raw(kiosk.topic(Channel.LEDGER), b"x" * 10_000_000))
            say(kiosk.asks())
        assert len(hears(inbox, kiosk.topic(Channel.LEDGER)).payload) == MAX_PAYLOAD_BYTES + 1


@needs_mosquitto
def test_a_killed_broker_is_noticed_and_found_again() -> None:
    with running_mosquitto() as broker, linked(broker.url) as (link, _):
        until(lambda: link.connected, "connected")
        broker.kill()
        until(lambda: not link.connected, "lost")
        with pytest.raises(LinkDown):
            link.publish("carrel/v1/x/y/echo", b"{}", qos=0)
        broker.start()
        until(lambda: link.connected, "connected again")


@needs_mosquitto
def test_the_next_broker_is_tried_when_one_is_gone(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.WARNING)
    with running_mosquitto() as broker, linked(f"mqtt://127.0.0.1:{free_port()}", broker.url) as (link, _):
        until(lambda: link.connected, "connected to the second")
    assert sum("no connection to" in record.message for record in caplog.records) == 1


@needs_mosquitto
def test_a_broker_that_does_not_let_us_in_is_no_connection(caplog: pytest.LogCaptureFixture) -> None:
    with running_mosquitto(anonymous=False) as broker, linked(broker.url) as (link, _):
        until(lambda: "refused" in caplog.text, "refused")
        assert not link.connected


def test_m11_a_refused_subscription_is_no_connection(caplog: pytest.LogCaptureFixture) -> None:
    with _refusing_subscriptions() as port, linked(f"mqtt://127.0.0.1:{port}") as (link, _):
        until(lambda: "subscription refused" in caplog.text, "refused")
        assert not link.connected


def test_m9_a_broker_that_never_answers_is_given_up(caplog: pytest.LogCaptureFixture) -> None:
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        with linked(f"mqtt://127.0.0.1:{silent.getsockname()[1]}") as (link, _):
            until(lambda: "does not answer" in caplog.text, "given up")
            assert not link.connected


def test_a_broker_that_knows_mqtt_3_1_1_only_is_spoken_to_in_it() -> None:
    with _running_amqtt() as port, linked(f"mqtt://127.0.0.1:{port}") as (link, inbox):
        until(lambda: link.connected, "connected")
        kiosk = Kiosk()
        client = mqtt.Client(CallbackAPIVersion.VERSION2, protocol=mqtt.MQTTv311)
        client.connect("127.0.0.1", port)
        client.loop_start()
        raw = kiosk.asks(8)
        client.publish(raw.topic, raw.payload)
        assert hears(inbox, raw.topic).payload == raw.payload
        client.disconnect()
        client.loop_stop()


def test_a_password_or_certificate_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    login = {"username": "fleet", "password_file": tmp_path / "nothing"}
    with pytest.raises(SettingsUnusable, match="password_file"):
        Link(FleetSettings.model_validate({"broker_login": login}), Inbox(), client_id="x")
    garbage = tmp_path / "ca.pem"
    garbage.write_text("no certificate")
    settings = FleetSettings.model_validate({"brokers": ["mqtts://broker.example"], "tls": {"ca": garbage}})
    with pytest.raises(SettingsUnusable, match="tls"):
        Link(settings, Inbox(), client_id="x")


def test_retries_are_spread_and_bounded() -> None:
    waits = {attempt: [retry_after_s(attempt) for _ in range(300)] for attempt in (1, 2, 6, 50)}
    assert 2.0 < max(waits[1]) <= 3.0
    assert min(waits[1]) < 1.0
    assert max(waits[2]) <= 2.0
    assert 10.0 < max(waits[6]) <= 15.0
    assert max(waits[50]) <= 15.0


@contextmanager
def _running_amqtt() -> Iterator[int]:
    port = free_port()
    config = {
        "listeners": {"default": {"type": "tcp", "bind": f"127.0.0.1:{port}"}},
        "plugins": {"amqtt.plugins.authentication.AnonymousAuthPlugin": {"allow_anonymous": True}},
    }
    loop = asyncio.new_event_loop()
    started = threading.Event()
    stopping = asyncio.Event()

    async def run() -> None:
        broker = Amqtt(config)
        await broker.start()
        started.set()
        await stopping.wait()
        await broker.shutdown()

    thread = threading.Thread(target=loop.run_until_complete, args=(run(),))
    thread.start()
    assert started.wait(10)
    try:
        yield port
    finally:
        loop.call_soon_threadsafe(stopping.set)
        thread.join(10)
        loop.close()


@contextmanager
def _refusing_subscriptions() -> Iterator[int]:
    """The first words of an MQTT 5 broker that lets everyone in and grants nothing (reason code 0x87)."""
    listening = socket.socket()
    listening.bind(("127.0.0.1", 0))
    listening.listen()

    def answer() -> None:
        while True:
            try:
                peer, _ = listening.accept()
            except OSError:
                return
            with peer:
                peer.recv(4096)
                peer.sendall(bytes([0x20, 3, 0, 0, 0]))
                subscribe = peer.recv(4096)
                body = bytes([*subscribe[3:5], 0, *[0x87] * 6])
                peer.sendall(bytes([0x90, len(body)]) + body)
                peer.recv(4096)

    thread = threading.Thread(target=answer)
    thread.start()
    try:
        yield int(listening.getsockname()[1])
    finally:
        listening.shutdown(socket.SHUT_RDWR)
        listening.close()
        thread.join(5)
