"""The kiosk's one queue: what happens at once, and what happens while the disk refuses."""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from device import chimes
from device.chores import retry_ledger, say_booted
from device.errors import Refused
from device.gestures import Gesture, Kind
from device.kiosk import Kiosk
from device.session import states as s
from device.session.clock import Instant
from device.session.journal import Journal
from device.session.kiosk_clock import KioskClock
from device.session.ledger import Ledger
from device.session.states import Phase
from device.settings import Settings
from lab.clock import LabClock
from wire.ledger import ClockTrust
from wire.signals import Verdict


@contextlib.asynccontextmanager
async def kiosk_in(folder: Path) -> AsyncIterator[Kiosk]:
    settings = Settings.model_validate(
        {
            "data_dir": folder,
            "kiosk": {"id": "lincoln-12", "campus": "lincoln"},
            "link": {"urls": ["mqtt://127.0.0.1:1"]},
            "cameras": {"idle": "closed", "overhead": {"uri": "scene:desk"}, "front": {"uri": "scene:student"}},
        }
    )
    journal = Journal(Ledger.open(folder / "ledger.db"))
    kiosk = Kiosk(settings, LabClock("boot-1", 0), journal, None, {})
    kiosk.post(s.Booted("0"))
    tasks = [asyncio.ensure_future(kiosk.run()), asyncio.ensure_future(retry_ledger(kiosk, journal))]
    try:
        await until(lambda: kiosk.state.phase is Phase.IDLE)
        yield kiosk
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)
        await journal.close()


async def until(true: Callable[[], bool], within_s: float = 30.0) -> None:
    async with asyncio.timeout(within_s):
        while not true():  # noqa: ASYNC110
            await asyncio.sleep(0.01)


def scenario(folder: Path, story: Callable[[Kiosk], Awaitable[None]]) -> None:
    async def run() -> None:
        async with kiosk_in(folder) as kiosk:
            await story(kiosk)

    asyncio.run(run())


async def refuse_writes(kiosk: Kiosk, *, on: bool) -> None:
    """SQLite itself refuses, as it does on a file system that was remounted read-only."""
    await kiosk.journal.call(lambda ledger: ledger._db.execute(f"pragma query_only={'on' if on else 'off'}"))


async def types(kiosk: Kiosk) -> list[str]:
    return [row.type for row in await kiosk.journal.call(Ledger.rows)]


def test_h5_button_screen_and_fleet_in_the_same_millisecond_start_one_session(tmp_path: Path) -> None:
    async def story(kiosk: Kiosk) -> None:
        now_ns = kiosk.clock.now().mono_ns
        kiosk.gesture(Gesture(Kind.PRESS, now_ns - 30_000_000, now_ns), 0)
        await asyncio.gather(kiosk.press("screen"), kiosk.press("fleet"), kiosk.press("screen"))
        assert kiosk.state.session is not None
        assert (await types(kiosk)).count("session.started") == 1
        assert kiosk.state.phase is Phase.STARTING

    scenario(tmp_path, story)


def cut_off() -> s.OpenSession:
    """A session whose last instant was three minutes ago."""
    last = Instant(10**11, datetime.now(UTC) - timedelta(minutes=3), "boot-0", ClockTrust.SYNCED)
    return s.OpenSession(
        "5f0f3a51-3a2b-5c4e-9a57-6f0f9f0e2c11", None, frozenset(), last, 60_000, planned_end=None, paused=False
    )


def test_t1_a_session_that_was_cut_off_waits_for_a_true_clock_and_goes_on(tmp_path: Path) -> None:
    """A Pi without a battery wakes up in another year; whether three minutes or a night passed is known soon after."""

    async def story(kiosk: Kiosk) -> None:
        machine = LabClock("boot-1", time.monotonic_ns(), timedelta(days=-20_000), synchronized=False)
        kiosk.clock, kiosk.state = KioskClock(machine), s.State()
        booting = asyncio.ensure_future(say_booted(kiosk, s.Booted("0", cut_off())))
        await asyncio.sleep(1)
        assert (kiosk.state.phase, kiosk.state.session) == (Phase.BOOTING, None)
        kiosk.clock.heard(datetime.now(UTC), 0.01)
        await booting
        await until(lambda: kiosk.state.session is not None)
        assert "power.lost" in await types(kiosk)
        assert "session.ended" not in await types(kiosk)

    scenario(tmp_path, story)


def test_a_boot_without_a_session_to_resume_waits_for_no_clock(tmp_path: Path) -> None:
    async def story(kiosk: Kiosk) -> None:
        kiosk.clock = KioskClock(LabClock("boot-1", time.monotonic_ns(), timedelta(days=-20_000), synchronized=False))
        kiosk.state = s.State()
        async with asyncio.timeout(30):
            await say_booted(kiosk, s.Booted("0"))
        await until(lambda: kiosk.state.phase is Phase.IDLE)

    scenario(tmp_path, story)


def test_a_press_is_durable_before_it_is_shown(tmp_path: Path) -> None:
    async def story(kiosk: Kiosk) -> None:
        kiosk.post(s.Pressed("button", 0))
        await until(lambda: kiosk.state.session is not None)
        other = Ledger.open(tmp_path / "ledger.db")  # what another process, or the next boot, would read
        try:
            assert "session.started" in [row.type for row in other.rows()]
        finally:
            other.close()

    scenario(tmp_path, story)


class Listening:
    """A speaker that writes down what it is to play, and what was durable then."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.played: list[tuple[chimes.Chime, bool]] = []

    def play(self, samples: Sequence[float], rate_hz: int) -> None:
        assert rate_hz == chimes.RATE_HZ
        (chime,) = [one for one in chimes.Chime if chimes.samples(one) == samples]
        other = Ledger.open(self.folder / "ledger.db")
        try:
            self.played.append((chime, "session.started" in [row.type for row in other.rows()]))
        finally:
            other.close()


def test_a_tone_is_heard_once_the_row_is_durable_and_never_where_it_is_switched_off(tmp_path: Path) -> None:
    async def story(kiosk: Kiosk) -> None:
        kiosk.speaker = heard = Listening(tmp_path)
        await kiosk.press("button")
        assert heard.played == [(chimes.Chime.START, True)]
        off = kiosk.settings.screen.model_copy(update={"tones": False})
        kiosk.settings = kiosk.settings.model_copy(update={"screen": off})
        kiosk.post(s.Stuck(0, 10_000))
        await kiosk.hold("button")
        await kiosk.press("button")
        assert len(heard.played) == 1

    scenario(tmp_path, story)


def test_f2_while_the_disk_refuses_a_session_goes_on_in_memory_and_is_written_later(tmp_path: Path) -> None:
    async def story(kiosk: Kiosk) -> None:
        await kiosk.press("button")
        await refuse_writes(kiosk, on=True)
        await kiosk.ask("help", "")
        await until(lambda: not kiosk.state.storage_ok)
        assert kiosk.snapshot().unwritten
        assert kiosk.state.session is not None
        kiosk.judge()
        assert kiosk.judgement.verdict is Verdict.BLOCKED
        assert "help.called" not in await types(kiosk)
        await refuse_writes(kiosk, on=False)
        await until(lambda: kiosk.state.storage_ok)
        assert "help.called" in await types(kiosk)
        seqs = [row.seq for row in await kiosk.journal.call(Ledger.rows)]
        assert seqs == list(range(1, len(seqs) + 1))

    scenario(tmp_path, story)


def test_f2_a_new_start_is_refused_while_the_disk_refuses(tmp_path: Path) -> None:
    async def story(kiosk: Kiosk) -> None:
        await refuse_writes(kiosk, on=True)
        await kiosk.ask("help", "")
        await until(lambda: kiosk.state.phase is Phase.FAULT)
        await kiosk.press("button")
        assert kiosk.state.session is None
        assert kiosk.state.refused is not None
        await refuse_writes(kiosk, on=False)
        await until(lambda: kiosk.state.phase is Phase.IDLE)
        assert "start.refused" in await types(kiosk)

    scenario(tmp_path, story)


def test_what_does_not_fit_the_state_is_refused_in_words_and_nothing_happens(tmp_path: Path) -> None:
    async def story(kiosk: Kiosk) -> None:
        before = await types(kiosk)
        with pytest.raises(Refused, match="No session is running"):
            await kiosk.ask("extend", "5")
        assert await types(kiosk) == before
        await kiosk.press("button")
        assert kiosk.state.session is not None

    scenario(tmp_path, story)


def test_minutes_run_on_the_screen_and_wait_for_nobody(tmp_path: Path) -> None:
    async def story(kiosk: Kiosk) -> None:
        await kiosk.press("button")
        first = kiosk.snapshot().record
        await asyncio.sleep(0.05)
        second = kiosk.snapshot().record
        assert first is not None
        assert second is not None
        assert second.minutes.elapsed_ms > first.minutes.elapsed_ms
        assert second.minutes.buffered_ms == second.minutes.running_ms

    scenario(tmp_path, story)
