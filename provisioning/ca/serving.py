"""`carrel-provision ca serve`: the one process that holds a campus's key. The fleet asks it over a Unix socket.

No port is open, and the kernel says who may connect: the socket's mode is 0660, its group is the fleet's. One question
a connection, one line of JSON each way, one at a time.
"""

import asyncio
import contextlib
import logging
import os
import socket
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from cryptography import x509
from pydantic import ValidationError

from provisioning.ca.authority import Authority
from provisioning.errors import AuthorityUnusable, CloneSuspected, ProvisioningError, RequestRefused
from wire.signing import MOST_LINE_BYTES, SignAnswer, SignAsk

_log = logging.getLogger(__name__)

ASKED_WITHIN_S: Final = 10.0
PUBLISH_EVERY_S: Final = 86_400.0
"""A new list daily, so that none that a broker has ever comes near its end."""


def answer(authority: Authority, line: bytes, now: datetime) -> SignAnswer:
    """What the authority says to one question; every refusal is an answer."""
    try:
        ask = SignAsk.model_validate_json(line)
        if ask.campus != authority.name:
            raise RequestRefused(f"this is the authority of {authority.name!r}, not of {ask.campus!r}")
        match ask.do:
            case "sign":
                chain = authority.sign(ask.kiosk, ask.csr, now, replace=ask.replace)
            case "renew":
                chain = authority.renew(ask.kiosk, ask.certificate, ask.csr, ask.proof, now)
            case "revoke":
                authority.revoke(ask.kiosk, now)
                return SignAnswer()
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        return SignAnswer(refused=f"{'.'.join(str(one) for one in first['loc']) or 'question'}: {first['msg']}")
    except ProvisioningError as error:
        return SignAnswer(refused=str(error), clone=isinstance(error, CloneSuspected))
    return SignAnswer(chain=chain, not_after=x509.load_pem_x509_certificate(chain.encode()).not_valid_after_utc)


async def serve(
    authority: Authority, path: Path, stop: asyncio.Event, now: Callable[[], datetime] = lambda: datetime.now(UTC)
) -> None:
    """Answer on the socket at `path` until `stop`; raises `AuthorityUnusable`."""

    async def one(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            async with asyncio.timeout(ASKED_WITHIN_S):
                line = await reader.readline()
            said = answer(authority, line, now())
            _log.info("answered: %s", said.refused or "done")
        except (TimeoutError, ValueError) as error:  # too slow, or longer than a line may be
            said = SignAnswer(refused=f"no question of at most {MOST_LINE_BYTES} bytes came in time ({error})")
        with contextlib.suppress(ConnectionError):
            writer.write(said.model_dump_json().encode() + b"\n")
            await writer.drain()
        writer.close()

    listening = _listening(path)
    server = await asyncio.start_unix_server(one, sock=listening, limit=MOST_LINE_BYTES)
    _log.info("the authority of %s answers at %s", authority.name, path)
    async with server:
        while not stop.is_set():
            authority.publish(now())
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), PUBLISH_EVERY_S)


def _listening(path: Path) -> socket.socket:
    """A socket at `path` that its owner and its group may connect to; what an earlier process left there is gone."""
    listening = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    before = os.umask(0o117)
    try:
        path.unlink(missing_ok=True)
        listening.bind(str(path))
    except OSError as error:
        listening.close()
        raise AuthorityUnusable(f"{path}: cannot listen there: {error.strerror or error}") from error
    finally:
        os.umask(before)
    return listening
