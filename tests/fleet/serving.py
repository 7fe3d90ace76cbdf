"""The real service as a child process, and a kiosk's outbox that talks to it through a real broker."""

import json
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

import httpx
import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion

from tests.broker import free_port
from tests.fleet.world import Kiosk
from wire.topics import Channel

RESEND_S = 0.5


def until(true: Callable[[], object], what: str, within_s: float = 60.0) -> None:
    deadline = time.monotonic() + within_s
    while not true():
        assert time.monotonic() < deadline, f"not within {within_s} s: {what}"
        time.sleep(0.03)


@dataclass
class Service:
    """`carrel-fleet serve` on a port of its own, which can be killed and started again."""

    folder: Path
    port: int
    token: str = ""
    process: subprocess.Popen[bytes] | None = field(default=None)

    @property
    def config(self) -> Path:
        return self.folder / "fleet.toml"

    def run(self, *arguments: str) -> "subprocess.CompletedProcess[str]":
        """Run `carrel-fleet` with these arguments to its end."""
        return subprocess.run([*_COMMAND, *arguments], capture_output=True, text=True, timeout=60, check=False)

    def start(self) -> None:
        with (self.folder / "fleet.log").open("ab") as log, (self.folder / "fleet.out").open("ab") as out:
            command = ["setpriv", "--pdeathsig", "KILL", *_COMMAND, "serve", "--config", str(self.config)]
            self.process = subprocess.Popen(command, stdout=out, stderr=log)
        until(self._answers, f"the service is up: {self.log()}")

    def get(self, path: str) -> Any:
        answer = httpx.get(self.url(path), headers={"Authorization": f"Bearer {self.token}"})
        assert answer.status_code == 200, answer.text
        return answer.json()

    def is_ready(self) -> bool:
        return httpx.get(self.url("/readyz")).status_code == 200

    def url(self, path: str) -> str:
        return f"http://127.0.0.1:{self.port}{path}"

    def log(self) -> str:
        return (self.folder / "fleet.log").read_text()

    def kill(self) -> None:
        """SIGKILL, in the middle of whatever it does."""
        self._end(signal.SIGKILL)

    def stop(self) -> int:
        """SIGTERM; its exit code."""
        return self._end(signal.SIGTERM)

    def rows(self, kiosk: Kiosk) -> list[dict[str, Any]]:
        """The kiosk's current ledger as the API tells it, every page of it."""
        rows: list[dict[str, Any]] = []
        after: int | None = 0
        while after is not None:
            page = self.get(f"/api/v1/kiosks/{kiosk.id}/ledger?epoch={kiosk.epoch}&after={after}&limit=100")
            rows += page["items"]
            after = page["next"]
        return rows

    def _answers(self) -> bool:
        assert self.process is not None
        assert self.process.poll() is None, self.log()
        try:
            return httpx.get(self.url("/healthz")).status_code == 200
        except httpx.TransportError:
            return False

    def _end(self, how: signal.Signals) -> int:
        assert self.process is not None
        process, self.process = self.process, None
        process.send_signal(how)
        try:
            return process.wait(15)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait(5)
            raise


_COMMAND = [sys.executable, "-m", "fleet.cli"]


@contextmanager
def running_service(folder: Path, broker_url: str, *lines: str, port: int = 0) -> Iterator[Service]:
    """The service with a token for all campuses."""
    service = Service(folder, port or free_port())
    told = [f"port = {service.port}", 'data_dir = "data"', f'brokers = ["{broker_url}"]', *lines]
    service.config.write_text("\n".join(told) + "\n")
    made = service.run("user", "add", "test", "--role", "service", "--token", "--config", str(service.config))
    assert made.returncode == 0, made.stderr
    service.token = made.stdout.strip()
    service.start()
    try:
        yield service
    finally:
        if service.process is not None:
            service.kill()


@dataclass
class Outbox:
    """Sends a kiosk's rows until the fleet has acknowledged them all; reconnects by itself."""

    kiosk: Kiosk
    port: int
    acked: int = 0
    births: int = 0
    echoed: int = 0
    commands: list[dict[str, Any]] = field(default_factory=list)
    batch_rows: int = 7
    _stopping: threading.Event = field(default_factory=threading.Event)

    def __post_init__(self) -> None:
        self.client = mqtt.Client(CallbackAPIVersion.VERSION2, client_id=self.kiosk.id)
        self.client.reconnect_delay_set(0.1, 0.5)  # type: ignore[arg-type]  # it takes fractions of a second
        death = self.kiosk.dies()
        self.client.will_set(death.topic, death.payload, qos=1, retain=True)
        self.client.on_connect = self._connected
        self.client.on_message = self._heard
        self.client.connect_async("127.0.0.1", self.port, keepalive=10)
        self._thread = threading.Thread(target=self._send, name="outbox")

    def __enter__(self) -> Self:
        self.client.loop_start()
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopping.set()
        self._thread.join(10)
        self.client.disconnect()
        self.client.loop_stop()

    @property
    def is_empty(self) -> bool:
        return self.acked >= self.kiosk.head

    def say(self, raw: Any) -> None:
        self.client.publish(raw.topic, raw.payload, qos=1, retain=raw.retained)

    def _connected(self, client: mqtt.Client, *_: object) -> None:
        client.subscribe([(self.kiosk.topic(one), 1) for one in (Channel.LEDGER_ACK, Channel.COMMAND, Channel.ECHO)])
        birth = self.kiosk.is_born()
        client.publish(birth.topic, birth.payload, qos=1, retain=True)
        self.births += 1

    def _heard(self, _client: mqtt.Client, _data: object, message: mqtt.MQTTMessage) -> None:
        told = json.loads(message.payload)
        if message.topic == self.kiosk.topic(Channel.COMMAND):
            self.commands.append(told)
        elif message.topic == self.kiosk.topic(Channel.ECHO):
            self.echoed = max(self.echoed, told["n"] if told["from"] == "fleet" else 0)
        elif told.get("through"):
            assert told["hash"] == self.kiosk.hash(told["through"])
            self.acked = max(self.acked, told["through"])
        elif "replay_from" in told:
            self.acked = min(self.acked, told["replay_from"] - 1)

    def _send(self) -> None:
        sent, sent_at_s = 0, 0.0
        while not self._stopping.wait(0.01):
            if not self.client.is_connected():
                continue
            if time.monotonic() - sent_at_s > RESEND_S or sent < self.acked:
                sent = self.acked
            if sent < self.kiosk.head and sent - self.acked < 50:
                last = min(sent + self.batch_rows, self.kiosk.head)
                self.say(self.kiosk.sends(sent + 1, last))
                sent, sent_at_s = last, time.monotonic()
