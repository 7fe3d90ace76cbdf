"""What the power cut cuts: two cameras recorded in real time; `python -m lab.bench.power_cut_child FOLDER KEY HOW`.

It says on standard output, unbuffered, when each coded picture that it handed to the recorder was taken, and which
segments the recorder called whole. HOW is `synced`, as the product does it, `unsynced`, where fdatasync does nothing,
or `plain`, one plain MP4 for each camera. The pictures are small and noisy: cheap to make, with the kit's bitrates.
"""

import os
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Final, Never

import numpy as np

# The last one only to be loaded now: a kiosk that records has loaded it.
from device.cameras import recorder, segment_file  # noqa: F401
from device.cameras.encoder import Encoder
from device.cameras.pace import Pace
from device.cameras.recorder import Recorder
from device.cameras.recording import Event, Sealed
from device.cameras.source import CameraSpec, Frame, Layout, Packet
from device.segments import Shelf
from lab.bench.plain_mp4 import PlainMp4
from lab.bench.recordings import plan

if TYPE_CHECKING:
    from device.cameras.source import Image

SPECS: Final = (
    CameraSpec("overhead", "scene:desk", 320, 180, 15.0, 3_000_000),
    CameraSpec("front", "scene:student", 320, 180, 30.0, 2_000_000),
)
_PICTURES: Final = 31
_SEGMENT_NS: Final = 1_500_000_000
"""Then a segment ends with every keyframe, each two seconds, and cuts fall into a segment's end and beginning too."""


def main(folder: Path, key: str, how: str) -> Never:
    """Record until killed."""
    Shelf(folder)
    if how == "synced":
        setattr(recorder, "SEGMENT_NS", _SEGMENT_NS)  # noqa: B010  # it is final for everyone but this process
    elif how == "unsynced":
        setattr(os, "fdatasync", _no_sync)  # noqa: B010  # in this process only
    takers = [_plain(folder, spec) if how == "plain" else _recorder(folder, key, spec) for spec in SPECS]
    chance = np.random.default_rng(1)
    noise: list[Image] = [chance.integers(60, 190, (270, 320)).astype(np.uint8) for _ in range(_PICTURES)]
    _say("ready")
    for spec, take in zip(SPECS, takers, strict=True):
        threading.Thread(target=_film, args=(spec, noise, take), daemon=True).start()
    while True:
        time.sleep(3600)


def _film(spec: CameraSpec, noise: "list[Image]", take: Callable[[Packet], None]) -> None:
    encoder, pace = Encoder(spec.fps, spec.bitrate_bps), Pace(spec.fps)
    while True:
        beat = pace.next(1.0)
        if beat is None:
            continue
        for packet in encoder.encode(Frame(noise[beat % _PICTURES], time.monotonic_ns(), Layout.I420)):
            take(packet)
            _say(f"{spec.role} {packet.captured_ns}")


def _recorder(folder: Path, key: str, spec: CameraSpec) -> Callable[[Packet], None]:
    def tell(event: Event) -> None:
        if isinstance(event, Sealed):
            _say(f"sealed {event.segment}")

    one = Recorder(spec, tell)
    one.follow(plan(folder, key))
    one.start()
    return one.take


def _plain(folder: Path, spec: CameraSpec) -> Callable[[Packet], None]:
    file = PlainMp4(folder / f"{spec.role}.mp4")
    return lambda packet: file.add(packet.data, packet.captured_ns, is_keyframe=packet.is_keyframe)


def _no_sync(_fd: object) -> None:
    """What the sync is worth shows without it."""


def _say(words: str) -> None:
    os.write(1, f"{words}\n".encode())


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2], sys.argv[3])
