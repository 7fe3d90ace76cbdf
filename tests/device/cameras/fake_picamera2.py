"""A stand-in for picamera2, for machines that have none, with the rules of the real one (0.3.38).

`Bench` is what is plugged into the Pi; `installed` puts the stand-in into `sys.modules`. `DOORS` lists what the product
calls, and tests/libcamera holds that list against the real picamera2.
"""

import contextlib
import itertools
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from types import ModuleType
from typing import TYPE_CHECKING, Any, ClassVar
from unittest import mock

import numpy as np

if TYPE_CHECKING:
    from device.cameras.source import Image

Limits = tuple[object, object, object]

DESK = "/base/axi/pcie@120000/rp1/i2c@88000/imx708@1a"
STUDENT = "/base/axi/pcie@120000/rp1/i2c@80000/imx708@1a"
FOR_EVER_S = 3.0
"""How long the stand-in waits where the real one never comes back."""
_UNPACED_S = 0.001
PADDING = 0xEE


def scene(width: int, height: int, shade: int) -> "tuple[Image, Image, Image]":
    """The luminance and the two chroma planes that a camera of that shade sees."""
    down, across = np.mgrid[0:height, 0:width]
    y = ((down + across + shade) % 200 + 16).astype(np.uint8)
    u = (down[: height // 2, : width // 2] % 90 + 20).astype(np.uint8)
    v = (across[: height // 2, : width // 2] % 90 + 130).astype(np.uint8)
    return y, u, v


@dataclass
class Sensor:
    """One camera as it is plugged in, what may be wrong with it, and what was done to it."""

    id: str
    model: str = "imx708"
    location: int | None = 1
    shade: int = 0
    streams: int = 2
    forms: tuple[str, ...] = ("YUV420", "NV12")
    """The formats it has; the first is what it gives instead of any other."""
    size: tuple[int, int] | None = None
    """The only size it has, where it has only one."""
    align: int = 64
    """Rows are this many bytes long, or a multiple of it."""
    controls: dict[str, Limits] = field(default_factory=lambda: {"FrameDurationLimits": (8333, 1_000_000, None)})
    is_paced: bool = True
    stamp: Callable[[], object] = time.monotonic_ns
    trouble_opening: Exception | None = None
    trouble_starting: Exception | None = None
    trouble_stopping: Exception | None = None

    is_silent: bool = False
    holder: "Picamera2 | None" = None
    told: dict[str, object] = field(default_factory=dict)
    asked: list[tuple[dict[str, Any], dict[str, Any] | None]] = field(default_factory=list)
    calls: list[str] = field(default_factory=list)
    lent: int = 0
    """Buffers that are not with the camera."""


@dataclass
class Bench:
    """What is plugged in, in the order in which picamera2 numbers it, and the chip's encoder."""

    sensors: list[Sensor]
    trouble: Exception | None = None
    """Raised when libcamera is asked what there is."""
    chip_trouble: Exception | None = None
    says_parameters: str = "always"
    """When the chip gives SPS and PPS: `always` with a keyframe, `once`, or `apart` as a buffer of their own."""
    encoders: list["H264Encoder"] = field(default_factory=list)


class Job:
    """One order to picamera2's own thread."""

    def __init__(self, function: Callable[[], tuple[bool, Any]]) -> None:
        self._function = function
        self._future: Future[Any] = Future()

    def is_carried_out(self) -> bool:
        is_done, result = self._function()
        if is_done:
            self._future.set_result(result)
        return is_done

    def get_result(self, timeout: float | None = None) -> Any:
        return self._future.result(timeout)


class CompletedRequest:
    """The buffers of one picture; they are lent, and have to be given back once."""

    def __init__(self, camera: "Picamera2", stamp: object) -> None:
        self._camera = camera
        self.stamp = stamp
        self._is_lent = True
        camera.sensor.lent += 1

    def release(self) -> None:
        if not self._is_lent:
            raise RuntimeError("CompletedRequest: lock now has negative ref_count")
        self._is_lent = False
        self._camera.sensor.lent -= 1

    def make_buffer(self, name: str) -> "Image":
        if not self._is_lent or self._camera.camera_config[name] is None:
            raise RuntimeError(f"Stream {name!r} is not defined")  # a released request has forgotten its streams
        return buffer(self._camera.camera_config[name], self._camera.sensor.shade)

    def get_metadata(self) -> dict[str, object]:
        return {} if self.stamp is None else {"SensorTimestamp": self.stamp}


def buffer(stream: Mapping[str, Any], shade: int) -> "Image":
    """The bytes of a picture, with padding after each row and bytes to spare after the last."""
    (width, height), stride = stream["size"], stream["stride"]
    y, u, v = scene(width, height, shade)
    lines = np.full((height * 3 // 2, stride), PADDING, np.uint8)
    lines[:height, :width] = y
    if stream["format"] == "NV12":
        lines[height:, :width] = np.dstack([u, v]).reshape(height // 2, width)
    else:
        lines[height:].reshape(height, stride // 2)[:, : width // 2] = np.vstack([u, v])
    return np.concatenate([lines.ravel(), np.full(512, PADDING, np.uint8)])


class Picamera2:
    """As much of the real one as the product calls."""

    bench: ClassVar[Bench]

    @staticmethod
    def global_camera_info() -> list[dict[str, object]]:
        if Picamera2.bench.trouble is not None:
            raise Picamera2.bench.trouble
        # `Num` is libcamera's count, which is not the place in this list.
        return [
            {"Id": sensor.id, "Model": sensor.model, "Num": 9 - place}
            | ({} if sensor.location is None else {"Location": sensor.location})
            for place, sensor in enumerate(Picamera2.bench.sensors)
        ]

    def __init__(self, camera_num: int = 0) -> None:
        if camera_num >= len(self.bench.sensors):
            raise RuntimeError(f"No camera number {camera_num} found")
        self.sensor = self.bench.sensors[camera_num]
        if self.sensor.trouble_opening is not None or self.sensor.holder is not None:
            raise RuntimeError("Camera __init__ sequence did not complete.") from self.sensor.trouble_opening
        self.sensor.holder = self
        self.camera_config: dict[str, Any] = {}
        self._lock = threading.RLock()
        self._jobs: list[Job] = []
        self._completed: list[CompletedRequest] = []
        self._encoders: set[H264Encoder] = set()
        self._wake = threading.Event()
        self._loop: threading.Thread | None = None
        self._ends = False
        self._started = False

    @property
    def camera_controls(self) -> dict[str, Limits]:
        return dict(self.sensor.controls)

    def create_video_configuration(
        self,
        main: Mapping[str, Any] = {},
        lores: Mapping[str, Any] | None = None,
        raw: Mapping[str, Any] | None = {},
        buffer_count: int = 6,
        controls: Mapping[str, object] = {},
        display: str | None = "main",
        encode: str | None = "main",
        queue: bool = True,
    ) -> dict[str, Any]:
        return {
            "main": {"format": "XBGR8888", "size": (1280, 720), **main},
            "lores": None if lores is None else {"format": "YUV420", **lores},
            "raw": raw, "controls": dict(controls), "buffer_count": buffer_count, "queue": queue,
            "display": display, "encode": encode,
        }  # fmt: skip

    def configure(self, camera_config: Mapping[str, Any]) -> None:
        main, lores = dict(camera_config["main"]), camera_config["lores"]
        self.sensor.asked.append((dict(main), None if lores is None else dict(lores)))
        if any(side % 2 for stream in (main, lores) if stream is not None for side in stream["size"]):
            raise RuntimeError("width and height should be even")
        if lores is not None and any(small > large for small, large in zip(lores["size"], main["size"], strict=True)):
            raise RuntimeError("lores stream dimensions may not exceed main stream")
        if lores is not None and self.sensor.streams < 2:
            # What becomes of libcamera's answer "not two of them", which is a null pointer.
            raise AttributeError("'NoneType' object has no attribute 'orientation'")
        for name in camera_config["controls"]:
            if name not in self.sensor.controls:
                raise RuntimeError(f"Control {name} is not advertised by libcamera")
        self.sensor.told = dict(camera_config["controls"])
        given = [None if one is None else self._adjusted(one) for one in (main, lores)]
        self.camera_config = {**camera_config, "main": given[0], "lores": given[1]}

    def _adjusted(self, stream: Mapping[str, Any]) -> dict[str, Any]:
        """What libcamera makes of a wish, without a word."""
        form = stream["format"] if stream["format"] in self.sensor.forms else self.sensor.forms[0]
        size = self.sensor.size or stream["size"]
        return {"format": form, "size": size, "stride": -(-size[0] // self.sensor.align) * self.sensor.align}

    def camera_configuration(self) -> dict[str, Any]:
        return self.camera_config

    def start(self) -> None:
        if not self.camera_config:
            raise RuntimeError("Camera has not been configured")
        if self.sensor.trouble_starting is not None:
            raise self.sensor.trouble_starting
        self._started = True
        self._loop = threading.Thread(target=self._run, daemon=True)
        self._loop.start()

    def capture_request(self, wait: float | bool | None = None) -> Any:
        return self._dispatch(self._capture, wait)

    def stop_preview(self) -> None:
        """End picamera2's own thread; jobs that wait are never carried out then."""
        if self._loop is None:
            raise RuntimeError("No preview specified.")
        self._ends = True
        self._wake.set()
        self._loop.join()
        self._loop = None

    def break_loop(self) -> None:
        """picamera2's own thread dies, as it does when libcamera refuses a buffer."""
        self._ends = True
        self._wake.set()

    def stop(self) -> None:
        self.sensor.calls.append("stop")
        if self.sensor.trouble_stopping is not None:
            raise self.sensor.trouble_stopping
        if self._loop is None:
            self._stop()
            return
        try:
            self._dispatch(self._stop, FOR_EVER_S)
        except TimeoutError:
            raise AssertionError("the real stop() waits for ever behind a job that is never done") from None

    def close(self) -> None:
        self.sensor.calls.append("close")
        if self._loop is not None:
            self.stop_preview()
        if self._started:
            self._stop()
        self.sensor.holder = None

    def start_encoder(self, encoder: "H264Encoder", output: "Output", name: str | None = None) -> None:
        if not isinstance(output, Output):
            raise RuntimeError("Must pass Output")  # noqa: TRY004 - the real one raises this
        if not self._started or self.camera_config.get(name or "main") is None:
            raise RuntimeError(f"Encode stream {name} was not defined")
        if self.bench.chip_trouble is not None:
            raise self.bench.chip_trouble
        encoder.output = output
        with self._lock:
            self._encoders.add(encoder)

    def stop_encoder(self, encoders: "H264Encoder") -> None:
        self.sensor.calls.append("stop_encoder")
        with self._lock:
            self._encoders.remove(encoders)

    def _dispatch(self, function: Callable[[], tuple[bool, Any]], wait: float | bool | None) -> Any:
        job = Job(function)
        with self._lock:
            self._jobs.append(job)
        self._wake.set()
        if wait is False:
            return job
        return job.get_result(wait)

    def _capture(self) -> tuple[bool, Any]:
        return (True, self._completed.pop()) if self._completed else (False, None)

    def _stop(self) -> tuple[bool, Any]:
        self._started = False
        while self._completed:
            self._completed.pop().release()
        return True, None

    def _run(self) -> None:
        limits = self.sensor.told.get("FrameDurationLimits")
        pause_s = limits[0] / 1e6 if self.sensor.is_paced and isinstance(limits, tuple) else _UNPACED_S
        due_s = time.monotonic() + pause_s
        while not self._ends:
            self._wake.wait(max(0.0, due_s - time.monotonic()))
            self._wake.clear()
            with self._lock:
                if time.monotonic() >= due_s:
                    due_s = time.monotonic() + pause_s
                    self._take_picture()
                while self._jobs and self._jobs[0].is_carried_out():
                    self._jobs.pop(0)
                while len(self._completed) > 1:  # `queue`: the last picture waits for whoever asks
                    self._completed.pop(0).release()

    def _take_picture(self) -> None:
        has_buffers = self.sensor.lent < self.camera_config["buffer_count"]
        if self.sensor.is_silent or not self._started or not has_buffers:
            return
        request = CompletedRequest(self, self.sensor.stamp())
        self._completed.append(request)
        for encoder in self._encoders:
            encoder.encode(request)


class Output:
    """Where an encoder puts what it makes."""

    def outputframe(self, frame: bytes, keyframe: bool = True, timestamp: int | None = None) -> None:
        raise NotImplementedError


class H264Encoder:
    """The chip's encoder: its clock starts at its first picture, and its first picture is a keyframe."""

    def __init__(self, iperiod: int, **options: object) -> None:
        self.options = {**options, "iperiod": iperiod}
        self.output = Output()
        self.firsttimestamp: int | None = None
        self._every = iperiod
        self._count = itertools.count()
        self._is_forced = False
        Picamera2.bench.encoders.append(self)

    def force_key_frame(self) -> None:
        self._is_forced = True

    def encode(self, request: CompletedRequest) -> None:
        stamp = request.stamp
        assert isinstance(stamp, int)
        if self.firsttimestamp is None:
            self.firsttimestamp = stamp // 1000
        number, timestamp_us = next(self._count), stamp // 1000 - self.firsttimestamp
        is_keyframe, self._is_forced = self._is_forced or number % self._every == 0, False
        says = Picamera2.bench.says_parameters
        if is_keyframe and says == "apart":
            self.output.outputframe(PARAMETERS, True, timestamp_us)
        has_parameters = says == "always" or (says == "once" and number == 0)
        coded = (PARAMETERS if has_parameters else b"") + IDR if is_keyframe else DELTA
        self.output.outputframe(coded, is_keyframe, timestamp_us)


PARAMETERS = b"\0\0\0\1\x67\x42\xc0\x1f\xda\0\0\0\1\x68\xce\x3c\x80"
IDR = b"\0\0\0\1\x65\x88\x84\x11"
DELTA = b"\0\0\0\1\x41\x9a\x22\x33"

DOORS = {
    "picamera2": (
        "Picamera2", "Picamera2.global_camera_info", "Picamera2.camera_controls", "Picamera2.configure",
        "Picamera2.create_video_configuration", "Picamera2.camera_configuration", "Picamera2.start",
        "Picamera2.capture_request", "Picamera2.stop_preview", "Picamera2.stop", "Picamera2.close",
        "Picamera2.start_encoder", "Picamera2.stop_encoder",
    ),
    "picamera2.request": (
        "CompletedRequest.make_buffer", "CompletedRequest.get_metadata", "CompletedRequest.release",
    ),
    "picamera2.job": ("Job.get_result",),
    "picamera2.outputs": ("Output", "Output.outputframe"),
    "picamera2.encoders.h264_encoder": ("H264Encoder.force_key_frame",),
}  # fmt: skip
"""By module: each name the product uses, there and here."""


@contextlib.contextmanager
def installed(sensors: Sequence[Sensor]) -> Iterator[Bench]:
    """The stand-in in the place of picamera2; afterwards no camera may be held and no buffer lent."""
    modules = {name: ModuleType(name) for name in ("picamera2", "picamera2.encoders", *DOORS)}
    for name, module in modules.items():
        for first in {dotted.split(".")[0] for dotted in DOORS.get(name, ())}:
            setattr(module, first, globals()[first])
    bench = Picamera2.bench = Bench(list(sensors))
    with mock.patch.dict(sys.modules, modules):
        yield bench
    for sensor in bench.sensors:
        assert sensor.holder is None, f"{sensor.id} is still held"
        assert sensor.lent == 0, f"{sensor.id} misses {sensor.lent} buffers"
