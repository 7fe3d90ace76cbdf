"""Keyfiles, as NetworkManager itself reads them, and networks that are refused."""

from pathlib import Path

import pytest
from pydantic import SecretStr, ValidationError

from provisioning.errors import NetworkRefused
from provisioning.network.description import Network
from provisioning.network.keyfile import keyfile
from provisioning.network.profile import sections
from provisioning.roster.device import Device
from tests.provisioning.judges import networkmanager_reads, ssid_of

HERE = Device("lincoln", "lincoln-01", "Room 12", "carrel-lincoln-01")
FIXED = Device(
    "lincoln", "lincoln-02", "Room 14", "k-02", address="10.20.0.32/22", gateway="10.20.0.1", dns="10.20.0.1 10.20.0.2"
)
EAP = {"ca": Path("radius.pem"), "server_name": "radius.lincoln.example", "identity": "{kiosk}@lincoln.example"}
PEAP = Network(medium="wifi", ssid="Staff", security="eap-peap", secret="staff", **EAP)
TLS = Network(medium="wired", security="eap-tls", certificates=Path("papers"), **EAP)


def written(network: Network, secret: str | None = None, device: Device = HERE) -> str:
    return keyfile(sections("classroom", network, device, None if secret is None else SecretStr(secret)))


def wifi(ssid: str = "Classroom", security: str = "wpa2-personal") -> Network:
    return Network.model_validate({"medium": "wifi", "ssid": ssid, "security": security, "secret": "classroom"})


@pytest.mark.needs_nmcli
def test_wpa2_and_wpa3_are_read_with_the_ports_own_address() -> None:
    read = networkmanager_reads(written(wifi(), "correct horse"))
    assert read["wifi-security"] == {"key-mgmt": "wpa-psk", "proto": "rsn;", "psk": "correct horse"}
    assert read["wifi"]["cloned-mac-address"] == "permanent"
    assert read["connection"]["type"] == "wifi"
    assert read["ipv4"]["method"] == "auto"
    sae = networkmanager_reads(written(wifi(security="wpa3-personal"), "correct horse"))["wifi-security"]
    assert sae == {"key-mgmt": "sae", "pmf": "3", "psk": "correct horse"}


@pytest.mark.needs_nmcli
def test_802_1x_is_read_with_authority_and_server_name() -> None:
    peap = networkmanager_reads(written(PEAP, "p;a\\ss wörd"))
    assert peap["wifi-security"] == {"key-mgmt": "wpa-eap"}
    assert peap["802-1x"] == {
        "eap": "peap;",
        "identity": "lincoln-01@lincoln.example",
        "ca-cert": "/etc/carrel/network/network-ca.pem",
        "domain-suffix-match": "radius.lincoln.example",
        "phase2-auth": "mschapv2",
        "password": "p;a\\ss wörd",
    }
    tls = networkmanager_reads(written(TLS))
    assert tls["802-1x"]["eap"] == "tls;"
    assert tls["802-1x"]["client-cert"] == "/etc/carrel/network/client.pem"
    assert tls["802-1x"]["private-key"] == "/etc/carrel/network/client.key"
    assert tls["802-1x"]["ca-cert"] == "/etc/carrel/network/network-ca.pem"
    assert tls["802-1x"]["domain-suffix-match"] == "radius.lincoln.example"
    assert tls["ethernet"]["cloned-mac-address"] == "permanent"


@pytest.mark.needs_nmcli
def test_a_cable_with_a_fixed_address_and_proxy_settings() -> None:
    read = networkmanager_reads(
        written(Network(medium="wired", pac_url="http://proxy.lincoln.example/proxy.pac"), device=FIXED)
    )
    assert read["ipv4"]["method"] == "manual"
    assert read["ipv4"]["address1"] == "10.20.0.32/22,10.20.0.1"
    assert read["ipv4"]["dns"] == "10.20.0.1;10.20.0.2;"
    assert read["proxy"] == {"method": "1", "pac-url": "http://proxy.lincoln.example/proxy.pac"}


@pytest.mark.needs_nmcli
@pytest.mark.parametrize("ssid", ["x", "97;98;", "  two blanks ", "a\\nb=c#[d]", '"\\nruncmd:', "🏫 école", "é" * 16])
def test_c12_whatever_a_network_is_called_its_bytes_arrive(ssid: str) -> None:
    assert ssid_of(networkmanager_reads(written(wifi(ssid), "correct horse"))) == ssid.encode()


@pytest.mark.needs_nmcli
@pytest.mark.parametrize(
    "secret",
    [
        "  blanks  around ",
        "a=b;c#d[e]",
        '"\\nruncmd: x',
        "\\s\\n\\\\ back",
        "12345678",
        "x" * 63,
        "0123456789abcdefABCDEF" * 2 + "0" * 20,
    ],
)  # fmt: skip
def test_c12_whatever_a_passphrase_holds_it_arrives_and_adds_nothing(secret: str) -> None:
    read = networkmanager_reads(written(wifi(), secret))
    assert read["wifi-security"] == {"key-mgmt": "wpa-psk", "proto": "rsn;", "psk": secret}
    assert set(read) <= {"connection", "wifi", "wifi-security", "ipv4", "ipv6", "proxy"}


@pytest.mark.needs_nmcli
@pytest.mark.parametrize("identity", ["a;b=c#[802-1x]", "  \\s\\n\\\\ ", "wörd@école.example"])
def test_c12_whatever_an_identity_holds_it_arrives(identity: str) -> None:
    network = PEAP.model_copy(update={"identity": identity, "anonymous_identity": identity})
    read = networkmanager_reads(written(network, "password"))["802-1x"]
    assert (read["identity"], read["anonymous-identity"]) == (identity, identity)


@pytest.mark.parametrize("secret", ["1234567", "x" * 64, "x" * 65, "pass\nword1", "pässword1", "", "pass\0word"])
@pytest.mark.parametrize("security", ["wpa2-personal", "wpa3-personal"])
def test_c12_a_passphrase_that_no_access_point_takes_is_refused_and_not_repeated(secret: str, security: str) -> None:
    with pytest.raises(NetworkRefused, match="network classroom: the secret 'classroom' is") as refused:
        written(wifi(security=security), secret)
    assert not secret or secret not in str(refused.value)


@pytest.mark.parametrize("hostile", ["pass\nword", "pass\0word", "pass\rword", ""])
def test_a_password_with_a_line_end_is_refused(hostile: str) -> None:
    with pytest.raises(NetworkRefused, match="the secret 'staff'"):
        written(PEAP, hostile)


def test_a_secret_that_is_not_there_is_named() -> None:
    with pytest.raises(NetworkRefused, match="there is no secret 'classroom' in the file of secrets"):
        written(wifi())


@pytest.mark.parametrize(
    ("told", "words"),
    [
        ({"medium": "wifi", "ssid": "é" * 16 + "x", "security": "wpa2-personal", "secret": "s"}, "is 33 bytes long"),
        ({"medium": "wifi", "ssid": "x\ny", "security": "wpa2-personal", "secret": "s"}, "a line end"),
        ({"medium": "wifi", "ssid": "x", "security": "wpa2-personal"}, "name the secret it needs"),
        ({"medium": "wifi", "security": "wpa2-personal", "secret": "s"}, "needs its ssid"),
        ({"medium": "wifi", "ssid": "x"}, "an open Wi-Fi network lets anybody"),
        ({"medium": "wired", "ssid": "x"}, "a cable has no ssid"),
        ({"medium": "wired", "ca": "x.pem"}, "belong to 802.1X"),
        ({"medium": "wired", "security": "eap-peap", "secret": "s"}, "802.1X needs ca and server_name"),
        ({"medium": "wired", "security": "eap-peap", "secret": "s", **EAP, "ca": None}, "802.1X needs ca and server"),
        ({"medium": "wired", "security": "eap-peap", "secret": "s", **EAP, "server_name": ""}, "802.1X needs ca and"),
        ({"medium": "wired", "security": "eap-tls", **EAP}, "EAP-TLS needs it"),
        ({"medium": "wired", "security": "eap-peap", "secret": "s", **EAP, "server_name": "example"}, "is no host's"),
        ({"medium": "wired", "security": "eap-peap", "secret": "s", **EAP, "identity": "a\nb"}, "a line end"),
        ({"medium": "wired", "pac_url": "file:///etc/passwd"}, "no address of a proxy file"),
    ],
)
def test_a_network_that_could_be_joined_only_unsafely_is_refused(told: dict[str, object], words: str) -> None:
    with pytest.raises(ValidationError, match=words):
        Network.model_validate(told)
