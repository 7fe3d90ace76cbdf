"""USB cameras: their lasting names (K5 of docs/threat-model.md), and what their driver says."""

import math
import os
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import cv2
import pytest
from hypothesis import given
from hypothesis import strategies as st

from device.cameras.errors import SourceFailed, SourceMissing
from device.cameras.source import Native
from device.cameras.sources.v4l2 import lasting_name, native_of, open_v4l2
from device.cameras.sources.v4l2_h264 import open_v4l2_h264
from device.cameras.sources.v4l2_stamp import captured_ns

if TYPE_CHECKING:
    pass
from tests.device.cameras.v4l2.kit import CodedCamera, read_often, spec


class TestNames:
    @pytest.fixture
    def dev(self, tmp_path: Path) -> Path:
        """A `/dev` with two cameras, each with a second device for its metadata."""
        for number in range(4):
            (tmp_path / f"video{number}").touch()
        names = tmp_path / "v4l/by-path"
        names.mkdir(parents=True)
        for port, number, index in ((1, 0, 0), (1, 1, 1), (2, 2, 0), (2, 3, 1)):
            for usb in ("usbv2", "usb"):
                name = f"platform-xhci-hcd.0-{usb}-0:{port}:1.0-video-index{index}"
                (names / name).symlink_to(f"../../video{number}")
        return tmp_path

    @pytest.mark.parametrize(("number", "port", "index"), [(0, 1, 0), (1, 1, 1), (2, 2, 0)])
    def test_a_number_has_a_lasting_name(self, dev: Path, number: int, port: int, index: int) -> None:
        name = dev / f"v4l/by-path/platform-xhci-hcd.0-usb-0:{port}:1.0-video-index{index}"
        assert lasting_name(os.fspath(dev / f"video{number}"), dev) == name

    def test_a_name_that_lasts_needs_no_other(self, dev: Path) -> None:
        for name in (dev / "v4l/by-path").iterdir():
            assert lasting_name(os.fspath(name), dev) is None

    def test_a_camera_without_a_name_has_none(self, dev: Path, tmp_path: Path) -> None:
        (dev / "video9").touch()
        assert lasting_name(os.fspath(dev / "video9"), dev) is None
        assert lasting_name(os.fspath(dev / "video7"), dev) is None
        assert lasting_name("/dev/video0", tmp_path / "empty") is None

    def test_who_opens_a_number_is_told_the_lasting_name_once(
        self, dev: Path, caplog: pytest.LogCaptureFixture
    ) -> None:
        for _ in range(3):
            with pytest.raises(SourceMissing, match="does not open"):
                open_v4l2(spec(dev / "video2", encoder="software"), os.fspath(dev / "video2"), dev=dev)
        [line] = [record.getMessage() for record in caplog.records]
        assert f"write v4l2:{dev}/v4l/by-path/platform-xhci-hcd.0-usb-0:2:1.0-video-index0 instead" in line

    def test_a_camera_that_comes_back_under_another_number_is_found_by_its_lasting_name(self, tmp_path: Path) -> None:
        name = tmp_path / "platform-xhci-hcd.0-usb-0:1:1.0-video-index0"
        before = CodedCamera(tmp_path / "video0")
        name.symlink_to("video0")
        source = open_v4l2_h264(spec(name), os.fspath(name), demuxer="nut")
        assert source.read(2.0).image.size
        name.unlink()
        before.unplug()
        with pytest.raises(SourceMissing, match="unplugged"):
            read_often(source, 100)
        source.close()

        CodedCamera(tmp_path / "video3")
        name.symlink_to("video3")
        source = open_v4l2_h264(spec(name), os.fspath(name), demuxer="nut")
        assert source.read(2.0).image.size
        source.close()


class TestWhatTheDriverSays:
    def test_it_is_read_back(self) -> None:
        fourcc = float(cv2.VideoWriter.fourcc(*"MJPG"))
        assert native_of("/dev/c", width=1280, height=720, fps=30, fourcc=fourcc) == Native(1280, 720, 30, "MJPG")

    def test_silence_about_rate_and_format_is_no_rate_and_no_format(self) -> None:
        assert native_of("/dev/c", width=640, height=480, fps=-1, fourcc=-1) == Native(640, 480, None, "")
        assert native_of("/dev/c", width=640, height=480, fps=0, fourcc=0) == Native(640, 480, None, "")

    @pytest.mark.parametrize(("width", "height", "fps"), [(0, 0, 30), (640, 0, 30), (math.nan, 480, 30), (640, -1, 30)])
    def test_a_picture_of_no_size_is_refused_in_words(self, width: float, height: float, fps: float) -> None:
        with pytest.raises(SourceFailed, match=r"^/dev/c: the driver speaks of pictures of .* replug the camera$"):
            native_of("/dev/c", width=width, height=height, fps=fps, fourcc=0)

    @given(st.floats(), st.floats(), st.floats(), st.floats())
    def test_nonsense_is_refused_and_never_believed(
        self, width: float, height: float, fps: float, fourcc: float
    ) -> None:
        with suppress(SourceFailed):
            native = native_of("/dev/c", width=width, height=height, fps=fps, fourcc=fourcc)
            assert native.width >= 1
            assert native.height >= 1
            assert native.fps is None or 0 < native.fps < math.inf
            assert native.form.isascii()
            assert len(native.form) <= 4

    @given(st.floats() | st.integers() | st.none(), st.integers(0, 2**63))
    def test_a_frame_is_stamped_within_two_seconds_of_its_coming(self, stamp: float | None, arrived: int) -> None:
        assert arrived - 2_000_000_000 <= captured_ns(stamp, arrived) <= arrived

    @given(st.integers(0, 2_000_000_000), st.integers(0, 2**63))
    def test_a_stamp_that_can_be_true_is_kept(self, age_ns: int, arrived: int) -> None:
        assert captured_ns(arrived - age_ns, arrived) == arrived - age_ns
