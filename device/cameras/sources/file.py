"""A video or a still from a file, as if it were a camera: looped, and paced by the clock."""

import time
from pathlib import Path
from typing import TYPE_CHECKING, Final, cast

import cv2

from device.cameras.errors import SourceFailed, SourceMissing, SourceStalled
from device.cameras.fit import crop_to_fill
from device.cameras.pace import Pace
from device.cameras.source import CameraSpec, Frame, Native, Source

if TYPE_CHECKING:
    from device.cameras.source import Image

_CATCH_UP_S: Final = 1.0
"""How much of a clip is decoded unseen for a reader that came late; beyond it the clip goes on from where it was."""


def open_file(spec: CameraSpec, path: str) -> Source:
    """Open a still or a video as a camera.

    Raises:
        SourceMissing: naming the path, when there is no such file or OpenCV finds no picture in it.
    """
    if not Path(path).is_file():
        raise SourceMissing(f"{path}: there is no such file")
    return StillSource(spec, path) if cv2.haveImageReader(path) else VideoSource(spec, path)


class StillSource:
    """The same picture over and over, with no noise added: a still is honest about being one."""

    def __init__(self, spec: CameraSpec, path: str) -> None:
        image = cv2.imread(path, cv2.IMREAD_COLOR)
        if image is None:
            raise SourceMissing(f"{path}: the file holds no picture that can be read")
        height, width = image.shape[:2]
        self.native = Native(width, height, None, "still")
        self._image = crop_to_fill(cast("Image", image), spec.width, spec.height)
        # Everybody gets the same array, so nobody may draw on it.
        self._image.flags.writeable = False
        self._path = path
        self._pace = Pace(spec.fps)

    def read(self, timeout_s: float) -> Frame:
        """See `Source.read`."""
        if self._pace.next(timeout_s) is None:
            raise SourceStalled(f"{self._path}: no frame was due")
        return Frame(self._image, time.monotonic_ns())

    def close(self) -> None:
        """See `Source.close`."""
        self._pace.stop()


class VideoSource:
    """A clip played in a loop: `spec.fps` frames a second, at the clip's own speed."""

    def __init__(self, spec: CameraSpec, path: str) -> None:
        self._spec = spec
        self._path = path
        self._video = self._open()
        rate = self._video.get(cv2.CAP_PROP_FPS)
        # Some containers give no rate, some a nonsense one (90,000 ticks a second): then one clip frame a beat.
        self._clip_fps = rate if 0 < rate <= 240 else spec.fps
        self.native = Native(
            int(self._video.get(cv2.CAP_PROP_FRAME_WIDTH)),
            int(self._video.get(cv2.CAP_PROP_FRAME_HEIGHT)),
            self._clip_fps,
            "video",
        )
        self._at = -1  # the clip frame the decoder stands on, counted on through the loops
        self._offset = 0  # clip frames not played because the reader came too late
        self._image: Image | None = None
        self._pace = Pace(spec.fps)

    def read(self, timeout_s: float) -> Frame:
        """See `Source.read`."""
        beat = self._pace.next(timeout_s)
        if beat is None:
            raise SourceStalled(f"{self._path}: no frame was due")
        captured_ns = time.monotonic_ns()
        steps = int(beat / self._spec.fps * self._clip_fps) - self._offset - self._at
        late = steps - max(1, int(_CATCH_UP_S * self._clip_fps))
        if late > 0:
            self._offset += late
            steps -= late
        for _ in range(steps):
            self._step()
        if steps or self._image is None:
            self._image = self._picture()
        return Frame(self._image, captured_ns)

    def close(self) -> None:
        """See `Source.close`."""
        self._pace.stop()
        self._video.release()

    def _open(self) -> cv2.VideoCapture:
        # One decoding thread: two cameras must not take a small kiosk's every core.
        video = cv2.VideoCapture(self._path, cv2.CAP_FFMPEG, [cv2.CAP_PROP_N_THREADS, 1])
        if not video.isOpened():
            raise SourceMissing(f"{self._path}: the file is gone, or holds no video that can be read")
        return video

    def _step(self) -> None:
        if not self._video.grab():
            # Opened anew rather than rewound: not every container can be rewound.
            self._video.release()
            self._video = self._open()
            if not self._video.grab():
                raise SourceFailed(f"{self._path}: the video gives no frame")
        self._at += 1

    def _picture(self) -> "Image":
        ok, image = self._video.retrieve()
        if not ok or image is None:
            raise SourceFailed(f"{self._path}: a frame of the video cannot be decoded")
        picture = crop_to_fill(cast("Image", image), self._spec.width, self._spec.height)
        picture.flags.writeable = False
        return picture
