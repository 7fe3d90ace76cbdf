"""Settings in TOML: strict, and with the file, the key and a suggestion in every refusal."""

from pathlib import Path

import pytest
from pydantic import Field

from wire.settings_file import SettingsError, SettingsModel, read_settings


class Broker(SettingsModel):
    url: str = "mqtt://localhost"
    keep_alive_s: int = 10


class Camera(SettingsModel):
    uri: str
    fps: float = 15.0


class Kiosk(SettingsModel):
    kiosk: str = "kiosk-1"
    broker: Broker = Broker()
    fallback: Broker | None = None
    cameras: dict[str, Camera] = Field(default_factory=dict)
    extra: tuple[Camera, ...] = ()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "kiosk.toml"


def refusal(path: Path, text: str | bytes) -> str:
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    with pytest.raises(SettingsError) as caught:
        read_settings(Kiosk, path)
    return str(caught.value)


def test_settings_are_read_and_the_rest_is_default(path: Path) -> None:
    path.write_text('kiosk = "k-7"\n[broker]\nkeep_alive_s = 5\n[cameras.front]\nuri = "scene:student"\n')
    found = read_settings(Kiosk, path)
    assert found == Kiosk(
        kiosk="k-7", broker=Broker(keep_alive_s=5), cameras={"front": Camera(uri="scene:student", fps=15.0)}
    )


def test_an_empty_file_is_all_defaults(path: Path) -> None:
    path.write_text("")
    assert read_settings(Kiosk, path) == Kiosk()


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ('kiosc = "k-7"', "kiosc: unknown key; did you mean 'kiosk'?"),
        ("[broker]\nkeep_alive = 5", "broker.keep_alive: unknown key; did you mean 'keep_alive_s'?"),
        ('[fallback]\nurll = "x"', "fallback.urll: unknown key; did you mean 'url'?"),
        ('[cameras.front]\nuri = "x"\nfsp = 3', "cameras.front.fsp: unknown key; did you mean 'fps'?"),
        ('[[extra]]\nuri = "x"\nfsp = 3', "extra.0.fsp: unknown key; did you mean 'fps'?"),
        ("[broker]\nzzz = 1", "broker.zzz: unknown key; known here: url, keep_alive_s"),
        ("[brokers]\nurl = 1", "brokers: unknown key; did you mean 'broker'?"),
        ("[broker]\nkeep_alive_s = 'ten'", "broker.keep_alive_s: Input should be a valid integer"),
        ("broker = 7", "broker: Input should be a valid dictionary or instance of Broker"),
        ("[cameras.front]\nfps = 3", "cameras.front.uri: Field required"),
        ("kiosk = ", "not TOML"),
        ("kiosk = 'a'\nkiosk = 'b'", "not TOML"),
        ("[broker\n", "not TOML"),
    ],
)
def test_a_refusal_names_file_and_key_and_helps(path: Path, text: str, told: str) -> None:
    said = refusal(path, text)
    assert said.startswith(f"{path}: ")
    assert told in said


def test_every_mistake_is_told_at_once(path: Path) -> None:
    said = refusal(path, "kiosc = 1\n[broker]\nkeep_alive_s = 'ten'")
    assert len(said.splitlines()) == 2


def test_a_file_in_another_encoding_is_refused_with_the_place(path: Path) -> None:
    assert "not UTF-8 at byte 10" in refusal(path, 'kiosk = "kü"'.encode("cp1252"))
    assert "not UTF-8" in refusal(path, 'kiosk = "k"'.encode("utf-16"))


def test_a_missing_file_and_a_folder_are_refused_by_name(path: Path) -> None:
    with pytest.raises(SettingsError, match=r"kiosk\.toml: cannot be read: No such file"):
        read_settings(Kiosk, path)
    with pytest.raises(SettingsError, match="cannot be read: Is a directory"):
        read_settings(Kiosk, path.parent)


def test_settings_do_not_change_once_read(path: Path) -> None:
    path.write_text("")
    with pytest.raises(ValueError, match="frozen"):
        read_settings(Kiosk, path).kiosk = "k-8"  # type: ignore[misc]  # the very thing that must fail
