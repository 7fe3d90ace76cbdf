"""USB cameras (K3, K5 of docs/threat-model.md): pipes and scripts stand in for those that make H.264 themselves."""

import contextlib
import itertools
import logging
import math
import os
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Final, cast

import av
import cv2
import numpy as np
import pytest
from av.video.codeccontext import VideoCodecContext
from hypothesis import given
from hypothesis import strategies as st

from device.cameras import annexb, pixels
from device.cameras.annexb import AccessUnit, NalType
from device.cameras.errors import SourceFailed, SourceMissing, SourceStalled
from device.cameras.source import CameraSpec, EncodingSource, Frame, Layout, Native, Packet
from device.cameras.sources import v4l2_h264
from device.cameras.sources.v4l2 import lasting_name, native_of, open_v4l2
from device.cameras.sources.v4l2_device import Coded, keyframe_image
from device.cameras.sources.v4l2_h264 import V4l2H264Source, WaitingFrames, open_v4l2_h264
from device.cameras.sources.v4l2_stamp import captured_ns

if TYPE_CHECKING:
    from device.cameras.source import Image

WIDTH, HEIGHT, FPS = 320, 180, 20.0
MICROSECONDS: Final = Fraction(1, 1_000_000)


def spec(path: Path | str, width: int = WIDTH, height: int = HEIGHT, *, encoder: str = "hardware") -> CameraSpec:
    return CameraSpec("overhead", f"v4l2:{path}", width, height, FPS, encoder=encoder)


def picture(number: int, width: int = WIDTH, height: int = HEIGHT) -> "Image":
    """Blue on the left, red on the right, and of another brightness each time."""
    image = np.full((height, width, 3), 40 + number % 8 * 20, np.uint8)
    image[:, : width // 2, 0] = 255
    image[:, width // 2 :, 2] = 255
    return image


def set_up(codec: VideoCodecContext, size: tuple[int, int], keyframe_every: int, b_frames: int) -> None:
    codec.width, codec.height = size
    codec.pix_fmt, codec.gop_size, codec.time_base = "yuv420p", keyframe_every, MICROSECONDS
    extra = f"bframes={b_frames}:b-adapt=0:rc-lookahead=0:sync-lookahead=0:scenecut=0"
    codec.options = {"preset": "ultrafast", "x264-params": extra}


class CodedCamera:
    """A camera that makes H.264 itself: a pipe, filled at the camera's pace and stamped as the kernel stamps.

    It says its SPS and PPS once, beside the stream.
    """

    def __init__(
        self,
        path: Path,
        size: tuple[int, int] = (WIDTH, HEIGHT),
        *,
        fps: float = FPS,
        keyframe_every: int = 10,
        b_frames: int = 0,
    ) -> None:
        self.path = path
        self._size, self._fps, self._keyframe_every, self._b_frames = size, fps, keyframe_every, b_frames
        self._unplugged = threading.Event()
        os.mkfifo(path)
        threading.Thread(target=self._film, daemon=True).start()

    def open(self, width: int = WIDTH, height: int = HEIGHT) -> V4l2H264Source:
        return open_v4l2_h264(spec(self.path, width, height), os.fspath(self.path), demuxer="nut")

    def unplug(self) -> None:
        """Its device is gone, and then it falls silent."""
        self.path.unlink()
        self._unplugged.set()

    def give_up(self) -> None:
        """It falls silent, though its device is there."""
        self._unplugged.set()

    def _film(self) -> None:
        # The reader closes its end when it has had enough, or does not like what it sees.
        with suppress(BrokenPipeError), self.path.open("wb", buffering=0) as pipe:
            stream = av.open(pipe, "w", format="nut", options={"flush_packets": "1"})
            video = stream.add_stream("libx264")
            set_up(video.codec_context, self._size, self._keyframe_every, self._b_frames)
            for number in itertools.count():
                image = av.VideoFrame.from_ndarray(picture(number, *self._size), format="bgr24")
                image.pts, image.time_base = time.monotonic_ns() // 1000, MICROSECONDS
                stream.mux(video.encode(image))
                if self._unplugged.wait(1 / self._fps):
                    return


def coded(pictures: int, *, keyframe_every: int = 10, b_frames: int = 0, said_once: bool = False) -> list[bytes]:
    """So many pictures as a camera would give them one by one; `said_once` leaves SPS and PPS to the first."""
    codec = av.CodecContext.create("libx264", "w")
    assert isinstance(codec, VideoCodecContext)
    set_up(codec, (WIDTH, HEIGHT), keyframe_every, b_frames)
    packets = []
    for number in range(pictures):
        image = av.VideoFrame.from_ndarray(picture(number), format="bgr24")
        image.pts, image.time_base = number * 50_000, MICROSECONDS
        packets += [bytes(packet) for packet in codec.encode(image)]
    packets += [bytes(packet) for packet in codec.encode(None)]
    parameters = {NalType.SPS, NalType.PPS}
    if said_once:
        rest = ([u for u in annexb.split(packet) if annexb.nal_type(u) not in parameters] for packet in packets[1:])
        packets[1:] = [annexb.join(units) for units in rest]
    return packets


class Script:
    """A device that gives these packets, each when it is asked for one, and then nothing."""

    def __init__(
        self,
        packets: list[bytes],
        then: Callable[[], Coded | None] = lambda: None,
        stamps_ns: Iterable[int | None] = itertools.repeat(None),
    ) -> None:
        self.native = Native(WIDTH, HEIGHT, FPS, "H264")
        self.parameters = b""
        self.closed = False
        self._coded = iter(map(Coded, packets, stamps_ns))
        self._then = then

    def next(self) -> Coded | None:
        assert not self.closed, "a closed device is not asked"
        return next(self._coded, None) or self._then()

    def close(self) -> None:
        self.closed = True


def read_often(source: V4l2H264Source, times: int, timeout_s: float = 2.0) -> list[Frame]:
    return [source.read(timeout_s) for _ in range(times)]


@pytest.fixture
def camera(tmp_path: Path) -> CodedCamera:
    return CodedCamera(tmp_path / "video0", fps=50)


@pytest.fixture
def source(camera: CodedCamera) -> Iterator[V4l2H264Source]:
    source = camera.open()
    yield source
    source.close()


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


class TestPackets:
    def test_they_begin_with_a_keyframe_and_each_keyframe_can_be_begun_with(self, source: V4l2H264Source) -> None:
        assert isinstance(source, EncodingSource)
        packets: list[Packet] = []
        source.start_encoding(packets.append)
        read_often(source, 35)
        source.stop_encoding()
        keyframes = [packet for packet in packets if packet.is_keyframe]
        assert packets[0].is_keyframe
        assert len(keyframes) >= 2
        for packet in keyframes:
            assert [annexb.nal_type(unit) for unit in annexb.split(packet.data)][:2] == [NalType.SPS, NalType.PPS]
            assert keyframe_image(packet.data, WIDTH, HEIGHT) is not None
        assert all(AccessUnit.parse(packet.data).is_keyframe == packet.is_keyframe for packet in packets)

    def test_they_decode_to_one_picture_each(self, source: V4l2H264Source) -> None:
        packets: list[Packet] = []
        source.start_encoding(packets.append)
        read_often(source, 30)
        source.stop_encoding()
        decoder = av.CodecContext.create("h264", "r")
        assert isinstance(decoder, VideoCodecContext)
        shown = [one for packet in packets for one in decoder.decode(av.Packet(packet.data))] + decoder.decode(None)
        assert len(shown) == len(packets)

    def test_a_frame_has_the_time_of_its_packet(self, source: V4l2H264Source) -> None:
        packets: list[Packet] = []
        source.start_encoding(packets.append)
        frames = read_often(source, 30)
        source.stop_encoding()
        stamps = [packet.captured_ns for packet in packets]
        assert stamps == sorted(set(stamps))
        later = {frame.captured_ns for frame in frames if frame.captured_ns >= stamps[0]}
        assert later
        assert later <= set(stamps)

    def test_none_comes_after_the_end(self, source: V4l2H264Source) -> None:
        packets: list[Packet] = []
        source.start_encoding(packets.append)
        read_often(source, 15)
        source.stop_encoding()
        source.stop_encoding()
        count = len(packets)
        read_often(source, 12)
        assert 0 < count == len(packets)

    def test_parameter_sets_said_once_in_the_stream_are_repeated(self) -> None:
        stream = coded(40, said_once=True)
        rest = iter(stream[10:])
        begun, done = threading.Event(), threading.Event()

        def go_on() -> Coded | None:
            if not begun.is_set():
                return None
            if (data := next(rest, None)) is None:
                done.set()
            return Coded(data, None) if data is not None else None

        source = V4l2H264Source(spec("once"), "once", Script(stream[:10], go_on))
        packets: list[Packet] = []
        source.start_encoding(packets.append)
        begun.set()
        assert done.wait(30)
        source.close()
        assert [number for number, packet in enumerate(packets) if packet.is_keyframe] == [0, 10, 20]
        for packet in packets[::10]:
            assert [annexb.nal_type(unit) for unit in annexb.split(packet.data)][:2] == [NalType.SPS, NalType.PPS]
        assert [packet.data for packet in packets if not packet.is_keyframe] == [
            data for number, data in enumerate(stream) if number >= 10 and number % 10
        ]


class TestFrames:
    def test_the_camera_is_seen_in_its_colours(self, source: V4l2H264Source) -> None:
        frame = source.read(2.0)
        assert frame.layout is Layout.I420
        assert pixels.size(frame) == (WIDTH, HEIGHT)
        image = pixels.bgr(frame)
        assert image[90, 40, 0] - 100 > image[90, 40, 2]
        assert image[90, 280, 2] - 100 > image[90, 280, 0]

    def test_between_keyframes_the_last_one_is_shown_again(self, source: V4l2H264Source) -> None:
        packets: list[Packet] = []
        source.start_encoding(packets.append)
        frames = read_often(source, 40)
        source.stop_encoding()
        keyframes = [packet.captured_ns for packet in packets if packet.is_keyframe]
        assert len(keyframes) >= 2
        for before, after in itertools.pairwise(frame for frame in frames if frame.captured_ns >= keyframes[0]):
            is_new = any(before.captured_ns < stamp <= after.captured_ns for stamp in keyframes)
            assert (before.image is not after.image) == is_new
        assert not any(frame.image.flags.writeable for frame in frames)

    def test_a_larger_camera_is_scaled_and_cut_without_distortion(self, tmp_path: Path) -> None:
        source = CodedCamera(tmp_path / "video0", (640, 480)).open()
        assert (source.native.width, source.native.height, source.native.form) == (640, 480, "H264")
        frame = source.read(2.0)
        assert pixels.size(frame) == (WIDTH, HEIGHT)
        blue = pixels.bgr(frame)[..., 0] > 200
        assert blue[:, :156].all()
        assert not blue[:, 164:].any()
        source.close()

    def test_a_size_that_no_h264_has_is_refused_before_the_device_is_touched(self) -> None:
        with pytest.raises(SourceFailed, match="321x180 pixels cannot be; both sides have to be even"):
            open_v4l2_h264(spec("/no/such/camera", 321), "/no/such/camera")


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


class TestWaitingFrames:
    @staticmethod
    def frame(captured_ns: int) -> Frame:
        return Frame(np.zeros((3, 2), np.uint8), captured_ns, Layout.I420)

    @pytest.fixture
    def waiting(self) -> WaitingFrames:
        """A reader in step: it has asked once already."""
        waiting = WaitingFrames()
        assert waiting.take(0) is None
        return waiting

    def test_a_reader_in_step_gets_each_frame(self, waiting: WaitingFrames) -> None:
        for _ in range(3):
            now_ns = time.monotonic_ns()
            for number in range(4):
                waiting.put(self.frame(now_ns + number))
            frames = [waiting.take(0) for _ in range(5)]
            assert [frame and frame.captured_ns for frame in frames] == [*range(now_ns, now_ns + 4), None]

    def test_a_late_reader_gets_no_old_ones(self, waiting: WaitingFrames) -> None:
        before_ns = time.monotonic_ns()
        for number in range(5):
            waiting.put(self.frame(before_ns + number - 5))
        assert waiting.take(0) is None
        waiting.put(self.frame(before_ns - 1))
        assert waiting.take(0) is None, "it was on its way when the reader came"
        now_ns = time.monotonic_ns()
        waiting.put(self.frame(now_ns))
        late = waiting.take(0)
        assert late is not None
        assert late.captured_ns == now_ns

    def test_the_first_reader_is_late_by_nature(self) -> None:
        waiting = WaitingFrames()
        waiting.put(self.frame(time.monotonic_ns() - 1))
        assert waiting.take(0) is None

    def test_what_ended_it_first_is_what_everybody_is_told(self, waiting: WaitingFrames) -> None:
        waiting.end(SourceMissing("unplugged"))
        waiting.end(SourceFailed("closed"))
        for _ in range(2):
            with pytest.raises(SourceMissing, match="unplugged"):
                waiting.take(0)
