"""How long schedules take: an import of 200 bookings, and the schedules of 10,000 kiosks through a real broker.

`python -m lab.bench.schedules` prints the figures.
"""

import argparse
import asyncio
import secrets
import shutil
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion

from fleet.access.roles import Principal, Role
from fleet.broker import Link
from fleet.clock import SystemClock, micros
from fleet.importing import CSV, Importer
from fleet.inbox import Inbox
from fleet.roll import Roll
from fleet.sending import Schedules
from fleet.settings import FleetSettings
from fleet.store import kiosks
from fleet.store.engine import Database
from fleet.store.migrate import migrate
from fleet.store.tables import kiosks as table
from lab.broker import start_broker
from lab.demo import free_port
from wire.topics import Channel, every_kiosk

KIOSKS: Final = 10_000
PER_IMPORT: Final = 200
_HEADER: Final = "kiosk,therapist,student,start,minutes"
_CAMPUSES: Final = 200


def main() -> int:
    """Print the figures."""
    parser = argparse.ArgumentParser(prog="python -m lab.bench.schedules", description=__doc__)
    parser.add_argument("--kiosks", type=int, default=KIOSKS, metavar="N")
    count = parser.parse_args().kiosks
    folder = Path(tempfile.mkdtemp(prefix="carrel-schedules-"))
    try:
        _measure(folder, count)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    return 0


def _measure(folder: Path, count: int) -> None:
    database = Database(f"sqlite:///{folder / 'fleet.sqlite'}")
    migrate(database)
    now = SystemClock().now()
    ids = [(f"kiosk-{n:05}", f"campus-{n % _CAMPUSES:03}") for n in range(count)]
    with database.write() as connection:
        rows = [{"id": id_, "campus": campus, "first_seen_us": micros(now.at), "birth": 1} for id_, campus in ids]
        connection.execute(table.insert(), rows)
    with database.read() as connection:
        roll = Roll(kiosks.load(connection, now))
    importer = Importer(database, roll, Principal("bench", Role.SERVICE, None))
    small = _list(ids[:PER_IMPORT], now.at, 0)
    _say(f"import of {PER_IMPORT} bookings", _timed(lambda: importer.bookings(small, CSV, SystemClock().now())))
    again = _timed(lambda: importer.bookings(small, CSV, SystemClock().now()))
    _say("the same file again", again)
    big = _list(ids[: min(count, 10_000)], now.at, 1)
    _say(f"import of {min(count, 10_000)} bookings", _timed(lambda: importer.bookings(big, CSV, SystemClock().now())))
    _send(database, folder, count)
    one = _list(ids[:1], now.at, 2)
    _say("an import of one booking, beside them", _timed(lambda: importer.bookings(one, CSV, SystemClock().now())))
    database.close()


def _send(database: Database, folder: Path, count: int) -> None:
    async def run() -> None:
        (folder / "broker").mkdir()
        broker = await start_broker(folder / "broker", free_port())
        try:
            await asyncio.to_thread(_through, broker.port, database, count)
        finally:
            await broker.stop()

    asyncio.run(run())


def _through(port: int, database: Database, count: int) -> None:
    """All schedules through a real broker to a reader; the time from the connection to the last one that came."""
    seen: set[str] = set()
    done = threading.Event()

    def heard(_client: Any, _data: Any, message: mqtt.MQTTMessage) -> None:
        seen.add(message.topic)
        if len(seen) == count:
            done.set()

    reader = mqtt.Client(CallbackAPIVersion.VERSION2, client_id=f"bench-{secrets.token_hex(3)}")
    reader.on_message = heard
    reader.connect("127.0.0.1", port)
    reader.subscribe(every_kiosk(Channel.SCHEDULE), qos=1)
    reader.loop_start()
    link = Link(FleetSettings(brokers=(f"mqtt://127.0.0.1:{port}",)), Inbox(), client_id="bench-fleet")
    schedules = Schedules(database, link, SystemClock())
    link.start()
    while not link.connected:
        time.sleep(0.05)
    began_s = time.monotonic()
    schedules.start()
    done.wait(300)
    _say(f"schedules of {len(seen)} of {count} kiosks, to a reader behind a broker", time.monotonic() - began_s)
    schedules.stop()
    link.stop()
    reader.disconnect()
    reader.loop_stop()


def _list(ids: list[tuple[str, str]], now: datetime, day: int) -> bytes:
    begins = (now + timedelta(days=1 + day)).astimezone(UTC)
    rows = [
        f"{id_},th-{n:05},s-{n % 900_000 + 1_000},{begins:%Y-%m-%dT%H:%MZ},30" for n, (id_, _campus) in enumerate(ids)
    ]
    return "\n".join([_HEADER, *rows]).encode()


def _timed(work: Callable[[], Any]) -> float:
    began_s = time.monotonic()
    work()
    return time.monotonic() - began_s


def _say(what: str, took_s: float) -> None:
    sys.stdout.write(f"{what}: {took_s:.2f} s\n")


if __name__ == "__main__":
    sys.exit(main())
