"""What light, lens and sensor do to a picture, in linear light: exposure, defocus, noise, coding.

Light is `(height, width) float32`, the luminance of each point, 1 being what just clips: the picture checks see no
colour. Outside of this module pictures are a camera's, 8 bits. The curve between the two is sRGB's (IEC 61966-2-1).
"""

from collections.abc import Callable
from functools import cache
from typing import TYPE_CHECKING, Final, TypeAlias, cast

import cv2
import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from device.cameras.source import Image

Light: TypeAlias = npt.NDArray[np.float32]

WIDTH_PX: Final = 640
"""How wide pictures are degraded: twice what is looked at; averaging the rest away first changes nothing."""
_STEPS: Final = 8192
_POOL_PX: Final = 1400
_FULL_WELL: Final = 40_000.0
"""Electrons of one of our pixels at white: 4 to 9 pixels of a small sensor's 5,000 to 10,000 are averaged in it."""
_READ: Final = 0.0004
"""Noise without light, of white: 2 to 4 electrons a pixel of the sensor."""


def _to_light(level: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    return np.where(level <= 0.04045, level / 12.92, ((level + 0.055) / 1.055) ** 2.4)


def _to_level(light: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    return np.where(light <= 0.0031308, light * 12.92, 1.055 * light ** (1 / 2.4) - 0.055)


_LIGHT: Final = _to_light(np.arange(256) / 255).astype(np.float32)
_LEVEL: Final = np.round(_to_level((np.arange(_STEPS) / (_STEPS - 1)) ** 2) * 255).astype(np.uint8)


def light_of(image: "Image") -> Light:
    """The light behind an 8-bit picture, `(height, width) uint8`."""
    return cast("Light", cv2.LUT(image, _LIGHT))


def level(light: float) -> float:
    """The grey level, 0 to 255, of a radiance."""
    return float(_to_level(np.array(min(1.0, max(0.0, light)))) * 255)


def radiance(grey_level: float) -> float:
    """The radiance behind a grey level."""
    return float(_to_light(np.array(grey_level / 255)))


class Sensor:
    """Turns light into an 8-bit picture, with the noise that belongs to it.

    Args:
        seed: of the noise.
        gain: how many times the sensor's signal is amplified; shot noise grows with its root, read noise with itself.
    """

    def __init__(self, seed: int, gain: float = 1.0) -> None:
        self._chance = np.random.default_rng(seed)
        self._gain = gain

    def expose(self, light: Light) -> "Image":
        """The picture, `(height, width) uint8`, that the sensor makes of it."""
        variance = cv2.addWeighted(light, self._gain / _FULL_WELL, light, 0.0, (_READ * self._gain) ** 2)
        noisy = np.maximum(cv2.add(cv2.multiply(cv2.sqrt(variance), self._noise(light.shape)), light), 0)
        # By the root of the light, so that the dark has its share of the steps.
        steps = np.minimum(cv2.sqrt(noisy) * (_STEPS - 1), _STEPS - 1).astype(np.uint16)
        return cast("Image", np.take(_LEVEL, steps))

    def _noise(self, shape: tuple[int, ...]) -> Light:
        """Fresh enough: another place of a large pool, turned over at random."""
        down, across = (int(self._chance.integers(0, _POOL_PX - side)) for side in shape)
        part = _pool()[down : down + shape[0], across : across + shape[1]]
        return np.ascontiguousarray(part[:: self._flip(), :: self._flip()])

    def _flip(self) -> int:
        return 1 if self._chance.random() < 0.5 else -1


@cache
def _pool() -> Light:
    return np.random.default_rng(0).standard_normal((_POOL_PX, _POOL_PX)).astype(np.float32)


def defocused(light: Light, radius_px: float) -> Light:
    """Out of focus: each point is a disk (geometric optics, a round aperture)."""
    if radius_px < 0.5:
        return light
    if radius_px > 14:
        # A wide disk's edge is not seen in its sum; a quarter of the pixels is enough.
        size = light.shape[1], light.shape[0]
        half = cv2.resize(light, (size[0] // 2, size[1] // 2), interpolation=cv2.INTER_AREA)
        return cast("Light", cv2.resize(defocused(cast("Light", half), radius_px / 2), size))
    return cast("Light", cv2.filter2D(light, -1, disk(radius_px), borderType=cv2.BORDER_REPLICATE))


def shadowed(light: Light, along: Light, middle: float, reach: float, depth: float) -> Light:
    """In the soft shadow of somebody who passes the lamp.

    Args:
        light: the scene's.
        along: where each point lies on the shadow's way, of the same shape.
        middle: where on its way the shadow is.
        reach: how far from its middle its rim lies, which is soft over 0.03.
        depth: the share of the light that it takes.
    """
    shade = 1 - depth / (1 + np.exp((np.abs(along - middle) - reach) / 0.03))
    return cast("Light", light * shade.astype(np.float32))


def disk(radius_px: float) -> Light:
    """A disk's kernel, its edge smooth, that sums to 1."""
    reach = int(np.ceil(radius_px))
    y, x = np.mgrid[-reach : reach + 1, -reach : reach + 1]
    kernel = np.clip(radius_px + 0.5 - np.hypot(x, y), 0, 1).astype(np.float32)
    return cast("Light", kernel / kernel.sum())


def jpeg(image: "Image", quality: int) -> "Image":
    """Through a JPEG, as a USB camera's MJPG is."""
    _, packed = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, quality])
    return cast("Image", cv2.imdecode(packed, cv2.IMREAD_UNCHANGED))


def gain_for(measured: Callable[[float], float], wanted: float, low: float, high: float) -> float:
    """The gain at which what is measured, which grows with it, reaches what is wanted; by halving."""
    for _ in range(24):
        middle = (low * high) ** 0.5
        low, high = (middle, high) if measured(middle) < wanted else (low, middle)
    return high


def clouds(shape: tuple[int, int], seed: int, *, slope: float = 1.0, stretch: float = 1.0) -> Light:
    """`(height, width)` of 1/f texture, mean 0 and deviation 1 (Field 1987: natural surfaces have a slope of 1)."""
    chance = np.random.default_rng(seed)
    down, across = np.fft.fftfreq(shape[0])[:, np.newaxis] * stretch, np.fft.rfftfreq(shape[1])[np.newaxis]
    far = np.hypot(down, across)
    far[0, 0] = np.inf
    phase = np.exp(2j * np.pi * chance.random(far.shape))
    made = np.fft.irfft2(phase * far**-slope, s=shape)
    return cast("Light", ((made - made.mean()) / made.std()).astype(np.float32))
