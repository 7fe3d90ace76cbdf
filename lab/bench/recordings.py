"""What the camera benches record, sealed to a key made on the spot, and opened again as the fleet would open it."""

import io
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import av

from device.cameras.recording import Keep, Plan
from fleet.errors import SegmentUnreadable
from fleet.segment_keys import SegmentKeys
from fleet.segments import open_segment


@dataclass(frozen=True, slots=True)
class Video:
    """One segment after it was opened and every picture in it was decoded. Times are CLOCK_MONOTONIC."""

    segment: str
    role: str
    first_ns: int
    end_ns: int
    frames: int


@dataclass(frozen=True, slots=True)
class Look:
    """What a folder of segments holds."""

    videos: tuple[Video, ...]
    unreadable: tuple[str, ...]
    """What is wrong with each file that does not open and decode as a whole."""


class Recordings:
    """A folder to record into, `folder`/segments unless another is named, and the fleet's key to it."""

    def __init__(self, folder: Path, segments: Path | None = None) -> None:
        self.folder = segments or folder / "segments"
        self._keys = SegmentKeys(folder / "keys")
        self.key = self._keys.make(datetime.now(UTC)).public

    @property
    def plan(self) -> Plan:
        """Keep everything here."""
        return plan(self.folder, self.key)

    def look(self) -> Look:
        """Open every file there is; what lies in quarantine or still has the name of an unfinished one counts too."""
        return look(self.folder, self._keys)


def plan(folder: Path, key: str) -> Plan:
    """Keep everything. The kiosk's clock is CLOCK_MONOTONIC here, so a header tells when its video began."""
    return Plan(
        keep=Keep.ALL, number=1, folder=str(folder), fleet_key=key, kiosk="bench-1", campus="bench",
        session="bench", boot="bench", clock="synced",
    )  # fmt: skip


def look(folder: Path, keys: SegmentKeys) -> Look:
    """Open and decode every segment in and under `folder`, after a recovery."""
    videos = []
    files = sorted(one for one in folder.rglob("*") if one.suffix in {".seg", ".part"})
    kept = [one for one in files if one.suffix == ".seg" and one.parent == folder]
    unreadable = [f"{one}: the recovery could not keep it" for one in files if one not in kept]
    for path in kept:
        try:
            videos.append(_opened(path, keys))
        except (SegmentUnreadable, av.FFmpegError) as error:
            unreadable.append(str(error))
    return Look(tuple(videos), tuple(unreadable))


def end_ns(videos: Sequence[Video], role: str) -> int | None:
    """Where a camera's last video ends; None when there is none."""
    return max((one.end_ns for one in videos if one.role == role), default=None)


def _opened(path: Path, keys: SegmentKeys) -> Video:
    mp4 = io.BytesIO()
    opened = open_segment(path, keys, mp4)
    mp4.seek(0)
    with av.open(mp4, "r") as file:
        stream = file.streams.video[0]
        stream.codec_context.options = {"err_detect": "explode"}  # a decoder hides what it can, unless told not to
        packets = [packet for packet in file.demux(stream) if packet.size]
        frames = sum(len(packet.decode()) for packet in packets) + len(stream.codec_context.decode(None))
    if not packets or frames != len(packets):
        raise SegmentUnreadable(f"{path}: {frames} of {len(packets)} pictures can be decoded")
    header = opened.header
    return Video(header.segment, header.role, header.mono_ns, header.mono_ns + opened.duration_ms * 1_000_000, frames)
