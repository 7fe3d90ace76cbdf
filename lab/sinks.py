"""Where the demo's and the tests' notices end: a small mail server and a receiver of webhooks, both on loopback.

They take what really comes over a socket and keep it in memory; what they refuse, or leave without an answer, is set by
whoever started them.
"""

import asyncio
import contextlib
import json
import ssl
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any, Final

_LONGEST: Final = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Mail:
    """A mail as it came in."""

    at_s: float
    """On the monotonic clock."""
    sender: str
    recipients: tuple[str, ...]
    message: EmailMessage

    @property
    def text(self) -> str:
        """Its body."""
        return str(self.message.get_content())


@dataclass(frozen=True, slots=True)
class Call:
    """A webhook as it came in."""

    at_s: float
    """On the monotonic clock."""
    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def told(self) -> dict[str, Any]:
        """What it says."""
        return dict(json.loads(self.body))


@dataclass
class MailSink:
    """Speaks as much SMTP as a mail takes (RFC 5321), with STARTTLS where a context is given."""

    tls: ssl.SSLContext | None = None
    mails: list[Mail] = field(default_factory=list)
    refuse: list[str] = field(default_factory=list)
    """Answers to the next recipients, for example `550 no such mailbox`; then all are welcome again."""
    silent: bool = False
    """Takes mails, and says nothing to them: what happens to a sender that dies in that moment."""
    port: int = 0

    async def serve(self) -> asyncio.Server:
        """Begin."""
        server = await asyncio.start_server(self._talk, "127.0.0.1", self.port)
        self.port = server.sockets[0].getsockname()[1]
        return server

    async def _talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError, ssl.SSLError):
                await self._session(reader, writer)
        finally:
            await _closed(writer)

    async def _session(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        async def say(*lines: str) -> None:
            writer.write("".join(f"{line}\r\n" for line in lines).encode())
            await writer.drain()

        sender = ""
        recipients: list[str] = []
        await say("220 sink")
        while line := (await reader.readline()).decode(errors="replace").strip():
            match line.split(":")[0].split()[0].upper():
                case "EHLO":
                    await say(*(["250-sink", "250 STARTTLS"] if self.tls else ["250 sink"]))
                case "STARTTLS" if self.tls:
                    await say("220 go on")
                    await writer.start_tls(self.tls)
                case "MAIL":
                    sender, recipients = _address(line), []
                    await say("250 ok")
                case "RCPT":
                    answer = self.refuse.pop(0) if self.refuse else "250 ok"
                    recipients += [_address(line)] if answer.startswith("250") else []
                    await say(answer)
                case "DATA":
                    await say("354 go on")
                    self._take(sender, recipients, await reader.readuntil(b"\r\n.\r\n"))
                    await (reader.read() if self.silent else say("250 taken"))  # silent until the sender gives up
                case "QUIT":
                    await say("221 bye")
                case _:
                    await say("250 ok")

    def _take(self, sender: str, recipients: list[str], raw: bytes) -> None:
        message = message_from_bytes(raw[:-3].replace(b"\r\n..", b"\r\n."), policy=policy.default)
        self.mails.append(Mail(time.monotonic(), sender, tuple(recipients), message))


def _address(line: str) -> str:
    return line.partition("<")[2].partition(">")[0]


@dataclass
class WebhookSink:
    """Answers every request with `status`; a redirect leads to `location`."""

    calls: list[Call] = field(default_factory=list)
    status: int = 204
    location: str = ""
    silent: bool = False
    port: int = 0

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self.port}/hook"

    async def serve(self) -> asyncio.Server:
        """Begin."""
        server = await asyncio.start_server(self._talk, "127.0.0.1", self.port)
        self.port = server.sockets[0].getsockname()[1]
        return server

    async def _talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
                await self._answer(reader, writer)
        finally:
            await _closed(writer)

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in head[1:])}
        body = await reader.readexactly(min(_LONGEST, int(headers.get("content-length", "0"))))
        self.calls.append(Call(time.monotonic(), head[0].split()[1], headers, body))
        if self.silent:
            await reader.read()
        else:
            where = f"Location: {self.location}\r\n" if self.location else ""
            writer.write(f"HTTP/1.1 {self.status} Sink\r\n{where}Content-Length: 0\r\n\r\n".encode())
            await writer.drain()


async def _closed(writer: asyncio.StreamWriter) -> None:
    writer.close()
    with contextlib.suppress(ConnectionError, ssl.SSLError):
        await writer.wait_closed()


@contextlib.contextmanager
def in_thread(*sinks: MailSink | WebhookSink) -> Iterator[None]:
    """The sinks at work in a thread of their own."""
    loop = asyncio.new_event_loop()
    servers = [loop.run_until_complete(sink.serve()) for sink in sinks]
    thread = threading.Thread(target=loop.run_forever, name="sinks")
    thread.start()
    try:
        yield
    finally:
        asyncio.run_coroutine_threadsafe(_end(servers), loop).result(10)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(10)
        loop.close()


async def _end(servers: list[asyncio.Server]) -> None:
    for server in servers:
        server.close()
    mine = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
    for task in mine:
        task.cancel()
    await asyncio.gather(*mine, return_exceptions=True)
    await asyncio.sleep(0.02)  # what was just closed lets go of its socket
