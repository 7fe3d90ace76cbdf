"""The link on a real broker, through the lab's relay: what is up, what is down, and what is never kept in memory."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from device.link import Life, Link, retry_after_s
from device.outbox import Outbox
from device.session.clock import Instant
from device.session.journal import Journal
from device.session.ledger import Ledger
from device.session.states import Fact
from device.settings import LinkSettings
from lab.broker import start_broker
from lab.demo import free_port
from lab.relay import Relay, Way
from tests.device.tiny_fleet import TinyFleet
from wire.codec import MAX_PAYLOAD_BYTES, encode, read
from wire.ledger import ClockTrust
from wire.messages import Command, LedgerAck, Presence, PresenceState
from wire.topics import Channel, Topic

KIOSK = Topic("lincoln", "lincoln-12", Channel.COMMAND)
pytestmark = pytest.mark.needs_mosquitto


class Wired:
    """A link with its relay and broker, and what it reported."""

    def __init__(self, link: Link, relay: Relay, fleet: TinyFleet) -> None:
        self.link, self.relay, self.fleet = link, relay, fleet
        self.changes: list[tuple[bool, str]] = []
        self.messages: list[tuple[Channel, bytes]] = []

    async def until(self, true: Callable[[], bool], within_s: float = 15) -> None:
        async with asyncio.timeout(within_s):
            while not true():  # noqa: ASYNC110
                await asyncio.sleep(0.02)


@contextlib.asynccontextmanager
async def wired(folder: Path, urls: tuple[str, ...] = ()) -> AsyncIterator[Wired]:
    broker = await start_broker(folder, free_port())
    relay = Relay(broker.port)
    await relay.start()
    births = iter(range(1, 1_000))

    async def life() -> Life:
        birth = next(births)
        born, dead = (
            encode(Presence(state=state, birth=birth, boot="boot", version="0"))
            for state in (PresenceState.ONLINE, PresenceState.OFFLINE)
        )
        return Life(born, dead)

    async def take(channel: Channel, payload: bytes) -> None:
        if channel is Channel.COMMAND:
            read(Command, payload)
        found.messages.append((channel, payload))

    with TinyFleet(broker.port) as fleet:
        link = Link(
            LinkSettings(urls=(*urls, f"mqtt://127.0.0.1:{relay.port}")),
            KIOSK.campus,
            KIOSK.kiosk,
            life=life,
            on_message=take,
            on_change=lambda up, reason: found.changes.append((up, reason)),
        )
        link.echo_every_s = 1.0
        found = Wired(link, relay, fleet)
        running = asyncio.ensure_future(link.run())
        try:
            yield found
        finally:
            running.cancel()
            await asyncio.wait({running})
            await relay.stop()
            await broker.stop()


def scenario(folder: Path, story: Callable[[Wired], Awaitable[None]], urls: tuple[str, ...] = ()) -> None:
    async def run() -> None:
        async with wired(folder, urls) as found:
            await story(found)

    asyncio.run(run())


def test_up_is_an_answered_echo_and_birth_is_retained(tmp_path: Path) -> None:
    async def story(on: Wired) -> None:
        await on.until(lambda: on.link.up)
        assert on.changes == [(True, "")]
        assert on.link.round_trip_ms is not None
        await on.until(lambda: bool(on.fleet.of(Channel.PRESENCE)))
        assert read(Presence, on.fleet.of(Channel.PRESENCE)[0]).birth == 1

    scenario(tmp_path, story)


def test_an_echo_asked_for_does_not_wait_for_its_turn_and_says_nothing_of_a_fleet_that_is_silent(
    tmp_path: Path,
) -> None:
    async def story(on: Wired) -> None:
        on.link.echo_every_s = 3_600.0
        await on.until(lambda: on.link.up)
        await asyncio.sleep(0.2)
        first = len(on.fleet.of(Channel.ECHO))
        took_ms = await on.link.echo(10)
        assert took_ms is not None
        assert took_ms > 0
        assert len(on.fleet.of(Channel.ECHO)) > first
        on.fleet.answers = False
        assert await on.link.echo(1) is None

    scenario(tmp_path, story)


def test_m11_a_fleet_that_is_down_behind_a_live_broker_is_a_link_that_is_down(tmp_path: Path) -> None:
    async def story(on: Wired) -> None:
        await on.until(lambda: on.link.up)
        on.fleet.answers = False
        await on.until(lambda: not on.link.up, within_s=10)
        assert on.changes[-1] == (False, "the fleet does not answer")
        on.fleet.answers = True
        await on.until(lambda: on.link.up, within_s=30)

    scenario(tmp_path, story)


def test_a_network_that_goes_silent_is_noticed_and_comes_back_with_a_new_birth(tmp_path: Path) -> None:
    async def story(on: Wired) -> None:
        await on.until(lambda: on.link.up)
        on.relay.cut(Way.SILENT)
        await on.until(lambda: not on.link.up, within_s=10)
        on.relay.restore()
        await on.until(lambda: on.link.up, within_s=40)
        births = [read(Presence, one).birth for one in on.fleet.of(Channel.PRESENCE)]
        assert births[-1] > births[0]

    scenario(tmp_path, story)


def test_a_reset_network_is_noticed_at_once_and_the_will_is_of_that_birth(tmp_path: Path) -> None:
    async def story(on: Wired) -> None:
        await on.until(lambda: on.link.up)
        on.relay.cut(Way.RESET)
        await on.until(lambda: not on.link.up, within_s=3)
        await on.until(lambda: len(on.fleet.of(Channel.PRESENCE)) > 1)
        death = read(Presence, on.fleet.of(Channel.PRESENCE)[1])
        assert (death.state, death.birth) == (PresenceState.OFFLINE, 1)

    scenario(tmp_path, story)


def test_m9_a_broker_that_accepts_and_says_nothing_is_left_for_the_next_url(tmp_path: Path) -> None:
    async def run() -> None:
        async def mute(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await reader.read()
            writer.close()

        server = await asyncio.start_server(mute, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        async with wired(tmp_path, (f"mqtt://127.0.0.1:{port}",)) as on:
            await on.until(lambda: on.link.up, within_s=30)
        server.close()
        await server.wait_closed()

    asyncio.run(run())


def test_m13_hostile_messages_are_dropped_and_counted_and_a_flood_stays_bounded(tmp_path: Path) -> None:
    async def story(on: Wired) -> None:
        await on.until(lambda: on.link.up)
        for payload in (b"\xff\xfe", b'{"id": NaN}', b"[" * 100_000, b"x" * (MAX_PAYLOAD_BYTES + 1), b"{}"):
            on.fleet.send(KIOSK, payload)
        await on.until(lambda: on.link.dropped >= 5)
        good = encode(
            Command(id="c" * 16, name="identify", expires_at=datetime(2027, 1, 1, tzinfo=UTC), epoch="e" * 36)
        )
        for _ in range(3_000):
            on.fleet.send(KIOSK, good)
        await on.until(lambda: len(on.messages) + on.link.dropped >= 3_005, within_s=60)
        assert on.messages
        await on.until(lambda: on.link.up)

    scenario(tmp_path, story)


def test_m10_first_retries_are_spread_and_later_ones_grow_to_their_cap() -> None:
    first = [retry_after_s(1) for _ in range(400)]
    assert min(first) < 0.5
    assert 2.5 < max(first) <= 3.0
    assert all(retry_after_s(attempt) <= 15 for attempt in range(2, 500))


def test_rows_travel_once_through_a_broken_network_and_are_confirmed(tmp_path: Path) -> None:
    async def run() -> None:
        journal = Journal(Ledger.open(tmp_path / "ledger.db"))
        async with wired(tmp_path) as on:
            outbox = Outbox(journal, lambda payload: on.link.publish(Channel.LEDGER, payload, qos=1))
            sending = asyncio.ensure_future(outbox.run())
            at = Instant(1, datetime(2026, 11, 23, tzinfo=UTC), "boot", ClockTrust.SYNCED)
            for round_ in range(3):
                await journal.append([Fact("help.asked", {}, None, at)] * 400)
                await on.until(lambda: on.link.up, within_s=40)
                outbox.link(up=True)
                if round_ == 0:
                    on.relay.cut(Way.RESET)
                    await on.until(lambda: not on.link.up)
                    outbox.link(up=False)
                    on.relay.restore()
            async with asyncio.timeout(40):
                while journal.acked < 1_200:
                    while on.messages:
                        _, payload = on.messages.pop(0)
                        await outbox.take_ack(read(LedgerAck, payload))
                    await asyncio.sleep(0.02)
            assert sorted(on.fleet.rows) == list(range(1, 1_201))
            sending.cancel()
            await asyncio.wait({sending})
        await journal.close()

    asyncio.run(run())
