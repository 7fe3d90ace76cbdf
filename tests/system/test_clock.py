"""The clock through the whole product: T1, T2, T4, T5, by the switches that a person has in the lab."""

import time
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.system.running import Kiosk, adds_up, until

pytestmark = [pytest.mark.timeout(600)]

FIVE_YEARS = timedelta(days=5 * 365)


def told(kiosk: Kiosk) -> tuple[str, str, str | None]:
    """How far the clock is trusted, by what the time is known, and why the machine's own is not believed."""
    state = kiosk.state
    seen = state.get("time") or {"source": "?", "refused": None}
    return state.get("clock", "?"), seen["source"], seen["refused"]


def shows_true_time(kiosk: Kiosk) -> bool:
    return abs(datetime.fromisoformat(kiosk.state["at"]) - datetime.now(UTC)) < timedelta(seconds=5)


def clock_rows(kiosk: Kiosk, **wanted: Any) -> list[dict[str, Any]]:
    rows = [row for row in kiosk.ledger() if row["type"] == "clock.set"]
    return [row for row in rows if wanted.items() <= row["data"].items()]


def restarted(kiosk: Kiosk, boot: str) -> None:
    until(lambda: kiosk.state.get("boot") not in {None, boot} and kiosk.state["state"] == "idle", 30, "it booted")


@pytest.fixture(autouse=True)
def true_clock(kiosk: Kiosk) -> None:
    """NTP works, and it is true."""
    kiosk.order("clock", set=None)
    until(lambda: told(kiosk) == ("synced", "ntp", None), 20, "the clock is true")


def test_t2_steps_of_an_hour_in_a_session_change_no_minute_on_kiosk_and_fleet(kiosk: Kiosk) -> None:
    session = kiosk.start_session()
    began_s = time.monotonic()
    for hours in (1, -1):
        kiosk.order("clock", set=(datetime.now(UTC) + timedelta(hours=hours)).isoformat())
        until(lambda: clock_rows(kiosk, source="ntp"), 15, "the step is a row")
        time.sleep(2)
    kiosk.order("clock", set=None)
    here = kiosk.state["session"]["minutes"]
    passed_s = time.monotonic() - began_s
    kiosk.end_session()
    shown, minutes = kiosk.state["last_session"], kiosk.arrives(session)["minutes"]
    assert shown["id"] == session
    assert minutes == shown["minutes"], "the same numbers on kiosk and fleet"
    assert adds_up(minutes)
    assert minutes["elapsed_ms"] == minutes["running_ms"] + minutes["paused_ms"]
    assert passed_s * 1_000 <= here["elapsed_ms"] < 120_000, "hours by the wall clock, seconds by the true one"
    steps = [row["data"]["offset_ms"] for row in clock_rows(kiosk)]
    assert any(abs(step - 3_600_000) < 5_000 for step in steps)
    assert any(abs(step + 7_200_000) < 5_000 for step in steps)


def test_t5_a_time_source_that_jumps_five_years_is_not_believed_and_is_told(kiosk: Kiosk) -> None:
    kiosk.cut_link("reset")
    until(lambda: not kiosk.state["link"]["up"], 20, "no link")
    kiosk.order("clock", set=(datetime.now(UTC) + FIVE_YEARS).isoformat())
    until(lambda: told(kiosk)[2] == "jumped", 10, "it is not believed")
    assert told(kiosk)[0] in {"held", "synced"}
    assert shows_true_time(kiosk)
    until(lambda: kiosk.has_signal("clock.drift"), 45, "it is told")
    session = kiosk.start_session()
    kiosk.restore_link()
    until(lambda: told(kiosk) == ("synced", "fleet", "jumped"), 60, "the fleet's time counts")
    assert shows_true_time(kiosk)
    kiosk.end_session()
    record = kiosk.arrives(session)
    assert abs(datetime.fromisoformat(record["started_at"]) - datetime.now(UTC)) < timedelta(minutes=5)
    (row, *_) = until(lambda: clock_rows(kiosk, refused="jumped"), 20, "the refusal is a row at the fleet")
    assert abs(row["data"]["refused_ms"] - FIVE_YEARS // timedelta(milliseconds=1)) < 10_000
    seen = until(
        lambda: [one for one in kiosk.seen["signals"] if one["id"] == "clock.drift"],
        20,
        "the fleet shows it",
    )
    assert seen[0]["evidence"]["refused"] == "jumped"
    assert "NTP" in seen[0]["evidence"]["do"]


def test_t4_with_ntp_blocked_all_day_the_kiosk_goes_by_the_fleets_time(kiosk: Kiosk) -> None:
    boot = kiosk.state["boot"]
    kiosk.order("clock", set=(datetime.now(UTC) - timedelta(hours=18)).isoformat(), synchronized=False)
    kiosk.cut_power(1)
    restarted(kiosk, boot)
    until(lambda: told(kiosk) == ("synced", "fleet", None), 30, "the fleet vouches")
    assert shows_true_time(kiosk)
    assert -18 * 3_600 - 60 < kiosk.state["time"]["off_s"] < -18 * 3_600 + 60
    vitals = until(
        lambda: found if (found := kiosk.seen["health"] or {}).get("clock_source") == "fleet" else None, 40, "vitals"
    )
    assert vitals["clock"] == "synced"
    session = kiosk.start_session()
    kiosk.end_session()
    record = kiosk.arrives(session)
    assert record["clock"] == "synced"
    assert abs(datetime.fromisoformat(record["started_at"]) - datetime.now(UTC)) < timedelta(minutes=5)


def test_t1_a_boot_in_another_time_without_any_source_is_unset_until_the_fleet_is_there(kiosk: Kiosk) -> None:
    kiosk.cut_link("silent")
    for year in ("2036", "1970"):
        boot = kiosk.state["boot"]
        kiosk.order("clock", set=f"{year}-01-01T00:00:00Z", synchronized=False)
        kiosk.cut_power(1)
        restarted(kiosk, boot)
        assert told(kiosk)[0] == "unset"
    until(lambda: kiosk.has_signal("clock.unset"), 20, "it is told")
    session = kiosk.start_session()
    kiosk.restore_link()
    until(lambda: told(kiosk)[:2] == ("synced", "fleet"), 60, "the fleet vouches")
    kiosk.end_session()
    record = kiosk.arrives(session)
    assert record["clock"] == "synced", "rows of before are dated by what is known since"
    assert abs(datetime.fromisoformat(record["started_at"]) - datetime.now(UTC)) < timedelta(minutes=5)
    assert adds_up(record["minutes"])
