"""What the synthetic scenes are drawn with: outlines, layers that are painted once, and sprites pasted in each frame.

Scenes are thought out on a stage of 1280 x 720 units and drawn at any size; all points below are `(n, 2) float` in
units, x to the right and y down.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, TypeAlias, cast

import cv2
import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from collections.abc import Sequence

    from device.cameras.source import Image

Points: TypeAlias = npt.NDArray[np.float64]
Colour: TypeAlias = str
"""`#rrggbb`."""

STAGE_W: Final = 1280.0
STAGE_H: Final = 720.0
_SUBPIXEL_BITS: Final = 4


@dataclass(frozen=True, slots=True)
class Stage:
    """How stage units become pixels: the whole stage is visible, and what lies beyond it fills other aspect ratios."""

    width: int
    height: int

    @property
    def scale(self) -> float:
        """Pixels per unit."""
        return min(self.width / STAGE_W, self.height / STAGE_H)

    @property
    def origin(self) -> tuple[float, float]:
        """Pixels from the picture's corner to the stage's corner."""
        return (self.width - STAGE_W * self.scale) / 2, (self.height - STAGE_H * self.scale) / 2

    def px(self, points: Points) -> Points:
        """Units to pixels."""
        return np.asarray(points * self.scale + np.array(self.origin))


class Layer:
    """A picture being painted: premultiplied colour and coverage, both 0 to 1.

    Args:
        stage: the size of the pictures it is for.
        box: the part of the stage it covers, in units `(left, top, right, bottom)`; all of the picture by default.
    """

    def __init__(self, stage: Stage, box: tuple[float, float, float, float] | None = None) -> None:
        self.stage = stage
        if box is None:
            self.left, self.top = 0, 0
            width, height = stage.width, stage.height
        else:
            (x0, y0), (x1, y1) = stage.px(np.array([box[:2], box[2:]]))
            self.left, self.top = int(np.floor(x0)), int(np.floor(y0))
            width, height = int(np.ceil(x1)) - self.left + 1, int(np.ceil(y1)) - self.top + 1
        self.bgr: npt.NDArray[np.float32] = np.zeros((height, width, 3), np.float32)
        self.cover: npt.NDArray[np.float32] = np.zeros((height, width, 1), np.float32)

    def fill(
        self, outline: Points, colour: Colour, *, opacity: float = 1.0, soft: float = 0.0, shade: float = 0.0
    ) -> None:
        """Fill an outline.

        Args:
            outline: its corners.
            colour: the paint.
            opacity: 0 to 1.
            soft: how far its edge is blurred, in units; for shadows and light.
            shade: how much darker the paint is at its lower right than at its upper left, 0 to 1.
        """
        blur = soft * self.stage.scale
        window = self._window(outline, 3 * blur + 2)
        if window is None:
            return
        rows, columns, points = window
        mask = np.zeros((rows.stop - rows.start, columns.stop - columns.start), np.uint8)
        cv2.fillPoly(mask, [points], 255, cv2.LINE_AA, _SUBPIXEL_BITS)
        cover = mask.astype(np.float32)[..., np.newaxis] * np.float32(opacity / 255)
        if blur > 0:
            cover = np.asarray(cv2.GaussianBlur(cover, (0, 0), blur), np.float32).reshape(cover.shape)
        paint = bgr_of(colour)
        if shade:
            slope = np.add.outer(np.linspace(0, 0.65, mask.shape[0]), np.linspace(0, 0.35, mask.shape[1]))
            paint = np.clip(paint * (1 + shade * (0.35 - slope))[..., np.newaxis], 0, 1).astype(np.float32)
        self._blend(rows, columns, paint, cover)

    def line(self, points: Points, colour: Colour, width: float, *, opacity: float = 1.0) -> None:
        """Draw an open line with a round pen `width` units wide."""
        wide = width * self.stage.scale
        window = self._window(points, wide + 2)
        if window is None:
            return
        rows, columns, pixels = window
        mask = np.zeros((rows.stop - rows.start, columns.stop - columns.start), np.uint8)
        cv2.polylines(mask, [pixels], False, 255, max(1, round(wide)), cv2.LINE_AA, _SUBPIXEL_BITS)  # noqa: FBT003 - cv2
        # A pen thinner than a pixel is drawn as a faint one.
        cover = mask.astype(np.float32)[..., np.newaxis] * (opacity * min(1.0, max(0.25, wide)) / 255)
        self._blend(rows, columns, bgr_of(colour), cover)

    def light(self, gain: npt.NDArray[np.float32]) -> None:
        """Multiply the picture by `(height, width) float`, as light falling on it."""
        self.bgr *= gain[..., np.newaxis]

    def image(self) -> "Image":
        """The painted picture, `(height, width, 3) uint8`."""
        return cast("Image", np.clip(self.bgr * 255 + 0.5, 0, 255).astype(np.uint8))

    def sprite(self) -> "Sprite":
        """The painted part, to be pasted over other pictures."""
        return Sprite(
            self.image(), np.round((1 - np.clip(self.cover, 0, 1)) * 255).astype(np.uint8), (self.left, self.top)
        )

    def _window(self, points: Points, margin_px: float) -> "tuple[slice, slice, npt.NDArray[np.int32]] | None":
        """The part of the layer that the points touch, and the points within it in OpenCV's sub-pixels."""
        pixels = self.stage.px(points) - (self.left, self.top)
        height, width = self.cover.shape[:2]
        x0, y0 = np.maximum(np.floor(pixels.min(axis=0) - margin_px).astype(int), 0)
        x1, y1 = np.minimum(np.ceil(pixels.max(axis=0) + margin_px).astype(int), (width, height))
        if x1 <= x0 or y1 <= y0:
            return None
        fixed = np.round((pixels - (x0, y0)) * (1 << _SUBPIXEL_BITS)).astype(np.int32)
        return slice(int(y0), int(y1)), slice(int(x0), int(x1)), fixed

    def _blend(
        self, rows: slice, columns: slice, paint: npt.NDArray[np.float32], cover: npt.NDArray[np.float32]
    ) -> None:
        part, coverage = self.bgr[rows, columns], self.cover[rows, columns]
        part += (paint - part) * cover if coverage.min() >= 1 else paint * cover - part * cover
        coverage += (1 - coverage) * cover


class Sprite:
    """A picture with see-through parts.

    Args:
        bgr: `(height, width, 3) uint8`, premultiplied by its coverage.
        clear: `(height, width, 1) uint8`, 255 where nothing is painted.
        place: pixels from the frame's corner to where it was painted.
    """

    def __init__(self, bgr: "Image", clear: npt.NDArray[np.uint8], place: tuple[int, int]) -> None:
        self._parts = bgr, cast("Image", np.repeat(clear, 3, axis=2))
        self._whole = np.dstack([bgr, clear])
        self._place = place

    def paste(
        self, frame: "Image", move: tuple[float, float] = (0, 0), turn: tuple[float, Points] | None = None
    ) -> None:
        """Draw it into `frame`, moved by whole or part pixels.

        Args:
            frame: `(height, width, 3) uint8`, changed in place.
            move: pixels to the right and down.
            turn: degrees anticlockwise, and the pivot in pixels of the frame.
        """
        whole_x, whole_y = int(np.floor(move[0])), int(np.floor(move[1]))
        bgr, clear = self._parts
        if turn is not None:
            bgr, clear = self._turned(turn, (move[0] - whole_x, move[1] - whole_y))
        x, y = self._place[0] + whole_x, self._place[1] + whole_y
        height, width = bgr.shape[:2]
        x0, y0 = max(x, 0), max(y, 0)
        x1, y1 = min(x + width, frame.shape[1]), min(y + height, frame.shape[0])
        if x1 <= x0 or y1 <= y0:
            return
        part = frame[y0:y1, x0:x1]
        inside = slice(y0 - y, y1 - y), slice(x0 - x, x1 - x)
        cv2.multiply(part, clear[inside], dst=part, scale=1 / 255)
        cv2.add(part, bgr[inside], dst=part)

    def _turned(self, turn: tuple[float, Points], move: tuple[float, float]) -> tuple["Image", "Image"]:
        degrees, pivot = turn
        centre = (float(pivot[0] - self._place[0]), float(pivot[1] - self._place[1]))
        matrix = cv2.getRotationMatrix2D(centre, degrees, 1.0)
        matrix[:, 2] += np.array(move)
        height, width = self._whole.shape[:2]
        # Four channels at once: two turns of three cost four times as much.
        whole = cv2.warpAffine(self._whole, matrix, (width, height), borderValue=(0, 0, 0, 255))
        clear = cv2.cvtColor(cv2.extractChannel(whole, 3), cv2.COLOR_GRAY2BGR)
        return cast("Image", cv2.cvtColor(whole, cv2.COLOR_BGRA2BGR)), cast("Image", clear)


def bgr_of(colour: Colour) -> npt.NDArray[np.float32]:
    """`#rrggbb` as blue, green and red, 0 to 1."""
    red, green, blue = bytes.fromhex(colour.removeprefix("#"))
    return np.array([blue / 255, green / 255, red / 255], np.float32)


def smooth(points: "Sequence[tuple[float, float]] | Points", *, closed: bool = True, steps: int = 12) -> Points:
    """A round curve through the points (Catmull-Rom)."""
    p = np.asarray(points, float)
    around = np.concatenate([p[-1:], p, p[:2]]) if closed else np.concatenate([p[:1], p, p[-1:]])
    t = np.linspace(0, 1, steps, endpoint=False)[:, np.newaxis]
    pieces = [
        0.5 * (2 * b + (c - a) * t + (2 * a - 5 * b + 4 * c - d) * t**2 + (3 * b - a - 3 * c + d) * t**3)
        for a, b, c, d in zip(around, around[1:], around[2:], around[3:], strict=False)
    ]
    return np.concatenate(pieces if closed else [*pieces, p[-1:]])


def oval(x: float, y: float, rx: float, ry: float, turn_deg: float = 0.0) -> Points:
    """An ellipse around `(x, y)`."""
    angle = np.linspace(0, 2 * np.pi, 48, endpoint=False)
    return turned(np.column_stack([x + rx * np.cos(angle), y + ry * np.sin(angle)]), turn_deg, (x, y))


def box(x0: float, y0: float, x1: float, y1: float, radius: float = 0.0) -> Points:
    """A rectangle, its corners rounded."""
    if radius <= 0:
        return np.array([(x0, y0), (x1, y0), (x1, y1), (x0, y1)])
    arc = np.linspace(0, np.pi / 2, 8)
    corners = []
    for quarter, (x, y) in enumerate(
        [(x1 - radius, y1 - radius), (x0 + radius, y1 - radius), (x0 + radius, y0 + radius), (x1 - radius, y0 + radius)]
    ):
        angle = arc + quarter * np.pi / 2
        corners.append(np.column_stack([x + radius * np.cos(angle), y + radius * np.sin(angle)]))
    return np.concatenate(corners)


def limb(start: tuple[float, float], end: tuple[float, float], r0: float, r1: float) -> Points:
    """A rounded bar from `start` to `end`, `r0` thick at one end and `r1` at the other: fingers, arms, pencils."""
    a, b = np.array(start), np.array(end)
    along = np.arctan2(*(b - a)[::-1])
    arc = np.linspace(-np.pi / 2, np.pi / 2, 12)
    tip = b + r1 * np.column_stack([np.cos(along + arc), np.sin(along + arc)])
    tail = a - r0 * np.column_stack([np.cos(along + arc), np.sin(along + arc)])
    return np.concatenate([tip, tail])


def shifted(points: Points, right: float, down: float) -> Points:
    """Points moved."""
    return np.asarray(points + np.array([right, down]))


def turned(points: Points, degrees: float, pivot: tuple[float, float]) -> Points:
    """Points turned clockwise, as seen, around a pivot."""
    angle = np.radians(degrees)
    matrix = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
    return np.asarray((points - pivot) @ matrix + np.array(pivot))
