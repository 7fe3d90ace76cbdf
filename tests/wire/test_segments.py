"""The form of a sealed segment: what anybody can see without a key, however the file was cut or damaged."""

import hashlib
import io
import json
import struct
from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

import wire.segments
from tests.sealed import Piece, facts, pieces, put_together, taken_apart
from wire.errors import BadSegment
from wire.segments import (
    HEAD_BYTES,
    MAX_HEADER_BYTES,
    MAX_SEALED_BYTES,
    Kind,
    SegmentHeader,
    associated,
    follows,
    is_segment_id,
    key_id,
    pack_header,
    pack_record,
    scan,
)

SEGMENT = "0b9cdd84-5d0a-4c53-a8a6-6f24f7d6a001"
NOT_SEALED = pieces(b"what a player needs", b"a" * 40, b"", b"c" * 70_000, b"d" * 9)


def header(**change: Any) -> SegmentHeader:
    told = facts(segment=SEGMENT).model_dump() | {"key_id": "0123456789abcdef", "wrapped_key": "a2V5", "stream": "c3Q="}
    return SegmentHeader.model_validate(told | change)


def file_of(records: Sequence[Piece] = tuple(NOT_SEALED)) -> bytes:
    return put_together(header(), records)


FILE = file_of()
ENDS = [
    scan(io.BytesIO(FILE)).records[0].offset - 13,
    *(one.offset + one.length + 32 for one in scan(io.BytesIO(FILE)).records),
]


def blake(*parts: bytes) -> bytes:
    return hashlib.blake2b(b"".join(parts), digest_size=32).digest()


class Dribble(io.BytesIO):
    """A file that gives a few bytes at a time, and remembers the most it was ever asked for."""

    asked = 0

    def read(self, size: int | None = -1, /) -> bytes:
        assert size is not None
        assert size >= 0, "read to the end in one go"
        self.asked = max(self.asked, size)
        return super().read(min(size, 7))


# The form


def test_the_bytes_on_disk_are_as_the_form_says() -> None:
    text = header().model_dump_json().encode()
    start = b"CARRELSG" + struct.pack(">I", len(text)) + text
    head, first = pack_header(header())
    assert head == start + blake(start)
    prefix = struct.pack(">BIII", 2, 500, 250, 6)
    record, second = pack_record(first, Kind.FRAGMENT, 500, 250, b"sealed")
    assert record == prefix + b"sealed" + blake(blake(start), prefix, b"sealed")
    assert second == record[-32:]
    assert associated(first, Kind.FRAGMENT, 500, 250) == blake(start) + prefix[:9]


def test_the_header_is_readable_json_in_its_order() -> None:
    told = json.loads(FILE[12 : 12 + struct.unpack(">I", FILE[8:12])[0]])
    assert list(told) == [
        "form", "segment", "kiosk", "campus", "session", "booking", "role", "width", "height", "fps", "codec", "boot",
        "mono_ns", "at", "clock", "key_id", "wrapped_key", "stream",
    ]  # fmt: skip
    assert told["at"] == "2026-03-02T09:00:00Z"


def test_a_key_has_a_short_name() -> None:
    assert key_id(bytes(range(32))) == blake(bytes(range(32))).hex()[:16]


def test_a_whole_file_is_told_in_full() -> None:
    found = scan(io.BytesIO(FILE))
    assert found.header == header()
    assert [one.kind for one in found.records] == [Kind.INIT, *[Kind.FRAGMENT] * 4, Kind.END]
    assert [FILE[one.offset : one.offset + one.length] for one in found.records] == [one.plain for one in NOT_SEALED]
    assert (found.duration_ms, found.has_pictures) == (1000, True)
    assert found.good_bytes == found.total_bytes == len(FILE)
    assert found.hash == blake(FILE).hex()
    assert (found.ended, found.is_cut, found.damage) == (True, False, None)


def test_a_header_of_a_later_version_with_more_to_say_is_read() -> None:
    class Later(SegmentHeader):
        mood: str = "sunny"

    head, _ = pack_header(Later.model_validate(header().model_dump()))
    assert b"sunny" in head
    assert scan(io.BytesIO(head)).header == header()


@pytest.mark.parametrize("id_", ["", "../../../etc/passwd", SEGMENT.upper(), SEGMENT + "\n", SEGMENT[:-1], "." * 36])
def test_what_could_name_another_file_is_no_segment_id(id_: str) -> None:
    assert not is_segment_id(id_)
    with pytest.raises(ValidationError):
        facts(segment=id_)


# What is cut


@settings(deadline=None)
@given(st.integers(0, len(FILE)))
def test_a_file_cut_at_any_byte_has_exactly_the_whole_records_before_the_cut(cut: int) -> None:
    if cut < ENDS[0]:
        with pytest.raises(BadSegment):
            scan(io.BytesIO(FILE[:cut]))
        return
    found, whole = scan(io.BytesIO(FILE[:cut])), [end for end in ENDS if end <= cut]
    assert len(found.records) == len(whole) - 1
    assert found.good_bytes == whole[-1]
    assert found.total_bytes == cut
    assert found.hash == blake(FILE[: whole[-1]]).hex()
    assert found.ended is (cut == len(FILE))
    assert found.is_cut is (cut < len(FILE))
    assert (found.damage is None) is (cut in ENDS)


def test_a_cut_is_told_with_its_record() -> None:
    assert scan(io.BytesIO(FILE[: ENDS[2] + 5])).damage == "cut within record 3"


@pytest.mark.parametrize(
    ("cut", "words"), [(0, "CARRELSG"), (3, "cut within"), (11, "cut within"), (40, "cut within"), (ENDS[0] - 1, "cut")]
)
def test_a_file_without_a_whole_header_is_no_segment(cut: int, words: str) -> None:
    with pytest.raises(BadSegment, match=words):
        scan(io.BytesIO(FILE[:cut]))


# What is damaged


@settings(deadline=None)
@given(st.integers(0, len(FILE) * 8 - 1))
def test_any_flipped_bit_is_seen_and_all_before_it_stays_whole(bit: int) -> None:
    file = bytearray(FILE)
    file[bit // 8] ^= 1 << bit % 8
    if bit // 8 < ENDS[0]:
        with pytest.raises(BadSegment):
            scan(io.BytesIO(file))
        return
    found = scan(io.BytesIO(file))
    assert found.good_bytes == max(end for end in ENDS if end <= bit // 8)
    assert found.damage is not None
    assert not found.ended


@settings(deadline=None)
@given(st.permutations(range(len(NOT_SEALED))), st.data())
def test_records_in_another_order_are_whole_only_as_far_as_they_are_in_place(
    order: list[int], data: st.DataObject
) -> None:
    order = order[: data.draw(st.integers(1, len(order)))] + data.draw(st.lists(st.sampled_from(order), max_size=2))
    parts = [FILE[begin:end] for begin, end in pairwise(ENDS)]
    in_place = next((at for at, one in enumerate(order) if at != one), len(order))
    found = scan(io.BytesIO(FILE[: ENDS[0]] + b"".join(parts[one] for one in order)))
    assert len(found.records) == in_place
    assert found.good_bytes == ENDS[in_place]


def test_a_record_of_another_segment_does_not_fit() -> None:
    other = put_together(header(session="session-2"), NOT_SEALED)
    start = len(other) - len(FILE)
    mixed = FILE[: ENDS[1]] + other[ENDS[1] + start : ENDS[2] + start] + FILE[ENDS[2] :]
    found = scan(io.BytesIO(mixed))
    assert found.damage == "the hash of record 2 does not fit"
    assert len(found.records) == 1
    assert not found.is_cut


def test_bytes_after_the_end_are_told() -> None:
    found = scan(io.BytesIO(FILE + b"\0"))
    assert found.damage == "there are bytes after the end"
    assert (found.ended, found.is_cut, found.good_bytes) == (False, False, len(FILE))


@pytest.mark.parametrize("kinds", [[2], [3], [1, 1], [1, 3, 2], [1, 2, 1], [0], [1, 4]])
def test_records_have_their_places_even_when_every_hash_fits(kinds: list[int]) -> None:
    file, link = pack_header(header())
    for kind in kinds:
        prefix = struct.pack(">BIII", kind, 0, 0, 1)
        link = blake(link, prefix, b"x")
        file += prefix + b"x" + link
    found = scan(io.BytesIO(file))
    assert len(found.records) == len(kinds) - 1
    assert found.damage is not None
    assert not found.is_cut


def test_only_what_may_follow_follows() -> None:
    allowed = {(before, kind) for before in (None, *Kind) for kind in Kind if follows(before, kind)}
    after = {(before, kind) for before in (Kind.INIT, Kind.FRAGMENT) for kind in (Kind.FRAGMENT, Kind.END)}
    assert allowed == {(None, Kind.INIT)} | after


# What nobody wrote


@settings(deadline=None)
@given(st.binary(max_size=200), st.sampled_from([b"", b"CARRELSG", FILE[: ENDS[0]]]))
def test_no_bytes_at_all_do_more_than_be_refused(junk: bytes, start: bytes) -> None:
    try:
        found = scan(io.BytesIO(start + junk))
    except BadSegment:
        return
    assert start == FILE[: ENDS[0]]
    assert found.records == ()


def test_lengths_that_nobody_writes_are_refused_before_anything_of_that_size_is_read() -> None:
    with pytest.raises(BadSegment, match=r"a header of 65537 bytes"):
        scan(io.BytesIO(b"CARRELSG" + struct.pack(">I", MAX_HEADER_BYTES + 1) + bytes(MAX_HEADER_BYTES + 50)))
    found = scan(io.BytesIO(FILE[: ENDS[1]] + struct.pack(">BIII", 2, 0, 0, MAX_SEALED_BYTES + 1)))
    assert found.damage is not None
    assert f"{MAX_SEALED_BYTES + 1} bytes" in found.damage
    assert not found.is_cut


def test_a_file_is_read_in_small_bites_and_may_answer_in_smaller_ones() -> None:
    file = Dribble(FILE)
    assert scan(file) == scan(io.BytesIO(FILE))
    assert file.asked <= 64 * 1024


def test_more_records_than_a_segment_can_have_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wire.segments, "MAX_RECORDS", 3)
    found = scan(io.BytesIO(FILE))
    assert (len(found.records), found.damage) == (3, "there are more than 3 records")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (b"[]", "object belongs"),
        (b"{", "not JSON"),
        (b"\xff", "not UTF-8"),
        (header().model_dump_json().replace(SEGMENT, "../" + SEGMENT).encode(), "segment: "),
        (header().model_copy(update={"form": 2}).model_dump_json().encode(), "form 2.*newer Carrel"),
    ],
)
def test_a_header_that_cannot_be_used_says_why(text: bytes, words: str) -> None:
    start = b"CARRELSG" + struct.pack(">I", len(text)) + text
    with pytest.raises(BadSegment, match=words):
        scan(io.BytesIO(start + blake(start)))


def test_what_the_form_does_not_hold_is_not_written() -> None:
    with pytest.raises(BadSegment, match="65536"):
        pack_header(header().model_copy(update={"wrapped_key": "A" * MAX_HEADER_BYTES}))
    with pytest.raises(BadSegment, match="4294967296 ms"):
        pack_record(bytes(32), Kind.FRAGMENT, 2**32, 0, b"")
    with pytest.raises(BadSegment, match="-1 ms"):
        pack_record(bytes(32), Kind.FRAGMENT, 0, -1, b"")
    with pytest.raises(BadSegment, match=str(MAX_SEALED_BYTES)):
        pack_record(bytes(32), Kind.FRAGMENT, 0, 0, bytes(MAX_SEALED_BYTES + 1))


def test_no_header_reaches_beyond_the_head() -> None:
    assert len(pack_header(header())[0]) < HEAD_BYTES == 8 + 4 + MAX_HEADER_BYTES + 32
    assert taken_apart(FILE) == (header(), NOT_SEALED)
