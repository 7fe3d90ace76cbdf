"""A camera on trial: opened as the agent opens it, coded for some seconds, closed again."""

import asyncio
import logging
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

from device.cameras.boundary import DEFAULT_FACTORY
from device.cameras.ladder import CameraState
from device.cameras.source import CameraSpec
from device.cameras.status import CameraStatus
from device.cameras.supervisor import Camera
from device.cameras.uri import parse_uri
from device.kit import kit
from device.selftest.figures import OPEN_WITHIN_S, CameraResult, Coded, result

_log = logging.getLogger(__name__)

_MISSING_FOR_S: Final = 3.0
"""A worker looks again every second; a camera that is missing for so long is missing."""
_CODE_WITHIN_S: Final = 10.0
"""From the first frame to the first coded one; a cold Pi takes some seconds to load the encoder."""
_LOOK_S: Final = 0.1
_PI_ID_WITHIN_S: Final = 10.0
_PI_ID: Final = """
import sys
from device.cameras.sources.picamera2 import cameras, choose
found = cameras()
print(found[choose(sys.argv[1], found)].id)
"""


async def try_camera(
    spec: CameraSpec,
    seconds: float,
    factory: str = DEFAULT_FACTORY,
    factory_args: Mapping[str, Any] | None = None,
    reference: Mapping[str, Any] | None = None,
) -> CameraResult:
    """Open a camera in a worker process of its own, watch it, and close it again.

    Args:
        spec: the camera.
        seconds: how long to watch, from its first coded picture on.
        factory: see `Camera`.
        factory_args: see `Camera`.
        reference: what its pictures are judged by, if it was set up.
    """
    trial = _Trial()
    id_ = await _id(spec.uri)
    camera = Camera(spec, factory=factory, factory_args=factory_args, mat=kit().mat.plain, on_change=trial.note)
    camera.refer(reference)
    running = asyncio.create_task(camera.run(), name=f"selftest.{spec.role}")
    try:
        status = await trial.watch(camera, seconds)
    finally:
        await camera.stop()
        await running
    return result(spec, id_, status, trial.coded, first_frame_ms=trial.first_frame_ms)


class _Trial:
    """The eyes on one camera. Times are CLOCK_MONOTONIC, nanoseconds."""

    def __init__(self) -> None:
        self.coded = Coded()
        self._asked_ns = 0
        self._given_ns: int | None = None
        self._coded_ns: int | None = None
        self._missing_ns: int | None = None
        self._words = ""

    @property
    def first_frame_ms(self) -> int | None:
        return None if self._given_ns is None else (self._given_ns - self._asked_ns) // 1_000_000

    def note(self, status: CameraStatus) -> None:
        """The camera changed."""
        self._words = status.detail or self._words
        now_ns = time.monotonic_ns()
        if status.state is CameraState.OPEN and self._given_ns is None:
            self._given_ns = now_ns
        is_missing = status.state in {CameraState.MISSING, CameraState.FAILED}
        self._missing_ns = (self._missing_ns or now_ns) if is_missing else None

    async def watch(self, camera: Camera, seconds: float) -> CameraStatus:
        """Until the time is over, or the camera is given up; what is known of it then."""
        self._asked_ns = time.monotonic_ns()
        with camera.packets() as feed:
            camera.want_coded(True)  # noqa: FBT003 - reads as a sentence
            camera.want_open(True)  # noqa: FBT003 - as above
            while (left_s := self._left_s(seconds)) > 0:
                packet = await feed.next(min(left_s, _LOOK_S))
                if packet is not None:
                    now_ns = time.monotonic_ns()
                    self._coded_ns = self._coded_ns or now_ns
                    self.coded.take(packet, now_ns)
        status = camera.status()
        well = status.state is CameraState.OPEN
        return status if well else replace(status, detail=status.detail or self._words)

    def _left_s(self, seconds: float) -> float:
        since_ns, within_s = self._asked_ns, OPEN_WITHIN_S
        if self._coded_ns is not None:
            since_ns, within_s = self._coded_ns, seconds
        elif self._given_ns is not None:
            since_ns, within_s = self._given_ns, _CODE_WITHIN_S
        elif self._missing_ns is not None:
            since_ns, within_s = self._missing_ns, _MISSING_FOR_S
        return within_s - (time.monotonic_ns() - since_ns) / 1e9


async def _id(uri: str) -> str:
    """What a URI leads to.

    libcamera is asked in a process of its own: no driver is touched in this one, because it can hang.
    """
    parsed = parse_uri(uri)
    if parsed.scheme != "picamera2":
        return parsed.target
    try:
        return await asyncio.to_thread(libcamera_id, parsed.target)
    except (OSError, subprocess.SubprocessError) as error:
        _log.info("libcamera does not say which camera %s is: %s", uri, error)  # the trial says why, in better words
        return parsed.target


def libcamera_id(wanted: str) -> str:
    """The Id of the camera that libcamera finds for `wanted`; raises OSError and `subprocess.SubprocessError`."""
    command = [sys.executable, "-P", "-c", _PI_ID, wanted]
    done = subprocess.run(  # noqa: S603 - our own interpreter and words; what is wanted is an argument, not code
        command, capture_output=True, text=True, timeout=_PI_ID_WITHIN_S, check=True
    )
    return done.stdout.splitlines()[-1]
