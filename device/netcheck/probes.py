"""One look at one address each, with a deadline and nothing sent that says who we are. They never raise."""

import asyncio
import contextlib
import secrets
import socket
import ssl
import struct
import time
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Final

from device.netcheck.targets import Target
from device.netcheck.x509 import paper

_HTTP_BYTES: Final = 8 * 1024
_NTP: Final = struct.Struct("!4B3I4Q")
_NTP_CLIENT: Final = 0x23
"""Version 4, mode 3 (RFC 4330, section 4)."""
_NTP_EPOCH_S: Final = 2_208_988_800
"""From 1900 to 1970."""
_UNVERIFIED: Final = {10: "expired", 9: "not-yet-valid", 62: "other-name", 64: "other-name"}
"""OpenSSL's verification codes (x509_vfy.h); every other one is a signature that is not our authority's."""


class Reach(StrEnum):
    """What came of knocking at a port."""

    OPEN = "open"
    REFUSED = "refused"
    """Somebody answered that nobody listens."""
    SILENT = "silent"
    """Nobody answered at all, as when a firewall drops what we send."""
    NO_WAY = "no-way"
    """There is no way there from here."""


@dataclass(frozen=True, slots=True)
class Knock:
    """One TCP connection, opened and closed."""

    reach: Reach
    took_ms: float | None = None


@dataclass(frozen=True, slots=True)
class Hands:
    """One TLS handshake."""

    word: str
    """`trusted`, `expired`, `not-yet-valid`, `other-name`, `foreign`, `no-tls`, `reset` or `silent`."""
    issuer: str = ""
    """Who signed what was presented; told only where it was not trusted."""
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Page:
    """What an address says over plain HTTP."""

    status: int
    location: str = ""
    body: bytes = b""


@dataclass(frozen=True, slots=True)
class TimeSaid:
    """What a time server answered."""

    offset_s: float
    round_trip_s: float
    stratum: int


async def knock(address: str, port: int, within_s: float) -> Knock:
    """Connect, and close again."""
    begun = time.monotonic()
    try:
        async with asyncio.timeout(within_s):
            _, writer = await asyncio.open_connection(address, port)
    except TimeoutError:
        return Knock(Reach.SILENT)
    except ConnectionRefusedError:
        return Knock(Reach.REFUSED)
    except OSError:
        return Knock(Reach.NO_WAY)
    took_ms = round((time.monotonic() - begun) * 1000, 1)
    await _closed(writer)
    return Knock(Reach.OPEN, took_ms)


async def shake_hands(target: Target, address: str, context: ssl.SSLContext, within_s: float) -> Hands:
    """Whether the certificate that is presented there is one that the kiosk trusts, and if not, whose it is."""
    try:
        async with asyncio.timeout(within_s):
            _, writer = await asyncio.open_connection(address, target.port, ssl=context, server_hostname=target.host)
        await _closed(writer)
        return Hands("trusted")
    except TimeoutError:
        return Hands("silent")
    except ssl.SSLCertVerificationError as error:
        word = _UNVERIFIED.get(error.verify_code, "foreign")
        return Hands(word, await _issuer(target, address, within_s), error.verify_message)
    except ssl.SSLError as error:
        # An alert is TLS: it was the other side that refused us. Anything else that cannot be read is no TLS.
        return Hands("refused" if "ALERT" in (error.reason or "") else "no-tls", detail=error.reason or "")
    except OSError:
        return Hands("reset")


async def ask_page(host: str, address: str, port: int, path: str, within_s: float) -> Page | None:
    """GET over plain HTTP; None when nobody answers. No redirect is followed, no cookie kept."""
    writer: asyncio.StreamWriter | None = None
    try:
        async with asyncio.timeout(within_s):
            reader, writer = await asyncio.open_connection(address, port)
            writer.write(f"GET {path} HTTP/1.0\r\nHost: {host}\r\nUser-Agent: carrel-netcheck\r\n\r\n".encode())
            said = await _some(reader)
    except (OSError, TimeoutError):
        return None
    finally:
        if writer is not None:
            await _closed(writer)
    return _page(said)


async def ask_time(address: str, port: int, within_s: float) -> TimeSaid | None:
    """One SNTP question (RFC 4330); None when nobody answers it properly. The clock is not set by it."""
    ours = secrets.randbits(63)  # our own mark instead of our time: the answer must carry it, and learns nothing
    question = _NTP.pack(_NTP_CLIENT, 0, 0, 0, 0, 0, 0, 0, 0, 0, ours)
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    loop = asyncio.get_running_loop()
    try:
        with socket.socket(family, socket.SOCK_DGRAM) as sock:
            sock.setblocking(False)  # noqa: FBT003 - the library's own signature
            async with asyncio.timeout(within_s):
                await loop.sock_connect(sock, (address, port))
                begun = time.monotonic()
                await loop.sock_sendall(sock, question)
                while True:
                    said = await loop.sock_recv(sock, 512)
                    took_s = time.monotonic() - begun
                    if len(said) >= _NTP.size and (found := _time(said, ours, took_s)):
                        return found
    except (OSError, TimeoutError):
        return None


def our_address(towards: str) -> str | None:
    """From which address the machine would send there; None when it has no way. Nothing is sent."""
    family = socket.AF_INET6 if ":" in towards else socket.AF_INET
    try:
        with socket.socket(family, socket.SOCK_DGRAM) as sock:
            sock.connect((towards, 9))
            return str(sock.getsockname()[0])
    except OSError:
        return None


def trust(ca: Path | None, certificate: Path | None, key: Path | None) -> ssl.SSLContext | str:
    """The context of the kiosk's own connections; words where its papers cannot be read."""
    try:
        context = ssl.create_default_context(cafile=ca)
        if certificate is not None:
            context.load_cert_chain(certificate, key)
    except (OSError, ssl.SSLError) as error:
        return f"{getattr(error, 'filename', None) or certificate or ca}: {error}"
    return context


async def _issuer(target: Target, address: str, within_s: float) -> str:
    """Who signed what is presented: a second handshake that trusts nobody, over which nothing is sent."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    try:
        async with asyncio.timeout(within_s):
            _, writer = await asyncio.open_connection(address, target.port, ssl=context, server_hostname=target.host)
        presented = writer.get_extra_info("ssl_object").getpeercert(binary_form=True)
        await _closed(writer)
        return paper(presented or b"").issuer
    except (OSError, TimeoutError, ValueError):
        return ""


def _time(said: bytes, ours: int, took_s: float) -> TimeSaid | None:
    flags, stratum, _, _, _, _, _, _, originate, received, sent = _NTP.unpack_from(said)
    is_answer = flags & 0x07 == 4 and originate == ours
    if not is_answer or not 1 <= stratum <= 15 or not sent:
        return None  # somebody else's, or one that says itself that it has no time to give
    middle = (received + sent) / 2 / 2**32 - _NTP_EPOCH_S
    return TimeSaid(round(middle - (time.time() - took_s / 2), 3), round(took_s, 4), stratum)


async def _some(reader: asyncio.StreamReader) -> bytes:
    said = b""
    while len(said) < _HTTP_BYTES and (more := await reader.read(_HTTP_BYTES - len(said))):
        said += more
    return said


def _page(said: bytes) -> Page | None:
    head, _, body = said.partition(b"\r\n\r\n")
    first, *lines = head.decode("latin-1").split("\r\n")
    words = first.split(None, 2)
    if len(words) < 2 or not words[0].startswith("HTTP/") or not words[1].isdecimal():
        return None
    headers = {name.strip().lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
    return Page(int(words[1][:3]), headers.get("location", "")[:200], body)


async def _closed(writer: asyncio.StreamWriter) -> None:
    writer.transport.abort()
    with contextlib.suppress(OSError, ssl.SSLError):
        await writer.wait_closed()
