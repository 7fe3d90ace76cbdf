"""What every source has to do, and what each does in its own way."""

import itertools
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

import cv2
import numpy as np
import pytest

from device.cameras import pixels
from device.cameras.errors import BadCameraUri, CameraError, SourceMissing, SourceStalled
from device.cameras.fit import crop_to_fill
from device.cameras.source import CameraSpec, Source
from device.cameras.sources import open_source
from device.cameras.sources.v4l2 import StaleCheck
from lab import faults
from tests import media
from tests.device.cameras.v4l2.kit import CodedCamera

if TYPE_CHECKING:
    from device.cameras.source import Image

Opener: TypeAlias = Callable[[CameraSpec], Source]

WIDTH, HEIGHT, FPS = 320, 180, 20.0


def spec(uri: str, fps: float = FPS) -> CameraSpec:
    return CameraSpec("overhead", uri, WIDTH, HEIGHT, fps)


def read_often(source: Source, times: int, timeout_s: float) -> None:
    for _ in range(times):
        source.read(timeout_s)


@pytest.fixture(params=["video", "still", "desk", "student", "camera with its own h264", "with a fault"])
def source(request: pytest.FixtureRequest, tmp_path: Path) -> Source:
    match request.param:
        case "video":
            return open_source(spec(f"file:{media.clip('front', tmp_path)}"))
        case "still":
            return open_source(spec(f"file:{media.still(tmp_path)}"))
        case "desk" | "student":
            return open_source(spec(f"scene:{request.param}"))
        case "camera with its own h264":
            return CodedCamera(tmp_path / "video0", (WIDTH, HEIGHT), fps=FPS).open(WIDTH, HEIGHT)
        case _:
            faults.set_fault(tmp_path / "switch", faults.Fault.BLURRED)
            return faults.open_source(spec("scene:desk"), switch=os.fspath(tmp_path / "switch"))


class TestEverySource:
    def test_frames_have_the_specs_shape_and_rising_time_stamps(self, source: Source) -> None:
        before_ns = time.monotonic_ns()
        frames = [source.read(2.0) for _ in range(6)]
        assert all(pixels.bgr(frame).shape == (HEIGHT, WIDTH, 3) for frame in frames)
        assert all(frame.image.dtype == np.uint8 for frame in frames)
        stamps = [frame.captured_ns for frame in frames]
        assert stamps == sorted(set(stamps))
        assert before_ns <= stamps[0] <= stamps[-1] <= time.monotonic_ns()
        source.close()

    def test_frames_come_at_about_the_rate_asked_for(self, source: Source) -> None:
        source.read(2.0)
        until_ns = time.monotonic_ns() + 1_000_000_000
        count = 0
        while source.read(2.0).captured_ns < until_ns:
            count += 1
        assert FPS * 0.4 <= count <= FPS * 1.2
        source.close()

    def test_a_read_comes_back_without_a_frame_when_none_is_due(self, source: Source) -> None:
        source.read(2.0)
        with pytest.raises(SourceStalled):
            read_often(source, 100, timeout_s=0.001)
        source.close()

    def test_a_late_reader_is_not_flooded_with_old_frames(self, source: Source) -> None:
        source.read(2.0)
        time.sleep(0.5)
        late_ns = time.monotonic_ns()
        frames = [source.read(2.0).captured_ns for _ in range(7)]
        assert frames[0] >= late_ns
        assert frames[-1] - late_ns > 3e9 / FPS, "seven frames that had waited would have come at once"
        source.close()

    def test_a_frame_is_not_written_to_again(self, source: Source) -> None:
        first = source.read(2.0).image
        copy = first.copy()
        for _ in range(3):
            source.read(2.0)
        assert np.array_equal(first, copy)
        source.close()

    def test_closing_twice_is_fine(self, source: Source) -> None:
        assert source.read(2.0).image.size
        source.close()
        source.close()
        with pytest.raises(CameraError):
            source.read(0.2)


@pytest.mark.parametrize(
    "uri", ["file:/no/such/clip.mp4", "v4l2:/dev/no-such-camera", "picamera2:imx708", "file:/dev", "v4l2:/dev/null"]
)
def test_what_is_not_there_is_missing_by_its_name(uri: str) -> None:
    with pytest.raises(SourceMissing) as error:
        open_source(spec(uri))
    assert uri.partition(":")[2] in str(error.value)


def test_a_uri_that_names_nothing_is_refused() -> None:
    with pytest.raises(BadCameraUri):
        open_source(spec("webcam"))


@pytest.mark.parametrize("content", [b"", b"this is not a video", b"\x89PNG\r\n\x1a\n"])
def test_a_file_with_no_picture_in_it_is_missing_by_its_path(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "clip.mp4"
    path.write_bytes(content)
    with pytest.raises(SourceMissing, match=r"clip\.mp4"):
        open_source(spec(f"file:{path}"))


class TestVideo:
    @pytest.fixture
    def counting_clip(self, tmp_path: Path) -> Path:
        """Ten frames at 10 a second, each a different grey."""
        path = tmp_path / "count.avi"
        writer = cv2.VideoWriter(os.fspath(path), cv2.VideoWriter.fourcc(*"MJPG"), 10, (64, 36))
        for number in range(10):
            writer.write(np.full((36, 64, 3), 20 + number * 20, np.uint8))
        writer.release()
        return path

    @staticmethod
    def number(image: "Image") -> int:
        return round((float(image.mean()) - 20) / 20)

    def test_it_plays_at_its_own_speed_and_starts_again_at_the_end(self, counting_clip: Path) -> None:
        source = open_source(spec(f"file:{counting_clip}", fps=10))
        start_ns = time.monotonic_ns()
        seen = []
        while time.monotonic_ns() - start_ns < 2_300_000_000:
            frame = source.read(1.0)
            seen.append(self.number(frame.image))
            # By time, so never ahead of it.
            assert sum(after < before for before, after in itertools.pairwise(seen)) <= 2
        source.close()
        assert set(seen) == set(range(10))
        assert any(after < before for before, after in itertools.pairwise(seen))

    def test_a_rate_above_the_clips_repeats_its_frames(self, counting_clip: Path) -> None:
        source = open_source(spec(f"file:{counting_clip}", fps=40))
        seen = [self.number(source.read(1.0).image) for _ in range(16)]
        source.close()
        assert seen == sorted(seen)
        assert seen[-1] <= 6

    def test_a_slow_reader_skips_instead_of_slowing_the_clip(self, counting_clip: Path) -> None:
        source = open_source(spec(f"file:{counting_clip}", fps=10))
        assert self.number(source.read(1.0).image) == 0
        time.sleep(0.45)
        assert self.number(source.read(1.0).image) >= 4
        source.close()

    def test_a_reader_later_than_a_second_is_not_made_to_wait_for_the_decoder(self, counting_clip: Path) -> None:
        source = open_source(spec(f"file:{counting_clip}", fps=10))
        assert self.number(source.read(1.0).image) == 0
        time.sleep(2.5)
        # Ten frames on and not twenty-five: round the ten frames of this clip once.
        assert self.number(source.read(1.0).image) == 0
        source.close()

    def test_a_clip_that_vanishes_is_missing_when_it_comes_to_its_end(self, counting_clip: Path) -> None:
        source = open_source(spec(f"file:{counting_clip}", fps=40))
        source.read(1.0)
        counting_clip.unlink()
        with pytest.raises(CameraError, match=r"count\.avi"):
            read_often(source, 80, timeout_s=1.0)
        source.close()


class TestStill:
    def test_the_same_picture_comes_again_and_again_with_no_noise_added(self, tmp_path: Path) -> None:
        source = open_source(spec(f"file:{media.still(tmp_path)}"))
        first, second = source.read(1.0), source.read(1.0)
        assert np.array_equal(first.image, second.image)
        assert second.captured_ns > first.captured_ns
        source.close()


class TestFit:
    @pytest.mark.parametrize(
        ("have", "want"), [((480, 640), (180, 320)), ((100, 100), (180, 320)), ((720, 1280), (480, 640))]
    )
    def test_a_circle_in_the_middle_stays_round_and_in_the_middle(
        self, have: tuple[int, int], want: tuple[int, int]
    ) -> None:
        image = np.zeros((*have, 3), np.uint8)
        cv2.circle(image, (have[1] // 2, have[0] // 2), have[0] // 5, (255, 255, 255), -1)
        fitted = crop_to_fill(image, want[1], want[0])
        assert fitted.shape == (*want, 3)
        rows, columns = np.nonzero(fitted[..., 0] > 127)
        assert np.ptp(rows) == pytest.approx(np.ptp(columns), abs=2)
        assert rows.mean() == pytest.approx(want[0] / 2, abs=1.5)
        assert columns.mean() == pytest.approx(want[1] / 2, abs=1.5)

    def test_a_picture_that_fits_is_left_alone(self) -> None:
        image = np.zeros((180, 320, 3), np.uint8)
        assert crop_to_fill(image, 320, 180) is image


class TestStaleCheck:
    def test_the_very_same_bytes_for_three_seconds_are_stale(self) -> None:
        check, image = StaleCheck(), np.full((9, 16, 3), 100, np.uint8)
        verdicts = [check.is_stale(image.copy(), number * 33_000_000) for number in range(100)]
        assert not any(verdicts[:90])
        assert all(verdicts[92:])

    def test_a_quiet_scene_with_a_living_sensor_is_not(self) -> None:
        check, chance = StaleCheck(), np.random.default_rng(1)
        frames = (chance.integers(99, 102, (9, 16, 3)).astype(np.uint8) for _ in range(200))
        assert not any(check.is_stale(frame, number * 33_000_000) for number, frame in enumerate(frames))

    def test_a_very_slow_camera_is_not_stale_after_a_few_frames(self) -> None:
        check, image = StaleCheck(), np.zeros((9, 16, 3), np.uint8)
        assert not any(check.is_stale(image, number * 1_000_000_000) for number in range(29))
