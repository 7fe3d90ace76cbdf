"""The port every camera comes through: a spec goes in, frames come out.

The agent's side of the process boundary imports this module too, so nothing here needs numpy or OpenCV at run time.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Protocol, TypeAlias

from device.cameras.errors import BadCameraSpec

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    Image: TypeAlias = npt.NDArray[np.uint8]
    """A picture, `(height, width, 3) uint8`, blue-green-red as OpenCV has it."""

ROLES: Final = ("overhead", "front")
_MAX_SIDE_PX: Final = 8192
_MAX_FPS: Final = 240.0


@dataclass(frozen=True, slots=True)
class CameraSpec:
    """Which camera, and the pictures wanted from it.

    Raises:
        BadCameraSpec: on a role, size or rate no camera can have. The URI is read only when the source is opened.
    """

    role: str
    """`overhead` (the desk) or `front` (the student)."""
    uri: str
    width: int
    """Pixels; what every frame has, whatever the source gives."""
    height: int
    fps: float
    """Frames per second."""

    def __post_init__(self) -> None:
        if self.role not in ROLES:
            raise BadCameraSpec(f"a camera's role is overhead or front, not {self.role!r}")
        if not (0 < self.width <= _MAX_SIDE_PX and 0 < self.height <= _MAX_SIDE_PX):
            raise BadCameraSpec(f"a picture of {self.width}x{self.height} pixels cannot be made")
        if not 0 < self.fps <= _MAX_FPS:
            raise BadCameraSpec(f"{self.fps} frames per second cannot be made")


@dataclass(frozen=True, slots=True, eq=False)
class Frame:
    """One picture and when it was taken."""

    image: "Image"
    """`(height, width, 3) uint8` BGR, of the spec's size. No source writes to it again, and nobody else may."""
    captured_ns: int
    """CLOCK_MONOTONIC, nanoseconds."""


class Source(Protocol):
    """An open camera. One thread uses it, and has to live with a driver that hangs: only its process can be killed."""

    def read(self, timeout_s: float) -> Frame:
        """Wait for the next frame, at most `timeout_s`.

        Raises:
            SourceStalled: no frame in time; asking again is fine.
            SourceFailed: the source broke and must be closed.
            SourceMissing: the device or file is gone.
        """
        ...

    def close(self) -> None:
        """Let go of the device; doing it twice is fine. A closed source gives no frames: `read` raises SourceFailed."""
        ...


SourceFactory: TypeAlias = Callable[[CameraSpec], Source]
"""Opens a source, raising SourceMissing, SourceFailed or BadCameraUri."""
