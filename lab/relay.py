"""The simulated network of one kiosk: a TCP relay to the broker that can go silent or reset, as school networks do."""

import asyncio
import contextlib
import logging
import random
import socket
import struct
from enum import StrEnum
from typing import Final

_log = logging.getLogger(__name__)

_CHUNK: Final = 65_536
_TRICKLE_S: Final = 1.0
_LATE_S: Final = 0.6
_PORTAL: Final = (
    b"HTTP/1.1 302 Found\r\nLocation: http://login.school.example/portal\r\nContent-Length: 0\r\n"
    b"Connection: close\r\n\r\n"
)
_MID_PUBLISH_BYTES: Final = (200, 4_000)
_RESET: Final = struct.pack("ii", 1, 0)  # SO_LINGER on, 0 s: closing sends RST instead of FIN


class Way(StrEnum):
    """How the network fails."""

    SILENT = "silent"
    """Bytes are swallowed both ways; connections stay open and say nothing."""
    RESET = "reset"
    """Connections are reset, and new ones as well."""
    HALF_OPEN = "half-open"
    """What the kiosk says arrives, and nothing comes back."""
    TRICKLE = "trickle"
    """One byte a second passes, each way."""
    MID_PUBLISH = "mid-publish"
    """Each connection is reset after some bytes, in the middle of a message as likely as not."""
    LATE = "late"
    """Every byte comes 0.6 s later, each way."""
    PORTAL = "portal"
    """Whoever connects is led to a page where the school's network asks to sign in."""

    @property
    def words(self) -> str:
        """It for a table."""
        return {
            Way.SILENT: "partition, connections stay open",
            Way.RESET: "reset, and new connections too",
            Way.HALF_OPEN: "half-open: nothing comes back",
            Way.TRICKLE: "one byte a second",
            Way.MID_PUBLISH: "reset in mid-publish, again and again",
            Way.LATE: "0.6 s late, each way",
            Way.PORTAL: "a captive portal answers",
        }[self]


class Relay:
    """Passes bytes between a kiosk and the broker while it is up."""

    def __init__(self, to_port: int) -> None:
        self._to_port = to_port
        self._down: Way | None = None
        self._server: asyncio.Server | None = None
        self._pairs: set[tuple[asyncio.StreamWriter, asyncio.StreamWriter | None]] = set()
        self._tainted: set[asyncio.StreamWriter] = set()
        self.port = 0

    @property
    def up(self) -> bool:
        """Whether bytes pass."""
        return self._down is None

    async def start(self) -> None:
        """Listen on a free port of loopback."""
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]

    def cut(self, way: Way) -> None:
        """Fail."""
        self._down = way
        if way in {Way.RESET, Way.PORTAL}:
            for client, broker in list(self._pairs):
                _reset(client, broker)

    def restore(self) -> None:
        """Pass bytes again. A connection that lost bytes meanwhile would be a corrupt stream, so it is reset."""
        self._down = None
        for client, broker in list(self._pairs):
            if client in self._tainted or broker is None:
                _reset(client, broker)

    async def stop(self) -> None:
        """Close everything."""
        for client, broker in list(self._pairs):
            _reset(client, broker)
        if self._server:
            self._server.close()
            await self._server.wait_closed()

    async def _serve(self, reader: asyncio.StreamReader, client: asyncio.StreamWriter) -> None:
        if self._down is Way.RESET:
            _reset(client, None)
            return
        if self._down is Way.PORTAL:
            await _lead_away(reader, client)
            return
        broker_reader, broker = None, None
        if self._down is not Way.SILENT:
            try:
                broker_reader, broker = await asyncio.open_connection("127.0.0.1", self._to_port)
            except OSError as error:
                _log.debug("the broker does not listen: %s", error)
                _reset(client, None)
                return
        pair = (client, broker)
        self._pairs.add(pair)
        try:
            async with asyncio.TaskGroup() as ways:
                ways.create_task(self._pass(reader, broker, client))
                if broker_reader is not None:
                    ways.create_task(self._pass(broker_reader, client, client))
        except* (OSError, _Ended) as ended:
            _log.debug("one end closed, and so does the other: %s", ended.exceptions)
        finally:
            self._pairs.discard(pair)
            self._tainted.discard(client)
            for writer in filter(None, pair):
                writer.close()
                with contextlib.suppress(OSError):
                    await writer.wait_closed()

    async def _pass(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter | None, client: asyncio.StreamWriter
    ) -> None:
        left = random.randint(*_MID_PUBLISH_BYTES)  # keeps no secret
        while data := await reader.read(_CHUNK):
            if self._down is Way.LATE:
                await asyncio.sleep(_LATE_S)
            if self._down is Way.TRICKLE and writer is not None:
                data = await self._trickle(data, writer)  # what is left of it
            if self._down in {Way.SILENT, Way.RESET} or writer is None:
                self._tainted.add(client)
                continue
            if self._down is Way.HALF_OPEN and writer is client:
                self._tainted.add(client)
                continue
            if self._down is Way.MID_PUBLISH and writer is not client:
                data, left = data[:left], left - len(data)  # the rest never arrives
            writer.write(data)
            await writer.drain()
            if left <= 0:
                _reset(client, writer)
        raise _Ended

    async def _trickle(self, data: bytes, writer: asyncio.StreamWriter) -> bytes:
        """Pass a byte a second for as long as the network is so slow; what is left then."""
        while data and self._down is Way.TRICKLE:
            writer.write(data[:1])
            await writer.drain()
            data = data[1:]
            await asyncio.sleep(_TRICKLE_S)
        return data


class _Ended(Exception):
    """One end closed its side."""


async def _lead_away(reader: asyncio.StreamReader, client: asyncio.StreamWriter) -> None:
    with contextlib.suppress(OSError):
        if await reader.read(_CHUNK):
            client.write(_PORTAL)
            await client.drain()
        client.close()
        await client.wait_closed()


def _reset(*writers: asyncio.StreamWriter | None) -> None:
    for writer in filter(None, writers):
        sock: socket.socket | None = writer.get_extra_info("socket")
        if sock is not None and sock.fileno() >= 0:
            with contextlib.suppress(OSError):
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
        writer.transport.abort()
