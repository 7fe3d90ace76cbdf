"""A district of its own for tests: authorities, papers, and a real mosquitto by the rules that provisioning writes."""

import getpass
import socket
import ssl
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal, Self

import paho.mqtt.client as mqtt
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.x509.oid import NameOID
from paho.mqtt.enums import CallbackAPIVersion

from provisioning.ca import files, issue, making
from provisioning.ca.authority import Authority
from provisioning.cli import main
from tests.broker import MOSQUITTO, free_port

WITHIN_S = 60.0


@dataclass
class Papers:
    """Whom somebody trusts, and what they show; without a certificate they show none."""

    ca: Path
    cert: Path | None = None
    key: Path | None = None

    def context(self) -> ssl.SSLContext:
        context = ssl.create_default_context(cafile=self.ca)
        if self.cert is not None:
            context.load_cert_chain(self.cert, self.key)
        return context


@dataclass
class District:
    """A root, the authorities of campus lincoln and of the services, and whoever got papers of them."""

    folder: Path

    def __post_init__(self) -> None:
        now = datetime.now(UTC)
        making.make_root(self.root, "Springfield", now, None)
        for name in ("services", "lincoln"):
            making.make_authority(self.root, self.folder / name, name, now, None)

    @property
    def root(self) -> Path:
        return self.folder / "root"

    @contextmanager
    def authority(self, name: str = "lincoln") -> Iterator[Authority]:
        authority = Authority.open(self.folder / name)
        try:
            yield authority
        finally:
            authority.close()

    def kiosk(self, name: str) -> Papers:
        """A kiosk's papers, as they are signed."""
        key, pem = csr(name)
        with self.authority() as authority:
            return self.keep(name, key, authority.sign(name, pem, datetime.now(UTC), replace=True))

    def service(self, name: str, *hosts: x509.GeneralName) -> Papers:
        key, pem = csr(name)
        with self.authority("services") as authority:
            return self.keep(name, key, authority.serve(name, pem, list(hosts), datetime.now(UTC)))

    def stolen(self, name: str, unit: str = "lincoln", **how: Any) -> Papers:
        """What somebody makes with the stolen key of the campus, as no code of ours would."""
        by = self.folder / how.pop("by", "lincoln")
        signer, signer_key = files.read_certificates(by / "authority.pem")[0], files.read_key(by / "authority.key")
        key = issue.new_key()
        now = how.pop("now", datetime.now(UTC))
        made = issue.leaf(signer, signer_key, key.public_key(), unit=unit, name=name, now=now, **how)
        label = f"stolen-{len(list(self.folder.iterdir()))}"
        return self.keep(label, key, (files.pem(made) + files.pem(signer)).decode())

    def keep(self, name: str, key: issue.Key, chain: str) -> Papers:
        papers = Papers(self.root / "root.pem", self.folder / f"{name}.pem", self.folder / f"{name}.key")
        assert papers.cert is not None
        assert papers.key is not None
        papers.cert.write_text(chain)
        files.write(papers.key, files.key_bytes(key), files.PRIVATE)
        return papers


def csr(name: str) -> tuple[issue.Key, str]:
    key = issue.new_key()
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    made = x509.CertificateSigningRequestBuilder().subject_name(subject).sign(key, hashes.SHA256())
    return key, files.pem(made).decode()


class RuledBroker:
    """A mosquitto by the written rules, started again whenever it ends, as systemd does."""

    def __init__(self, district: District, folder: Path, ports: dict[str, int]) -> None:
        self.district, self.folder, self.ports = district, folder, ports
        self.starts = 0
        self._ending = threading.Event()
        self._thread = threading.Thread(target=self._run, name="supervisor", daemon=True)

    @property
    def authorities(self) -> list[str]:
        return [word for one in ("services", "lincoln") for word in ("--authority", str(self.district.folder / one))]

    @property
    def log(self) -> str:
        return (self.folder / "mosquitto.log").read_text()

    def start(self) -> None:
        self._thread.start()
        self.wait(1)

    def wait(self, starts: int) -> None:
        """Until it was started so often, and takes connections."""
        deadline = time.monotonic() + WITHIN_S
        while self.starts < starts or not self._is_up():
            assert self._thread.is_alive(), self.log
            assert time.monotonic() < deadline, self.log
            time.sleep(0.02)

    def stop(self) -> None:
        self._ending.set()
        self._process.terminate()
        self._thread.join(20)
        assert not self._thread.is_alive()

    def keep_once(self) -> None:
        assert main(["broker", "keep", "--folder", str(self.folder), "--once", *self.authorities]) == 0

    def _is_up(self) -> bool:
        with suppress(OSError), socket.socket(socket.AF_UNIX) as door:  # the last of its listeners
            door.connect(str(self.folder / "kick.sock"))
            return (self.folder / "broker.pid").exists()
        return False

    def _run(self) -> None:
        assert MOSQUITTO is not None
        command = ["setpriv", "--pdeathsig", "KILL", MOSQUITTO, "-c", str(self.folder / "mosquitto.conf")]
        while not self._ending.is_set():
            with (self.folder / "mosquitto.log").open("ab") as log:
                self._process = subprocess.Popen(command, stdout=log, stderr=subprocess.STDOUT)
            self.starts += 1
            code = self._process.wait()
            if code != 0:  # a crash is a failure of the test that goes on with it
                return


@contextmanager
def ruled_broker(district: District, folder: Path, *, websockets: bool = True) -> Iterator[RuledBroker]:
    """What `carrel-provision broker write` wrote, running on free ports of loopback."""
    if MOSQUITTO is None:
        pytest.skip("mosquitto is not installed")
    papers = district.service("broker.example", x509.DNSName("localhost"))
    running = RuledBroker(district, folder, {name: free_port() for name in ("mqtts", "wss", "fleet")})
    ports = running.ports
    told = ["--folder", str(folder), "--address", "127.0.0.1", "--port", str(ports["mqtts"])]
    told += ["--websockets-port", str(ports["wss"] if websockets else 0), "--fleet-port", str(ports["fleet"])]
    told += [*running.authorities, "--certificate", str(papers.cert), "--key", str(papers.key)]
    assert main(["broker", "write", *told]) == 0
    conf = folder / "mosquitto.conf"
    # A mosquitto that drops root's privileges would also drop the signal that lets it die with the tests.
    conf.write_text(f"user {getpass.getuser()}\n{conf.read_text()}")
    running.start()
    try:
        yield running
    finally:
        running.stop()


@dataclass
class Client:
    """A real MQTT client: what it was told, and what it heard."""

    port: int
    papers: Papers
    id: str = "any"
    websockets: bool = False
    codes: list[str] = field(default_factory=list)
    heard: list[tuple[str, bytes]] = field(default_factory=list)
    connected: threading.Event = field(default_factory=threading.Event)
    gone: threading.Event = field(default_factory=threading.Event)

    def __post_init__(self) -> None:
        how: Literal["websockets", "tcp"] = "websockets" if self.websockets else "tcp"
        self.mqtt = mqtt.Client(
            CallbackAPIVersion.VERSION2, client_id=self.id, protocol=mqtt.MQTTv5, transport=how,
            reconnect_on_failure=False,
        )  # fmt: skip
        if self.websockets:
            self.mqtt.ws_set_options(path="/mqtt")
        self.mqtt.tls_set_context(self.papers.context())
        self.mqtt.on_connect = lambda _c, _d, _f, code, _p: None if code.is_failure else self.connected.set()
        self.mqtt.on_disconnect = lambda *_: self.gone.set()
        self.mqtt.on_message = lambda _c, _d, message: self.heard.append((message.topic, bytes(message.payload)))
        self.mqtt.on_publish = lambda _c, _d, _mid, code, _p: self.codes.append(
            str(code).replace("No matching subscribers", "Success")  # it was allowed, and nobody listens
        )
        self.mqtt.on_subscribe = lambda *_: self.codes.append("subscribed")

    def __enter__(self) -> Self:
        self.mqtt.connect("localhost", self.port, 10)
        self.mqtt.loop_start()
        assert self.connected.wait(WITHIN_S), "the broker did not take it"
        return self

    def __exit__(self, *_: object) -> None:
        self.mqtt.disconnect()
        self.mqtt.loop_stop()

    def until(self, count: int) -> list[str]:
        """The broker's first `count` answers to publish and subscribe."""
        deadline = time.monotonic() + WITHIN_S
        while len(self.codes) < count:
            assert time.monotonic() < deadline, self.codes
            time.sleep(0.02)
        return self.codes


def is_taken(port: int, papers: Papers, *, websockets: bool = False) -> bool:
    """Whether the broker takes whoever shows these papers: a CONNACK, or the connection closed without one."""
    client = Client(port, papers, websockets=websockets)
    try:
        client.mqtt.connect("localhost", port, 10)
        client.mqtt.loop_start()
        deadline = time.monotonic() + WITHIN_S
        while not (client.connected.is_set() or client.gone.is_set()):
            assert time.monotonic() < deadline, "neither taken nor refused"
            time.sleep(0.01)
        return client.connected.is_set()
    except (OSError, ValueError):  # ValueError: websockets closed in mid-handshake
        return False
    finally:
        with suppress(OSError, ValueError):
            client.mqtt.disconnect()
        client.mqtt.loop_stop()
