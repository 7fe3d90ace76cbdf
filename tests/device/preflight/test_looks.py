"""The look on a real kiosk: real camera processes on switched scenes, a real ledger; only the echo is played."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from gpiozero.pins.mock import MockFactory

from device import chores
from device.cameras.source import CameraSpec
from device.cameras.supervisor import Camera
from device.errors import CommandRefused
from device.kiosk import Kiosk
from device.panel import Panel
from device.preflight.looks import Looks
from device.session import states as s
from device.session.journal import Journal
from device.session.ledger import Ledger
from device.settings import Settings
from lab.clock import LabClock
from lab.faults import Fault, set_fault
from wire.preflight import Check, Preflight
from wire.schedule import Booking, Schedule, SchoolDay
from wire.signals import Verdict

WITHIN_S = 30.0


class Room:
    """A kiosk with closed cameras, and its looks."""

    def __init__(self, kiosk: Kiosk, looks: Looks, cameras: dict[str, Camera], folder: Path) -> None:
        self.kiosk, self.looks, self.cameras, self._folder = kiosk, looks, cameras, folder

    def fault(self, role: str, fault: Fault) -> None:
        set_fault(self._folder / role, fault)

    async def until(self, true: Callable[[], Any]) -> None:
        async with asyncio.timeout(WITHIN_S):
            while not true():  # noqa: ASYNC110  # the kiosk is a whole one; there is no single event to wait for
                await asyncio.sleep(0.02)

    @property
    def is_closed(self) -> bool:
        return all(one.status().state == "closed" and not one.status().device_open for one in self.cameras.values())

    async def rows(self, type_: str) -> list[dict[str, Any]]:
        return [row.data for row in await self.kiosk.journal.call(Ledger.rows) if row.type == type_]

    def schedule(self, minutes: float, days: tuple[SchoolDay, ...] | None = None) -> None:
        now = self.kiosk.clock.now().wall
        booking = Booking(id="b-1", start=now + timedelta(minutes=minutes), planned_ms=1_800_000, therapist="ot-rivera")
        self.kiosk.post(s.ScheduleSet(Schedule(revision=1, as_of=now, bookings=(booking,), days=days)))

    @property
    def last(self) -> Preflight | None:
        return self.kiosk.preflight.last


@contextlib.asynccontextmanager
async def room_in(folder: Path, *, by_itself: bool = False, idle: str = "closed") -> AsyncIterator[Room]:
    settings = Settings.model_validate(
        {
            "data_dir": folder,
            "kiosk": {"id": "lincoln-12", "campus": "lincoln"},
            "link": {"urls": ["mqtt://127.0.0.1:1"]},
            "cameras": {"idle": idle, "overhead": {"uri": "scene:desk"}, "front": {"uri": "scene:student"}},
        }
    )
    journal = Journal(Ledger.open(folder / "ledger.db"))
    panel = Panel(settings.panel, lambda _gesture: None, MockFactory())
    panel.start()
    cameras: dict[str, Camera] = {}
    kiosk = Kiosk(settings, LabClock("boot-1", 0), journal, panel, cameras)
    for role, uri in (("overhead", "scene:desk"), ("front", "scene:student")):
        cameras[role] = Camera(
            CameraSpec(role, uri, 320, 180, 10.0, bitrate_bps=200_000), factory="lab.faults:open_source",
            factory_args={"switch": str(folder / role)}, on_change=kiosk.camera, on_step=kiosk.camera_step,
        )  # fmt: skip

    async def echo(_within_s: float) -> float | None:
        return 12.5

    looks = Looks(kiosk, journal, echo)
    kiosk.post(s.Booted("0"))
    kiosk.post(s.LinkChanged(up=True))
    work = [kiosk.run(), chores.judge(kiosk), *(camera.run() for camera in cameras.values())]
    tasks = [asyncio.ensure_future(one) for one in (*work, *([looks.run()] if by_itself else ()))]
    room = Room(kiosk, looks, cameras, folder)
    try:
        await room.until(lambda: kiosk.state.phase is s.Phase.IDLE)
        yield room
    finally:
        await asyncio.gather(*(camera.stop() for camera in cameras.values()))
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        panel.stop()
        await journal.close()


def scenario(folder: Path, story: Callable[[Room], Awaitable[None]], **how: Any) -> None:
    async def run() -> None:
        async with room_in(folder, **how) as room:
            await story(room)

    asyncio.run(run())


def check(told: Preflight, name: str, role: str | None = None) -> Check:
    (found,) = [one for one in told.checks if (one.name, one.role) == (name, role)]
    return found


def test_cameras_are_closed_before_and_after_and_the_rows_say_why(tmp_path: Path) -> None:
    async def story(room: Room) -> None:
        await room.until(lambda: room.is_closed)
        assert await room.rows("camera.opened") == []
        asked = asyncio.ensure_future(room.looks.asked())
        await room.until(lambda: room.kiosk.preflight.looking)
        beside = asyncio.ensure_future(room.looks.asked())
        told = await asked
        assert await beside is told, "never two at once: the second is given the first one's answer"
        await room.until(lambda: room.is_closed)
        assert not room.kiosk.preflight.looking
        assert (told.verdict, told.booking) == (Verdict.READY, None)
        assert {one.ok for one in told.checks if one.name in {"camera", "picture", "link", "storage", "clock"}} == {
            True
        }
        assert check(told, "audio").ok is None
        for type_ in ("camera.opened", "camera.closed"):
            rows = await room.rows(type_)
            assert sorted((row["role"], row["reason"]) for row in rows) == [
                ("front", "preflight"), ("overhead", "preflight"),
            ]  # fmt: skip

    scenario(tmp_path, story)


def test_a_covered_lens_is_found_by_it_and_an_unplugged_camera_too(tmp_path: Path) -> None:
    async def story(room: Room) -> None:
        await room.looks.asked()
        await room.until(lambda: room.is_closed)
        room.fault("overhead", Fault.COVERED)
        room.fault("front", Fault.UNPLUGGED)
        told = await room.looks.asked()
        assert check(told, "picture", "overhead").why == "The desk camera is covered."
        assert check(told, "camera", "front").ok is False
        assert "unplugged" in (check(told, "camera", "front").why or "")
        assert check(told, "picture", "front").ok is None
        assert told.verdict is Verdict.ATTENTION
        assert room.kiosk.snapshot().preflight.last is told

    scenario(tmp_path, story)


def test_a_worker_that_hangs_costs_its_own_answer_and_no_more(tmp_path: Path) -> None:
    async def story(room: Room) -> None:
        room.fault("front", Fault.HUNG)
        told = await room.looks.asked()
        assert check(told, "camera", "front").ok is not True
        assert check(told, "camera", "overhead").ok is True
        assert check(told, "picture", "overhead").ok is True
        assert told.verdict is Verdict.ATTENTION

    scenario(tmp_path, story)


def test_none_in_a_session_and_a_press_takes_the_cameras_from_one(tmp_path: Path) -> None:
    async def story(room: Room) -> None:
        asked = asyncio.ensure_future(room.looks.asked())
        await room.until(lambda: any(one.status().device_open for one in room.cameras.values()))
        await room.kiosk.press("screen")
        with pytest.raises(CommandRefused, match="A session runs at this kiosk") as refused:
            await asked
        assert refused.value.reason == "in-session"
        with pytest.raises(CommandRefused, match="nothing disturbs it"):
            await room.looks.asked()
        assert room.last is None
        assert await room.rows("camera.closed") == [], "the session goes on with the cameras as they stand"

    scenario(tmp_path, story)


def test_it_looks_by_itself_before_a_booking_and_not_again_after_a_restart(tmp_path: Path) -> None:
    async def first(room: Room) -> None:
        room.schedule(minutes=9)
        await room.until(lambda: room.last is not None and not room.kiosk.preflight.looking)
        assert room.last is not None
        assert room.last.booking == "b-1"
        assert check(room.last, "storage").evidence["planned_s"] == 1_800

    async def again(room: Room) -> None:
        opened = len(await room.rows("camera.opened"))
        held = Schedule.model_validate(await room.kiosk.journal.call(lambda ledger: ledger.kept("test-schedule")))
        room.kiosk.post(s.ScheduleSet(held))
        await room.until(lambda: room.kiosk.state.schedule is not None and room.last is not None)
        await asyncio.sleep(2)
        assert not room.kiosk.preflight.looking
        assert len(await room.rows("camera.opened")) == opened
        assert room.last is not None
        assert room.last.booking == "b-1", "the last result is remembered with its age"

    async def first_and_keep(room: Room) -> None:
        await first(room)
        held = room.kiosk.state.schedule
        assert held is not None
        await room.kiosk.journal.call(lambda ledger: ledger.keep("test-schedule", held.model_dump(mode="json")))

    scenario(tmp_path, first_and_keep, by_itself=True)
    scenario(tmp_path, again, by_itself=True)


def test_outside_the_bells_nothing_is_opened_even_when_somebody_asks(tmp_path: Path) -> None:
    async def story(room: Room) -> None:
        tomorrow = datetime.now(UTC) + timedelta(days=1)
        day = SchoolDay(date=tomorrow.date().isoformat(), opens=tomorrow, closes=tomorrow + timedelta(hours=6))
        room.schedule(minutes=9, days=(day,))
        await room.until(lambda: room.kiosk.state.schedule is not None)
        await asyncio.sleep(1)
        assert room.last is None
        told = await room.looks.asked()
        assert [one.why for one in told.checks if one.name == "camera"] == [
            "School is out; cameras are opened within its bells only."
        ] * 2
        assert (check(told, "link").ok, told.verdict) == (True, Verdict.UNKNOWN)
        assert await room.rows("camera.opened") == []

    scenario(tmp_path, story, by_itself=True)
