"""Sealed segments for tests: small real videos in fragments, sealed as a kiosk seals them."""

import io
import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from fractions import Fraction
from functools import cache
from itertools import pairwise
from typing import Any, Final

import av
import numpy as np
from nacl.public import PrivateKey

from device.cameras.crypt import Sealer
from wire.ledger import ClockTrust
from wire.segments import Kind, SegmentFacts, SegmentHeader, pack_header, pack_record, scan

FLEET: Final = PrivateKey.generate()
PUBLIC: Final = bytes(FLEET.public_key)
FPS: Final = 16
FRAGMENT_MS: Final = 250


@dataclass(frozen=True, slots=True)
class Piece:
    """What goes into one record."""

    kind: Kind
    start_ms: int
    duration_ms: int
    plain: bytes


def facts(**change: Any) -> SegmentFacts:
    """What the kiosk says in clear of a segment of its own."""
    told = {
        "segment": str(uuid.uuid4()), "kiosk": "lincoln-12", "campus": "lincoln", "session": "session-1",
        "role": "overhead", "width": 64, "height": 48, "fps": FPS, "boot": "boot-1", "mono_ns": 1_000_000_000,
        "at": datetime(2026, 3, 2, 9, tzinfo=UTC), "clock": ClockTrust.SYNCED,
    }  # fmt: skip
    return SegmentFacts.model_validate(told | change)


def sealed(pieces: Sequence[Piece], about: SegmentFacts | None = None, key: bytes = PUBLIC) -> bytes:
    """A file with these pieces in it."""
    sealer = Sealer(about or facts(), key)
    return sealer.header + b"".join(sealer.seal(one.kind, one.start_ms, one.duration_ms, one.plain) for one in pieces)


def pieces(*plains: bytes, end: bytes | None = b"end") -> list[Piece]:
    """The first of `plains` as what a player needs first, the others as fragments; `end` None leaves the file cut."""
    made = [Piece(Kind.INIT, 0, 0, plains[0])]
    made += [Piece(Kind.FRAGMENT, n * FRAGMENT_MS, FRAGMENT_MS, plain) for n, plain in enumerate(plains[1:])]
    return made if end is None else [*made, Piece(Kind.END, len(plains[1:]) * FRAGMENT_MS, 0, end)]


def ends(file: bytes) -> list[int]:
    """Where the header ends, and then each record."""
    first = scan(io.BytesIO(file)).records[0].offset - 13
    return [first, *(record.offset + record.length + 32 for record in scan(io.BytesIO(file)).records)]


def taken_apart(file: bytes) -> tuple[SegmentHeader, list[Piece]]:
    """Header and records of a file, their bytes still sealed: all that somebody without the fleet's key has."""
    found = scan(io.BytesIO(file))
    records = [
        Piece(one.kind, one.start_ms, one.duration_ms, file[one.offset : one.offset + one.length])
        for one in found.records
    ]
    return found.header, records


def put_together(header: SegmentHeader, records: Sequence[Piece]) -> bytes:
    """A file of these, with hashes that fit: anybody can make those."""
    file, link = pack_header(header)
    for one in records:
        record, link = pack_record(link, one.kind, one.start_ms, one.duration_ms, one.plain)
        file += record
    return file


@cache
def video(seconds: float = 1.0) -> tuple[Piece, ...]:
    """A real fragmented MP4 of moving noise, which compresses badly, as the pieces a recorder makes of it."""
    out = io.BytesIO()
    flags = {"movflags": "empty_moov+default_base_moof+frag_keyframe", "frag_duration": str(FRAGMENT_MS * 1000)}
    noise = np.random.default_rng(7)
    with av.open(out, "w", format="mp4", options=flags) as mp4:
        stream = mp4.add_stream("libx264", rate=FPS, options={"preset": "ultrafast", "g": "4", "tune": "zerolatency"})
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        stream.time_base = Fraction(1, FPS)
        for number in range(round(seconds * FPS)):
            frame = av.VideoFrame.from_ndarray(noise.integers(0, 255, (48, 64, 3), dtype=np.uint8), format="rgb24")
            frame.pts = number
            mp4.mux(stream.encode(frame))
        mp4.mux(stream.encode())
    boxes = list(_boxes(out.getvalue()))
    starts = [at for at, (name, _) in enumerate(boxes) if name == b"moof"]
    tail = next(at for at, (name, _) in enumerate(boxes) if name == b"mfra")
    cuts = [0, *starts, tail, len(boxes)]
    init, *fragments, end = (b"".join(body for _, body in boxes[a:b]) for a, b in pairwise(cuts))
    return tuple(pieces(init, *fragments, end=end))


def frames(mp4: bytes) -> int:
    """How many pictures a player finds in it."""
    with av.open(io.BytesIO(mp4), "r", format="mp4") as container:
        return sum(len(packet.decode()) for packet in container.demux(video=0))


def _boxes(mp4: bytes) -> Iterator[tuple[bytes, bytes]]:
    at = 0
    while at < len(mp4):
        size = int.from_bytes(mp4[at : at + 4], "big")
        yield mp4[at + 4 : at + 8], mp4[at : at + size]
        at += size
