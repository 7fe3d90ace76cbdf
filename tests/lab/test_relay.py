"""The ways a school network fails, on real sockets: what passes, what does not, and that all is well afterwards."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest

from lab.relay import Relay, Way


class Ends:
    """A relay to a server that sends back what it hears."""

    relay: Relay

    def __init__(self) -> None:
        self.heard = bytearray()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError):
            while data := await reader.read(1_000):
                self.heard += data
                writer.write(data)
                await writer.drain()
        writer.close()

    @contextlib.asynccontextmanager
    async def client(self) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
        reader, writer = await asyncio.open_connection("127.0.0.1", self.relay.port)
        try:
            yield reader, writer
        finally:
            writer.close()
            with contextlib.suppress(OSError):
                await writer.wait_closed()

    async def answers(self) -> None:
        async with self.client() as (reader, writer), asyncio.timeout(5):
            writer.write(b"well")
            assert await reader.readexactly(4) == b"well"


async def pours(writer: asyncio.StreamWriter) -> None:
    for _ in range(100):
        writer.write(bytes(200))
        await writer.drain()
        await asyncio.sleep(0.01)


def scenario(story: Callable[[Ends], Awaitable[None]]) -> None:
    async def run() -> None:
        ends = Ends()
        server = await asyncio.start_server(ends.serve, "127.0.0.1", 0)
        ends.relay = relay = Relay(server.sockets[0].getsockname()[1])
        await relay.start()
        try:
            await ends.answers()
            await story(ends)
            relay.restore()
            await ends.answers()
        finally:
            await relay.stop()
            server.close()
            await server.wait_closed()

    asyncio.run(run())


def test_half_open_what_is_said_arrives_and_nothing_comes_back() -> None:
    async def story(on: Ends) -> None:
        on.relay.cut(Way.HALF_OPEN)
        before = len(on.heard)
        async with on.client() as (reader, writer):
            writer.write(b"anybody there")
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(0.5):
                    await reader.read(1)
            assert on.heard[before:] == b"anybody there"
            on.relay.restore()
            with pytest.raises(ConnectionError):
                assert await reader.readexactly(1)

    scenario(story)


def test_a_trickle_passes_a_byte_a_second_and_loses_none() -> None:
    async def story(on: Ends) -> None:
        on.relay.cut(Way.TRICKLE)
        before = len(on.heard)
        async with on.client() as (reader, writer):
            writer.write(b"0123456789")
            await asyncio.sleep(1.5)
            assert 1 <= len(on.heard) - before <= 3
            on.relay.restore()
            async with asyncio.timeout(5):
                assert await reader.readexactly(10) == b"0123456789"

    scenario(story)


def test_mid_publish_a_connection_is_reset_after_some_bytes() -> None:
    async def story(on: Ends) -> None:
        on.relay.cut(Way.MID_PUBLISH)
        before = len(on.heard)
        async with on.client() as (reader, writer):
            with pytest.raises(ConnectionError):
                await asyncio.gather(pours(writer), reader.readexactly(20_000))
        assert 200 <= len(on.heard) - before <= 4_000

    scenario(story)
