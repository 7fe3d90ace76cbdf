"""From what a picture measures to what is wrong with its camera. Pure; the numbers are those of thresholds.py."""

from enum import StrEnum
from typing import TypeAlias

from device.vision.pose import Pose, distance
from device.vision.reference import Reference
from device.vision.statistics import Statistics, likeness
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
    now: Statistics,
    role: str,
    reference: Reference | None = None,
    pose: Pose | None = None,
    before: Statistics | None = None,
) -> dict[Condition, Evidence]:
    """What is wrong in this picture.

    A condition that hides another is named alone: through a cover nothing can be said of the focus.

    Args:
        now: the picture.
        role: `overhead` or `front`.
        reference: the camera when it was well, if that is known.
        pose: how the scene lies against the reference, where that can be told.
        before: the last picture in which nothing was wrong, seconds or minutes ago, if there was one.
    """
    if (covered := _covered(now, reference, before)) is not None:
        return {Condition.COVERED: covered}
    found: dict[Condition, Evidence] = {}
    if now.still_s >= TABLE.frozen_s and 1 - now.black - now.white >= TABLE.frozen_visible:
        found[Condition.FROZEN] = {"still_s": now.still_s, "limit_s": TABLE.frozen_s}
    # A sheet of A5 is a seventh of a desk, and all that has to be lit; a face and what is said by hand take more.
    lit = now.p90 if role == "overhead" else now.p80
    if lit < TABLE.dark:
        found[Condition.DARK] = {"lit": lit, "limit": TABLE.dark, "mean": now.mean}
    elif (overexposed := _overexposed(now, role, before)) is not None:
        found[Condition.OVEREXPOSED] = overexposed
    else:
        found |= _in_good_light(now, role, reference, pose, before)
    return found


def _covered(now: Statistics, reference: Reference | None, before: Statistics | None) -> Evidence | None:
    """Few tiles show anything, or all is soft as a weave on the lens is; and nothing of the scene is left."""
    if before is None:
        is_covered = now.structured < TABLE.covered and not _is_laid_out_as(now, reference)
        return {"structured": now.structured, "limit": TABLE.covered, "mean": now.mean} if is_covered else None
    limit = TABLE.covered_in_the_dark if now.p80 < TABLE.dark else TABLE.covered
    is_soft = _is_rich(now) and now.sharpness < TABLE.sharpness
    if now.structured >= limit and not is_soft:
        return None
    left = likeness(now.relief, before.relief)
    if left is None or left >= TABLE.likeness:
        return None
    return {
        "structured": now.structured,
        "limit": limit,
        "mean": now.mean,
        "likeness": left,
        "likeness_limit": TABLE.likeness,
        "sharpness": now.sharpness,
    }


def _overexposed(now: Statistics, role: str, before: Statistics | None) -> Evidence | None:
    """Too much is clipped; or some beside a lamp's image, its darks washed out; or more than a lamp's image fills."""
    is_washed_out = (
        before is not None
        and now.white - now.glare > TABLE.washed_out_white
        and now.p05 > max(TABLE.washed_out, before.p05 + TABLE.washed_out_by)
    )
    is_patch = role == "overhead" and now.glare > TABLE.glare_most
    if now.white > TABLE.overexposed or is_washed_out or is_patch:
        return {"white": now.white, "limit": TABLE.overexposed, "mean": now.mean, "p05": now.p05, "patch": now.glare}
    return None


def _in_good_light(
    now: Statistics, role: str, reference: Reference | None, pose: Pose | None, before: Statistics | None
) -> dict[Condition, Evidence]:
    found: dict[Condition, Evidence] = {}
    limit = sharpness_limit(reference)
    hazy = _haze(now, reference, before)
    if (_is_rich(now) and (now.sharpness < limit or hazy is not None)) or now.structured < TABLE.covered:
        found[Condition.BLURRED] = {"sharpness": now.sharpness, "limit": limit, "structured": now.structured}
        found[Condition.BLURRED] |= hazy or {}
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


def _is_rich(now: Statistics) -> bool:
    """Whether there is enough contrast to tell a soft picture from one that shows nothing."""
    return now.detail >= max(TABLE.detail, TABLE.detail_noise * now.noise)


def _haze(now: Statistics, reference: Reference | None, before: Statistics | None) -> Evidence | None:
    """How much of its finest contrast a scene has lost that is the same otherwise: grease leaves edges, but pale ones.

    Against the reference, which no slow fault changes, and against the last good picture, whose page still lies there.
    """
    usual = [] if reference is None or reference.relief is None else [(reference.relief, reference.fine)]
    if before is not None:
        usual.append((before.relief, before.fine))
    for relief, fine in usual:
        if fine is None or now.fine >= TABLE.hazy * fine:
            continue
        same = likeness(now.relief, relief)
        if same is not None and same >= TABLE.same_scene:
            return {"fine": now.fine, "fine_limit": TABLE.hazy * fine, "likeness": same}
    return None


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
