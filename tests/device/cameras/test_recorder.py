"""The recorder: what a plan allows goes sealed onto the disk, synced, and not one byte of anything else (F1, F5)."""

import base64
import errno
import io
import os
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from nacl.public import PrivateKey

from device.cameras import segment_file
from device.cameras.recorder import Recorder
from device.cameras.recording import NOTHING, PRE_ROLL_S, Event, Failed, Keep, Plan, Sealed
from device.cameras.segment_file import SegmentFile
from device.cameras.source import Packet
from device.segments import Shelf
from fleet.segment_keys import SegmentKeys
from fleet.segments import open_segment
from tests.device.cameras.kit import small
from tests.device.cameras.test_coding import FPS, coded, decoded
from wire.segments import key_id, scan

S = 1_000_000_000
KEY = PrivateKey.generate()
SPEC = replace(small("scene:desk"), fps=float(FPS))
_PICTURES = coded(3 * FPS)
"""Three seconds with keyframes at 0 and 2 s."""


def pictures(seconds: float, first_s: float = 100.0) -> list[Packet]:
    """So many seconds of packets with a keyframe every two seconds."""
    found = []
    for number in range(round(seconds * FPS)):
        packet = _PICTURES[number % (2 * FPS)]
        found.append(replace(packet, captured_ns=round(first_s * S) + number * S // FPS))
    return found


class Kiosk:
    """A recorder, its plan, its shelf and the fleet's key."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder / "segments"
        self.keys = SegmentKeys(folder / "keys")
        self.keys.folder.mkdir(mode=0o700)
        kept = self.keys.folder / f"{key_id(bytes(KEY.public_key))}.key"
        kept.write_bytes(base64.b64encode(bytes(KEY)) + b"\n2026-01-01T00:00:00+00:00\n")
        kept.chmod(0o600)
        self.plan = Plan(
            keep=Keep.ALL, number=1, folder=str(self.folder),
            fleet_key=base64.b64encode(bytes(KEY.public_key)).decode(), kiosk="lincoln-12", campus="lincoln",
            session="a-session", booking="b-1", boot="boot-1", clock="synced", at="2026-03-02T09:00:00+00:00",
            mono_ns=50 * S, anchor_ns=100 * S,
        )  # fmt: skip
        self.told: list[Event] = []
        self.recorder = Recorder(SPEC, self.told.append)
        self.recorder.start()

    def follow(self, **changes: Any) -> None:
        self.plan = replace(self.plan, number=self.plan.number + 1, **changes)
        self.recorder.follow(self.plan)

    def give(self, packets: list[Packet]) -> None:
        for packet in packets:
            self.recorder.take(packet)

    def settled(self) -> None:
        """Wait until everything given so far has been dealt with."""
        self.follow()
        until(lambda: self.recorder.facts.plan == self.plan.number)

    @property
    def sealed(self) -> list[Sealed]:
        return [one for one in self.told if isinstance(one, Sealed)]

    def files(self) -> list[Path]:
        return sorted(path for path in self.folder.rglob("*") if path.is_file()) if self.folder.exists() else []

    def opened(self, segment: str) -> int:
        """How many pictures the fleet sees in a segment."""
        out = io.BytesIO()
        open_segment(self.folder / f"{segment}.seg", self.keys, out)
        return decoded(out.getvalue())


def until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.002)


@pytest.fixture
def kiosk(tmp_path: Path) -> Iterator[Kiosk]:
    one = Kiosk(tmp_path)
    yield one
    assert one.recorder.stop(20)


class TestWhatIsKept:
    def test_nothing_is_kept_before_a_plan_and_not_one_byte_reaches_the_disk(self, kiosk: Kiosk) -> None:
        kiosk.give(pictures(4))
        kiosk.plan = NOTHING
        kiosk.settled()
        assert kiosk.files() == []
        assert kiosk.told == []

    def test_the_pre_roll_lives_in_memory_only(self, kiosk: Kiosk) -> None:
        kiosk.follow(keep=Keep.PRE_ROLL)
        kiosk.give(pictures(40))
        kiosk.settled()
        assert kiosk.files() == []

    def test_what_is_recorded_is_whole_described_and_opened_by_the_fleet_alone(self, kiosk: Kiosk) -> None:
        kiosk.follow()
        kiosk.give(pictures(5))
        kiosk.recorder.cut()
        until(lambda: len(kiosk.sealed) == 1)
        (one,) = kiosk.sealed
        (path,) = kiosk.files()
        assert path.name == f"{one.segment}.seg"
        with path.open("rb") as file:
            found = scan(file)
        assert found.ended
        assert (found.hash, found.good_bytes) == (one.hash, one.bytes)
        assert (one.session, one.role, one.frames, one.ms) == ("a-session", "overhead", 100, 5000)
        assert (one.at, one.mono_ns, one.boot, one.clock) == ("2026-03-02T09:00:00+00:00", 50 * S, "boot-1", "synced")
        assert kiosk.opened(one.segment) == 100

    def test_the_sealing_is_real(self, kiosk: Kiosk) -> None:
        kiosk.follow()
        kiosk.give(pictures(3))
        kiosk.recorder.cut()
        until(lambda: len(kiosk.sealed) == 1)
        data = kiosk.files()[0].read_bytes()
        assert b"moof" not in data
        assert b"avcC" not in data
        for packet in pictures(3):
            assert packet.data[8:40] not in data, "a picture lies on the disk in clear"

    def test_after_an_outage_is_noticed_the_pre_roll_is_sealed_first_and_nothing_is_missing(self, kiosk: Kiosk) -> None:
        kiosk.follow(keep=Keep.PRE_ROLL)
        all_ = pictures(30)
        kiosk.give(all_[: 25 * FPS])
        kiosk.follow(keep=Keep.ALL)
        kiosk.give(all_[25 * FPS :])
        kiosk.follow(keep=Keep.PRE_ROLL)
        until(lambda: len(kiosk.sealed) == 1)
        (one,) = kiosk.sealed
        assert kiosk.opened(one.segment) == one.frames
        began_s = (one.mono_ns - 50 * S) / S
        assert 25 - PRE_ROLL_S - 2 <= began_s <= 25 - PRE_ROLL_S
        assert one.frames == (30 - began_s) * FPS

    def test_a_pause_empties_the_pre_roll(self, kiosk: Kiosk) -> None:
        kiosk.follow(keep=Keep.PRE_ROLL)
        kiosk.give(pictures(6))
        kiosk.recorder.cut()
        kiosk.follow(keep=Keep.ALL)
        kiosk.recorder.cut()
        kiosk.settled()
        assert kiosk.files() == []

    def test_one_sessions_pre_roll_is_never_sealed_for_another(self, kiosk: Kiosk) -> None:
        kiosk.follow(keep=Keep.PRE_ROLL)
        kiosk.give(pictures(6))
        kiosk.follow(keep=Keep.ALL, session="another")
        kiosk.recorder.cut()
        kiosk.settled()
        assert kiosk.files() == []

    def test_a_consent_taken_back_ends_the_segment_at_once(self, kiosk: Kiosk) -> None:
        kiosk.follow()
        kiosk.give(pictures(3))
        kiosk.follow(keep=Keep.NOTHING)
        kiosk.give(pictures(9, 103))
        until(lambda: len(kiosk.sealed) == 1)
        kiosk.settled()
        assert kiosk.opened(kiosk.sealed[0].segment) == 3 * FPS
        assert len(kiosk.files()) == 1

    def test_a_new_segment_begins_with_the_first_keyframe_after_thirty_seconds(self, kiosk: Kiosk) -> None:
        kiosk.follow()
        kiosk.give(pictures(65))
        kiosk.recorder.cut()
        until(lambda: len(kiosk.sealed) == 3)
        assert [one.frames for one in kiosk.sealed] == [30 * FPS, 30 * FPS, 5 * FPS]
        assert sum(kiosk.opened(one.segment) for one in kiosk.sealed) == 65 * FPS

    def test_a_clock_that_is_set_meanwhile_dates_the_next_segment_and_cuts_nothing(self, kiosk: Kiosk) -> None:
        kiosk.follow(clock="unset", at="1970-01-01T00:10:00+00:00")
        kiosk.give(pictures(30))
        kiosk.follow(clock="synced", at="2026-03-02T09:00:30+00:00", mono_ns=80 * S, anchor_ns=130 * S)
        kiosk.give(pictures(4, 130))
        kiosk.recorder.cut()
        until(lambda: len(kiosk.sealed) == 2)
        assert [(one.at[:19], one.clock, one.mono_ns) for one in kiosk.sealed] == [
            ("1970-01-01T00:10:00", "unset", 50 * S),
            ("2026-03-02T09:00:30", "synced", 80 * S),
        ]
        assert [one.frames for one in kiosk.sealed] == [30 * FPS, 4 * FPS]

    @settings(max_examples=25, deadline=None)
    @given(keeps=st.lists(st.sampled_from([*Keep, "cut"]), max_size=12))
    def test_whatever_order_plans_come_in_exactly_the_allowed_pictures_are_on_the_disk(
        self, tmp_path_factory: pytest.TempPathFactory, keeps: list[Keep | str]
    ) -> None:
        kiosk = Kiosk(tmp_path_factory.mktemp("kiosk"))
        now_s, allowed, waiting, keep = 100.0, 0, 0, Keep.NOTHING
        for step in keeps:
            if step == "cut":
                kiosk.recorder.cut()
                waiting = 0
            else:
                assert isinstance(step, Keep)
                kiosk.follow(keep=step)
                if step is Keep.ALL and keep is Keep.PRE_ROLL:
                    allowed += waiting
                if step is not keep:
                    waiting = 0
                keep = step
            kiosk.give(pictures(2, now_s))
            allowed += 2 * FPS if keep is Keep.ALL else 0
            waiting += 2 * FPS if keep is Keep.PRE_ROLL else 0
            waiting = min(waiting, 16 * FPS)  # 15 s, and as far as the keyframe before
            now_s += 2
        assert kiosk.recorder.stop(20)
        assert sum(one.frames for one in kiosk.sealed) == allowed
        assert sum(kiosk.opened(one.segment) for one in kiosk.sealed) == allowed
        assert len(kiosk.files()) == len(kiosk.sealed)


class TestTheDisk:
    def test_at_any_moment_no_more_than_three_fragments_are_not_synced(
        self, kiosk: Kiosk, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        synced, real = [0], os.fdatasync

        def fdatasync(fd: int) -> None:
            real(fd)
            synced.append(os.fstat(fd).st_size)

        now = [0]
        monkeypatch.setattr(os, "fdatasync", fdatasync)
        monkeypatch.setattr(segment_file.time, "monotonic_ns", lambda: now[0])  # type: ignore[attr-defined]
        file = SegmentFile(self._mine(kiosk), SPEC, pictures(1)[0])
        (part,) = kiosk.files()
        for packet in pictures(20):
            now[0] = packet.captured_ns
            file.add(packet)
            with part.open("rb") as written:
                ends = [one.offset + one.length + 32 for one in scan(written).records]
            assert sum(end > synced[-1] for end in ends) <= 3, (
                "half a second and a fragment is all a power cut may take"
            )
        assert len(synced) > 20 / 0.6
        size = file.finish().bytes
        assert synced[-1] == size, "all of it was synced before it got its name"

    @staticmethod
    def _mine(kiosk: Kiosk) -> Plan:
        kiosk.folder.mkdir(exist_ok=True)
        return replace(kiosk.plan, anchor_ns=100 * S)

    def test_name_and_folder_are_durable_before_a_segment_is_told_of(
        self, kiosk: Kiosk, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        calls: list[str] = []
        real = os.fsync

        def fsync(fd: int) -> None:
            calls.append("folder" if Path(f"/proc/self/fd/{fd}").resolve() == kiosk.folder.resolve() else "file")
            real(fd)

        monkeypatch.setattr(os, "fsync", fsync)
        file = SegmentFile(self._mine(kiosk), SPEC, pictures(1)[0])
        assert calls == ["folder"], "a file whose name a power cut takes is lost with all that is synced in it"
        for packet in pictures(1):
            file.add(packet)
        file.finish()
        assert calls[-1] == "folder"

    @pytest.mark.parametrize("code", [errno.ENOSPC, errno.EIO, errno.EROFS])
    def test_a_disk_that_refuses_is_told_of_once_and_recording_goes_on_when_it_can(
        self, kiosk: Kiosk, monkeypatch: pytest.MonkeyPatch, code: int
    ) -> None:
        real, refusing = os.write, [False]

        def write(fd: int, data: bytes) -> int:
            if refusing[0]:
                raise OSError(code, os.strerror(code))
            return real(fd, data)

        monkeypatch.setattr(segment_file.os, "write", write)  # type: ignore[attr-defined]
        kiosk.follow()
        kiosk.give(pictures(4))
        kiosk.settled()
        refusing[0] = True
        kiosk.give(pictures(10, 104))
        kiosk.settled()
        assert [one for one in kiosk.told if isinstance(one, Failed)] == [Failed("overhead", os.strerror(code))]
        assert kiosk.recorder.facts.segment is None
        assert kiosk.recorder.facts.lost > 0
        refusing[0] = False
        kiosk.give(pictures(4, 114))
        kiosk.recorder.cut()
        until(lambda: len(kiosk.sealed) == 1)
        kiosk.settled()
        assert kiosk.opened(kiosk.sealed[0].segment) == 4 * FPS
        (kept,) = Shelf(kiosk.folder).recover()
        assert kept.duration_ms > 3_000, "what was written before the disk refused is kept as far as it is whole"
        assert kiosk.opened(kept.segment) == kept.duration_ms * FPS / 1000

    def test_a_disk_that_hangs_loses_pictures_and_says_how_many_but_never_makes_the_camera_wait(
        self, kiosk: Kiosk, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        gate, real = [False], os.fdatasync

        def fdatasync(fd: int) -> None:
            until(lambda: gate[0])
            real(fd)

        monkeypatch.setattr(segment_file.os, "fdatasync", fdatasync)  # type: ignore[attr-defined]
        monkeypatch.setattr("device.cameras.recorder._WAITING_BYTES", 40_000)
        kiosk.follow()
        monkeypatch.setattr(segment_file.time, "monotonic_ns", lambda: time.time_ns() * 1000)  # type: ignore[attr-defined]
        kiosk.give(pictures(60))  # returns, though nothing is written
        gate[0] = True
        kiosk.recorder.cut()
        until(lambda: bool(kiosk.sealed))
        kiosk.settled()
        kept = sum(one.frames for one in kiosk.sealed)
        assert 0 < kept < 60 * FPS
        assert kept + kiosk.recorder.facts.lost == 60 * FPS
        assert sum(kiosk.opened(one.segment) for one in kiosk.sealed) == kept

    def test_a_key_that_is_none_fails_in_words_and_writes_nothing(self, kiosk: Kiosk) -> None:
        kiosk.follow(fleet_key="bm8=")
        kiosk.give(pictures(2))
        kiosk.settled()
        (failed,) = kiosk.told
        assert isinstance(failed, Failed)
        assert "segment-key" in failed.reason
        assert kiosk.files() == []
