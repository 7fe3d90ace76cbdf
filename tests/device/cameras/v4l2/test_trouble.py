"""USB cameras that make H.264 themselves: what is refused, and what becomes of one that fails (K3)."""

import contextlib
import itertools
import logging
import os
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, cast

import cv2
import pytest

from device.cameras import annexb
from device.cameras.errors import SourceFailed, SourceMissing, SourceStalled
from device.cameras.sources import v4l2_h264
from device.cameras.sources.v4l2 import open_v4l2
from device.cameras.sources.v4l2_device import Coded, keyframe_image
from device.cameras.sources.v4l2_h264 import V4l2H264Source, open_v4l2_h264

if TYPE_CHECKING:
    from device.cameras.source import Image
from tests.device.cameras.v4l2.kit import FPS, HEIGHT, WIDTH, CodedCamera, Script, coded, picture, read_often, spec


class TestRefusals:
    def test_b_frames_are_refused_and_the_camera_is_not_asked_again(self, tmp_path: Path) -> None:
        camera = CodedCamera(tmp_path / "video0", b_frames=2)
        with pytest.raises(SourceFailed, match="of no use here: it has B-frames"):
            camera.open()
        camera.unplug()
        with pytest.raises(SourceFailed, match="it has B-frames"):
            camera.open()

    def test_a_smaller_picture_than_asked_for_is_refused(self, tmp_path: Path) -> None:
        with pytest.raises(SourceFailed, match=r"the camera's own H\.264 has only 160x90 pixels"):
            CodedCamera(tmp_path / "video0", (160, 90)).open()

    def test_keyframes_too_rare_are_refused(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(v4l2_h264, "_KEYFRAME_WITHIN_NS", 700_000_000)
        camera = CodedCamera(tmp_path / "video0", keyframe_every=10_000)

        def open_and_read() -> None:
            with contextlib.closing(camera.open()) as source:  # a slow machine is told while it opens
                read_often(source, 100)

        with pytest.raises(SourceFailed, match=r"its keyframes are more than 0\.7 s apart"):
            open_and_read()

    def test_a_pause_is_not_held_against_the_keyframes(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(v4l2_h264, "_KEYFRAME_WITHIN_NS", 1_000_000_000)
        now_ns = time.monotonic_ns()
        stamps_ns = [*(now_ns - 1_900_000_000 + number for number in range(10)), now_ns]
        device = Script(coded(11, keyframe_every=100), stamps_ns=stamps_ns)
        source = V4l2H264Source(spec("paused"), "paused", device)
        with pytest.raises(SourceStalled):
            read_often(source, 20, timeout_s=0.01)
        source.close()

    def test_a_stream_that_never_says_how_to_decode_it_is_refused(self) -> None:
        device = Script(coded(20, said_once=True)[10:])
        with pytest.raises(SourceFailed, match="no SPS and PPS"):
            V4l2H264Source(spec("mute"), "mute", device)
        assert device.closed

    def test_a_device_that_gives_nothing_is_refused_and_closed(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(v4l2_h264, "_PROVE_S", 0.05)
        device = Script([])
        with pytest.raises(SourceFailed, match="too few pictures"):
            V4l2H264Source(spec("silent"), "silent", device)
        assert device.closed

    def test_what_is_not_there_is_missing(self, tmp_path: Path) -> None:
        with pytest.raises(SourceMissing, match="no such device"):
            open_v4l2_h264(spec(tmp_path / "video0"), os.fspath(tmp_path / "video0"))

    def test_a_stream_of_something_else_is_refused(self, tmp_path: Path) -> None:
        path = os.fspath(tmp_path / "video0.avi")
        writer = cv2.VideoWriter(path, cv2.VideoWriter.fourcc(*"MJPG"), FPS, (WIDTH, HEIGHT))
        writer.write(picture(0))
        writer.release()
        with pytest.raises(SourceFailed, match=r"offers H\.264, but without pictures in it"):
            open_v4l2_h264(spec(path), path, demuxer="avi")

    def test_a_camera_without_h264_is_tried_as_one_without_and_that_is_said_once(
        self, tmp_path: Path, caplog: pytest.LogCaptureFixture
    ) -> None:
        (tmp_path / "video0").touch()
        for _ in range(3):
            with pytest.raises(SourceMissing, match="does not open"):
                open_v4l2(spec(tmp_path / "video0"), os.fspath(tmp_path / "video0"))
        [line] = [record for record in caplog.records if record.levelno == logging.WARNING]
        assert "the camera gives no H.264 (Inappropriate ioctl for device)" in line.getMessage()


class TestTrouble:
    def test_an_unplugged_camera_is_missing(self, camera: CodedCamera, source: V4l2H264Source) -> None:
        source.read(2.0)
        camera.unplug()
        with pytest.raises(SourceMissing, match="the camera was unplugged"):
            read_often(source, 100)

    def test_a_camera_that_gives_up_has_failed(self, camera: CodedCamera, source: V4l2H264Source) -> None:
        source.read(2.0)
        camera.give_up()
        with pytest.raises(SourceFailed, match="stopped giving pictures"):
            read_often(source, 100)

    def test_a_silent_device_lets_the_reader_go_and_can_be_closed(self) -> None:
        device = Script(coded(10))
        source = V4l2H264Source(spec("quiet"), "quiet", device)
        with pytest.raises(SourceStalled, match="quiet: no frame"):
            read_often(source, 20, timeout_s=0.01)
        source.close()
        assert device.closed

    def test_a_driver_that_keeps_the_thread_makes_closing_fail(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(v4l2_h264, "_CLOSE_S", 0.05)
        let_go = threading.Event()
        device = Script(coded(10), lambda: Coded(b"", None) if let_go.wait(60) else None)
        source = V4l2H264Source(spec("stuck"), "stuck", device)
        with pytest.raises(SourceStalled):
            read_often(source, 20, timeout_s=0.01)
        with pytest.raises(SourceFailed, match="does not let go"):
            source.close()
        assert not device.closed, "it would be pulled away under the driver"
        let_go.set()

    def test_whatever_the_driver_raises_the_reader_gets(self) -> None:
        def explode() -> Coded:
            raise ZeroDivisionError("in the driver")

        source = V4l2H264Source(spec("odd"), "odd", Script(coded(10), explode))
        with pytest.raises(ZeroDivisionError):
            read_often(source, 20)
        source.close()

    def test_a_damaged_keyframe_leaves_the_last_picture(self) -> None:
        good = coded(12)
        broken = annexb.join([b"\x65"])
        stream = itertools.chain([broken], itertools.repeat(good[1]))
        source = V4l2H264Source(spec("worn"), "worn", Script(good[:10], lambda: Coded(next(stream), None)))
        image = source.read(1.0).image
        assert image.mean() == pytest.approx(cast("Image", keyframe_image(good[0], WIDTH, HEIGHT)).mean())
        source.close()

    @pytest.mark.parametrize(
        "stream", [b"", b"\0\0\1\x65", b"no stream at all", annexb.join([b"\x67\x42", b"\x65\x88"])]
    )
    def test_a_keyframe_too_damaged_is_no_picture(self, stream: bytes) -> None:
        assert keyframe_image(stream, WIDTH, HEIGHT) is None
