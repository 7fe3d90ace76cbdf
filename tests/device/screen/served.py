"""The page on a real port, with a kiosk behind it that shows whatever snapshot it is handed."""

import asyncio
import contextlib
import socket
import threading
import time
from collections.abc import Iterator
from dataclasses import replace

import cv2
import numpy as np
import uvicorn
from fastapi import FastAPI

from device.cameras.boundary import View
from device.cameras.errors import NoPicture
from device.cameras.process import Still
from device.errors import Refused
from device.screen.app import create_screen
from device.snapshot import Snapshot


class ShownKiosk:
    """Shows `snapshot`, and writes down what was asked of it."""

    def __init__(self, snapshot: Snapshot) -> None:
        self.asked: list[tuple[str, str]] = []
        self.refuses: str | None = None
        self.pictures_given = 0
        self.moving = False
        """Whether each picture differs from the one before."""
        self.blind = False
        """Whether the cameras promise pictures and give none."""
        self.listening = 0
        """How many wait for news."""
        self._shown = snapshot
        self._news = asyncio.Event()
        self.loop: asyncio.AbstractEventLoop | None = None

    def show(self, snapshot: Snapshot) -> None:
        """From another thread: show this from now on."""
        assert self.loop is not None
        self.loop.call_soon_threadsafe(self._show, snapshot)

    def snapshot(self) -> Snapshot:
        return self._shown

    async def changed(self, timeout_s: float) -> None:
        self.listening += 1
        try:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(timeout_s):
                    await self._news.wait()
        finally:
            self.listening -= 1

    async def press(self, by: str) -> None:
        self.asked.append(("press", by))

    async def hold(self, by: str) -> None:
        self.asked.append(("hold", by))

    async def ask(self, name: str, value: str) -> None:
        if self.refuses:
            raise Refused(self.refuses)
        self.asked.append((name, value))

    async def picture(self, role: str) -> bytes:
        found = self.preview(role)
        if role not in {"overhead", "front"}:
            raise LookupError(role)
        if found is None or self.blind:
            raise NoPicture(f"The {role} camera is closed.")
        self.pictures_given += 1
        return found

    async def still(self, role: str, view: View = View.PICTURE) -> Still:
        await self.picture(role)
        return Still(large(role), 3.25 if view is View.WORKSHEET and role == "overhead" else None)

    def preview(self, role: str) -> bytes | None:
        seen = self._shown.cameras.get(role)
        if seen is None or seen.state != "open":
            return None
        return jpeg(role) + (time.monotonic_ns().to_bytes(8, "big") if self.moving else b"")

    def _show(self, snapshot: Snapshot) -> None:
        self._shown = snapshot
        self._news.set()
        self._news = asyncio.Event()


def jpeg(role: str) -> bytes:
    """A picture that a person can tell from the other: a written page, or a head and shoulders."""
    picture = np.full((360, 640, 3), (214, 226, 232) if role == "overhead" else (168, 150, 120), np.uint8)
    if role == "overhead":
        cv2.rectangle(picture, (150, 30), (520, 350), (250, 250, 250), -1)
        for line in range(80, 340, 40):
            cv2.line(picture, (180, line), (490, line), (180, 160, 140), 2)
            cv2.putText(picture, "abc abc", (190, line - 6), cv2.FONT_HERSHEY_SCRIPT_SIMPLEX, 1.1, (60, 40, 30), 2)
    else:
        cv2.ellipse(picture, (320, 380), (190, 130), 0, 180, 360, (90, 120, 60), -1)
        cv2.circle(picture, (320, 165), 85, (150, 180, 220), -1)
        for eye in (290, 350):
            cv2.circle(picture, (eye, 155), 8, (40, 40, 40), -1)
    return bytes(cv2.imencode(".jpg", picture)[1])


def large(role: str) -> bytes:
    """The same picture as the camera gives it, 1920 pixels wide."""
    picture = cv2.imdecode(np.frombuffer(jpeg(role), np.uint8), cv2.IMREAD_COLOR)
    assert picture is not None
    return bytes(cv2.imencode(".jpg", cv2.resize(picture, (1920, 1080)))[1])


def bound(port: int = 0) -> socket.socket:
    """A listening socket on loopback, on a free port unless one is named."""
    sock = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    sock.bind(("127.0.0.1", port))
    sock.listen()
    return sock


@contextlib.contextmanager
def served(kiosk: ShownKiosk, language: str = "en", port: int = 0) -> Iterator[str]:
    """The page's address, while it is served from a thread of its own."""
    sock = bound(port)
    port = sock.getsockname()[1]
    app: FastAPI = create_screen(kiosk, port, language)
    server = uvicorn.Server(
        uvicorn.Config(app, log_level="warning", access_log=False, lifespan="off", timeout_graceful_shutdown=1)
    )

    async def serve() -> None:
        kiosk.loop = asyncio.get_running_loop()
        await server.serve(sockets=[sock])

    thread = threading.Thread(target=lambda: asyncio.run(serve()), name="page")
    thread.start()
    try:
        while not server.started:
            threading.Event().wait(0.01)
        yield f"http://127.0.0.1:{port}"
    finally:
        if kiosk.loop:
            kiosk.loop.call_soon_threadsafe(app.state.streams.close)
        server.should_exit = True
        thread.join(10)
        sock.close()


def at_another_boot(found: Snapshot) -> Snapshot:
    """The same kiosk after another boot."""
    return replace(found, at=replace(found.at, boot="boot-9"))
