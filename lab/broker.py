"""The demo's broker: mosquitto as a child where it is installed, else amqtt inside the lab, and it says which.

amqtt is for demonstrations only: it speaks MQTT 3.1.1 and forgets wills and sessions, so presence must live on ages.
"""

import asyncio
import getpass
import logging
import shutil
import socket
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from lab.processes import Child, Kept

_log = logging.getLogger(__name__)

RESTART_S: Final = 10.0
"""How long a broker that died stays away, so that everyone notices."""
_READY_WITHIN_S: Final = 10.0
_STOP_WITHIN_S: Final = 3.0

# Loopback only, for the lab's own children: that is why it may be anonymous. The real one is made by provisioning.
_CONFIGURATION: Final = """\
# Started as root, mosquitto would change its user and with that forget to die with the lab.
user {user}
listener {port} 127.0.0.1
allow_anonymous true
persistence false
max_packet_size 1048576
max_queued_messages 10000
log_dest stderr
log_type error
log_type warning
"""


@dataclass(frozen=True, slots=True)
class Broker:
    """A broker that listens."""

    name: str
    port: int
    child: Kept | None
    stop: Callable[[], Awaitable[None]]


def mosquitto_path() -> str | None:
    """Where mosquitto is, also when Debian's /usr/sbin is not on PATH."""
    return shutil.which("mosquitto") or shutil.which("mosquitto", path="/usr/sbin:/usr/local/sbin")


async def start_broker(folder: Path, port: int) -> Broker:
    """Start the best broker this machine has on `port` of loopback."""
    mosquitto = mosquitto_path()
    if mosquitto is None:
        return await _start_amqtt(port)
    configuration = folder / "mosquitto.conf"
    configuration.write_text(_CONFIGURATION.format(port=port, user=getpass.getuser()))
    child = Kept(lambda: Child([mosquitto, "-c", str(configuration)], log=folder / "broker.log"), RESTART_S)
    await listening(port, _READY_WITHIN_S)

    async def stop() -> None:
        await child.stop(_STOP_WITHIN_S)

    return Broker("mosquitto", port, child, stop)


async def listening(port: int, within_s: float) -> None:
    """Wait until something listens on `port`; raises TimeoutError."""
    async with asyncio.timeout(within_s):
        while True:
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    return
            await asyncio.sleep(0.02)


async def _start_amqtt(port: int) -> Broker:
    from amqtt.broker import Broker as Amqtt  # noqa: PLC0415  # slow to import, and only for machines without mosquitto

    for name in ("amqtt", "transitions"):
        logging.getLogger(name).setLevel(logging.CRITICAL)
    broker = Amqtt(
        {
            "listeners": {"default": {"type": "tcp", "bind": f"127.0.0.1:{port}"}},
            "plugins": {"amqtt.plugins.authentication.AnonymousAuthPlugin": {"allow_anonymous": True}},
        }
    )
    await broker.start()
    return Broker("amqtt (in the lab's own process, for demonstrations only)", port, None, broker.shutdown)
