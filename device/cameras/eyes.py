"""The picture checks of one camera: a small grey copy, once a second, and what is seen in it.

When a look disagrees with what was true before, the next ones come sooner: a covered lens is named within two seconds.
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from device.cameras.pixels import size, small_grey
from device.cameras.source import Frame, Native

if TYPE_CHECKING:
    from device.vision.mat import MatGeometry, MatPose, Place
    from device.vision.watch import Observation, Watcher

EVERY_NS: Final = 1_000_000_000
UNSURE_NS: Final = 350_000_000
WIDTH_PX: Final = 320
_AGAIN_NS: Final = 200_000_000
"""When to ask again for a frame that has not come."""


class Eyes:
    """Looks at the newest frame once a second; nothing leaves it but what it found.

    Args:
        role: `overhead` or `front`.
        mat: the kit's mat, as `KitMat.plain` has it; None where there is none to look for.
    """

    def __init__(self, role: str, mat: Mapping[str, Any] | None = None) -> None:
        self._role = role
        self._plain = mat
        self._watcher: Watcher | None = None
        self._geometry: MatGeometry | None = None
        self._pose: MatPose | None = None
        self._has_had_mat = False
        self._due_ns = 0
        self._shown_ns = 0
        self.seen: tuple[Observation, ...] | None = None
        """What is true now; None while the camera is closed or nothing was looked at yet."""
        self.mat: dict[str, float] | None = None
        """What is known of the mat: numbers only; None while nothing was looked at."""
        self.place: Place | None = None
        """Where the mat lies, in pictures of the small size."""

    @property
    def geometry(self) -> "MatGeometry | None":
        """The mat that is looked for."""
        if self._geometry is None and self._plain is not None:
            from device.vision.mat import MatGeometry  # noqa: PLC0415 - imported with the first look, as below

            of = self._plain
            corners = {int(number): np.array(points, np.float64) for number, points in of["markers"].items()}
            self._geometry = MatGeometry(of["width_mm"], of["height_mm"], corners)
        return self._geometry

    def due_in_s(self, now_ns: int) -> float:
        """Seconds until the next look; zero or less when it is due."""
        return (self._due_ns - now_ns) / 1e9

    def look(self, frame: Frame, now_ns: int, native: Native | None = None) -> None:
        """Look, if it is time and the frame is a new one; `native` is what the camera really gives."""
        if now_ns < self._due_ns:
            return
        if frame.captured_ns == self._shown_ns:
            self._due_ns = now_ns + _AGAIN_NS
            return
        if self._watcher is None:
            # Imported with the first look, so that the first picture after a restart does not wait for it.
            from device.vision.watch import Watcher  # noqa: PLC0415 - see above

            self._watcher = Watcher(self._role)
        self._shown_ns = frame.captured_ns
        grey = small_grey(frame, WIDTH_PX)
        self.seen = self._watcher.look(grey, frame.captured_ns)
        if (geometry := self.geometry) is not None:
            # An enlarged picture shows no more of a letter than the camera saw.
            real_px = min(size(frame)[0], native.width) if native is not None else size(frame)[0]
            self._look_for_mat(grey, frame.captured_ns, geometry, real_px / grey.shape[1])
        self._due_ns = now_ns + (UNSURE_NS if self._watcher.unsure else EVERY_NS)

    def close(self) -> None:
        """The camera is closed: what was seen is not true of it any more."""
        self.seen = self.mat = self.place = self._pose = None
        if self._watcher is not None:
            self._watcher.reset()

    def _look_for_mat(self, grey: Any, captured_ns: int, geometry: "MatGeometry", grown: float) -> None:
        from device.vision.mat import MatPose, find_mat  # noqa: PLC0415 - as above

        self._pose = self._pose or MatPose(geometry)
        now = find_mat(grey, geometry)
        held = self._pose.update(now, captured_ns)
        self.place = held.place
        found = now.summary()
        if held.place is not None:
            # In the camera's picture, not in the small copy that was looked at.
            found |= {"px_per_mm": round(held.place.px_per_mm * grown, 2), "age_s": round(held.age_s or 0.0, 1)}
        # A desk that never showed a mat is not missing one.
        self._has_had_mat = self._has_had_mat or (held.place is not None and held.place.is_sure)
        self.mat = found | {"missing_s": round(held.missing_s, 1), "expected": float(self._has_had_mat)}
