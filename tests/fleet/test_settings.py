"""The fleet's settings: what cannot be used is refused with words that help."""

from pathlib import Path

import pytest

from fleet.errors import SettingsUnusable
from fleet.settings import load


def written(folder: Path, text: str) -> Path:
    path = folder / "fleet.toml"
    path.write_text(text)
    return path


def test_an_empty_file_is_a_fleet_on_this_machine(tmp_path: Path) -> None:
    settings = load(written(tmp_path, ""))
    assert settings.brokers == ("mqtt://127.0.0.1:1883",)
    assert settings.database_url == f"sqlite:///{tmp_path / 'fleet-data' / 'fleet.sqlite'}"
    assert settings.own_url == "http://127.0.0.1:8000"


def test_paths_count_from_the_settings_file(tmp_path: Path) -> None:
    text = """
    data_dir = "data"
    public_url = "https://fleet.example/"
    hosts = ["Fleet.lan"]
    [tls]
    ca = "pki/ca.pem"
    [broker_login]
    username = "fleet"
    password_file = "broker.password"
    [smtp]
    host = "mail.example"
    sender = "carrel@school.example"
    username = "carrel"
    password_file = "mail.password"
    [webhook]
    ca = "pki/hooks.pem"
    """
    settings = load(written(tmp_path, text))
    assert settings.data_dir == tmp_path / "data"
    assert settings.tls.ca == tmp_path / "pki/ca.pem"
    assert settings.tls.cert is None
    assert settings.broker_login is not None
    assert settings.broker_login.password_file == tmp_path / "broker.password"
    assert settings.smtp is not None
    assert (settings.smtp.password_file, settings.smtp.ca) == (tmp_path / "mail.password", None)
    assert settings.webhook.ca == tmp_path / "pki/hooks.pem"
    assert settings.own_url == "https://fleet.example"
    assert settings.known_hosts == {"fleet.example", "fleet.lan", "127.0.0.1"}


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('brokerz = ["mqtts://x"]', "did you mean 'brokers'"),
        ('brokers = ["mqtt://broker.example"]', "use mqtts:// or wss://"),
        ('brokers = ["http://broker.example"]', "begins with mqtts://"),
        ('brokers = ["file:///etc/passwd"]', "begins with mqtts://"),
        ('brokers = ["mqtts://me:secret@broker.example"]', r"use \[broker_login\]"),
        ('brokers = ["mqtts://"]', "names no host"),
        ('brokers = ["mqtts://broker.example:99999"]', "Port out of range"),
        ("brokers = []", "at least 1 item"),
        ("port = 70000", "port: "),
        ('port = "many"', "port: "),
        ('public_url = "fleet.example"', "https://fleet.example"),
        ('public_url = "https://fleet.example/path"', "without a path"),
        ('[tls]\ncert = "a.pem"', "belong together"),
        ("[", "not TOML"),
        ('[smtp]\nhost = "mail.example"\nsender = "c@d.example"\nsecurity = "none"', "this machine only"),
        ('[smtp]\nhost = "mail.example"\nsender = "c@d.example"\nusername = "c"', "belong together"),
        ('[smtp]\nhost = "mail.example"\nsender = "c@d.example"\npasword_file = "c"', "did you mean 'password_file'"),
        ('[school_hours]\nzone = "Chicago"', "write for example America/Chicago"),
        ("[school_hours]\nbegins = 17:00:00\nends = 07:00:00", "before begins"),
        ('[school_hours]\ndays = ["monday"]', "days"),
        ("keep_incidents_days = 1", "keep_incidents_days"),
    ],
)
def test_what_cannot_be_used_is_refused_with_file_key_and_advice(tmp_path: Path, text: str, words: str) -> None:
    path = written(tmp_path, text)
    with pytest.raises(SettingsUnusable, match=words) as refusal:
        load(path)
    assert str(path) in str(refusal.value)
    assert "secret" not in str(refusal.value)


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(SettingsUnusable, match=r"nowhere\.toml"):
        load(tmp_path / "nowhere.toml")
