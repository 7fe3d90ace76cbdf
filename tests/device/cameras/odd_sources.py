"""Sources that misbehave, for workers to survive; named by tests as `tests.device.cameras.odd_sources:...`."""

import os
import time
from dataclasses import replace
from pathlib import Path
from typing import Never

import numpy as np

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


class Empty(_Scene):
    """Gives pictures without a pixel."""

    def read(self, timeout_s: float) -> Frame:
        return replace(self._inner.read(timeout_s), image=np.zeros((0, 0, 3), np.uint8))


class Shrunken(_Scene):
    """Gives pictures of another size than was asked for."""

    def read(self, timeout_s: float) -> Frame:
        frame = self._inner.read(timeout_s)
        return replace(frame, image=frame.image[::2, ::2])


class Colourless(_Scene):
    """Gives a single channel and calls it blue, green and red."""

    def read(self, timeout_s: float) -> Frame:
        frame = self._inner.read(timeout_s)
        return replace(frame, image=frame.image[..., 0])


class Floating(_Scene):
    """Gives numbers that are no bytes, and some that are no numbers."""

    def read(self, timeout_s: float) -> Frame:
        frame = self._inner.read(timeout_s)
        return replace(frame, image=np.full(frame.image.shape, np.nan))


class Timeless(_Scene):
    """Does not know when."""

    def read(self, timeout_s: float) -> Frame:
        return replace(self._inner.read(timeout_s), captured_ns=float("nan"))  # type: ignore[arg-type] # that is the point


class Backward(_Scene):
    """Has a clock that runs the other way, from when the machine was started."""

    def read(self, timeout_s: float) -> Frame:
        frame = self._inner.read(timeout_s)
        return replace(frame, captured_ns=time.monotonic_ns() // 2 - frame.captured_ns // 4)


class Garbled(_Scene):
    """Gives no luminance that could be looked at, for its first second; the pictures are well."""

    _read = 0

    def read(self, timeout_s: float) -> Frame:
        self._read += 1
        frame = self._inner.read(timeout_s)
        return replace(frame, grey=np.zeros(320, np.uint8)) if self._read <= 40 else frame


class Moody(_Scene):
    """A USB camera that works until somebody leaves a file beside it; then it takes its process down when opened."""

    def __init__(self, spec: CameraSpec, file: str) -> None:
        if Path(file).exists():
            os.abort()
        super().__init__(replace(spec, uri="scene:desk"))


def open_moody(spec: CameraSpec, *, file: str) -> Source:
    """Open a camera that calls itself a USB one."""
    return Moody(spec, file)


ODD = (Silent, Explosive, Clinging, Stubborn, Fatal)
NONSENSE = (Empty, Shrunken, Colourless, Floating, Timeless, Backward)
KINDS = {kind.__name__.lower(): kind for kind in (*ODD, *NONSENSE, Garbled)}


def open_odd(spec: CameraSpec, *, kind: str, journal: str | None = None) -> Source:
    """Open an odd source, and leave a line in the journal."""
    if journal is not None:
        with Path(journal).open("a", encoding="ascii") as lines:
            lines.write(f"{time.monotonic_ns()}\n")
    return KINDS[kind](spec)
