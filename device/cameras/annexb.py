"""H.264 as cameras give it (Annex B): NAL units behind start codes, and what has to be known of them to pass them on.

Pure, and surprised by nothing: any bytes may come out of a camera. References are to ITU-T H.264 (08/2021).
"""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import IntEnum
from typing import Final

_START: Final = b"\x00\x00\x01"
_HEAD_BYTES: Final = 24
"""More than the two numbers at the beginning of a slice can fill, 65 bits each with their escapes."""
_SPS_ID_BIT: Final = 24
"""In a sequence parameter set three bytes (profile, constraints, level) stand before its number (7.3.2.1.1)."""


class NalType(IntEnum):
    """The kinds of NAL unit that matter here (table 7-1)."""

    SLICE = 1
    PARTITION = 2
    IDR = 5
    SPS = 7
    PPS = 8
    DELIMITER = 9


_PICTURES: Final = frozenset({NalType.SLICE, NalType.PARTITION, NalType.IDR})
_PARAMETERS: Final = frozenset({NalType.SPS, NalType.PPS})


def split(stream: bytes) -> list[bytes]:
    """The NAL units of a stream, without start codes; what stands before the first start code is no part of it."""
    # No unit ends in a zero byte (7.4.1): zeros at its end are padding, or belong to a start code of four bytes.
    return [unit for part in stream.split(_START)[1:] if (unit := part.rstrip(b"\0"))]


def join(units: Iterable[bytes]) -> bytes:
    """NAL units as one stream, each behind a start code of four bytes."""
    return b"".join(b"\0" + _START + unit for unit in units)


def nal_type(unit: bytes) -> int:
    """The kind of a NAL unit, one of `NalType` or another of 0 to 31."""
    return unit[0] & 0x1F


def is_b_slice(unit: bytes) -> bool:
    """Whether a NAL unit is a piece of a B-frame; one too damaged to tell is not."""
    if nal_type(unit) not in _PICTURES:
        return False
    try:
        _first_macroblock, at = _exp_golomb(unit, 0)
        slice_type, _at = _exp_golomb(unit, at)
    except ValueError:
        return False
    # Types 5 to 9 are 0 to 4 said for all slices of the picture (table 7-6).
    return slice_type % 5 == 1


@dataclass(frozen=True, slots=True)
class AccessUnit:
    """What a camera gave at once: usually one picture, sometimes only parameter sets."""

    units: tuple[bytes, ...]

    @classmethod
    def parse(cls, stream: bytes) -> "AccessUnit":
        """Read the NAL units of a stream."""
        return cls(tuple(split(stream)))

    @property
    def has_picture(self) -> bool:
        """Whether there is a picture, or a piece of one, in it."""
        return any(nal_type(unit) in _PICTURES for unit in self.units)

    @property
    def is_keyframe(self) -> bool:
        """Whether a decoder can begin here (an IDR picture)."""
        return any(nal_type(unit) == NalType.IDR for unit in self.units)

    @property
    def has_b_slice(self) -> bool:
        """Whether it holds a B-frame: then the order of the stream is not the order of time."""
        return any(is_b_slice(unit) for unit in self.units)


@dataclass(frozen=True, slots=True)
class ParameterSets:
    """The sequence and picture parameter sets (SPS, PPS) last seen; no keyframe can be decoded without them."""

    known: tuple[tuple[int, int, bytes], ...] = ()
    """Each with its kind and its number in front; sorted, so that every SPS stands before every PPS."""

    @property
    def is_complete(self) -> bool:
        """Whether there is one of each kind."""
        return {kind for kind, _id, _nal in self.known} == _PARAMETERS

    def learn(self, unit: AccessUnit) -> "ParameterSets":
        """These, with those of an access unit in the place of older ones with the same number."""
        sets = {(kind, number): nal for kind, number, nal in self.known}
        for nal in unit.units:
            if nal_type(nal) in _PARAMETERS:
                try:
                    number, _at = _exp_golomb(nal, _SPS_ID_BIT if nal_type(nal) == NalType.SPS else 0)
                except ValueError:
                    continue  # too damaged to say whose place it takes; the camera says it again
                sets[nal_type(nal), number] = nal
        return ParameterSets(tuple(sorted((*key, nal) for key, nal in sets.items())))

    def before(self, unit: AccessUnit) -> bytes:
        """A keyframe's access unit as a stream in which all of these come first, each once."""
        # Nothing may stand before a delimiter in its access unit (7.4.1.2.3), and nobody here needs one.
        rest = (nal for nal in unit.units if nal_type(nal) not in {*_PARAMETERS, NalType.DELIMITER})
        return join([*(nal for _kind, _id, nal in self.known), *rest])


def _exp_golomb(unit: bytes, at: int) -> tuple[int, int]:
    """The Exp-Golomb number (9.1) at a bit of a NAL unit's content, and the bit after it.

    Raises:
        ValueError: the unit is too short to hold one there.
    """
    # An encoder puts a 3 after two zeros, so that no content looks like a start code (7.4.1.1).
    content = unit[1 : 1 + _HEAD_BYTES].replace(b"\x00\x00\x03", b"\x00\x00")
    bits = "".join(f"{byte:08b}" for byte in content)
    one = bits.index("1", at)
    end = one + (one - at) + 1
    if end > len(bits):
        raise ValueError(f"no number ends within {len(bits)} bits")
    return int(bits[one:end], 2) - 1, end
