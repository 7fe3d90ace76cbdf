"""Setting up the cameras with real workers: what is good is learned, one press keeps it, and nothing else does."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from device import placement
from device.aim import Stage
from device.cameras.supervisor import Camera
from device.commissioning import Commissioning
from device.errors import PlacementUnwritable, Refused
from device.gestures import Gesture, Kind
from device.session.states import Phase
from tests.device.test_kiosk_cameras import Room, room_in

SIZE = (640, 360)
pytestmark = pytest.mark.timeout(180)


@contextlib.asynccontextmanager
async def set_up_in(folder: Path, idle: str = "closed") -> AsyncIterator[tuple[Room, Commissioning]]:
    async with room_in(folder, idle, SIZE) as room:
        found = Commissioning(room.kiosk, room.cameras, placement.load(folder))
        found.recall()
        room.kiosk.takes_press = found.takes_press
        task = asyncio.ensure_future(found.run())
        try:
            yield room, found
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)


def scenario(folder: Path, story: Callable[[Room, Commissioning], Awaitable[None]], idle: str = "closed") -> None:
    async def run() -> None:
        async with set_up_in(folder, idle) as (room, found):
            await story(room, found)

    asyncio.run(run())


async def ready(room: Room, found: Commissioning) -> None:
    """Somebody looks on until everything is good."""
    found.begin()
    await room.until(lambda: found.look().stage is Stage.READY, 40)


def closed(room: Room) -> bool:
    return all(camera.status().state == "closed" for camera in room.cameras.values())


def press() -> Gesture:
    return Gesture(Kind.PRESS, 1, 1)


def test_what_is_good_is_learned_and_one_press_of_the_button_keeps_it_and_starts_nothing(tmp_path: Path) -> None:
    async def story(room: Room, found: Commissioning) -> None:
        assert not found.is_commissioned
        await ready(room, found)
        assert room.kiosk.cameras.wanted(room.kiosk.state, room.kiosk.clock.now()) == (True, "commissioning")
        assert placement.load(tmp_path).commissioned is None, "before the press nothing is kept"
        room.kiosk.gesture(press(), 0)
        await room.until(lambda: found.progress.stage is Stage.DONE)
        assert room.kiosk.state.phase is Phase.IDLE
        kept = placement.load(tmp_path).commissioned
        assert kept is not None
        assert kept.by == "it"
        assert kept.cameras["overhead"].px_per_mm == pytest.approx(1.0, rel=0.01), "2 pixels at 1280, so 1 at 640"
        assert kept.cameras["front"].px_per_mm is None
        assert [row["by"] for row in await room.rows("cameras.commissioned")] == ["it"]
        opened = {row["reason"] for row in await room.rows("camera.opened")}
        assert opened == {"commissioning"}
        await room.until(lambda: found.progress.stage is Stage.CLOSED)
        await room.until(lambda: closed(room))
        assert room.kiosk.setup.at == kept.at

    scenario(tmp_path, story)


def test_the_reference_is_there_again_after_a_restart_and_belongs_to_its_device(tmp_path: Path) -> None:
    async def first(room: Room, found: Commissioning) -> None:
        await ready(room, found)
        await found.confirm("aide")

    async def second(_room: Room, found: Commissioning) -> None:
        assert found.is_commissioned
        assert found.placement.commissioned is not None
        assert found.placement.commissioned.by == "aide"

    scenario(tmp_path, first)
    scenario(tmp_path, second)
    other = Camera(room_spec("overhead", "file:/elsewhere.mkv"))
    assert placement.load(tmp_path).reference(other.spec) is None


def room_spec(role: str, uri: str) -> Any:
    from device.cameras.source import CameraSpec  # noqa: PLC0415

    return CameraSpec(role, uri, *SIZE, 20.0, bitrate_bps=200_000)


def test_nothing_can_be_confirmed_before_it_is_good_nor_begun_in_a_session(tmp_path: Path) -> None:
    async def story(room: Room, found: Commissioning) -> None:
        with pytest.raises(Refused, match="not ready"):
            await found.confirm("it")
        found.begin()
        with pytest.raises(Refused, match="not ready"):
            await found.confirm("it")
        await room.start()
        await room.until(lambda: found.progress.stage is Stage.CLOSED)
        for refused in (found.begin, lambda: asyncio.ensure_future(found.exchange("it"))):
            with pytest.raises(Refused, match="session"):
                await wait(refused())
        assert room.kiosk.state.phase in {Phase.LIVE, Phase.BUFFERING}, "the session goes on"

    scenario(tmp_path, story)


async def wait(what: Any) -> None:
    if what is not None:
        await what


def test_nobody_looks_any_more_and_the_cameras_close(tmp_path: Path) -> None:
    async def story(room: Room, found: Commissioning) -> None:
        await ready(room, found)
        found._asked_ns -= 21_000_000_000
        await room.until(lambda: found.progress.stage is Stage.CLOSED)
        await room.until(lambda: closed(room))
        assert placement.load(tmp_path).commissioned is None

    scenario(tmp_path, story)


def test_a_disk_that_refuses_is_told_and_it_can_be_confirmed_again(tmp_path: Path) -> None:
    async def story(room: Room, found: Commissioning) -> None:
        await ready(room, found)
        obstacle = tmp_path / f".{placement.FILE}.new"
        obstacle.mkdir()
        with pytest.raises(PlacementUnwritable):
            await found.confirm("it")
        assert not found.is_commissioned
        assert found.progress.stage is Stage.READY
        obstacle.rmdir()
        await found.confirm("it")
        assert found.is_commissioned

    scenario(tmp_path, story)


def test_an_exchange_gives_each_role_the_other_device_for_good(tmp_path: Path) -> None:
    async def story(room: Room, found: Commissioning) -> None:
        await room.until(lambda: all(camera.status().state == "open" for camera in room.cameras.values()))
        pids = {role: camera.status().pid for role, camera in room.cameras.items()}
        await found.exchange("it")
        assert {role: camera.spec.uri for role, camera in room.cameras.items()} == {
            "overhead": "scene:student", "front": "scene:desk",
        }  # fmt: skip
        await room.until(
            lambda: all(
                camera.status().state == "open" and camera.status().pid != pids[role]
                for role, camera in room.cameras.items()
            )
        )
        assert placement.load(tmp_path).exchanged
        assert len(await room.rows("cameras.exchanged")) == 1
        assert not await room.rows("camera.recovery"), "nothing broke"

    scenario(tmp_path, story, idle="watch")
