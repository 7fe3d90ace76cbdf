"""A camera on the Pi's ribbon: which one, opening, deadlines, closing. tests/libcamera has the real picamera2."""

import importlib
import logging
import subprocess
import sys
import time
from collections.abc import Iterator
from unittest import mock

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from device.cameras.errors import CameraError, SourceFailed, SourceMissing, SourceStalled
from device.cameras.source import Native, Source
from device.cameras.sources import open_source
from device.cameras.sources.picamera2 import PiCamera, cameras, choose
from device.cameras.sources.picamera2_setup import controls, given_fps
from tests.device.cameras import test_sources
from tests.device.cameras.fake_picamera2 import DESK, STUDENT, Picamera2, Sensor
from tests.device.cameras.pi_kit import FPS, HEIGHT, WIDTH, Plug, i420, plugging, read_often, spec


@pytest.fixture
def plug() -> Iterator[Plug]:
    yield from plugging()


def behind(source: Source) -> Picamera2:
    """The picamera2 behind a source."""
    camera = vars(source)["_camera"]
    assert isinstance(camera, Picamera2)
    return camera


class TestAsEverySource(test_sources.TestEverySource):
    """What every source has to do."""

    @pytest.fixture
    def source(self, plug: Plug) -> Source:
        plug(Sensor(DESK))
        return open_source(spec(width=test_sources.WIDTH, height=test_sources.HEIGHT, fps=test_sources.FPS))

    def test_a_late_reader_is_not_flooded_with_old_frames(self, source: Source) -> None:
        source.read(2.0)
        time.sleep(0.5)
        late_ns = time.monotonic_ns()
        stamps = [source.read(2.0).captured_ns for _ in range(7)]
        source.close()
        assert stamps[1] >= late_ns, "one picture had waited, the newest, and no more"
        assert stamps[-1] - late_ns > 3e9 / test_sources.FPS


class TestWhichCamera:
    def test_an_id_names_its_camera_wherever_that_stands_in_the_list(self, plug: Plug) -> None:
        desk, student = Sensor(DESK, shade=10), Sensor(STUDENT, shade=90)
        for order in ([desk, student], [student, desk]):
            plug(*order)
            for id_, shade in ((DESK, 10), (STUDENT, 90)):
                source = open_source(spec(id_))
                assert np.array_equal(source.read(2.0).image, i420(WIDTH, HEIGHT, shade))
                source.close()

    @pytest.mark.parametrize("name", ["imx477@1a", "i2c@88000/imx477@1a", "imx477"])
    def test_an_ending_or_a_model_names_a_camera_that_is_the_only_one(self, plug: Plug, name: str) -> None:
        plug(Sensor(STUDENT, shade=90), Sensor("/base/rp1/i2c@88000/imx477@1a", "imx477", shade=10))
        source = open_source(spec(name))
        assert np.array_equal(source.read(2.0).image, i420(WIDTH, HEIGHT, 10))
        source.close()

    @pytest.mark.parametrize("name", ["imx708@1a", "imx708"])
    def test_what_two_cameras_are_called_names_neither(self, plug: Plug, name: str) -> None:
        plug(Sensor(DESK), Sensor(STUDENT))
        with pytest.raises(SourceMissing, match="several") as refusal:
            open_source(spec(name))
        assert DESK in str(refusal.value)
        assert STUDENT in str(refusal.value)

    @pytest.mark.parametrize("name", ["0", "1", "708@1a", "1a", "imx219", "base", "imx708@1a/"])
    def test_a_number_or_a_piece_of_an_id_names_nothing(self, plug: Plug, name: str) -> None:
        plug(Sensor(DESK))
        with pytest.raises(SourceMissing) as refusal:
            open_source(spec(name))
        assert f"there are: {DESK}" in str(refusal.value)

    def test_a_pi_that_sees_no_camera_says_where_to_look(self, plug: Plug) -> None:
        plug()
        with pytest.raises(SourceMissing, match="ribbon cable"):
            open_source(spec())

    @given(
        ids=st.lists(st.text("ab/", min_size=1, max_size=6), unique=True, max_size=5),
        models=st.lists(st.sampled_from(["a", "b", "ab"]), min_size=5, max_size=5),
        wanted=st.text("ab/", min_size=1, max_size=6),
    )
    def test_a_camera_is_chosen_only_when_nothing_else_could_be_meant(
        self, ids: list[str], models: list[str], wanted: str
    ) -> None:
        found = [PiCamera(id_, model, "") for id_, model in zip(ids, models, strict=False)]
        meanings = (
            [camera for camera in found if camera.id == wanted],
            [camera for camera in found if camera.id.endswith("/" + wanted)],
            [camera for camera in found if camera.model == wanted],
        )
        meant = next(filter(None, meanings), [])
        if len(meant) == 1:
            assert found[choose(wanted, found)] == meant[0]
            return
        with pytest.raises(SourceMissing) as refusal:
            choose(wanted, found)
        assert all(camera.id in str(refusal.value) for camera in found)

    def test_the_list_for_people_has_id_model_and_location(self, plug: Plug) -> None:
        plug(Sensor(DESK, location=1), Sensor(STUDENT, "imx219", location=0), Sensor("/odd", location=9))
        Picamera2.bench.sensors.append(Sensor("/none", location=None))
        assert cameras() == [
            PiCamera(DESK, "imx708", "back"),
            PiCamera(STUDENT, "imx219", "front"),
            PiCamera("/odd", "imx708", ""),
            PiCamera("/none", "imx708", ""),
        ]


class TestInstallation:
    @pytest.mark.parametrize("absent", ["picamera2", "libcamera"])
    def test_without_it_the_camera_is_missing_and_the_message_says_what_to_type(self, absent: str) -> None:
        error = ModuleNotFoundError(f"No module named {absent!r}")
        with (
            mock.patch.object(importlib, "import_module", side_effect=error),
            pytest.raises(SourceMissing, match=f"picamera2:imx708: No module named '{absent}'") as refusal,
        ):
            open_source(spec("imx708"))
        assert "apt install python3-picamera2 --no-install-recommends" in str(refusal.value)
        assert "--system-site-packages" in str(refusal.value)

    @pytest.mark.parametrize(
        "error",
        [ValueError("numpy.dtype size changed, may indicate binary incompatibility"), ImportError("undefined symbol")],
    )
    def test_a_mixture_that_does_not_load_is_told_from_nothing_installed(self, error: Exception) -> None:
        with (
            mock.patch.object(importlib, "import_module", side_effect=error),
            pytest.raises(SourceMissing, match="does not fit together") as refusal,
        ):
            cameras()
        assert str(error) in str(refusal.value)
        assert "On Raspberry Pi OS type" not in str(refusal.value)

    def test_nothing_of_it_is_imported_before_a_camera_is_asked_for(self) -> None:
        code = (
            "import sys, device.cameras.supervisor, device.cameras.worker, device.cameras.sources.picamera2\n"
            "sys.exit(' '.join({'picamera2', 'libcamera'} & set(sys.modules)))"
        )
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
        assert done.stderr == "\n"

    def test_a_libcamera_that_does_not_answer_has_failed(self, plug: Plug) -> None:
        plug(Sensor(DESK)).trouble = RuntimeError("Failed to start the camera manager")
        with pytest.raises(SourceFailed, match="camera manager"):
            open_source(spec())


class TestOpening:
    def test_a_camera_that_another_program_holds_has_failed_in_words(self, plug: Plug) -> None:
        plug(Sensor(DESK))
        first = open_source(spec())
        with pytest.raises(SourceFailed, match="another program may hold it"):
            open_source(spec())
        first.close()
        again = open_source(spec())
        assert again.read(2.0).image.size
        again.close()

    def test_one_that_opens_and_does_not_start_is_let_go_of(self, plug: Plug) -> None:
        sensor = Sensor(DESK, trouble_starting=RuntimeError("Failed to start camera"))
        plug(sensor)
        with pytest.raises(SourceFailed, match=r"does not start.*Failed to start camera"):
            open_source(spec())
        assert sensor.calls == ["close"]

    def test_a_picture_with_an_odd_side_is_refused_before_anything_is_opened(self, plug: Plug) -> None:
        sensor = Sensor(DESK)
        plug(sensor)
        with pytest.raises(SourceFailed, match="even sides, not 401x220"):
            open_source(spec(width=401))
        assert not sensor.calls

    def test_the_best_streams_are_yuv420_and_a_small_one(self, plug: Plug) -> None:
        sensor = Sensor(DESK)
        plug(sensor)
        source = open_source(spec())
        assert sensor.asked == [
            ({"size": (WIDTH, HEIGHT), "format": "YUV420"}, {"size": (320, 176), "format": "YUV420"})
        ]
        assert source.native == Native(WIDTH, HEIGHT, FPS, "YUV420")
        source.close()

    @pytest.mark.parametrize(
        ("sensor", "form", "tries"),
        [
            (Sensor(DESK, streams=1), "YUV420", 2),
            (Sensor(DESK, streams=1, forms=("NV12",)), "NV12", 2),
            (Sensor(DESK, size=(800, 440)), "YUV420", 2),
            (Sensor(DESK, streams=1, forms=("MJPEG", "NV12")), "NV12", 3),
        ],
        ids=["one stream", "one stream of NV12", "a second stream as large as the first", "no YUV420"],
    )
    def test_a_camera_with_less_is_used_as_it_is(
        self, plug: Plug, caplog: pytest.LogCaptureFixture, sensor: Sensor, form: str, tries: int
    ) -> None:
        caplog.set_level(logging.DEBUG)
        plug(sensor)
        source = open_source(spec())
        assert source.native.form == form
        assert len(sensor.asked) == tries
        assert [record.levelname for record in caplog.records] == ["DEBUG"] * (tries - 1)
        frame = source.read(2.0)
        assert frame.image.shape == (HEIGHT * 3 // 2, WIDTH)
        assert frame.grey is None
        source.close()

    def test_a_camera_with_nothing_usable_has_failed_and_is_let_go_of(self, plug: Plug) -> None:
        sensor = Sensor(DESK, forms=("MJPEG",))
        plug(sensor)
        with pytest.raises(SourceFailed, match=r"neither YUV420 nor NV12.*MJPEG.*v4l2:"):
            open_source(spec())
        assert sensor.calls == ["close"]

    def test_a_picture_as_small_as_the_small_one_needs_no_second_stream(self, plug: Plug) -> None:
        sensor = Sensor(DESK)
        plug(sensor)
        open_source(spec(width=320, height=180)).close()
        assert [small for _main, small in sensor.asked] == [None]


class TestControls:
    FULL = frozenset({"FrameDurationLimits", "AfMode", "LensPosition", "AeFlickerMode", "AeFlickerPeriod"})

    def test_the_rate_is_held_from_both_sides(self) -> None:
        assert controls(spec(fps=30), self.FULL) == {"FrameDurationLimits": (33333, 33333)}

    def test_the_lens_is_held_where_the_spec_says(self) -> None:
        told = controls(spec(focus_dioptres=2.5), self.FULL)
        assert told["AfMode"] == 0
        assert told["LensPosition"] == pytest.approx(2.5)

    @pytest.mark.parametrize(("mains_hz", "period_us"), [(50, 10_000), (60, 8_333)])
    def test_the_flicker_of_lamps_is_twice_that_of_the_mains(self, mains_hz: int, period_us: int) -> None:
        told = controls(spec(mains_hz=mains_hz), self.FULL)
        assert (told["AeFlickerMode"], told["AeFlickerPeriod"]) == (1, period_us)

    def test_a_camera_is_told_only_what_it_has_a_control_for(self, plug: Plug) -> None:
        sensor = Sensor(DESK, controls={"FrameDurationLimits": (8333, 100_000, None), "LensPosition": (0, 10, 1)})
        plug(sensor)
        source = open_source(spec(focus_dioptres=2.5, mains_hz=60))
        assert sensor.told == {"FrameDurationLimits": (20_000, 20_000), "LensPosition": 2.5}
        source.close()

    @pytest.mark.parametrize(
        ("limits", "fps"),
        [((8333, 100_000, None), 50.0), ((40_000, 100_000, None), 25.0), ((100, 10_000, None), 100.0)],
    )
    def test_a_camera_says_what_it_gives_of_the_rate_asked_for(self, limits: tuple[int, int, None], fps: float) -> None:
        assert given_fps(spec(), {"FrameDurationLimits": limits}) == pytest.approx(fps)
        assert given_fps(spec(), {}) is None


class TestDeadlines:
    def test_a_silent_camera_stalls_and_goes_on_when_it_speaks_again(self, plug: Plug) -> None:
        sensor = Sensor(DESK)
        plug(sensor)
        source = open_source(spec())
        source.read(2.0)
        sensor.is_silent = True
        with pytest.raises(SourceStalled, match="no frame for"):
            read_often(source, 4, timeout_s=0.1)
        sensor.is_silent = False
        assert source.read(2.0).image.size
        source.close()

    def test_reads_that_run_out_of_time_again_and_again_lose_no_buffer(self, plug: Plug) -> None:
        plug(Sensor(DESK))
        source = open_source(spec())
        seen = missed = 0
        while seen < 20:
            try:
                source.read(0.003)
                seen += 1
            except SourceStalled:
                missed += 1
        assert missed
        source.close()

    @pytest.mark.parametrize("trouble", ["silent", "dead loop"])
    def test_a_camera_that_stopped_giving_frames_still_closes(self, plug: Plug, trouble: str) -> None:
        sensor = Sensor(DESK)
        plug(sensor)
        source = open_source(spec())
        source.read(2.0)
        if trouble == "silent":
            sensor.is_silent = True
        else:
            behind(source).break_loop()
        with pytest.raises(SourceStalled):
            read_often(source, 4, timeout_s=0.1)
        source.close()
        assert sensor.calls == ["stop", "close"]

    def test_a_frame_that_came_when_nobody_waited_any_more_is_given_back(self, plug: Plug) -> None:
        sensor = Sensor(DESK)
        plug(sensor)
        source = open_source(spec(fps=20))
        with pytest.raises(SourceStalled):
            read_often(source, 40, timeout_s=0.001)
        job = vars(source)["_job"]
        taken = job.get_result(2.0)
        assert sensor.lent >= 1
        source.close()
        with pytest.raises(RuntimeError):
            taken.release()

    def test_a_buffer_that_cannot_be_read_is_given_back(self, plug: Plug, monkeypatch: pytest.MonkeyPatch) -> None:
        sensor = Sensor(DESK)
        plug(sensor)
        source = open_source(spec())

        def make_buffer(_request: object, _name: str) -> None:
            raise RuntimeError("failed to find buffer")

        monkeypatch.setattr("tests.device.cameras.fake_picamera2.CompletedRequest.make_buffer", make_buffer)
        for _ in range(8):  # more than there are buffers
            with pytest.raises(SourceFailed, match="failed to find buffer"):
                source.read(2.0)
        source.close()


class TestClosing:
    def test_it_is_stopped_once_and_closed_once_however_often_it_is_asked(self, plug: Plug) -> None:
        sensor = Sensor(DESK)
        plug(sensor)
        source = open_source(spec())
        source.read(2.0)
        source.close()
        source.close()
        assert sensor.calls == ["stop", "close"]
        with pytest.raises(CameraError, match="closed"):
            source.read(0.1)

    def test_one_that_will_not_stop_is_closed_all_the_same_and_says_so(self, plug: Plug) -> None:
        sensor = Sensor(DESK, trouble_stopping=OSError("device or resource busy"))
        plug(sensor)
        source = open_source(spec())
        with pytest.raises(OSError, match="busy"):
            source.close()
        assert sensor.calls == ["stop", "close"]
