"""What becomes of a Pi camera's picture: its planes, its stamp, its pace."""

import math
import time
from collections.abc import Callable, Iterator

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from device.cameras import pixels
from device.cameras.errors import SourceFailed, SourceStalled
from device.cameras.source import Layout, Native
from device.cameras.sources import open_source
from device.cameras.sources.picamera2_frames import Haste, Stream, captured_ns, picture
from tests.device.cameras.fake_picamera2 import DESK, PADDING, Sensor, scene
from tests.device.cameras.pi_kit import FPS, HEIGHT, WIDTH, Plug, i420, plugging, read_often, spec

S = 1_000_000_000


@pytest.fixture
def plug() -> Iterator[Plug]:
    yield from plugging()


class TestPictures:
    def test_padding_is_cut_off_and_the_planes_lie_one_behind_the_other(self, plug: Plug) -> None:
        plug(Sensor(DESK))
        source = open_source(spec())
        frame = source.read(2.0)
        assert frame.layout is Layout.I420
        assert frame.image.flags.c_contiguous
        assert np.array_equal(frame.image, i420(WIDTH, HEIGHT))
        source.close()

    def test_nv12_keeps_its_chroma_in_pairs(self, plug: Plug) -> None:
        plug(Sensor(DESK, streams=1, forms=("NV12",)))
        source = open_source(spec())
        frame = source.read(2.0)
        y, u, v = scene(WIDTH, HEIGHT, 0)
        assert frame.layout is Layout.NV12
        assert np.array_equal(frame.image[:HEIGHT], y)
        assert np.array_equal(frame.image[HEIGHT:, 0::2], u)
        assert np.array_equal(frame.image[HEIGHT:, 1::2], v)
        source.close()

    def test_nobody_can_write_to_a_picture_and_no_source_does(self, plug: Plug) -> None:
        plug(Sensor(DESK))
        source = open_source(spec())
        first = source.read(2.0).image
        copy = first.copy()
        read_often(source, 5)
        assert np.array_equal(first, copy)
        with pytest.raises(ValueError, match="read-only"):
            first[0, 0] = 1
        source.close()

    @pytest.mark.parametrize("forms", [("YUV420",), ("NV12",)])
    def test_another_size_is_brought_to_the_one_asked_for_colours_and_all(
        self, plug: Plug, forms: tuple[str, ...]
    ) -> None:
        plug(Sensor(DESK, size=(880, 440), forms=forms))
        source = open_source(spec())
        frame = source.read(2.0)
        assert source.native == Native(880, 440, FPS, forms[0])
        assert frame.image.shape == (HEIGHT * 3 // 2, WIDTH)
        y, u, v = scene(880, 440, 0)
        code = cv2.COLOR_YUV2BGR_I420 if forms == ("YUV420",) else cv2.COLOR_YUV2BGR_NV12
        got = cv2.cvtColor(cv2.cvtColor(frame.image, code), cv2.COLOR_BGR2YCrCb).reshape(-1, 3).mean(axis=0)
        whole = np.concatenate([plane.ravel() for plane in (y, u, v)]).reshape(660, 880)
        # 40 columns are cut from each side of the camera's wider picture.
        wanted = cv2.cvtColor(cv2.cvtColor(whole, cv2.COLOR_YUV2BGR_I420)[:, 40:840], cv2.COLOR_BGR2YCrCb)
        assert np.abs(got - wanted.reshape(-1, 3).mean(axis=0)).max() < 2
        source.close()

    def test_the_small_grey_one_is_the_same_view(self, plug: Plug) -> None:
        plug(Sensor(DESK))
        source = open_source(spec())
        frame = source.read(2.0)
        grey = frame.grey
        assert grey is not None
        assert pixels.small_grey(frame, 320) is grey, "the checks take it as it is"
        assert np.array_equal(grey, scene(320, 176, 0)[0])
        assert not grey.flags.writeable
        source.close()

    @given(
        width=st.integers(10, 40).map(lambda half: half * 2),
        height=st.integers(10, 30).map(lambda half: half * 2),
        pad=st.integers(0, 20).map(lambda half: half * 2),
        spare=st.integers(0, 40),
        form=st.sampled_from(["YUV420", "NV12"]),
        out=st.tuples(st.integers(10, 30), st.integers(10, 30)),
    )
    def test_no_byte_of_padding_ever_reaches_a_picture(
        self, width: int, height: int, pad: int, spare: int, form: str, out: tuple[int, int]
    ) -> None:
        stream = Stream(width, height, width + pad, form)
        buffer = np.full(height * 3 // 2 * stream.stride + spare, PADDING, np.uint8)
        rows = stream.rows(buffer)
        rows[:height, :width] = 60
        if form == "NV12":
            rows[height:, :width] = 60
        else:
            rows[height:].reshape(height, -1)[:, : width // 2] = 60
        image = picture(buffer, stream, out[0] * 2, out[1] * 2)
        assert image.shape == (out[1] * 3, out[0] * 2)
        assert (image == 60).all()

    @given(missing=st.integers(1, 600))
    def test_a_buffer_with_too_little_in_it_is_a_failure_in_words(self, missing: int) -> None:
        stream = Stream(20, 20, 20, "YUV420")
        with pytest.raises(SourceFailed, match=f"20x20 YUV420 came as {600 - missing} bytes"):
            picture(np.zeros(600 - missing, np.uint8), stream, 20, 20)


class TestStamps:
    NOW, BOOT = 1_000 * S, 5_000 * S
    """A machine that has slept for 4000 s."""

    @given(age_ns=st.integers(0, 2 * S))
    def test_a_stamp_of_either_clock_tells_how_old_the_picture_is(self, age_ns: int) -> None:
        for clock_ns in (self.NOW, self.BOOT):
            assert captured_ns(clock_ns - age_ns, self.NOW, self.BOOT) == self.NOW - age_ns

    @given(st.one_of(st.none(), st.just(math.nan), st.text(), st.integers(), st.integers(-3 * S, 3 * S)))
    def test_a_stamp_is_never_believed_to_be_of_another_time_than_about_now(self, stamp: object) -> None:
        for offset in (0, self.NOW, self.BOOT):
            told = stamp + offset if isinstance(stamp, int) else stamp
            assert self.NOW - 2 * S <= captured_ns(told, self.NOW, self.BOOT) <= self.NOW

    @pytest.mark.parametrize("stamp", [lambda: None, lambda: math.nan, lambda: 7, lambda: time.monotonic_ns() + S])
    def test_stamps_rise_whatever_the_driver_says(self, plug: Plug, stamp: Callable[[], object]) -> None:
        plug(Sensor(DESK, stamp=stamp))
        source = open_source(spec())
        before_ns = time.monotonic_ns()
        stamps = [source.read(2.0).captured_ns for _ in range(5)]
        assert stamps == sorted(set(stamps))
        assert before_ns <= stamps[0] <= stamps[-1] <= time.monotonic_ns()
        source.close()

    def test_stamps_that_stand_still_rise_all_the_same(self, plug: Plug) -> None:
        fixed_ns = time.monotonic_ns()
        plug(Sensor(DESK, stamp=lambda: fixed_ns))
        source = open_source(spec())
        stamps = [source.read(2.0).captured_ns for _ in range(5)]
        assert stamps == sorted(set(stamps))
        source.close()

    def test_the_sensors_own_stamp_is_the_frames(self, plug: Plug) -> None:
        given_ns: list[int] = []

        def stamp() -> int:
            given_ns.append(time.monotonic_ns() - 15_000_000)
            return given_ns[-1]

        plug(Sensor(DESK, stamp=stamp))
        source = open_source(spec())
        assert source.read(2.0).captured_ns in given_ns
        source.close()


class TestPace:
    @given(fps=st.floats(1, 120), factor=st.floats(0.2, 5))
    def test_only_frames_at_more_than_one_and_a_half_times_the_rate_come_too_fast(
        self, fps: float, factor: float
    ) -> None:
        haste = Haste(fps)
        verdicts = [haste.is_too_fast(round(number * 1e9 / (fps * factor))) for number in range(20)]
        assert not any(verdicts[:9])
        if not math.isclose(factor, 1.5, rel_tol=1e-6):
            assert all(verdict == (factor > 1.5) for verdict in verdicts[9:])

    def test_a_pipeline_that_gives_all_it_can_is_paced(self, plug: Plug) -> None:
        plug(Sensor(DESK, is_paced=False))
        source = open_source(spec())
        read_often(source, 10)
        start_ns = source.read(2.0).captured_ns
        read_often(source, 24)
        assert source.read(2.0).captured_ns - start_ns > 0.4e9, "25 frames at 50 a second"
        with pytest.raises(SourceStalled, match="no frame was due"):
            read_often(source, 50, timeout_s=0.0005)
        source.close()

    def test_a_sensor_that_keeps_the_time_is_left_to_it(self, plug: Plug) -> None:
        plug(Sensor(DESK))
        source = open_source(spec())
        read_often(source, 25)
        assert vars(source)["_pace"] is None
        source.close()
