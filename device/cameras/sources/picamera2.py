"""A camera on a Raspberry Pi's ribbon connector, through picamera2 and libcamera.

picamera2 comes from apt, on a Pi and nowhere else, so it is imported only when such a camera is asked for. Which
releases belong together, and what must not be mixed, stands in docs/libcamera.md.

A camera that stops (a loose ribbon, a weak supply) raises nothing: libcamera returns its requests as cancelled and
picamera2 passes on completed ones only. There is silence, so each wait has a deadline.
"""

import contextlib
import importlib
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from types import ModuleType
from typing import TYPE_CHECKING, Any, Final

from device.cameras.errors import SourceFailed, SourceMissing, SourceStalled
from device.cameras.pace import Pace
from device.cameras.source import CameraSpec, Frame, Native, Packet, Source
from device.cameras.sources.picamera2_encoder import HardwareEncoder, require_encoder
from device.cameras.sources.picamera2_frames import FORMS, Haste, Stream, captured_ns, picture
from device.cameras.sources.picamera2_setup import configure, given_fps

if TYPE_CHECKING:
    pass

_LOCATIONS: Final = ("front", "back", "external")
"""By libcamera's numbers of the Location property."""


@dataclass(frozen=True, slots=True)
class PiCamera:
    """A camera that libcamera has found."""

    id: str
    """Where it is connected, as the device tree has it: `/base/axi/pcie@120000/rp1/i2c@88000/imx708@1a`."""
    model: str
    """The sensor, such as `imx708`."""
    location: str
    """`front`, `back`, `external`, or nothing where libcamera does not know."""


def cameras() -> list[PiCamera]:
    """The cameras that libcamera has found, in the order of the numbers by which picamera2 opens them.

    Raises:
        SourceMissing: picamera2 is not installed, or does not fit what is installed beside it.
        SourceFailed: libcamera does not answer.
    """
    return _found(_load("picamera2"), "picamera2")


def choose(wanted: str, found: Sequence[PiCamera]) -> int:
    """Find a camera by its Id, by an ending of it that begins after a slash, or by its model.

    Never by number: numbers follow what is plugged in, and the desk would one day become the student (K2).

    Returns:
        The place in `found` of the only camera meant.

    Raises:
        SourceMissing: none is meant, or several are; the message names the Ids there are.
    """
    name = f"picamera2:{wanted}"
    tests: tuple[Callable[[PiCamera], bool], ...] = (
        lambda camera: camera.id == wanted,
        lambda camera: camera.id.endswith(f"/{wanted}"),
        lambda camera: camera.model == wanted,
    )
    ids = ", ".join(camera.id for camera in found)
    for is_meant in tests:
        places = [place for place, camera in enumerate(found) if is_meant(camera)]
        if len(places) == 1:
            return places[0]
        if places:
            raise SourceMissing(f"{name}: several cameras are called that; write more of the Id of one of them: {ids}")
    if not found:
        raise SourceMissing(f"{name}: libcamera finds no camera; is the ribbon cable seated at both ends?")
    raise SourceMissing(f"{name}: no camera is called that; there are: {ids}")


def open_picamera2(spec: CameraSpec, id_: str) -> Source:
    """Open the camera that `id_` names; see `choose`.

    Returns:
        A source; one that is an `EncodingSource` as well when `spec.encoder` is `hardware`.

    Raises:
        SourceMissing: there is no such camera, or no picamera2; the message says what there is or what to install.
        SourceFailed: it is there and does not start, or this machine has not the encoder asked for.
    """
    name = f"picamera2:{id_}"
    if spec.width % 2 or spec.height % 2:
        raise SourceFailed(f"{name}: a Pi camera's picture has even sides, not {spec.width}x{spec.height}")
    picamera2 = _load(name)
    place = choose(id_, _found(picamera2, name))
    if spec.encoder == "hardware":
        require_encoder(name)
    try:
        camera = picamera2.Picamera2(place)
    except Exception as error:
        raise SourceFailed(f"{name}: it does not open ({error}); another program may hold it") from error
    try:
        configure(camera, spec, name)
        camera.start()
        is_encoding = spec.encoder == "hardware"
        return EncodingPicamera2Source(camera, spec, name) if is_encoding else Picamera2Source(camera, spec, name)
    except SourceFailed:
        camera.close()
        raise
    except Exception as error:
        camera.close()
        raise SourceFailed(f"{name}: it opens and does not start: {error}") from error


class Picamera2Source:
    """An open camera of the Pi.

    Args:
        camera: a configured and started `Picamera2`; closing the source closes it.
        spec: the camera.
        name: the camera, for messages.
    """

    def __init__(self, camera: Any, spec: CameraSpec, name: str) -> None:
        self._camera = camera
        self._spec = spec
        self._name = name
        self._job: Any = None  # the order for the next frame, while it is not answered
        self._haste = Haste(spec.fps)
        self._pace: Pace | None = None
        self._last_ns = 0
        streams = camera.camera_configuration()
        self._main = main = Stream.of(streams["main"])
        self._small = Stream.of(streams["lores"]) if streams["lores"] else None
        self.native: Final = Native(main.width, main.height, given_fps(spec, camera.camera_controls), main.form)

    def read(self, timeout_s: float) -> Frame:
        """See `Source.read`. Frames are I420, or NV12 where the camera has nothing else."""
        if self._camera is None:
            raise SourceFailed(f"{self._name}: the source is closed")
        until_s = time.monotonic() + timeout_s
        if self._job is None:
            if self._pace is not None and self._pace.next(timeout_s) is None:
                raise SourceStalled(f"{self._name}: no frame was due")
            self._job = self._camera.capture_request(wait=False)
        try:
            request = self._job.get_result(timeout=max(0.0, until_s - time.monotonic()))
        except TimeoutError as error:
            # The order stands until the next read. Cancelled now, it may have been given a buffer just before, which
            # nobody would ever give back; a few of those and the camera stands still.
            raise SourceStalled(f"{self._name}: no frame for {timeout_s:g} s") from error
        except Exception as error:
            self._job = None
            raise SourceFailed(f"{self._name}: it stopped giving frames: {error}") from error
        self._job = None
        return self._taken(request)

    def close(self) -> None:
        """See `Source.close`.

        It may block for ever when the ribbon has moved (picamera2#1065, #1264). Only the end of the process helps then,
        which is what the worker is for.
        """
        camera, self._camera = self._camera, None
        if camera is None:
            return
        job, self._job = self._job, None
        try:
            # picamera2's own thread first. It carries out one order after another, so the one to stop would wait behind
            # ours for a frame that never comes; or it died of something libcamera said, and carries out none.
            camera.stop_preview()
            camera.stop()
            if job is not None:
                with contextlib.suppress(TimeoutError):
                    job.get_result(timeout=0).release()
        finally:
            camera.close()

    def _taken(self, request: Any) -> Frame:
        """What is needed of a picture, copied out of its buffer, which goes back to the camera."""
        now_ns, boot_ns = time.monotonic_ns(), time.clock_gettime_ns(time.CLOCK_BOOTTIME)
        try:
            buffer = request.make_buffer("main")
            grey = self._small.luma(request.make_buffer("lores")) if self._small is not None else None
            stamp = request.get_metadata().get("SensorTimestamp")
        except Exception as error:
            raise SourceFailed(f"{self._name}: a picture cannot be read: {error}") from error
        finally:
            request.release()
        if self._pace is None and self._haste.is_too_fast(now_ns):
            self._pace = Pace(self._spec.fps)
        # A stamp that is not believed stands between two that are: the order must stay all the same.
        self._last_ns = max(captured_ns(stamp, now_ns, boot_ns), self._last_ns + 1)
        image = picture(buffer, self._main, self._spec.width, self._spec.height)
        if grey is not None:
            grey.flags.writeable = False
        return Frame(image, self._last_ns, FORMS[self._main.form], grey)


class EncodingPicamera2Source(Picamera2Source):
    """A camera of the Pi behind the Pi 4's own encoder: frames as before, and packets besides."""

    def __init__(self, camera: Any, spec: CameraSpec, name: str) -> None:
        super().__init__(camera, spec, name)
        self._encoder = HardwareEncoder(camera, spec, name)

    def start_encoding(self, on_packet: Callable[[Packet], None]) -> None:
        """See `EncodingSource.start_encoding`; raises SourceFailed when the encoder does not start."""
        self._encoder.start(on_packet)

    def stop_encoding(self) -> None:
        """See `EncodingSource.stop_encoding`."""
        self._encoder.stop()

    def force_keyframe(self) -> None:
        """See `EncodingSource.force_keyframe`."""
        self._encoder.force_keyframe()

    def set_bitrate(self, bits_per_s: int) -> None:
        """See `EncodingSource.set_bitrate`; raises SourceFailed when the encoder does not start again."""
        self._encoder.set_bitrate(bits_per_s)

    def close(self) -> None:
        """See `Source.close`."""
        try:
            self._encoder.stop()
        finally:
            super().close()


def _load(name: str) -> ModuleType:
    try:
        return importlib.import_module("picamera2")
    except ModuleNotFoundError as error:
        raise SourceMissing(
            f"{name}: {error}. On Raspberry Pi OS type: sudo apt install python3-picamera2 --no-install-recommends, "
            f"and run Carrel in a venv made with --system-site-packages (docs/libcamera.md)"
        ) from error
    except Exception as error:
        raise SourceMissing(
            f"{name}: picamera2 is installed and does not load ({error}); what pip and apt installed does not fit "
            f"together (docs/libcamera.md)"
        ) from error


def _found(picamera2: ModuleType, name: str) -> list[PiCamera]:
    try:
        known = picamera2.Picamera2.global_camera_info()
    except Exception as error:
        raise SourceFailed(f"{name}: libcamera does not answer: {error}") from error
    # picamera2 opens by place in this list; its own `Num` is another count, libcamera's.
    return [PiCamera(one["Id"], one.get("Model", ""), _location(one.get("Location"))) for one in known]


def _location(number: object) -> str:
    return _LOCATIONS[number] if isinstance(number, int) and 0 <= number < len(_LOCATIONS) else ""
