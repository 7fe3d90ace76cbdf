"""What goes on without end: the events of the page, and a camera's moving preview."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from typing import Any, Final, Protocol

REFRESH_S: Final = 5.0
"""An event at least this often, so that a page without one for 6 s knows that it has lost the kiosk."""
LEAST_GAP_S: Final = 0.2
BOUNDARY: Final = "frame"
_PREVIEW_GAP_S: Final = 0.2
_PREVIEW_GONE_S: Final = 2.0
"""A camera that gives no picture for this long is closed, or as good as."""


class News(Protocol):
    """Where changes are heard of."""

    async def changed(self, timeout_s: float) -> None:
        """Return on the next change, or after `timeout_s`."""


class Streams:
    """The events for every page that listens, until `close`."""

    def __init__(self, news: News, told: Callable[[], dict[str, Any]]) -> None:
        self._news, self._told = news, told
        self._bell = asyncio.Event()
        self._closed = False

    def ring(self) -> None:
        """Something changed that the kiosk itself does not know of."""
        self._bell.set()
        self._bell = asyncio.Event()

    def close(self) -> None:
        """End every stream, so that a server that stops does not have to cut them off."""
        self._closed = True
        self.ring()

    async def events(self) -> AsyncIterator[bytes]:
        """`event: state` at once, then on each change, at most 5 in a second."""
        yield b"retry: 1000\n\n"
        while not self._closed:
            waits = {
                asyncio.create_task(self._news.changed(REFRESH_S)),
                asyncio.create_task(self._bell.wait()),
            }
            try:
                await asyncio.sleep(0)  # listen before looking: a change in between is not missed
                yield _event(self._told())
                await asyncio.sleep(LEAST_GAP_S)
                done, _ = await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
                for one in done:
                    one.result()
            finally:
                for one in waits:
                    one.cancel()

    async def frames(self, first: bytes, latest: Callable[[], bytes | None]) -> AsyncIterator[bytes]:
        """JPEGs as parts of a multipart answer, at most 5 in a second, until the camera gives none any more."""
        loop = asyncio.get_running_loop()
        frame, seen_at = first, loop.time()
        yield _part(frame)
        while not self._closed and loop.time() - seen_at < _PREVIEW_GONE_S:
            await asyncio.sleep(_PREVIEW_GAP_S)
            newest = latest()
            if newest is None:
                continue
            seen_at = loop.time()
            if newest != frame:
                frame = newest
                yield _part(frame)
        yield f"--{BOUNDARY}--\r\n".encode()


def _event(told: dict[str, Any]) -> bytes:
    return f"event: state\ndata: {json.dumps(told, ensure_ascii=False, allow_nan=False)}\n\n".encode()


def _part(jpeg: bytes) -> bytes:
    head = f"--{BOUNDARY}\r\nContent-Type: image/jpeg\r\nContent-Length: {len(jpeg)}\r\n\r\n"
    return head.encode() + jpeg + b"\r\n"
