"""What is done to a camera's pictures: each fault in several severities, from just beyond what matters to strong.

A fault is made anew for every sample; `Made` turns the light of the scene into what the sensor gets.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, TypeAlias, cast

import cv2
import numpy as np

from device.vision.thresholds import TABLE
from lab.bench.vision_covers import COVERS, MakeCover
from lab.bench.vision_light import Light, defocused, gain_for, jpeg, level, radiance, shadowed
from lab.faults import Fault, Pixels

if TYPE_CHECKING:
    from device.cameras.source import Image


_WORKING: Final = {"overhead": 90, "front": 80}
"""Percentile of a picture's levels that its working area reaches: a small sheet on a desk, somebody in a room."""


@dataclass(frozen=True, slots=True)
class Scenery:
    """What a fault may be fitted to: a healthy picture, and chance."""

    role: str
    light: Light
    chance: np.random.Generator


@dataclass(frozen=True, slots=True)
class Made:
    """A fault, ready to be applied."""

    to_light: Callable[[Light, float], Light] | None = None
    """The light that reaches the sensor instead, by the seconds since the onset."""
    gain: float = 1.0
    """The sensor's amplification meanwhile, for its noise."""
    to_image: "Callable[[Image, int], Image] | None" = None
    """What becomes of the camera's picture, by its number: coding, or a fault of the lab, which gets it in colour."""
    view: "Callable[[Image], Image] | None" = None
    """Another look at the scene, from the uncut picture; a footage that is moved is cut for that from the start."""
    is_frozen: bool = False


Make: TypeAlias = Callable[[Scenery], Made]


@dataclass(frozen=True, slots=True)
class Case:
    """One thing that is done."""

    family: str
    """The condition it is, or `clean`, or `lab`."""
    name: str
    expected: str
    """The condition that is to be said; empty when nothing is."""
    make: Make
    roles: tuple[str, ...] = ("overhead", "front")


def cases(role: str) -> list[Case]:
    """Everything that is done to a camera of that role."""
    return [one for one in _CASES if role in one.roles]


# Light


def _dark(lit_level: float) -> Make:
    """So dim that the working area stays under a level, the sensor's gain at eight times."""

    def make(scenery: Scenery) -> Made:
        bright = float(np.percentile(scenery.light, _WORKING[scenery.role]))
        dimmed = gain_for(lambda gain: level(bright * gain), lit_level, 1e-5, 1.0)
        return Made(lambda light, _s: light * np.float32(dimmed), gain=8.0)

    return make


def _overexposed(share: float) -> Make:
    """So bright that this share of the picture is clipped."""

    def make(scenery: Scenery) -> Made:
        grey = scenery.light
        full = radiance(TABLE.white)
        brighter = gain_for(lambda gain: float(np.mean(grey * gain >= full)), share, 0.2, 400.0)
        return Made(lambda light, _s: light * np.float32(brighter))

    return make


def _brighter(stops: float) -> Make:
    """Auto exposure settling a little higher or lower, but so that not more than a twentieth is clipped."""

    def make(scenery: Scenery) -> Made:
        most = 0.9 / max(0.02, float(np.percentile(scenery.light, 95)))
        gain = min(2.0**stops, most)
        return Made(lambda light, s: light * np.float32(1 + (gain - 1) * min(1.0, s / 2)))

    return make


def _shadow(depth: float) -> Make:
    """Somebody walks past the lamp: a soft shadow crosses the view in four seconds."""

    def make(scenery: Scenery) -> Made:
        height, width = scenery.light.shape[:2]
        angle = float(scenery.chance.uniform(-0.6, 0.6))
        across, down = np.meshgrid(np.arange(width) / width, np.arange(height) / width)
        along = (across * np.cos(angle) + down * np.sin(angle)).astype(np.float32)

        def cast_it(light: Light, seconds: float) -> Light:
            return shadowed(light, along, -0.4 + 1.8 * (seconds % 4) / 4, 0.22, depth)

        return Made(cast_it)

    return make


def _glare(share: float, softness: float, length: float = 1.0) -> Make:
    """A lamp's image on a glossy page: clipped over a share of the picture, fading as a rough surface's lobe does."""

    def make(scenery: Scenery) -> Made:
        height, width = scenery.light.shape[:2]
        x, y = scenery.chance.uniform(0.3, 0.7) * width, scenery.chance.uniform(0.3, 0.7) * height
        turn = float(scenery.chance.uniform(0, np.pi))
        right, down = np.meshgrid(np.arange(width) - x, np.arange(height) - y)
        u = (right * np.cos(turn) + down * np.sin(turn)) / length
        v = -right * np.sin(turn) + down * np.cos(turn)
        far_px = np.hypot(u, v).astype(np.float32)
        grey = scenery.light

        def lobe(radius_px: float) -> Light:
            # The lamp itself is even; the surface's roughness takes its rim from 1 to nothing.
            rim = softness * radius_px
            return cast("Light", 4 / (1 + np.exp(np.clip((far_px - radius_px) / np.float32(0.25 * rim), -40, 40))))

        radius_px = gain_for(lambda r: float(np.mean(grey + lobe(r) >= 1)) - float(np.mean(grey >= 1)), share, 5, 400)
        made = lobe(radius_px)
        return Made(lambda light, _s: light + made)

    return make


# Lens


def _covered(cover: MakeCover) -> Make:
    return lambda scenery: Made(cover((scenery.light.shape[0], scenery.light.shape[1]), scenery.chance))


def _defocus(radius_px: float) -> Make:
    return lambda _scenery: Made(lambda light, _s: defocused(light, radius_px))


def _grease(sharp: float, radius_px: float) -> Make:
    """A finger's grease: some of the light goes straight through, the rest is spread."""

    def smear(light: Light, _s: float) -> Light:
        return cast("Light", sharp * light + (1 - sharp) * defocused(light, radius_px))

    return lambda _scenery: Made(smear)


# Mount


def _moved(right: float = 0.0, turn_deg: float = 0.0, tilt_deg: float = 0.0) -> Make:
    """The mount was knocked, in a direction that chance chooses: shares of the width, degrees."""

    def make(scenery: Scenery) -> Made:
        side = scenery.chance.choice([-1.0, 1.0], 3)
        down = right * float(scenery.chance.uniform(-0.4, 0.4))
        return Made(
            view=lambda image: window(image, (side[0] * right, side[1] * down), side[2] * turn_deg, side[0] * tilt_deg)
        )

    return make


_WINDOW: Final = 0.7
"""Of the picture's width: what a moved footage is cut to, so that what comes into view is real."""
_FOCAL: Final = 1.1
"""Of the width: a lens that sees 49 degrees."""


def window(
    image: "Image", shift: tuple[float, float] = (0.0, 0.0), turn_deg: float = 0.0, tilt_deg: float = 0.0
) -> "Image":
    """A camera's view within a picture: its middle, or where it looks after a knock."""
    height, width = image.shape[:2]
    wide, high = round(_WINDOW * width) // 2 * 2, round(_WINDOW * height) // 2 * 2
    focal = _FOCAL * wide
    lens = np.array([(focal, 0, wide / 2), (0, focal, high / 2), (0, 0, 1)])
    spin = (
        cv2.Rodrigues(np.array([0.0, np.radians(tilt_deg), 0.0]))[0]
        @ cv2.Rodrigues(np.array([0.0, 0.0, np.radians(turn_deg)]))[0]
    )
    moved = np.array([(1, 0, shift[0] * wide), (0, 1, shift[1] * wide), (0, 0, 1)])
    middle = np.array([(1, 0, (wide - width) / 2), (0, 1, (high - height) / 2), (0, 0, 1)])
    matrix = moved @ lens @ spin @ np.linalg.inv(lens) @ middle
    return cast("Image", cv2.warpPerspective(image, matrix, (wide, high), borderMode=cv2.BORDER_REFLECT_101))


# Sensor and coding


def _noisy(gain: float) -> Make:
    return lambda _scenery: Made(gain=gain)


def _coded(quality: int) -> Make:
    return lambda _scenery: Made(to_image=lambda image, _number: jpeg(image, quality))


def _coders_rest(_scenery: Scenery) -> Made:
    """A frozen sensor behind a coder that still refines: one pixel in fifty is off by one."""

    def refine(image: "Image", number: int) -> "Image":
        chance = np.random.default_rng(number)
        return cast("Image", cv2.add(image, (chance.random(image.shape) < 0.02).astype(np.uint8)))

    return Made(is_frozen=True, to_image=refine)


def _lab(fault: Fault) -> Make:
    """Exactly the lab's own fault, at its only severity."""

    def make(_scenery: Scenery) -> Made:
        pixels: list[Pixels] = []

        def alter(image: "Image", _number: int) -> "Image":
            if not pixels:
                pixels.append(Pixels(image.shape[1], image.shape[0]))
            return pixels[0].alter(image, fault)

        return Made(to_image=alter)

    return make


_DESK: Final = ("overhead",)
_ROOM: Final = ("front",)

_CASES: Final = (
    *(Case("covered", name, "covered", _covered(made))
      for name, made in COVERS.items()),
    *(Case("dark", f"light to {lit}", "dark", _dark(lit)) for lit in (44, 30, 18, 8)),
    *(Case("overexposed", f"{share:.0%} clipped", "overexposed", _overexposed(share))
      for share in (0.40, 0.55, 0.75, 0.95)),
    *(Case("blurred", f"disk of {radius} px", "blurred", _defocus(radius)) for radius in (5, 7, 10, 15, 22)),
    *(Case("blurred", f"grease, {sharp:.0%} sharp", "blurred", _grease(sharp, 12)) for sharp in (0.2, 0.1)),
    Case("frozen", "the same picture", "frozen", lambda _scenery: Made(is_frozen=True)),
    Case("frozen", "a coder's rest", "frozen", _coders_rest),
    *(Case("glare", f"{share:.1%}, {name}", "glare", _glare(share, softness, length), _DESK)
      for share in (0.04, 0.07, 0.14)
      for name, softness, length in (("glossy", 0.5, 1.0), ("satin", 1.2, 1.0), ("tube", 0.8, 3.0))),
    *(Case("moved", f"by {right:.0%}", "moved", _moved(right), _DESK) for right in (0.125, 0.16, 0.2)),
    *(Case("moved", f"turned {turn} degrees", "moved", _moved(0.0, turn), _DESK) for turn in (4, 8, 14)),
    Case("moved", "by 9 % and 3 degrees", "moved", _moved(0.09, 3.0), _DESK),
    *(Case("moved", f"tilted {tilt} degrees", "moved", _moved(0.0, 0.0, tilt), _DESK) for tilt in (8, 11)),
    *(Case("clean", f"shadow of {depth:.0%}", "", _shadow(depth)) for depth in (0.3, 0.6)),
    *(Case("clean", f"sensor gain {gain:g}", "", _noisy(gain))
      for gain in (0.5, 4.0, 12.0)),
    *(Case("clean", f"JPEG {quality}", "", _coded(quality)) for quality in (90, 60, 35)),
    *(Case("clean", f"exposure {stops:+g} stops", "", _brighter(stops)) for stops in (-1.0, -0.5, 0.5)),
    Case("clean", "turned front camera", "", _moved(0.15, 8.0), _ROOM),
    Case("clean", "lamp before the front camera", "", _glare(0.07, 0.8), _ROOM),
    Case("clean", "by 3 % and 1 degree", "", _moved(0.03, 1.0), _DESK),
    *(Case("lab", fault.value, fault.value, _lab(fault))
      for fault in (Fault.COVERED, Fault.DARK, Fault.OVEREXPOSED, Fault.BLURRED)),
    *(Case("lab", fault.value, fault.value, _lab(fault), _DESK) for fault in (Fault.GLARE, Fault.MOVED)),
    *(Case("lab", f"{fault.value} at the front", "", _lab(fault), _ROOM) for fault in (Fault.GLARE, Fault.MOVED)),
    Case("lab", "frozen", "frozen", lambda _scenery: Made(is_frozen=True)),
)  # fmt: skip
