"""What looking costs: previews at five a second and the picture checks at one a second, of both cameras, in CPU time.

The checks look at real clips, from `$CARREL_MEDIA` or `../shared/media` beside the repository, else at the scenes.
"""

import os
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from itertools import count, islice
from pathlib import Path
from typing import Final

import cv2

from device.cameras.eyes import Eyes
from device.cameras.preview import PreviewWriter, create_slot
from device.cameras.source import Frame
from device.cameras.thumbnails import Thumbnails
from device.kit import kit
from lab.bench.coding import SPECS, pictures
from lab.bench.figures import Figure, Results, at_most

_CHECKS_GOAL: Final = 2.0
_PREVIEWS_A_S: Final = 5
_S: Final = 1_000_000_000
_REAL: Final = {"front": "front-book.mkv", "overhead": "overhead-book.mp4"}
_DRAWN: Final = 30


def measure(results: Results, looks: int) -> None:
    """Take that many previews and look that often, at each camera's pictures."""
    cv2.setNumThreads(1)  # as a camera's worker does
    previews = sum(_per_call_s(_previewing(role), looks) for role in _REAL) * _PREVIEWS_A_S * 100
    checks = sum(_per_call_s(_checking(role), looks) for role in _REAL) * 100
    results.add(
        Figure("previews of both cameras, 5 a second", previews, "% of a core", note=f"{looks} each, from I420")
    )
    note = f"{looks} looks each, {'real clips' if _media() else 'scenes'}"
    results.add(
        at_most("picture checks, mat and cards of both cameras, 1 a second", checks, _CHECKS_GOAL, "% of a core", note)
    )


def _per_call_s(calls: Iterator[Callable[[], object]], times: int) -> float:
    used_s = 0.0
    for call in islice(calls, times):
        before_s = time.process_time()
        call()
        used_s += time.process_time() - before_s
    return used_s / times


def _previewing(role: str) -> Iterator[Callable[[], object]]:
    spec = next(one for one in SPECS if one.role == role)
    drawn = pictures(spec, _DRAWN)
    fd = create_slot()
    thumbnails = Thumbnails(PreviewWriter(fd))
    os.close(fd)
    thumbnails.want(0, 1e6)
    for number in count(1):
        now_ns = number * _S // _PREVIEWS_A_S
        frame = Frame(drawn[number % _DRAWN].image, now_ns, drawn[0].layout)
        yield partial(thumbnails.show, frame, now_ns)


def _checking(role: str) -> Iterator[Callable[[], object]]:
    eyes = Eyes(role, kit().mat.plain, kit().cards.plain)
    for second, frame in enumerate(_clip(role), 1):
        yield partial(eyes.look, replace(frame, captured_ns=second * _S), second * _S)


def _clip(role: str) -> Iterator[Frame]:
    """A picture for every second of a clip, over and over."""
    media = _media()
    if media is None:
        spec = next(one for one in SPECS if one.role == role)
        drawn = pictures(spec, _DRAWN)
        while True:
            yield from drawn
    while True:
        video = cv2.VideoCapture(os.fspath(media / _REAL[role]), cv2.CAP_FFMPEG)
        step = max(1, round(video.get(cv2.CAP_PROP_FPS)))
        for number in count():
            if not video.grab():
                break
            if number % step == 0:
                yield Frame(video.retrieve()[1], 0)  # type: ignore[arg-type]  # OpenCV types pictures more loosely
        video.release()


def _media() -> Path | None:
    named = os.environ.get("CARREL_MEDIA")
    place = Path(named) if named else Path(__file__).resolve().parents[3] / "shared" / "media"
    return place if all((place / name).is_file() for name in _REAL.values()) else None
