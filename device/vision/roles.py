"""Whether the two cameras hold each other's roles: the mat lies under the overhead camera, or under the other one.

Each camera is looked at in a process of its own, so what arrives here is `MatSeen.summary()` of each.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, TypeAlias

Summary: TypeAlias = Mapping[str, float]
"""`MatSeen.summary()`; None stands for a camera that was not looked at."""

_NEEDED: Final = 2
"""Markers that place the mat."""
_FROM_ABOVE: Final = 0.3
"""The tilt up to which a camera looks down on the mat, 45 degrees; one that sees the face sees the desk flatter."""
_LOOKS: Final = 5
"""Looks that told something, once a second: five seconds, for a signal that is to be seen within ten ..."""
_AGREE: Final = 4
"""... of which so many decide; one odd look decides nothing."""


class Roles(StrEnum):
    """How the two cameras are placed."""

    RIGHT = "right"
    SWAPPED = "swapped"
    UNKNOWN = "unknown"
    """The mat was not seen often enough by either."""


@dataclass(frozen=True, slots=True)
class RolesHeld:
    """What is known of the roles, and the looks it goes on."""

    roles: Roles = Roles.UNKNOWN
    looks: tuple[Roles, ...] = ()
    """The last ones that told something, oldest first."""


def roles(overhead: Summary | None, front: Summary | None, before: RolesHeld) -> RolesHeld:
    """Take one look of both cameras into account.

    What was told stays true until the mat is seen otherwise: cameras do not change places while arms hide the mat.

    Args:
        overhead: what the overhead camera's newest look found of the mat.
        front: what the front camera's found.
        before: what was known; a fresh `RolesHeld()` after either camera was opened again.
    """
    now = _look(overhead, front)
    if now is Roles.UNKNOWN:
        return before
    looks = (*before.looks, now)[-_LOOKS:]
    return RolesHeld(now if looks.count(now) >= _AGREE else before.roles, looks)


def _look(overhead: Summary | None, front: Summary | None) -> Roles:
    """What one look says by itself."""
    if _sees_mat(overhead):
        # Both may see it: the front camera sees the desk in its lower part.
        return Roles.RIGHT
    if overhead is not None and _sees_mat(front):
        return Roles.SWAPPED
    return Roles.UNKNOWN


def _sees_mat(seen: Summary | None) -> bool:
    """Whether the mat is seen, and from above."""
    return seen is not None and seen.get("markers", 0) >= _NEEDED and seen.get("tilt", 1.0) <= _FROM_ABOVE
