"""One sample: a camera that is well, then not, then well again, as the product sees it.

The clock is simulated. The worker's main thread comes by four times a second with the newest frame; `Eyes` looks when
it is due, and what it finds goes through the kiosk's own judgement with its hold times.
"""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING, Final, cast

import cv2
import numpy as np

from device.cameras.boundary import HEARTBEAT_S
from device.cameras.eyes import Eyes
from device.cameras.source import Frame, Layout
from device.cameras.sources.scene import SensorNoise
from device.readiness import Facts, Judgement, judge
from device.session.clock import Instant
from device.snapshot import CameraView
from lab.bench.vision_faults import Case, Scenery, window
from lab.bench.vision_footage import Footage, Pictures
from lab.bench.vision_light import WIDTH_PX, Sensor, light_of
from wire.ledger import ClockTrust
from wire.signal_table import SIGNALS

if TYPE_CHECKING:
    from device.cameras.source import Image

WELL_S: Final = 9.0
"""The camera learns meanwhile."""
AFTER_S: Final = 8.0
_OVER_S: Final = 5.0
"""How much longer than its limit a fault lasts."""
_CLEAN_S: Final = 12.0
_START: Final = datetime(2026, 11, 23, 16, 0, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Sample:
    """What was done, and what was said."""

    footage: str
    role: str
    split: str
    family: str
    case: str
    expected: str
    seed: int
    said: tuple[str, ...] = ()
    """What counted at any time of the fault, the hold times over."""
    before: tuple[str, ...] = ()
    """What counted before it."""
    after: tuple[str, ...] = ()
    """What counts still at the end."""
    seen_s: float | None = None
    """From the onset until the right thing counted."""
    clear_s: float | None = None
    """From its end until that was over."""
    evidence: dict[str, dict[str, float]] = field(default_factory=dict)
    looks: int = 0

    @property
    def limit_s(self) -> float:
        """Within which it is to be seen."""
        return SIGNALS[f"camera.{self.expected}"].within_s if self.expected else 0.0

    @property
    def is_right(self) -> bool:
        """Whether the right thing was said in time, if any."""
        return self.seen_s is not None and self.seen_s <= self.limit_s if self.expected else not self.said

    @property
    def wrong(self) -> tuple[str, ...]:
        """What was said that is not so."""
        return tuple(one for one in self.said if one != self.expected)


def run(footage: Footage, case: Case, seed: int) -> Sample:
    """Run one sample."""
    sample = Sample(footage.name, footage.role, footage.split, case.family, case.name, case.expected, seed)
    chance = np.random.default_rng((seed, *footage.name.encode(), *case.name.encode()))
    camera = _Camera(footage.pictures(), case, footage, chance)
    kiosk = Kiosk(footage.role)
    onset_s = WELL_S + float(chance.uniform())
    fault_s = sample.limit_s + _OVER_S if case.expected else _CLEAN_S
    ends_s = onset_s + fault_s + float(chance.uniform())
    said: dict[str, float] = {}
    before: set[str] = set()
    evidence: dict[str, dict[str, float]] = {}
    gone_s: float | None = None
    now_s = float(chance.uniform(0, HEARTBEAT_S))
    counted: dict[str, dict[str, float]] = {}
    while now_s < ends_s + AFTER_S:
        is_wrong = onset_s <= now_s < ends_s
        since_s = now_s - onset_s
        counted = kiosk.look(partial(camera.frame, now_s, since_s if is_wrong else None), now_s)
        if now_s < onset_s:
            before |= counted.keys()
        elif is_wrong:
            for name in counted:
                said.setdefault(name, since_s)
            evidence |= counted
        elif gone_s is None and case.expected not in counted:
            gone_s = now_s - ends_s
        now_s += HEARTBEAT_S
    return replace(
        sample,
        said=tuple(sorted(said)),
        before=tuple(sorted(before)),
        after=tuple(sorted(counted)),
        seen_s=said.get(case.expected),
        clear_s=gone_s if case.expected in said else None,
        evidence=evidence,
        looks=kiosk.looks,
    )


class Kiosk:
    """The picture checks of one camera, and the judgement of what they find."""

    def __init__(self, role: str) -> None:
        self._role = role
        self._eyes = Eyes(role)
        self._judgement = Judgement(verdict=judge(Facts(now=_instant(0)), {}).verdict)
        self.looks = 0

    def look(self, take: Callable[[int], Frame], now_s: float) -> dict[str, dict[str, float]]:
        """Come by once; what counts now, by condition, with its evidence."""
        now_ns = _ns(now_s)
        if self._eyes.due_in_s(now_ns) <= 0:
            self._eyes.look(take(now_ns), now_ns)
            self.looks += 1
        seen = self._eyes.seen
        rows = (
            None if seen is None else tuple({"condition": str(one.condition), "evidence": one.evidence} for one in seen)
        )
        view = CameraView("open", seen=rows)
        self._judgement = judge(Facts(now=_instant(now_s), cameras={self._role: view}), self._judgement.watches)
        return {
            one.id.removeprefix("camera."): dict(one.evidence)
            for one in self._judgement.signals
            if one.role is not None
        }


class _Camera:
    """A footage as a camera with a case in it."""

    def __init__(self, pictures: Pictures, case: Case, footage: Footage, chance: np.random.Generator) -> None:
        self._pictures = pictures
        self._is_lab = case.family == "lab"
        self._has_noise = bool(footage.path)
        self._start_s = float(chance.uniform(0, 60))
        self._sensor = Sensor(int(chance.integers(1 << 30)))
        self._number = 0
        self._frozen: Image | None = None
        self._noise: SensorNoise | None = None
        healthy = narrow(pictures(self._start_s + WELL_S))
        self._made = case.make(Scenery(footage.role, light_of(healthy), chance))
        self._faulty = Sensor(int(chance.integers(1 << 30)), self._made.gain)

    def frame(self, now_s: float, since_s: float | None, captured_ns: int) -> Frame:
        """What the camera gives; `since_s` is for how long it has been faulty, None while it is well."""
        self._number += 1
        raw = self._pictures(self._start_s + now_s)
        if self._is_lab:
            return self._as_the_lab_has_it(raw, since_s, captured_ns)
        return as_frame(self._picture(raw, since_s), captured_ns)

    def _picture(self, raw: "Image", since_s: float | None) -> "Image":
        made = self._made
        if since_s is None:
            self._frozen = None
            return self._sensed(self._narrow(raw))
        if made.is_frozen:
            if self._frozen is None:
                self._frozen = self._sensed(self._narrow(raw))
            image = self._frozen
        elif made.view is not None:
            image = self._sensed(narrow(made.view(raw)))
        elif made.to_light is not None or made.gain != 1:
            light = light_of(self._narrow(raw))
            image = self._faulty.expose(light if made.to_light is None else made.to_light(light, since_s))
        else:
            image = self._sensed(self._narrow(raw))
        return image if made.to_image is None else made.to_image(image, self._number)

    def _as_the_lab_has_it(self, raw: "Image", since_s: float | None, captured_ns: int) -> Frame:
        """In full size and in colour, through the lab's own code."""
        image = raw
        if not self._has_noise:
            self._noise = self._noise or SensorNoise(raw.shape[1], raw.shape[0], 1)
            image = raw.copy()
            self._noise.add_to(image, self._number)
        if since_s is None:
            self._frozen = None
        elif self._made.is_frozen:
            self._frozen = image if self._frozen is None else self._frozen
            image = self._frozen
        elif self._made.to_image is not None:
            image = self._made.to_image(image, self._number)
        return Frame(image, captured_ns)

    def _sensed(self, image: "Image") -> "Image":
        """What is drawn gets a sensor's noise; clips have their own."""
        return image if self._has_noise else self._sensor.expose(light_of(image))

    def _narrow(self, raw: "Image") -> "Image":
        return narrow(raw if self._made.view is None else window(raw))


def narrow(image: "Image") -> "Image":
    """Its luminance, `WIDTH_PX` wide."""
    height, width = image.shape[:2]
    grey = cast("Image", cv2.cvtColor(image, cv2.COLOR_BGR2GRAY))
    if width <= WIDTH_PX:
        return grey
    return cast("Image", cv2.resize(grey, (WIDTH_PX, round(height * WIDTH_PX / width)), interpolation=cv2.INTER_AREA))


def as_frame(grey: "Image", captured_ns: int) -> Frame:
    """As a camera gives it that has its luminance apart; the colour is never looked at."""
    height, width = grey.shape
    image = np.full((height * 3 // 2, width), 128, np.uint8)
    image[:height] = grey
    return Frame(image, captured_ns, Layout.I420)


def _ns(seconds: float) -> int:
    return 10**9 + round(seconds * 1e9)


def _instant(seconds: float) -> Instant:
    return Instant(_ns(seconds), _START, "boot", ClockTrust.SYNCED)
