"""Everything that can die is killed for real, in a session, on real video (M8, K1, K4): nothing is lost."""

import time
from pathlib import Path

import pytest

from tests.system.running import Kiosk, adds_up, same_ledger, until

pytestmark = [pytest.mark.needs_mosquitto, pytest.mark.timeout(300)]


def test_a_killed_agent_comes_back_into_its_session(kiosk: Kiosk, folder: Path) -> None:
    session = kiosk.start_session()
    kiosk.demo.kill("kiosks", kiosk.id, "agent")
    kiosk.reaches("no answer", within_s=5)
    assert kiosk.reaches("live", "buffering", within_s=30)["session"]["id"] == session
    time.sleep(6)
    kiosk.end_session()
    record = kiosk.arrives(session)
    assert 0 < record["minutes"]["interrupted_ms"]["unknown"] < 60_000
    assert adds_up(record["minutes"])
    same_ledger(kiosk, folder)


def test_a_power_cut_in_a_session_resumes_it_with_the_gap_named(kiosk: Kiosk, folder: Path) -> None:
    session = kiosk.start_session()
    time.sleep(3)
    kiosk.cut_power(for_s=3)
    kiosk.reaches("no answer", within_s=3)
    assert kiosk.reaches("live", "buffering", within_s=40)["session"]["id"] == session
    time.sleep(6)
    kiosk.end_session()
    minutes = kiosk.arrives(session)["minutes"]
    assert minutes["interrupted_ms"]["power"] >= 3_000
    assert adds_up(minutes)
    same_ledger(kiosk, folder)


def test_a_killed_broker_loses_nothing(kiosk: Kiosk, folder: Path) -> None:
    session = kiosk.start_session()
    kiosk.demo.kill("broker")
    kiosk.reaches("buffering", within_s=10)
    kiosk.reaches("live", within_s=60)
    kiosk.end_session()
    assert adds_up(kiosk.arrives(session)["minutes"])
    same_ledger(kiosk, folder)


def test_a_killed_fleet_is_a_link_that_is_down_and_loses_nothing(kiosk: Kiosk, folder: Path) -> None:
    session = kiosk.start_session()
    kiosk.demo.kill("fleet")
    kiosk.reaches("buffering", within_s=10)
    kiosk.reaches("live", within_s=90)
    kiosk.end_session()
    assert adds_up(kiosk.arrives(session, within_s=60)["minutes"])
    same_ledger(kiosk, folder)


def test_an_unplugged_camera_is_named_on_the_screen_and_on_the_board(kiosk: Kiosk) -> None:
    kiosk.camera("front", "unplugged")
    until(lambda: kiosk.has_signal("camera.missing", "front"), 5, "the screen says so")
    until(lambda: kiosk.seen["verdict"] == "attention", 10, "the board says so")
    kiosk.camera("front", "none")
    until(lambda: not kiosk.has_signal("camera.missing", "front"), 15, "it is well again")


def test_a_hung_camera_is_killed_and_comes_back(kiosk: Kiosk) -> None:
    before = kiosk.demo.pid("kiosks", kiosk.id, "overhead")
    kiosk.camera("overhead", "hung")
    until(lambda: kiosk.state["cameras"]["overhead"]["pid"] not in {before, None}, 15, "a new worker")
    kiosk.camera("overhead", "none")
    until(lambda: kiosk.state["cameras"]["overhead"]["state"] == "open", 20, "pictures are back")


def test_a_killed_camera_worker_leaves_the_session_alone(kiosk: Kiosk) -> None:
    session = kiosk.start_session()
    kiosk.demo.kill("kiosks", kiosk.id, "front")
    until(lambda: kiosk.state["cameras"]["front"]["state"] != "open", 5, "it is noticed")
    until(lambda: kiosk.state["cameras"]["front"]["state"] == "open", 15, "pictures are back")
    assert kiosk.state["session"]["id"] == session
    kiosk.end_session()
