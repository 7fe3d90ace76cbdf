"""Where sealed segments lie at the fleet: a small port, and a folder behind it.

What `append` has returned survives a power cut. An upload is `<segment>.part` until it is whole: `<segment>.seg`.
"""

import contextlib
import errno
import fcntl
import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final, Protocol

from fleet.errors import FleetError
from wire.disk import sync_folder
from wire.errors import BadSegment
from wire.segments import HEAD_BYTES, Scan, is_segment_id, scan

_FULL: Final = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})


class StoreFull(FleetError):
    """There is no room for it; nothing of this piece was kept."""


class StoreFails(FleetError):
    """The disk refuses; nothing of this piece was acknowledged."""


class Busy(FleetError):
    """Another connection writes this very segment."""


class OtherOffset(FleetError):
    """A piece that does not begin where the upload ends."""

    def __init__(self, offset: int) -> None:
        super().__init__(f"the upload stands at byte {offset}")
        self.offset = offset


class SegmentStore(Protocol):
    """Keeps sealed segments; every name is a segment's id, everything else is refused."""

    def offset(self, segment: str) -> int | None:
        """How many bytes are held durably; None when nothing was begun."""

    def begin(self, segment: str) -> None:
        """Have an empty upload; one that is there stays as it is."""

    def append(self, segment: str, offset: int, data: bytes) -> int:
        """Add `data` at `offset`, the end; durable on return, which is the new end."""

    def scan(self, segment: str) -> Scan:
        """What it holds, read through; raises `BadSegment`."""

    def finish(self, segment: str) -> None:
        """It is whole; durable on return, and doing it twice is fine."""

    def destroy(self, segment: str) -> bool:
        """Let it be gone, whatever its state; whether there was something."""

    def unfinished_before(self, at_s: float) -> list[str]:
        """The uploads of which no piece came since that Unix time."""


class FolderStore:
    """One flat folder, for this user's eyes.

    Args:
        folder: made with the first upload.

    Raises:
        StoreFull, StoreFails, Busy, OtherOffset: as the port says.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def path(self, segment: str) -> Path:
        """Where a whole segment lies."""
        return self._path(segment, ".seg")

    def offset(self, segment: str) -> int | None:
        """As the port says."""
        for path in (self.path(segment), self._path(segment, ".part")):
            with contextlib.suppress(FileNotFoundError):
                return path.stat().st_size
        return None

    def begin(self, segment: str) -> None:
        """As the port says."""
        with _disk():
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            fd = os.open(self._path(segment, ".part"), os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o600)
            os.close(fd)
            sync_folder(self._folder)

    def append(self, segment: str, offset: int, data: bytes) -> int:
        """As the port says."""
        with _disk(), self._path(segment, ".part").open("r+b", buffering=0) as file:
            _alone(file)
            end = file.seek(0, os.SEEK_END)
            if end != offset:
                raise OtherOffset(end)
            try:
                _write(file, data)
                os.fsync(file.fileno())
            except OSError:
                os.ftruncate(file.fileno(), end)  # half a piece would be an offset that nobody vouches for
                raise
            return end + len(data)

    def scan(self, segment: str) -> Scan:
        """As the port says."""
        for path in (self.path(segment), self._path(segment, ".part")):
            with contextlib.suppress(FileNotFoundError), path.open("rb") as file:
                return scan(file)
        raise BadSegment("there is nothing of it")

    def finish(self, segment: str) -> None:
        """As the port says."""
        with _disk():
            if not self.path(segment).exists():
                part = self._path(segment, ".part")
                with part.open("r+b") as file:
                    os.fsync(file.fileno())
                part.rename(self.path(segment))
            sync_folder(self._folder)

    def destroy(self, segment: str) -> bool:
        """As the port says. Without the wrapped key in its header no block that a disk still holds can be opened."""
        was = False
        with _disk():
            for path in (self._path(segment, ".part"), self.path(segment)):
                with contextlib.suppress(FileNotFoundError):
                    with path.open("r+b") as file:
                        file.write(bytes(min(path.stat().st_size, HEAD_BYTES)))
                        file.flush()
                        os.fsync(file.fileno())
                    path.unlink()
                    was = True
            if was:
                sync_folder(self._folder)
        return was

    def unfinished_before(self, at_s: float) -> list[str]:
        """As the port says."""
        found = []
        for path in sorted(self._folder.glob("*.part")):
            with contextlib.suppress(FileNotFoundError):
                if is_segment_id(path.stem) and path.stat().st_mtime < at_s:
                    found.append(path.stem)
        return found

    def _path(self, segment: str, ending: str) -> Path:
        if not is_segment_id(segment):
            raise StoreFails(f"{segment[:60]!r} is no segment's id")
        return self._folder / f"{segment}{ending}"


_LOCK_WITHIN_S: Final = 0.2
"""A connection that has just been lost may still be writing its last piece."""


def _alone(file: "_Raw") -> None:
    """Nobody else writes this file meanwhile, in any process of this machine; let go with the file."""
    deadline_s = time.monotonic() + _LOCK_WITHIN_S
    while True:
        try:
            fcntl.flock(file.fileno(), fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            if time.monotonic() >= deadline_s:
                raise Busy("another connection sends this segment") from error
            time.sleep(0.01)
        else:
            return


class _Raw(Protocol):
    def fileno(self) -> int: ...

    def write(self, data: memoryview, /) -> int | None: ...


def _write(file: _Raw, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[file.write(view) or 0 :]


@contextlib.contextmanager
def _disk() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        words = error.strerror or str(error)
        raise (StoreFull if error.errno in _FULL else StoreFails)(words) from error
