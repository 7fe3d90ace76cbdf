"""A shelf of sealed segments in any state, and a disk that is cut off or refuses."""

import os
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import pytest

from device.segments import Outcome, Recovered, Shelf
from tests.sealed import facts, pieces, sealed
from wire.segments import SegmentFacts

NS: Final = 1_000_000_000
PIECES: Final = pieces(b"what a player needs", b"a" * 400, b"b" * 400, b"c" * 400)


class PowerCut(BaseException):
    """The process ends here; nothing after this instant was done."""


class Disk:
    """The calls that change the disk, counted; before or after one of them the power is cut, or it is refused."""

    CALLS: Final = ("rename", "unlink", "ftruncate", "fsync")

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.done: list[str] = []
        self.cut_at: float | None = None
        self._refusal: tuple[int, str, str] | None = None
        for name in self.CALLS:
            monkeypatch.setattr(os, name, self._watched(name, getattr(os, name)))

    def refuses(self, number: int, name: str, path: str = "") -> None:
        """From now on the call of that name fails with errno `number` for files whose path has `path` in it."""
        self._refusal = (number, name, path)

    def works_again(self) -> None:
        self._refusal = None

    def _watched(self, name: str, real: Callable[..., Any]) -> Callable[..., Any]:
        def call(*given: Any, **named: Any) -> Any:
            if not isinstance(given[0], int) and not os.path.lexists(given[0]):
                return real(*given, **named)  # which changes nothing
            if self._refusal is not None and name == self._refusal[1] and self._refusal[2] in str(given[0]):
                raise OSError(self._refusal[0], os.strerror(self._refusal[0]), str(given[0]))
            self._maybe_cut()
            result = real(*given, **named)
            self.done.append(name)
            self._maybe_cut()
            return result

        return call

    def _maybe_cut(self) -> None:
        """Before call n the number is n, after it n + a half."""
        if self.cut_at is not None:
            self.cut_at -= 0.5
            if self.cut_at < 0:
                raise PowerCut


@contextmanager
def a_shelf() -> Iterator[tuple[Shelf, Path]]:
    """A fresh shelf and its folder, for tests that need many."""
    with tempfile.TemporaryDirectory() as folder:
        yield Shelf(Path(folder)), Path(folder)


def half_written(shelf: Shelf, *, cut: int = 7, about: SegmentFacts | None = None, end: bool = False) -> SegmentFacts:
    """A `.part` from which the last `cut` bytes are missing."""
    about = about or facts()
    file = sealed(PIECES if end else PIECES[:-1], about)
    shelf.part(about.segment).write_bytes(file[: len(file) - cut])
    return about


def whole(shelf: Shelf, **change: Any) -> SegmentFacts:
    """A `.seg`."""
    about = half_written(shelf, cut=0, about=facts(**change), end=True)
    shelf.keep(about.segment)
    return about


def flip(path: Path, at: int) -> None:
    file = bytearray(path.read_bytes())
    file[at] ^= 1
    path.write_bytes(file)


def listing(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def outcomes(found: list[Recovered]) -> dict[str, Outcome]:
    return {one.segment: one.outcome for one in found}
