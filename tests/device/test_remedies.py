"""When a remedy runs, how often, whom it never disturbs, and that what it said is kept and told."""

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime, time, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from device.errors import KioskError
from device.remedies import Do, Remedies, due
from device.session.clock import Instant
from device.session.journal import Journal
from device.session.ledger import Ledger
from device.session.states import Phase, Session, State
from wire.ledger import ClockTrust
from wire.remedies import REMEDIES, Remedy
from wire.schedule import Booking, Schedule
from wire.signal_table import SIGNALS
from wire.signals import ActiveSignal, Severity

NOON = datetime(2026, 11, 24, 18, 0, tzinfo=UTC)  # noon in Chicago
IDLE = State(phase=Phase.IDLE, time_zone="America/Chicago")
ONE = Remedy(name="x", words="try x", after_s=60, every_s=600, per_day=3)


def at(seconds: float = 0, wall: datetime = NOON) -> Instant:
    return Instant(round((10_000 + seconds) * 1e9), wall + timedelta(seconds=seconds), "boot", ClockTrust.SYNCED)


def test_every_remedy_is_said_in_the_table_of_signals() -> None:
    for signal in REMEDIES:
        assert SIGNALS[signal].remedy, signal


@pytest.mark.parametrize(
    ("active_s", "tried_s", "expected"),
    [
        (59, [], False),
        (60, [], True),
        (5_000, [599], False),
        (5_000, [600], True),
        (90_000, [86_399, 700, 80_000], False),
        (90_000, [86_401, 700, 80_000], True),
    ],
)
def test_its_times_and_its_rate(active_s: float, tried_s: Sequence[float], expected: bool) -> None:
    assert due(ONE, active_s, tried_s, IDLE, at()) is expected


def test_a_session_is_left_alone_unless_the_data_say_otherwise() -> None:
    live = State(phase=Phase.LIVE, session=Session("s", None, frozenset(), 10**18))
    assert not due(ONE, 100, [], live, at())
    assert due(ONE.model_copy(update={"in_session": True}), 100, [], live, at())


@pytest.mark.parametrize(("minutes", "expected"), [(-40, True), (-20, False), (4, False), (6, True)])
def test_bookings_are_kept_clear_of(minutes: float, expected: bool) -> None:
    booking = Booking(id="b-1", start=NOON + timedelta(minutes=minutes), planned_ms=1_800_000, therapist="t-1")
    state = State(phase=Phase.IDLE, schedule=Schedule(revision=1, as_of=NOON, bookings=(booking,)))
    assert due(ONE.model_copy(update={"clear_of_bookings_s": 300}), 100, [], state, at()) is expected


@pytest.mark.parametrize(("hour_utc", "expected"), [(12, True), (13, False), (18, False), (22, False), (23, True)])
def test_quiet_hours_are_the_campus_own(hour_utc: int, expected: bool) -> None:
    quiet = ONE.model_copy(update={"quiet": (time(7), time(17))})
    now = at(wall=datetime(2026, 11, 24, hour_utc, 0, tzinfo=UTC))
    assert due(quiet, 100, [], IDLE, now) is expected


@given(st.lists(st.floats(0, 100_000), max_size=10), st.floats(0, 200_000))
def test_it_is_never_due_more_often_than_its_rate_allows(tried_s: list[float], active_s: float) -> None:
    if due(ONE, active_s, tried_s, IDLE, at()):
        assert sum(one < 86_400 for one in tried_s) < 3
        assert all(one >= 600 for one in tried_s)


def signal(id_: str) -> ActiveSignal:
    return ActiveSignal(id=id_, severity=Severity.ATTENTION, since=NOON)


def run(tmp_path: Path, do: Do, times: Sequence[float], active: Sequence[str] = ("clock.drift",)) -> Remedies:
    async def story() -> Remedies:
        journal = Journal(Ledger.open(tmp_path / "ledger.db"))
        remedies = Remedies({"time-sync": do}, journal)
        for seconds in times:
            await remedies.step([signal(one) for one in active], IDLE, at(seconds))
        kept = await journal.call(lambda ledger: ledger.kept("remedies"))
        assert len(kept or []) == len(remedies.tries)
        await journal.close()
        return remedies

    return asyncio.run(story())


def test_what_it_said_is_kept_and_told_as_evidence(tmp_path: Path) -> None:
    async def do() -> str:
        return "the time service was asked"

    remedies = run(tmp_path, do, [0, 30, 60, 61, 900])
    assert len(remedies.tries) == 1
    assert remedies.told()["clock.drift", None] == {
        "name": "time-sync", "at": "2026-11-24T18:01:00+00:00", "ok": True, "output": "the time service was asked",
    }  # fmt: skip
    assert run(tmp_path, do, [0, 60, 959, 960]).tries[-1].mono_s == 10_960


def test_one_that_fails_says_why_and_is_not_tried_without_end(tmp_path: Path) -> None:
    async def do() -> str:
        raise KioskError("this user may not")

    remedies = run(tmp_path, do, range(0, 3_600, 10))
    assert len(remedies.tries) == 4
    assert remedies.told()["clock.drift", None]["ok"] is False
    assert remedies.told()["clock.drift", None]["output"] == "this user may not"


def test_when_the_signal_is_over_nothing_is_told_of_it(tmp_path: Path) -> None:
    async def do() -> str:
        return "done"

    async def story() -> None:
        journal = Journal(Ledger.open(tmp_path / "ledger.db"))
        remedies = Remedies({"time-sync": do}, journal)
        for seconds, active in ((0, ["clock.drift"]), (70, ["clock.drift"]), (71, [])):
            await remedies.step([signal(one) for one in active], IDLE, at(seconds))
        assert remedies.told() == {}
        assert len(remedies.tries) == 1, "but it is remembered, so that flapping is no way around the rate"
        await remedies.step([signal("clock.drift")], IDLE, at(80))
        await remedies.step([signal("clock.drift")], IDLE, at(145))
        assert len(remedies.tries) == 1
        await journal.close()

    asyncio.run(story())
