"""What a camera of the Pi is asked for."""

import logging
from collections.abc import Container, Mapping
from typing import Any, Final

from device.cameras.errors import SourceFailed
from device.cameras.source import CameraSpec
from device.cameras.sources.picamera2_frames import FORMS

_log = logging.getLogger(__name__)

_BUFFERS: Final = 6
"""picamera2's own number for video: some may be read or coded while the sensor fills the others."""
_SMALL_WIDTH_PX: Final = 320
_FLICKER_US: Final = {50: 10_000, 60: 8_333}
"""Lamps flicker twice a period of the mains."""
# libcamera's numbers (control_ids_core.yaml); tests/libcamera holds them against the real ones.
AF_MANUAL: Final = 0
FLICKER_MANUAL: Final = 1


def configure(camera: Any, spec: CameraSpec, name: str) -> None:
    """Configure a `Picamera2` with the best streams it has.

    YUV420 in the spec's size, which needs no conversion before it is coded, and a small one beside it for looking at;
    else YUV420 alone; else NV12. libcamera may give another size than asked for.

    Raises:
        SourceFailed: it gives none of these.
    """
    trouble: Exception | None = None
    for streams in _wanted(spec):
        try:
            camera.configure(
                camera.create_video_configuration(
                    **streams,
                    raw=None,
                    buffer_count=_BUFFERS,
                    queue=True,  # a reader that comes late gets the newest frame at once
                    display=None,
                    encode="main",
                    controls=controls(spec, camera.camera_controls),
                )
            )
            _check(streams, camera.camera_configuration())
        except Exception as error:  # noqa: BLE001 - picamera2 stumbles in its own ways over what libcamera refuses
            _log.debug("%s: not with %s: %s", name, streams, error)
            trouble = error
        else:
            return
    raise SourceFailed(
        f"{name}: it gives neither YUV420 nor NV12 ({trouble}); a USB camera is written as v4l2:/dev/…"
    ) from trouble


def controls(spec: CameraSpec, available: Container[str]) -> dict[str, object]:
    """What a camera is told, as far as it has a control of that name; picamera2 refuses any other."""
    frame_us = round(1e6 / spec.fps)
    wanted: dict[str, object] = {"FrameDurationLimits": (frame_us, frame_us)}
    if spec.focus_dioptres is not None:
        # Left to itself the lens hunts when hands come into the picture.
        wanted |= {"AfMode": AF_MANUAL, "LensPosition": spec.focus_dioptres}
    if spec.mains_hz is not None:
        wanted |= {"AeFlickerMode": FLICKER_MANUAL, "AeFlickerPeriod": _FLICKER_US[spec.mains_hz]}
    return {name: value for name, value in wanted.items() if name in available}


def given_fps(spec: CameraSpec, available: Mapping[str, tuple[Any, Any, Any]]) -> float | None:
    """Frames per second that a configured camera gives of those asked for; None when it does not say.

    Args:
        spec: the camera.
        available: the least, the most and the usual value of each control, as picamera2 has them.
    """
    if "FrameDurationLimits" not in available:
        return None
    least_us, most_us, _usual = available["FrameDurationLimits"]
    return 1e6 / float(min(max(1e6 / spec.fps, least_us), most_us))


def _wanted(spec: CameraSpec) -> list[dict[str, dict[str, Any]]]:
    size = spec.width, spec.height
    main = {"size": size, "format": "YUV420"}
    alone = [{"main": main}, {"main": {"size": size, "format": "NV12"}}]
    if spec.width <= _SMALL_WIDTH_PX:
        return alone
    small = {"size": (_SMALL_WIDTH_PX, round(_SMALL_WIDTH_PX * spec.height / spec.width / 2) * 2), "format": "YUV420"}
    return [{"main": main, "lores": small}, *alone]


def _check(asked: Mapping[str, dict[str, Any]], given: Mapping[str, Any]) -> None:
    if given["main"]["format"] not in FORMS:
        raise SourceFailed(f"it gives {given['main']['format']}")
    # libcamera's virtual pipeline gives a second stream, as large as the first: that costs and serves nothing.
    if "lores" in asked and given["lores"]["size"] != asked["lores"]["size"]:
        raise SourceFailed(f"its small stream is {given['lores']['size']}")
