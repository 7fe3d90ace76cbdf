"""The network check against real sockets: what a school's network does is named, and nothing else is asked (X3)."""

import asyncio
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from device.netcheck.dns import Resolver
from device.netcheck.machine import Machine
from device.netcheck.rows import Mark, Result, Row
from device.netcheck.run import Figures, World, check
from lab.papers import Authority
from tests.broker import free_port
from tests.device.netcheck import network as net

LOGIN = "HTTP/1.1 302 Found\r\nLocation: http://login.school.example/portal\r\nContent-Length: 0\r\n\r\n"
HEALTHY = 'HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n{"ok":true}'


def looked(tmp_path: Path, zone: int | None = None, figures: Figures | None = None, **of: Any) -> Result:
    machine = Machine(ports=tmp_path / "net", leases=(), synchronized=tmp_path / "sync", environment={})
    resolver = Resolver(servers=[("127.0.0.1", zone)] if zone else [], only_these=True)
    return asyncio.run(check(net.settings(tmp_path, **of), World(machine, resolver), figures))


def row(result: Result, name: str, where: str = "") -> Row:
    (found,) = [one for one in result.rows if one.name == name and where in one.where]
    return found


@pytest.fixture
def authority() -> Authority:
    return Authority.new("Carrel Campus CA")


def test_all_well_says_so_with_figures(tmp_path: Path) -> None:
    with net.answering(net.closing) as broker, net.answering(net.says(HEALTHY)) as fleet:
        found = looked(
            tmp_path,
            link={"urls": [f"mqtt://127.0.0.1:{broker}"]},
            network={"fleet_url": f"http://127.0.0.1:{fleet}"},
            figures=Figures(median_ms=38.0, lost_share=0.0, upload_bps=9_000_000),
        )
    assert found.troubles == ()
    assert row(found, "port", str(broker)).facts["took_ms"] > 0
    assert row(found, "upload").facts == {"bps": 9_000_000, "needed_bps": 2_000_000}
    assert found.upload_bps == 9_000_000
    assert "None is configured" in row(found, "proxy").says


def test_a_captive_portal_is_named_with_the_place_it_leads_to(tmp_path: Path) -> None:
    asked: list[bytes] = []
    with net.answering(net.says(LOGIN, asked)) as fleet:
        found = looked(tmp_path, network={"fleet_url": f"http://127.0.0.1:{fleet}"})
    portal = row(found, "portal")
    assert portal in found.filtered
    assert "login.school.example" in portal.says
    assert next(one for one in asked if one).startswith(b"GET /healthz HTTP/1.0\r\n")
    assert b"lincoln" not in b"".join(asked), "nobody is told whose kiosk it is"


@pytest.mark.parametrize(
    "page",
    [
        "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n<html>Please accept the terms of use</html>",
        "HTTP/1.1 511 Network Authentication Required\r\n\r\n",
    ],
)
def test_a_portal_that_answers_in_the_fleets_place_is_one(tmp_path: Path, page: str) -> None:
    with net.answering(net.says(page)) as fleet:
        found = looked(tmp_path, network={"fleet_url": f"http://127.0.0.1:{fleet}"})
    assert row(found, "portal") in found.filtered


@pytest.mark.parametrize(
    "page",
    [
        HEALTHY,
        "HTTP/1.1 301 Moved\r\nLocation: https://127.0.0.1/healthz\r\n\r\n",
        "HTTP/1.1 404 Not Found\r\n\r\n",
        "HTTP/1.1 503 Service Unavailable\r\n\r\n",
        "220 mail.example ESMTP\r\n",
    ],
)
def test_what_the_fleet_or_its_proxy_may_say_is_no_portal(tmp_path: Path, page: str) -> None:
    with net.answering(net.says(page)) as fleet:
        found = looked(tmp_path, network={"fleet_url": f"http://127.0.0.1:{fleet}"})
    assert row(found, "portal").mark is Mark.OK


def test_x3_who_inspects_is_named_and_nothing_is_said_to_him(tmp_path: Path, authority: Authority) -> None:
    inspector = Authority.new("Zscaler Intermediate")
    ends = datetime.now(UTC) + timedelta(days=2)
    paper, key = inspector.sign(tmp_path, "broker", ends=ends, hosts=["127.0.0.1"])
    heard: list[bytes] = []
    with net.answering(net.handshakes(paper, key, heard)) as broker:
        found = looked(tmp_path, link={"urls": [f"mqtts://127.0.0.1:{broker}"], "ca": authority.own(tmp_path)})
    tls = row(found, "tls")
    assert tls in found.filtered
    assert "signed by 'Zscaler Intermediate, Carrel lab', not by your CA" in tls.says
    assert "Except 127.0.0.1 from TLS inspection" in tls.do
    assert heard == []


def test_our_own_authority_is_trusted(tmp_path: Path, authority: Authority) -> None:
    ends = datetime.now(UTC) + timedelta(days=2)
    paper, key = authority.sign(tmp_path, "broker", ends=ends, hosts=["127.0.0.1"])
    with net.answering(net.handshakes(paper, key)) as broker:
        found = looked(tmp_path, link={"urls": [f"wss://127.0.0.1:{broker}/mqtt"], "ca": authority.own(tmp_path)})
    assert row(found, "tls").mark is Mark.OK


@pytest.mark.parametrize(
    ("begins_days", "ends_days", "hosts", "word"),
    [
        (-9, -1, ["127.0.0.1"], "expired"),
        (1, 9, ["127.0.0.1"], "not-yet-valid"),
        (-1, 9, ["broker.example.org"], "other-name"),
    ],
)
def test_a_certificate_that_is_ours_and_does_not_fit_is_no_inspection(
    tmp_path: Path, authority: Authority, begins_days: int, ends_days: int, hosts: list[str], word: str
) -> None:
    now = datetime.now(UTC)
    paper, key = authority.sign(
        tmp_path, "broker", begins=now + timedelta(days=begins_days), ends=now + timedelta(days=ends_days), hosts=hosts
    )
    with net.answering(net.handshakes(paper, key)) as broker:
        found = looked(tmp_path, link={"urls": [f"mqtts://127.0.0.1:{broker}"], "ca": authority.own(tmp_path)})
    assert row(found, "tls").facts["word"] == word
    assert found.filtered == ()


def test_a_page_where_tls_belongs_and_one_that_cuts_it_off_are_told_apart(tmp_path: Path, authority: Authority) -> None:
    ours = authority.own(tmp_path)
    with net.answering(net.says(LOGIN)) as page, net.answering(net.closing) as cut:
        found = looked(tmp_path, link={"urls": [f"mqtts://127.0.0.1:{page}", f"mqtts://127.0.0.1:{cut}"], "ca": ours})
    assert row(found, "tls", str(page)).facts["word"] == "no-tls"
    assert row(found, "tls", str(cut)).facts["word"] == "reset"
    assert len(found.filtered) == 2


def test_papers_that_cannot_be_read_are_told_with_their_file(tmp_path: Path, authority: Authority) -> None:
    with net.answering(net.closing) as broker:
        found = looked(tmp_path, link={"urls": [f"mqtts://127.0.0.1:{broker}"], "ca": tmp_path / "gone.pem"})
    assert "own papers cannot be read" in row(found, "tls").says
    assert "gone.pem" in row(found, "tls").says


def test_refused_and_dropped_are_told_apart_and_it_ends_in_time(tmp_path: Path) -> None:
    begun = time.monotonic()
    with net.dropping() as dropped:
        closed = free_port()
        found = looked(
            tmp_path,
            link={"urls": [f"mqtt://127.0.0.1:{dropped}"]},
            network={"fleet_url": f"http://127.0.0.1:{closed}"},
        )
    assert row(found, "port", str(dropped)).facts["reach"] == "silent"
    assert f"Let TCP port {dropped} out" in row(found, "port", str(dropped)).do
    assert row(found, "port", str(closed)).facts["reach"] == "refused"
    assert [one.where for one in found.filtered] == [f"127.0.0.1:{dropped}"], "a fleet that is down is no filter"
    assert time.monotonic() - begun < 10


def test_one_broker_is_enough(tmp_path: Path) -> None:
    with net.dropping() as dropped, net.answering(net.closing) as broker:
        found = looked(tmp_path, link={"urls": [f"mqtt://127.0.0.1:{dropped}", f"mqtt://127.0.0.1:{broker}"]})
    assert found.troubles == ()
    assert "Another address works" in row(found, "port", str(dropped)).says


FLEET = "fleet.example.org"


@pytest.mark.parametrize(
    ("told", "says", "filters"),
    [
        (net.NXDOMAIN, "there is no fleet.example.org", True),
        (net.SERVFAIL, "SERVFAIL", True),
        (net.REFUSED, "refuses to answer", True),
        (None, "No name server answers", True),
        ("0.0.0.0", "blocks by name", True),
        ("127.0.0.1", "blocks by name", True),
    ],
)
def test_what_a_resolver_does_is_told_apart(tmp_path: Path, told: str | int | None, says: str, filters: bool) -> None:
    with net.udp(net.names({FLEET: told})) as zone:
        found = looked(tmp_path, zone, link={"urls": [f"mqtts://{FLEET}:8883"]})
    assert says in row(found, "dns").says
    assert (row(found, "dns") in found.filtered) is filters


def test_a_resolver_that_invents_answers_is_found_out(tmp_path: Path) -> None:
    asked: list[str] = []
    zone = net.names({FLEET: "192.0.2.10"}, otherwise="192.0.2.66")

    def noting(question: bytes) -> bytes | None:
        asked.append(net._name(question))
        return zone(question)

    with net.udp(noting) as port:
        found = looked(tmp_path, port, link={"urls": [f"mqtts://{FLEET}:8883"]})
    assert "invents answers" in row(found, "dns").says
    assert all(one.endswith(FLEET) for one in asked), "no name is asked but the configured one and names under it"


def test_a_zone_that_answers_for_everything_under_it_is_no_liar(tmp_path: Path) -> None:
    with net.udp(net.names({}, otherwise="192.0.2.10")) as zone:
        found = looked(tmp_path, zone, link={"urls": [f"mqtts://{FLEET}:8883"]})
    assert row(found, "dns").mark is Mark.OK


def test_without_a_name_server_that_is_said(tmp_path: Path) -> None:
    found = looked(tmp_path, link={"urls": [f"mqtts://{FLEET}:8883"]})
    assert "knows no name server" in row(found, "dns").says


@pytest.mark.parametrize(("offset_s", "word"), [(5.0, "behind"), (-5.0, "ahead"), (0.0, "")])
def test_a_time_server_answers_with_its_offset(tmp_path: Path, offset_s: float, word: str) -> None:
    with net.udp(net.clock(offset_s)) as port:
        found = looked(tmp_path, network={"ntp_servers": [f"127.0.0.1:{port}"]})
    told = row(found, "time")
    assert told.mark is Mark.OK
    assert word in told.says
    assert abs(told.facts["offset_s"] - offset_s) < 0.5


@pytest.mark.parametrize("answer", [lambda _: None, net.clock(0, stratum=0), lambda said: said, lambda _: b"x" * 48])
def test_t4_time_that_is_blocked_echoed_or_withheld_is_no_time(tmp_path: Path, answer: Any) -> None:
    with net.udp(answer) as port:
        found = looked(tmp_path, network={"ntp_servers": [f"127.0.0.1:{port}"]})
        assert row(found, "time") in found.filtered
        (tmp_path / "sync").touch()
        again = looked(tmp_path, network={"ntp_servers": [f"127.0.0.1:{port}"]})
    assert row(again, "time").mark is Mark.OK, "the machine's own service has set the clock all the same"


@pytest.mark.parametrize(
    ("figures", "name"),
    [
        (Figures(median_ms=900.0, lost_share=0.0), "round trip"),
        (Figures(median_ms=30.0, lost_share=0.25), "round trip"),
        (Figures(upload_bps=700_000), "upload"),
    ],
)
def test_a_weak_line_is_trouble_and_no_filter(tmp_path: Path, figures: Figures, name: str) -> None:
    with net.answering(net.closing) as broker:
        found = looked(tmp_path, link={"urls": [f"mqtt://127.0.0.1:{broker}"]}, figures=figures)
    assert [one.name for one in found.troubles] == [name]
    assert found.filtered == ()


def test_a_proxy_is_named_without_its_password(tmp_path: Path) -> None:
    machine = Machine(
        ports=tmp_path, leases=(), synchronized=tmp_path / "sync",
        environment={"https_proxy": "http://aide:secret@proxy.school.example:3128"},
    )  # fmt: skip
    found = asyncio.run(check(net.settings(tmp_path), World(machine, Resolver(servers=[], only_these=True))))
    assert row(found, "proxy").facts == {"proxy": "proxy.school.example:3128"}
    assert "secret" not in str(found.json())
