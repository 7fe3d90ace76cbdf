"""From what a picture measures to what is wrong with its camera. Pure; the numbers are those of thresholds.py."""

from enum import StrEnum
from typing import TypeAlias

from device.vision.pose import Pose, distance
from device.vision.reference import Reference
from device.vision.statistics import Statistics
from device.vision.thresholds import TABLE

Evidence: TypeAlias = dict[str, float]
"""What was measured and the limit it was held against."""


class Condition(StrEnum):
    """What a picture can show to be wrong; the signal is `camera.` and this, but for `unusable`."""

    COVERED = "covered"
    DARK = "dark"
    OVEREXPOSED = "overexposed"
    BLURRED = "blurred"
    FROZEN = "frozen"
    GLARE = "glare"
    MOVED = "moved"
    UNUSABLE = "unusable"
    """Empty, tiny, or no picture at all: as good as a camera that gives no frames."""


def judge(
    now: Statistics, role: str, reference: Reference | None = None, pose: Pose | None = None
) -> dict[Condition, Evidence]:
    """What is wrong in this picture.

    A condition that hides another is named alone: through a cover nothing can be said of the focus.

    Args:
        now: the picture.
        role: `overhead` or `front`.
        reference: the camera when it was well, if that is known.
        pose: how the scene lies against the reference, where that can be told.
    """
    if now.structured < TABLE.covered and not _is_laid_out_as(now, reference):
        return {Condition.COVERED: {"structured": now.structured, "limit": TABLE.covered, "mean": now.mean}}
    found: dict[Condition, Evidence] = {}
    if now.still_s >= TABLE.frozen_s and 1 - now.black - now.white >= TABLE.frozen_visible:
        found[Condition.FROZEN] = {"still_s": now.still_s, "limit_s": TABLE.frozen_s}
    if now.p80 < TABLE.dark:
        found[Condition.DARK] = {"p80": now.p80, "limit": TABLE.dark, "mean": now.mean}
    elif now.white > TABLE.overexposed:
        found[Condition.OVEREXPOSED] = {"white": now.white, "limit": TABLE.overexposed, "mean": now.mean}
    else:
        found |= _in_good_light(now, role, reference, pose)
    return found


def _in_good_light(
    now: Statistics, role: str, reference: Reference | None, pose: Pose | None
) -> dict[Condition, Evidence]:
    found: dict[Condition, Evidence] = {}
    limit = sharpness_limit(reference)
    is_rich = now.detail >= max(TABLE.detail, TABLE.detail_noise * now.noise)
    if (is_rich and now.sharpness < limit) or now.structured < TABLE.covered:
        found[Condition.BLURRED] = {"sharpness": now.sharpness, "limit": limit, "structured": now.structured}
    if role == "overhead" and now.glare > TABLE.glare:
        found[Condition.GLARE] = {"glare": now.glare, "limit": TABLE.glare}
    if role == "overhead" and pose is not None and distance(pose) > 1:
        found[Condition.MOVED] = {
            "right": pose.right,
            "down": pose.down,
            "shift_limit": TABLE.shift,
            "turn_deg": pose.turn_deg,
            "turn_limit_deg": TABLE.turn_deg,
        }
    return found


def _is_laid_out_as(now: Statistics, reference: Reference | None) -> bool:
    """Whether light and dark lie as they did, though no detail is left: too dark or too soft, but no cover."""
    if reference is None or reference.tiles is None:
        return False
    tiles, usual = now.tiles - now.tiles.mean(), reference.tiles - reference.tiles.mean()
    dimming = float(now.tiles.mean() / max(1.0, reference.tiles.mean()))
    if tiles.std() < max(TABLE.layout_floor, TABLE.layout_contrast * dimming * usual.std()):
        return False
    return bool((tiles * usual).mean() > TABLE.layout * tiles.std() * usual.std())


def sharpness_limit(reference: Reference | None) -> float:
    """Under which sharpness a picture counts as blurred: an absolute one, and a higher one for a sharp camera."""
    if reference is None:
        return TABLE.sharpness
    return max(TABLE.sharpness, min(TABLE.blurred_limit, TABLE.blurred * reference.sharpness))
