"""Names to addresses by the machine's own resolver, with a deadline, and why it did not work.

`getaddrinfo` cannot be stopped and tells no reason, so it runs in a thread that holds up no end, and when it fails the
machine's own name servers (resolv.conf) are asked once more, by a question of our own, for their very answer
(RFC 1035, section 4.1).
"""

import asyncio
import secrets
import socket
import struct
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Final

RESOLV_CONF: Final = Path("/etc/resolv.conf")
_HEADER: Final = struct.Struct("!6H")
_RECURSE, _CODE_MASK = 0x0100, 0x000F
_A_IN: Final = b"\x00\x01\x00\x01"
_ANSWER_BYTES: Final = 1_500


class Outcome(StrEnum):
    """What came of a name."""

    OK = "ok"
    NXDOMAIN = "nxdomain"
    SERVFAIL = "servfail"
    REFUSED = "refused"
    SILENT = "silent"
    """No name server answered in time."""
    NO_SERVER = "no-server"
    """The machine knows no name server: it got none by DHCP."""
    FAILED = "failed"
    """It failed, and the name servers would not say why."""


_CODES: Final = {0: Outcome.FAILED, 2: Outcome.SERVFAIL, 3: Outcome.NXDOMAIN, 5: Outcome.REFUSED}


@dataclass(frozen=True, slots=True)
class Answer:
    """What a name led to."""

    outcome: Outcome
    addresses: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Resolver:
    """The machine's resolver.

    Args:
        servers: name servers to ask for the reason; None reads resolv.conf.
        only_these: ask them alone, and not the system: for tests, which cannot change the machine's.
    """

    servers: Sequence[tuple[str, int]] | None = None
    only_these: bool = False

    async def resolve(self, name: str, within_s: float) -> Answer:
        """The addresses of `name`, IPv4 and IPv6 as the system has them; never raises."""
        if self.only_these:
            return await self._asked(name, within_s)
        try:
            async with asyncio.timeout(within_s):
                found = await _in_thread(name)
            return Answer(Outcome.OK, found)
        except TimeoutError:
            return Answer(Outcome.SILENT)
        except OSError:
            why = await self._asked(name, within_s)
            # One that answers us and not the system has no address for it that the system can use.
            return Answer(Outcome.FAILED) if why.outcome is Outcome.OK else why

    async def _asked(self, name: str, within_s: float) -> Answer:
        servers = nameservers() if self.servers is None else self.servers
        if not servers:
            return Answer(Outcome.NO_SERVER)
        said = [await _ask(server, name, within_s / len(servers)) for server in servers]
        return next((one for one in said if one.outcome is not Outcome.SILENT), said[0])


def nameservers(path: Path = RESOLV_CONF) -> list[tuple[str, int]]:
    """The machine's name servers, at most three as in glibc; none where the file says none."""
    try:
        lines = path.read_text(encoding="ascii", errors="replace").splitlines()
    except OSError:
        return []
    words = [line.split() for line in lines]
    return [(one[1], 53) for one in words if len(one) > 1 and one[0] == "nameserver"][:3]


async def _in_thread(name: str) -> tuple[str, ...]:
    loop = asyncio.get_running_loop()
    coming: asyncio.Future[tuple[str, ...]] = loop.create_future()

    def settle(found: tuple[str, ...] | OSError) -> None:
        if coming.done():
            return
        if isinstance(found, OSError):
            coming.set_exception(found)
        else:
            coming.set_result(found)

    def look() -> None:
        try:
            infos = socket.getaddrinfo(name, None, type=socket.SOCK_STREAM)
            told: tuple[str, ...] | OSError = tuple(dict.fromkeys(str(one[4][0]) for one in infos))
        except (OSError, UnicodeError) as error:
            told = error if isinstance(error, OSError) else OSError(str(error))
        if not loop.is_closed():
            loop.call_soon_threadsafe(settle, told)

    threading.Thread(target=look, name="netcheck.resolve", daemon=True).start()
    return await coming


async def _ask(server: tuple[str, int], name: str, within_s: float) -> Answer:
    """One question over UDP to one name server."""
    number = secrets.randbits(16)
    try:
        question = _HEADER.pack(number, _RECURSE, 1, 0, 0, 0) + _labels(name) + _A_IN
        family = socket.AF_INET6 if ":" in server[0] else socket.AF_INET
        with socket.socket(family, socket.SOCK_DGRAM) as sock:
            sock.setblocking(False)  # noqa: FBT003 - the library's own signature
            loop = asyncio.get_running_loop()
            async with asyncio.timeout(within_s):
                await loop.sock_connect(sock, server)
                await loop.sock_sendall(sock, question)
                while True:
                    said = await loop.sock_recv(sock, _ANSWER_BYTES)
                    if len(said) >= _HEADER.size and said[:2] == question[:2]:
                        return _read(said, len(question))
    except (OSError, TimeoutError, ValueError, IndexError):
        return Answer(Outcome.SILENT)  # for a name that is no name as well: it gets no answer


def _read(said: bytes, at: int) -> Answer:
    _, flags, _, count, _, _ = _HEADER.unpack_from(said)
    code = flags & _CODE_MASK
    if code:
        return Answer(_CODES.get(code, Outcome.FAILED))
    addresses = []
    for _ in range(count):
        at = _skipped_name(said, at)
        kind, _, _, length = struct.unpack_from("!HHIH", said, at)
        at += 10
        if kind == 1 and length == 4:
            addresses.append(socket.inet_ntoa(said[at : at + 4]))
        at += length
    return Answer(Outcome.OK, tuple(addresses)) if addresses else Answer(Outcome.FAILED)


def _skipped_name(said: bytes, at: int) -> int:
    while said[at]:
        if said[at] & 0xC0:  # a pointer ends a name
            return at + 2
        at += said[at] + 1
    return at + 1


def _labels(name: str) -> bytes:
    labels = [one.encode("idna") for one in name.rstrip(".").split(".")]
    if not all(1 <= len(one) <= 63 for one in labels):
        raise ValueError("no name")
    return b"".join(bytes([len(one)]) + one for one in labels) + b"\0"
