"""Ingest: rows per CPU second of the fleet, one validated row a message, beside a bare paho-to-SQLite batch loop.

Both read the same messages from the same mosquitto in the same run; both commit with synchronous FULL. The fleet
parses, verifies the chain, stores, folds sessions, acknowledges; the bare loop only stores. CPU seconds are of the
whole process.
"""

import asyncio
import json
import subprocess
import sys
import time
import uuid
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion

from lab.bench.figures import Figure, Results, at_least, median
from lab.bench.idle import cpu_s
from lab.broker import start_broker
from lab.demo import fleet_settings, free_port
from wire.codec import encode, read
from wire.ledger import ClockTrust, Row, body_of, chained
from wire.messages import LedgerAck, LedgerBatch, WireRow
from wire.topics import Channel, Topic

_GOAL: Final = 0.6
_AHEAD_ROWS: Final = 5_000
_WITHIN_S: Final = 300.0
_TOPIC: Final = Topic("bench", "bench-1", Channel.LEDGER)


def measure(results: Results, folder: Path, rows: int, runs: int) -> None:
    """Feed both, alternately, and print the ratio."""
    ours, bare, batched = [], [], []
    for run in range(runs):
        place = folder / f"run-{run}"
        ours.append(asyncio.run(_feed(place / "fleet", rows, 1, _fleet)))
        bare.append(asyncio.run(_feed(place / "bare", rows, 1, _bare)))
        batched.append(asyncio.run(_feed(place / "batched", rows, 100, _fleet)))
    results.samples("ingest_rows_per_cpu_s", "1/s", ours)
    results.samples("ingest_bare_rows_per_cpu_s", "1/s", bare)
    results.samples("ingest_batched_rows_per_cpu_s", "1/s", batched)
    note = f"median of {runs}, {rows} rows"
    results.add(Figure("ingest, one row a message", median(ours), "rows/CPU-s", note=note))
    results.add(Figure("bare paho to SQLite batch loop", median(bare), "rows/CPU-s", note=note))
    ratios = [mine / other for mine, other in zip(ours, bare, strict=True)]
    results.add(at_least("ingest over the bare loop, per CPU second", median(ratios), _GOAL, "x"))
    results.add(Figure("ingest, rows batched as kiosks send them", median(batched), "rows/CPU-s", note=note))


async def _feed(folder: Path, rows: int, per_message: int, consumer: Callable[[Path, int], Any]) -> float:
    folder.mkdir(parents=True)  # noqa: ASYNC240  # nothing else runs yet
    broker = await start_broker(folder, free_port())
    try:
        return float(await asyncio.to_thread(_timed, folder, broker.port, rows, per_message, consumer))
    finally:
        await broker.stop()


def _timed(
    folder: Path, port: int, rows: int, per_message: int, consumer: Callable[[Path, int], tuple[Any, Any]]
) -> float:
    """Rows per CPU second of the consumer's process."""
    messages = _messages(rows, per_message)
    process, stored = consumer(folder, port)
    try:
        before_s = cpu_s(process.pid)
        publisher = mqtt.Client(CallbackAPIVersion.VERSION2, protocol=mqtt.MQTTv311)
        publisher.max_inflight_messages_set(200)
        publisher.connect("127.0.0.1", port)
        publisher.loop_start()
        until = time.monotonic() + _WITHIN_S
        for number, message in enumerate(messages):
            while number * per_message - stored() > _AHEAD_ROWS:  # a kiosk's outbox waits for answers as well
                _rest(until, stored(), rows)
            publisher.publish(str(_TOPIC), message, qos=1)
        while stored() < rows:
            _rest(until, stored(), rows)
        used_s = cpu_s(process.pid) - before_s
        publisher.disconnect()
        publisher.loop_stop()
        return rows / used_s
    finally:
        process.terminate()
        process.wait(10)


def _rest(until: float, stored: int, rows: int) -> None:
    if time.monotonic() > until:
        raise TimeoutError(f"{stored} of {rows} rows were stored in {_WITHIN_S:.0f} s")
    time.sleep(0.02)


def _fleet(folder: Path, port: int) -> tuple[subprocess.Popen[bytes], Callable[[], int]]:
    config = fleet_settings(folder, free_port(), port)
    command = [sys.executable, "-P", "-m", "fleet.cli", "ingest", "--config", str(config)]
    with (folder / "fleet.log").open("wb") as log:
        process = subprocess.Popen(command, stderr=log)
    through = 0

    def take(_client: Any, _data: Any, message: mqtt.MQTTMessage) -> None:
        nonlocal through
        ack = read(LedgerAck, bytes(message.payload))
        through = max(through, ack.through or 0)

    listener = mqtt.Client(CallbackAPIVersion.VERSION2, protocol=mqtt.MQTTv311)
    listener.on_message = take
    listener.connect("127.0.0.1", port)
    listener.subscribe(str(Topic(_TOPIC.campus, _TOPIC.kiosk, Channel.LEDGER_ACK)), 1)
    listener.loop_start()
    _wait_for_subscriber(process)
    return process, lambda: through


def _bare(folder: Path, port: int) -> tuple[subprocess.Popen[bytes], Callable[[], int]]:
    database = folder / "bare.db"
    process = subprocess.Popen([sys.executable, "-P", "-m", "lab.bench.bare_loop", str(port), str(database)])
    _wait_for_subscriber(process)
    counter = database.with_suffix(".count")
    return process, lambda: int(counter.read_text() or 0) if counter.exists() else 0


def _wait_for_subscriber(process: subprocess.Popen[bytes]) -> None:
    time.sleep(4)  # both connect within a second; nothing is measured before the first message
    if process.poll() is not None:
        raise RuntimeError(f"the consumer ended with {process.returncode}")


def _messages(rows: int, per_message: int) -> list[bytes]:
    epoch = str(uuid.uuid4())
    prev, head, found = epoch, epoch, []
    at = datetime(2026, 11, 23, 16, tzinfo=UTC)
    waiting: list[WireRow] = []
    for seq in range(1, rows + 1):
        row = Row(
            seq=seq, type="camera.back", session=None, at=at, mono_ns=seq * 1_000_000, boot="bench",
            clock=ClockTrust.SYNCED, data={"role": "front", "reason": "bench"},
        )  # fmt: skip
        body = body_of(row)
        head = chained(head, body)
        waiting.append(WireRow(body=body, hash=head))
        if len(waiting) == per_message or seq == rows:
            first = seq - len(waiting) + 1
            found.append(encode(LedgerBatch(epoch=epoch, first=first, prev=prev, rows=tuple(waiting))))
            prev, waiting = head, []
    assert json.loads(found[0])["first"] == 1
    return found
