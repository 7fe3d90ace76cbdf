"""First light: one press, two cameras, one fleet, on real video, with every fault caused for real."""

import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.system.running import Demo, Kiosk, processes_of, running_demo, until

pytestmark = [pytest.mark.needs_mosquitto, pytest.mark.timeout(300)]


@pytest.fixture(scope="module")
def demo() -> Iterator[Demo]:
    with running_demo("--kiosks", "1") as found:
        yield found


@pytest.fixture
def kiosk(demo: Demo) -> Kiosk:
    """A kiosk at rest: linked, both cameras open, no session, its button let go long enough to start anew."""
    found = demo.kiosk
    found.restore_link()
    for role in ("overhead", "front"):
        found.camera(role, "none")
    if found.state["state"] not in {"idle", "no answer"}:
        found.reaches("live", "buffering", "paused", "idle", within_s=60)
        if found.state["state"] != "idle":
            time.sleep(6)
            found.end_session()
    until(
        lambda: (
            (now := found.state)["state"] == "idle"
            and now["link"]["up"]
            and all(one["state"] == "open" for one in now["cameras"].values())
        ),
        60,
        "the kiosk is at rest",
    )
    return found


def adds_up(minutes: dict[str, Any]) -> bool:
    parts = minutes["running_ms"] + minutes["paused_ms"] + sum(minutes["interrupted_ms"].values())
    return bool(parts == minutes["elapsed_ms"])


def same_ledger(kiosk: Kiosk) -> None:
    """The fleet holds the kiosk's rows from seq 1 on, none twice, and nothing waits."""
    until(lambda: kiosk.state["backlog"]["rows"] == 0, 40, "every row is confirmed")
    assert [row["seq"] for row in kiosk.ledger()] == list(range(1, len(kiosk.ledger()) + 1))


def test_a_stuck_button_cancels_what_it_started(kiosk: Kiosk) -> None:
    kiosk.order("button", gesture="stuck")
    session = kiosk.reaches("live", "starting")["session"]["id"]
    until(lambda: kiosk.has_signal("button.stuck"), 15, "the button is stuck")
    kiosk.reaches("idle")
    record = until(lambda: one if (one := kiosk.session(session))["state"] == "cancelled" else None, 10, "cancelled")
    assert record["minutes"]["elapsed_ms"] == 0
    kiosk.press()  # lets go first
    assert kiosk.reaches("live")["session"]["id"] != session


def test_a_press_starts_a_session_that_the_fleet_sees_and_a_hold_ends_it(kiosk: Kiosk) -> None:
    session = kiosk.start_session()
    until(lambda: (kiosk.seen["session"] or {}).get("id") == session, 5, "the board shows the session")
    kiosk.hold()
    kiosk.reaches("ending", within_s=8)
    kiosk.reaches("idle", within_s=15)
    record = kiosk.arrives(session)
    assert record["ended_by"] == "hold"
    assert adds_up(record["minutes"])
    assert record["minutes"]["elapsed_ms"] == kiosk.state["last_session"]["minutes"]["elapsed_ms"]
    same_ledger(kiosk)


def test_a_hold_is_undone_by_a_press(kiosk: Kiosk) -> None:
    session = kiosk.start_session()
    kiosk.hold()
    kiosk.reaches("ending", within_s=8)
    kiosk.press()
    assert kiosk.reaches("live", within_s=5)["session"]["id"] == session
    kiosk.end_session()


def test_a_press_pauses_at_once_with_both_cameras_closed(kiosk: Kiosk) -> None:
    session = kiosk.start_session()
    kiosk.press()
    kiosk.reaches("paused", within_s=3)
    until(
        lambda: all(one["state"] == "closed" for one in kiosk.state["cameras"].values()), 5, "both cameras are closed"
    )
    assert not kiosk.state["camera_lamp"]
    assert kiosk.demo.http.get(f"{kiosk.screen}api/cameras/front/snapshot.jpg").status_code == 503
    kiosk.press()
    kiosk.reaches("live", within_s=10)
    kiosk.end_session()
    record = kiosk.arrives(session)
    assert record["minutes"]["paused_ms"] > 3_000
    assert adds_up(record["minutes"])


@pytest.mark.parametrize("how", ["silent", "reset"])
def test_a_cut_network_changes_nothing_for_the_session_and_every_minute_arrives(kiosk: Kiosk, how: str) -> None:
    session = kiosk.start_session()
    kiosk.cut_link(how)
    kiosk.reaches("buffering", within_s=10)
    time.sleep(10)
    assert kiosk.state["session"]["id"] == session
    assert kiosk.state["backlog"]["rows"] > 0
    kiosk.restore_link()
    kiosk.reaches("live", within_s=40)
    kiosk.end_session()
    record = kiosk.arrives(session)
    assert record["minutes"]["buffered_ms"] >= 9_000
    assert adds_up(record["minutes"])
    same_ledger(kiosk)


def test_a_killed_agent_comes_back_into_its_session(kiosk: Kiosk) -> None:
    session = kiosk.start_session()
    kiosk.demo.kill("kiosks", kiosk.id, "agent")
    kiosk.reaches("no answer", within_s=5)
    assert kiosk.reaches("live", "buffering", within_s=30)["session"]["id"] == session
    time.sleep(6)
    kiosk.end_session()
    record = kiosk.arrives(session)
    assert 0 < record["minutes"]["interrupted_ms"]["unknown"] < 60_000
    assert adds_up(record["minutes"])
    same_ledger(kiosk)


def test_a_power_cut_in_a_session_resumes_it_with_the_gap_named(kiosk: Kiosk) -> None:
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
    same_ledger(kiosk)


def test_a_killed_broker_loses_nothing(kiosk: Kiosk) -> None:
    session = kiosk.start_session()
    kiosk.demo.kill("broker")
    kiosk.reaches("buffering", within_s=10)
    kiosk.reaches("live", within_s=60)
    kiosk.end_session()
    assert adds_up(kiosk.arrives(session)["minutes"])
    same_ledger(kiosk)


def test_a_killed_fleet_is_a_link_that_is_down_and_loses_nothing(kiosk: Kiosk) -> None:
    session = kiosk.start_session()
    kiosk.demo.kill("fleet")
    kiosk.reaches("buffering", within_s=10)
    kiosk.reaches("live", within_s=90)
    kiosk.end_session()
    assert adds_up(kiosk.arrives(session, within_s=60)["minutes"])
    same_ledger(kiosk)


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


def test_a_clock_set_to_1970_is_a_signal_and_moves_no_minutes(kiosk: Kiosk) -> None:
    session = kiosk.start_session()
    kiosk.order("clock", set="1970-01-01T00:00:00Z")
    until(lambda: kiosk.has_signal("clock.unset"), 15, "the clock is unset")
    kiosk.order("clock", set=None)
    until(lambda: not kiosk.has_signal("clock.unset"), 10, "the clock is true again")
    kiosk.end_session()
    minutes = kiosk.arrives(session)["minutes"]
    assert adds_up(minutes)
    assert minutes["elapsed_ms"] < 3_600_000
    assert minutes["unknown_gaps"] == 0


def test_a_command_is_answered_and_a_wrong_one_is_not_run(demo: Demo, kiosk: Kiosk) -> None:
    token = {"Authorization": f"Bearer {demo.told['api_token']}"}
    answer = demo.http.post(f"{demo.url}/api/v1/kiosks/{kiosk.id}/commands", json={"name": "preflight"}, headers=token)
    assert answer.status_code == 202, answer.text
    command = answer.json()["id"]
    found = until(
        lambda: one if (one := demo.fleet(f"kiosks/{kiosk.id}/commands/{command}"))["reply"] else None, 12, "a reply"
    )
    assert found["reply"]["ok"]
    assert found["reply"]["result"]["cameras"] == {"overhead": "open", "front": "open"}


def test_the_demo_ends_cleanly_with_nothing_left(tmp_path: Path) -> None:
    with running_demo("--kiosks", "2", "--data-dir", str(tmp_path), clips=False) as found:
        assert len(processes_of(tmp_path)) >= 3
        agents = [
            found.pid("kiosks", kiosk.id, role) for kiosk in found.kiosks for role in ("agent", "overhead", "front")
        ]
    assert processes_of(tmp_path) == []
    assert not [pid for pid in agents if Path(f"/proc/{pid}").exists()]


def test_a_demo_that_is_killed_leaves_nothing_either(tmp_path: Path) -> None:
    with running_demo("--kiosks", "1", "--data-dir", str(tmp_path), clips=False) as found:
        workers = [found.pid("kiosks", found.kiosk.id, role) for role in ("agent", "overhead", "front")]
        os.kill(found.process.pid, signal.SIGKILL)
        found.process.wait()
        until(lambda: not processes_of(tmp_path), 10, "every child is gone")
        until(lambda: not [pid for pid in workers if Path(f"/proc/{pid}").exists()], 10, "every worker is gone")
    assert found.process.returncode == -signal.SIGKILL
