"""USB cameras that make H.264 themselves: their packets, and the frames that are shown of them."""

import itertools
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING

import av
import numpy as np
import pytest
from av.video.codeccontext import VideoCodecContext

from device.cameras import annexb, pixels
from device.cameras.annexb import AccessUnit, NalType
from device.cameras.errors import SourceFailed, SourceMissing
from device.cameras.source import EncodingSource, Frame, Layout, Packet
from device.cameras.sources.v4l2_device import Coded, keyframe_image
from device.cameras.sources.v4l2_h264 import V4l2H264Source, WaitingFrames, open_v4l2_h264

if TYPE_CHECKING:
    pass
from tests.device.cameras.v4l2.kit import HEIGHT, WIDTH, CodedCamera, Script, coded, read_often, spec


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
