"""A supervised camera in trouble (K1, K4 of docs/threat-model.md), with real processes and real kills."""

import asyncio
import logging
import os
import signal
from pathlib import Path

import pytest

from device.cameras import port
from device.cameras.errors import NoPicture, RebindRefused
from device.cameras.ladder import CameraState, Cause, Step
from device.cameras.supervisor import Camera
from lab.faults import Fault
from tests.device.cameras.kit import is_alive, small, supervised, until, until_frames
from tests.device.cameras.lens import ODD, Lens


def test_a_killed_worker_is_replaced_and_frames_come_back() -> None:
    async def scenario() -> None:
        camera = Camera(small("scene:student", "front"))
        async with supervised(camera):
            camera.want_open(True)
            for round_ in range(1, 4):
                pid = (await until_frames(camera)).pid
                assert pid is not None
                os.kill(pid, signal.SIGKILL)
                await until(lambda pid=pid: camera.status().pid not in {None, pid}, camera)  # type: ignore[misc]
                await until_frames(camera)
                assert camera.status().restarts == round_
                assert not is_alive(pid)

    asyncio.run(scenario())


def test_a_stopped_process_is_taken_for_deaf_and_replaced() -> None:
    async def scenario() -> None:
        camera = Camera(small("scene:desk"))
        async with supervised(camera):
            camera.want_open(True)
            pid = (await until_frames(camera)).pid
            assert pid is not None
            os.kill(pid, signal.SIGSTOP)
            await until(lambda: camera.status().pid not in {None, pid}, camera)
            await until_frames(camera)
            assert not is_alive(pid)

    asyncio.run(scenario())


def test_a_worker_that_crashes_at_every_start_is_started_ever_less_often(tmp_path: Path) -> None:
    async def scenario() -> None:
        journal = tmp_path / "openings"
        camera = Camera(small("scene:desk"), factory=ODD, factory_args={"kind": "fatal", "journal": os.fspath(journal)})
        async with supervised(camera):
            camera.want_open(True)
            await until(lambda: journal.exists() and len(journal.read_text().split()) >= 4, camera)
            assert camera.status().state in {CameraState.RESTARTING, CameraState.OPENING, CameraState.OPEN}
        starts = [int(line) / 1e9 for line in journal.read_text().split()]
        assert starts[2] - starts[1] >= 1
        assert starts[3] - starts[2] >= 2

    asyncio.run(scenario())


def test_a_hung_driver_is_killed_and_only_that_brings_frames_back(tmp_path: Path) -> None:
    async def scenario() -> None:
        lens = Lens(tmp_path)
        async with supervised(lens.camera) as camera:
            camera.want_open(True)
            hung_pid = (await until_frames(camera)).pid
            lens.fault(Fault.HUNG)
            # Long enough for the source to be inside its hang, and to be cured if curing were possible.
            await asyncio.sleep(0.3)
            lens.fault(Fault.NONE)
            await until(lambda: camera.status().pid not in {None, hung_pid}, camera)
            await until_frames(camera)
            assert camera.status().restarts == 1

    asyncio.run(scenario())


def test_an_unplugged_camera_is_missing_until_it_is_back(tmp_path: Path) -> None:
    async def scenario() -> None:
        lens = Lens(tmp_path)
        async with supervised(lens.camera) as camera:
            camera.want_open(True)
            pid = (await until_frames(camera)).pid
            lens.fault(Fault.UNPLUGGED)
            await until(lambda: camera.status().state is CameraState.MISSING, camera)
            assert "unplugged" in camera.status().detail
            assert camera.status().fps is None
            with pytest.raises(NoPicture, match=r"missing.*unplugged"):
                await camera.snapshot()
            lens.fault(Fault.NONE)
            await until_frames(camera)
            assert camera.status().pid == pid, "no process had to die for this"

    asyncio.run(scenario())


def test_a_camera_that_was_never_there_is_missing_and_the_supervision_lives_on(tmp_path: Path) -> None:
    async def scenario() -> None:
        camera = Camera(small(f"file:{tmp_path}/nowhere.mp4"))
        async with supervised(camera):
            camera.want_open(True)
            await until(lambda: camera.status().state is CameraState.MISSING, camera)
            await asyncio.sleep(2.5)
            status = camera.status()
            assert status.state is CameraState.MISSING
            assert "nowhere.mp4" in status.detail
            assert status.last_frame_age_s is None
            assert status.restarts == 0
            camera.want_open(False)
            await until(lambda: camera.status().state is CameraState.CLOSED, camera)

    asyncio.run(scenario())


def test_an_open_camera_that_gives_nothing_is_reopened_then_killed_and_in_the_end_called_failed(tmp_path: Path) -> None:
    async def scenario() -> None:
        journal = tmp_path / "openings"
        steps: list[Step] = []
        camera = Camera(
            small("scene:desk"), factory=ODD, factory_args={"kind": "silent", "journal": os.fspath(journal)},
            on_step=lambda _role, step: steps.append(step),
        )  # fmt: skip
        async with supervised(camera):
            camera.want_open(True)
            await until(lambda: camera.status().state is CameraState.STALLED, camera)
            assert camera.status().device_open
            await until(lambda: camera.status().restarts == 1, camera)
            assert [(step.rung, step.cause) for step in steps] == [
                ("reopen", Cause.SILENT), ("kill", Cause.SILENT),
            ]  # fmt: skip
            assert len(journal.read_text().split()) == 2, "opened, reopened once, and then the process was ended"

    asyncio.run(scenario())


def test_a_camera_whose_processes_die_five_times_without_a_frame_has_failed_and_is_still_tried(tmp_path: Path) -> None:
    async def scenario() -> None:
        steps: list[Step] = []
        camera = Camera(
            small("scene:desk"), factory=ODD, factory_args={"kind": "fatal"},
            on_step=lambda _role, step: steps.append(step),
        )  # fmt: skip
        async with supervised(camera):
            camera.want_open(True)
            await until(lambda: camera.status().state is CameraState.FAILED, camera, within_s=60)
            assert [step.rung for step in steps] == ["respawn"] * 5 + ["failed"]
            assert {step.cause for step in steps} == {Cause.DIED}
            assert "tried again" in camera.status().detail
            with pytest.raises(NoPicture, match="failed"):
                await camera.snapshot()
            camera.want_open(False)
            assert camera.status().state is not CameraState.FAILED, "nobody misses a camera that nobody wants"

    asyncio.run(scenario())


def test_the_log_warns_once_for_a_streak_of_trouble(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    async def scenario() -> None:
        lens = Lens(tmp_path)
        async with supervised(lens.camera) as camera:
            camera.want_open(True)
            await until_frames(camera)
            lens.fault(Fault.UNPLUGGED)
            await until(lambda: camera.status().state is CameraState.MISSING, camera)
            pid = camera.status().pid
            assert pid is not None
            os.kill(pid, signal.SIGKILL)
            await until(lambda: camera.status().pid != pid and camera.status().state is CameraState.MISSING, camera)
            lens.fault(Fault.NONE)
            await until_frames(camera)

    with caplog.at_level(logging.DEBUG, logger="device.cameras.status"):
        asyncio.run(scenario())
    levels = [record.levelname for record in caplog.records]
    assert levels.count("WARNING") == 1
    assert levels[-1] == "INFO"
    assert "the overhead camera is missing" in caplog.records[0].getMessage()


def test_death_hang_and_silence_are_told_apart(tmp_path: Path) -> None:
    async def scenario() -> None:
        steps: list[Step] = []
        buried: list[str] = []
        camera = Camera(
            small("scene:desk"), factory="lab.faults:open_source",
            factory_args={"switch": os.fspath(tmp_path / "switch")},
            on_step=lambda _role, step: steps.append(step), on_burial=lambda role, _ns: buried.append(role),
        )  # fmt: skip
        async with supervised(camera):
            camera.want_open(True)
            for rung, cause, harm in (
                ("respawn", Cause.DIED, signal.SIGKILL),
                ("kill", Cause.DEAF, signal.SIGSTOP),
            ):
                pid = (await until_frames(camera)).pid
                assert pid is not None
                os.kill(pid, harm)
                await until(lambda pid=pid: camera.status().pid not in {None, pid}, camera)  # type: ignore[misc]
                await until_frames(camera)
                assert (steps[-1].rung, steps[-1].cause) == (rung, cause)
            assert buried == ["overhead", "overhead"]
        assert buried == ["overhead"] * 3
        assert len(steps) == 2, "a worker that was told to stop took no rung"

    asyncio.run(scenario())


@pytest.mark.parametrize("allowed", [True, False])
def test_a_usb_camera_that_two_new_processes_do_not_bring_back_has_its_port_bound_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, allowed: bool
) -> None:
    async def scenario() -> None:
        bad, steps, bound = tmp_path / "bad", list[Step](), list[str]()

        def rebind(where: str) -> None:
            bound.append(where)
            if not allowed:
                raise RebindRefused("the system does not allow it")
            bad.unlink()

        monkeypatch.setattr(port, "usb_port", lambda _path: "1-1.2")
        monkeypatch.setattr(port, "rebind", rebind)
        camera = Camera(
            small("v4l2:/dev/v4l/by-path/a-camera"), factory="tests.device.cameras.odd_sources:open_moody",
            factory_args={"file": os.fspath(bad)}, on_step=lambda _role, step: steps.append(step),
        )  # fmt: skip
        async with supervised(camera):
            camera.want_open(True)
            await until_frames(camera)
            bad.touch()
            assert camera.worker is not None
            camera.worker.kill()
            await until(lambda: any(step.rung == "rebind" for step in steps), camera)
            assert [step.rung for step in steps] == ["respawn"] * 3 + ["rebind"]
            assert bound == ["1-1.2"]
            if allowed:
                await until_frames(camera)
            else:
                assert "does not allow it" in steps[-1].reason
                await until(lambda: steps[-1].rung == "respawn", camera)
                assert bound == ["1-1.2"], "it is not asked again"

    asyncio.run(scenario())


def test_k4_a_process_that_not_even_sigkill_ends_is_given_up_and_a_restart_of_the_kiosk_proposed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def scenario() -> None:
        steps: list[Step] = []
        camera = Camera(small("scene:desk"), on_step=lambda _role, step: steps.append(step))
        async with supervised(camera):
            camera.want_open(True)
            pid = (await until_frames(camera)).pid
            assert pid is not None
            assert camera.worker is not None
            monkeypatch.setattr(camera.worker, "kill", lambda: None)  # as the kernel would, for a driver that holds it
            os.kill(pid, signal.SIGSTOP)
            await until(lambda: camera.status().state is CameraState.FAILED, camera)
            assert "the kiosk has to be restarted" in camera.status().detail
            assert camera.status().device_open, "what is not known counts as open: the lamp stays on"
            assert [step.rung for step in steps] == ["kill", "failed"]
            os.kill(pid, signal.SIGKILL)
            await until(lambda: camera.status().pid not in {None, pid}, camera)
            await until_frames(camera)

    asyncio.run(scenario())
