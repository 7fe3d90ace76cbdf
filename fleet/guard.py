"""What every request must pass and every answer carries: known host, bounded body, security headers."""

from typing import Final

from fastapi import HTTPException, Request
from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from fleet.api.problems import problem
from fleet.headers import HEADERS
from fleet.imports.table import MOST_BYTES
from fleet.settings import FleetSettings, is_loopback

MOST_BODY_BYTES: Final = 1024 * 1024
MOST_FILE_BYTES: Final = MOST_BYTES
"""Of a list or a calendar that somebody imports."""


class Guard:
    """ASGI middleware around the whole service."""

    def __init__(self, app: ASGIApp, settings: FleetSettings) -> None:
        self._app = app
        self._hosts = settings.known_hosts

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer what may not pass; hand on the rest."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        if not self._is_known(headers.get("host", "")):
            detail = "This service does not answer to that name. Its administrator can add it to `hosts`."
            await problem(Request(scope), 400, detail)(scope, receive, _armed(send))
        elif _announced_bytes(headers) > (most := _most(scope)):
            await problem(Request(scope), 413, _too_large(most))(scope, receive, _armed(send))
        else:
            await self._app(scope, _bounded(receive, most), _armed(send))

    def _is_known(self, host: str) -> bool:
        name = host.rpartition("]")[0].removeprefix("[") if host.startswith("[") else host.partition(":")[0]
        return is_loopback(name.lower()) or name.lower() in self._hosts


def _most(scope: Scope) -> int:
    is_file = scope["method"] == "PUT" and scope["path"].startswith("/api/") and scope["path"].endswith("/import")
    return MOST_FILE_BYTES if is_file else MOST_BODY_BYTES


def _too_large(most: int) -> str:
    return f"The body is larger than the {most} bytes allowed."


def _announced_bytes(headers: Headers) -> int:
    announced = headers.get("content-length", "0")
    return int(announced) if announced.isascii() and announced.isdigit() and len(announced) < 19 else 0


def _bounded(receive: Receive, most: int) -> Receive:
    """Count what really comes: a chunked body announces nothing."""
    seen = 0

    async def counted() -> Message:
        nonlocal seen
        message = await receive()
        seen += len(message.get("body", b""))
        if seen > most:
            raise HTTPException(413, _too_large(most))
        return message

    return counted


def _armed(send: Send) -> Send:
    async def armed(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            for name, value in HEADERS.items():
                headers.setdefault(name, value)
        await send(message)

    return armed
