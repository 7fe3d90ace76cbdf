"""What somebody who sets up the cameras should do next: pure, from what both cameras tell of their aim.

Left and right are the picture's, as it stands on the screen beside the advice. One piece of advice at a time is enough:
whoever turns a camera cannot follow two.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from device.cameras.ladder import CameraState
from device.snapshot import CameraView
from wire.stills import sharp_enough

SHARP_MM: Final = 0.8
"""Up to this width an edge is in focus: an m of 4 mm has three stems 1.3 mm apart, each a stroke of 0.5 mm."""
SHARP_PX: Final = 2.0
"""Pixels that an edge takes behind a sensor's colour filter, with any lens: too few pixels are no bad focus."""
NEAR_PEAK: Final = 1.15
"""An edge this much wider than the narrowest that was seen while the lens was turned is not in focus yet."""
MARGIN: Final = 0.01
"""Share of the picture that has to be left around the mat."""
CENTRED: Final = 0.08
"""Share of the picture by which the mat's middle may be off its own: half of the margin round a mat that fills it."""
TURN_DEG: Final = 8.0
UPSIDE_DOWN_DEG: Final = 135.0
TILT: Final = 0.2
"""By which share one way may look shorter than the other: 37 degrees from straight above."""
FILLS: Final = 0.7
"""Share of the picture's width or height from which a mat is near enough: sheets hang over it, hands lie beside it."""
_CORNERS: Final = ("upper-left", "upper-right", "lower-right", "lower-left")
"""Of the mat, clockwise, by its markers' numbers in the kit."""
_LIGHT: Final = ("covered", "frozen", "dark", "overexposed", "glare")
"""What the picture checks find that spoils any aim; pose and focus are what is being changed."""


class Advice(StrEnum):
    """What to do next."""

    NO_CAMERA = "no-camera"
    LOOKING = "looking"
    """Nothing was measured yet."""
    SWAPPED = "swapped"
    COVERED = "covered"
    FROZEN = "frozen"
    DARK = "dark"
    OVEREXPOSED = "overexposed"
    GLARE = "glare"
    NO_MAT = "no-mat"
    CORNER_HIDDEN = "corner-hidden"
    HIGHER = "higher"
    CLOSER = "closer"
    LEFT = "left"
    RIGHT = "right"
    UP = "up"
    DOWN = "down"
    UPSIDE_DOWN = "upside-down"
    CLOCKWISE = "clockwise"
    ANTICLOCKWISE = "anticlockwise"
    STRAIGHT = "straight"
    FOCUS = "focus"


@dataclass(frozen=True, slots=True)
class Seen:
    """What one camera's newest look tells of its aim."""

    state: str
    conditions: tuple[str, ...] = ()
    aim: Mapping[str, float] | None = None
    corners: tuple[tuple[float, float], ...] | None = None
    """The mat's, clockwise from its own upper left, in shares of the picture's width and height."""
    px_per_mm: float | None = None
    """Of the camera's own picture."""

    @classmethod
    def of(cls, view: CameraView) -> "Seen":
        """What a camera's view tells."""
        corners = None if view.corners is None else tuple((x, y) for x, y in view.corners)
        found = tuple(str(one["condition"]) for one in view.seen or ())
        return cls(view.state, found, view.aim, corners, None if view.mat is None else view.mat.get("px_per_mm"))

    @property
    def sharpness(self) -> float | None:
        """Fine detail over coarse, of the whole picture."""
        return None if self.aim is None else self.aim.get("sharpness")

    @property
    def edge_mm(self) -> float | None:
        """How wide a printed edge looks."""
        return None if self.aim is None else self.aim.get("edge_mm")


class Stage(StrEnum):
    """How far it is."""

    CLOSED = "closed"
    AIMING = "aiming"
    LEARNING = "learning"
    READY = "ready"
    """Everything is good and learned: one press keeps it."""
    DONE = "done"
    EXCHANGING = "exchanging"
    """The two cameras change their roles."""


UNSEEN: Final = Seen("unknown")


@dataclass(frozen=True, slots=True)
class Progress:
    """What there is to show."""

    stage: Stage
    advice: Advice | None = None
    role: str | None = None
    """The camera that the advice is about."""
    hidden: tuple[str, ...] = ()
    """The mat's corners that are not seen."""
    overhead: Seen = UNSEEN
    narrowest_mm: float | None = None
    """The narrowest edge that was seen since somebody began."""
    sharpest: float | None = None
    """The same by the whole picture, for a desk on which no marker is seen."""


def advice_for_front(seen: Seen) -> Advice | None:
    """What is to be done about the front camera; None when it is well."""
    return _trouble(seen)


def advice_for_overhead(seen: Seen, narrowest_mm: float | None, *, swapped: bool = False) -> Advice | None:
    """What is to be done about the overhead camera; None when the mat lies well in its picture, and sharp.

    Args:
        seen: its newest look.
        narrowest_mm: the narrowest edge that was seen since somebody began.
        swapped: whether the other camera looks down on the mat.
    """
    if swapped:
        return Advice.SWAPPED
    if (trouble := _trouble(seen)) is not None:
        return trouble
    return _framing(seen) or _focus(seen, narrowest_mm)


def hidden_corners(seen: Seen) -> tuple[str, ...]:
    """Which of the mat's corners are not seen, by their place on the mat."""
    aim = seen.aim or {}
    return tuple(name for number, name in enumerate(_CORNERS) if f"marker_{number}" not in aim)


def reads_handwriting(px_per_mm: float | None) -> bool | None:
    """Whether a letter can be judged at this scale; None where the scale is not known."""
    return None if px_per_mm is None else sharp_enough(px_per_mm)


def is_sharp(edge_mm: float, px_per_mm: float | None) -> bool:
    """Whether the lens is in focus when an edge looks that wide; what the pixels allow is another matter."""
    return edge_mm <= max(SHARP_MM, SHARP_PX / px_per_mm if px_per_mm else 0.0)


def _trouble(seen: Seen) -> Advice | None:
    if seen.state != CameraState.OPEN:
        return Advice.LOOKING if seen.state in {CameraState.OPENING, CameraState.CLOSED} else Advice.NO_CAMERA
    if seen.aim is None:
        return Advice.LOOKING
    return next((Advice(one) for one in _LIGHT if one in seen.conditions), None)


def _framing(seen: Seen) -> Advice | None:
    assert seen.aim is not None
    markers, corners = seen.aim.get("markers", 0), seen.corners
    if markers == 0 or corners is None:
        # So far out of focus that no marker is seen either.
        return Advice.FOCUS if "blurred" in seen.conditions else Advice.NO_MAT
    left, right = min(x for x, _ in corners), max(x for x, _ in corners)
    up, down = min(y for _, y in corners), max(y for _, y in corners)
    if (out := _out_of_picture(left, right, up, down)) is not None:
        return out
    if markers < len(_CORNERS):
        return Advice.CORNER_HIDDEN
    return _turning(seen.aim) or _placing(
        (left + right) / 2 - 0.5, (up + down) / 2 - 0.5, seen, (right - left, down - up)
    )


def _turning(aim: Mapping[str, float]) -> Advice | None:
    turn_deg = aim.get("turn_deg", 0.0)
    if abs(turn_deg) > UPSIDE_DOWN_DEG:
        return Advice.UPSIDE_DOWN
    if abs(turn_deg) > TURN_DEG:
        # What lies turned clockwise is straight for a camera that is turned clockwise.
        return Advice.CLOCKWISE if turn_deg > 0 else Advice.ANTICLOCKWISE
    return Advice.STRAIGHT if aim.get("tilt", 0.0) > TILT else None


def _placing(across: float, along: float, seen: Seen, spans: tuple[float, float]) -> Advice | None:
    if max(abs(across), abs(along)) > CENTRED:
        return _towards(across, along)
    if reads_handwriting(seen.px_per_mm) is False and max(spans) < FILLS:
        return Advice.CLOSER
    return None


def _out_of_picture(left: float, right: float, up: float, down: float) -> Advice | None:
    """What to do when the mat reaches over the picture's rim."""
    over_left, over_right = MARGIN - left, right - (1 - MARGIN)
    over_up, over_down = MARGIN - up, down - (1 - MARGIN)
    if max(over_left, over_right, over_up, over_down) <= 0:
        return None
    if min(over_left, over_right) > 0 or min(over_up, over_down) > 0 or right - left > 1 or down - up > 1:
        return Advice.HIGHER
    return _towards(max(0.0, over_right) - max(0.0, over_left), max(0.0, over_down) - max(0.0, over_up))


def _towards(across: float, along: float) -> Advice:
    """The camera turns to where the mat is."""
    if abs(across) >= abs(along):
        return Advice.RIGHT if across > 0 else Advice.LEFT
    return Advice.DOWN if along > 0 else Advice.UP


def _focus(seen: Seen, narrowest_mm: float | None) -> Advice | None:
    edge_mm = seen.edge_mm
    if edge_mm is None:
        return Advice.LOOKING
    is_peak = narrowest_mm is None or edge_mm <= NEAR_PEAK * narrowest_mm
    return None if is_sharp(edge_mm, seen.px_per_mm) and is_peak else Advice.FOCUS
