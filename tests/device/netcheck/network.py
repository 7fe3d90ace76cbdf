"""A school's network for tests, on real sockets of loopback: portals, inspecting proxies, name and time servers."""

import contextlib
import socket
import ssl
import struct
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from device.settings import Settings

A_IN = b"\x00\x01\x00\x01"
NXDOMAIN, SERVFAIL, REFUSED = 3, 2, 5


def settings(tmp_path: Path, **of: Any) -> Settings:
    return Settings.model_validate(
        {
            "data_dir": tmp_path,
            "kiosk": {"id": "lincoln-12", "campus": "lincoln"},
            "link": {"urls": ["mqtt://127.0.0.1:1"]},
            "cameras": {
                role: {"uri": uri, "width": 640, "height": 480, "fps": 15, "bitrate_bps": 1_000_000}
                for role, uri in (("overhead", "scene:desk"), ("front", "scene:student"))
            },
            **of,
        }
    )


@contextlib.contextmanager
def answering(answer: Callable[[socket.socket], None]) -> Iterator[int]:
    """A TCP server that does `answer` with each connection; its port."""
    server = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        while True:
            try:
                client, _ = server.accept()
            except OSError:
                return
            with contextlib.suppress(OSError, ssl.SSLError), client:
                client.settimeout(5)
                answer(client)

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    try:
        yield server.getsockname()[1]
    finally:
        with contextlib.suppress(OSError):
            server.shutdown(socket.SHUT_RDWR)
        server.close()
        thread.join(6)


def closing(_client: socket.socket) -> None:
    """Takes a connection and closes it."""


def says(text: str, asked: list[bytes] | None = None) -> Callable[[socket.socket], None]:
    """Reads a request, answers it with `text`."""

    def answer(client: socket.socket) -> None:
        request = client.recv(4096)
        if asked is not None:
            asked.append(request)
        client.sendall(text.encode())

    return answer


def handshakes(certificate: Path, key: Path, heard: list[bytes] | None = None) -> Callable[[socket.socket], None]:
    """Speaks TLS with this certificate, and notes what was said over it."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)

    def answer(client: socket.socket) -> None:
        with context.wrap_socket(client, server_side=True) as speaking:
            said = speaking.recv(4096)
            if heard is not None and said:
                heard.append(said)

    return answer


@contextlib.contextmanager
def dropping() -> Iterator[int]:
    """A port whose SYNs the kernel drops, as a firewall does: its queue of connections is full."""
    with socket.socket() as server, contextlib.ExitStack() as stack:
        server.bind(("127.0.0.1", 0))
        server.listen(0)
        for _ in range(4):
            filler = stack.enter_context(socket.socket())
            filler.setblocking(False)
            filler.connect_ex(server.getsockname())
        time.sleep(0.1)
        yield server.getsockname()[1]


@contextlib.contextmanager
def udp(answer: Callable[[bytes], bytes | None]) -> Iterator[int]:
    """A UDP server; its port."""
    server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    server.bind(("127.0.0.1", 0))
    server.settimeout(0.1)
    ended = threading.Event()

    def serve() -> None:
        while not ended.is_set():
            with contextlib.suppress(TimeoutError):
                said, sender = server.recvfrom(2048)
                told = answer(said)
                if told is not None:
                    server.sendto(told, sender)

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    try:
        yield server.getsockname()[1]
    finally:
        ended.set()
        thread.join(2)
        server.close()


def names(zone: dict[str, str | int | None], otherwise: str | int = NXDOMAIN) -> Callable[[bytes], bytes | None]:
    """A name server: an address, an error code, or None for silence, by name; `otherwise` for all others."""

    def answer(question: bytes) -> bytes | None:
        name = _name(question)
        told = zone.get(name, otherwise)
        if told is None:
            return None
        number = question[:2]
        asked = question[12:]
        if isinstance(told, int):
            return number + struct.pack("!5H", 0x8180 | told, 1, 0, 0, 0) + asked
        record = b"\xc0\x0c" + A_IN + struct.pack("!IH", 60, 4) + socket.inet_aton(told)
        return number + struct.pack("!5H", 0x8180, 1, 1, 0, 0) + asked + record

    return answer


def clock(offset_s: float, stratum: int = 2) -> Callable[[bytes], bytes]:
    """A time server."""

    def answer(question: bytes) -> bytes:
        now = round((time.time() + offset_s + 2_208_988_800) * 2**32)
        return struct.pack(
            "!4B3I3Q", 0x24, stratum, 0, 0, 0, 0, 0, 0, int.from_bytes(question[40:48]), now
        ) + struct.pack("!Q", now)

    return answer


def _name(question: bytes) -> str:
    labels, at = [], 12
    while question[at]:
        labels.append(question[at + 1 : at + 1 + question[at]].decode())
        at += question[at] + 1
    return ".".join(labels)
