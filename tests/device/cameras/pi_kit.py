"""What the tests of the Pi's cameras are played with: the bench of the stand-in, and what its sensors see."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from device.cameras.source import CameraSpec, Source
from tests.device.cameras.fake_picamera2 import DESK, Bench, Sensor, installed, scene

if TYPE_CHECKING:
    from device.cameras.source import Image

WIDTH, HEIGHT, FPS = 400, 220, 50.0
"""Neither side is a multiple of the 64 bytes that rows are padded to."""

Plug: TypeAlias = Callable[..., Bench]


def plugging() -> Iterator[Plug]:
    """For a fixture: plugs sensors in; in the end every camera must be closed and every buffer given back."""
    with ExitStack() as stack:

        def plug(*sensors: Sensor) -> Bench:
            return stack.enter_context(installed(sensors))

        yield plug


def spec(id_: str = DESK, width: int = WIDTH, height: int = HEIGHT, fps: float = FPS, **more: Any) -> CameraSpec:
    return CameraSpec("overhead", f"picamera2:{id_}", width, height, fps, **more)


def read_often(source: Source, times: int, timeout_s: float = 2.0) -> None:
    for _ in range(times):
        source.read(timeout_s)


def i420(width: int, height: int, shade: int = 0) -> "Image":
    """What a camera of that shade sees, as it should come out."""
    return np.concatenate([plane.ravel() for plane in scene(width, height, shade)]).reshape(height * 3 // 2, width)
