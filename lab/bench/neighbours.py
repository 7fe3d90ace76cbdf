"""How much of a shared machine others took meanwhile: what a time by the clock has to be read with."""

import os
import resource
import time
from pathlib import Path
from types import TracebackType
from typing import Self


class Neighbours:
    """Measures from entering to leaving; our own children count as ours once they have ended."""

    def __init__(self) -> None:
        self._since = _busy_s(), _ours_s(), time.monotonic()
        self.cores = 0.0
        """Cores that others kept busy, on average."""

    def __enter__(self) -> Self:
        self._since = _busy_s(), _ours_s(), time.monotonic()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        busy_s, ours_s, begun_s = self._since
        used_s = (_busy_s() - busy_s) - (_ours_s() - ours_s)
        self.cores = max(0.0, used_s / (time.monotonic() - begun_s))

    def __str__(self) -> str:
        return f"others kept {self.cores:.1f} of {os.cpu_count()} cores busy"


def _busy_s() -> float:
    """CPU seconds of the whole machine so far: user, nice, system, irq, softirq."""
    fields = [int(word) for word in Path("/proc/stat").read_text().splitlines()[0].split()[1:8]]
    return sum(fields[at] for at in (0, 1, 2, 5, 6)) / os.sysconf("SC_CLK_TCK")


def _ours_s() -> float:
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(one.ru_utime + one.ru_stime for one in used)
