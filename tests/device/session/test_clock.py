"""The machine's own clocks and zones: T3, T6, F9."""

import logging
import os
import time
from datetime import UTC, date, datetime, timedelta
from datetime import time as datetime_time
from pathlib import Path
from zoneinfo import ZoneInfo, available_timezones

import pytest
from hypothesis import given
from hypothesis import strategies as st

from device import boot
from device.release import BUILT
from device.session import windows
from device.session.clock import NS_PER_S, Instant, SystemClock, zone_of
from device.session.ledger import Ledger
from device.session.states import Fact, State
from tests.device.session.kiosk import NINE, Kiosk, booking, in_session
from wire.ledger import ClockTrust
from wire.schedule import Schedule

CHICAGO = ZoneInfo("America/Chicago")
BOOT = "6f3c1f0e-9a54-4b59-8a7e-0c4d7e4b2f11"


# F9: the files that a clock is read from


def test_f9_without_the_file_of_the_time_service_the_clock_is_held(tmp_path: Path) -> None:
    boot_id, synchronized = tmp_path / "boot_id", tmp_path / "synchronized"
    boot_id.write_text(BOOT + "\n")
    clock = SystemClock(boot_id, synchronized)
    assert (clock.now().boot, clock.now().trust) == (BOOT, ClockTrust.HELD)
    synchronized.touch()
    assert clock.now().trust is ClockTrust.SYNCED
    synchronized.unlink()
    assert clock.now().trust is ClockTrust.HELD


@pytest.mark.parametrize("text", [None, "", "6f3c1f0e-9a54", "\x00" * 36, "é" * 40])
def test_f9_a_boot_id_that_is_missing_or_half_written_is_told_and_each_start_is_a_boot(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, text: str | None
) -> None:
    path = tmp_path / "boot_id"
    if text is not None:
        path.write_text(text, encoding="utf-8")
    with caplog.at_level(logging.WARNING):
        boots = {SystemClock(path).now().boot for _ in range(2)}
    assert len(boots) == 2
    assert str(path) in caplog.text


@pytest.mark.parametrize(
    "note",
    [{}, [], "half", {"boot": "boot-1"}, {"boot": "boot-1", "mono_ns": 10**15, "wall": "2026-11-", "trust": "synced"}],
)
def test_f9_a_damaged_note_of_the_last_instant_is_told_and_the_last_row_counts(
    kiosk: Kiosk, caplog: pytest.LogCaptureFixture, note: object
) -> None:
    in_session(kiosk)
    last = kiosk.rows()[-1]
    kiosk.ledger.keep("alive", note)
    with caplog.at_level(logging.WARNING):
        found = boot.find(kiosk.ledger)
    assert found.open is not None
    assert found.open.last.mono_ns == last.mono_ns
    assert "damaged" in caplog.text


# T1: the floor


def row(ledger: Ledger, wall: datetime, trust: ClockTrust, mono_ns: int = 10**9) -> None:
    ledger.append([Fact("help.asked", {}, None, Instant(mono_ns, wall, "boot-1", trust))])


def test_t1_the_floor_is_the_newest_trusted_row_not_the_highest_time(ledger: Ledger) -> None:
    assert boot.clock_floor(ledger) == BUILT
    row(ledger, BUILT + timedelta(days=90), ClockTrust.SYNCED)  # a liar was believed once
    true = BUILT + timedelta(days=30)
    row(ledger, true, ClockTrust.SYNCED)
    row(ledger, BUILT + timedelta(days=3_650), ClockTrust.HELD)
    assert boot.clock_floor(ledger) == true
    boot.remember_alive(ledger, Instant(10**12, true + timedelta(minutes=16), "boot-1", ClockTrust.SYNCED))
    assert boot.clock_floor(ledger) == true + timedelta(minutes=16)
    boot.remember_alive(ledger, Instant(10**12, true + timedelta(days=900), "boot-1", ClockTrust.HELD))
    assert boot.clock_floor(ledger) == true


# T6: the machine's clocks


def test_t6_durations_come_from_the_clock_that_goes_on_in_sleep(monkeypatch: pytest.MonkeyPatch) -> None:
    """The kernel's clocks are read for real; that the machine slept 7 s is put in between."""
    really, nap_ns = time.clock_gettime_ns, 7 * NS_PER_S
    clock = SystemClock()
    before = clock.now()
    monkeypatch.setattr(time, "clock_gettime_ns", lambda which: really(which) + nap_ns * (which == time.CLOCK_BOOTTIME))
    after = clock.now()
    assert 0 <= after.mono_ns - before.mono_ns - nap_ns < 5 * NS_PER_S
    assert abs(after.slept_ns - before.slept_ns - nap_ns) < NS_PER_S // 100


# T3, the zone of the campus


@pytest.mark.parametrize(
    "name", ["Middle-earth/Bree", "", "America", "../../etc/passwd", "/etc/localtime", "x" * 300, "\x00"]
)
def test_t3_a_zone_that_nobody_knows_is_told_and_is_not_utc(name: str) -> None:
    with pytest.raises(ValueError, match="time zone"):
        zone_of(name)


def on(now: datetime, *starts: datetime, zone: str = "America/Chicago") -> list[str]:
    bookings = tuple(booking(f"b-{number}", start) for number, start in enumerate(starts))
    state = State(schedule=Schedule(revision=1, as_of=now, bookings=bookings), time_zone=zone)
    return [one.id for one in windows.today(state, Instant(0, now, "boot-1", ClockTrust.SYNCED))]


@pytest.mark.parametrize("night", [date(2026, 3, 8), date(2026, 11, 1), date(2028, 2, 29)])
def test_t3_a_day_of_23_25_or_24_hours_is_the_campus_own(night: date) -> None:
    """The nights in which clocks change, and a leap day; a day's bookings are those of the local date."""
    begin, end = (
        datetime.combine(day, datetime_time.min, CHICAGO).astimezone(UTC) for day in (night, night + timedelta(days=1))
    )
    moment = timedelta(seconds=1)
    told = on(begin, begin - moment, begin, begin + timedelta(hours=12), end - moment, end)
    assert told == ["b-1", "b-2", "b-3"]
    assert on(end, end - moment, end) == ["b-1"], "after midnight it is another day"
    hours = (end - begin) / timedelta(hours=1)
    assert hours == {3: 23, 11: 25, 2: 24}[night.month]


@pytest.mark.parametrize(
    ("local", "fold", "utc"),
    [
        (
            datetime(2026, 3, 8, 2, 30, tzinfo=CHICAGO),
            0,
            datetime(2026, 3, 8, 8, 30, tzinfo=UTC),
        ),  # skipped: 3:30 by the new time
        (
            datetime(2026, 11, 1, 1, 30, tzinfo=CHICAGO),
            0,
            datetime(2026, 11, 1, 6, 30, tzinfo=UTC),
        ),  # doubled: the first
        (datetime(2026, 11, 1, 1, 30, tzinfo=CHICAGO), 1, datetime(2026, 11, 1, 7, 30, tzinfo=UTC)),  # and the second
    ],
)
def test_t3_a_window_in_the_skipped_or_the_doubled_hour_opens_15_minutes_before_its_instant(
    local: datetime, fold: int, utc: datetime
) -> None:
    start = local.replace(fold=fold)
    schedule = Schedule(revision=1, as_of=utc, bookings=(booking("b-1", start.astimezone(UTC)),))

    def due(at: datetime) -> bool:
        return windows.due(schedule, Instant(0, at, "boot-1", ClockTrust.SYNCED), set()) is not None

    assert not due(utc - timedelta(minutes=15, seconds=1))
    assert due(utc - timedelta(minutes=15))
    assert due(utc + timedelta(minutes=29, seconds=59))
    assert not due(utc + timedelta(minutes=30))


@pytest.mark.parametrize("zone", ["Asia/Tokyo", "Pacific/Kiritimati", "America/Chicago"])
def test_t3_a_wrong_zone_at_the_campus_moves_the_day_and_no_window_and_no_minute(kiosk: Kiosk, zone: str) -> None:
    kiosk.state = State(phase=kiosk.state.phase, time_zone=zone, cameras=kiosk.state.cameras)
    kiosk.hold_schedule(booking("b-0900", NINE, 30))
    in_session(kiosk)
    kiosk.wait(minutes=10)
    assert kiosk.rows("session.started")[0].data["booking"] == "b-0900"
    assert kiosk.minutes().elapsed_ms == 620_000


def test_t3_the_zone_of_the_machine_itself_plays_no_part(monkeypatch: pytest.MonkeyPatch) -> None:
    noon = datetime(2026, 11, 23, 5, 30, tzinfo=UTC)  # 22nd in Chicago, 23rd in Berlin
    before = on(noon, noon - timedelta(hours=7))
    monkeypatch.setenv("TZ", "Asia/Tokyo")
    time.tzset()
    try:
        assert on(noon, noon - timedelta(hours=7)) == before == ["b-0"]
        assert on(noon, noon - timedelta(hours=7), zone="Europe/Berlin") == []
    finally:
        monkeypatch.undo()
        time.tzset()
    assert os.environ.get("TZ") != "Asia/Tokyo"


@given(
    zone=st.sampled_from(sorted(available_timezones() - {"localtime"})),
    hours=st.floats(0, 20 * 8_766),
    start=st.timedeltas(-timedelta(days=3), timedelta(days=3)),
)
def test_t3_a_booking_is_of_today_exactly_when_its_local_date_is(zone: str, hours: float, start: timedelta) -> None:
    at = datetime(2020, 1, 1, tzinfo=UTC) + timedelta(hours=hours)
    same = (at + start).astimezone(ZoneInfo(zone)).date() == at.astimezone(ZoneInfo(zone)).date()
    assert (on(at, at + start, zone=zone) == ["b-0"]) is same
