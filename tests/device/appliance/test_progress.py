"""The watchdog is fed while the agent gets on, and not while it only runs: a real agent, a real socket, real hangs."""

import asyncio
import contextlib
import socket
import threading
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from device.appliance import progress
from device.appliance.notify import Notifier
from device.appliance.progress import DISK_S, STUCK_S, Question, Verdict, judged
from device.errors import Refused
from device.kiosk import Kiosk
from device.session import opening
from device.session import states as s
from device.session.clock import SystemClock
from device.session.journal import Journal
from device.session.ledger import Ledger
from device.settings import Settings

OWED = st.floats(0, 1_000)


@pytest.mark.parametrize(
    ("machine_s", "ledger_s", "verdict"),
    [
        (0, 0, Verdict.WELL),
        (STUCK_S - 0.1, STUCK_S - 0.1, Verdict.WELL),
        (STUCK_S, 0, Verdict.STUCK),
        (STUCK_S, STUCK_S - 0.1, Verdict.STUCK),
        (60, 60, Verdict.DISK),
        (0, STUCK_S, Verdict.DISK),
        (0, DISK_S, Verdict.STUCK),
        (DISK_S, DISK_S, Verdict.STUCK),
    ],
)
def test_what_is_made_of_two_questions(machine_s: float, ledger_s: float, verdict: Verdict) -> None:
    assert judged(machine_s, ledger_s) is verdict


@given(OWED, OWED, OWED)
def test_waiting_longer_for_the_machine_never_makes_it_better(machine_s: float, more_s: float, ledger_s: float) -> None:
    if judged(machine_s, ledger_s) is Verdict.STUCK:
        assert judged(machine_s + more_s, ledger_s) is Verdict.STUCK


def test_a_question_that_is_refused_was_answered() -> None:
    async def refuse() -> None:
        raise Refused("not now")

    async def asked() -> int:
        question = Question(refuse)
        assert question.waits_s(10.0) == 0
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        assert question.waits_s(99.0) == 0
        question.withdraw()
        return question.answers

    assert asyncio.run(asked()) == 1


def test_a_defect_in_what_is_asked_ends_the_agent() -> None:
    async def break_() -> None:
        raise ZeroDivisionError

    async def asked() -> None:
        question = Question(break_)
        question.waits_s(0.0)
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        question.waits_s(1.0)

    with pytest.raises(ZeroDivisionError):
        asyncio.run(asked())


@pytest.fixture
def manager(tmp_path: Path) -> Iterator[socket.socket]:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sock:
        sock.bind(str(tmp_path / "notify"))
        sock.setblocking(False)
        yield sock


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """A question each 50 ms, stuck after 0.5 s, a disk after 3 s."""
    monkeypatch.setattr(progress, "ASK_EVERY_S", 0.05)
    monkeypatch.setattr(progress, "STUCK_S", 0.5)
    monkeypatch.setattr(progress, "DISK_S", 3.0)


def told(manager: socket.socket) -> list[str]:
    found = []
    with contextlib.suppress(BlockingIOError):
        while True:
            found.append(manager.recv(1_000).decode())
    return found


async def until_told(manager: socket.socket, wanted: str) -> list[str]:
    found: list[str] = []
    async with asyncio.timeout(60):
        while not any(one.endswith(wanted) for one in found):
            found += told(manager)
            await asyncio.sleep(0.02)
    return found


@contextlib.asynccontextmanager
async def watched(folder: Path) -> AsyncIterator[tuple[Kiosk, Journal, list[asyncio.Task[None]]]]:
    """A kiosk with a real ledger, its events' loop, and what feeds its watchdog."""
    settings = Settings.model_validate(
        {
            "data_dir": folder,
            "kiosk": {"id": "lincoln-12", "campus": "lincoln"},
            "link": {"urls": ["mqtt://127.0.0.1:1"]},
            "cameras": {"overhead": {"uri": "scene:desk"}, "front": {"uri": "scene:student"}},
        }
    )
    clock = SystemClock()
    journal = Journal(opening.open_ledger(folder / "ledger.db", clock.now()))
    kiosk = Kiosk(settings, clock, journal, None, {})
    tasks = [
        asyncio.create_task(kiosk.run()),
        asyncio.create_task(progress.watch(kiosk, journal, Notifier(str(folder / "notify")))),
    ]
    try:
        yield kiosk, journal, tasks
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await journal.close()


@pytest.mark.usefixtures("quick")
def test_ready_comes_before_the_first_food_ends_and_stopping_is_last(tmp_path: Path, manager: socket.socket) -> None:
    async def live() -> list[str]:
        async with watched(tmp_path):
            found = await until_told(manager, "READY=1")
            found += await until_told(manager, "WATCHDOG=1")
        return found + told(manager)

    found = asyncio.run(live())
    assert found.count("READY=1") == 1
    assert any(one.startswith("STATUS=booting, ") for one in found)
    assert found[-1] == "STOPPING=1"


@pytest.mark.usefixtures("quick")
def test_a_machine_of_events_that_hangs_is_fed_no_more(tmp_path: Path, manager: socket.socket) -> None:
    async def live() -> list[str]:
        async with watched(tmp_path) as (_, _, (events, _)):
            await until_told(manager, "READY=1")
            events.cancel()  # nobody takes events any more, and the loop, the ledger and every timer go on
            await until_told(manager, "; is stuck")
            told(manager)
            await asyncio.sleep(1)
            return told(manager)

    assert asyncio.run(live()) == []


@pytest.mark.usefixtures("quick")
def test_a_slow_disk_is_waited_for_and_one_that_never_answers_is_not(tmp_path: Path, manager: socket.socket) -> None:
    free = threading.Event()

    def stall(_: Ledger) -> None:
        free.wait()

    async def live() -> tuple[list[str], list[str], list[str]]:
        async with watched(tmp_path) as (kiosk, journal, _):
            await until_told(manager, "READY=1")
            held = asyncio.create_task(journal.call(stall))
            waits = await until_told(manager, "; waits for its disk")
            waits += await until_told(manager, "WATCHDOG=1")
            await until_told(manager, "; is stuck")
            told(manager)
            await asyncio.sleep(0.5)
            stuck = told(manager)
            free.set()
            await held
            await kiosk.tell(s.Tick())
            return waits, stuck, await until_told(manager, "WATCHDOG=1")

    waits, stuck, after = asyncio.run(live())
    assert "WATCHDOG=1" in waits
    assert stuck == []
    assert "WATCHDOG=1" in after
