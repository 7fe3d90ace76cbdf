"""Whether the two cameras hold each other's roles, looked at once a second by where each of them sees the mat."""

from collections.abc import Mapping

from device.session.clock import NS_PER_S, Instant
from device.vision.roles import Roles, RolesHeld, roles


class RoleWatch:
    """Remembers what the last looks said."""

    def __init__(self) -> None:
        self._held = RolesHeld()
        self._looked_ns = 0

    def swapped(self, mats: Mapping[str, Mapping[str, float] | None], now: Instant) -> bool:
        """Whether the front camera looks down on the mat and the overhead one does not see it.

        Args:
            mats: by role, what the camera's newest look found of the mat; None where nobody looked.
            now: the kiosk's time.
        """
        if now.mono_ns - self._looked_ns >= NS_PER_S:
            self._looked_ns = now.mono_ns
            self._held = roles(mats.get("overhead"), mats.get("front"), self._held)
        return self._held.roles is Roles.SWAPPED
