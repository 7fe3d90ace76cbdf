"""What the picture checks are shown: clips, scenes and drawn places, each as a picture for any time.

The split is by source: scenes and drawn places are there to develop on, clips of the media folder are there to score.
"""

import os
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Final, cast

import cv2

from device.cameras.source import ROLES
from device.cameras.sources.art.canvas import Stage
from device.cameras.sources.scene_desk import DeskScene
from device.cameras.sources.scene_student import StudentScene
from lab.bench.vision_drawn import DrawnDesk, DrawnRoom

if TYPE_CHECKING:
    from device.cameras.source import Image

_VIDEOS: Final = frozenset({".mp4", ".mkv", ".avi", ".mov", ".webm"})
_STILLS: Final = frozenset({".jpg", ".jpeg", ".png"})
_MOST_BYTES: Final = 160_000_000
"""Of one clip's pictures in memory: a clip that is larger is taken at fewer pictures a second."""
_LARGEST: Final = (1280, 720)
_REPOSITORY: Final = Path(__file__).resolve().parents[2]
_DRAWN: Final = 4
"""Drawn places of each role."""


class Split(StrEnum):
    """What a source is for."""

    DEVELOPMENT = "development"
    SCORED = "scored"


@dataclass(frozen=True, slots=True, order=True)
class Footage:
    """One source of pictures; small, so that it can be handed to another process."""

    role: str
    name: str
    split: Split
    path: str = ""
    """Of a clip or still."""
    seed: int = 0
    """Of what is drawn."""

    def __str__(self) -> str:
        return self.name

    def pictures(self) -> "Pictures":
        """Its pictures, by the time in seconds."""
        return _pictures(self)


Pictures = Callable[[float], "Image"]
"""`(height, width, 3) uint8` at a time; nobody may draw on it."""


def media_folder() -> Path | None:
    """`$CARREL_MEDIA`, else `../shared/media` beside the repository; None when there is neither."""
    named = os.environ.get("CARREL_MEDIA")
    place = Path(named) if named else _REPOSITORY.parent / "shared" / "media"
    return place if place.is_dir() else None


def development() -> list[Footage]:
    """The scenes and the drawn places."""
    scenes = [
        Footage("overhead", "scene:desk", Split.DEVELOPMENT),
        Footage("front", "scene:student", Split.DEVELOPMENT),
    ]
    drawn = [Footage(role, f"drawn:{role}-{i}", Split.DEVELOPMENT, seed=i) for role in ROLES for i in range(_DRAWN)]
    return scenes + drawn


def scored(folder: Path | None) -> list[Footage]:
    """The clips of a folder, the role by how their name begins; a still beside a clip of the same name is left out."""
    if folder is None:
        return []
    paths = sorted(one for one in folder.iterdir() if one.suffix.lower() in _VIDEOS | _STILLS)
    videos = {one.stem for one in paths if one.suffix.lower() in _VIDEOS}
    taken = [one for one in paths if one.suffix.lower() in _VIDEOS or one.stem not in videos]
    found = []
    for path in taken:
        role = path.stem.partition("-")[0]
        if role in ROLES:
            found.append(Footage(role, path.name, Split.SCORED, os.fspath(path)))
    return found


@lru_cache(maxsize=1)
def _pictures(footage: Footage) -> Pictures:
    if footage.path:
        return _still(footage.path) if Path(footage.path).suffix.lower() in _STILLS else _clip(footage.path)
    if footage.name == "scene:desk":
        return DeskScene(Stage(*_LARGEST), 20 + footage.seed).draw
    if footage.name == "scene:student":
        return StudentScene(Stage(640, 480), 20 + footage.seed).draw
    return (DrawnDesk if footage.role == "overhead" else DrawnRoom)(footage.seed).draw


def _still(path: str) -> Pictures:
    image = cv2.imread(path)
    if image is None:
        raise ValueError(f"{path} holds no picture that can be read; take it out of the folder")
    fitted = _fitted(cast("Image", image))
    return lambda _time_s: fitted


def _fitted(image: "Image") -> "Image":
    """As large as a camera's picture, cut to its shape."""
    height, width = image.shape[:2]
    wide, high = _LARGEST
    if width <= wide and height <= high:
        return image
    scale = max(wide / width, high / height)
    grown = cv2.resize(image, (round(width * scale), round(height * scale)), interpolation=cv2.INTER_AREA)
    top = (grown.shape[0] - high) // 2
    return cast("Image", grown[top : top + high, :wide])


def _clip(path: str) -> Pictures:
    video = cv2.VideoCapture(path, cv2.CAP_FFMPEG)
    fps = video.get(cv2.CAP_PROP_FPS) or 15.0
    frames = []
    while (image := _next(video)) is not None:
        frames.append(_fitted(image))
    video.release()
    if not frames:
        raise ValueError(f"{path} holds no video that can be read; take it out of the folder")
    step = max(1, -(-sum(one.nbytes for one in frames) // _MOST_BYTES))
    kept, hz = frames[::step], fps / step
    # It starts again at its end, as the file source has it.
    return lambda time_s: kept[int(time_s * hz) % len(kept)]


def _next(video: cv2.VideoCapture) -> "Image | None":
    found, image = video.read()
    return cast("Image", image) if found else None
