"""What a camera's worker remembers of its pictures: one odd picture raises nothing, and no fault becomes the usual."""

import logging
from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from device.vision.pose import Corners, Landmarks, Pose, landmarks, mat_pose, median, pose
from device.vision.reference import Lesson, Reference
from device.vision.statistics import Statistics, is_usable, measure
from device.vision.thresholds import TABLE
from device.vision.verdicts import Condition, Evidence, judge

if TYPE_CHECKING:
    from device.cameras.source import Image

_log = logging.getLogger(__name__)

_UNVOTED: Final = frozenset({Condition.FROZEN, Condition.MOVED})
"""These rest on several pictures already."""


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
        self._poses: deque[Pose | None] = deque(maxlen=TABLE.pose_votes)
        self._looks: deque[dict[Condition, Evidence]] = deque(maxlen=TABLE.votes)

    def look(self, grey: "Image", captured_ns: int, mat: Corners | None = None) -> tuple[Observation, ...]:
        """Look at a picture.

        Args:
            grey: `(height, width) uint8`, about 320 wide. Nobody may write to it afterwards.
            captured_ns: CLOCK_MONOTONIC; a picture that is not newer than the last one is not looked at again.
            mat: where this picture shows the mat, where that is known well.

        Returns:
            What is true now.
        """
        gap_ns = None if self._last_ns is None else captured_ns - self._last_ns
        if gap_ns is not None and gap_ns <= 0:
            return self._true_now()
        if gap_ns is not None and gap_ns > TABLE.gap_s * 1e9:
            self.reset()
        if gap_ns is not None and gap_ns > TABLE.forget_s * 1e9 and not self._is_commissioned:
            self._reference = None
        self._last_ns = captured_ns
        self._looks.append(self._judge(grey, captured_ns, mat))
        return self._true_now()

    def reset(self) -> None:
        """The camera was closed: forget the last looks. The reference stays, for an hour without pictures."""
        self._previous = None
        self._poses.clear()
        self._looks.clear()
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
        self._poses.clear()
        self._lesson.forget()

    @property
    def unsure(self) -> bool:
        """Whether the newest picture disagrees with what `look` returned: the next look settles it."""
        return bool(self._looks) and set(self._looks[-1]) != {one.condition for one in self._true_now()}

    def _judge(self, grey: "Image", captured_ns: int, mat: Corners | None) -> dict[Condition, Evidence]:
        if not is_usable(grey):
            self._previous = None
            self._lesson.forget()
            return {Condition.UNUSABLE: {}}
        self._previous = measure(grey, captured_ns, self._previous)
        marks = landmarks(grey) if self._role == "overhead" else None
        found = judge(self._previous, self._role, self._reference, self._pose(marks, mat))
        self._learn(self._previous, marks, mat, is_well=not found)
        return found

    def _pose(self, marks: Landmarks | None, mat: Corners | None) -> Pose | None:
        """The middle pose of the last looks, when most of them tell one: neither a hand nor a sway is a move."""
        usual = self._reference
        if marks is None or usual is None:
            return None
        if usual.mat is not None and mat is not None:
            self._poses.append(mat_pose(usual.mat, mat))
        else:
            self._poses.append(None if usual.landmarks is None else pose(usual.landmarks, marks))
        known = [one for one in self._poses if one is not None]
        return median(known) if 2 * len(known) > TABLE.pose_votes else None

    def _learn(self, now: Statistics, marks: Landmarks | None, mat: Corners | None, *, is_well: bool) -> None:
        if self._reference is not None:
            return
        if not is_well:
            self._lesson.forget()
            return
        self._reference = self._lesson.add(now, marks, mat)
        if self._reference is not None:
            _log.info("the %s camera was learned; its sharpness is %.2f", self._role, self._reference.sharpness)

    def _true_now(self) -> tuple[Observation, ...]:
        return tuple(
            Observation(condition, saying[-1])
            for condition in Condition
            if (saying := [look[condition] for look in self._looks if condition in look])
            and (condition in self._looks[-1] if condition in _UNVOTED else 2 * len(saying) > TABLE.votes)
        )
