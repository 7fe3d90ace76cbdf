"""A narrow uplink: everything a kiosk sends passes one queue at so many bytes a second, as in a school's modem.

What comes back is not slowed down: answers are small. The queue holds 64 KiB before it makes senders wait, which at
32 kB/s is two seconds: whoever fills it has everyone behind him wait so long.
"""

import asyncio
import contextlib
import threading
import time
from collections.abc import Sequence
from typing import Final, Self

_PACKET_BYTES: Final = 1_460
_QUEUE_PACKETS: Final = 64 * 1024 // _PACKET_BYTES


class NarrowLine:
    """Listens on a port for each of `to_ports`; a context, on a loop of its own."""

    def __init__(self, bytes_per_s: float, to_ports: Sequence[int]) -> None:
        self._bytes_per_s, self._to_ports = bytes_per_s, tuple(to_ports)
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="lab.line", daemon=True)
        self._queue: asyncio.Queue[tuple[asyncio.StreamWriter, bytes]] = asyncio.Queue(_QUEUE_PACKETS)
        self._tasks: set[asyncio.Task[None]] = set()
        self._servers: list[asyncio.Server] = []
        self.ports: list[int] = []
        self.passed_bytes = 0

    def __enter__(self) -> Self:
        self._thread.start()
        asyncio.run_coroutine_threadsafe(self._start(), self._loop).result(10)
        return self

    def __exit__(self, *_: object) -> None:
        asyncio.run_coroutine_threadsafe(self._stop(), self._loop).result(10)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
        self._loop.close()

    async def _start(self) -> None:
        for to_port in self._to_ports:

            async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, to_port: int = to_port) -> None:
                await self._serve(reader, writer, to_port)

            # A small window, so that it is this queue that fills and not the kernel's.
            server = await asyncio.start_server(serve, "127.0.0.1", 0, limit=_PACKET_BYTES)
            self._servers.append(server)
            self.ports.append(int(server.sockets[0].getsockname()[1]))
        self._tasks.add(asyncio.ensure_future(self._pump()))

    async def _stop(self) -> None:
        for server in self._servers:
            server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, to_port: int) -> None:
        there_reader, there = await asyncio.open_connection("127.0.0.1", to_port)
        up = asyncio.ensure_future(self._up(reader, there))
        down = asyncio.ensure_future(_down(there_reader, writer))
        self._tasks |= {up, down}
        try:
            await asyncio.wait({up, down}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in (up, down):
                task.cancel()
            self._tasks -= {up, down}
            for one in (writer, there):
                one.close()

    async def _up(self, reader: asyncio.StreamReader, there: asyncio.StreamWriter) -> None:
        while data := await reader.read(_PACKET_BYTES):
            await self._queue.put((there, data))

    async def _pump(self) -> None:
        free_at_s = time.monotonic()
        while True:
            there, data = await self._queue.get()
            free_at_s = max(free_at_s, time.monotonic()) + len(data) / self._bytes_per_s
            await asyncio.sleep(max(0.0, free_at_s - time.monotonic()))
            self.passed_bytes += len(data)
            if not there.is_closing():
                there.write(data)


async def _down(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(OSError):
        while data := await reader.read(65_536):
            writer.write(data)
            await writer.drain()
