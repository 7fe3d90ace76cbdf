"""A broker that goes by certificates and rights (tests/rights): who a kiosk is, what it may say, whom it believes."""

import asyncio
import contextlib
import struct
import time
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import paho.mqtt.client as mqtt
import pytest
from paho.mqtt.enums import CallbackAPIVersion

from device.link import Life, Link
from device.outbox import Outbox
from device.session.clock import Instant
from device.session.journal import Journal
from device.session.ledger import Ledger
from device.session.states import Fact
from device.settings import LinkSettings
from fleet.broker import Link as FleetLink
from fleet.inbox import Inbox
from fleet.settings import FleetSettings
from tests.broker import free_port
from tests.device.tiny_fleet import TinyFleet
from tests.papers import authority, broker_with_rights, paper
from wire.codec import encode, read
from wire.ledger import ClockTrust
from wire.messages import LedgerAck, Presence, PresenceState
from wire.topics import Channel, Topic

pytestmark = [
    pytest.mark.needs_mosquitto,
    # paho leaves the socket of a refused handshake to the garbage collector.
    pytest.mark.filterwarnings("ignore:unclosed <ssl:ResourceWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]
CAMPUS, KIOSK, OTHER = "lincoln", "lincoln-12", "lincoln-14"


@pytest.fixture(scope="module")
def papers(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("papers")
    authority(folder, "ours")
    for name in ("broker", "carrel-fleet", KIOSK, OTHER):
        paper(folder, name)
    paper(folder, "plus", common_name="+")
    paper(folder, "hash", common_name="#")
    paper(folder, "elsewhere", names="DNS:elsewhere.example.org")
    paper(folder, "over", days=0)
    time.sleep(1.1)  # now it is
    return folder


def of(papers: Path, name: str) -> tuple[str, str, str]:
    return str(papers / "ours.pem"), str(papers / f"{name}.pem"), str(papers / f"{name}.key")


class Kiosk:
    """A kiosk's real link, outbox and ledger, with a certificate that may be another's."""

    def __init__(self, folder: Path, urls: Sequence[str], papers: Path, id_: str = KIOSK, paper_of: str = "") -> None:
        ca, certificate, key = (Path(one) for one in of(papers, paper_of or id_))
        self.journal = Journal(Ledger.open(folder / f"{id_}.db"))
        self.outbox = Outbox(self.journal, lambda payload: self.link.publish(Channel.LEDGER, payload, qos=1))
        self.link = Link(
            LinkSettings(urls=tuple(urls), ca=ca, certificate=certificate, key=key), CAMPUS, id_,
            life=self._life, on_message=self._take, on_change=self._changed,
        )  # fmt: skip
        self.link.echo_every_s = 1.0
        self.births = 0
        self.reasons: list[str] = []

    @contextlib.asynccontextmanager
    async def running(self) -> Any:
        tasks = [asyncio.ensure_future(one) for one in (self.link.run(), self.outbox.run())]
        try:
            yield self
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.wait(tasks)
            await self.journal.close()

    async def write(self, rows: int) -> None:
        at = Instant(1, datetime(2026, 11, 23, tzinfo=UTC), "boot", ClockTrust.SYNCED)
        await self.journal.append([Fact("help.asked", {}, None, at)] * rows)
        self.outbox.written()

    async def _life(self) -> Life:
        self.births += 1
        said = [encode(Presence(state=one, birth=self.births, boot="b", version="0")) for one in PresenceState]
        return Life(said[0], said[1])

    async def _take(self, channel: Channel, payload: bytes) -> None:
        if channel is Channel.LEDGER_ACK:
            await self.outbox.take_ack(read(LedgerAck, payload))

    def _changed(self, up: bool, reason: str) -> None:
        self.reasons.append(reason)
        self.outbox.link(up=up)


async def until(true: Callable[[], bool], within_s: float = 30) -> None:
    async with asyncio.timeout(within_s):
        while not true():  # noqa: ASYNC110
            await asyncio.sleep(0.02)


@contextlib.contextmanager
def speaker(port: int, papers: tuple[str, str, str], client_id: str) -> Iterator[tuple[mqtt.Client, list[Any]]]:
    """Somebody with a certificate who says what he likes; the client, and the reasons of all answers to it."""
    codes: list[Any] = []
    client = mqtt.Client(CallbackAPIVersion.VERSION2, client_id=client_id, protocol=mqtt.MQTTv5)
    client.tls_set(*papers)
    client.on_connect = lambda _c, _d, _f, code, _p: codes.append(code)
    client.on_publish = lambda _c, _d, _mid, code, _p: codes.append(code)
    client.on_message = lambda _c, _d, message: codes.append(message)
    client.connect("127.0.0.1", port)
    client.loop_start()
    try:
        deadline = time.monotonic() + 10
        while not codes:
            assert time.monotonic() < deadline, "no answer to CONNECT"
            time.sleep(0.02)
        yield client, codes
    finally:
        client.disconnect()
        client.loop_stop()


@pytest.mark.parametrize(
    ("without", "is_taken_over"),
    [((), False), (("use_username_as_clientid",), True)],
    ids=["as it is written", "without its line, which shows that this test can fail"],
)
def test_m6_another_kiosks_client_id_is_never_obtained(
    papers: Path, tmp_path: Path, without: Sequence[str], is_taken_over: bool
) -> None:
    async def story() -> None:
        with (
            broker_with_rights(papers, without=without) as broker,
            TinyFleet(broker.port, of(papers, "carrel-fleet")) as fleet,
        ):
            async with Kiosk(tmp_path, [f"mqtts://localhost:{broker.port}"], papers).running() as kiosk:
                await until(lambda: kiosk.link.up)
                for _ in range(3):
                    with speaker(broker.port, of(papers, OTHER), KIOSK):
                        await asyncio.sleep(0.5)
                if is_taken_over:
                    await until(lambda: kiosk.births > 1)
                    return
                await kiosk.write(3)
                await until(lambda: kiosk.journal.acked == 3)
                assert (kiosk.births, kiosk.link.up) == (1, True), "its connection was never touched"
                assert len(fleet.of(Channel.PRESENCE)) == 1, "nobody died"

    asyncio.run(story())


def test_m1_nobody_speaks_or_listens_for_another_kiosk(papers: Path) -> None:
    with (
        broker_with_rights(papers) as broker,
        TinyFleet(broker.port, of(papers, "carrel-fleet")) as fleet,
        speaker(broker.port, of(papers, OTHER), OTHER) as (thief, codes),
    ):
        codes.clear()
        thief.subscribe([(f"carrel/v1/{CAMPUS}/{KIOSK}/#", 1), ("#", 1)])
        for channel in Channel:
            thief.publish(str(Topic(CAMPUS, KIOSK, channel)), b"{}", qos=1)
        from_fleet = (Channel.LEDGER_ACK, Channel.COMMAND, Channel.SCHEDULE, Channel.CONFIG, Channel.UPLOAD_TICKET)
        for channel in from_fleet:  # not even to itself may it say what only the fleet may
            thief.publish(str(Topic(CAMPUS, OTHER, channel)), b"{}", qos=1)
        fleet.send(Topic(CAMPUS, KIOSK, Channel.COMMAND), b"for lincoln-12 only")
        fleet.send(Topic(CAMPUS, OTHER, Channel.COMMAND), b"for lincoln-14")
        thief.publish(str(Topic(CAMPUS, OTHER, Channel.HEALTH)), b"the last word", qos=1)
        deadline = time.monotonic() + 60
        expected = len(Channel) + len(from_fleet) + 2
        while len(codes) < expected or not fleet.of(Channel.HEALTH):
            assert time.monotonic() < deadline, codes
            time.sleep(0.02)
        answers = [str(code) for code in codes if not isinstance(code, mqtt.MQTTMessage)]
        assert answers.count("Not authorized") == len(Channel) + len(from_fleet)
        heard = [message.payload for message in codes if isinstance(message, mqtt.MQTTMessage)]
        assert heard == [b"for lincoln-14"]
        assert fleet.heard == [(Channel.HEALTH, b"the last word")]


def test_m1_what_the_broker_denies_stays_in_the_outbox(papers: Path, tmp_path: Path) -> None:
    """A card that was cloned into another kiosk, or a wrong certificate: the link is down, and every row stays."""

    async def story() -> None:
        with (
            broker_with_rights(papers) as broker,
            TinyFleet(broker.port, of(papers, "carrel-fleet")) as fleet,
        ):
            url = f"mqtts://localhost:{broker.port}"
            async with Kiosk(tmp_path, [url], papers, paper_of=OTHER).running() as kiosk:
                await kiosk.write(40)
                await until(lambda: kiosk.births > 0)
                await asyncio.sleep(8)
                assert not kiosk.link.up
                assert (kiosk.journal.acked, kiosk.journal.head) == (0, 40)
                assert fleet.heard == []
            async with Kiosk(tmp_path, [url], papers).running() as kiosk:
                await until(lambda: kiosk.journal.acked == 40)
            assert sorted(fleet.rows) == list(range(1, 41))

    asyncio.run(story())


@pytest.mark.parametrize("name", ["plus", "hash"])
def test_m7_a_certificate_of_wildcards_opens_nothing(papers: Path, name: str) -> None:
    """Such a name must never be signed; should it be, the broker lets it neither hear nor say anything."""
    with (
        broker_with_rights(papers) as broker,
        TinyFleet(broker.port, of(papers, "carrel-fleet")) as fleet,
        speaker(broker.port, of(papers, name), KIOSK) as (client, codes),
    ):
        client.subscribe([("#", 1), (f"carrel/v1/{CAMPUS}/+/command", 1)])
        time.sleep(0.3)
        codes.clear()
        fleet.send(Topic(CAMPUS, KIOSK, Channel.COMMAND), b"not for everyone")
        client.publish(str(Topic(CAMPUS, KIOSK, Channel.LEDGER)), b"{}", qos=1)
        client.publish(f"carrel/v1/{CAMPUS}/x-x/health", b"{}", qos=1)
        deadline = time.monotonic() + 10
        while len(codes) < 2 and client.is_connected():
            assert time.monotonic() < deadline, codes
            time.sleep(0.02)
        time.sleep(0.5)
        assert all(str(code) == "Not authorized" for code in codes)
        assert fleet.heard == []


@pytest.mark.parametrize("certificate", ["elsewhere", "over"], ids=["another host's", "expired"])
def test_m12_a_broker_with_a_bad_certificate_gets_nothing(papers: Path, tmp_path: Path, certificate: str) -> None:
    async def story() -> None:
        with (
            broker_with_rights(papers, certificate=certificate) as bad,
            broker_with_rights(papers) as good,
            TinyFleet(good.port, of(papers, "carrel-fleet")) as fleet,
        ):
            urls = [f"mqtts://localhost:{bad.port}", f"mqtts://localhost:{good.port}"]
            async with Kiosk(tmp_path, urls, papers).running() as kiosk:
                await kiosk.write(3)
                await until(lambda: kiosk.journal.acked == 3, 40)
            assert fleet.rows.keys() == {1, 2, 3}
            log = (bad.folder / "mosquitto.log").read_text()
            assert f"as {KIOSK}" not in log, "it was left before a word was said"
            assert "OpenSSL Error" in log or "tlsv1 alert" in log or "SSL" in log

    asyncio.run(story())


@pytest.mark.parametrize("certificate", ["elsewhere", "over"], ids=["another host's", "expired"])
def test_m12_neither_does_the_fleet_believe_it(papers: Path, certificate: str) -> None:
    ca, cert, key = of(papers, "carrel-fleet")
    with broker_with_rights(papers, certificate=certificate) as bad, broker_with_rights(papers) as good:
        told = {"ca": ca, "cert": cert, "key": key}
        urls = [f"mqtts://localhost:{bad.port}", f"mqtts://localhost:{good.port}"]
        link = FleetLink(FleetSettings.model_validate({"brokers": urls, "tls": told}), Inbox(), client_id="f")
        link.start()
        try:
            deadline = time.monotonic() + 30
            while not link.connected:
                assert time.monotonic() < deadline
                time.sleep(0.05)
        finally:
            assert link.stop()
        assert "as carrel-fleet" not in (bad.folder / "mosquitto.log").read_text()
        assert "as carrel-fleet" in (good.folder / "mosquitto.log").read_text()


class Redirecting:
    """A broker that sends its clients elsewhere, by MQTT 5's "use another server": at once, or after their CONNECT."""

    def __init__(self, code: int, to_port: int, *, after_connect: bool) -> None:
        reference = f"127.0.0.1:{to_port}".encode()
        properties = b"\x1c" + struct.pack("!H", len(reference)) + reference
        if after_connect:  # CONNACK, then DISCONNECT with the reason
            away = bytes([code, len(properties)]) + properties
            self._words = b"\x20\x03\x00\x00\x00" + bytes([0xE0, len(away)]) + away
        else:
            body = bytes([0, code, len(properties)]) + properties
            self._words = bytes([0x20, len(body)]) + body
        self.asked = 0
        self.port = 0

    @contextlib.asynccontextmanager
    async def running(self) -> Any:
        server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.port = server.sockets[0].getsockname()[1]
        try:
            yield self
        finally:
            server.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1_000)
        self.asked += 1
        writer.write(self._words)
        await writer.drain()
        with contextlib.suppress(OSError):
            await reader.read(10_000)
        writer.close()


@pytest.mark.parametrize("after_connect", [False, True])
@pytest.mark.parametrize("code", [0x9C, 0x9D], ids=["use another server", "server moved"])
def test_m12_a_broker_that_sends_elsewhere_is_refused_and_not_followed(
    papers: Path, tmp_path: Path, code: int, after_connect: bool
) -> None:
    async def story() -> None:
        went: list[int] = []
        port = free_port()

        async def elsewhere(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            went.append(1)
            writer.close()

        server = await asyncio.start_server(elsewhere, "127.0.0.1", port)
        async with Redirecting(code, port, after_connect=after_connect).running() as liar:
            url = f"mqtt://127.0.0.1:{liar.port}"
            link = FleetLink(FleetSettings(brokers=(url,)), Inbox(), client_id="f")
            link.start()
            try:
                async with Kiosk(tmp_path, [url], papers).running() as kiosk:
                    await kiosk.write(3)
                    await until(lambda: liar.asked >= 4 and kiosk.births >= 2, 60)
                    assert not kiosk.link.up
                    assert (kiosk.journal.acked, kiosk.journal.head) == (0, 3)
                    assert not link.connected
            finally:
                assert await asyncio.to_thread(link.stop)
        server.close()
        assert went == []

    asyncio.run(story())
