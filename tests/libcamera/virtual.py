"""libcamera's virtual cameras, showing this project's scenes, and what picamera2 needs to be content with them.

Everything here makes up for a pipeline without a sensor behind it; nothing of it is true of a Pi.
`python -m tests.libcamera.virtual` draws the frames and writes libcamera's configuration file.
"""

import importlib
import sys
from pathlib import Path
from typing import Any, Final
from unittest.mock import MagicMock

import cv2

from device.cameras import sources
from device.cameras.source import CameraSpec, Source

WIDTH, HEIGHT, FPS = 1280, 720, 30
"""The one size that the virtual cameras have."""
FRAMES: Final = Path("/srv/frames")
CONFIGURATION: Final = Path("/usr/share/libcamera/pipeline/virtual/virtual.yaml")

DESK: Final = "/base/virtual/i2c@80000/sim@1a"
STUDENT: Final = "/base/virtual/i2c@88000/sim@1a"
SCENES: Final = {DESK: "desk", STUDENT: "student"}
_LOCATIONS: Final = {DESK: "CameraLocationBack", STUDENT: "CameraLocationFront"}
_FRAMES_EACH: Final = 12


def open_source(spec: CameraSpec) -> Source:
    """The product's own `open_source`, on virtual cameras."""
    content_with_virtual_cameras()
    return sources.open_source(spec)


def content_with_virtual_cameras() -> None:
    """Patch picamera2, once, where it takes a sensor, a screen or a buffer heap for granted."""
    if "picamera2" in sys.modules:
        return
    # The screen of a Pi: imported by picamera2, used by its previews only.
    sys.modules["pykms"] = MagicMock(name="pykms")
    picamera2: Any = importlib.import_module("picamera2")
    inside: Any = importlib.import_module("picamera2.picamera2")
    allocators: Any = importlib.import_module("picamera2.allocators")
    libcamera: Any = importlib.import_module("libcamera")
    genuine: Any = picamera2.Picamera2

    def modes_without_a_sensor(self: Any) -> list[dict[str, object]]:
        formats = self.camera.generate_configuration([libcamera.StreamRole.VideoRecording]).at(0).formats
        return [
            {"format": str(form), "size": (size.width, size.height)}
            for form in formats.pixel_formats
            for size in formats.sizes(form)
        ]

    class VirtualPicamera2(genuine):  # type: ignore[misc] # picamera2 publishes no types
        """Gets its buffers from libcamera: NV12 comes in two pieces here, and picamera2's own allocator makes one."""

        def __init__(self, camera_num: int = 0) -> None:
            super().__init__(camera_num, allocator=None)
            self.allocator = allocators.LibcameraAllocator(self.camera)

    genuine._get_raw_modes = modes_without_a_sensor
    inside.DmaAllocator = MagicMock(name="DmaAllocator")
    picamera2.Picamera2 = VirtualPicamera2


def scene_file(id_: str, number: int = 0, folder: Path = FRAMES) -> Path:
    """The picture that a virtual camera shows."""
    return folder / SCENES[id_] / f"{number}.jpg"


def prepare(folder: Path, configuration: Path) -> None:
    """Draw the frames and write the configuration file."""
    lines = ["%YAML 1.1", "---"]
    for id_, scene in SCENES.items():
        source = sources.open_source(CameraSpec("overhead", f"scene:{scene}", WIDTH, HEIGHT, 100))
        scene_file(id_, folder=folder).parent.mkdir(parents=True, exist_ok=True)
        for number in range(_FRAMES_EACH):
            cv2.imwrite(str(scene_file(id_, number, folder)), source.read(5.0).image)
        source.close()
        lines += [
            f'"{id_}":',
            "  supported_formats:",
            f"  - {{width: {WIDTH}, height: {HEIGHT}, frame_rates: [{FPS}, {FPS}]}}",
            f'  frames: {{path: "{folder / scene}/"}}',
            f'  location: "{_LOCATIONS[id_]}"',
            '  model: "sim"',
        ]
    configuration.parent.mkdir(parents=True, exist_ok=True)
    configuration.write_text("\n".join([*lines, ""]), encoding="ascii")


if __name__ == "__main__":
    prepare(FRAMES, CONFIGURATION)
