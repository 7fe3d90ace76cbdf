"""`make bench-loss` in small: what belongs to be zero is zero, and with something broken on purpose it is not."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from tests.system.running import Kiosk, adds_up, same_ledger

pytestmark = [pytest.mark.needs_mosquitto, pytest.mark.timeout(400)]

_FLEET_STOPPED_S = float(os.environ.get("CARREL_FLEET_STOPPED_S", "10"))
"""docs/reliability.md has it with 300."""
_HERE = Path(__file__).parents[2]


def bench(folder: Path, *arguments: str) -> tuple[int, str, dict[str, Any]]:
    command = [sys.executable, "-P", "-m", "lab.bench.loss", *arguments, "--results", str(folder)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=_HERE, timeout=380)
    (found,) = folder.glob("loss*.json")
    return done.returncode, done.stdout + done.stderr, json.loads(found.read_text())


def may_miss(told: dict[str, Any]) -> bool:
    """Making a disk takes root; everything else must have run."""
    return os.geteuid() == 0 or all("root" in why for why in told["not_run"].values())


def test_nothing_is_lost_and_nothing_doubled(tmp_path: Path) -> None:
    code, printed, told = bench(tmp_path, "--quick", "kills", "refusals", "year", "cuts", "broker", "fleet")
    assert code == 0, printed
    assert may_miss(told), printed
    assert len(told["rows"]) + len(told["not_run"]) == 8
    for row in told["rows"]:
        assert row["ok"], printed
        assert (row["lost"], row["doubled"]) == (0, 0), printed
        assert row["facts"] > 20, printed


def test_the_bench_notices_what_is_broken_on_purpose(tmp_path: Path) -> None:
    code, printed, told = bench(tmp_path, "--quick", "--mutate")
    assert code == 0, printed
    assert may_miss(told), printed
    assert len(told["rows"]) + len(told["not_run"]) == 5
    assert all("the bench found" in row["note"] and row["ok"] for row in told["rows"]), printed


def test_fleet_stopped_broker_killed_twice_power_cut_and_every_row_is_there_once(kiosk: Kiosk, folder: Path) -> None:
    session = kiosk.start_session()
    fleet = kiosk.demo.pid("fleet")
    os.kill(fleet, signal.SIGSTOP)
    try:
        kiosk.reaches("buffering", within_s=20)
        kiosk.demo.kill("broker")
        time.sleep(_FLEET_STOPPED_S / 2)
        kiosk.cut_power(for_s=3)
        kiosk.reaches("no answer", within_s=5)
        assert kiosk.reaches("live", "buffering", within_s=60)["session"]["id"] == session
        time.sleep(_FLEET_STOPPED_S / 2)
    finally:
        os.kill(fleet, signal.SIGCONT)
    kiosk.reaches("live", within_s=120)
    kiosk.demo.kill("broker")
    kiosk.reaches("buffering", within_s=20)
    kiosk.reaches("live", within_s=120)
    kiosk.end_session()
    found = kiosk.arrives(session, within_s=90)
    assert adds_up(found["minutes"])
    assert found["minutes"]["interrupted_ms"]["power"] >= 3_000
    assert found["minutes"]["buffered_ms"] >= _FLEET_STOPPED_S * 1_000 / 2
    same_ledger(kiosk, folder)
