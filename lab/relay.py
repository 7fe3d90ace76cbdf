"""The simulated network of one kiosk: a TCP relay to the broker that can go silent or reset, as school networks do."""

import asyncio
import contextlib
import logging
import socket
import struct
from enum import StrEnum
from typing import Final

_log = logging.getLogger(__name__)

_CHUNK: Final = 65_536
_RESET: Final = struct.pack("ii", 1, 0)  # SO_LINGER on, 0 s: closing sends RST instead of FIN


class Way(StrEnum):
    """How the network fails."""

    SILENT = "silent"
    """Bytes are swallowed both ways; connections stay open and say nothing."""
    RESET = "reset"
    """Connections are reset, and new ones as well."""


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
        if way is Way.RESET:
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
        broker_reader, broker = None, None
        if self._down is None:
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
        while data := await reader.read(_CHUNK):
            if self._down is not None or writer is None:
                self._tainted.add(client)
                continue
            writer.write(data)
            await writer.drain()
        raise _Ended


class _Ended(Exception):
    """One end closed its side."""


def _reset(*writers: asyncio.StreamWriter | None) -> None:
    for writer in filter(None, writers):
        sock: socket.socket | None = writer.get_extra_info("socket")
        if sock is not None and sock.fileno() >= 0:
            with contextlib.suppress(OSError):
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
        writer.transport.abort()
