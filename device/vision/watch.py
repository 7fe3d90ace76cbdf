"""What a camera's worker remembers of its pictures: one odd picture raises nothing, and no fault becomes the usual."""

import logging
import math
from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from device.vision.pose import Corners, Landmarks, Pose, distance, landmarks, mat_pose, median, pose
from device.vision.reference import Lesson, Reference
from device.vision.statistics import Statistics, is_usable, measure
from device.vision.thresholds import TABLE
from device.vision.verdicts import Condition, Evidence, judge

if TYPE_CHECKING:
    from device.cameras.source import Image

_log = logging.getLogger(__name__)

_UNVOTED: Final = frozenset({Condition.FROZEN, Condition.MOVED, Condition.UNUSABLE})
"""These rest on several pictures already, or on no doubt."""


@dataclass(frozen=True, slots=True)
class Observation:
    """Something that is wrong with a camera now."""

    condition: Condition
    evidence: Evidence


class Watcher:
    """Looks at one camera's pictures, about once a second.

    A condition is true when most of the last three looks say so, and over when most of them do not.

    Args:
        role: `overhead` or `front`.
    """

    def __init__(self, role: str) -> None:
        self._role = role
        self._reference: Reference | None = None
        self._is_commissioned = False
        self._lesson = Lesson()
        self._last_ns: int | None = None
        self._previous: Statistics | None = None
        self._well: Statistics | None = None
        self._lately_well: deque[Statistics] = deque(maxlen=TABLE.votes)
        self._lately: Landmarks | None = None
        self._poses: deque[Pose | None] = deque(maxlen=TABLE.pose_votes)
        self._looks: deque[dict[Condition, Evidence]] = deque(maxlen=TABLE.votes)

    def look(self, grey: "Image", captured_ns: int, mat: Corners | None = None) -> tuple[Observation, ...]:
        """Look at a picture.

        Args:
            grey: `(height, width) uint8`, about 320 wide. Nobody may write to it afterwards.
            captured_ns: CLOCK_MONOTONIC; a picture that is not newer than the last one is not looked at again. One much
                older is by another clock, and begins anew; one with no number for a time is unusable.
            mat: where this picture shows the mat, where that is known well.

        Returns:
            What is true now.
        """
        if not math.isfinite(captured_ns):
            self._looks.append({Condition.UNUSABLE: {}})
            return self._true_now()
        gap_ns = None if self._last_ns is None else captured_ns - self._last_ns
        if gap_ns is not None and -TABLE.gap_s * 1e9 <= gap_ns <= 0:
            return self._true_now()
        if gap_ns is not None and abs(gap_ns) > TABLE.gap_s * 1e9:
            self.reset()
        if gap_ns is not None and gap_ns > TABLE.forget_s * 1e9:
            self._well = self._lately = None
            if not self._is_commissioned:
                self._reference = None
        self._last_ns = captured_ns
        self._looks.append(self._judge(grey, captured_ns, mat))
        return self._true_now()

    def reset(self) -> None:
        """The camera was closed: forget the last looks. The reference stays, for an hour without pictures."""
        self._previous = None
        self._poses.clear()
        self._looks.clear()
        self._lately_well.clear()
        self._lesson.forget()

    @property
    def reference(self) -> Reference | None:
        """The camera when it was well, as far as that is known."""
        return self._reference

    @property
    def newest(self) -> Statistics | None:
        """What the newest picture measures, if it could be measured."""
        return self._previous

    def refer(self, reference: Reference | None) -> None:
        """Judge by this reference from now on, for good; by None, learn one as it comes, and trust it for a while."""
        self._reference, self._is_commissioned = reference, reference is not None
        self.forget_view()
        self._poses.clear()
        self._lesson.forget()

    def forget_view(self) -> None:
        """The camera is being turned: the last good picture says nothing of what is to be seen now."""
        self._well = self._lately = None
        self._lately_well.clear()

    @property
    def unsure(self) -> bool:
        """Whether the newest picture disagrees with what `look` returned, or the next may settle that it is frozen."""
        if not self._looks:
            return False
        is_true = {one.condition for one in self._true_now()}
        is_still = self._previous is not None and self._previous.still_s >= TABLE.frozen_soon_s
        is_told = bool(is_true & {Condition.FROZEN, Condition.COVERED})
        return set(self._looks[-1]) != is_true or (is_still and not is_told)

    def _judge(self, grey: "Image", captured_ns: int, mat: Corners | None) -> dict[Condition, Evidence]:
        if not is_usable(grey):
            self._previous = None
            self._lately_well.clear()
            self._lesson.forget()
            return {Condition.UNUSABLE: {}}
        grey = np.ascontiguousarray(grey)
        self._previous = measure(grey, captured_ns, self._previous)
        marks = landmarks(grey) if self._role == "overhead" else None
        # A page may be changed under a lens that is out of focus; that makes no cover of it.
        before = None if self._is_told(Condition.BLURRED) else self._well
        found = judge(self._previous, self._role, self._reference, self._pose(marks, mat), before)
        self._remember(self._previous, is_well=not found)
        self._learn(self._previous, marks, mat, is_well=not found)
        return found

    def _pose(self, marks: Landmarks | None, mat: Corners | None) -> Pose | None:
        """The middle pose of the last looks, when most of them tell one: neither a hand nor a sway is a move."""
        usual = self._reference
        if marks is None or usual is None:
            return None
        self._poses.append(self._pose_now(usual, marks, mat))
        known = [one for one in self._poses if one is not None]
        return median(known) if 2 * len(known) > TABLE.pose_votes else None

    def _pose_now(self, usual: Reference, marks: Landmarks, mat: Corners | None) -> Pose | None:
        """The newest picture's, by the mat where it is seen: sheets come and go, the mat stays."""
        if usual.mat is not None and mat is not None:
            return mat_pose(usual.mat, mat)
        now = None if usual.landmarks is None else pose(usual.landmarks, marks)
        if now is None and self._lately is not None:
            # Another page may lie there than when the camera was learned.
            now = pose(self._lately, marks)
        elif now is not None and distance(now) < TABLE.lately:
            self._lately = marks
        return now

    def _remember(self, now: Statistics, *, is_well: bool) -> None:
        """Keep the last good picture; some looks old, as a fault may take as many until it is seen."""
        if not is_well:
            self._lately_well.clear()
            return
        self._lately_well.append(now)
        if len(self._lately_well) == TABLE.votes:
            self._well = self._lately_well[0]

    def _learn(self, now: Statistics, marks: Landmarks | None, mat: Corners | None, *, is_well: bool) -> None:
        if self._reference is not None:
            return
        if not is_well:
            self._lesson.forget()
            return
        self._reference = self._lesson.add(now, marks, mat)
        if self._reference is not None:
            _log.info("the %s camera was learned; its sharpness is %.2f", self._role, self._reference.sharpness)

    def _is_told(self, condition: Condition) -> bool:
        return any(one.condition is condition for one in self._true_now())

    def _true_now(self) -> tuple[Observation, ...]:
        return tuple(
            Observation(condition, saying[-1])
            for condition in Condition
            if (saying := [look[condition] for look in self._looks if condition in look])
            and (condition in self._looks[-1] if condition in _UNVOTED else 2 * len(saying) > TABLE.votes)
        )
