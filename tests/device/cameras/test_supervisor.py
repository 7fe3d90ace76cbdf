"""A supervised camera (K1, K4 of docs/threat-model.md), with real processes, real files and real kills."""

import asyncio
import base64
import contextlib
import logging
import os
import signal
import time
from pathlib import Path

import cv2
import numpy as np
import pytest
from nacl.public import PrivateKey

from device.cameras import port
from device.cameras.boundary import View
from device.cameras.bus import BUS_BYTES, DATA_BYTES
from device.cameras.errors import CameraError, NoPicture, RebindRefused
from device.cameras.ladder import CameraState, Cause, Step
from device.cameras.process import Still
from device.cameras.recording import Event, Keep, Plan, Sealed
from device.cameras.source import CameraSpec
from device.cameras.status import CameraStatus
from device.cameras.supervisor import Camera
from device.kit import kit
from device.vision.worksheet import AROUND_MM
from lab.faults import Fault, set_fault
from tests import media
from tests.device.cameras.kit import (
    FPS,
    HEIGHT,
    WIDTH,
    is_alive,
    open_files,
    small,
    supervised,
    until,
    until_frames,
)

ODD = "tests.device.cameras.odd_sources:open_odd"


class Lens:
    """A camera of the simulated kit and the switch for what is wrong with it."""

    def __init__(self, folder: Path) -> None:
        self.switch = folder / "switch"
        self.camera = Camera(
            small("scene:desk"), factory="lab.faults:open_source", factory_args={"switch": os.fspath(self.switch)}
        )

    def fault(self, fault: Fault) -> None:
        set_fault(self.switch, fault)


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


def test_previews_flow_while_they_are_asked_for_and_end_with_the_camera() -> None:
    async def scenario() -> None:
        camera = Camera(small("scene:desk"))
        assert camera.preview() is None
        async with supervised(camera):
            camera.want_open(True)
            await until_frames(camera)
            await until(lambda: camera.preview() is not None, camera)
            jpeg = camera.preview()
            assert jpeg is not None
            image = cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_COLOR)
            assert image is not None
            assert image.shape == (HEIGHT, WIDTH, 3)
            camera.want_open(False)
            assert camera.preview() is None

    asyncio.run(scenario())


def test_a_snapshot_is_of_a_frame_taken_after_it_was_asked_for(tmp_path: Path) -> None:
    async def scenario() -> None:
        lens = Lens(tmp_path)
        async with supervised(lens.camera) as camera:
            camera.want_open(True)
            await until_frames(camera)
            bright = cv2.imdecode(np.frombuffer(await camera.snapshot(), np.uint8), cv2.IMREAD_GRAYSCALE)
            lens.fault(Fault.COVERED)
            await asyncio.sleep(0.2)
            dark = cv2.imdecode(np.frombuffer(await camera.snapshot(), np.uint8), cv2.IMREAD_GRAYSCALE)
            assert bright is not None
            assert dark is not None
            assert bright.mean() > 80
            assert dark.mean() < 20

    asyncio.run(scenario())


def test_a_snapshot_of_a_closed_or_silent_camera_says_so_in_plain_words() -> None:
    async def scenario() -> None:
        camera = Camera(small("scene:desk"), factory=ODD, factory_args={"kind": "silent"})
        async with supervised(camera):
            with pytest.raises(NoPicture, match="The overhead camera is closed"):
                await camera.snapshot()
            camera.want_open(True)
            with pytest.raises(CameraError, match=r"gave no picture within 0\.5 s"):
                await camera.snapshot(timeout_s=0.5)

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


def test_a_still_has_the_full_size_and_was_taken_after_it_was_asked_for(tmp_path: Path) -> None:
    async def scenario() -> None:
        lens = Lens(tmp_path)
        camera = Camera(
            CameraSpec("overhead", "scene:desk", 1000, 600, FPS), factory="lab.faults:open_source",
            factory_args={"switch": os.fspath(lens.switch)},
        )  # fmt: skip
        async with supervised(camera):
            with pytest.raises(NoPicture, match="closed"):
                await camera.still()
            camera.want_open(True)
            await until_frames(camera)
            for fault, low, high in ((Fault.NONE, 80, 255), (Fault.COVERED, 0, 20)):
                lens.fault(fault)
                await asyncio.sleep(0.3)
                image = cv2.imdecode(np.frombuffer((await camera.still()).jpeg, np.uint8), cv2.IMREAD_GRAYSCALE)
                assert image is not None
                assert image.shape == (600, 1000)
                assert low < image.mean() < high
            small_one = cv2.imdecode(np.frombuffer(await camera.snapshot(), np.uint8), cv2.IMREAD_GRAYSCALE)
            assert small_one is not None
            assert small_one.shape[1] == 640

    asyncio.run(scenario())


def test_a_still_that_comes_too_late_is_never_the_answer_to_the_next_question() -> None:
    async def scenario() -> None:
        camera = Camera(small("scene:desk"))
        async with supervised(camera):
            camera.want_open(True)
            await until_frames(camera)
            asking = asyncio.ensure_future(camera.still())
            await asyncio.sleep(0)
            assert camera.worker is not None
            camera.worker.still = Still(b"of another child", captured_ns=time.monotonic_ns() - 1_000_000_000)
            assert (await asking).jpeg.startswith(b"\xff\xd8")

    asyncio.run(scenario())


def test_viewers_get_coded_pictures_from_a_keyframe_on_over_the_death_of_a_worker() -> None:
    async def scenario() -> None:
        camera = Camera(small("scene:desk"))
        async with supervised(camera):
            camera.want_open(True)
            await until_frames(camera)
            with camera.packets() as feed:
                assert await feed.next(0.3) is None, "nothing is coded before it is wanted"
                camera.want_coded(True)
                packets = [await feed.next(10) for _ in range(12)]
                assert all(packets)
                assert packets[0] is not None
                assert packets[0].is_keyframe
                assert camera.worker is not None
                camera.worker.kill()
                while (packet := await feed.next(20)) is not None and not packet.is_keyframe:
                    pass
                assert packet is not None, "the next worker codes as well"
                with camera.packets() as second:
                    joined = await second.next(5)
                    assert joined is not None
                    assert joined.is_keyframe
                camera.want_coded(False)
                await until(lambda: camera.status().state is CameraState.OPEN, camera)
            assert camera.bell is not None

    asyncio.run(scenario())


def test_viewers_that_stall_or_leave_cost_the_recorder_no_picture(tmp_path: Path) -> None:
    async def scenario() -> None:
        told: list[Event] = []
        camera = Camera(small("scene:desk"), on_event=told.append)
        key = base64.b64encode(bytes(PrivateKey.generate().public_key)).decode()
        plan = Plan(
            keep=Keep.ALL, number=1, folder=os.fspath(tmp_path / "segments"), fleet_key=key, kiosk="lincoln-12",
            campus="lincoln", session="a-session", boot="boot-1", clock="synced", at="2026-03-02T09:00:00+00:00",
            mono_ns=0, anchor_ns=time.monotonic_ns(),
        )  # fmt: skip
        async with supervised(camera):
            camera.want_open(True)
            await until_frames(camera)
            camera.record(plan)
            camera.want_coded(True)
            with camera.packets() as stalled, camera.packets() as leaving:
                assert await stalled.next(10)
                assert await leaving.next(10)
                leaving.__exit__()
                await until(lambda: camera.status().packets > 3 * FPS, camera)
                assert stalled.lost == 0, "it has not even looked"
            coded = camera.status().packets
            camera.want_coded(False)
            await until(lambda: bool(told), camera)
            (sealed,) = told
            assert isinstance(sealed, Sealed)
            assert sealed.frames >= coded
            assert (camera.status().lost, camera.status().left_out) == (0, 0)

    asyncio.run(scenario())


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


def test_a_closed_camera_leaves_no_coded_picture_in_the_memory_it_shares() -> None:
    async def scenario() -> None:
        camera = Camera(small("scene:desk"))
        async with supervised(camera):
            camera.want_coded(True)
            camera.want_open(True)
            await until(lambda: camera.status().packets > 5, camera)
            assert camera.worker is not None
            fd = camera.worker._bus_fd
            slots, pictures = BUS_BYTES - DATA_BYTES, DATA_BYTES
            assert any(os.pread(fd, pictures, slots))
            camera.want_open(False)
            await until(lambda: not camera.status().device_open, camera)
            assert not any(os.pread(fd, pictures, slots))

    asyncio.run(scenario())


def test_the_mat_is_found_its_scale_told_and_a_worksheet_is_set_straight_by_it() -> None:
    async def scenario() -> None:
        mat = kit().mat
        camera = Camera(CameraSpec("overhead", "scene:desk", 1280, 720, FPS), mat=mat.plain)
        async with supervised(camera):
            camera.want_open(True)
            await until(lambda: (camera.status().mat or {}).get("expected") == 1, camera)
            seen = camera.status().mat
            assert seen is not None
            assert seen["px_per_mm"] == pytest.approx(2.0, rel=0.02), "the scene shows two pixels to the millimetre"
            assert seen["missing_s"] < 3
            still = await camera.still(View.WORKSHEET)
            assert still.px_per_mm == pytest.approx(2.0, rel=0.02)
            assert still.px_per_mm is not None
            sheet = cv2.imdecode(np.frombuffer(still.jpeg, np.uint8), cv2.IMREAD_COLOR)
            assert sheet is not None
            assert sheet.shape[1] == pytest.approx((mat.width_mm + 2 * AROUND_MM) * still.px_per_mm, abs=2)
            assert sheet.shape[0] == pytest.approx((mat.height_mm + 2 * AROUND_MM) * still.px_per_mm, abs=2)
        front = Camera(CameraSpec("front", "scene:student", 640, 360, FPS), mat=mat.plain)
        async with supervised(front):
            front.want_open(True)
            await until(lambda: front.status().mat is not None, front)
            assert front.status().mat == {"markers": 0, "missing_s": 0.0, "expected": 0.0}

    asyncio.run(scenario())


def test_a_camera_that_sees_neither_mat_nor_page_says_so(tmp_path: Path) -> None:
    async def scenario() -> None:
        blank = tmp_path / "blank.png"
        cv2.imwrite(os.fspath(blank), np.full((180, 320, 3), 90, np.uint8))
        camera = Camera(small(f"file:{blank}"), mat=kit().mat.plain)
        async with supervised(camera):
            camera.want_open(True)
            await until(lambda: camera.status().mat is not None, camera)
            with pytest.raises(NoPicture, match="neither the mat nor a page is seen"):
                await camera.still(View.WORKSHEET)

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


def children() -> set[int | None]:
    """The camera workers of this process, dead ones that nobody has collected included."""
    found: set[int | None] = set()
    for entry in Path("/proc").iterdir():
        with contextlib.suppress(OSError):
            if entry.name.isdigit():
                told = (entry / "stat").read_text().rpartition(")")[2].split()
                is_worker = b"device.cameras.worker" in (entry / "cmdline").read_bytes() or told[0] == "Z"
                if int(told[1]) == os.getpid() and is_worker:
                    found.add(int(entry.name))
    return found
