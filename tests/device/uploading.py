"""A kiosk without cameras that sends what lies on its shelf: in this process, or as a child that can be killed."""

import asyncio
import base64
import contextlib
import os
import sys
import tomllib
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from nacl.public import PrivateKey

from device.kiosk import Kiosk
from device.session import states as s
from device.session.journal import Journal
from device.session.ledger import Ledger
from device.session.states import Phase
from device.settings import Settings
from device.uplink import Uplink
from device.vault import Vault
from lab.clock import LabClock
from tests import sealed
from wire.ledger import Row

KEY = base64.b64encode(bytes(PrivateKey.generate().public_key)).decode()
SESSION = "a-session"


def settings(folder: Path, broker_port: int, receipt_key: str, **upload: Any) -> Settings:
    return Settings.model_validate(
        {
            "data_dir": folder,
            "kiosk": {"id": "lincoln-12", "campus": "lincoln"},
            "link": {"urls": [f"mqtt://127.0.0.1:{broker_port}"]},
            "cameras": {"idle": "closed", "overhead": {"uri": "scene:desk"}, "front": {"uri": "scene:student"}},
            "recording": {"fleet_key": KEY, "receipt_key": receipt_key, "reserve_gb": 0.001},
            "upload": upload,
        }
    )


def shelve(folder: Path, size_bytes: int = 300_000, session: str = SESSION, **change: Any) -> tuple[str, bytes]:
    """Lay a sealed segment on the shelf, as a camera's worker left it; its id and bytes."""
    about = sealed.facts(session=session, at=datetime.now(UTC), **change)
    file = sealed.sealed(sealed.pieces(b"init", *(os.urandom(size_bytes // 4) for _ in range(4))), about)
    shelf = folder / "segments"
    shelf.mkdir(mode=0o700, parents=True, exist_ok=True)
    (shelf / f"{about.segment}.seg").write_bytes(file)
    return about.segment, file


class Running:
    """The kiosk and what it has."""

    def __init__(self, kiosk: Kiosk, vault: Vault, journal: Journal, uplink: Uplink) -> None:
        self.kiosk, self.vault, self.journal, self.uplink = kiosk, vault, journal, uplink

    async def until(self, true: Callable[[], Any], within_s: float = 30) -> None:
        async with asyncio.timeout(within_s):
            while not true():  # noqa: ASYNC110
                await asyncio.sleep(0.02)

    async def rows(self, type_: str) -> list[Row]:
        return [row for row in await self.journal.call(Ledger.rows) if row.type == type_]

    def on_shelf(self) -> set[str]:
        return {path.stem for path in (self.kiosk.settings.data_dir / "segments").glob("*.seg")}

    @property
    def trouble(self) -> str | None:
        return self.kiosk.snapshot().recording.upload_trouble


@contextlib.asynccontextmanager
async def running_kiosk(of: Settings) -> AsyncIterator[Running]:
    """The parts of the agent that sending takes, put together as the agent does it."""
    journal = Journal(Ledger.open(of.data_dir / "ledger.db"))
    clock = LabClock("boot-1", 0)
    kiosk = Kiosk(of, clock, journal, None, {})
    vault = kiosk.vault = Vault(of, clock, {}, kiosk.post)
    uplink = Uplink(kiosk, journal)
    assert uplink.uploader is not None
    kiosk.post(s.Booted("0"))
    known = await journal.call(Ledger.segments)
    await vault.recover(known, frozenset(), None)
    tasks = [
        asyncio.ensure_future(work)
        for work in (
            kiosk.run(), vault.run(), uplink.link.run(), uplink.outbox.run(), uplink.run_readiness(),
            uplink.uploader.run(),
        )
    ]  # fmt: skip
    found = Running(kiosk, vault, journal, uplink)
    try:
        await found.until(lambda: kiosk.state.phase is Phase.IDLE)
        yield found
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)
        await vault.close()
        await journal.close()


async def _child(folder: Path) -> None:
    told = tomllib.loads((folder / "child.toml").read_text())
    async with running_kiosk(settings(folder, told["broker"], told["receipt_key"], idle_mbit_s=told["idle_mbit_s"])):
        await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(_child(Path(sys.argv[1])))
