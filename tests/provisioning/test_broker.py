"""The broker's rules as they are written, on a real mosquitto: who gets in, who says what, who is thrown out."""

import contextlib
import socket
import ssl
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509

from provisioning.broker.keeping import Keeper
from provisioning.ca import files, issue
from provisioning.errors import AuthorityUnusable, BrokerUnusable
from tests.district import Client, District, Papers, RuledBroker, csr, is_taken, ruled_broker
from wire.topics import FROM_FLEET, Channel, Topic

pytestmark = [
    pytest.mark.needs_mosquitto,
    # paho leaves the socket of a refused handshake to the garbage collector.
    pytest.mark.filterwarnings("ignore:unclosed <ssl:ResourceWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]
KIOSK, OTHER = "lincoln-12", "lincoln-14"
BOTH = pytest.mark.parametrize("way", ["mqtts", "wss"])


@pytest.fixture(scope="module")
def district(tmp_path_factory: pytest.TempPathFactory) -> District:
    return District(tmp_path_factory.mktemp("district"))


@pytest.fixture(scope="module")
def broker(district: District, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RuledBroker]:
    with ruled_broker(district, tmp_path_factory.mktemp("broker")) as running:
        yield running


@pytest.fixture(scope="module")
def fleet_papers(district: District) -> Papers:
    return district.service("carrel-fleet")


def to(kiosk: str, channel: Channel, campus: str = "lincoln") -> str:
    return str(Topic(campus, kiosk, channel))


def gets_in(broker: RuledBroker, way: str, papers: Papers) -> bool:
    return is_taken(broker.ports[way], papers, websockets=way == "wss")


@BOTH
def test_a_kiosk_and_the_fleet_hear_each_other(
    broker: RuledBroker, district: District, fleet_papers: Papers, way: str
) -> None:
    with (
        Client(broker.ports["fleet"], fleet_papers, "carrel-fleet-1") as fleet,
        Client(broker.ports[way], district.kiosk(KIOSK), websockets=way == "wss") as kiosk,
    ):
        fleet.mqtt.subscribe([("carrel/v1/+/+/health", 1), ("carrel/v1/+/+/echo", 1)])
        kiosk.mqtt.subscribe([(to(KIOSK, channel), 1) for channel in FROM_FLEET])
        fleet.until(1)
        kiosk.until(1)
        kiosk.mqtt.publish(to(KIOSK, Channel.HEALTH), b"well", qos=1)
        fleet.mqtt.publish(to(KIOSK, Channel.COMMAND), b"identify", qos=1)
        assert kiosk.until(2)[1] == "Success"
        assert fleet.until(2)[1] == "Success"
        deadline = time.monotonic() + 30
        while not (fleet.heard and kiosk.heard):
            assert time.monotonic() < deadline
            time.sleep(0.02)
        assert fleet.heard == [(to(KIOSK, Channel.HEALTH), b"well")]
        assert kiosk.heard == [(to(KIOSK, Channel.COMMAND), b"identify")]


def test_m1_nobody_speaks_or_listens_for_another(broker: RuledBroker, district: District, fleet_papers: Papers) -> None:
    with (
        Client(broker.ports["fleet"], fleet_papers, "carrel-fleet-2") as fleet,
        Client(broker.ports["mqtts"], district.kiosk(OTHER)) as thief,
    ):
        fleet.mqtt.subscribe([(f"carrel/v1/+/+/{channel}", 1) for channel in Channel])
        thief.mqtt.subscribe([("#", 1), (f"carrel/v1/lincoln/{KIOSK}/#", 1), ("$SYS/#", 1), ("$CONTROL/#", 1)])
        fleet.until(1)
        thief.until(1)
        tries = [to(KIOSK, channel) for channel in Channel]
        tries += [to(OTHER, channel) for channel in FROM_FLEET if channel is not Channel.ECHO]
        tries += ["carrel/v1/lincoln/lincoln-14/elsewhere", "$CONTROL/dynamic-security/v1", "x"]
        for topic in tries:
            thief.mqtt.publish(topic, b"{}", qos=1)
        answers = thief.until(1 + len(tries))[1:]
        assert set(answers) == {"Not authorized"}
        for kiosk in (KIOSK, OTHER):
            fleet.mqtt.publish(to(kiosk, Channel.COMMAND), kiosk.encode(), qos=1)
        thief.mqtt.publish(to(OTHER, Channel.HEALTH), b"the last word", qos=1)
        thief.until(2 + len(tries))
        deadline = time.monotonic() + 30
        while not (fleet.heard and thief.heard):
            assert time.monotonic() < deadline
            time.sleep(0.02)
        assert fleet.heard == [(to(OTHER, Channel.HEALTH), b"the last word")]
        assert thief.heard == [(to(OTHER, Channel.COMMAND), OTHER.encode())]


@BOTH
def test_m6_another_kiosks_client_id_is_never_obtained(broker: RuledBroker, district: District, way: str) -> None:
    with Client(broker.ports["mqtts"], district.kiosk(KIOSK), KIOSK) as kiosk:
        for _ in range(3):
            with Client(broker.ports[way], district.kiosk(OTHER), KIOSK, websockets=way == "wss"):
                pass
        kiosk.mqtt.publish(to(KIOSK, Channel.HEALTH), b"", qos=1)
        assert kiosk.until(1) == ["Success"]
        assert not kiosk.gone.is_set()


def test_m3_a_packet_over_the_limit_ends_its_connection_and_no_other(broker: RuledBroker, district: District) -> None:
    with (
        Client(broker.ports["mqtts"], district.kiosk(OTHER)) as other,
        Client(broker.ports["mqtts"], district.kiosk(KIOSK)) as kiosk,
    ):
        kiosk.mqtt.publish(to(KIOSK, Channel.LEDGER), b"x" * 256 * 1024, qos=1)
        assert kiosk.until(1) == ["Success"], "what the contract allows passes"
        # paho itself would keep to the limit that the broker named.
        raw = socket.create_connection(("localhost", broker.ports["mqtts"]), 30)
        with district.kiosk("lincoln-99").context().wrap_socket(raw, server_hostname="localhost") as sent:
            sent.sendall(b"\x10\x0f\x00\x04MQTT\x04\x02\x00\x0a\x00\x03any")
            assert sent.recv(4)[3:] == b"\x00"
            sent.sendall(b"\x30\x80\xad\xe2\x04")  # a PUBLISH of 10 MB begins
            with contextlib.suppress(OSError):
                assert sent.recv(4) == b"", "closed before its payload was sent"
        other.mqtt.publish(to(OTHER, Channel.HEALTH), b"", qos=1)
        assert other.until(1) == ["Success"]


def test_m7_a_name_of_wildcards_opens_nothing_even_signed_with_a_stolen_key(
    broker: RuledBroker, district: District, fleet_papers: Papers
) -> None:
    for name in ("#", "+"):
        with (
            Client(broker.ports["fleet"], fleet_papers, "carrel-fleet-3") as fleet,
            Client(broker.ports["mqtts"], district.stolen(name)) as wild,
        ):
            fleet.mqtt.subscribe("carrel/v1/+/+/health", 1)
            wild.mqtt.subscribe([("#", 1), ("carrel/v1/lincoln/+/command", 1)])
            fleet.until(1)
            fleet.mqtt.publish(to(KIOSK, Channel.COMMAND), b"not for everyone", qos=1)
            wild.mqtt.publish(to(KIOSK, Channel.HEALTH), b"{}", qos=1)
            assert [one for one in wild.until(2) if one != "subscribed"] == ["Not authorized"]
            fleet.until(2)
            time.sleep(0.3)
            assert wild.heard == []
            assert fleet.heard == []


def _self_signed(district: District) -> Papers:
    key = issue.new_key()
    return district.keep("self", key, files.pem(issue.root(key, "Springfield", datetime.now(UTC))).decode())


def _elsewhere(district: District) -> Papers:
    other = District(Path(tempfile.mkdtemp(dir=district.folder)))
    papers = other.kiosk(KIOSK)
    return Papers(district.root / "root.pem", papers.cert, papers.key)


X1: dict[str, Callable[[District], Papers]] = {
    "none": lambda d: Papers(d.root / "root.pem"),
    "self-signed": _self_signed,
    "another district's": _elsewhere,
    "over": lambda d: d.stolen(KIOSK, now=datetime.now(UTC) - timedelta(days=181)),
    "not yet": lambda d: d.stolen(KIOSK, now=datetime.now(UTC) + timedelta(days=2)),
    "for servers": lambda d: d.stolen(KIOSK, hosts=[x509.DNSName("localhost")]),
    "of the fleet by the campus's key": lambda d: d.stolen("carrel-fleet", unit="services"),
    "of another campus by the campus's key": lambda d: d.stolen("washington-3", unit="washington"),
}


@BOTH
@pytest.mark.parametrize("which", X1)
def test_x1_what_is_not_in_order_does_not_get_in(broker: RuledBroker, district: District, way: str, which: str) -> None:
    assert gets_in(broker, way, district.kiosk("lincoln-77")), "this test can fail"
    assert not gets_in(broker, way, X1[which](district))


def test_x1_the_fleets_listener_gives_nobody_else_any_right(broker: RuledBroker, district: District) -> None:
    assert not gets_in(broker, "fleet", district.stolen("carrel-fleet", unit="services"))
    for papers in (district.kiosk(KIOSK), district.stolen("carrel-fleet")):
        with Client(broker.ports["fleet"], papers) as liar:
            liar.mqtt.publish(to(OTHER, Channel.COMMAND), b"{}", qos=1)
            liar.mqtt.publish(to(KIOSK, Channel.HEALTH), b"{}", qos=1)
            assert liar.until(2) == ["Not authorized"] * 2


@pytest.mark.parametrize("version", ["TLSv1", "TLSv1_1"])
def test_an_old_tls_is_not_spoken(broker: RuledBroker, district: District, version: str) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    context.set_ciphers("ALL:@SECLEVEL=0")
    with pytest.warns(DeprecationWarning, match="TLSVersion"):
        context.minimum_version = context.maximum_version = ssl.TLSVersion[version]
    for way in ("mqtts", "fleet"):
        with (
            socket.create_connection(("localhost", broker.ports[way]), 30) as raw,
            pytest.raises((ssl.SSLError, ConnectionError)),
        ):
            context.wrap_socket(raw)


@contextlib.contextmanager
def keeper_of(broker: RuledBroker) -> Iterator[None]:
    """`carrel-provision broker keep`, after its first look."""
    command = [sys.executable, "-m", "provisioning.cli", "broker", "keep", "--folder", str(broker.folder)]
    with (broker.folder / "keeper.log").open("w+") as log:
        process = subprocess.Popen(["setpriv", "--pdeathsig", "KILL", *command, *broker.authorities], stderr=log)
        try:
            deadline = time.monotonic() + 60
            while "was told" not in (broker.folder / "keeper.log").read_text():
                assert process.poll() is None
                assert time.monotonic() < deadline, (broker.folder / "keeper.log").read_text()
                time.sleep(0.05)
            yield
        finally:
            process.terminate()
            process.wait(30)


def revoked(district: District, name: str) -> float:
    """Shut a kiosk out; when that was."""
    with district.authority() as authority:
        authority.revoke(name, datetime.now(UTC))
    return time.monotonic()


def test_x8_who_is_revoked_is_thrown_out_and_stays_out_and_nobody_else(district: District, tmp_path: Path) -> None:
    name = "lincoln-83"
    papers = district.kiosk(name)
    with (
        ruled_broker(district, tmp_path, websockets=False) as broker,
        keeper_of(broker),
        Client(broker.ports["mqtts"], papers) as kiosk,
        Client(broker.ports["mqtts"], district.kiosk(OTHER)) as other,
    ):
        began = revoked(district, name)
        assert kiosk.gone.wait(60), "revocation cuts the live link within 60 s"
        sys.stdout.write(f"revoked to cut: {time.monotonic() - began:.2f} s\n")
        assert not gets_in(broker, "mqtts", papers)
        with Client(broker.ports["mqtts"], district.stolen(name)) as again:
            again.mqtt.publish(to(name, Channel.HEALTH), b"", qos=1)
            assert again.until(1) == ["Not authorized"], "nor by another certificate of its name"
        other.mqtt.publish(to(OTHER, Channel.HEALTH), b"", qos=1)
        assert other.until(1) == ["Success"]
        assert not other.gone.is_set()
        assert broker.starts == 1
        anew = district.kiosk(name)
        broker.keep_once()
        with Client(broker.ports["mqtts"], anew) as again:
            again.mqtt.publish(to(name, Channel.HEALTH), b"", qos=1)
            assert again.until(1) == ["Success"], "enrolled anew"


@BOTH
def test_x8_with_websockets_the_broker_is_started_anew(district: District, tmp_path: Path, way: str) -> None:
    name = f"lincoln-8{len(way)}"
    papers, others = district.kiosk(name), district.kiosk(OTHER)
    with ruled_broker(district, tmp_path) as broker, keeper_of(broker):
        broker.wait(2)  # the first look
        with Client(broker.ports[way], papers, websockets=way == "wss") as kiosk:
            began = revoked(district, name)
            assert kiosk.gone.wait(60), "revocation cuts the live link within 60 s"
            sys.stdout.write(f"revoked to cut ({way}): {time.monotonic() - began:.2f} s\n")
        broker.wait(3)
        assert not gets_in(broker, "mqtts", papers)
        # mosquitto 2.0.11 asks no list of who comes by websockets: there it is the rights that hold.
        with Client(broker.ports["wss"], papers, websockets=True) as again:
            again.mqtt.publish(to(name, Channel.HEALTH), b"", qos=1)
            assert again.until(1) == ["Not authorized"]
        assert gets_in(broker, way, others)
        with district.authority() as authority:
            authority.publish(datetime.now(UTC))
        keeper = Keeper(tmp_path, [district.folder / one for one in ("services", "lincoln")])
        assert not keeper.is_due(datetime.now(UTC)), "a list written anew with the same in it starts nothing anew"
        assert keeper.is_due(datetime.now(UTC) + timedelta(days=31))


def test_a_list_that_is_wrong_is_not_put_in_place(district: District, broker: RuledBroker, tmp_path: Path) -> None:
    copy = tmp_path / "lincoln"
    copy.mkdir()
    for name in ("authority.pem", "root.pem", "crl.pem", "revoked.txt"):
        (copy / name).write_bytes((district.folder / "lincoln" / name).read_bytes())
    keeper = Keeper(broker.folder, [copy])
    before = (broker.folder / "crl.pem").read_bytes()
    good = (copy / "crl.pem").read_text()
    for text, words in (
        ("", "one list of each"),
        (good.replace("M", "N", 3), "read|signed by none"),
        (good[: good.index("-----END")] + "-----END X509 CRL-----\n", "one list of each"),
    ):
        (copy / "crl.pem").write_text(text)
        with pytest.raises(AuthorityUnusable, match=words):
            keeper.apply(datetime.now(UTC))
    (copy / "crl.pem").write_text(good)
    with pytest.raises(AuthorityUnusable, match="is over"):
        keeper.apply(datetime.now(UTC) + timedelta(days=400))
    assert (broker.folder / "crl.pem").read_bytes() == before
    (tmp_path / "empty").mkdir()
    with pytest.raises(BrokerUnusable, match=r"kick\.sock"):
        Keeper(tmp_path / "empty", [copy]).kick(KIOSK)
    assert csr(KIOSK)[1].startswith("-----BEGIN CERTIFICATE REQUEST")
