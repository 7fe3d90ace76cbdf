"""The port every camera comes through: a spec goes in, frames come out.

The agent's side of the process boundary imports this module too, so nothing here needs numpy or OpenCV at run time.
"""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Final, Protocol, TypeAlias, runtime_checkable

from device.cameras.errors import BadCameraSpec

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    Image: TypeAlias = npt.NDArray[np.uint8]
    """Pixels, `uint8`; their shape is what their `Layout` says, `(height, width, 3)` blue-green-red by default."""

ROLES: Final = ("overhead", "front")
_MAX_SIDE_PX: Final = 8192
_MAX_FPS: Final = 240.0
_BITRATES_BPS: Final = (50_000, 50_000_000)


class Layout(StrEnum):
    """How the bytes of a frame lie."""

    BGR = "bgr"
    """`(height, width, 3)`, blue-green-red as OpenCV has it."""
    I420 = "i420"
    """`(height * 3 / 2, width)`: luminance, then the two chroma planes, each a quarter. What H.264 is made from."""
    NV12 = "nv12"
    """`(height * 3 / 2, width)`: luminance, then chroma in pairs."""


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
    bitrate_bps: int = 3_000_000
    """What its H.264 may take, bits per second."""
    focus_dioptres: float | None = None
    """Where the lens is held, 1 / metres; None leaves a lens that can move at its own rest."""
    mains_hz: int | None = None
    """50 or 60 takes the flicker of lamps out of the exposure; None leaves it to the camera."""
    encoder: str = "software"
    """`software` (libx264) or `hardware` (the Pi 4's); cameras that give H.264 themselves need neither."""

    def __post_init__(self) -> None:
        if self.role not in ROLES:
            raise BadCameraSpec(f"a camera's role is overhead or front, not {self.role!r}")
        if not (0 < self.width <= _MAX_SIDE_PX and 0 < self.height <= _MAX_SIDE_PX):
            raise BadCameraSpec(f"a picture of {self.width}x{self.height} pixels cannot be made")
        if not 0 < self.fps <= _MAX_FPS:
            raise BadCameraSpec(f"{self.fps} frames per second cannot be made")
        if not _BITRATES_BPS[0] <= self.bitrate_bps <= _BITRATES_BPS[1]:
            raise BadCameraSpec(f"{self.bitrate_bps} bits per second cannot be made")
        if self.mains_hz not in {None, 50, 60}:
            raise BadCameraSpec(f"mains of {self.mains_hz} Hz exist nowhere; write 50 or 60")
        if self.encoder not in {"software", "hardware"}:
            raise BadCameraSpec(f"an encoder is software or hardware, not {self.encoder!r}")


@dataclass(frozen=True, slots=True)
class Native:
    """What a camera really gives, which may be another size or rate than it was asked for."""

    width: int
    height: int
    fps: float | None = None
    """Frames per second as the device says; None when it says nothing."""
    form: str = ""
    """The device's own pixel format, such as `MJPG`, `H264` or `YUV420`."""

    def serves(self, spec: CameraSpec) -> bool:
        """Whether it is at least as large as asked for; a larger picture is scaled down and loses nothing."""
        return self.width >= spec.width and self.height >= spec.height


@dataclass(frozen=True, slots=True, eq=False)
class Frame:
    """One picture and when it was taken."""

    image: "Image"
    """Of the spec's size, shaped as `layout` says. No source writes to it again, and nobody else may."""
    captured_ns: int
    """CLOCK_MONOTONIC, nanoseconds."""
    layout: Layout = Layout.BGR
    grey: "Image | None" = None
    """Its luminance, small, `(height, width) uint8`, where the camera makes one beside the picture for nothing."""


@dataclass(frozen=True, slots=True)
class Packet:
    """One coded picture, Annex B, with SPS and PPS before each keyframe; no B-frames, so order is time."""

    data: bytes
    captured_ns: int
    """CLOCK_MONOTONIC, nanoseconds."""
    is_keyframe: bool


class Source(Protocol):
    """An open camera. One thread uses it, and has to live with a driver that hangs: only its process can be killed."""

    @property
    def native(self) -> Native:
        """What the camera really gives."""
        ...

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


@runtime_checkable
class EncodingSource(Source, Protocol):
    """A source whose packets come ready: a camera that gives H.264 itself, or one behind the Pi 4's encoder."""

    def start_encoding(self, on_packet: Callable[[Packet], None]) -> None:
        """Give packets, from a keyframe on; `on_packet` is called in any thread and must not block."""
        ...

    def stop_encoding(self) -> None:
        """No packet after this returns; doing it twice is fine."""
        ...

    def force_keyframe(self) -> None:
        """Make the next packet a keyframe, where the device can; else the next one comes when it comes."""
        ...

    def set_bitrate(self, bits_per_s: int) -> None:
        """Take more or fewer bits from now on, where the device can."""
        ...


SourceFactory: TypeAlias = Callable[[CameraSpec], Source]
"""Opens a source, raising SourceMissing, SourceFailed or BadCameraUri."""
