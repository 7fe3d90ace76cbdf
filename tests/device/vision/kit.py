"""What the picture checks are shown: scenes, clips, sheets that are pulled about, hands; and what they make of it."""

import dataclasses
import itertools
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Final, cast

import cv2
import numpy as np

from device.cameras.fit import crop_to_fill
from device.cameras.pixels import small_grey
from device.cameras.source import Frame
from device.cameras.sources.art.canvas import Stage
from device.cameras.sources.scene import SensorNoise
from device.cameras.sources.scene_desk import DeskScene
from device.cameras.sources.scene_student import StudentScene
from device.vision.watch import Watcher
from lab.faults import Fault, Pixels
from tests import media

if TYPE_CHECKING:
    import numpy.typing as npt

    from device.cameras.source import Image

SMALL, LARGE = (640, 360), (1280, 720)
LOOK_WIDTH_PX: Final = 320
LEARNED: Final = 6
"""Looks after which a healthy camera has its reference."""
SCENES: Final[dict[str, type[DeskScene | StudentScene]]] = {"overhead": DeskScene, "front": StudentScene}
_SEED: Final = 20


@dataclass(frozen=True)
class Footage:
    """What a camera gave, at an even pace."""

    name: str
    role: str
    images: tuple["Image", ...]

    def __str__(self) -> str:
        return self.name


def grey(image: "Image") -> "Image":
    """The small grey copy that a worker's checks get."""
    return small_grey(Frame(image, 0), LOOK_WIDTH_PX)


def scene(role: str, times: Iterable[float], size: tuple[int, int] = SMALL) -> Iterator["Image"]:
    """The scene of that role at some times, with a sensor's noise."""
    drawn, noise = SCENES[role](Stage(*size), _SEED), SensorNoise(*size, _SEED)
    for number, time_s in enumerate(times):
        image = drawn.draw(time_s)
        noise.add_to(image, number)
        yield image


@cache
def usual(role: str) -> tuple["Image", ...]:
    """Twelve healthy seconds of the scene of that role; nobody may draw on them."""
    return tuple(scene(role, range(3, 15)))


@cache
def clips(folder: Path, hz: float) -> tuple[Footage, ...]:
    """Each clip there is for tests, whole, at so many pictures a second of its own time."""
    places = {media.clip("front", folder).parent, media.clip("overhead", folder).parent}
    paths = sorted(path for place in places for path in place.iterdir() if path.suffix in {".mp4", ".mkv", ".avi"})
    return tuple(_clip(path, hz) for path in paths)


def _clip(path: Path, hz: float) -> Footage:
    video = cv2.VideoCapture(str(path))
    every = video.get(cv2.CAP_PROP_FPS) / hz
    images: list[Image] = []
    for number in itertools.count():
        found, image = video.read()
        if not found or image is None:
            break
        if number >= len(images) * every:
            images.append(crop_to_fill(cast("Image", image), *SMALL))
    video.release()
    return Footage(path.stem, path.stem.partition("-")[0], tuple(images))


@cache
def footages(folder: Path) -> tuple[Footage, ...]:
    """Both scenes and every clip, a picture a second."""
    drawn = (Footage(role, role, usual(role)) for role in SCENES)
    return *drawn, *clips(folder, hz=1.0)


def with_fault(images: Iterable["Image"], fault: Fault) -> Iterator["Image"]:
    """The pictures with a fault of the lab in them; frozen repeats the first."""
    frozen: Image | None = None
    pixels: Pixels | None = None
    for image in images:
        height, width = image.shape[:2]
        pixels = pixels or Pixels(width, height)
        frozen = image if frozen is None else frozen
        yield frozen if fault is Fault.FROZEN else pixels.alter(image, fault)


class Camera:
    """One camera being watched.

    Args:
        role: `overhead` or `front`.
        hz: looks per second.
    """

    def __init__(self, role: str, hz: float = 1.0) -> None:
        self.watcher = Watcher(role)
        self._step_ns = round(1e9 / hz)
        self._now_ns = 5_000_000_000

    def show(self, *images: "Image") -> list[set[str]]:
        """What is said to be wrong after each of the pictures."""
        return [self.look(grey(image)) for image in images]

    def look(self, small: "Image") -> set[str]:
        self._now_ns += self._step_ns
        return {one.condition.value for one in self.watcher.look(small, self._now_ns)}

    def look_with_mat(self, image: "Image", corners: "npt.NDArray[np.float64]") -> set[str]:
        """The same of a picture that shows the mat there, in shares of its width."""
        self._now_ns += self._step_ns
        return {one.condition.value for one in self.watcher.look(grey(image), self._now_ns, corners)}

    def learn(self, images: Iterable["Image"]) -> None:
        """Show healthy pictures, over and over, until the camera has its reference."""
        told = self.show(*itertools.islice(itertools.cycle(images), LEARNED))
        assert not any(told)
        assert self.watcher._reference is not None

    def wait(self, seconds: float) -> None:
        """Let time go by without a picture."""
        self._now_ns += round(seconds * 1e9)

    def evidence(self) -> dict[str, dict[str, float]]:
        """What was measured, as it crosses to the agent."""
        seen = self.watcher._true_now()
        return {row["condition"]: row["evidence"] for row in map(dataclasses.asdict, seen)}


def noisy(image: "Image", number: int, sigma: float = 2.2) -> "Image":
    """The picture with white noise of `sigma` levels, another for each number."""
    noise = np.random.default_rng(number).normal(0, sigma, image.shape)
    return cast("Image", np.clip(np.round(image + noise), 0, 255).astype(np.uint8))


def flat(level: float, size: tuple[int, int] = SMALL) -> "Image":
    """A picture of one grey level."""
    return np.full((size[1], size[0], 3), round(level), np.uint8)


def dimmed(image: "Image", light: float) -> "Image":
    """The picture in so much of its light."""
    return cast("Image", cv2.convertScaleAbs(image, alpha=light))


def blurred(image: "Image", sigma_px: float) -> "Image":
    """The picture out of focus."""
    return cast("Image", cv2.GaussianBlur(image, (0, 0), sigma_px))


def sheet_on(desk: "Image", *, right: float = 0.0, down: float = 0.0, turn_deg: float = 0.0) -> "Image":
    """The desk with a printed sheet on it, pulled so far (shares of the width) and turned."""
    height, width = desk.shape[:2]
    chance = np.random.default_rng(5)
    sheet, mask = np.zeros_like(desk), np.zeros_like(desk)
    left, top, wide, high = round(0.32 * width), round(0.1 * height), round(0.36 * width), round(0.8 * height)
    sheet[top : top + high, left : left + wide] = 225
    mask[top : top + high, left : left + wide] = 255
    letter = max(3, width // 128)
    for y in range(top + 2 * letter, top + high - 2 * letter, 2 * letter):
        for x in range(left + 2 * letter, left + wide - 2 * letter, letter):
            if chance.random() < 0.7:
                ink = chance.integers(0, letter, 4)
                start, end = (x + int(ink[0]), y + int(ink[1])), (x + int(ink[2]), y + int(ink[3]))
                cv2.line(sheet, start, end, (60, 60, 60), max(1, letter // 4), cv2.LINE_AA)
    matrix = cv2.getRotationMatrix2D((width / 2, height / 2), turn_deg, 1.0)
    matrix[:, 2] += (right * width, down * width)
    sheet, mask = (cast("Image", cv2.warpAffine(layer, matrix, (width, height))) for layer in (sheet, mask))
    return np.where(mask > 127, sheet, desk)


def with_hand(image: "Image", across: float = 0.5, centre: tuple[float, float] = (0.6, 0.6)) -> "Image":
    """The picture with a large hand and forearm in it, `across` of its width wide."""
    height, width = image.shape[:2]
    shown = image.copy()
    middle = round(centre[0] * width), round(centre[1] * height)
    skin, edge = (120, 150, 198), (90, 118, 165)
    cv2.line(shown, middle, (round(middle[0] + 0.3 * width), height), edge, round(across * width / 2))
    cv2.ellipse(shown, middle, (round(across * width / 2), round(across * width / 3)), 35, 0, 360, skin, -1)
    for finger in range(4):
        tip = round(middle[0] + (finger - 3) * 0.08 * width), round(middle[1] - across * 0.4 * width)
        cv2.line(shown, middle, tip, skin, max(2, width // 30))
        cv2.line(shown, middle, tip, edge, 2)
    return shown
