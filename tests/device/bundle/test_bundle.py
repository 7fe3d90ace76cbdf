"""A kiosk and the bundle on its card: taken over whole, refused for one bit, and safe at every power cut."""

import shutil
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from nacl.signing import SigningKey

from device.bundle.apply import apply
from device.cli import main
from device.errors import BundleRefused
from device.settings import Settings
from provisioning.bundle.making import Maker
from provisioning.bundle.signing import public_text, signed
from provisioning.campus_file import Cameras, CampusFile
from provisioning.network.description import Network
from provisioning.register import campus
from provisioning.roster.device import Device
from provisioning.secret_file import SecretsFile
from wire.settings_file import read_settings

KEY = SigningKey(b"k" * 32)
PSK = "canary-psk-7f3a"
INSTALLED = {
    "etc/NetworkManager/system-connections/carrel.nmconnection": 0o600,
    "etc/carrel/bundle-applied": 0o644,
    "etc/carrel/environment": 0o644,
    "etc/carrel/kiosk.toml": 0o644,
    "var/lib/carrel/claim.json": 0o600,
}


def bundle(room: str = "Room 12") -> dict[str, bytes]:
    file = CampusFile(
        campus="lincoln", fleet_url="https://fleet.example", urls=("mqtts://fleet.example:8883",),
        cameras=Cameras(overhead="picamera2:a", front="picamera2:b"), proxy="http://proxy.example:3128",
        networks={"classroom": Network(medium="wifi", ssid="C", security="wpa2-personal", secret="psk")},
    )  # fmt: skip
    secrets = SecretsFile.model_validate({"secrets": {"psk": PSK}})
    device = Device("lincoln", "lincoln-01", room, "k-01", network="classroom")
    maker = Maker(campus("lincoln", "Lincoln", "America/Chicago"), file, secrets, KEY)
    return maker.files(device, "canary-token-0123456789abcdef", datetime(2027, 1, 4, tzinfo=UTC))


@pytest.fixture
def card(tmp_path: Path) -> Path:
    """The card's first partition: a bundle among the files that Raspberry Pi OS has there."""
    return write(tmp_path / "card", bundle())


def write(folder: Path, files: dict[str, bytes]) -> Path:
    shutil.rmtree(folder, ignore_errors=True)
    for name, content in (files | {"config.txt": b"arm_64bit=1\n", "overlays/x.dtbo": b"\0"}).items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)
    return folder


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """The kiosk's system, with its campus's key from the image."""
    (tmp_path / "root/etc/carrel").mkdir(parents=True)
    (tmp_path / "root/etc/carrel/bundle-key").write_text(public_text(KEY) + "\n")
    return tmp_path / "root"


def kiosk(verb: str, card: Path, root: Path) -> int:
    return main(["bundle", verb, str(card / "carrel"), "--root", str(root)])


def held(root: Path) -> dict[str, int]:
    files = [path for path in root.rglob("*") if path.is_file() and path.name != "bundle-key"]
    return {path.relative_to(root).as_posix(): path.stat().st_mode & 0o777 for path in files}


def test_a_bundle_is_taken_over_once_and_its_secrets_leave_the_card(
    card: Path, root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert kiosk("verify", card, root) == 0
    assert kiosk("apply", card, root) == 0
    assert kiosk("apply", card, root) == 0
    assert capsys.readouterr().out.splitlines() == [
        "lincoln-01: 7 files as signed", "lincoln-01: applied", "lincoln-01: already applied",
    ]  # fmt: skip
    assert held(root) == INSTALLED
    assert read_settings(Settings, root / "etc/carrel/kiosk.toml").kiosk.room == "Room 12"
    left = b"".join(path.read_bytes() for path in card.rglob("*") if path.is_file())
    assert PSK.encode() not in left
    assert b"canary-token" not in left
    assert (card / "config.txt").exists()


def test_a_later_bundle_replaces_an_earlier_one(card: Path, root: Path) -> None:
    kiosk("apply", card, root)
    (root / "var/lib/carrel/claim.json").unlink()  # as once the kiosk has its identity
    assert kiosk("apply", card, root) == 0
    assert not (root / "var/lib/carrel/claim.json").exists()
    assert kiosk("apply", write(card, bundle("Room 21")), root) == 0
    assert read_settings(Settings, root / "etc/carrel/kiosk.toml").kiosk.room == "Room 21"
    assert held(root) == INSTALLED


def test_c13_one_changed_bit_anywhere_changes_nothing_and_is_told(
    card: Path, root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    kiosk("apply", card, root)
    before = {path: path.read_bytes() for path in root.rglob("*") if path.is_file()}
    good = bundle("Room 21")
    for name, content in good.items():
        spoilt = bytearray(content)
        spoilt[len(spoilt) // 3] ^= 16
        assert kiosk("apply", write(card, good | {name: bytes(spoilt)}), root) == 1, name
        assert "write the card's bundle anew" in capsys.readouterr().err
        refused = root / "var/lib/carrel/bundle-refused.txt"
        assert "write the card's bundle anew" in refused.read_text()
        refused.unlink()
        assert {path: path.read_bytes() for path in root.rglob("*") if path.is_file()} == before
    assert kiosk("apply", write(card, good), root) == 0


@pytest.mark.parametrize(
    ("files", "words"),
    [
        ({}, "No such file or directory"),
        (signed("lincoln", "lincoln-01", {}, KEY), "there is no carrel/kiosk.toml"),
        ({**bundle(), "carrel/more": b"x"}, "carrel/more is not of this bundle"),
        ({"carrel/kiosk.toml": b"[kiosk", **signed("lincoln", "lincoln-01", {"carrel/kiosk.toml": b"[kiosk"}, KEY)},
         "the bundle's settings cannot be used"),
        ({"../x": b"", **signed("lincoln", "lincoln-01", {"../x": b""}, KEY)}, "'../x' is no name of a file"),
        ({**bundle(), **signed("lincoln", "lincoln-01", bundle(), SigningKey(b"o" * 32))}, "is not signed by"),
    ],
)  # fmt: skip
def test_what_is_no_bundle_changes_nothing(
    card: Path, root: Path, capsys: pytest.CaptureFixture[str], files: dict[str, bytes], words: str
) -> None:
    assert kiosk("apply", write(card, files), root) == 1
    assert words in capsys.readouterr().err
    assert set(held(root)) == {"var/lib/carrel/bundle-refused.txt"}


def test_a_bundle_for_another_kiosk_than_its_settings_say_is_refused(card: Path, root: Path) -> None:
    files = {name: content for name, content in bundle().items() if not name.startswith("carrel/manifest")}
    write(card, files | signed("lincoln", "lincoln-02", files, KEY))
    with pytest.raises(BundleRefused, match="is for lincoln-01, the bundle for lincoln-02"):
        apply(card, KEY.verify_key, root)
    assert not (root / "etc/carrel/kiosk.toml").exists()


def test_without_the_images_key_nothing_is_believed(card: Path, root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (root / "etc/carrel/bundle-key").unlink()
    assert kiosk("apply", card, root) == 1
    assert "the image has to hold its campus's key" in capsys.readouterr().err


class Cut(Exception):
    """The power goes."""


def test_f5_at_every_cut_the_next_boot_ends_with_the_whole_bundle(card: Path, root: Path, tmp_path: Path) -> None:
    steps: list[str] = []
    apply(write(card, bundle()), KEY.verify_key, tmp_path / "dry", steps.append)
    assert len(steps) > 10
    for number in range(len(steps)):
        shutil.rmtree(root)
        write(card, bundle())
        left = iter(range(number, -1, -1))

        def cut(_: str, left: Iterator[int] = left) -> None:
            if next(left) == 0:
                raise Cut

        with pytest.raises(Cut):
            apply(card, KEY.verify_key, root, cut)
        if (root / "etc/carrel/kiosk.toml").exists():
            assert (root / "etc/NetworkManager/system-connections/carrel.nmconnection").exists(), steps[number]
        apply(card, KEY.verify_key, root)
        assert {name for name in held(root) if ".new" not in name} == set(INSTALLED), steps[number]
        assert not (card / "carrel/claim.json").exists(), steps[number]
