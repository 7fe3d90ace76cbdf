"""Camera input for tests: real clips where there are some, else clips rendered from the scenes."""

import os
from pathlib import Path

import cv2

from device.cameras.source import CameraSpec
from device.cameras.sources import open_source

_REPOSITORY = Path(__file__).resolve().parent.parent
_RENDERED = {"front": "scene:student", "overhead": "scene:desk"}
_REAL = {"front": "front-book.mkv", "overhead": "overhead-book.mp4"}


def clip(role: str, folder: Path) -> Path:
    """A video such as the `front` or the `overhead` camera would give.

    It comes from `$CARREL_MEDIA`, else from `../shared/media` beside the repository, else it is rendered into `folder`.
    """
    for place in _places():
        if (place / _REAL[role]).is_file():
            return place / _REAL[role]
    return render(role, folder)


def render(role: str, folder: Path, *, frames: int = 45, fps: float = 15) -> Path:
    """A clip of 320 x 180 pixels made from the scene of that role."""
    path = folder / f"{role}.avi"
    source = open_source(CameraSpec(role, _RENDERED[role], 320, 180, 100))
    writer = cv2.VideoWriter(os.fspath(path), cv2.VideoWriter.fourcc(*"MJPG"), fps, (320, 180))
    try:
        assert writer.isOpened(), "this OpenCV writes no MJPG"
        for _ in range(frames):
            writer.write(source.read(1.0).image)
    finally:
        writer.release()
        source.close()
    return path


def still(folder: Path) -> Path:
    """A photograph of a desk, as a file."""
    for place in _places():
        if (place / "overhead-page.jpg").is_file():
            return place / "overhead-page.jpg"
    source = open_source(CameraSpec("overhead", "scene:desk", 640, 360, 30))
    path = folder / "desk.png"
    cv2.imwrite(os.fspath(path), source.read(1.0).image)
    source.close()
    return path


def _places() -> list[Path]:
    named = os.environ.get("CARREL_MEDIA")
    return [Path(named)] if named else [_REPOSITORY.parent / "shared" / "media"]
