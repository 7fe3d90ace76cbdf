"""`carrel-fleet` from the outside: real processes, one clear line when something is wrong."""

import signal
import socket
import sqlite3
import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest

from fleet.cli import main
from tests.broker import free_port, needs_mosquitto, running_mosquitto
from tests.fleet.serving import Outbox, running_service, until
from tests.fleet.world import Fleet, Kiosk


def carrel_fleet(*arguments: str) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-m", "fleet.cli", *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)


@pytest.fixture
def config(tmp_path: Path) -> str:
    path = tmp_path / "fleet.toml"
    path.write_text(f'port = {free_port()}\ndata_dir = "data"\nbrokers = ["mqtt://127.0.0.1:{free_port()}"]\n')
    return str(path)


def says_one_line(answer: "subprocess.CompletedProcess[str]") -> str:
    assert answer.returncode == 1
    assert answer.stdout == ""
    [line] = answer.stderr.strip().splitlines()
    assert line.startswith("carrel-fleet: ")
    return line


@pytest.mark.parametrize(
    "command", [[], ["serve"], ["ingest"], ["migrate"], ["explain"], ["user"], ["user", "add"], ["user", "list"]]
)
def test_every_command_has_help(capsys: pytest.CaptureFixture[str], command: list[str]) -> None:
    with pytest.raises(SystemExit) as end:
        main([*command, "--help"])
    assert end.value.code == 0
    assert "usage: carrel-fleet" in capsys.readouterr().out


def test_a_person_is_added_listed_and_removed(config: str, tmp_path: Path) -> None:
    added = carrel_fleet("user", "add", "ida", "--role", "it", "--campus", "lincoln", "--link", "--config", config)
    assert added.returncode == 0
    assert "/sign-in/" in added.stdout
    token = carrel_fleet("user", "add", "api", "--role", "service", "--token", "--hours", "1", "--config", config)
    assert len(token.stdout.strip()) == 43
    listed = carrel_fleet("user", "list", "--config", config)
    assert listed.stdout.splitlines() == ["api\tservice\tall campuses", "ida\tit\tlincoln"]
    assert carrel_fleet("user", "remove", "ida", "--config", config).returncode == 0
    assert "nobody called 'ida'" in says_one_line(carrel_fleet("user", "remove", "ida", "--config", config))
    with sqlite3.connect(tmp_path / "data" / "fleet.sqlite") as database:
        notes = [what for (what,) in database.execute("select what from audit order by id")]
        [(secrets,)] = database.execute("select count(*) from credentials")
    database.close()
    assert notes == ["person.put", "link.issued", "person.put", "token.issued", "person.removed"]
    assert secrets == 1


@pytest.mark.parametrize(
    "arguments",
    [
        ["user", "add", "ida", "--role", "king"],
        ["user", "add", "ida"],
        ["user", "add", "", "--role", "it"],
        ["user", "add", "ida", "--role", "it", "--campus", "../etc"],
        ["user", "add", "ida", "--role", "it", "--hours", "0"],
        ["user", "add", "ida", "--role", "it", "--link", "--token"],
        ["serve", "--port", "80000"],
        ["dance"],
    ],
)
def test_what_cannot_be_done_is_refused_before_anything_is(
    config: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], arguments: list[str]
) -> None:
    with pytest.raises(SystemExit) as end:
        main([*arguments, *(["--config", config] if arguments != ["dance"] else [])])
    assert end.value.code == 2
    assert "usage:" in capsys.readouterr().err
    assert not (tmp_path / "data").exists()


def test_a_settings_file_that_is_wrong_or_missing_is_named(tmp_path: Path) -> None:
    missing = tmp_path / "nowhere.toml"
    assert str(missing) in says_one_line(carrel_fleet("serve", "--config", str(missing)))
    wrong = tmp_path / "wrong.toml"
    wrong.write_text("prot = 1")
    assert "did you mean 'port'" in says_one_line(carrel_fleet("serve", "--config", str(wrong)))


def test_a_port_that_is_taken_is_named_with_the_way_out(config: str, tmp_path: Path) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = str(other.getsockname()[1])
        line = says_one_line(carrel_fleet("serve", "--port", port, "--config", config))
    assert port in line
    assert "--port" in line


def test_a_database_that_cannot_be_opened_is_named(config: str, tmp_path: Path) -> None:
    (tmp_path / "data").write_text("a file where a folder belongs")
    assert "data" in says_one_line(carrel_fleet("migrate", "--config", config))


def test_migrate_makes_the_database(config: str, tmp_path: Path) -> None:
    assert carrel_fleet("migrate", "--config", config).returncode == 0
    assert (tmp_path / "data" / "fleet.sqlite").exists()


def test_explain_of_no_session_says_so(config: str) -> None:
    assert "no session 'x'" in says_one_line(carrel_fleet("explain", "x", "--config", config))


@needs_mosquitto
def test_serve_runs_says_nothing_on_stdout_and_stops_when_asked(tmp_path: Path) -> None:
    kiosk = Kiosk()
    with running_mosquitto() as broker, running_service(tmp_path, broker.url) as service:
        until(service.is_ready, "ready")
        session = kiosk.whole_session()
        with Outbox(kiosk, broker.port) as outbox:
            until(lambda: outbox.is_empty, "all acknowledged")
        until(lambda: service.get("/api/v1/sessions")["items"][0]["complete"], "folded")
        told = service.run("explain", session, "--config", str(service.config)).stdout
        assert "session.started" in told
        assert "state ended, complete" in told
        minutes = service.get(f"/api/v1/sessions/{session}")["minutes"]
        assert f"running_ms {minutes['running_ms']} = " in told
        for name in ("elapsed_ms", "running_ms", "paused_ms", "buffered_ms"):
            (line,) = [line for line in told.splitlines() if line.startswith(name)]
            value, _, sum_ = line.removeprefix(name).partition(" = ")
            stretches = [part.strip("()").split(" - ") for part in sum_.split(" + ")]
            assert sum(int(end) - int(start) for end, start in stretches) == int(value), line
        with httpx.stream("GET", service.url("/healthz")):
            began = time.monotonic()
            assert service.stop() == 0
            assert time.monotonic() - began < 15
        assert "Traceback" not in service.log()
        assert (tmp_path / "fleet.out").read_text() == ""


@needs_mosquitto
def test_ingest_alone_keeps_rows_and_stops_when_asked(tmp_path: Path) -> None:
    kiosk = Kiosk()
    kiosk.whole_session()
    with running_mosquitto() as broker:
        config = tmp_path / "fleet.toml"
        config.write_text(f'data_dir = "data"\nbrokers = ["{broker.url}"]\n')
        command = ["setpriv", "--pdeathsig", "KILL", sys.executable, "-m", "fleet.cli", "ingest", "--config"]
        with subprocess.Popen([*command, str(config)], stderr=subprocess.DEVNULL) as process:
            with Outbox(kiosk, broker.port) as outbox:
                until(lambda: outbox.is_empty, "all acknowledged")
            process.send_signal(signal.SIGINT)
            assert process.wait(15) == 0


def test_a_list_of_bookings_is_imported_and_its_faults_are_told_one_a_line(fleet: Fleet, tmp_path: Path) -> None:
    kiosk = Kiosk()
    fleet.take(kiosk.is_born())
    config, listed = tmp_path / "fleet.toml", tmp_path / "bookings.csv"
    config.write_text(f'data_dir = "{tmp_path}"\ntime_zone = "America/Chicago"\n')
    day = f"{datetime.now(UTC) + timedelta(days=2):%Y-%m-%d}"
    header = "kiosk,therapist,student,start,minutes\n"
    listed.write_text(f"{header}nowhere,th-lane,s-0418,{day} 10:00,30\n{kiosk.id},th-lane,=A1,{day} 10:00,30\n")
    command = ("schedule", "import", str(listed), "--config", str(config))
    refused = carrel_fleet(*command)
    assert refused.returncode == 1
    first, second, last = refused.stderr.strip().splitlines()
    assert "line 2, kiosk: no kiosk or room 'nowhere'" in first
    assert "line 3, student: is a spreadsheet's formula" in second
    assert last.startswith("carrel-fleet: 2 values do not fit")
    listed.write_text(f"{header}{kiosk.id},th-lane,s-0418,{day} 10:00,30\n")
    assert carrel_fleet(*command).stdout == "1 added, 0 changed, 0 as they were\n"
    assert carrel_fleet(*command).stdout == "0 added, 0 changed, 1 as they were\n"
    owed = tmp_path / "mandates.csv"
    owed.write_text("student,minutes,per,from,until\ns-0418,60,week,2026-08-17,2027-05-28\n")
    done = carrel_fleet("schedule", "mandates", str(owed), "--campus", "lincoln", "--config", str(config))
    assert done.stdout == "1 added, 0 changed, 0 as they were\n", done.stderr


def test_the_webhooks_secret_is_made_once_and_exchanged_on_demand(config: str) -> None:
    first = carrel_fleet("webhook-secret", "--config", config).stdout.strip()
    assert first.startswith("whsec_")
    assert carrel_fleet("webhook-secret", "--config", config).stdout.strip() == first
    fresh = carrel_fleet("webhook-secret", "--new", "--config", config).stdout.strip()
    assert fresh != first
    kept = (Path(config).parent / "data" / "webhook-secrets").read_text().split()
    assert kept == [fresh, first]
