"""Camera URIs: the one text that says where a camera's pictures come from."""

from dataclasses import dataclass
from typing import Final

from device.cameras.errors import BadCameraUri

FORMS: Final = "picamera2:<id>, v4l2:/dev/…, file:/path, scene:desk or scene:student"
SCENES: Final = ("desk", "student")


@dataclass(frozen=True, slots=True)
class CameraUri:
    """A parsed camera URI: its kind, and what of that kind."""

    scheme: str
    """One of `picamera2`, `v4l2`, `file`, `scene`."""
    target: str
    """A camera id, an absolute device or file path, or a scene's name."""

    def __str__(self) -> str:
        return f"{self.scheme}:{self.target}"


def parse_uri(text: str) -> CameraUri:
    """Read a camera URI.

    Raises:
        BadCameraUri: saying what was given and which forms exist.
    """
    scheme, colon, target = text.partition(":")
    # A NUL cannot be in any path, and would only be noticed deep inside a driver.
    if not colon or not target or "\0" in target:
        raise _refusal(text)
    match scheme:
        case "picamera2":
            return CameraUri(scheme, target)
        case "v4l2" if target.startswith("/dev/"):
            return CameraUri(scheme, target)
        case "file" if target.startswith("/"):
            return CameraUri(scheme, target)
        case "scene" if target in SCENES:
            return CameraUri(scheme, target)
        case _:
            raise _refusal(text)


def device_path(text: str) -> str | None:
    """The device of a USB camera's URI; None for every other kind."""
    uri = parse_uri(text)
    return uri.target if uri.scheme == "v4l2" else None


def _refusal(text: str) -> BadCameraUri:
    return BadCameraUri(f"{text!r} names no camera. A camera is written as {FORMS}.")
