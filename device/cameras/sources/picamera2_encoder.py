"""The H.264 encoder in the Pi 4's chip, fed by picamera2. A Pi 5 has none.

picamera2's own `H264Encoder` is whatever it guesses from the video devices it may read, and it guesses the chip's
encoder wherever it can read none. So the class is taken from its own module, after the kernel was asked.
"""

import importlib
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from device.cameras.annexb import AccessUnit, ParameterSets
from device.cameras.errors import SourceFailed
from device.cameras.source import CameraSpec, Packet
from device.cameras.sources.picamera2_frames import captured_ns

NODE_NAME: Final = Path("/sys/class/video4linux/video11/name")
"""picamera2 opens /dev/video11 and no other; here the kernel says what that is."""
_ENCODER: Final = "bcm2835-codec-encode"
_KEYFRAME_EVERY_S: Final = 2.0


def require_encoder(name: str) -> None:
    """Make sure that this machine has the encoder.

    Raises:
        SourceFailed: it has not; the message names the camera.
    """
    try:
        found = NODE_NAME.read_text(encoding="ascii").strip()
    except (OSError, UnicodeError):
        found = ""
    if found != _ENCODER:
        raise SourceFailed(
            f"{name}: this machine has no H.264 encoder in its chip (a Pi 4 has one, a Pi 5 has none); "
            f"set the camera's encoder to software"
        )


class HardwareEncoder:
    """One camera's stream through the chip's encoder. Everything here may block for ever when the chip hangs.

    Args:
        camera: a configured and started `Picamera2`.
        spec: the camera.
        name: the camera, for messages.
    """

    def __init__(self, camera: Any, spec: CameraSpec, name: str) -> None:
        self._camera = camera
        self._spec = spec
        self._name = name
        self._bits_per_s = spec.bitrate_bps
        self._on_packet: Callable[[Packet], None] | None = None
        self._encoder: Any = None
        self._turn = threading.Lock()  # frames are read in one thread, and orders come in another

    def start(self, on_packet: Callable[[Packet], None]) -> None:
        """See `EncodingSource.start_encoding`.

        Raises:
            SourceFailed: the encoder does not start.
        """
        with self._turn:
            self._stop()
            self._start(on_packet)

    def stop(self) -> None:
        """See `EncodingSource.stop_encoding`; picamera2 has joined its thread when this returns."""
        with self._turn:
            self._stop()

    def force_keyframe(self) -> None:
        """See `EncodingSource.force_keyframe`; picamera2 can do it since 0.3.32."""
        force = getattr(self._encoder, "force_key_frame", None)
        if force is not None:
            force()

    def set_bitrate(self, bits_per_s: int) -> None:
        """See `EncodingSource.set_bitrate`; picamera2 sets a bitrate only at the start, so this is a new one.

        Raises:
            SourceFailed: the encoder does not start again.
        """
        with self._turn:
            changed, self._bits_per_s = bits_per_s != self._bits_per_s, bits_per_s
            on_packet = self._on_packet
            if changed and on_packet is not None:
                self._stop()
                self._start(on_packet)

    def _start(self, on_packet: Callable[[Packet], None]) -> None:
        encoder = importlib.import_module("picamera2.encoders.h264_encoder").H264Encoder(
            bitrate=self._bits_per_s,
            repeat=True,
            iperiod=max(1, round(_KEYFRAME_EVERY_S * self._spec.fps)),
            framerate=self._spec.fps,
            profile="baseline",
        )
        output = importlib.import_module("picamera2.outputs").Output()
        output.outputframe = PacketOutput(encoder, on_packet)
        try:
            self._camera.start_encoder(encoder, output, name="main")
        except Exception as error:
            raise SourceFailed(f"{self._name}: the H.264 encoder does not start: {error}") from error
        self._encoder, self._on_packet = encoder, on_packet

    def _stop(self) -> None:
        encoder, self._encoder, self._on_packet = self._encoder, None, None
        if encoder is not None:
            self._camera.stop_encoder(encoder)


class PacketOutput:
    """What an encoder calls with each coded picture, in its own thread.

    Args:
        encoder: it counts microseconds from its first picture, whose stamp it keeps.
        on_packet: gets the packets, from a keyframe on.
    """

    def __init__(self, encoder: Any, on_packet: Callable[[Packet], None]) -> None:
        self._encoder = encoder
        self._on_packet = on_packet
        self._sets = ParameterSets()
        self._has_begun = False
        self._last_ns = 0

    def __call__(self, frame: bytes, _keyframe: object = None, timestamp: int | None = None, *_later: object) -> None:
        """Hand on what the encoder gave at once; `timestamp` is in microseconds."""
        unit = AccessUnit.parse(bytes(frame))
        self._sets = self._sets.learn(unit)
        self._has_begun = self._has_begun or unit.is_keyframe
        # At a low bitrate the chip gives parameter sets and no picture (picamera2 leaves them out since 0.3.26).
        if not self._has_begun or not unit.has_picture:
            return
        first_us = self._encoder.firsttimestamp
        sensor_ns = None if first_us is None or timestamp is None else (first_us + timestamp) * 1000
        taken_ns = captured_ns(sensor_ns, time.monotonic_ns(), time.clock_gettime_ns(time.CLOCK_BOOTTIME))
        self._last_ns = max(taken_ns, self._last_ns + 1)
        data = self._sets.before(unit) if unit.is_keyframe else bytes(frame)
        self._on_packet(Packet(data, self._last_ns, unit.is_keyframe))
