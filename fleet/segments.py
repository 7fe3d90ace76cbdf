"""Opening a sealed segment: at each piece the chain of hashes, the stream and what is said in clear must hold."""

import base64
import contextlib
import os
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from nacl import bindings
from nacl.exceptions import CryptoError
from nacl.public import SealedBox

from fleet.errors import Refused, SegmentUnreadable
from fleet.segment_keys import SegmentKeys
from wire.errors import BadSegment
from wire.segments import Kind, Record, Scan, SegmentHeader, associated, scan


@dataclass(frozen=True, slots=True)
class Opened:
    """What was in a segment."""

    header: SegmentHeader
    duration_ms: int
    bytes: int
    """Of plain MP4."""
    ended: bool
    """False: the recording was cut."""
    where: str | None = None
    """Where it was cut, in words; None when it ended."""


def open_segment(path: Path, keys: SegmentKeys, out: BinaryIO) -> Opened:
    """Write what is in the segment at `path` to `out`, piece by piece, each only after it is verified.

    A cut file gives everything up to its last whole record. An `OSError` of `out` is passed on.

    Raises:
        SegmentUnreadable: no segment, a key that is not ours, or something was changed; what comes before the change
            has been written, and the error says how much that is.
        SettingsUnusable: our key cannot be used.
    """
    with _reading(path):
        file = path.open("rb")
    with file:
        with _reading(path):
            found = scan(file)
        stream = _Stream(path, found, keys)
        for number, record in enumerate(found.records, 1):
            with _reading(path):
                file.seek(record.offset)
                sealed = file.read(record.length)
            out.write(stream.plain(number, record, sealed))
    if not (found.ended or found.is_cut):
        raise stream.changed(found.damage or "changed")
    where = None if found.ended else found.damage or f"cut after record {len(found.records)}"
    return Opened(found.header, stream.duration_ms, stream.bytes, found.ended, where)


def open_to_file(path: Path, keys: SegmentKeys, out: Path, *, force: bool = False) -> Opened:
    """Write what is in the segment at `path` to a file `out`, for this user's eyes, which is there whole or not at all.

    Raises:
        SegmentUnreadable: as `open_segment` does; if there is something to see before the change, `out` holds that.
        SettingsUnusable: our key cannot be used.
        Refused: `out` exists and may not be replaced, or cannot be written.
    """
    if out.exists() and not force:
        raise Refused(f"{out} exists; name another file with -o, or replace it with --force")
    if out.exists() and path.exists() and out.samefile(path):
        raise Refused(f"{out} is the sealed segment itself; name another file with -o")
    with _whole_file(out) as file:
        try:
            return open_segment(path, keys, file)
        except SegmentUnreadable as error:
            if not error.duration_ms:
                raise
            changed = error
    raise changed


class _Stream:
    """The pieces of one segment, opened in their order."""

    def __init__(self, path: Path, found: Scan, keys: SegmentKeys) -> None:
        self._path = path
        self._header_hash = found.header_hash
        self._state = bindings.crypto_secretstream_xchacha20poly1305_state()
        self.duration_ms = 0
        self.bytes = 0
        header = found.header
        key = keys.find(header.key_id)
        if key is None:
            raise SegmentUnreadable(
                f"{path}: it is sealed to key {header.key_id}; put {header.key_id}.key into {keys.folder}"
            )
        try:
            secret = SealedBox(key.private).decrypt(base64.b64decode(header.wrapped_key, validate=True))
            stream = base64.b64decode(header.stream, validate=True)
            bindings.crypto_secretstream_xchacha20poly1305_init_pull(self._state, stream, secret)
        except (CryptoError, ValueError, TypeError) as error:
            raise self.changed("the key in its header does not open") from error

    def plain(self, number: int, record: Record, sealed: bytes) -> bytes:
        """The next piece in clear; raises `SegmentUnreadable`."""
        bound = associated(self._header_hash, record.kind, record.start_ms, record.duration_ms)
        try:
            plain, tag = bindings.crypto_secretstream_xchacha20poly1305_pull(self._state, sealed, bound)
        except (CryptoError, ValueError, RuntimeError) as error:
            raise self.changed(f"record {number} does not open") from error
        if (tag == bindings.crypto_secretstream_xchacha20poly1305_TAG_FINAL) is not (record.kind is Kind.END):
            raise self.changed(f"record {number} is not the kind of piece that it says")
        if record.kind is Kind.FRAGMENT:
            self.duration_ms = max(self.duration_ms, record.start_ms + record.duration_ms)
        self.bytes += len(plain)
        return plain

    def changed(self, words: str) -> SegmentUnreadable:
        """The error for what is no mere cut."""
        rest = f"only the {self.duration_ms / 1000:.2f} s before that" if self.duration_ms else "nothing of it"
        return SegmentUnreadable(f"{self._path}: {words}: changed or damaged; {rest} can be opened", self.duration_ms)


@contextlib.contextmanager
def _reading(path: Path) -> Iterator[None]:
    try:
        yield
    except BadSegment as error:
        raise SegmentUnreadable(f"{path}: {error}") from error
    except OSError as error:
        raise SegmentUnreadable(f"{path}: cannot be read: {error.strerror or error}") from error


@contextlib.contextmanager
def _whole_file(out: Path) -> Iterator[BinaryIO]:
    """A file that gets the name `out` when all is written, and is gone when anything fails."""
    unfinished: Path | None = None
    try:
        fd, name = tempfile.mkstemp(dir=out.parent, prefix=f".{out.name}.")
        unfinished = Path(name)
        with os.fdopen(fd, "wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        unfinished.replace(out)
    except OSError as error:
        raise Refused(f"{out} cannot be written: {error.strerror or error}") from error
    finally:
        if unfinished is not None:
            unfinished.unlink(missing_ok=True)
