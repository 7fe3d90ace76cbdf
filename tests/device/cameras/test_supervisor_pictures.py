"""What a supervised camera shows: previews, snapshots, stills, coded pictures for viewers, the mat."""

import asyncio
import base64
import os
import time
from pathlib import Path

import cv2
import numpy as np
import pytest
from nacl.public import PrivateKey

from device.cameras.boundary import View
from device.cameras.bus import BUS_BYTES, DATA_BYTES
from device.cameras.errors import CameraError, NoPicture
from device.cameras.ladder import CameraState
from device.cameras.process import Still
from device.cameras.recording import Event, Keep, Plan, Sealed
from device.cameras.source import CameraSpec
from device.cameras.supervisor import Camera
from device.kit import kit
from device.vision.worksheet import AROUND_MM
from lab.faults import Fault
from tests.device.cameras.kit import FPS, HEIGHT, WIDTH, small, supervised, until, until_frames
from tests.device.cameras.lens import ODD, Lens


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
