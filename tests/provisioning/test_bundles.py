"""Bundles, through the command: what is in them, who reads them, and what one changed bit does."""

import contextlib
import json
import shutil
import sqlite3
from pathlib import Path

import pytest
import yaml

from device.identity.folder import Identity
from device.settings import Settings
from provisioning.cli import main
from provisioning.register import Register
from tests.papers import authority, paper
from tests.provisioning.conftest import Provision
from tests.provisioning.judges import cloud_init_says, networkmanager_reads
from wire.bundles import ClaimFile
from wire.claims import token_hash
from wire.settings_file import read_settings

ROSTER = """campus,kiosk,room,serial,network,address,gateway,dns
lincoln,lincoln-01,Room 12,10000000abcdef01,classroom,,,
lincoln,lincoln-02,"Salón ""3"": #x",,staff,,,
lincoln,lincoln-03,Gym,,lab,10.20.0.32/22,10.20.0.1,10.20.0.1
lincoln,lincoln-04,Library,,,,,
"""
CAMPUS = """
campus = "lincoln"
fleet_url = "https://fleet.district.example"
urls = ["mqtts://fleet.district.example:8883", "wss://fleet.district.example:443/mqtt"]
ca = "district.pem"
help_call = "front office, 100"
ntp_servers = ["ntp.district.example"]
proxy = "http://proxy.district.example:3128"
ssh_keys = ["ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJ1gEHLxEcNwxeLGHxfnkZXm0z4WyBhIsOVy0N0UNPbp it's: [x] # &a *b !!c |"]

[cameras]
overhead = "picamera2:imx708-a"
front = "picamera2:imx708-b"

[networks.classroom]
medium = "wifi"
ssid = "Classroom"
security = "wpa2-personal"
secret = "classroom"

[networks.staff]
medium = "wifi"
ssid = "Staff"
security = "eap-peap"
secret = "staff"
identity = "{kiosk}@lincoln.example"
ca = "radius.pem"
server_name = "radius.lincoln.example"

[networks.lab]
medium = "wired"
security = "eap-tls"
identity = "host/{hostname}"
ca = "radius.pem"
server_name = "radius.lincoln.example"
certificates = "papers"
"""
PSK = "canary-psk-7f3a"
PASSWORD = "canary-password-9c1e"


@pytest.fixture
def district(tmp_path: Path, provision: Provision, capsys: pytest.CaptureFixture[str]) -> Path:
    """All that a bundle is made of, each file as an administrator would have it."""
    (tmp_path / "papers").mkdir()
    authority(tmp_path, "district")
    authority(tmp_path, "radius")
    paper(tmp_path, "client", by="radius")
    for kind in ("pem", "key"):
        shutil.move(tmp_path / f"client.{kind}", tmp_path / "papers" / f"lincoln-03.{kind}")
    (tmp_path / "papers" / "lincoln-03.key").chmod(0o600)
    (tmp_path / "devices.csv").write_text(ROSTER, encoding="utf-8")
    (tmp_path / "lincoln.toml").write_text(CAMPUS, encoding="utf-8")
    (tmp_path / "secrets.toml").write_text(f'[secrets]\nclassroom = "{PSK}"\nstaff = "{PASSWORD}"\n')
    (tmp_path / "secrets.toml").chmod(0o600)
    assert provision("roster", "apply", tmp_path / "devices.csv") == 0
    capsys.readouterr()
    assert provision_alone("bundle", "key", tmp_path / "lincoln.key") == 0
    (tmp_path / "lincoln.pub").write_text(capsys.readouterr().out)
    return tmp_path


def provision_alone(*arguments: str | Path) -> int:
    return main([*map(str, arguments)])


def make(district: Path, provision: Provision, out: str = "out", *more: str) -> Path:
    made = provision("bundle", "make", district / "lincoln.toml", "--out", district / out,
                     "--key", district / "lincoln.key", "--secrets", district / "secrets.toml", *more)  # fmt: skip
    assert made == 0
    return district / out


def verify(district: Path, folder: Path) -> int:
    return provision_alone("bundle", "verify", folder, "--public-key", district / "lincoln.pub")


def contents(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def folders(out: Path) -> list[Path]:
    return sorted(out.glob("*/"))


def test_each_kiosk_gets_what_it_needs_and_its_own_settings_read_it(
    district: Path, provision: Provision, capsys: pytest.CaptureFixture[str]
) -> None:
    out = make(district, provision)
    assert "4 bundles, claim tokens good for 14 days" in capsys.readouterr().out
    assert sorted(path.name for path in out.glob("*/")) == [f"lincoln-0{n}" for n in (1, 2, 3, 4)]
    settings = read_settings(Settings, out / "lincoln-02" / "carrel" / "kiosk.toml")
    assert settings.kiosk.id == "lincoln-02"
    assert settings.kiosk.room == 'Salón "3": #x'
    assert settings.kiosk.time_zone == "America/Chicago"
    assert settings.link.ca == Path("/etc/carrel/ca.pem")
    identity = Identity(settings.data_dir, settings.kiosk.id)
    assert (settings.link.certificate, settings.link.key) == (identity.certificate, identity.key)
    assert settings.network.fleet_url == "https://fleet.district.example"
    assert {path.stat().st_mode & 0o077 for path in out.rglob("*")} == {0}
    assert sorted(contents(out / "lincoln-03")) == [
        "carrel/ca.pem", "carrel/claim.json", "carrel/environment", "carrel/kiosk.toml", "carrel/manifest.json",
        "carrel/manifest.sig", "carrel/network/carrel.nmconnection", "carrel/network/client.key",
        "carrel/network/client.pem", "carrel/network/network-ca.pem", "meta-data", "network-config", "user-data",
    ]  # fmt: skip


@pytest.mark.needs_nmcli
def test_networkmanager_reads_every_keyfile(district: Path, provision: Provision) -> None:
    out = make(district, provision)
    read = {
        kiosk.name: networkmanager_reads((kiosk / "carrel" / "network" / "carrel.nmconnection").read_text("utf-8"))
        for kiosk in folders(out)
    }
    assert read["lincoln-01"]["wifi-security"]["psk"] == PSK
    assert read["lincoln-02"]["802-1x"]["password"] == PASSWORD
    assert read["lincoln-03"]["802-1x"]["identity"] == "host/carrel-lincoln-03"
    assert read["lincoln-04"]["connection"]["type"] == "ethernet"


@pytest.mark.needs_cloud_init
def test_cloud_init_finds_its_files_valid_and_would_say_if_they_were_not(district: Path, provision: Provision) -> None:
    out = make(district, provision)
    for kiosk in folders(out):
        assert "Valid cloud-config" in cloud_init_says(kiosk / "user-data")
    told = yaml.safe_load((out / "lincoln-01" / "user-data").read_text())
    assert told["hostname"] == "carrel-lincoln-01"
    assert told["ssh_pwauth"] is False
    ((user,),) = (told["users"],)
    assert user["lock_passwd"] is True
    assert [key.partition(" it")[2] for key in user["ssh_authorized_keys"]] == ["'s: [x] # &a *b !!c |"]
    spoilt = district / "spoilt"
    spoilt.write_text("#cloud-config\n" + yaml.safe_dump(told | {"ntp": {"servers": "one"}}))
    assert "ntp.servers: 'one' is not of type 'array'" in cloud_init_says(spoilt)


def test_made_twice_only_the_secrets_differ(district: Path, provision: Provision) -> None:
    first, second = (contents(make(district, provision, out)) for out in ("one", "two"))
    assert set(first) == set(second)
    differing = {name.partition("/")[2] or name for name in first if first[name] != second[name]}
    assert differing == {
        "carrel/claim.json",
        "carrel/manifest.json",
        "carrel/manifest.sig",
        "meta-data",
        "claims-1.json",
    }


def token(out: Path, kiosk: str = "lincoln-01") -> str:
    return ClaimFile.model_validate_json((out / kiosk / "carrel" / "claim.json").read_bytes()).token


def is_withdrawn(district: Path, shown: str) -> bool:
    with contextlib.closing(Register.open(district / "register.db")) as register:
        (row,) = register.db.table("claims").rows_where("hash = ?", [token_hash(shown)])
    return row["withdrawn_at"] is not None


def test_an_earlier_bundles_token_is_withdrawn(district: Path, provision: Provision) -> None:
    old, new = token(make(district, provision, "one")), token(make(district, provision, "two"))
    assert is_withdrawn(district, old)
    assert not is_withdrawn(district, new)


def test_a_retired_kiosks_token_is_withdrawn(district: Path, provision: Provision) -> None:
    its = token(make(district, provision), "lincoln-02")
    kept = [line for line in ROSTER.splitlines() if "lincoln-02" not in line]
    (district / "devices.csv").write_text("\n".join(kept))
    assert provision("roster", "apply", district / "devices.csv", "--retire", "1") == 0
    assert is_withdrawn(district, its)


def test_the_fleet_is_told_the_hashes_of_the_tokens_and_what_they_allow(district: Path, provision: Provision) -> None:
    out = make(district, provision)
    told = json.loads((out / "claims-1.json").read_text())["claims"]
    claims = [ClaimFile.model_validate_json((kiosk / "carrel" / "claim.json").read_bytes()) for kiosk in folders(out)]
    assert told == [
        {
            "hash": token_hash(one.token), "campus": "lincoln", "kiosk": one.kiosk,
            "serial": "10000000abcdef01" if one.kiosk == "lincoln-01" else None, "count": 1,
            "expires_at": one.expires_at,
        }
        for one in claims
    ]  # fmt: skip


def test_c13_one_changed_bit_in_any_file_is_found(
    district: Path, provision: Provision, capsys: pytest.CaptureFixture[str]
) -> None:
    kiosk = make(district, provision) / "lincoln-03"
    assert verify(district, kiosk) == 0
    for name, content in contents(kiosk).items():
        for at in {0, len(content) // 2, len(content) - 1}:
            spoilt = bytearray(content)
            spoilt[at] ^= 1
            (kiosk / name).write_bytes(spoilt)
            if (name, at) == ("carrel/manifest.sig", len(content) - 1):  # the line end after the signature
                continue
            assert verify(district, kiosk) == 1, (name, at)
            assert "nothing of it may be used" in capsys.readouterr().err
        (kiosk / name).write_bytes(content)
    assert verify(district, kiosk) == 0


def test_c13_what_is_missing_added_or_another_kiosks_is_found(
    district: Path, provision: Provision, capsys: pytest.CaptureFixture[str]
) -> None:
    out = make(district, provision)
    (out / "lincoln-01" / "carrel" / "network" / "more.nmconnection").write_text("[connection]\n")
    assert verify(district, out / "lincoln-01") == 1
    assert "more.nmconnection is not of this bundle" in capsys.readouterr().err
    (out / "lincoln-02" / "carrel" / "kiosk.toml").unlink()
    assert verify(district, out / "lincoln-02") == 1
    assert "carrel/kiosk.toml is missing" in capsys.readouterr().err
    shutil.copy(out / "lincoln-04" / "user-data", out / "lincoln-03" / "user-data")
    assert verify(district, out / "lincoln-03") == 1
    assert "user-data is not as it was signed" in capsys.readouterr().err
    provision_alone("bundle", "key", district / "other.key")
    (district / "lincoln.pub").write_text(capsys.readouterr().out)
    assert verify(district, out / "lincoln-04") == 1
    assert "is not signed by this campus's key" in capsys.readouterr().err


def test_p1_no_secret_is_in_the_register_in_what_is_said_or_in_what_cloud_init_keeps(
    district: Path, provision: Provision, capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    out = make(district, provision)
    verify(district, out)
    said = capsys.readouterr()
    tokens = [
        ClaimFile.model_validate_json((kiosk / "carrel" / "claim.json").read_bytes()).token for kiosk in folders(out)
    ]
    register = b"".join(path.read_bytes() for path in district.glob("register.db*"))
    kept = b"".join((kiosk / name).read_bytes() for kiosk in folders(out) for name in
                    ("user-data", "network-config", "meta-data"))  # fmt: skip
    for secret in (PSK, PASSWORD, *tokens, (district / "lincoln.key").read_text().strip()):
        assert secret not in said.out + said.err + caplog.text
        assert secret.encode() not in register + kept


@pytest.mark.parametrize(
    ("break_it", "words"),
    [
        (lambda d: (d / "secrets.toml").chmod(0o644), "others may read it (mode 0644); type: chmod 600"),
        (lambda d: (d / "lincoln.key").chmod(0o640), "others may read it (mode 0640)"),
        (lambda d: (d / "papers" / "lincoln-03.key").chmod(0o644), "others may read it (mode 0644)"),
        (lambda d: (d / "papers" / "lincoln-03.pem").unlink(), "lincoln-03.pem: cannot be read: No such file"),
        (lambda d: (d / "lincoln.key").write_text("rubbish"), "holds no key that `carrel-provision bundle key` made"),
        (lambda d: (d / "secrets.toml").write_text("[secrets]\n"), "there is no secret 'classroom'"),
        (lambda d: (d / "secrets.toml").write_text(f'[secrets]\nclassroom = "{PSK}'), "secrets.toml: not TOML"),
        (lambda d: (d / "secrets.toml").write_text(f"[secrets]\n[secrets.{PSK}]\n"), "valid string"),
        (lambda d: (d / "radius.pem").write_text("rubbish"), "radius.pem: is no PEM file"),
        (lambda d: (d / "lincoln.toml").write_text(CAMPUS.replace("networks.staff", "networks.stuff")),
         "lincoln-02: there is no network 'staff' in the campus's file; there are: classroom, stuff, lab"),
        (lambda d: (d / "lincoln.toml").write_text(CAMPUS.replace("help_call", "help_cal")),
         "did you mean 'help_call'?"),
        (lambda d: (d / "lincoln.toml").write_text(CAMPUS.replace("mqtts:", "mqtt:")), "write mqtts://host:8883"),
        (lambda d: (d / "lincoln.toml").write_text(CAMPUS.replace('"lincoln"', '"nowhere"')), "no campus 'nowhere'"),
        (lambda d: (d / "lincoln.toml").write_text(CAMPUS.replace('"lincoln"', '"../lincoln"')),
         "campus: String should"),
        (lambda d: (d / "lincoln.toml").write_text(CAMPUS.replace("/proxy.", "/proxy\\nruncmd.")),
         "proxy: Value error"),
        (lambda d: (d / "out").mkdir(), "out: is there already"),
    ],
)  # fmt: skip
def test_what_cannot_become_a_bundle_leaves_nothing_behind(
    district: Path, provision: Provision, capsys: pytest.CaptureFixture[str], break_it: object, words: str
) -> None:
    break_it(district)  # type: ignore[operator]
    there = sorted(district.iterdir())
    done = provision("bundle", "make", district / "lincoln.toml", "--out", district / "out",
                     "--key", district / "lincoln.key", "--secrets", district / "secrets.toml")  # fmt: skip
    said = capsys.readouterr().err
    assert (done, words in said) == (1, True), said
    assert PASSWORD not in said
    assert sorted(district.iterdir()) == there
    with contextlib.closing(sqlite3.connect(district / "register.db")) as register:
        assert register.execute("select count(*) from claims").fetchone() == (0,)
