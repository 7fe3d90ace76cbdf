"""Hours in which nothing is wrong: what is said in them is a false alarm.

Each stretch of a minute and a half has a place, a framing, a light, a sensor and a coding of its own, and what happens
in classrooms: daylight drifts, auto exposure steps, shadows and hands pass, pages are changed, the mount sways.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Final, cast

import cv2
import numpy as np

from device.cameras.boundary import HEARTBEAT_S
from device.cameras.source import Frame
from lab.bench.vision_footage import Footage, Split
from lab.bench.vision_light import WIDTH_PX, Light, Sensor, jpeg, light_of, shadowed
from lab.bench.vision_timeline import Kiosk, as_frame, narrow

if TYPE_CHECKING:
    from device.cameras.source import Image

STRETCH_S: Final = 90
_SWAY: Final = 0.004
"""Of the width: a camera on an arm when somebody leans on the table."""
_MOST: Final = 1.0
"""Of the light that clips: auto exposure keeps nineteen twentieths of a picture under it, whatever page is laid."""
_LEAST: Final = 0.18
"""Mid-grey: a twentieth at least it brings to this; a light in which it cannot is no healthy one."""
_NEW: Final = 30_000
"""Seeds that nothing was developed on begin here; earlier ones showed paper taken for a lamp's image, and light that
auto exposure would not have left."""


@dataclass(frozen=True, slots=True)
class Stretch:
    """One stretch of clean time."""

    footage: Footage
    seed: int


@dataclass(frozen=True, slots=True)
class Heard:
    """What was said in one."""

    footage: str
    role: str
    split: str
    seed: int
    seconds: float
    looks: int
    alarms: tuple[tuple[str, float], ...]
    """What counted, and when it began."""
    evidence: dict[str, dict[str, float]]


def stretches(sources: list[Footage], seconds: float) -> Iterator[Stretch]:
    """Enough stretches, as many of each source; what is drawn is drawn anew each time."""
    count = -(-round(seconds) // STRETCH_S)
    for number in range(_NEW, _NEW + count):
        # One source after the other, for a clip is read only once by a process that stays with it.
        footage = sources[(number - _NEW) * len(sources) // count]
        if not footage.path:
            footage = replace(footage, seed=number, split=Split.SCORED)
        yield Stretch(footage, number)


def listen(stretch: Stretch) -> Heard:
    """Watch one stretch."""
    camera = _Camera(stretch)
    kiosk = Kiosk(stretch.footage.role)
    alarms: list[tuple[str, float]] = []
    evidence: dict[str, dict[str, float]] = {}
    before: set[str] = set()
    for tick in range(round(STRETCH_S / HEARTBEAT_S)):
        now_s = tick * HEARTBEAT_S
        counted = kiosk.look(partial(camera.frame, now_s), now_s)
        alarms += [(name, now_s) for name in counted.keys() - before]
        evidence = {**counted, **evidence}
        before = set(counted)
    footage = stretch.footage
    return Heard(
        footage.name, footage.role, footage.split, stretch.seed, STRETCH_S, kiosk.looks, tuple(alarms), evidence
    )


class _Camera:
    """A healthy camera in a stretch of a day."""

    def __init__(self, stretch: Stretch) -> None:
        chance = np.random.default_rng((stretch.seed, 77))
        self._pictures = stretch.footage.pictures()
        self._is_desk = stretch.footage.role == "overhead"
        self._start_s = float(chance.uniform(0, 600))
        self._zoom = float(chance.uniform(1.0, 1.2))
        self._mirrored = bool(chance.random() < 0.5)
        self._sensor = Sensor(int(chance.integers(1 << 30)), float(2 ** chance.uniform(-1, 3)))
        self._quality = int(chance.choice([0, 0, 90, 75, 60, 45]))
        self._sway = float(chance.choice([0.0, 0.5, 1.0])) * _SWAY
        first = light_of(self._framed(0.0))
        least = 0.06 / max(0.01, float(np.percentile(first, 80)))
        self._bright = max(least, float(2 ** chance.uniform(-1.2, 0.4)))
        self._drift = float(chance.uniform(0.05, 0.25)), float(chance.uniform(0, 6))
        self._steps = chance.uniform(0.85, 1.1, 10)
        self._shadow_every_s = float(chance.uniform(12, 60))
        self._angle = float(chance.uniform(0, np.pi))
        self._depth = float(chance.uniform(0.2, 0.6))
        self._number = 0

    def frame(self, now_s: float, captured_ns: int) -> Frame:
        """What the camera gives."""
        self._number += 1
        light = light_of(self._framed(now_s))
        bright = max(0.001, float(np.percentile(light[::6, ::6], 95)))
        light *= np.float32(min(max(self._level(now_s), _LEAST / bright), _MOST / bright))
        image = self._sensor.expose(self._in_shadow(light, now_s))
        return as_frame(jpeg(image, self._quality) if self._quality else image, captured_ns)

    def _framed(self, now_s: float) -> "Image":
        grey = narrow(self._pictures(self._start_s + now_s))
        height, width = grey.shape
        grown = self._zoom * WIDTH_PX / width
        x, y = (self._sway * width * float(np.sin(now_s * speed)) for speed in (0.9, 1.3))
        matrix = np.array([(grown, 0, (1 - grown) * width / 2 + x), (0, grown, (1 - grown) * height / 2 + y)])
        image = cv2.warpAffine(grey, matrix, (width, height), borderMode=cv2.BORDER_REFLECT_101)
        return cast("Image", cv2.flip(image, 1) if self._mirrored else image)

    def _level(self, now_s: float) -> float:
        """Daylight, and auto exposure that follows it in steps."""
        depth, phase = self._drift
        drift = 1 + depth * np.sin(2 * np.pi * now_s / 70 + phase)
        return self._bright * float(drift * self._steps[int(now_s // 9) % len(self._steps)])

    def _in_shadow(self, light: Light, now_s: float) -> Light:
        since_s = now_s % self._shadow_every_s
        if since_s > 4:
            return light
        height, width = light.shape
        across, down = np.meshgrid(np.arange(width, dtype=np.float32), np.arange(height, dtype=np.float32))
        along = (across * np.float32(np.cos(self._angle)) + down * np.float32(np.sin(self._angle))) / width
        return shadowed(light, along, since_s / 2.5 - 0.4, 0.2, self._depth)
