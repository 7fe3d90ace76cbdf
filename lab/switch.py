"""A switch of the lab: a small text file that one process writes and another looks at."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Generic, TypeVar

T = TypeVar("T")


def throw(path: Path, text: str) -> None:
    """Throw a switch; no reader ever sees half of what it says.

    Args:
        path: the switch, a file whose folder exists.
        text: what it says from now on, a line.
    """
    fresh = path.with_name(f".{path.name}.{os.getpid()}")
    fresh.write_text(f"{text}\n", encoding="utf-8")
    fresh.replace(path)


class Switch(Generic[T]):
    """Reads a switch; a look costs one `stat` while nothing changes.

    Args:
        path: the text file.
        parse: what its text means.
        off: what it means that there is no file.
    """

    def __init__(self, path: Path, parse: Callable[[str], T], off: T) -> None:
        self._path, self._parse, self._off = path, parse, off
        self._seen: tuple[int, int] | None = None
        self.says = off
        """What it said at the last look."""

    def look(self) -> bool:
        """Look at it; whether it was thrown since the look before."""
        try:
            stat = self._path.stat()
            # Every throw of the switch is a new file, even two within one tick of the file system's clock.
            seen = stat.st_ino, stat.st_mtime_ns
            if seen == self._seen:
                return False
            self.says = self._parse(self._path.read_text(encoding="utf-8"))
        except FileNotFoundError:
            was_there, self._seen, self.says = self._seen is not None, None, self._off
            return was_there
        self._seen = seen
        return True
