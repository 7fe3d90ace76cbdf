"""From frames to packets to a file: encoder, muxer, pre-roll and coder, with real H.264."""

import io
import threading
import time
from collections.abc import Callable
from dataclasses import replace

import av
import numpy as np
import pytest
from av.container import InputContainer
from hypothesis import given
from hypothesis import strategies as st

from device.cameras import pixels
from device.cameras.coder import Coder
from device.cameras.encoder import Encoder
from device.cameras.errors import SourceFailed
from device.cameras.mux import Muxer
from device.cameras.preroll import PreRoll
from device.cameras.source import CameraSpec, Frame, Layout, Native, Packet
from tests.device.cameras.kit import small

S = 1_000_000_000
WIDTH, HEIGHT, FPS = 160, 90, 20


def moving(number: int, layout: Layout = Layout.BGR, width: int = WIDTH, height: int = HEIGHT) -> Frame:
    """A frame in which something moves."""
    image = np.full((height, width, 3), 90, np.uint8)
    image[:, number * 3 % width :, 1] = 200
    noise = np.random.default_rng(number).integers(0, 12, image.shape)
    frame = Frame((image + noise).astype(np.uint8), S + number * S // FPS)
    return replace(frame, image=pixels.for_coding(frame)[0], layout=layout) if layout is Layout.I420 else frame


def coded(count: int, encoder: Encoder | None = None) -> list[Packet]:
    encoder = encoder or Encoder(FPS, 400_000)
    return [packet for number in range(count) for packet in encoder.encode(moving(number))]


def decoded(data: bytes, form: str | None = None) -> int:
    """How many pictures a player finds."""
    with av.open(io.BytesIO(data), format=form) as video:
        assert isinstance(video, InputContainer)
        return len(list(video.decode(video=0)))


def nal_types(data: bytes) -> list[int]:
    return [part[0] & 31 for part in data.replace(b"\0\0\0\1", b"\0\0\1").split(b"\0\0\1")[1:]]


class TestEncoder:
    def test_each_frame_gives_one_packet_at_once_with_its_own_time(self) -> None:
        packets = coded(50)
        assert [packet.captured_ns for packet in packets] == [moving(number).captured_ns for number in range(50)]
        assert [number for number, packet in enumerate(packets) if packet.is_keyframe] == [0, 40]

    def test_it_is_baseline_without_b_frames_and_repeats_its_headers_before_each_keyframe(self) -> None:
        packets = coded(45)
        for packet in packets:
            types = nal_types(packet.data)
            assert ({7, 8, 5} <= set(types)) == packet.is_keyframe
            assert packet.is_keyframe or 5 not in types
        with av.open(io.BytesIO(b"".join(packet.data for packet in packets)), format="h264") as video:
            stream = video.streams.video[0]
            assert "Baseline" in str(stream.codec_context.profile)
            assert not stream.codec_context.has_b_frames
        assert decoded(b"".join(packet.data for packet in packets), "h264") == 45

    def test_a_keyframe_comes_when_it_is_asked_for(self) -> None:
        encoder = Encoder(FPS, 400_000)
        before = coded(7, encoder)
        encoder.force_keyframe()
        after = [encoder.encode(moving(7 + number))[0] for number in range(5)]
        assert [packet.is_keyframe for packet in before + after] == [True] + [False] * 6 + [True] + [False] * 4

    def test_the_bitrate_changes_while_it_runs(self) -> None:
        encoder, chance = Encoder(FPS, 2_000_000), np.random.default_rng(3)

        def taken(first: int) -> int:
            frames = (
                Frame(chance.integers(0, 255, (HEIGHT, WIDTH, 3)).astype(np.uint8), (first + number) * S // FPS)
                for number in range(2 * FPS)
            )
            return sum(len(encoder.encode(frame)[0].data) for frame in frames)

        much = taken(0)
        encoder.set_bitrate(200_000)
        little = taken(2 * FPS)
        assert little < much / 4

    @pytest.mark.parametrize("layout", [Layout.BGR, Layout.I420])
    def test_a_change_of_size_in_mid_stream_is_answered_with_a_fresh_keyframe(self, layout: Layout) -> None:
        encoder = Encoder(FPS, 400_000)
        coded(3, encoder)
        (packet,) = encoder.encode(moving(3, layout, 96, 64))
        assert packet.is_keyframe
        (packet,) = encoder.encode(replace(moving(4, layout, 96, 64), captured_ns=0))
        assert not packet.is_keyframe, "a clock that runs backwards is no reason to fail"

    def test_an_odd_size_loses_its_last_row_and_column(self) -> None:
        (packet,) = Encoder(FPS, 400_000).encode(Frame(np.zeros((91, 161, 3), np.uint8), S))
        with av.open(io.BytesIO(packet.data), format="h264") as video:
            assert (video.streams.video[0].width, video.streams.video[0].height) == (160, 90)

    def test_what_cannot_be_encoded_is_said_in_words(self) -> None:
        with pytest.raises(SourceFailed, match="the encoder refuses a picture of 0 x 0"):
            Encoder(FPS, 400_000).encode(Frame(np.zeros((0, 0), np.uint8), S, Layout.I420))


class TestMuxer:
    def test_pieces_are_beginning_fragments_and_end_and_together_a_playable_file(self) -> None:
        pieces: list[bytes] = []
        packets = coded(40)
        muxer = Muxer(packets[0], pieces.append)
        for packet in packets:
            muxer.add(packet)
        muxer.close()
        assert [piece[4:8] for piece in pieces] == [b"ftyp", *[b"moof"] * (len(pieces) - 2), b"mfra"]
        assert len(pieces) - 2 == pytest.approx(40 / FPS / 0.25, abs=1)
        assert b"avcC" in pieces[0], "players need the headers before the pictures"
        assert decoded(b"".join(pieces)) == 40

    def test_without_its_last_fragments_it_still_plays_up_to_there(self) -> None:
        pieces: list[bytes] = []
        packets = coded(40)
        muxer = Muxer(packets[0], pieces.append)
        for packet in packets:
            muxer.add(packet)
        kept = pieces[:4]
        assert decoded(b"".join(kept)) == sum(piece.count(b"moof") for piece in kept) * 5

    def test_an_error_of_whoever_takes_the_pieces_reaches_whoever_gave_the_packet(self) -> None:
        def refuse(_piece: bytes) -> None:
            raise OSError(28, "No space left on device")

        packets = coded(3)
        muxer = Muxer(packets[0], refuse)
        with pytest.raises(OSError, match="No space"):
            muxer.add(packets[0])

    @pytest.mark.parametrize("data", [b"", b"not a picture", coded(3)[2].data])
    def test_what_begins_no_stream_is_refused(self, data: bytes) -> None:
        with pytest.raises(SourceFailed, match=r"H\.264"):
            Muxer(Packet(data, S, is_keyframe=True), lambda _piece: None)


class TestPreRoll:
    @given(
        keyframes=st.lists(st.booleans(), max_size=200),
        span_s=st.floats(0.1, 5),
    )
    def test_it_begins_with_a_keyframe_reaches_back_far_enough_and_keeps_no_gap(
        self, keyframes: list[bool], span_s: float
    ) -> None:
        roll = PreRoll(span_s)
        given_ = [Packet(b"x", number * S // 10, is_key) for number, is_key in enumerate(keyframes)]
        for packet in given_:
            roll.take(packet)
        kept = roll.empty()
        assert kept == given_[len(given_) - len(kept) :]
        assert not kept or kept[0].is_keyframe
        firsts = [packet.captured_ns for packet in given_ if packet.is_keyframe]
        if firsts:
            newest = given_[-1].captured_ns
            old_enough = [one for one in firsts if newest - one >= round(span_s * S)]
            assert kept[0].captured_ns == (max(old_enough) if old_enough else firsts[0])
        assert len(roll) == roll.bytes == 0


class Taken:
    """Somebody who takes packets."""

    def __init__(self) -> None:
        self.packets: list[Packet] = []
        self.cuts = 0
        self.came = threading.Event()

    def take(self, packet: Packet) -> None:
        self.packets.append(packet)
        self.came.set()

    def cut(self) -> None:
        self.cuts += 1


class GivesH264:
    """A camera that gives packets by itself."""

    native = Native(WIDTH, HEIGHT, FPS, "H264")

    def __init__(self) -> None:
        self.give: Callable[[Packet], None] | None = None
        self.asked: list[str] = []

    def taker(self) -> Callable[[Packet], None] | None:
        return self.give

    def read(self, timeout_s: float) -> Frame:
        return moving(round(timeout_s))

    def close(self) -> None:
        self.asked.append("close")

    def start_encoding(self, on_packet: Callable[[Packet], None]) -> None:
        self.give = on_packet

    def stop_encoding(self) -> None:
        self.give = None

    def force_keyframe(self) -> None:
        self.asked.append("keyframe")

    def set_bitrate(self, bits_per_s: int) -> None:
        self.asked.append(f"{bits_per_s}")


def until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.005)


@pytest.fixture
def parts() -> tuple[Coder, Taken, Taken, list[str]]:
    one, other, firsts = Taken(), Taken(), []
    coder = Coder(small("scene:desk"), (one, other), lambda: firsts.append("first"))
    coder.start()
    return coder, one, other, firsts


Parts = tuple[Coder, Taken, Taken, list[str]]


class PlainSource:
    """A camera whose frames have to be encoded."""

    native = Native(WIDTH, HEIGHT)

    def read(self, timeout_s: float) -> Frame:
        return moving(round(timeout_s))

    def close(self) -> None:
        pass


class TestCoder:
    def test_one_encode_goes_to_everyone_and_only_while_it_is_wanted(self, parts: Parts) -> None:
        coder, one, other, firsts = parts
        coder.opened(PlainSource())
        coder.offer(moving(0))
        coder.want(coded=True)
        for number in range(1, 6):
            coder.offer(moving(number))
            until(lambda number=number: coder.facts.packets == number)  # type: ignore[misc]
        assert one.packets == other.packets
        assert [packet.captured_ns for packet in one.packets] == [moving(n).captured_ns for n in range(1, 6)]
        assert one.packets[0].is_keyframe
        assert firsts == ["first"]
        coder.want(coded=False)
        coder.offer(moving(9))
        assert one.cuts == other.cuts == 1
        assert not coder.is_giving

    def test_after_the_camera_was_closed_nothing_of_it_is_given_and_the_next_opening_begins_with_a_keyframe(
        self, parts: Parts
    ) -> None:
        coder, one, _, _ = parts
        coder.want(coded=True)
        coder.opened(PlainSource())
        coder.offer(moving(0))
        until(lambda: coder.facts.packets == 1)
        coder.offer(moving(1))
        coder.closing()
        count = len(one.packets)
        assert one.cuts == 1
        time.sleep(0.1)
        assert len(one.packets) == count
        coder.opened(PlainSource())
        coder.offer(moving(5))
        until(lambda: len(one.packets) == count + 1)
        assert one.packets[-1].is_keyframe

    def test_a_processor_that_is_too_slow_leaves_frames_out_and_counts_them(self, parts: Parts) -> None:
        coder, one, _, _ = parts
        coder.want(coded=True)
        for number in range(10):  # nobody codes yet: the coder's thread waits for an open camera
            coder.offer(moving(number))
        assert coder.facts.left_out == 7
        coder.opened(PlainSource())
        until(lambda: len(one.packets) == 3)
        assert [packet.captured_ns for packet in one.packets] == [moving(n).captured_ns for n in (7, 8, 9)]

    def test_a_camera_with_its_own_h264_is_passed_through_untouched(self, parts: Parts) -> None:
        coder, one, other, _ = parts
        camera = GivesH264()
        coder.opened(camera)
        assert camera.taker() is None, "not before it is wanted"
        coder.want(coded=True)
        coder.offer(moving(0))
        give = camera.taker()
        assert give is not None
        packet = Packet(b"\0\0\0\1\x65", S, is_keyframe=True)
        give(packet)
        assert one.packets == other.packets == [packet]
        coder.force_keyframe()
        coder.set_bitrate(123_456)
        assert camera.asked == ["keyframe", "123456"]
        coder.closing()
        give(packet)
        assert one.packets == [packet], "a packet that comes late belongs to nobody"
        again = GivesH264()
        coder.opened(again)
        assert again.taker() is not None, "it is still wanted"


class TestPixels:
    def test_the_luminance_of_every_layout_is_the_same_picture(self) -> None:
        bgr = moving(4)
        yuv = replace(bgr, image=pixels.for_coding(bgr)[0], layout=Layout.I420)
        assert pixels.size(bgr) == pixels.size(yuv) == (WIDTH, HEIGHT)
        one, other = pixels.small_grey(bgr, 80), pixels.small_grey(yuv, 80)
        assert one.shape == other.shape == (45, 80)
        # The coded one has 16 to 235 for 0 to 255.
        assert np.abs(one * (219 / 255) + 16 - other).mean() < 2
        assert np.abs(pixels.bgr(yuv).astype(int) - bgr.image).mean() < 12
        assert pixels.small(yuv, 80).shape == (45, 80, 3)

    def test_chroma_in_pairs_is_taken_as_it_is(self) -> None:
        image = np.full((HEIGHT * 3 // 2, WIDTH), 128, np.uint8)
        frame = Frame(image, S, Layout.NV12)
        assert pixels.for_coding(frame) == (image, "nv12")
        assert pixels.bgr(frame).shape == (HEIGHT, WIDTH, 3)
        assert Encoder(FPS, 400_000).encode(frame)[0].is_keyframe


def test_a_spec_of_impossible_figures_is_refused() -> None:
    for changes in ({"bitrate_bps": 1}, {"mains_hz": 55}, {"encoder": "magic"}):
        with pytest.raises(ValueError, match=r"made|exist|encoder"):
            CameraSpec("front", "scene:student", 640, 480, 30, **changes)
