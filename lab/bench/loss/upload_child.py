"""A kiosk without cameras that sends a recording and writes rows: `… FOLDER BROKER_PORT RECEIPT_KEY BYTES`.

The parts are those of the agent. Its one segment has been sealed to a key that nobody keeps.
"""

import asyncio
import base64
import os
import sys
import uuid
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from nacl.public import PrivateKey

from device.cameras.crypt import Sealer
from device.kiosk import Kiosk
from device.session import states as s
from device.session.journal import Journal
from device.session.ledger import Ledger
from device.settings import Settings
from device.uplink import Uplink
from device.vault import Vault
from lab.clock import LabClock
from wire.ledger import ClockTrust
from wire.segments import Kind, SegmentFacts

EVERY_S: Final = 0.25


async def main(folder: Path, port: int, receipt_key: str, size_bytes: int) -> None:
    """Send, write, say how far it is; `done` once recording and rows are at the fleet."""
    key = bytes(PrivateKey.generate().public_key)
    of = Settings.model_validate(
        {
            "data_dir": folder,
            "kiosk": {"id": "bench-1", "campus": "bench"},
            "link": {"urls": [f"mqtt://127.0.0.1:{port}"]},
            "cameras": {"idle": "closed", "overhead": {"uri": "scene:desk"}, "front": {"uri": "scene:student"}},
            "recording": {
                "fleet_key": base64.b64encode(key).decode(), "receipt_key": receipt_key, "reserve_gb": 0.001,
            },
        }
    )  # fmt: skip
    _shelve(folder / "segments", key, size_bytes)
    journal = Journal(Ledger.open(folder / "ledger.db"))
    clock = LabClock("bench", 0)
    kiosk = Kiosk(of, clock, journal, None, {})
    vault = kiosk.vault = Vault(of, clock, {}, kiosk.post)
    uplink = Uplink(kiosk, journal)
    assert uplink.uploader is not None
    kiosk.post(s.Booted("0"))
    await vault.recover(frozenset(), frozenset(), None)
    tasks = [
        asyncio.ensure_future(work)
        for work in (kiosk.run(), vault.run(), uplink.link.run(), uplink.outbox.run(), uplink.uploader.run())
    ]
    while list((folder / "segments").glob("*.seg")):
        await journal.append([s.Fact("camera.back", {"role": "front", "reason": "bench"}, None, clock.now())])
        uplink.outbox.written()
        await asyncio.sleep(EVERY_S)
    while journal.acked < journal.head:  # noqa: ASYNC110  # an acknowledgement raises no event here
        await asyncio.sleep(0.02)
    sys.stdout.write("done\n")
    sys.stdout.flush()
    for task in tasks:
        task.cancel()
    await asyncio.wait(tasks)
    await vault.close()
    await journal.close()


def _shelve(shelf: Path, key: bytes, size_bytes: int) -> None:
    about = SegmentFacts(
        segment=str(uuid.uuid4()), kiosk="bench-1", campus="bench", session="bench", role="overhead", width=64,
        height=48, fps=15, boot="bench", mono_ns=1, at=datetime.now(UTC), clock=ClockTrust.SYNCED,
    )  # fmt: skip
    sealer, part_bytes = Sealer(about, key), 65_536
    shelf.mkdir(mode=0o700, parents=True)
    with (shelf / f"{about.segment}.seg").open("wb") as file:
        file.write(sealer.header + sealer.seal(Kind.INIT, 0, 0, b"init"))
        parts = max(1, size_bytes // part_bytes)
        for number in range(parts):
            file.write(sealer.seal(Kind.FRAGMENT, number * 250, 250, os.urandom(part_bytes)))
        file.write(sealer.seal(Kind.END, parts * 250, 0, b"end"))


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]), int(sys.argv[2]), sys.argv[3], int(sys.argv[4])))
