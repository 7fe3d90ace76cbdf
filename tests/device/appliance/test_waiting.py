"""The page before there are settings: a real process, asked over HTTP, and its end once it has what it waits for."""

import json
import signal
import socket
import time
import urllib.error
import urllib.request
from html import unescape
from pathlib import Path
from typing import Any

import pytest

from device.appliance.waiting import Waiting, waited_for
from device.cli import main
from device.screen.waiting_words import TABLES
from tests.broker import free_port
from tests.device.appliance.kiosk_files import running, toml

WITHIN_S = 60


def answer(port: int, path: str, **headers: str) -> tuple[int, str]:
    """Status and body, once anybody answers."""
    request = urllib.request.Request(f"http://127.0.0.1:{port}{path}", headers=headers)
    until = time.monotonic() + WITHIN_S
    while True:
        try:
            with urllib.request.urlopen(request, timeout=10) as found:
                return found.status, unescape(found.read().decode())
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode()
        except OSError:
            assert time.monotonic() < until, "nobody answers"
            time.sleep(0.05)


def health(port: int) -> dict[str, Any]:
    return dict(json.loads(answer(port, "/healthz")[1]))


def test_without_settings_the_screen_says_so_and_the_process_ends_once_they_are_there(tmp_path: Path) -> None:
    config, port = tmp_path / "kiosk.toml", free_port()
    with running("waiting", "--config", str(config), "--port", str(port)) as process:
        status, page = answer(port, "/")
        assert status == 200
        for words in TABLES.values():
            assert words.title["no-settings"] in page
            assert words.do["no-settings"] in page
        assert f"{config}: is not there" in page
        assert answer(port, "/static/waiting.js")[0] == 200
        assert answer(port, "/static/../waiting.py")[0] == 404
        assert answer(port, "/api/state")[0] == 503
        assert answer(port, "/", Host="evil.example")[0] == 400

        config.write_text(toml(tmp_path, port).replace("campus", "campsu", 1), encoding="utf-8")
        until = time.monotonic() + WITHIN_S
        while health(port)["waiting"] != "bad-settings":
            assert time.monotonic() < until
            time.sleep(0.1)
        page = answer(port, "/")[1]
        assert "did you mean 'campus'?" in page
        assert TABLES["es"].title["bad-settings"] in page

        config.write_text(toml(tmp_path, port), encoding="utf-8")
        assert process.wait(WITHIN_S) == 0
    assert not (tmp_path / "data").exists()


def test_with_settings_it_ends_at_once_and_takes_no_port(tmp_path: Path) -> None:
    config = tmp_path / "kiosk.toml"
    with socket.create_server(("127.0.0.1", 0)) as taken:
        config.write_text(toml(tmp_path, taken.getsockname()[1]), encoding="utf-8")
        assert main(["waiting", "--config", str(config), "--port", str(taken.getsockname()[1])]) == 0


def test_a_port_that_is_taken_is_named(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        with running("waiting", "--config", str(tmp_path / "kiosk.toml"), "--port", port) as process:
            said = process.communicate(timeout=WITHIN_S)[1]
    assert process.returncode == 1
    assert f"carrel-kiosk: port {port} on 127.0.0.1 cannot be used for the screen" in said


def test_it_is_told_to_stop(tmp_path: Path) -> None:
    port = free_port()
    with running("waiting", "--config", str(tmp_path / "kiosk.toml"), "--port", str(port)) as process:
        health(port)
        process.send_signal(signal.SIGTERM)
        assert process.wait(WITHIN_S) == 0


def test_systemd_is_told_what_is_waited_for(tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(str(tmp_path / "notify"))
        manager.settimeout(WITHIN_S)
        config, port = tmp_path / "kiosk.toml", free_port()
        with running("waiting", "--config", str(config), "--port", str(port), NOTIFY_SOCKET=str(tmp_path / "notify")):
            said = manager.recv(1_000).decode()
    assert said == f"STATUS={config}: is not there; no bundle was applied to this kiosk"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("not toml", "not TOML"),
        ("", "data_dir"),
        ("\xff\xfe", "not TOML"),
        ('data_dir = "/x"\nwhat = 1\n', "unknown key"),
    ],
)
def test_whatever_is_wrong_with_a_file_is_said_and_nothing_is_raised(tmp_path: Path, text: str, said: str) -> None:
    config = tmp_path / "kiosk.toml"
    config.write_text(text, encoding="utf-8")
    found = waited_for(config)
    assert found is not None
    assert found.kind == "bad-settings"
    assert said in found.detail


def test_a_bundle_that_was_refused_is_told_with_its_reason(tmp_path: Path) -> None:
    refused = tmp_path / "refused.txt"
    refused.write_text("kiosk.toml is not as it was signed\n", encoding="utf-8")
    found = waited_for(tmp_path / "kiosk.toml", refused)
    assert found is not None
    assert found.kind == "no-settings"
    assert found.detail.endswith("no bundle was applied to this kiosk\nkiosk.toml is not as it was signed")


def test_a_folder_in_the_files_place_is_no_settings(tmp_path: Path) -> None:
    found = waited_for(tmp_path)
    assert found is not None
    assert "cannot be read" in found.detail


def test_a_page_loads_itself_anew_only_for_other_words() -> None:
    one, other = Waiting("bad-settings", "line 3"), Waiting("bad-settings", "line 4")
    assert one.release == Waiting("bad-settings", "line 3").release
    assert one.release != other.release
