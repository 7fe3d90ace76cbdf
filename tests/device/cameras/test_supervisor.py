"""A supervised camera: opened, let go of and stopped, with real processes and real files."""

import asyncio
import os
import signal
import time
from pathlib import Path

import pytest

from device.cameras.ladder import CameraState
from device.cameras.status import CameraStatus
from device.cameras.supervisor import Camera
from lab.faults import Fault
from tests import media
from tests.device.cameras.kit import FPS, is_alive, open_files, small, supervised, until, until_frames
from tests.device.cameras.lens import ODD, Lens, children


def test_a_wanted_camera_opens_and_gives_frames_at_its_rate() -> None:
    async def scenario() -> None:
        changes: list[CameraStatus] = []
        camera = Camera(small("scene:desk"), on_change=changes.append)
        assert camera.status().state is CameraState.CLOSED
        assert camera.status().last_frame_age_s is None
        async with supervised(camera):
            camera.want_open(True)
            assert camera.status().state is CameraState.OPENING
            await until_frames(camera)
            await until(lambda: (camera.status().fps or 0) > FPS * 0.4, camera)
            status = camera.status()
            assert status.device_open
            assert status.restarts == 0
            assert status.detail == ""
            assert status.fps is not None
            assert status.fps < FPS * 1.3
        assert [change.state for change in changes if not change.device_open][-1] is CameraState.CLOSED
        assert CameraState.OPEN in {change.state for change in changes}

    asyncio.run(scenario())


def test_an_unwanted_camera_is_let_go_of_and_said_to_be_open_until_it_is(tmp_path: Path) -> None:
    async def scenario() -> None:
        clip = media.render("overhead", tmp_path)
        camera = Camera(small(f"file:{clip}"))
        async with supervised(camera):
            camera.want_open(True)
            status = await until_frames(camera)
            assert status.pid is not None
            assert str(clip) in open_files(status.pid)
            camera.want_open(False)
            assert camera.status().device_open, "not before the worker has said so"
            await until(lambda: not camera.status().device_open, camera)
            assert camera.status().state is CameraState.CLOSED
            assert camera.status().pid == status.pid
            assert str(clip) not in open_files(status.pid)
            camera.want_open(True)
            await until_frames(camera)
            assert camera.status().restarts == 0

    asyncio.run(scenario())


def test_a_camera_that_will_not_close_is_closed_by_force() -> None:
    async def scenario() -> None:
        camera = Camera(small("scene:desk"), factory=ODD, factory_args={"kind": "stubborn"})
        async with supervised(camera):
            camera.want_open(True)
            pid = (await until_frames(camera)).pid
            camera.want_open(False)
            await until(lambda: not camera.status().device_open and camera.status().state == "closed", camera)
            assert camera.status().pid != pid

    asyncio.run(scenario())


def test_an_agent_that_is_busy_for_seconds_blames_and_delays_nobody() -> None:
    async def scenario() -> None:
        camera = Camera(small("scene:desk"))
        async with supervised(camera):
            camera.want_open(True)
            status = await until_frames(camera)
            await until(lambda: camera.preview() is not None, camera)
            before = camera._life
            time.sleep(3)  # noqa: ASYNC251 - a blocked loop is the point
            await asyncio.sleep(0.5)
            assert camera.status().pid == status.pid
            assert camera.status().state is CameraState.OPEN
            after = camera._life
            assert before is not None
            assert after is not None
            assert before.report is not None
            assert after.report is not None
            assert after.report.frames - before.report.frames > 3 * FPS * 0.4
            assert camera.preview() is not None

    asyncio.run(scenario())


def test_wishes_of_before_the_start_and_across_a_death_are_kept() -> None:
    async def scenario() -> None:
        camera = Camera(small("scene:desk"))
        camera.want_open(True)
        camera.want_open(True)
        async with supervised(camera):
            pid = (await until_frames(camera)).pid
            assert pid is not None
            camera.want_open(False)
            os.kill(pid, signal.SIGKILL)
            await until(lambda: camera.status().pid not in {None, pid} and camera.status().state == "closed", camera)
            await asyncio.sleep(0.6)
            assert camera.status().state is CameraState.CLOSED
            assert not camera.status().device_open

    asyncio.run(scenario())


def test_stopping_never_hangs_even_on_a_hung_camera(tmp_path: Path) -> None:
    async def scenario() -> None:
        lens = Lens(tmp_path)
        task = asyncio.create_task(lens.camera.run())
        lens.camera.want_open(True)
        pid = (await until_frames(lens.camera)).pid
        lens.fault(Fault.HUNG)
        await asyncio.sleep(0.3)
        async with asyncio.timeout(8):
            await lens.camera.stop(deadline_s=0.3)
            await task
        assert pid is not None
        assert not is_alive(pid)
        assert lens.camera.status().state is CameraState.CLOSED
        await lens.camera.stop()

    asyncio.run(scenario())


def test_a_camera_that_never_ran_can_be_stopped() -> None:
    camera = Camera(small("scene:desk"))
    asyncio.run(camera.stop())
    assert camera.status().pid is None
    assert not camera.status().device_open


def test_cancelled_supervision_leaves_no_process() -> None:
    async def scenario() -> None:
        camera = Camera(small("scene:desk"))
        task = asyncio.create_task(camera.run())
        camera.want_open(True)
        pid = (await until_frames(camera)).pid
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert pid is not None
        assert not is_alive(pid)

    asyncio.run(scenario())


def test_a_camera_is_supervised_once() -> None:
    async def scenario() -> None:
        camera = Camera(small("scene:desk"))
        async with supervised(camera):
            await asyncio.sleep(0)
            with pytest.raises(RuntimeError, match="already supervised"):
                await camera.run()

    asyncio.run(scenario())


def test_in_a_session_the_next_worker_stands_ready_and_outside_there_is_none() -> None:
    async def scenario() -> None:
        camera = Camera(small("scene:desk"))
        async with supervised(camera):
            camera.want_open(True)
            await until_frames(camera)
            assert children() == {camera.status().pid}
            camera.want_coded(True)
            await until(lambda: len(children()) == 2, camera)
            (ready,) = children() - {camera.status().pid}
            assert camera.worker is not None
            camera.worker.kill()
            await until(lambda: camera.status().pid == ready, camera)
            await until_frames(camera)
            await until(lambda: len(children()) == 2, camera)
            (ready,) = children() - {camera.status().pid}
            assert ready is not None
            os.kill(ready, signal.SIGKILL)
            await until(lambda: len(children()) == 2 and ready not in children(), camera)
            camera.want_coded(False)
            await until(lambda: children() == {camera.status().pid}, camera)
        assert children() == set()

    asyncio.run(scenario())
