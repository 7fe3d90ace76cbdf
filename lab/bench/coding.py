"""What recording costs over bare libx264, in CPU seconds: encode, mux, seal and sync of pictures that lie in memory.

1080p15 and then 720p30, as the kit has them on a Pi 4: scenes drawn once as I420, played forth and back. The same
pictures go three ways: the product's Encoder into its SegmentFile on a disk; the same codec with the same options
writing nothing; and the same codec muxed into one plain MP4, neither fragmented nor sealed nor synced. All three make
libav's frames of the same arrays. They take turns, a second of video each, so that whoever else uses the machine slows
all of them alike. Coding runs faster than real time, so the segment's clock is the video's own: it syncs as often as it
would.
"""

import time
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path
from typing import Any, Final
from unittest import mock

import av

from device.cameras import segment_file
from device.cameras.encoder import Encoder
from device.cameras.pixels import for_coding
from device.cameras.segment_file import SegmentFile
from device.cameras.source import CameraSpec, Frame, Layout
from device.cameras.sources.art.canvas import Stage
from device.cameras.sources.scene import SEED, Scene, SensorNoise
from device.cameras.sources.scene_desk import DeskScene
from device.cameras.sources.scene_student import StudentScene
from device.segments import Shelf
from lab.bench.figures import Figure, Results, at_most, median
from lab.bench.plain_mp4 import PlainMp4
from lab.bench.recordings import Recordings

_GOAL: Final = 1.10
_PICTURES: Final = 60
"""How many are drawn; more would fill the memory, and forth and back nothing jumps."""
_TICKS_A_S: Final = 90_000
_NAMES: Final = {"recorded": "encode, mux, seal, sync", "bare": "bare libx264", "plain": "plain MP4"}
_DONE: Final = object()
SPECS: Final = (
    CameraSpec("overhead", "scene:desk", 1920, 1080, 15.0, 3_000_000),
    CameraSpec("front", "scene:student", 1280, 720, 30.0, 2_000_000),
)


@dataclass(frozen=True, slots=True)
class _Clip:
    spec: CameraSpec
    pictures: tuple[Frame, ...]
    seconds: float

    def seconds_of_frames(self) -> Iterator[list[Frame]]:
        """Frames at the camera's pace, on the clock of a video that began at 0."""
        around, a_second = 2 * len(self.pictures) - 2, round(self.spec.fps)
        for first in range(0, round(self.seconds * a_second), a_second):
            places = [number % around for number in range(first, first + a_second)]
            pictures = [self.pictures[min(place, around - place)] for place in places]
            yield [
                replace(picture, captured_ns=round(number * 1e9 / self.spec.fps))
                for number, picture in enumerate(pictures, first)
            ]


def measure(results: Results, folder: Path, seconds: float, runs: int) -> None:
    """Code that much video of each camera, that often each way, and print the ratios."""
    clips = [_Clip(spec, pictures(spec, _PICTURES), seconds) for spec in SPECS]
    place = Recordings(folder)
    Shelf(place.folder)
    _race(replace(clips[0], seconds=1.0), place)  # what is loaded on first use is loaded now
    used: dict[str, list[list[float]]] = {way: [] for way in _WAYS}
    for _ in range(runs):
        races = [_race(clip, place) for clip in clips]
        for way in _WAYS:
            used[way].append([one[way] for one in races])
    note = f"median of {runs}, {seconds:.0f} s of each camera"
    for way, runs_s in used.items():
        total = [sum(one) / seconds for one in runs_s]
        results.samples(f"coding_{way}_cpu_s_per_s", "CPU-s/s", total)
        results.add(Figure(f"{_NAMES[way]}, 1080p15 + 720p30", median(total), "CPU-s/s", note=note))
    pairs = list(zip(used["recorded"], used["bare"], strict=True))
    ratios = [sum(ours) / sum(bare) for ours, bare in pairs]
    results.samples("coding_over_bare", "x", ratios)
    results.add(at_most("encode, mux, seal, sync over bare libx264", median(ratios), _GOAL, "x", note))
    for at, spec in enumerate(SPECS):
        ratio = median([ours[at] / bare[at] for ours, bare in pairs])
        results.add(Figure(f"the same, {spec.height}p{spec.fps:.0f} alone", ratio, "x"))
    plain = [sum(one) / sum(bare) for one, bare in zip(used["plain"], used["bare"], strict=True)]
    results.add(Figure("plain MP4, no fragments, seal or sync, over bare", median(plain), "x"))


def pictures(spec: CameraSpec, count: int) -> tuple[Frame, ...]:
    """So many pictures of a camera's scene in I420, a frame's time apart, with a sensor's noise."""
    stage = Stage(spec.width, spec.height)
    scene: Scene = DeskScene(stage, SEED) if spec.role == "overhead" else StudentScene(stage, SEED)
    noise = SensorNoise(spec.width, spec.height, SEED)
    found = []
    for number in range(count):
        image = scene.draw(number / spec.fps)
        noise.add_to(image, number)
        found.append(Frame(for_coding(Frame(image, 0))[0], 0, Layout.I420))
    return tuple(found)


def _race(clip: _Clip, place: Recordings) -> dict[str, float]:
    """The CPU seconds that each way takes for a clip."""
    running = {way: code(clip, place) for way, code in _WAYS.items()}
    used_s, order = dict.fromkeys(running, 0.0), deque(running)
    while order:
        for way in list(order):
            before_s = time.process_time()
            is_done = next(running[way], _DONE) is _DONE
            used_s[way] += time.process_time() - before_s
            if is_done:
                order.remove(way)
        order.rotate(1)
    return used_s


class _VideoClock:
    """Stands where the segment's clock stands: at the picture that is being recorded."""

    now_ns = 0

    def monotonic_ns(self) -> int:
        return self.now_ns


def _recorded(clip: _Clip, place: Recordings) -> Iterator[None]:
    encoder, file, clock = Encoder(clip.spec.fps, clip.spec.bitrate_bps), None, _VideoClock()
    with mock.patch.object(segment_file, "time", clock):
        for second in clip.seconds_of_frames():
            for frame in second:
                clock.now_ns = frame.captured_ns
                for packet in encoder.encode(frame):
                    file = file or SegmentFile(place.plan, clip.spec, packet)
                    file.add(packet)
            yield
        assert file is not None
        file.finish()


def _bare(clip: _Clip, _place: Recordings) -> Iterator[None]:
    codec = _Codec(clip.spec)
    for second in clip.seconds_of_frames():
        for frame in second:
            codec.encode(frame)
        yield


def _plain(clip: _Clip, place: Recordings) -> Iterator[None]:
    codec, file = _Codec(clip.spec), PlainMp4(place.folder / f"{clip.spec.role}.mp4")
    for second in clip.seconds_of_frames():
        for frame in second:
            for packet in codec.encode(frame):
                file.add(bytes(packet), frame.captured_ns, is_keyframe=packet.is_keyframe)
        yield
    file.close()


class _Codec:
    """libx264 alone, with the very options that the product gives it."""

    def __init__(self, spec: CameraSpec) -> None:
        self._codec = Encoder(spec.fps, spec.bitrate_bps)._open(spec.width, spec.height, "yuv420p")  # noqa: SLF001  # see above

    def encode(self, frame: Frame) -> "list[av.Packet[Any]]":
        picture = av.VideoFrame.from_ndarray(frame.image, format="yuv420p")
        picture.pts, picture.time_base = frame.captured_ns * _TICKS_A_S // 1_000_000_000, Fraction(1, _TICKS_A_S)
        return self._codec.encode(picture)


_WAYS: Final[dict[str, Callable[[_Clip, Recordings], Iterator[None]]]] = {
    "recorded": _recorded,
    "bare": _bare,
    "plain": _plain,
}
