"""First light: one press, two cameras, one fleet, on real video."""

import time
from pathlib import Path

import pytest

from tests.system.running import Demo, Kiosk, adds_up, same_ledger, until

pytestmark = [pytest.mark.needs_mosquitto, pytest.mark.timeout(300)]


def test_a_stuck_button_cancels_what_it_started(kiosk: Kiosk) -> None:
    kiosk.order("button", gesture="stuck")
    session = kiosk.reaches("live", "starting")["session"]["id"]
    until(lambda: kiosk.has_signal("button.stuck"), 15, "the button is stuck")
    kiosk.reaches("idle")
    record = until(lambda: one if (one := kiosk.session(session))["state"] == "cancelled" else None, 10, "cancelled")
    assert record["minutes"]["elapsed_ms"] == 0
    kiosk.press()  # lets go first
    assert kiosk.reaches("live")["session"]["id"] != session


def test_a_press_starts_a_session_that_the_fleet_sees_and_a_hold_ends_it(kiosk: Kiosk, folder: Path) -> None:
    session = kiosk.start_session()
    until(lambda: (kiosk.seen["session"] or {}).get("id") == session, 5, "the board shows the session")
    kiosk.hold()
    kiosk.reaches("ending", within_s=8)
    kiosk.reaches("idle", within_s=15)
    record = kiosk.arrives(session)
    assert record["ended_by"] == "hold"
    assert adds_up(record["minutes"])
    assert record["minutes"]["elapsed_ms"] == kiosk.state["last_session"]["minutes"]["elapsed_ms"]
    same_ledger(kiosk, folder)


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
    assert kiosk.demo.http.get(f"{kiosk.screen}/api/cameras/front/snapshot.jpg").status_code == 503
    kiosk.press()
    kiosk.reaches("live", within_s=10)
    kiosk.end_session()
    record = kiosk.arrives(session)
    assert record["minutes"]["paused_ms"] > 3_000
    assert adds_up(record["minutes"])


@pytest.mark.parametrize("how", ["silent", "reset"])
def test_a_cut_network_changes_nothing_for_the_session_and_every_minute_arrives(
    kiosk: Kiosk, folder: Path, how: str
) -> None:
    session = kiosk.start_session()
    kiosk.cut_link(how)
    kiosk.reaches("buffering", within_s=10)
    time.sleep(20)
    assert kiosk.state["session"]["id"] == session
    assert kiosk.state["backlog"]["rows"] > 0
    kiosk.restore_link()
    kiosk.reaches("live", within_s=40)
    kiosk.end_session()
    record = kiosk.arrives(session)
    assert record["minutes"]["buffered_ms"] >= 19_000
    assert adds_up(record["minutes"])
    same_ledger(kiosk, folder)


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
