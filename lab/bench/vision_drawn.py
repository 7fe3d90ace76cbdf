"""Desks and rooms that nobody has: drawn by chance from a seed, for the development of the picture checks.

A desk has a surface, sheets with print, a thing or two, and a hand that comes and goes; a room has a wall, furniture
with texture, a window, and a figure without a face that moves its arms. Each seed has a light of its own.
"""

from typing import TYPE_CHECKING, Final, TypeAlias, cast

import cv2
import numpy as np
import numpy.typing as npt

from lab.bench.vision_light import Light, clouds

if TYPE_CHECKING:
    from device.cameras.source import Image

Colour: TypeAlias = tuple[float, float, float]
Points: TypeAlias = npt.NDArray[np.float64]

DESK_PX: Final = (1280, 720)
ROOM_PX: Final = (640, 480)
_SKINS: Final[tuple[Colour, ...]] = ((120, 150, 198), (70, 100, 150), (50, 70, 105), (140, 170, 215))


class DrawnDesk:
    """A desk from above.

    Args:
        seed: another desk for each.
    """

    def __init__(self, seed: int) -> None:
        chance = np.random.default_rng(seed)
        self._chance = chance
        self._skin = _SKINS[seed % len(_SKINS)]
        self._light = _lighting(DESK_PX, chance, seed)
        self._blank = self._surface(chance, seed)
        self._seed = seed
        self._phase = float(chance.uniform(0, 60))
        self._page_s = float(chance.uniform(25, 50))
        self._pages: dict[int, Image] = {}

    def draw(self, time_s: float) -> "Image":
        """The desk at a time; every half minute or so another sheet lies on it."""
        number = int((time_s + self._phase) // self._page_s)
        if number not in self._pages:
            self._pages = {number: self._laid(number)}
        image = self._pages[number].copy()
        self._hand(image, time_s + self._phase)
        return _lit(image, self._light)

    @staticmethod
    def _surface(chance: np.random.Generator, seed: int) -> Light:
        width, height = DESK_PX
        base = np.array([chance.uniform(60, 190) * tint for tint in chance.uniform(0.8, 1.0, 3)])
        grain = clouds((height, width), seed, stretch=float(chance.choice([1.0, 6.0, 12.0])))
        depth = float(chance.uniform(0.02, 0.10))
        return cast("Light", (base * (1 + depth * grain[..., np.newaxis])).astype(np.float32))

    def _laid(self, number: int) -> "Image":
        chance = np.random.default_rng((self._seed, number))
        image = np.clip(self._blank, 0, 255).astype(np.uint8)
        _things(image, np.random.default_rng(self._seed))
        sheet = _sheet(chance)
        for _ in range(1 + (self._seed % 3 == 0)):
            height = float(chance.uniform(0.75, 1.15) * DESK_PX[1])
            wide = height * sheet.shape[1] / sheet.shape[0]
            middle = np.array(DESK_PX) * chance.uniform((0.4, 0.45), (0.6, 0.55))
            corners = np.array([(-wide, -height), (wide, -height), (wide, height), (-wide, height)]) / 2
            turn = np.radians(chance.uniform(-12, 12))
            turned = corners @ np.array([(np.cos(turn), np.sin(turn)), (-np.sin(turn), np.cos(turn))])
            _paste(image, sheet, turned * chance.uniform(0.94, 1.06, (4, 2)) + middle)
        return image

    def _hand(self, image: "Image", time_s: float) -> None:
        if time_s % 17 > 11:
            return
        x = DESK_PX[0] * (0.55 + 0.18 * np.sin(time_s * 0.9) + 0.02 * np.sin(time_s * 13))
        y = DESK_PX[1] * (0.55 + 0.1 * np.sin(time_s * 0.53))
        _arm(image, (x, y), (x + 0.2 * DESK_PX[0], DESK_PX[1] + 60.0), 120, self._skin)


class DrawnRoom:
    """A room from the front, with somebody in it.

    Args:
        seed: another room for each.
    """

    def __init__(self, seed: int) -> None:
        chance = np.random.default_rng(seed)
        width, height = ROOM_PX
        self._skin = _SKINS[(seed + 1) % len(_SKINS)]
        self._light = _lighting(ROOM_PX, chance, seed)
        wall = chance.uniform(70, 215) * chance.uniform(0.85, 1.0, 3)
        texture = clouds((height, width), seed)[..., np.newaxis] * float(chance.uniform(0.01, 0.05))
        image = np.clip(wall * (1 + texture), 0, 255).astype(np.uint8)
        for number in range(int(chance.integers(3, 7))):
            left, top = (chance.uniform(0, 0.85, 2) * ROOM_PX).astype(int)
            wide, high = (chance.uniform(0.1, 0.35, 2) * ROOM_PX).astype(int)
            part = image[top : top + high, left : left + wide]
            paint = chance.uniform(20, 230, 3) * (
                1 + 0.25 * clouds((max(8, part.shape[0]), max(8, part.shape[1])), seed + number)[..., np.newaxis]
            )
            part[:] = np.clip(paint[: part.shape[0], : part.shape[1]], 0, 240).astype(np.uint8)
            cv2.rectangle(image, (left, top), (left + wide, top + high), (60, 60, 60), int(chance.integers(1, 4)))
        if seed % 2:
            cv2.rectangle(image, (20, 20), (170, 160), (255, 253, 250), -1)
            cv2.line(image, (95, 20), (95, 160), (90, 90, 90), 6)
        self._blank = image
        shirt = chance.uniform(20, 220, 3)
        cloth = shirt * (1 + 0.12 * clouds((height, width), seed + 99, slope=0.8)[..., np.newaxis])
        self._shirt = np.clip(cloth, 0, 255).astype(np.uint8)
        self._shirt_colour: Colour = (float(shirt[0]), float(shirt[1]), float(shirt[2]))
        self._phase = float(chance.uniform(0, 60))

    def draw(self, time_s: float) -> "Image":
        """The room at a time."""
        width, height = ROOM_PX
        t = time_s + self._phase
        image = self._blank.copy()
        sway = 14 * np.sin(t * 0.4) + 4 * np.sin(t * 1.7)
        neck = np.array([0.5 * width + sway, 0.42 * height + 2 * np.sin(t * 1.1)])
        body = neck + np.array([(-45, 0), (45, 0), (120, 75), (135, 300), (-135, 300), (-120, 75)])
        mask = np.zeros((height, width), np.uint8)
        cv2.fillPoly(mask, [np.round(body).astype(np.int32)], 255, cv2.LINE_AA)
        cv2.copyTo(self._shirt, mask, image)
        head = np.round(neck + np.array([0.4 * sway, -62])).astype(int).tolist()
        cv2.ellipse(image, head, (52, 70), 0, 0, 360, self._skin, -1, cv2.LINE_AA)
        cv2.ellipse(image, (head[0], head[1] - 22), (56, 56), 0, 175, 365, (30, 35, 45), -1, cv2.LINE_AA)
        for side in (-1, 1):
            hand = neck + np.array([side * (70 + 60 * np.sin(t * 2.1 + side)), 120 + 70 * np.sin(t * 1.6 + 2 * side)])
            _arm(image, (hand[0], hand[1]), (neck[0] + side * 120, neck[1] + 150), 34, self._skin)
        return _lit(image, self._light)


def _lighting(size: tuple[int, int], chance: np.random.Generator, seed: int) -> Light:
    """How bright the light falls, `(height, width, 1)`: lamps and windows from a side, never quite even."""
    width, height = size
    across, down = np.meshgrid(np.linspace(-1, 1, width), np.linspace(-1, 1, height))
    slope = chance.uniform(-0.25, 0.25, 2)
    even = 1 + slope[0] * across + slope[1] * down - float(chance.uniform(0, 0.12)) * (across**2 + down**2)
    soft = 1 + 0.04 * clouds((height, width), seed + 7, slope=2.0)
    exposed = float(chance.uniform(0.6, 1.05))
    return cast("Light", (exposed * even * soft)[..., np.newaxis].astype(np.float32))


def _lit(image: "Image", light: Light) -> "Image":
    return cast("Image", np.clip(image * light, 0, 255).astype(np.uint8))


def _sheet(chance: np.random.Generator) -> "Image":
    """A printed sheet: lines of strokes in the size of letters, many or a few, and sometimes a picture."""
    height, width = 1000, 720
    paper = chance.uniform(190, 245) * np.array([chance.uniform(0.85, 1.0), 0.98, 1.0])
    sheet = np.full((height, width, 3), paper, np.float32)
    letter = int(chance.integers(10, 26))
    ink = tuple(float(chance.uniform(20, 110)) for _ in range(3))
    step, fill = int(letter * chance.uniform(1.6, 3.2)), float(chance.uniform(0.3, 0.9))
    for y in range(int(chance.integers(60, 140)), height - 80, step):
        for x in range(60, 60 + int((width - 120) * chance.uniform(0.4, 1.0)), letter):
            if chance.random() < fill:
                ends = chance.integers(0, letter, 4)
                start, end = (x + int(ends[0]), y + int(ends[1])), (x + int(ends[2]), y + int(ends[3]))
                cv2.line(sheet, start, end, ink, max(1, letter // 6), cv2.LINE_AA)
    if chance.random() < 0.4:
        top, left = int(chance.integers(100, 600)), int(chance.integers(60, 300))
        picture = chance.uniform(40, 220, 3) * (1 + 0.4 * clouds((260, 320), int(chance.integers(1 << 30)))[..., None])
        sheet[top : top + 260, left : left + 320] = np.clip(picture, 0, 245)
    return cast("Image", np.clip(sheet, 0, 255).astype(np.uint8))


def _things(image: "Image", chance: np.random.Generator) -> None:
    """A pencil, a rubber, a cup."""
    width, height = DESK_PX
    for _ in range(int(chance.integers(1, 5))):
        x, y = (chance.uniform(0.03, 0.97, 2) * DESK_PX).astype(int).tolist()
        colour = tuple(float(one) for one in chance.uniform(20, 230, 3))
        match int(chance.integers(3)):
            case 0:
                end = x + int(chance.integers(-220, 220)), y + int(chance.integers(-160, 160))
                cv2.line(image, (x, y), end, colour, 14, cv2.LINE_AA)
                cv2.line(image, (x, y), end, (40, 40, 40), 3, cv2.LINE_AA)
            case 1:
                cv2.rectangle(image, (x, y), (min(width, x + 90), min(height, y + 45)), colour, -1)
            case _:
                cv2.circle(image, (x, y), 70, colour, -1, cv2.LINE_AA)
                cv2.circle(image, (x, y), 58, (50, 60, 70), 8, cv2.LINE_AA)


def _arm(image: "Image", hand: tuple[float, float], elbow: tuple[float, float], wide_px: int, skin: Colour) -> None:
    start, end = (tuple(round(float(x)) for x in one) for one in (hand, elbow))
    shade = tuple(0.75 * one for one in skin)
    cv2.line(image, start, end, shade, wide_px, cv2.LINE_AA)
    cv2.line(image, start, end, skin, max(2, wide_px - 8), cv2.LINE_AA)
    for finger in (-0.5, 0.0, 0.5):
        tip = round(start[0] - wide_px * 0.7), round(start[1] - wide_px * (0.5 - finger))
        cv2.line(image, start, tip, skin, max(2, wide_px // 4), cv2.LINE_AA)


def _paste(image: "Image", sheet: "Image", corners: Points) -> None:
    height, width = sheet.shape[:2]
    source = np.array([(0, 0), (width, 0), (width, height), (0, height)], np.float32)
    matrix = cv2.getPerspectiveTransform(source, corners.astype(np.float32))
    laid = cv2.warpPerspective(sheet, matrix, DESK_PX, flags=cv2.INTER_AREA)
    mask = cv2.warpPerspective(np.full((height, width), 255, np.uint8), matrix, DESK_PX)
    cv2.copyTo(laid, mask, image)
