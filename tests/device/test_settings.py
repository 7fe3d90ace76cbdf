"""kiosk.toml: what is refused, and in which words."""

from pathlib import Path

import pytest

from device.board import board_model
from device.kit import kit
from device.settings import Settings
from wire.settings_file import SettingsError, read_settings

GOOD = """
data_dir = "/var/lib/carrel"
[kiosk]
id = "lincoln-12"
campus = "lincoln"
room = "Room 12"
time_zone = "America/Chicago"
[link]
urls = ["mqtts://fleet.example.org:8883", "wss://fleet.example.org:443/mqtt"]
[cameras.overhead]
uri = "scene:desk"
[cameras.front]
uri = "scene:student"
width = 640
height = 480
fps = 15
"""


def read(folder: Path, text: str) -> Settings:
    path = folder / "kiosk.toml"
    path.write_text(text, encoding="utf-8")
    return read_settings(Settings, path)


def test_what_the_file_does_not_say_is_as_the_kit_has_it(tmp_path: Path) -> None:
    found = read(tmp_path, GOOD)
    fitted = kit()
    board = fitted.board(board_model())
    assert (found.cameras.overhead.width, found.cameras.overhead.fps, found.cameras.overhead.encoder) == (
        board.overhead.width,
        board.overhead.fps,
        board.encoder,
    )
    assert (found.cameras.front.width, found.cameras.idle) == (640, "before-bookings")
    assert found.panel.button_pin == fitted.panel.button_pin
    assert found.place.room == "Room 12"


@pytest.mark.parametrize("uri", ["v4l2:/dev/v4l/by-path/one", "picamera2:imx708@1a"])
def test_k2_one_device_cannot_be_both_cameras(tmp_path: Path, uri: str) -> None:
    text = GOOD.replace("scene:desk", uri).replace("scene:student", uri)
    with pytest.raises(SettingsError, match="overhead and front are the same camera"):
        read(tmp_path, text)


def test_a_board_gets_its_own_budget_and_an_unknown_one_the_smallest() -> None:
    def load(name: str | None) -> float:
        board = kit().board(name)
        return sum(camera.width * camera.height * camera.fps for camera in (board.overhead, board.front))

    assert kit().board("Raspberry Pi 5 Model B Rev 1.0").encoder == "software"
    assert load("Raspberry Pi 5 Model B Rev 1.0") == 2 * 1920 * 1080 * 30
    assert kit().board("Raspberry Pi 4 Model B Rev 1.5").encoder == "hardware"
    assert load("Raspberry Pi 4 Model B Rev 1.5") / 256 <= 245_760, "what its encoder can do: level 4.0"
    assert load(None) == load("Some other board") == min(load(board.model) for board in kit().boards)


@pytest.mark.parametrize(
    ("before", "after", "words"),
    [
        ("[link]", "[lnk]", r"lnk: unknown key; did you mean 'link'\?"),
        ('id = "lincoln-12"', 'id = "lincoln-12"\nrom = "x"', r"kiosk\.rom: unknown key; did you mean 'room'\?"),
        (
            'uri = "scene:desk"',
            'uri = "scene:desk"\nwidht = 3',
            r"cameras\.overhead\.widht: unknown key; did you mean 'width'",
        ),
        ("fps = 15", 'fps = "fast"', r"cameras\.front\.fps: "),
        ('id = "lincoln-12"', 'id = "Lincoln 12"', r"kiosk\.id: "),
        ("America/Chicago", "Chicago", r"kiosk\.time_zone: .*write it as in 'America/Chicago'"),
        ("scene:desk", "scene:moon", r"cameras\.overhead\.uri: .*scene:moon"),
        ("mqtts://fleet.example.org:8883", "mqtt://fleet.example.org", r"link\.urls: .*use mqtts://"),
        ("mqtts://fleet.example.org:8883", "http://fleet.example.org", r"link\.urls: .*mqtts://host:8883"),
        ("mqtts://fleet.example.org:8883", "file:///etc/shadow", r"link\.urls: "),
        ('data_dir = "/var/lib/carrel"', "", r"data_dir: Field required"),
        ("[link]", "[link", "not TOML"),
        ("[link]", '[recording]\nfleet_key = "bm8="\n[link]', r"recording\.fleet_key: .*carrel-fleet segment-key"),
        ("[link]", "[recording]\nquota_gb = 0\n[link]", r"recording\.quota_gb: "),
        ("fps = 15", "fps = 15\nbitrate_bps = 3", r"cameras\.front\.bitrate_bps: "),
        ("fps = 15", 'fps = 15\nencoder = "gpu"', r"cameras\.front\.encoder: "),
    ],
)
def test_bad_settings_are_refused_with_file_key_and_what_to_do(
    tmp_path: Path, before: str, after: str, words: str
) -> None:
    assert before in GOOD
    with pytest.raises(SettingsError, match=words) as caught:
        read(tmp_path, GOOD.replace(before, after))
    assert "kiosk.toml" in str(caught.value)


@pytest.mark.parametrize(
    "id_", ["lincoln/12", "lincoln-+", "#", "x" * 41, "lincoln-12\\u0000", "Lincoln-12", "-12", ""]
)
@pytest.mark.parametrize("key", ["id", "campus"])
def test_m7_an_id_that_would_leave_its_place_in_a_topic_is_refused_by_its_key(
    tmp_path: Path, key: str, id_: str
) -> None:
    good = {"id": "lincoln-12", "campus": "lincoln"}[key]
    with pytest.raises(SettingsError, match=rf"kiosk\.{key}: "):
        read(tmp_path, GOOD.replace(f'{key} = "{good}"', f'{key} = "{id_}"'))
