"""The Pi 4's own H.264 encoder behind a Pi camera."""

import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from device.cameras.errors import SourceFailed
from device.cameras.source import EncodingSource, Packet
from device.cameras.sources import open_source, picamera2_encoder
from tests.device.cameras.fake_picamera2 import DELTA, DESK, IDR, PARAMETERS, Sensor
from tests.device.cameras.pi_kit import FPS, Plug, plugging, read_often, spec


@pytest.fixture
def plug() -> Iterator[Plug]:
    yield from plugging()


class TestChipsEncoder:
    @pytest.fixture(autouse=True)
    def pi4(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
        """What the kernel of a Pi 4 calls /dev/video11."""
        name = tmp_path / "name"
        name.write_text("bcm2835-codec-encode\n")
        monkeypatch.setattr(picamera2_encoder, "NODE_NAME", name)
        return name

    @staticmethod
    def encoding(**more: Any) -> EncodingSource:
        source = open_source(spec(encoder="hardware", **more))
        assert isinstance(source, EncodingSource)
        return source

    def test_only_a_source_asked_for_the_chips_encoder_has_one(self, plug: Plug) -> None:
        plug(Sensor(DESK))
        source = open_source(spec())
        assert not isinstance(source, EncodingSource)
        source.close()
        self.encoding().close()

    @pytest.mark.parametrize("name", [None, "", "rpi-hevc-dec\n", "pispbe-input\n"])
    def test_a_machine_without_one_refuses_in_words_and_opens_nothing(
        self, plug: Plug, pi4: Path, name: str | None
    ) -> None:
        pi4.unlink()
        if name is not None:
            pi4.write_text(name)
        sensor = Sensor(DESK)
        plug(sensor)
        with pytest.raises(SourceFailed, match=r"no H\.264 encoder.*software"):
            self.encoding()
        assert not sensor.calls

    def test_it_is_asked_for_what_a_browser_can_play(self, plug: Plug) -> None:
        bench = plug(Sensor(DESK))
        source = self.encoding(bitrate_bps=1_500_000)
        source.start_encoding(lambda _packet: None)
        source.close()
        assert bench.encoders[0].options == {
            "bitrate": 1_500_000,
            "repeat": True,
            "iperiod": 100,
            "framerate": FPS,
            "profile": "baseline",
        }

    def test_packets_begin_with_a_keyframe_and_carry_the_time_of_their_picture(self, plug: Plug) -> None:
        stamped_ns: list[int] = []

        def stamp() -> int:
            stamped_ns.append(time.monotonic_ns() - 20_000_000)
            return stamped_ns[-1]

        plug(Sensor(DESK, stamp=stamp))
        source = self.encoding()
        packets = gathered(source, 8)
        source.close()
        assert [packet.is_keyframe for packet in packets[:8]] == [True] + [False] * 7
        assert packets[0].data == PARAMETERS + IDR
        assert packets[1].data == DELTA
        taken_us = {stamp_ns // 1000 for stamp_ns in stamped_ns}
        assert {packet.captured_ns // 1000 for packet in packets} <= taken_us

    @pytest.mark.parametrize("says", ["once", "apart"])
    def test_every_keyframe_has_its_parameter_sets_whenever_the_chip_says_them(self, plug: Plug, says: str) -> None:
        plug(Sensor(DESK)).says_parameters = says
        source = self.encoding()
        packets: list[Packet] = []
        done = threading.Event()

        def take(packet: Packet) -> None:
            packets.append(packet)
            source.force_keyframe()
            if len(packets) == 4:
                done.set()

        source.start_encoding(take)
        assert done.wait(5.0)
        source.close()
        assert [packet.data for packet in packets[:4]] == [PARAMETERS + IDR] * 4

    def test_a_keyframe_can_be_asked_for_where_picamera2_can_do_it(
        self, plug: Plug, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        plug(Sensor(DESK))
        source = self.encoding()
        source.force_keyframe()  # nothing runs yet: nothing happens
        gathered(source, 3)
        source.force_keyframe()
        assert any(packet.is_keyframe for packet in gathered(source, 3))
        monkeypatch.delattr("tests.device.cameras.fake_picamera2.H264Encoder.force_key_frame")
        source.force_keyframe()
        source.close()

    def test_after_stopping_no_packet_comes_and_frames_go_on(self, plug: Plug) -> None:
        plug(Sensor(DESK))
        source = self.encoding()
        packets = gathered(source, 3)
        source.stop_encoding()
        source.stop_encoding()
        count = len(packets)
        read_often(source, 5)
        assert len(packets) == count
        source.close()

    def test_another_bitrate_is_another_start_and_the_same_one_is_none(self, plug: Plug) -> None:
        bench = plug(Sensor(DESK))
        source = self.encoding()
        source.set_bitrate(2_000_000)
        packets = gathered(source, 3)
        source.set_bitrate(2_000_000)
        assert [one.options["bitrate"] for one in bench.encoders] == [2_000_000]
        source.set_bitrate(500_000)
        assert [one.options["bitrate"] for one in bench.encoders] == [2_000_000, 500_000]
        count = len(packets)
        read_often(source, 5)
        source.close()
        assert packets[count].is_keyframe
        stamps = [packet.captured_ns for packet in packets]
        assert stamps == sorted(set(stamps))

    def test_one_that_does_not_start_has_failed_in_words_and_may_be_tried_again(self, plug: Plug) -> None:
        bench = plug(Sensor(DESK))
        source = self.encoding()
        bench.chip_trouble = OSError(16, "Device or resource busy")
        with pytest.raises(SourceFailed, match=r"does not start.*busy"):
            source.start_encoding(lambda _packet: None)
        bench.chip_trouble = None
        assert len(gathered(source, 2)) >= 2
        source.close()

    def test_closing_ends_it_first(self, plug: Plug) -> None:
        sensor = Sensor(DESK)
        plug(sensor)
        source = self.encoding()
        packets = gathered(source, 3)
        source.close()
        count = len(packets)
        source.close()
        assert len(packets) == count
        assert sensor.calls == ["stop_encoder", "stop", "close"]


def gathered(source: EncodingSource, count: int) -> list[Packet]:
    """The list into which packets go from now on, when it holds at least so many."""
    packets: list[Packet] = []
    enough = threading.Event()

    def take(packet: Packet) -> None:
        packets.append(packet)
        if len(packets) >= count:
            enough.set()

    source.start_encoding(take)
    assert enough.wait(5.0), f"only {len(packets)} packets came"
    return packets
