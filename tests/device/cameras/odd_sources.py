"""Sources that misbehave, for workers to survive; named by tests as `tests.device.cameras.odd_sources:...`."""

import os
import time
from dataclasses import replace
from pathlib import Path
from typing import Never

from device.cameras.errors import SourceStalled
from device.cameras.source import CameraSpec, Frame, Source
from device.cameras.sources import open_source


class _Scene:
    def __init__(self, spec: CameraSpec) -> None:
        self._inner: Source = open_source(spec)
        self.native = self._inner.native

    def read(self, timeout_s: float) -> Frame:
        return self._inner.read(timeout_s)

    def close(self) -> None:
        self._inner.close()


class Silent(_Scene):
    """Opens, waits politely, and gives nothing."""

    def read(self, timeout_s: float) -> Never:
        time.sleep(timeout_s)
        raise SourceStalled("nothing to see")


class Explosive(_Scene):
    """A driver that raises something of its own."""

    def read(self, timeout_s: float) -> Never:
        raise ZeroDivisionError(f"in the driver, after {timeout_s} s")


class Clinging(_Scene):
    """Will not be closed: raises instead."""

    def close(self) -> None:
        raise OSError("device or resource busy")


class Stubborn(_Scene):
    """Will not be closed: hangs instead."""

    def close(self) -> None:
        time.sleep(3600)


class Fatal(_Scene):
    """Takes its whole process down, as a crash in a C library does."""

    def read(self, timeout_s: float) -> Never:
        time.sleep(timeout_s)
        os.abort()


class Moody(_Scene):
    """A USB camera that works until somebody leaves a file beside it; then it takes its process down when opened."""

    def __init__(self, spec: CameraSpec, file: str) -> None:
        if Path(file).exists():
            os.abort()
        super().__init__(replace(spec, uri="scene:desk"))


def open_moody(spec: CameraSpec, *, file: str) -> Source:
    """Open a camera that calls itself a USB one."""
    return Moody(spec, file)


KINDS = {kind.__name__.lower(): kind for kind in (Silent, Explosive, Clinging, Stubborn, Fatal)}


def open_odd(spec: CameraSpec, *, kind: str, journal: str | None = None) -> Source:
    """Open an odd source, and leave a line in the journal."""
    if journal is not None:
        with Path(journal).open("a", encoding="ascii") as lines:
            lines.write(f"{time.monotonic_ns()}\n")
    return KINDS[kind](spec)
