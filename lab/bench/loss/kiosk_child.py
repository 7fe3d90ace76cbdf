"""Kiosks as far as loss is concerned: journal, outbox and link, writing rows all the time, in a process of their own.

`python -m lab.bench.loss.kiosk_child FOLDER PORT KIOSKS ROWS_A_SECOND`. It writes until it hears a line, then waits
until the fleet has everything and says so. Waits before retries are shortened, so that hundreds of outages fit a bench.
"""

import asyncio
import random
import sys
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from device import link as link_module
from device import outbox as outbox_module
from device.link import Life, Link
from device.outbox import Outbox
from device.session.clock import Instant
from device.session.journal import Journal
from device.session.ledger import Ledger
from device.session.states import Fact
from device.settings import LinkSettings
from wire.codec import encode, read
from wire.ledger import ClockTrust
from wire.messages import LedgerAck, Presence, PresenceState
from wire.topics import Channel

CAMPUS: Final = "bench"
_HASTY: Final = {"FIRST_RETRY_S": 0.3, "BACKOFF_CAP_S": 1.0}


class Kiosk:
    """One kiosk's journal, outbox and link."""

    def __init__(self, ledger: Path, name: str, port: int) -> None:
        self.journal = Journal(Ledger.open(ledger))
        self.outbox = Outbox(self.journal, lambda payload: self.link.publish(Channel.LEDGER, payload, qos=1))
        self.link = Link(
            LinkSettings(urls=(f"mqtt://127.0.0.1:{port}",)), CAMPUS, name,
            life=self._life, on_message=self._take, on_change=lambda up, _reason: self.outbox.link(up=up),
        )  # fmt: skip
        self.link.echo_every_s = link_module.ECHO_IN_SESSION_S
        self._birth = 0

    async def append(self, count: int) -> None:
        """Write facts as they happen."""
        at = Instant(time.monotonic_ns(), datetime.now(UTC), "bench", ClockTrust.SYNCED)
        facts = [Fact("camera.back", {"role": "front", "reason": "bench"}, None, at) for _ in range(count)]
        facts = [Fact(one.type, one.data, None, _later(at, number)) for number, one in enumerate(facts)]
        await self.journal.append(facts)
        self.outbox.written()

    async def _life(self) -> Life:
        self._birth += 1
        said = [
            encode(Presence(state=state, birth=self._birth, boot="bench", version="0", epoch=self.journal.epoch))
            for state in (PresenceState.ONLINE, PresenceState.OFFLINE)
        ]
        return Life(said[0], said[1])

    async def _take(self, channel: Channel, payload: bytes) -> None:
        if channel is Channel.LEDGER_ACK:
            await self.outbox.take_ack(read(LedgerAck, payload))


def _later(at: Instant, number: int) -> Instant:
    """Facts are known by their monotonic time, so no two may have the same."""
    return Instant(at.mono_ns + number, at.wall, at.boot, at.trust)


async def main(folder: Path, port: int, kiosks: int, rows_per_s: float) -> None:
    """Write, send, and wait for the fleet."""
    found = [Kiosk(folder / f"bench-{one}.db", f"bench-{one}", port) for one in range(1, kiosks + 1)]
    stopping = asyncio.Event()
    loop = asyncio.get_running_loop()
    loop.add_reader(sys.stdin.fileno(), stopping.set)
    tasks = [asyncio.ensure_future(work) for one in found for work in (one.link.run(), one.outbox.run())]
    _say("ready")
    while not stopping.is_set():
        for one in found:
            await one.append(random.randint(1, 3))  # keeps no secret
        await asyncio.sleep(2 * kiosks / rows_per_s)
        _say(f"acked {sum(one.journal.acked for one in found)}")
    loop.remove_reader(sys.stdin.fileno())
    said_at = 0.0
    while any(one.journal.acked < one.journal.head for one in found):
        if loop.time() - said_at > 0.2:
            said_at = loop.time()
            _say(f"acked {sum(one.journal.acked for one in found)}")
        await asyncio.sleep(0.02)
    _say("done")
    for task in tasks:
        task.cancel()
    await asyncio.wait(tasks)
    for one in found:
        await one.journal.close()


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    for name, value in _HASTY.items():
        setattr(link_module, name, value)
    outbox_module.SPREAD_S = 0.0 if len(sys.argv) > 5 else outbox_module.SPREAD_S  # type: ignore[misc]
    asyncio.run(main(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]), float(sys.argv[4])))
