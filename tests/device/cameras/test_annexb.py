import av
import numpy as np
import pytest
from av.video.codeccontext import VideoCodecContext
from hypothesis import given
from hypothesis import strategies as st

from device.cameras import annexb
from device.cameras.annexb import AccessUnit, NalType, ParameterSets

SLICE_TYPES = {"P": 0, "B": 1, "I": 2, "SP": 3, "SI": 4}


def bits(number: int) -> str:
    """A number as H.264 writes it: as many zeros as it has bits after the first, then the bits (9.1)."""
    plain = f"{number + 1:b}"
    return "0" * (len(plain) - 1) + plain


def nal(kind: int, content: str, tail: bytes = b"\x80") -> bytes:
    """A NAL unit whose content begins with these bits, escaped as an encoder does it (7.4.1.1)."""
    filled = content + "1" * (-len(content) % 8)
    raw = int(filled or "0", 2).to_bytes(len(filled) // 8, "big") + tail
    unit = bytearray([0x60 | kind])
    for byte in raw:
        if unit[-2:] == b"\0\0" and len(unit) > 2 and byte <= 3:
            unit.append(3)
        unit.append(byte)
    return bytes(unit)


def a_slice(letter: str, *, first_macroblock: int = 0, said_for_all: bool = False, kind: int = NalType.SLICE) -> bytes:
    return nal(kind, bits(first_macroblock) + bits(SLICE_TYPES[letter] + 5 * said_for_all))


def sps(number: int = 0, *, level: int = 31) -> bytes:
    return nal(NalType.SPS, f"{66:08b}{0:08b}{level:08b}" + bits(number))


def pps(number: int = 0, *, tail: bytes = b"\x80") -> bytes:
    return nal(NalType.PPS, bits(number), tail)


IDR = a_slice("I", kind=NalType.IDR)
units = st.builds(
    lambda kind, content: nal(kind, "", content + b"\x80"), st.integers(1, 31), st.binary(max_size=40)
) | st.sampled_from([sps(), pps(), IDR, a_slice("P"), a_slice("B")])


class TestNalUnits:
    @given(st.lists(st.tuples(units, st.sampled_from([b"\0\0\1", b"\0\0\0\1"]), st.integers(0, 3))))
    def test_what_was_put_together_comes_apart_again(self, parts: list[tuple[bytes, bytes, int]]) -> None:
        stream = b"".join(start + unit + bytes(zeros) for unit, start, zeros in parts)
        assert annexb.split(stream) == [unit for unit, _, _ in parts]

    @given(st.lists(units))
    def test_a_joined_stream_holds_the_same_units(self, some: list[bytes]) -> None:
        assert annexb.split(annexb.join(some)) == some

    @given(st.binary())
    def test_any_bytes_can_be_looked_at(self, noise: bytes) -> None:
        for stream in (noise, annexb.join([noise]), annexb.join([bytes([kind]) + noise for kind in range(32)])):
            unit = AccessUnit.parse(stream)
            assert unit.has_picture or not (unit.is_keyframe or unit.has_b_slice)
            assert all(annexb.split(annexb.join([one])) == [one] for one in unit.units)
            learned = ParameterSets().learn(unit)
            assert {one for _, _, one in learned.known} <= set(unit.units)

    @pytest.mark.parametrize(
        "stream", [b"", b"\0\0\0", b"\1\2\3", b"\0\0\1", b"\0\0\0\1\0\0\0\1", b"\0\0\0\x12\x65\x88"]
    )
    def test_a_stream_without_a_unit_has_none(self, stream: bytes) -> None:
        assert AccessUnit.parse(stream) == AccessUnit(())
        assert not AccessUnit.parse(stream).has_picture


class TestSlices:
    @given(st.sampled_from(list(SLICE_TYPES)), st.integers(0, 2**32 - 2), st.booleans())
    def test_only_a_b_slice_is_one(self, letter: str, first_macroblock: int, said_for_all: bool) -> None:
        one = a_slice(letter, first_macroblock=first_macroblock, said_for_all=said_for_all)
        assert annexb.is_b_slice(one) == (letter == "B")

    def test_one_b_slice_among_others_is_seen(self) -> None:
        assert AccessUnit((a_slice("P"), a_slice("B", first_macroblock=400))).has_b_slice
        assert not AccessUnit((a_slice("P"), a_slice("P", first_macroblock=400))).has_b_slice

    @pytest.mark.parametrize("kind", [NalType.SPS, NalType.PPS, 6, 9, 12])
    def test_what_is_no_slice_is_no_b_slice(self, kind: int) -> None:
        assert not annexb.is_b_slice(a_slice("B", kind=kind))

    def test_a_slice_cut_off_in_its_head_is_not_taken_for_one(self) -> None:
        assert not annexb.is_b_slice(bytes([NalType.SLICE]))
        assert not annexb.is_b_slice(bytes([NalType.SLICE, 0, 0]))


class TestKeyframes:
    def test_a_decoder_can_begin_at_an_idr_picture_only(self) -> None:
        assert AccessUnit((sps(), pps(), IDR)).is_keyframe
        assert not AccessUnit((a_slice("I"),)).is_keyframe
        assert not AccessUnit((sps(), pps())).has_picture


class TestParameterSets:
    def test_they_are_complete_with_one_of_each_kind(self) -> None:
        assert not ParameterSets().is_complete
        assert not ParameterSets().learn(AccessUnit((sps(),))).is_complete
        assert ParameterSets().learn(AccessUnit((pps(),))).learn(AccessUnit((sps(),))).is_complete

    def test_a_newer_one_takes_the_place_of_the_one_with_its_number(self) -> None:
        before = ParameterSets().learn(AccessUnit((sps(0), sps(1), pps(0))))
        after = before.learn(AccessUnit((sps(1, level=40),)))
        assert [one for _, _, one in after.known] == [sps(0), sps(1, level=40), pps(0)]

    def test_they_are_put_before_a_keyframe_that_comes_without(self) -> None:
        known = ParameterSets().learn(AccessUnit((pps(), sps())))
        assert annexb.split(known.before(AccessUnit((IDR,)))) == [sps(), pps(), IDR]

    def test_a_delimiter_is_left_out_for_nothing_may_stand_before_it(self) -> None:
        known = ParameterSets().learn(AccessUnit((pps(), sps())))
        delimiter = nal(NalType.DELIMITER, "111")
        assert annexb.split(known.before(AccessUnit((delimiter, IDR)))) == [sps(), pps(), IDR]

    @given(st.lists(st.lists(units, max_size=5), max_size=6))
    def test_every_keyframe_has_each_known_set_once_and_keeps_the_rest_in_order(
        self, stream: list[list[bytes]]
    ) -> None:
        known = ParameterSets()
        for some in stream:
            unit = AccessUnit(tuple(some))
            known = known.learn(unit)
            assert known.learn(unit) == known, "the same again teaches nothing"
            out = annexb.split(known.before(unit))
            sets = [one for _, _, one in known.known]
            assert out[: len(sets)] == sets
            assert len(sets) == len({key[:2] for key in known.known})
            dropped = {NalType.SPS, NalType.PPS, NalType.DELIMITER}
            assert out[len(sets) :] == [one for one in some if annexb.nal_type(one) not in dropped]


class TestARealEncoder:
    @staticmethod
    def stream(b_frames: int) -> list[AccessUnit]:
        codec = av.CodecContext.create("libx264", "w")
        assert isinstance(codec, VideoCodecContext)
        codec.width, codec.height, codec.pix_fmt, codec.gop_size = 64, 48, "yuv420p", 8
        codec.options = {"x264-params": f"bframes={b_frames}:b-adapt=0:scenecut=0:repeat-headers=1:slices=2"}
        packets = []
        for number in range(16):
            frame = av.VideoFrame.from_ndarray(np.full((48, 64, 3), 10 * number, np.uint8), format="bgr24")
            frame.pts = number
            packets += codec.encode(frame)
        return [AccessUnit.parse(bytes(packet)) for packet in [*packets, *codec.encode(None)]]

    def test_its_keyframes_are_known_and_come_with_their_sets(self) -> None:
        coded = self.stream(b_frames=0)
        assert [number for number, unit in enumerate(coded) if unit.is_keyframe] == [0, 8]
        assert all(unit.has_picture for unit in coded)
        assert ParameterSets().learn(coded[0]).is_complete

    def test_its_b_frames_are_seen_and_nothing_else_is_taken_for_one(self) -> None:
        assert not any(unit.has_b_slice for unit in self.stream(b_frames=0))
        assert any(unit.has_b_slice for unit in self.stream(b_frames=2))
