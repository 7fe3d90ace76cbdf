"""The peer of the fleet's ingest: paho, a queue, SQLite in batches, and nothing else."""

import queue
import sqlite3
import sys
from pathlib import Path
from typing import Any

import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion

_BATCH = 500


def main(port: int, database: Path) -> None:
    """Store every message until killed; the count so far stands in a file beside the database."""
    waiting: queue.Queue[tuple[str, bytes]] = queue.Queue()
    connection = sqlite3.connect(database)
    connection.executescript(
        "pragma journal_mode=wal; pragma synchronous=full;"
        "create table rows (n integer primary key, topic text, body blob)"
    )

    def take(_client: Any, _data: Any, message: mqtt.MQTTMessage) -> None:
        waiting.put((message.topic, bytes(message.payload)))

    client = mqtt.Client(CallbackAPIVersion.VERSION2, protocol=mqtt.MQTTv5)
    client.on_message = take
    client.connect("127.0.0.1", port)
    client.subscribe("carrel/v1/+/+/ledger", 1)
    client.loop_start()
    count, counter = 0, database.with_suffix(".count")
    while True:
        batch = [waiting.get()]
        while len(batch) < _BATCH:
            try:
                batch.append(waiting.get_nowait())
            except queue.Empty:
                break
        with connection:
            connection.executemany("insert into rows (topic, body) values (?, ?)", batch)
        count += len(batch)
        counter.write_text(str(count))


if __name__ == "__main__":
    main(int(sys.argv[1]), Path(sys.argv[2]))
