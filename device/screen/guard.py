"""The page's guard: only this machine's own page is served, and only to itself (docs/threat-model.md, H1 to H4).

A name that points at 127.0.0.1 (DNS rebinding) fails on its Host; a foreign page that posts fails on its Origin; one
that embeds a picture or reads the events fails on Sec-Fetch-Site. Following a link to the page is allowed: nobody else
can read what it shows, and it may not be framed.
"""

from collections.abc import Iterable
from http import HTTPStatus
from typing import Final

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

MAX_BODY_BYTES: Final = 16 * 1024

_READS: Final = frozenset({"GET", "HEAD"})
_POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob:; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
_HEADERS: Final = {
    "Content-Security-Policy": _POLICY,
    "Cache-Control": "no-store",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=()",
}


class Guard:
    """An ASGI middleware in front of the page."""

    def __init__(self, app: ASGIApp, port: int) -> None:
        self._app = app
        self._hosts = own_hosts(port)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1008})
            return
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        found = refusal(scope["method"], scope["path"], Headers(scope=scope), self._hosts)
        app: ASGIApp = self._app
        if found:
            status, words = found
            app = JSONResponse({"error": words}, status, {"Connection": "close"})
        await app(scope, receive, _with_headers(send))


def own_hosts(port: int) -> frozenset[str]:
    """What a browser of this machine may call the page, as it stands in Host."""
    names = ("127.0.0.1", "localhost", "[::1]")
    return frozenset(f"{name}:{port}" for name in names) | (frozenset(names) if port == 80 else frozenset())


def refusal(method: str, path: str, headers: Headers, hosts: Iterable[str]) -> tuple[HTTPStatus, str] | None:
    """Why a request is not served: a status and words; None when it is."""
    allowed = frozenset(hosts)
    if len(headers.getlist("host")) != 1 or headers["host"].lower() not in allowed:
        return HTTPStatus.BAD_REQUEST, "This page answers to 127.0.0.1 only."
    origins = frozenset(f"http://{host}" for host in allowed)
    wrong_origin = "origin" in headers and not set(headers.getlist("origin")) <= origins
    if wrong_origin or (method not in _READS and "origin" not in headers):
        return HTTPStatus.FORBIDDEN, "Only the kiosk's own page may ask for this (Origin)."
    if headers.get("sec-fetch-site") in {"cross-site", "same-site"} and not _follows_a_link(method, path, headers):
        return HTTPStatus.FORBIDDEN, "Only the kiosk's own page may ask for this (Sec-Fetch-Site)."
    length = headers.get("content-length", "0")
    if not length.isdecimal() or len(length) > 12 or int(length) > MAX_BODY_BYTES:
        return HTTPStatus.REQUEST_ENTITY_TOO_LARGE, f"A request may hold {MAX_BODY_BYTES} bytes."
    return None


def _follows_a_link(method: str, path: str, headers: Headers) -> bool:
    navigates = headers.get("sec-fetch-mode") == "navigate" and headers.get("sec-fetch-dest") == "document"
    return method == "GET" and path == "/" and navigates


def _with_headers(send: Send) -> Send:
    async def sending(message: Message) -> None:
        if message["type"] == "http.response.start":
            MutableHeaders(scope=message).update(_HEADERS)
        await send(message)

    return sending
