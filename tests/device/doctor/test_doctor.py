"""`carrel-kiosk doctor`: on a kiosk that runs, on one that has nothing, and on each thing that can be wrong."""

import asyncio
import json
import os
import sqlite3
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from device.appliance.commands import asked
from device.cli import main
from device.doctor import books, kit, machine
from device.doctor.machine import AGENT, Places, mount_of
from device.doctor.papers import look_at_papers
from device.doctor.rows import Report, Row, attention, blocked, ok, unknown
from device.health import Throttling, Vitals
from device.session import opening
from device.session.clock import SystemClock
from device.session.ledger import Ledger
from device.session.states import Fact
from device.settings import LinkSettings, PanelSettings, Settings
from tests.broker import free_port
from tests.device.appliance.kiosk_files import running, toml
from tests.device.appliance.test_waiting import health
from tests.papers import authority, paper
from wire.settings_file import read_settings
from wire.signals import Verdict

Rows = dict[str, list[dict[str, Any]]]
VITALS = Vitals(
    uptime_s=None, temperature_c=None, throttling=None, cpu_load_1m=None, memory_used_share=None,
    storage_free_bytes=None, storage_total_bytes=None, agent_rss_bytes=None, model=None,
)  # fmt: skip
MOUNTS = """\
overlay / overlay rw,relatime,lowerdir=/lower 0 0
/dev/mmcblk0p3 /var/lib/carrel ext4 rw,noatime 0 0
/dev/sda1 /var/lib/carrel\\040old ext4 ro,noatime 0 0
tmpfs /run tmpfs rw 0 0
"""


def settings(folder: Path, **link: Any) -> Settings:
    path = folder / "kiosk.toml"
    path.write_text(toml(folder, free_port()), encoding="utf-8")
    found = read_settings(Settings, path)
    return found.model_copy(update={"link": LinkSettings.model_validate({"urls": ["mqtts://127.0.0.1:1"], **link})})


def doctor(capsys: pytest.CaptureFixture[str], config: Path, *more: str) -> tuple[int, Rows, str]:
    """Exit code, rows by name, and standard error."""
    capsys.readouterr()
    code = main(["doctor", "--config", str(config), "--json", *more])
    told = capsys.readouterr()
    rows: Rows = {}
    for row in json.loads(told.out)["rows"]:
        rows.setdefault(row["name"], []).append(row)
    return code, rows, told.err


class TestTheCommand:
    def test_a_kiosk_that_runs_is_seen_as_it_is_and_not_disturbed(
        self, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        config, port = tmp_path / "kiosk.toml", free_port()
        config.write_text(toml(tmp_path, port), encoding="utf-8")
        with running("run", "--config", str(config)) as agent:
            while "state" not in health(port):
                assert agent.poll() is None
            before = asked(port, "/api/state")
            code, rows, err = doctor(capsys, config)
            after = asked(port, "/api/state")
        assert (code, err) == (0, "")
        assert rows["agent"][0]["mark"] == "ok"
        assert rows["settings"][0]["mark"] == "ok"
        assert rows["ledger"][0]["mark"] == "ok"
        assert rows["storage"][0]["mark"] == "ok"
        assert {row["mark"] for role in ("overhead", "front") for row in rows[role]} == {"attention"}
        assert "draws its picture itself" in rows["front"][0]["says"]
        assert rows["certificate"][0]["mark"] == "attention"
        assert any(row["where"] == "port 127.0.0.1:1" for row in rows["network"])
        assert before["cameras"]["front"]["state"] == after["cameras"]["front"]["state"] == "closed"
        assert before["boot"] == after["boot"]

    def test_a_kiosk_without_a_bundle_is_blocked_and_says_what_to_do(
        self, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        config = tmp_path / "kiosk.toml"
        code, rows, err = doctor(capsys, config)
        assert code == 1
        assert rows["settings"][0]["mark"] == "blocked"
        assert rows["settings"][0]["do"] == "Apply this kiosk's bundle."
        assert err == f"carrel-kiosk: blocked: settings {config}\n"

    def test_without_an_agent_the_rest_is_looked_at_all_the_same(
        self, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        config = tmp_path / "kiosk.toml"
        config.write_text(toml(tmp_path, free_port()), encoding="utf-8")
        code, rows, err = doctor(capsys, config, "--no-network")
        assert code == 1
        assert rows["agent"][0]["says"] == "no agent answers"
        assert rows["ledger"][0]["mark"] == "unknown"
        assert rows["network"][0]["mark"] == "unknown"
        assert "blocked: agent 127.0.0.1:" in err
        assert not (tmp_path / "data").exists()

    def test_a_person_reads_what_where_and_what_to_do(self) -> None:
        rows = (ok("clock", "here", "is right"), attention("disk", "/data", "is nearly full", "Free some."),
                blocked("key", "/k", "is open", "Close it."), unknown("heat", "s", "no sensor"))  # fmt: skip
        report = Report("lincoln-12", rows)
        assert report.table().splitlines() == [
            "Kiosk lincoln-12",
            "clock              ok  here: is right",
            "disk        attention  /data: is nearly full",
            "                     ! Free some.",
            "key           BLOCKED  /k: is open",
            "                     ! Close it.",
            "heat          unknown  s: no sensor",
            "4 looked at: 1 ok, 1 attention, 1 blocked, 1 unknown",
        ]
        assert report.json()["ok"] is False
        assert Report("lincoln-12", rows[:2]).json()["ok"] is True


class TestTheMachine:
    def test_a_folder_lies_on_the_nearest_mount(self) -> None:
        found = mount_of(Path("/var/lib/carrel/segments"), MOUNTS)
        assert found is not None
        assert (found.device, found.point) == ("/dev/mmcblk0p3", "/var/lib/carrel")
        assert getattr(mount_of(Path("/var/lib/carrel old"), MOUNTS), "device", None) == "/dev/sda1"
        assert getattr(mount_of(Path("/var/lib/carrelx"), MOUNTS), "kind", None) == "overlay"
        assert mount_of(Path("/data"), "") is None

    @pytest.mark.parametrize(
        ("folder", "mark"),
        [
            ("/var/lib/carrel", Verdict.READY),
            ("/var/lib/carrel old", Verdict.BLOCKED),  # read-only
            ("/run/carrel", Verdict.BLOCKED),  # gone after a power cut
            ("/srv", Verdict.BLOCKED),  # an overlay is in memory
        ],
    )
    def test_data_has_to_lie_where_it_stays(self, tmp_path: Path, folder: str, mark: Verdict) -> None:
        rows = machine.disks(Path(folder), VITALS, self.places(tmp_path))
        assert [row.mark for row in rows if row.name == "mount"] == [mark]
        assert [row.mark for row in rows if row.name == "root"] == [Verdict.READY]

    def test_a_root_that_is_written_to_and_swap_on_the_card_are_said(self, tmp_path: Path) -> None:
        swaps = "Filename Type Size Used Priority\n/dev/zram0 partition 1 0 100\n/var/swap file 1 0 -2\n"
        places = self.places(tmp_path, "/dev/mmcblk0p2 / ext4 rw,noatime 0 0\n", swaps)
        rows = {row.name: row for row in machine.disks(Path("/var/lib/carrel"), VITALS, places)}
        assert [rows[name].mark for name in ("mount", "root", "swap")] == [Verdict.ATTENTION] * 3
        assert rows["swap"].where == "/var/swap"

    def test_little_room_little_voltage_and_heat_are_said(self, tmp_path: Path) -> None:
        bad = replace(
            VITALS, storage_free_bytes=5, storage_total_bytes=100, temperature_c=84.0,
            throttling=Throttling(undervoltage_now=False, throttled_now=False, undervoltage_since_boot=True,
                                  throttled_since_boot=False),
        )  # fmt: skip
        rows = [*machine.disks(Path("/srv"), bad, self.places(tmp_path)), *machine.power(bad)]
        assert {row.name: row.mark for row in rows if row.name in {"room", "power", "heat"}} == {
            "room": Verdict.ATTENTION, "power": Verdict.ATTENTION, "heat": Verdict.ATTENTION,
        }  # fmt: skip

    @pytest.mark.parametrize(
        ("said", "mark", "words"),
        [
            ("ActiveState=active\nSubState=running\nNRestarts=0\nStatusText=idle, ready", Verdict.READY, "idle, ready"),
            ("ActiveState=active\nSubState=running\nNRestarts=7\nResult=success", Verdict.ATTENTION, "anew 7 times"),
            ("ActiveState=failed\nSubState=failed\nResult=watchdog", Verdict.BLOCKED, "last result watchdog"),
            ("ActiveState=inactive\nSubState=dead\nResult=success", Verdict.BLOCKED, "inactive (dead)"),
        ],
    )
    def test_what_systemd_says_of_a_unit(self, tmp_path: Path, said: str, mark: Verdict, words: str) -> None:
        tool = self.tool(tmp_path, f"LoadState=loaded\n{said}\n")
        rows = machine.units(replace(Places(), systemctl=str(tool)))
        assert [row.where for row in rows] == [AGENT, "carrel-screen.service"]
        assert {row.mark for row in rows} == {mark}
        assert words in rows[0].says

    def test_a_unit_that_is_not_installed_and_a_machine_without_systemd(self, tmp_path: Path) -> None:
        tool = self.tool(tmp_path, "LoadState=not-found\nActiveState=inactive\n")
        assert machine.units(replace(Places(), systemctl=str(tool)))[0].says == "is not installed"
        none = machine.units(replace(Places(), systemctl=str(tmp_path / "none")))
        assert [row.mark for row in none] == [Verdict.UNKNOWN]

    def test_a_package_that_is_missing_is_named(self, tmp_path: Path) -> None:
        said = "carrel-kiosk 0.1.0 installed\npython3-opencv 4.10 not-installed\ncage 0.2 installed\n"
        tool = self.tool(tmp_path, said)
        (row,) = machine.versions(replace(Places(), dpkg_query=str(tool)))
        assert (row.mark, row.do) == (Verdict.ATTENTION, "apt-get install python3-opencv")
        assert row.facts["cage"] == "0.2"

    @staticmethod
    def places(folder: Path, mounts: str = MOUNTS, swaps: str = "Filename\n") -> Places:
        (folder / "mounts").write_text(mounts)
        (folder / "swaps").write_text(swaps)
        return replace(Places(), mounts=folder / "mounts", swaps=folder / "swaps")

    @staticmethod
    def tool(folder: Path, says: str) -> Path:
        """A program that says what systemctl or dpkg-query said."""
        (folder / "says").write_text(says)
        path = folder / "tool"
        path.write_text(f"#!/bin/sh\ncat {folder / 'says'}\n")
        path.chmod(0o755)
        return path


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An authority with two days, and two papers of it with ninety."""
    folder = tmp_path_factory.mktemp("papers")
    authority(folder, "ours")
    paper(folder, "kiosk", days=90)
    paper(folder, "other", days=90)
    return folder


class TestPapers:
    def marks(self, made: Path, folder: Path, now: datetime | None = None, **link: Any) -> dict[str, list[Row]]:
        told = {"ca": made / "ours.pem", "certificate": made / "kiosk.pem", "key": made / "kiosk.key", **link}
        rows: dict[str, list[Row]] = {}
        for row in look_at_papers(settings(folder, **told), now or datetime.now(UTC)):
            rows.setdefault(row.name, []).append(row)
        return rows

    def test_what_fits_together_and_is_closed_is_well(self, made: Path, tmp_path: Path) -> None:
        (made / "kiosk.key").chmod(0o640)
        rows = self.marks(made, tmp_path)
        assert rows["certificate"][0].mark is rows["key"][0].mark is Verdict.READY
        assert len(rows["key"]) == 1
        assert rows["authority"][0].mark is Verdict.ATTENTION  # it has two days
        assert "signed by ours" in rows["certificate"][0].says
        assert rows["certificate"][0].facts["days"] in {89, 90}

    @pytest.mark.parametrize("mode", [0o644, 0o604, 0o660, 0o666])
    def test_a_key_that_others_may_use_is_blocked(self, made: Path, tmp_path: Path, mode: int) -> None:
        (made / "kiosk.key").chmod(mode)
        (row,) = self.marks(made, tmp_path)["key"]
        assert (row.mark, row.facts["mode"]) == (Verdict.BLOCKED, f"{mode:04o}")
        (made / "kiosk.key").chmod(0o600)

    def test_a_key_of_another_certificate_is_told(self, made: Path, tmp_path: Path) -> None:
        (made / "other.key").chmod(0o600)
        rows = self.marks(made, tmp_path, key=made / "other.key")
        assert [row.mark for row in rows["key"]] == [Verdict.READY, Verdict.BLOCKED]
        assert "do not belong together" in rows["key"][1].says

    def test_a_kiosk_that_is_not_enrolled_is_told_so(self, made: Path, tmp_path: Path) -> None:
        rows = self.marks(made, tmp_path, certificate=tmp_path / "none.pem", key=tmp_path / "none.key")
        assert "not enrolled" in rows["certificate"][0].says
        assert "not enrolled" in rows["key"][0].says
        assert rows["key"][0].mark is Verdict.BLOCKED

    def test_a_file_that_is_no_certificate_is_told(self, made: Path, tmp_path: Path) -> None:
        (tmp_path / "not.pem").write_text("-----BEGIN NOTHING-----")
        assert self.marks(made, tmp_path, ca=tmp_path / "not.pem")["authority"][0].mark is Verdict.BLOCKED

    @pytest.mark.parametrize(
        ("days", "mark"), [(-2, Verdict.BLOCKED), (1, Verdict.READY), (70, Verdict.ATTENTION), (91, Verdict.BLOCKED)]
    )
    def test_how_long_it_is_good_for(self, made: Path, tmp_path: Path, days: int, mark: Verdict) -> None:
        now = datetime.now(UTC) + timedelta(days=days)
        assert self.marks(made, tmp_path, now)["certificate"][0].mark is mark

    def test_half_a_pair_and_no_pair_are_two_things(self, made: Path, tmp_path: Path) -> None:
        assert self.marks(made, tmp_path, key=None)["certificate"][0].mark is Verdict.BLOCKED
        assert self.marks(made, tmp_path, key=None, certificate=None)["certificate"][0].mark is Verdict.ATTENTION


class TestTheKit:
    def test_pins_are_the_kits_or_said_to_be_others(self, tmp_path: Path) -> None:
        of = settings(tmp_path)
        assert kit.pins(of, tmp_path)[0].mark is Verdict.READY
        moved = of.model_copy(update={"panel": PanelSettings(lamp_pin=26)})
        assert kit.pins(moved, tmp_path)[0].mark is Verdict.ATTENTION
        twice = of.model_copy(update={"panel": PanelSettings(lamp_pin=of.panel.button_pin)})
        row = kit.pins(twice, tmp_path)[0]
        assert row.mark is Verdict.BLOCKED
        assert f"BCM {of.panel.button_pin} stands for two things" in row.says

    def test_a_machine_with_pins_names_them(self, tmp_path: Path) -> None:
        (tmp_path / "gpiochip0").touch()
        row = kit.pins(settings(tmp_path), tmp_path)[1]
        assert (row.mark, "gpiochip0" in row.says) == (Verdict.READY, True)

    def test_a_camera_that_is_not_there_is_blocked_and_one_that_mends_is_not(self, tmp_path: Path) -> None:
        of = settings(tmp_path)
        gone = of.cameras.front.model_copy(update={"uri": "v4l2:/dev/v4l/by-path/none"})
        of = of.model_copy(update={"cameras": of.cameras.model_copy(update={"front": gone})})
        rows = {row.name: row for row in asyncio.run(kit.cameras(of, None))}
        assert rows["front"].mark is Verdict.BLOCKED
        assert "this machine lists" in rows["front"].says
        told = {"cameras": {"front": {"state": "missing"}, "overhead": {"state": "restarting"}}}
        rows = {row.name: row for row in asyncio.run(kit.cameras(of, told))}
        assert (rows["front"].mark, rows["overhead"].mark) == (Verdict.BLOCKED, Verdict.ATTENTION)

    def test_libcamera_that_lists_no_such_camera_says_why(self, tmp_path: Path) -> None:
        of = settings(tmp_path)
        csi = of.cameras.front.model_copy(update={"uri": "picamera2:imx708"})
        of = of.model_copy(update={"cameras": of.cameras.model_copy(update={"front": csi})})
        rows = {row.name: row for row in asyncio.run(kit.cameras(of, None))}
        assert rows["front"].mark is Verdict.BLOCKED
        assert "libcamera does not list it: " in rows["front"].says


class TestTheLedger:
    @pytest.fixture
    def path(self, tmp_path: Path) -> Path:
        """A ledger of thirty rows, closed."""
        path, clock = tmp_path / "ledger.db", SystemClock()
        ledger = opening.open_ledger(path, clock.now())
        ledger.append([Fact("button.freed", {}, None, clock.now()) for _ in range(30)])
        ledger.close()
        return path

    def test_a_whole_one_is_read_with_the_newest_rows_chain(self, path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        (row,) = books.look_at_ledger(path)
        assert row.mark is Verdict.READY
        rows = row.facts["rows"]
        assert rows >= 30
        monkeypatch.setattr(books, "NEWEST", 10)
        (row,) = books.look_at_ledger(path)
        assert (row.facts["rows"], "the newest 10 follow" in row.says) == (rows, True)

    def test_a_changed_row_is_found(self, path: Path) -> None:
        with closing(sqlite3.connect(path)) as connection:
            body = "update rows set body = replace(body, 'button.freed', 'button.stuck') where seq = 20"
            assert connection.execute(body).rowcount == 1
            connection.commit()
        (row,) = books.look_at_ledger(path)
        assert row.mark is Verdict.BLOCKED
        assert "row 20: its hash does not follow" in row.says

    def test_damage_and_what_was_set_aside_are_told(self, path: Path) -> None:
        size = path.stat().st_size
        with path.open("r+b") as file:
            file.seek(size // 2)
            file.write(os.urandom(size // 2))
        path.with_name("ledger.db.damaged-1").touch()
        first, second = books.look_at_ledger(path)
        assert first.mark is Verdict.BLOCKED
        assert "ledger.db.damaged-1" in second.says

    def test_an_empty_file_is_damage_and_none_is_a_new_kiosk(self, tmp_path: Path) -> None:
        assert books.look_at_ledger(tmp_path / "ledger.db")[0].mark is Verdict.UNKNOWN
        (tmp_path / "ledger.db").touch()
        assert books.look_at_ledger(tmp_path / "ledger.db")[0].mark is Verdict.BLOCKED

    def test_a_ledger_in_use_is_read_beside_its_writer(self, path: Path) -> None:
        ledger = Ledger.open(path)
        try:
            ledger.append([Fact("button.freed", {}, None, SystemClock().now())])
            (row,) = books.look_at_ledger(path)
        finally:
            ledger.close()
        assert row.mark is Verdict.READY
