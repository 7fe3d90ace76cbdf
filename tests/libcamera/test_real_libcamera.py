"""The product's own picamera2 source on the real picamera2 and the real libcamera, with virtual cameras behind them.

scripts/test-libcamera prepares a machine for it; docs/libcamera.md says what it shows and what it cannot show.
"""

import asyncio
import functools
import importlib
import inspect
import os
import signal
import threading
import time
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, cast

import cv2
import numpy as np
import pytest

from device.cameras.errors import SourceFailed, SourceMissing, SourceStalled
from device.cameras.source import CameraSpec, EncodingSource, Frame, Layout, Packet, Source
from device.cameras.sources import picamera2_encoder, picamera2_setup
from device.cameras.sources.picamera2 import cameras
from device.cameras.supervisor import Camera
from tests.device.cameras import fake_picamera2
from tests.device.cameras.kit import is_alive, supervised, until, until_frames
from tests.libcamera import virtual
from tests.libcamera.virtual import DESK, FPS, HEIGHT, STUDENT, WIDTH

if TYPE_CHECKING:
    from device.cameras.source import Image

# picamera2 starts its thread by a method that Python has meanwhile renamed.
pytestmark = pytest.mark.filterwarnings("ignore:setDaemon:DeprecationWarning")

FACTORY = "tests.libcamera.virtual:open_source"


def spec(id_: str, width: int = WIDTH, height: int = HEIGHT, **more: Any) -> CameraSpec:
    role = "overhead" if id_ == DESK else "front"
    return CameraSpec(role, f"picamera2:{id_}", width, height, FPS, **more)


def shown(grey: "Image") -> str:
    """The Id of the virtual camera whose scene this is."""

    def distance(id_: str) -> float:
        scene = cv2.imread(str(virtual.scene_file(id_)), cv2.IMREAD_GRAYSCALE)
        assert scene is not None
        small = [cv2.resize(one, (64, 36), interpolation=cv2.INTER_AREA).astype(np.float64) for one in (scene, grey)]
        return float(np.abs(small[0] - small[1]).mean())

    return min((DESK, STUDENT), key=distance)


def luma(frame: Frame) -> "Image":
    return frame.image[: frame.image.shape[0] * 2 // 3]


def read_often(source: Source, times: int) -> None:
    for _ in range(times):
        source.read(0.5)


def closes_in_time(source: Source) -> bool:
    """Whether the source closes at all: the worker would be killed by then."""
    closing = threading.Thread(target=source.close, daemon=True)
    closing.start()
    closing.join(10.0)
    return not closing.is_alive()


@pytest.fixture(autouse=True, scope="module")
def virtual_cameras() -> None:
    virtual.content_with_virtual_cameras()


@pytest.fixture
def desk() -> Iterator[Source]:
    source = virtual.open_source(spec(DESK))
    yield source
    assert closes_in_time(source)


def test_both_cameras_are_listed_with_their_ids_models_and_locations() -> None:
    assert {(one.id, one.model, one.location) for one in cameras()} == {
        (DESK, "sim", "back"),
        (STUDENT, "sim", "front"),
    }


@pytest.mark.parametrize("id_", [DESK, STUDENT])
def test_an_id_opens_the_camera_it_names_and_no_other(id_: str) -> None:
    source = virtual.open_source(spec(id_))
    assert shown(luma(source.read(5.0))) == id_
    assert closes_in_time(source)


def test_an_ending_opens_a_camera_only_if_no_other_ends_so() -> None:
    source = virtual.open_source(spec("i2c@88000/sim@1a"))
    assert shown(luma(source.read(5.0))) == STUDENT
    assert closes_in_time(source)
    for ambiguous in ("sim@1a", "sim"):
        with pytest.raises(SourceMissing, match=f"(?s){DESK}.*{STUDENT}|{STUDENT}.*{DESK}"):
            virtual.open_source(spec(ambiguous))


def test_frames_have_the_size_asked_for_and_rising_stamps(desk: Source) -> None:
    assert (desk.native.width, desk.native.height, desk.native.form) == (WIDTH, HEIGHT, "NV12")
    assert desk.native.fps == pytest.approx(FPS, rel=0.01)
    before_ns = time.monotonic_ns()
    frames = [desk.read(5.0) for _ in range(40)]
    assert {(frame.image.shape, frame.layout) for frame in frames} == {((HEIGHT * 3 // 2, WIDTH), Layout.NV12)}
    assert not any(frame.image.flags.writeable for frame in frames)
    stamps = [frame.captured_ns for frame in frames]
    assert stamps == sorted(set(stamps))
    assert before_ns - 1e9 < stamps[0]
    assert stamps[-1] <= time.monotonic_ns()


def test_another_size_than_the_cameras_own_is_scaled_and_keeps_its_colours() -> None:
    source = virtual.open_source(spec(DESK, 640, 360))
    frame = source.read(5.0)
    assert frame.image.shape == (540, 640)
    colours = cv2.cvtColor(frame.image, cv2.COLOR_YUV2BGR_NV12)
    scene = cv2.imread(str(virtual.scene_file(DESK)))
    assert scene is not None
    # The scene moves a little, and the two differ in the range of their luminance.
    assert np.abs(colours.mean(axis=(0, 1)) - scene.mean(axis=(0, 1))).max() < 16
    assert closes_in_time(source)


def test_a_pipeline_that_does_not_pace_itself_is_paced(desk: Source) -> None:
    frames = [desk.read(5.0) for _ in range(10 + 2 * FPS)]
    assert frames[-1].captured_ns - frames[10].captured_ns > 1.5e9


def test_reads_that_run_out_of_time_lose_no_buffer(desk: Source) -> None:
    seen, missed = 0, 0
    while seen < 30:
        try:
            desk.read(0.002)
            seen += 1
        except SourceStalled:
            missed += 1
    assert missed, "with six buffers, a few lost ones would have ended this"


def test_a_camera_that_falls_silent_stalls_and_still_closes_and_opens_again() -> None:
    source = virtual.open_source(spec(DESK))
    source.read(5.0)
    inside: Any = source
    with pytest.MonkeyPatch.context() as patch:
        # picamera2's thread dies when libcamera is stopped under it; that is part of what has to be survived.
        patch.setattr(threading, "excepthook", lambda _args: None)
        inside._camera.camera.stop()
        with pytest.raises(SourceStalled):
            read_often(source, 20)
        assert closes_in_time(source)
    again = virtual.open_source(spec(DESK))
    assert shown(luma(again.read(5.0))) == DESK
    assert closes_in_time(again)


def test_a_closed_source_gives_nothing_and_closes_twice() -> None:
    source = virtual.open_source(spec(STUDENT))
    source.read(5.0)
    assert closes_in_time(source)
    assert closes_in_time(source)
    with pytest.raises(SourceFailed, match="closed"):
        source.read(1.0)


def test_a_camera_held_by_a_worker_that_is_killed_opens_again() -> None:
    async def scenario() -> None:
        camera = Camera(spec(DESK, 640, 360), factory=FACTORY)
        async with supervised(camera):
            camera.want_open(True)
            pid = (await until_frames(camera)).pid
            assert pid is not None
            os.kill(pid, signal.SIGKILL)
            await until(lambda: camera.status().pid not in {None, pid}, camera)
            await until_frames(camera)
            assert not is_alive(pid)
            assert camera.status().restarts == 1

    asyncio.run(scenario())


def test_both_workers_run_at_once_and_each_shows_its_own_picture() -> None:
    async def scenario() -> None:
        desk, student = (Camera(spec(id_, 640, 360), factory=FACTORY) for id_ in (DESK, STUDENT))
        async with supervised(desk), supervised(student):
            desk.want_open(True)
            student.want_open(True)
            await until_frames(desk)
            await until_frames(student)
            for camera, id_ in ((desk, DESK), (student, STUDENT)):
                jpeg = np.frombuffer(await camera.snapshot(10.0), np.uint8)
                assert shown(cast("Image", cv2.imdecode(jpeg, cv2.IMREAD_GRAYSCALE))) == id_

    asyncio.run(scenario())


def test_the_numbers_of_the_controls_are_libcameras() -> None:
    controls: Any = importlib.import_module("libcamera").controls
    assert int(controls.AfModeEnum.Manual) == picamera2_setup.AF_MANUAL
    assert int(controls.AeFlickerModeEnum.Manual) == picamera2_setup.FLICKER_MANUAL
    assert {"AfMode", "LensPosition", "AeFlickerMode", "AeFlickerPeriod", "FrameDurationLimits"} <= set(dir(controls))


def test_the_chips_encoder_is_refused_on_a_machine_without_one() -> None:
    with pytest.raises(SourceFailed, match=r"no H\.264 encoder"):
        virtual.open_source(spec(DESK, encoder="hardware"))


def test_packets_pass_through_picamera2s_own_encoder_class(
    monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """All of it is picamera2's but the coding: its thread, its start and stop, its outputs, its stamps."""
    name = tmp_path_factory.mktemp("sys") / "name"
    name.write_text("bcm2835-codec-encode\n")
    monkeypatch.setattr(picamera2_encoder, "NODE_NAME", name)
    encoders: Any = importlib.import_module("picamera2.encoders")
    h264: Any = importlib.import_module("picamera2.encoders.h264_encoder")
    asked: list[dict[str, object]] = []

    class Chip(encoders.Encoder):  # type: ignore[misc] # picamera2 publishes no types
        def __init__(self, **options: object) -> None:
            inspect.signature(genuine).bind(**options)
            asked.append(options)
            super().__init__()
            self.framerate = options["framerate"]

        def _encode(self, _stream: object, request: object) -> None:
            stamp = self._timestamp(request)
            kind = b"\x67sps\0\0\0\1\x68pps\0\0\0\1\x65idr" if stamp == 0 else b"\x41delta"
            self.outputframe(b"\0\0\0\1" + kind, stamp == 0, stamp)

    genuine = h264.H264Encoder
    monkeypatch.setattr(h264, "H264Encoder", Chip)
    source = virtual.open_source(spec(STUDENT, encoder="hardware"))
    assert isinstance(source, EncodingSource)
    packets: list[Packet] = []
    enough = threading.Event()

    def take(packet: Packet) -> None:
        packets.append(packet)
        if len(packets) >= 20:
            enough.set()

    before_ns = time.monotonic_ns()
    source.start_encoding(take)
    assert source.read(5.0).image.shape == (HEIGHT * 3 // 2, WIDTH)
    assert enough.wait(10.0)
    source.set_bitrate(500_000)
    source.stop_encoding()
    count = len(packets)
    assert source.read(5.0).image.size
    assert len(packets) == count
    assert closes_in_time(source)
    assert packets[0].is_keyframe
    stamps = [packet.captured_ns for packet in packets[:20]]
    assert stamps == sorted(set(stamps))
    assert before_ns - 1e9 < stamps[0] < stamps[-1] <= time.monotonic_ns()
    assert [one["bitrate"] for one in asked] == [3_000_000, 500_000]


def test_the_stand_in_of_the_everyday_tests_has_the_real_ones_doors() -> None:
    """What the product calls in tests/device/cameras is there in the real picamera2, and takes the same arguments."""
    for module, names in fake_picamera2.DOORS.items():
        for name in names:
            steps = name.split(".")
            real: Any = functools.reduce(getattr, steps, importlib.import_module(module))
            stand_in: Any = functools.reduce(getattr, steps, fake_picamera2)
            if callable(stand_in):
                missing = set(inspect.signature(stand_in).parameters) - set(inspect.signature(real).parameters)
                assert not missing, f"the real {module}.{name} takes no {missing}"
