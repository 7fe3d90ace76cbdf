"""Synthetic cameras: a desk seen from above and a student seen from the front, drawn by this code alone.

They show no real person and no real place. The same spec gives the same pictures, frame for frame.
"""

import time
from typing import TYPE_CHECKING, Final, Protocol, cast

import cv2
import numpy as np

from device.cameras.errors import SourceMissing, SourceStalled
from device.cameras.pace import Pace
from device.cameras.source import CameraSpec, Frame, Native, Source
from device.cameras.sources.art.canvas import Stage
from device.cameras.sources.scene_desk import DeskScene
from device.cameras.sources.scene_student import StudentScene

if TYPE_CHECKING:
    from device.cameras.source import Image

SEED: Final = 20
_NOISE_SIGMA: Final = 2.2
_NOISE_MEAN: Final = 7
_MEAN_SCALAR: Final = np.array([_NOISE_MEAN] * 3 + [0], np.float64)
_NOISE_SPAN_PX: Final = 61


class Scene(Protocol):
    """Something that can be drawn at any time."""

    def draw(self, time_s: float) -> "Image":
        """A fresh `(height, width, 3) uint8` picture of the scene, free of noise."""
        ...


def open_scene(spec: CameraSpec, name: str) -> Source:
    """Open the scene `desk` or `student`.

    Raises:
        SourceMissing: there is no such scene.
    """
    stage = Stage(spec.width, spec.height)
    match name:
        case "desk":
            return SceneSource(spec, DeskScene(stage, SEED))
        case "student":
            return SceneSource(spec, StudentScene(stage, SEED))
        case _:
            raise SourceMissing(f"there is no scene {name!r}; there are desk and student")


class SceneSource:
    """A scene as a camera: paced, with a sensor's noise."""

    def __init__(self, spec: CameraSpec, scene: Scene) -> None:
        self.native = Native(spec.width, spec.height, spec.fps, "scene")
        self._spec = spec
        self._scene = scene
        self._noise = SensorNoise(spec.width, spec.height, SEED)
        self._pace = Pace(spec.fps)

    def read(self, timeout_s: float) -> Frame:
        """See `Source.read`."""
        beat = self._pace.next(timeout_s)
        if beat is None:
            raise SourceStalled(f"{self._spec.uri}: no frame was due")
        captured_ns = time.monotonic_ns()
        image = self._scene.draw(beat / self._spec.fps)
        self._noise.add_to(image, beat)
        return Frame(image, captured_ns)

    def close(self) -> None:
        """See `Source.close`."""
        self._pace.stop()


class SensorNoise:
    """Cheap sensor noise: one tile, laid at another place for each frame."""

    def __init__(self, width: int, height: int, seed: int) -> None:
        chance = np.random.default_rng(seed)
        shape = (height + _NOISE_SPAN_PX, width + _NOISE_SPAN_PX)
        grey = chance.standard_normal((*shape, 1), np.float32) * _NOISE_SIGMA
        colour = chance.standard_normal((*shape, 3), np.float32) * (_NOISE_SIGMA / 2)
        # Unsigned, with its mean taken off the picture first: one saturating addition per frame.
        tile = np.clip(np.round(grey + colour + _NOISE_MEAN), 0, 2 * _NOISE_MEAN)
        self._tile = cast("Image", tile.astype(np.uint8))

    def add_to(self, image: "Image", number: int) -> None:
        """Add the noise of frame `number` to `(height, width, 3) uint8`, in place."""
        height, width = image.shape[:2]
        # Two steps without a common factor: the place repeats only after 61 * 61 frames.
        x, y = number * 23 % _NOISE_SPAN_PX, (number // _NOISE_SPAN_PX + number * 37) % _NOISE_SPAN_PX
        cv2.subtract(image, _MEAN_SCALAR, dst=image)
        cv2.add(image, self._tile[y : y + height, x : x + width], dst=image)
