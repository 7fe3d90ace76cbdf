"""The shelf: where sealed segments wait for the fleet, and how they leave it.

`<segment>.part` while it is recorded, `<segment>.seg` afterwards, with an empty `<segment>.uploaded` beside it once the
fleet has it, `<segment>.gone` while it is destroyed; what cannot be read lies in `quarantine/`. Each step is one rename
that is made durable, so that after a crash at any instant the same step can be taken again.
"""

import contextlib
import errno
import logging
import os
import shutil
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import BinaryIO, Final

from device.errors import ShelfError
from device.segment_budget import Kept, last_before, of_session, oldest_first, room_bytes
from device.session.clock import NS_PER_MS
from wire.disk import sync_folder
from wire.errors import BadSegment
from wire.ledger import ClockTrust
from wire.segments import HEAD_BYTES, Scan, SegmentHeader, is_segment_id, read_header, scan

_log = logging.getLogger(__name__)

_WORDS: Final = {
    errno.ENOSPC: "the disk is full; free some space",
    errno.EROFS: "the disk is read-only; restart the kiosk, and change its card if that does not help",
    errno.EIO: "the disk fails; change the card",
    errno.EACCES: "this program may not; give it the folder with `chown`",
}


class Outcome(StrEnum):
    """What became of a file."""

    KEPT = "kept"
    """It is a `.seg` now, cut to its last whole record."""
    REMOVED = "removed"
    """There was no picture in it."""
    QUARANTINED = "quarantined"
    LEFT = "left"
    """The disk refused; it lies where it lay, to be tried again."""


@dataclass(frozen=True, slots=True)
class Recovered:
    """One file after a look at it. Sizes, time and hash are those of its sound beginning."""

    segment: str
    outcome: Outcome
    header: SegmentHeader | None = None
    """None when it cannot be read."""
    duration_ms: int = 0
    bytes: int = 0
    hash: str = ""
    """BLAKE2b-256 in hex: the manifest's hash."""
    cut_bytes: int = 0
    """What is not sound, and was cut off if the file was kept. Run again, a recovery finds nothing left to cut."""
    reason: str | None = None
    """What was wrong with it; None when its last record was whole."""


class Shelf:
    """The folder of sealed segments. No method needs a key.

    Args:
        folder: made if it is not there, open to this user alone.

    Raises:
        ShelfError: from any method, when the disk refuses or a segment's id is none.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._quarantine = folder / "quarantine"
        self._complained: set[str] = set()
        with _disk(f"{folder} cannot be made"):
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._quarantine.mkdir(mode=0o700, exist_ok=True)

    def part(self, segment: str) -> Path:
        """Where a segment is written while it is recorded."""
        return self._path(segment, ".part")

    def keep(self, segment: str) -> Path:
        """Make a `.part` that is written to its end a `.seg`, durably; returns where it lies now."""
        part = self.part(segment)
        with _disk(f"{part.name} cannot be kept"):
            with part.open("r+b") as file:
                os.fsync(file.fileno())
            return self._keep(part)

    def parts(self) -> frozenset[str]:
        """The segments that are being written, or were when somebody died."""
        return frozenset(path.stem for path in self._files(".part"))

    def recover(self, role: str | None = None, among: frozenset[str] | None = None) -> list[Recovered]:
        """Turn what a crash left half written into segments, of one camera or of all; one bad file stops no other.

        A part whose header is not whole belongs to no camera and is looked at only when `role` is None. With `among`
        only these are looked at: the next worker may be writing already.
        """
        self._finish()
        parts = [part for part in self._files(".part") if among is None or part.stem in among]
        return _each(parts, lambda part: self._recovered(part, role))

    def check(self, segment: str | None = None) -> list[Recovered]:
        """Read every `.seg`, or only one, through and move those that are damaged to quarantine; returns these."""
        self._finish()
        return _each([path for path in self._files(".seg") if segment in {None, path.stem}], self._checked)

    def scan(self, segment: str) -> Scan:
        """What there is in a `.seg`."""
        path = self._path(segment, ".seg")
        with _disk(f"{path.name} cannot be read"), path.open("rb") as file:
            try:
                return scan(file)
            except BadSegment as error:
                raise ShelfError(f"{path.name}: {error}") from error

    def read(self, segment: str, offset: int, length: int) -> bytes:
        """Some of a `.seg`; opened anew each time, so that one that was destroyed meanwhile gives nothing more."""
        path = self._path(segment, ".seg")
        with _disk(f"{path.name} cannot be read"), path.open("rb") as file:
            file.seek(offset)
            return file.read(length)

    def contents(self) -> list[Kept]:
        """The `.seg` files with a readable header, oldest first; `check` deals with the others."""
        return oldest_first(one for path in self._files(".seg") if (one := self._entry(path)) is not None)

    def mark_uploaded(self, segment: str) -> None:
        """Remember durably that the fleet has it; doing it twice is fine."""
        if not self._path(segment, ".seg").exists():
            raise ShelfError(f"{segment} is not on the shelf, so it cannot be marked as uploaded")
        flag = self._path(segment, ".uploaded")
        with _disk(f"{flag.name} cannot be written"):
            with flag.open("ab") as file:
                os.fsync(file.fileno())
            sync_folder(self._folder)

    def room(self, quota_bytes: int, reserve_bytes: int) -> int:
        """How many bytes may still be written, those of uploaded segments included."""
        with _disk(f"{self._folder} cannot be measured"):
            free = shutil.disk_usage(self._folder).free
            used = sum(_size(path) for path in self._files(".part", ".seg", ".gone"))
        return room_bytes(self.contents(), used, free, quota_bytes, reserve_bytes)

    def destroy(self, segment: str) -> None:
        """Make a segment unreadable for ever, whatever its state; one that is not there is destroyed already."""
        part, seg = self._path(segment, ".part"), self._path(segment, ".seg")
        aside = (self._quarantine / part.name, self._quarantine / seg.name)
        with _disk(f"{segment} cannot be destroyed"):
            for path in (self._path(segment, ".gone"), part, seg, *aside):
                with contextlib.suppress(FileNotFoundError):
                    _bury(self._doomed(path))
            self._path(segment, ".uploaded").unlink(missing_ok=True)

    def destroy_session(self, session: str, since_mono_ns: int | None = None, boot: str | None = None) -> list[Kept]:
        """Destroy what `held` finds; returns what was destroyed. Its recorders must have stopped.

        Raises:
            ShelfError: some could not be destroyed; all others were.
        """
        chosen, errors = self.held(session, since_mono_ns, boot), []
        for one in chosen:
            try:
                self.destroy(one.segment)
            except ShelfError as error:
                errors.append(error)
        if errors:
            raise ShelfError(f"{len(errors)} of {len(chosen)} are not destroyed: {errors[0]}") from errors[0]
        return chosen

    def held(self, session: str, since_mono_ns: int | None = None, boot: str | None = None) -> list[Kept]:
        """What there is of a session, oldest first: segments, parts still written, and what lies in quarantine.

        With `since_mono_ns`, which counts within `boot`, only what holds or may hold a picture taken at or after it.
        A quarantined file that does not tell its session in a header, but names it, is among them.
        """
        paths = [*self._files(".part", ".seg", ".gone"), *self._files(".part", ".seg", folder=self._quarantine)]
        read = {path: self._entry(path) for path in paths}
        mine = of_session((one for one in read.values() if one is not None), session, boot=boot)
        chosen = of_session(mine, session, since_mono_ns, boot)
        if since_mono_ns is not None:
            last = last_before(mine, since_mono_ns)
            chosen += [one for path, one in read.items() if one in last and _reaches(path, one, since_mono_ns)]
        nameless = (_mentioning(path, session) for path, one in read.items() if one is None)
        return oldest_first([*chosen, *(one for one in nameless if one is not None)])

    def _path(self, segment: str, ending: str) -> Path:
        # The id may come from the fleet: no other file may ever be reached through it.
        if not is_segment_id(segment):
            raise ShelfError(f"{segment!r} is no segment's id")
        return self._folder / f"{segment}{ending}"

    def _files(self, *endings: str, folder: Path | None = None) -> list[Path]:
        with _disk(f"{self._folder} cannot be listed"):
            found = list((folder or self._folder).iterdir())
        return sorted(path for path in found if path.suffix in endings and is_segment_id(path.stem))

    def _entry(self, path: Path) -> Kept | None:
        """What the header of a file says; None, with a line in the log, when it cannot be read."""
        try:
            with path.open("rb") as file:
                header = _header(file, path)
                size = _size(path)
        except FileNotFoundError:
            return None
        except (BadSegment, OSError) as error:
            self._complain(path, error)
            return None
        return Kept.told(header, size, uploaded=path.with_suffix(".uploaded").exists())

    def _recovered(self, part: Path, role: str | None) -> Recovered | None:
        with part.open("r+b") as file:
            try:
                header = _header(file, part)
            except BadSegment as error:
                return None if role else self._unreadable(part, str(error))
            if role not in {None, header.role}:
                return None
            found = scan(file)
            if found.has_pictures:
                os.ftruncate(file.fileno(), found.good_bytes)
                os.fsync(file.fileno())
        if found.has_pictures:
            self._keep(part)
            return _told(part, Outcome.KEPT, found)
        if found.is_cut or found.ended:
            self._remove(part)
            return _told(part, Outcome.REMOVED, found)
        self._set_aside(part)
        return _told(part, Outcome.QUARANTINED, found)

    def _unreadable(self, part: Path, reason: str) -> Recovered:
        if _size(part) == 0:
            self._remove(part)
            return Recovered(part.stem, Outcome.REMOVED, reason="it was empty")
        self._set_aside(part)
        return Recovered(part.stem, Outcome.QUARANTINED, reason=reason)

    def _checked(self, path: Path) -> Recovered | None:
        try:
            with path.open("rb") as file:
                _header(file, path)
                found = scan(file)
        except BadSegment as error:
            self._set_aside(path)
            return Recovered(path.stem, Outcome.QUARANTINED, reason=str(error))
        if found.damage is None:
            return None
        self._set_aside(path)
        return _told(path, Outcome.QUARANTINED, found)

    def _keep(self, part: Path) -> Path:
        kept = part.rename(part.with_suffix(".seg"))
        sync_folder(self._folder)
        return kept

    def _remove(self, part: Path) -> None:
        part.unlink()
        sync_folder(self._folder)

    def _set_aside(self, path: Path) -> None:
        path.rename(self._quarantine / path.name)
        sync_folder(self._quarantine)
        sync_folder(self._folder)

    def _doomed(self, path: Path) -> Path:
        """Note durably, in its name, that a file is to be destroyed: a crash after this does not save it."""
        try:
            doomed = path.rename(self._path(path.stem, ".gone"))
        except OSError as error:
            if error.errno != errno.ENOSPC:
                raise
            return path  # a full disk may have no room for a new name, and destroying is how it gets room
        sync_folder(path.parent)
        sync_folder(self._folder)
        return doomed

    def _finish(self) -> None:
        """End what a crash interrupted: destroy what is doomed, drop the flags of what is gone."""
        for path in self._files(".gone", ".uploaded"):
            try:
                if path.suffix == ".gone":
                    _bury(path)
                elif not path.with_suffix(".seg").exists():
                    path.unlink(missing_ok=True)
            except OSError as error:
                self._complain(path, error)

    def _complain(self, path: Path, error: Exception) -> None:
        words = _words(error) if isinstance(error, OSError) else str(error)
        _log.log(logging.DEBUG if path.name in self._complained else logging.WARNING, "%s: %s", path.name, words)
        self._complained.add(path.name)


def _bury(doomed: Path) -> None:
    # The wrapped key is in the header. Without it nobody can ever open the rest, the fleet included, so it does not
    # matter which blocks of the video a memory card still holds when the file is gone. (The card may also hold an old
    # copy of the header's own blocks; those are out of reach from here, and opening them takes the fleet's key.)
    with doomed.open("r+b") as file:
        file.write(bytes(min(_size(doomed), HEAD_BYTES)))
        file.flush()
        os.fsync(file.fileno())
    doomed.unlink()
    sync_folder(doomed.parent)


def _header(file: BinaryIO, path: Path) -> SegmentHeader:
    """The header of a file that carries the right name; raises `BadSegment`."""
    header, _ = read_header(file)
    if header.segment != path.stem:
        raise BadSegment(f"it is segment {header.segment} under another's name")
    return header


def _reaches(path: Path, one: Kept, mono_ns: int) -> bool:
    """Whether a file begun before `mono_ns` may hold a picture taken then or later; where nobody knows, it may."""
    try:
        with path.open("rb") as file:
            found = scan(file)
    except (BadSegment, OSError):
        return True
    is_open_ended = path.suffix == ".part" or found.damage is not None
    return is_open_ended or one.mono_ns + found.duration_ms * NS_PER_MS > mono_ns


def _mentioning(path: Path, session: str) -> Kept | None:
    """A file without a readable header, if the session's id stands where its header was."""
    try:
        with path.open("rb") as file:
            head, about = file.read(HEAD_BYTES), os.fstat(file.fileno())
    except OSError:
        return None  # and what cannot be read has been told of already
    if session.encode() not in head:
        return None
    written = datetime.fromtimestamp(about.st_mtime, UTC)
    return Kept(path.stem, "unknown", session, about.st_size, written, 0, "unknown", ClockTrust.UNSET)


def _each(paths: Iterable[Path], look: Callable[[Path], Recovered | None]) -> list[Recovered]:
    """What `look` says of each file; one that the disk refuses is told as left, one that has gone is not told."""
    told = []
    for path in paths:
        try:
            one = look(path)
        except FileNotFoundError:
            continue
        except OSError as error:
            one = Recovered(path.stem, Outcome.LEFT, reason=_words(error))
        if one is not None:
            told.append(one)
    return told


def _told(path: Path, outcome: Outcome, found: Scan) -> Recovered:
    return Recovered(
        segment=path.stem,
        outcome=outcome,
        header=found.header,
        duration_ms=found.duration_ms,
        bytes=found.good_bytes,
        hash=found.hash,
        cut_bytes=found.total_bytes - found.good_bytes,
        reason=found.damage,
    )


@contextlib.contextmanager
def _disk(what: str) -> Iterator[None]:
    """Translate the disk's refusal; `what` says what could not be done, and to which file."""
    try:
        yield
    except OSError as error:
        raise ShelfError(f"{what}: {_words(error)}") from error


def _words(error: OSError) -> str:
    return _WORDS.get(error.errno or 0) or error.strerror or str(error)


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return 0  # it was renamed or destroyed in this very moment
