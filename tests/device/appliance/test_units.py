"""What goes onto a Pi: systemd's own score and reading of each unit, and what the agent relies on in them."""

import configparser
import json
import re
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

import device.appliance
from device.appliance.progress import ASK_EVERY_S, STUCK_S
from device.doctor.machine import AGENT, SCREEN, WAITING
from device.settings import ScreenSettings
from lab.bench.exposure import LIMITS

ROOT = Path(device.appliance.__file__).parent / "root"
if not ROOT.exists():  # the package's own code, whose files lie where they belong
    ROOT = Path("/")
UNITS = ROOT / "usr/lib/systemd/system"


class _Unit(configparser.RawConfigParser):
    def __init__(self, name: str) -> None:
        super().__init__(strict=False, delimiters=("=",), comment_prefixes=("#",))
        self.read(UNITS / name, encoding="utf-8")

    def optionxform(self, optionstr: str) -> str:
        return optionstr


def test_every_service_has_its_limit() -> None:
    assert {path.name for path in UNITS.glob("carrel-*.service")} == set(LIMITS)


@pytest.mark.needs_systemd
@pytest.mark.parametrize("name", LIMITS)
def test_how_much_a_service_may_reach_by_systemds_own_score(
    name: str, record_property: Callable[[str, object], None]
) -> None:
    done = subprocess.run(
        ["systemd-analyze", "security", "--offline=true", "--no-pager", str(UNITS / name)],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    found = re.search(r"exposure level for (\S+): ([0-9.]+)", done.stdout)
    assert found is not None, done.stdout
    record_property("exposure", found[2])
    assert float(found[2]) <= LIMITS[name]
    assert "ignoring" not in done.stderr


@pytest.mark.needs_systemd
def test_systemd_reads_every_line_of_every_unit(tmp_path: Path) -> None:
    """Beside the programs that only a Pi has, nothing is unknown to it."""
    copies = [Path(shutil.copy(path, tmp_path)) for path in sorted(UNITS.glob("carrel-*"))]
    done = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", *map(str, copies)], capture_output=True, text=True, check=False,
        env={"PATH": "/usr/bin:/bin:/usr/sbin", "SYSTEMD_UNIT_PATH": f"{tmp_path}:"},
    )  # fmt: skip
    ours = [line for line in done.stderr.splitlines() if "carrel-" in line]
    assert [line for line in ours if "is not executable" not in line] == []


def test_the_watchdog_waits_longer_than_a_hang_takes_to_be_known() -> None:
    agent = _Unit(AGENT)["Service"]
    assert agent["Type"] == "notify"
    assert int(agent["WatchdogSec"]) > STUCK_S + 2 * ASK_EVERY_S
    assert (agent["Restart"], agent["LimitCORE"], agent["User"]) == ("always", "0", "carrel")


def test_the_agent_comes_after_the_page_that_says_why_it_does_not() -> None:
    assert WAITING in _Unit(AGENT)["Unit"]["Wants"]
    assert WAITING in _Unit(AGENT)["Unit"]["After"]
    waiting = _Unit(WAITING)["Service"]
    assert (waiting["Type"], waiting["TimeoutStartSec"]) == ("oneshot", "infinity")
    for name in (AGENT, WAITING):
        program, command, *_ = _Unit(name)["Service"]["ExecStart"].split()
        assert program == "/opt/carrel/bin/carrel-kiosk"
        assert command in {"run", "waiting"}


def test_the_browser_can_reach_this_machine_only_and_no_file_of_the_kiosks() -> None:
    screen = _Unit(SCREEN)["Service"]
    assert (screen["IPAddressDeny"], screen["IPAddressAllow"]) == ("any", "localhost")
    assert {"-/etc/carrel", "-/var/lib/carrel"} <= set(screen["InaccessiblePaths"].split())
    assert screen["User"] != _Unit(AGENT)["Service"]["User"]
    assert f"CARREL_PORT={ScreenSettings().port}" in (UNITS / SCREEN).read_text(encoding="utf-8")
    policy = json.loads((ROOT / "etc/chromium/policies/managed/carrel.json").read_text(encoding="utf-8"))
    assert (policy["URLBlocklist"], policy["URLAllowlist"]) == (["*"], ["http://127.0.0.1"])


def test_the_log_is_bounded_and_the_machine_has_a_watchdog_that_a_pi_can_count() -> None:
    journal = (ROOT / "usr/lib/systemd/journald.conf.d/50-carrel.conf").read_text(encoding="utf-8")
    assert re.search(r"^Storage=volatile$", journal, re.MULTILINE)
    assert re.search(r"^RuntimeMaxUse=\d+M$", journal, re.MULTILINE)
    manager = (ROOT / "usr/lib/systemd/system.conf.d/50-carrel.conf").read_text(encoding="utf-8")
    found = re.search(r"^RuntimeWatchdogSec=(\d+)s$", manager, re.MULTILINE)
    assert found is not None
    assert int(found[1]) < 15
