"""The sealed segment on disk: about half a minute of one camera's video, of which nobody but the fleet sees a picture.

    magic `CARRELSG`, u32 length, header as compact JSON, 32 bytes hash of all that
    then records: u8 kind, u32 start_ms, u32 duration_ms, u32 length, sealed bytes, 32 bytes hash

Numbers are big-endian. A record's hash is BLAKE2b-256 over the hash before it, its clear prefix and its sealed bytes;
the first one follows the header's. So anyone can see where a file is cut or damaged, and only the fleet can open it.
"""

import hashlib
import os
import re
import struct
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Annotated, BinaryIO, Final

from pydantic import AwareDatetime, Field, NonNegativeInt, PositiveFloat, PositiveInt, StringConstraints

from wire.codec import WireModel, encode, read
from wire.errors import BadPayload, BadSegment
from wire.ids import Id
from wire.ledger import ClockTrust

FORM: Final = 1
MAX_HEADER_BYTES: Final = 64 * 1024
MAX_SEALED_BYTES: Final = 64 * 1024 * 1024
MAX_RECORDS: Final = 10_000
"""Half a minute has about 120; more is no segment, and would fill a reader's memory."""

HASH_BYTES: Final = 32
_MAGIC: Final = b"CARRELSG"
_LENGTH: Final = struct.Struct(">I")
_CLEAR: Final = struct.Struct(">BII")
_PREFIX: Final = struct.Struct(">BIII")
_CHUNK_BYTES: Final = 64 * 1024
_SEGMENT_ID: Final = r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"

HEAD_BYTES: Final = len(_MAGIC) + _LENGTH.size + MAX_HEADER_BYTES + HASH_BYTES
"""No file's header reaches beyond this."""

SegmentId = Annotated[str, StringConstraints(pattern=rf"^{_SEGMENT_ID}\z")]
"""A UUID in small letters; it names a file, so nothing else is taken."""

_Name = Annotated[str, Field(min_length=1, max_length=40)]
_Base64 = Annotated[str, Field(min_length=1, max_length=400)]


class Kind(IntEnum):
    """What a record holds."""

    INIT = 1
    """What a player needs first; always record 1."""
    FRAGMENT = 2
    """Pictures."""
    END = 3
    """The last piece; without it the file was cut."""


class SegmentFacts(WireModel):
    """What is said in clear about a segment: nothing that names or shows a student."""

    form: PositiveInt = FORM
    segment: SegmentId
    kiosk: Id
    campus: Id
    session: _Name
    booking: _Name | None = None
    role: _Name
    width: PositiveInt
    """Pixels."""
    height: PositiveInt
    fps: PositiveFloat
    codec: _Name = "avc1"
    boot: _Name
    mono_ns: NonNegativeInt
    """The kiosk's monotonic clock at the first picture, within `boot`."""
    at: AwareDatetime
    """The same moment by the wall clock, believed as far as `clock` says."""
    clock: ClockTrust


class SegmentHeader(SegmentFacts):
    """The facts, and what the fleet needs to open the rest."""

    key_id: Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{16}\z")]
    """Which of the fleet's keys; see `key_id`."""
    wrapped_key: _Base64
    """The segment's own key, sealed to the fleet's public key."""
    stream: _Base64
    """The header of libsodium's secretstream."""


@dataclass(frozen=True, slots=True)
class Record:
    """Where one record lies; `offset` and `length` are those of its sealed bytes in the file."""

    kind: Kind
    start_ms: int
    duration_ms: int
    offset: int
    length: int


@dataclass(frozen=True, slots=True)
class Scan:
    """What a file holds, as far as it can be seen without a key."""

    header: SegmentHeader
    header_hash: bytes
    records: tuple[Record, ...]
    """The whole records before any damage."""
    good_bytes: int
    """Through the last of them; cut there, the file is sound."""
    total_bytes: int
    hash: str
    """BLAKE2b-256 over the good bytes, in hex: what the manifest of this file says."""
    ended: bool
    """An END record closes the file and nothing follows it."""
    is_cut: bool
    """It has no END record, and all that is there before the cut is sound."""
    damage: str | None
    """What is wrong with the bytes beyond the good ones; None when there are none."""

    @property
    def duration_ms(self) -> int:
        """From the first picture to the end of the last whole fragment."""
        return max((one.start_ms + one.duration_ms for one in self.records if one.kind is Kind.FRAGMENT), default=0)

    @property
    def has_pictures(self) -> bool:
        """Whether there is anything to see in it."""
        return any(one.kind is Kind.FRAGMENT for one in self.records)


def is_segment_id(text: str) -> bool:
    """Whether `text` may name a segment, and so a file."""
    return re.fullmatch(_SEGMENT_ID, text) is not None


def key_id(public_key: bytes) -> str:
    """The short name of a public key: 16 hex digits of its BLAKE2b-256."""
    return _hash(public_key).hexdigest()[:16]


def follows(before: Kind | None, kind: Kind) -> bool:
    """Whether a record of `kind` may come after one of kind `before`, or as the first one."""
    return (kind is Kind.INIT) == (before is None) and before is not Kind.END


def associated(header_hash: bytes, kind: Kind, start_ms: int, duration_ms: int) -> bytes:
    """What each sealed message is bound to, so that nothing said in clear can be changed unnoticed by the fleet.

    Raises:
        BadSegment: a time that the form does not hold.
    """
    try:
        return header_hash + _CLEAR.pack(kind, start_ms, duration_ms)
    except struct.error as error:
        raise BadSegment(f"a piece at {start_ms} ms of {duration_ms} ms: {error}") from error


def pack_header(header: SegmentHeader) -> tuple[bytes, bytes]:
    """The first bytes of a file, and the header's hash, with which they end.

    Raises:
        BadSegment: a header of more than 64 KiB.
    """
    text = encode(header)
    if len(text) > MAX_HEADER_BYTES:
        raise BadSegment(f"a header of {len(text)} bytes, more than the {MAX_HEADER_BYTES} allowed")
    start = _MAGIC + _LENGTH.pack(len(text)) + text
    hash_ = _hash(start).digest()
    return start + hash_, hash_


def pack_record(before: bytes, kind: Kind, start_ms: int, duration_ms: int, sealed: bytes) -> tuple[bytes, bytes]:
    """The bytes of a record after the one whose hash is `before`, and its own hash, with which they end.

    Raises:
        BadSegment: a time or a length that the form does not hold.
    """
    if len(sealed) > MAX_SEALED_BYTES:
        raise BadSegment(f"a record of {len(sealed)} bytes, more than the {MAX_SEALED_BYTES} allowed")
    prefix = associated(b"", kind, start_ms, duration_ms) + _LENGTH.pack(len(sealed))
    link = _hash(before, prefix, sealed).digest()
    return prefix + sealed + link, link


def read_header(file: BinaryIO) -> tuple[SegmentHeader, bytes]:
    """The header at the start of a file, and its hash; `file` then stands at the first record.

    Raises:
        BadSegment: not a segment, a damaged or unfinished header, or a form that this version does not know.
    """
    file.seek(0)
    start = _read(file, len(_MAGIC) + _LENGTH.size)
    if start[: len(_MAGIC)] != _MAGIC[: len(start)] or not start:
        raise BadSegment("no segment: it does not begin with CARRELSG")
    if len(start) < len(_MAGIC) + _LENGTH.size:
        raise BadSegment("cut within its header")
    (length,) = _LENGTH.unpack_from(start, len(_MAGIC))
    if length > MAX_HEADER_BYTES:
        raise BadSegment(f"a header of {length} bytes, more than the {MAX_HEADER_BYTES} allowed")
    text, found = _read(file, length), _read(file, HASH_BYTES)
    if len(text) < length or len(found) < HASH_BYTES:
        raise BadSegment("cut within its header")
    if _hash(start, text).digest() != found:
        raise BadSegment("the hash of its header does not fit")
    try:
        header = read(SegmentHeader, text)
    except BadPayload as error:
        raise BadSegment(f"its header: {error}") from error
    if header.form != FORM:
        raise BadSegment(f"form {header.form}, where this version knows form {FORM}; a newer Carrel made it")
    return header, found


def scan(file: BinaryIO) -> Scan:
    """Read a seekable file through, in bounded memory, and say how much of it is sound.

    Raises:
        BadSegment: as `read_header` does. Damage after the header raises nothing; it is told.
    """
    total = file.seek(0, os.SEEK_END)
    header, header_hash = read_header(file)
    good = file.tell()
    file.seek(0)
    walk = _Walk(file, header_hash, good, _hash(_read(file, good)))
    damage: _Damage | None = None
    try:
        walk.through()
    except _Damage as found:
        damage = found
    ended = damage is None and walk.last is Kind.END
    return Scan(
        header=header,
        header_hash=header_hash,
        records=tuple(walk.records),
        good_bytes=walk.good_bytes,
        total_bytes=total,
        hash=walk.whole.hexdigest(),
        ended=ended,
        is_cut=not ended and (damage is None or damage.is_cut),
        damage=None if damage is None else str(damage),
    )


class _Damage(Exception):
    """Why no further record can be had."""

    def __init__(self, words: str, *, is_cut: bool = False) -> None:
        super().__init__(words)
        self.is_cut = is_cut


@dataclass(slots=True)
class _Walk:
    """One pass over the records of `file`, which stands at the first of them."""

    file: BinaryIO
    link: bytes
    """The hash of the last whole record, or of the header."""
    good_bytes: int
    whole: "hashlib.blake2b"
    """Over the good bytes."""
    records: list[Record] = field(default_factory=list)

    @property
    def last(self) -> Kind | None:
        return self.records[-1].kind if self.records else None

    def through(self) -> None:
        """Go on to the end of the file; raises `_Damage` where whole records stop before it."""
        while prefix := _read(self.file, _PREFIX.size):
            number = len(self.records) + 1
            record = _record(prefix, number, self.last, self.good_bytes + _PREFIX.size)
            self._pass(prefix, record, number)
            self.records.append(record)

    def _pass(self, prefix: bytes, record: Record, number: int) -> None:
        link, whole = _hash(self.link, prefix), self.whole.copy()
        whole.update(prefix)
        left = record.length
        while left and (chunk := self.file.read(min(left, _CHUNK_BYTES))):
            link.update(chunk)
            whole.update(chunk)
            left -= len(chunk)
        found = _read(self.file, HASH_BYTES)
        if left or len(found) < HASH_BYTES:
            raise _cut(number)
        if link.digest() != found:
            raise _Damage(f"the hash of record {number} does not fit")
        whole.update(found)
        self.link, self.whole = found, whole
        self.good_bytes = record.offset + record.length + HASH_BYTES


def _record(prefix: bytes, number: int, before: Kind | None, offset: int) -> Record:
    """The record that `prefix` announces, its sealed bytes at `offset`; raises `_Damage`."""
    if before is Kind.END:
        raise _Damage("there are bytes after the end")
    if number > MAX_RECORDS:
        raise _Damage(f"there are more than {MAX_RECORDS} records")
    if len(prefix) < _PREFIX.size:
        raise _cut(number)
    kind, start_ms, duration_ms, length = _PREFIX.unpack(prefix)
    if kind not in set(Kind) or not follows(before, Kind(kind)):
        raise _Damage(f"record {number} is of kind {kind}, which has no place there")
    if length > MAX_SEALED_BYTES:
        raise _Damage(f"record {number} says it has {length} bytes, more than the {MAX_SEALED_BYTES} allowed")
    return Record(Kind(kind), start_ms, duration_ms, offset, length)


def _cut(number: int) -> _Damage:
    return _Damage(f"cut within record {number}", is_cut=True)


def _read(file: BinaryIO, length: int) -> bytes:
    """`length` bytes, fewer only at the end of the file: an unbuffered file may give less than asked for."""
    found = file.read(length)
    while len(found) < length and (more := file.read(length - len(found))):
        found += more
    return found


def _hash(*parts: bytes) -> "hashlib.blake2b":
    hash_ = hashlib.blake2b(digest_size=HASH_BYTES)
    for part in parts:
        hash_.update(part)
    return hash_
