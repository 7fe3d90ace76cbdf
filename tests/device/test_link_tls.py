"""mqtts and websockets over TLS against a real mosquitto that wants a client certificate."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from device.link import Life, Link
from device.settings import LinkSettings
from tests.broker import free_port, running_mosquitto
from tests.device.tiny_fleet import TinyFleet
from tests.papers import authority, paper
from wire.codec import encode
from wire.messages import Presence, PresenceState

pytestmark = [
    pytest.mark.needs_mosquitto,
    # paho leaves the socket of a refused handshake to the garbage collector.
    pytest.mark.filterwarnings("ignore:unclosed <ssl:ResourceWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]


@pytest.fixture(scope="module")
def papers(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two authorities; the first signed the broker and a kiosk, the second a stranger."""
    folder = tmp_path_factory.mktemp("papers")
    for name in ("ours", "theirs"):
        authority(folder, name)
    for name, by in (("broker", "ours"), ("kiosk", "ours"), ("stranger", "theirs")):
        paper(folder, name, by)
    return folder


@contextlib.asynccontextmanager
async def linked(settings: LinkSettings) -> AsyncIterator[Link]:
    async def life() -> Life:
        return Life(
            *(
                encode(Presence(state=one, birth=1, boot="b", version="0"))
                for one in (PresenceState.ONLINE, PresenceState.OFFLINE)
            )
        )

    async def take(_channel: object, _payload: bytes) -> None:
        return None

    link = Link(settings, "lincoln", "lincoln-12", life=life, on_message=take, on_change=lambda _up, _reason: None)
    running = asyncio.ensure_future(link.run())
    try:
        yield link
    finally:
        running.cancel()
        await asyncio.wait({running})


async def comes_up(link: Link, within_s: float) -> bool:
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(within_s):
            while not link.up:  # noqa: ASYNC110
                await asyncio.sleep(0.05)
    return link.up


@pytest.mark.parametrize(
    ("scheme", "identity", "trust", "expected"),
    [
        ("mqtts", "kiosk", "ours", True),
        ("wss", "kiosk", "ours", True),
        ("mqtts", "stranger", "ours", False),
        ("mqtts", "kiosk", "theirs", False),
        ("mqtts", None, "ours", False),
    ],
)
def test_only_the_right_papers_open_the_door(
    papers: Path, scheme: str, identity: str | None, trust: str, expected: bool
) -> None:
    port = free_port()
    tls = (
        f"listener {port} 127.0.0.1",
        f"protocol {'websockets' if scheme == 'wss' else 'mqtt'}",
        f"cafile {papers / 'ours.pem'}",
        f"certfile {papers / 'broker.pem'}",
        f"keyfile {papers / 'broker.key'}",
        "require_certificate true",
    )

    async def story() -> None:
        settings = LinkSettings(
            urls=(f"{scheme}://localhost:{port}/mqtt" if scheme == "wss" else f"{scheme}://localhost:{port}",),
            ca=papers / f"{trust}.pem",
            certificate=papers / f"{identity}.pem" if identity else None,
            key=papers / f"{identity}.key" if identity else None,
        )
        async with linked(settings) as link:
            assert await comes_up(link, 20 if expected else 5) is expected

    with running_mosquitto(*tls) as broker, TinyFleet(broker.port):
        asyncio.run(story())
