"""A camera on trial for `carrel-kiosk selftest`: opened as the agent opens it, coded for some seconds, closed again."""

import asyncio
import logging
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from statistics import median
from typing import Any, Final

from device.cameras.boundary import DEFAULT_FACTORY
from device.cameras.ladder import START_GRACE_NS, CameraState
from device.cameras.source import CameraSpec, Packet
from device.cameras.status import CameraStatus
from device.cameras.supervisor import Camera
from device.cameras.uri import parse_uri
from device.readiness import SLOW_SHARE
from device.settings import Settings
from wire.signal_table import words

_log = logging.getLogger(__name__)

OPEN_WITHIN_S: Final = START_GRACE_NS / 1e9 + 10.0
"""A cold Pi takes ten seconds to start a worker, and libcamera a few more to give a picture."""
_MISSING_FOR_S: Final = 3.0
"""A worker looks again every second; a camera that is missing for so long is missing."""
_LOOK_S: Final = 0.1
_PI_ID_WITHIN_S: Final = 10.0
_PI_ID: Final = """
import sys
from device.cameras.sources.picamera2 import cameras, choose
found = cameras()
print(found[choose(sys.argv[1], found)].id)
"""


@dataclass(slots=True)
class Coded:
    """What came of a camera's coded pictures."""

    ages_ns: list[int] = field(default_factory=list)
    """How old each was when it reached this process."""
    sizes: list[int] = field(default_factory=list)
    keyframes: int = 0
    first_ns: int = 0
    last_ns: int = 0

    def take(self, packet: Packet, now_ns: int) -> None:
        """Count a packet that was received at `now_ns`, CLOCK_MONOTONIC."""
        self.first_ns = self.first_ns if self.sizes else packet.captured_ns
        self.last_ns = packet.captured_ns
        self.ages_ns.append(now_ns - packet.captured_ns)
        self.sizes.append(len(packet.data))
        self.keyframes += packet.is_keyframe

    @property
    def span_s(self) -> float:
        """From the first picture to the last; 0 while there are fewer than two."""
        return (self.last_ns - self.first_ns) / 1e9

    @property
    def per_s(self) -> float | None:
        """Coded pictures per second; None while nobody can tell."""
        return (len(self.sizes) - 1) / self.span_s if self.span_s > 0 else None

    @property
    def bitrate_bps(self) -> int | None:
        """Bits per second; the last picture's are not counted, for nobody knows how long it stands."""
        return round(sum(self.sizes[:-1]) * 8 / self.span_s) if self.span_s > 0 else None

    @property
    def latency_ms(self) -> float | None:
        """The median age of a picture, coded, when it reaches this process."""
        return round(median(self.ages_ns) / 1e6, 1) if self.ages_ns else None


@dataclass(frozen=True, slots=True)
class CameraResult:
    """What a trial found."""

    id: str
    """What the URI leads to; for picamera2 libcamera's Id."""
    role: str
    uri: str
    asked: Mapping[str, float]
    native: Mapping[str, Any] | None
    """What the camera gives; None when it never opened."""
    fps: float | None
    first_frame_ms: int | None
    """From the wish to open it to the first frame; the start of its process is in it."""
    latency_ms: float | None
    packets: int
    keyframes: int
    bitrate_bps: int | None
    encoder: str
    """Who coded: `software` (libx264) or `hardware` (the Pi 4's encoder, or the camera itself)."""
    left_out: int
    """Frames that the encoder had no time for."""
    restarts: int
    seen: tuple[str, ...]
    """What the picture checks found, in words."""
    attention: str | None
    """It works; this is not as it was asked for."""
    problem: str | None

    @property
    def ok(self) -> bool:
        """Whether a session can have this camera's pictures."""
        return self.problem is None

    def json(self) -> dict[str, Any]:
        """As `--json` prints it."""
        return {"ok": self.ok, **asdict(self)}


def spec_of(settings: Settings, role: str) -> CameraSpec:
    """The camera of that role as the agent asks for it."""
    of = settings.cameras.overhead if role == "overhead" else settings.cameras.front
    return CameraSpec(
        role=role, uri=of.uri, width=of.width, height=of.height, fps=of.fps, bitrate_bps=of.bitrate_bps,
        focus_dioptres=of.focus_dioptres, mains_hz=settings.cameras.mains_hz, encoder=of.encoder,
    )  # fmt: skip


async def try_camera(
    spec: CameraSpec,
    seconds: float,
    factory: str = DEFAULT_FACTORY,
    factory_args: Mapping[str, Any] | None = None,
) -> CameraResult:
    """Open a camera in a worker process of its own, watch it for `seconds` from its first frame, and close it."""
    trial = _Trial()
    id_ = await _id(spec.uri)
    camera = Camera(spec, factory=factory, factory_args=factory_args, on_change=trial.note)
    running = asyncio.create_task(camera.run(), name=f"selftest.{spec.role}")
    try:
        status = await trial.watch(camera, seconds)
    finally:
        await camera.stop()
        await running
    return result(spec, id_, status, trial.coded, first_frame_ms=trial.first_frame_ms)


def result(
    spec: CameraSpec, id_: str, status: CameraStatus, coded: Coded, *, first_frame_ms: int | None
) -> CameraResult:
    """What the figures of a trial mean. Pure.

    Args:
        spec: what was asked for.
        id_: what the URI leads to.
        status: the camera at the end, while it was still wanted open.
        coded: its coded pictures.
        first_frame_ms: None when there never was a frame.
    """
    native = status.native
    return CameraResult(
        id=id_,
        role=spec.role,
        uri=spec.uri,
        asked={"width": spec.width, "height": spec.height, "fps": spec.fps},
        native=None if native is None else asdict(native),
        fps=None if status.fps is None else round(status.fps, 1),
        first_frame_ms=first_frame_ms,
        latency_ms=coded.latency_ms,
        packets=len(coded.sizes),
        keyframes=coded.keyframes,
        bitrate_bps=coded.bitrate_bps,
        encoder=_encoder(spec, status),
        left_out=status.left_out,
        restarts=status.restarts,
        seen=tuple(_seen(one["condition"], spec.role) for one in status.seen or ()),
        attention=" ".join(_attention(spec, status, coded)) or None,
        problem=_problem(spec, status, coded, has_given=first_frame_ms is not None),
    )


class _Trial:
    """The eyes on one camera."""

    def __init__(self) -> None:
        self.coded = Coded()
        self._asked_ns = time.monotonic_ns()
        self._first_ns: int | None = None
        self._missing_ns: int | None = None

    @property
    def first_frame_ms(self) -> int | None:
        return None if self._first_ns is None else (self._first_ns - self._asked_ns) // 1_000_000

    def note(self, status: CameraStatus) -> None:
        """The camera changed."""
        now_ns = time.monotonic_ns()
        if status.state is CameraState.OPEN and self._first_ns is None:
            self._first_ns = now_ns
        is_missing = status.state in {CameraState.MISSING, CameraState.FAILED}
        self._missing_ns = (self._missing_ns or now_ns) if is_missing else None

    async def watch(self, camera: Camera, seconds: float) -> CameraStatus:
        """Until the time is over, or the camera is given up; what is known of it then."""
        self._asked_ns = time.monotonic_ns()
        with camera.packets() as feed:
            camera.want_coded(True)
            camera.want_open(True)
            while (left_s := self._left_s(seconds)) > 0:
                packet = await feed.next(min(left_s, _LOOK_S))
                if packet is not None:
                    self.coded.take(packet, time.monotonic_ns())
        return camera.status()

    def _left_s(self, seconds: float) -> float:
        now_ns = time.monotonic_ns()
        if self._first_ns is not None:
            return seconds - (now_ns - self._first_ns) / 1e9
        if self._missing_ns is not None:
            return _MISSING_FOR_S - (now_ns - self._missing_ns) / 1e9
        return OPEN_WITHIN_S - (now_ns - self._asked_ns) / 1e9


async def _id(uri: str) -> str:
    """What a URI leads to.

    libcamera is asked in a process of its own: no driver is touched in this one, because it can hang.
    """
    parsed = parse_uri(uri)
    if parsed.scheme != "picamera2":
        return parsed.target
    ask: Callable[..., subprocess.CompletedProcess[str]] = subprocess.run
    try:
        done = await asyncio.to_thread(
            ask, [sys.executable, "-P", "-c", _PI_ID, parsed.target],
            capture_output=True, text=True, timeout=_PI_ID_WITHIN_S, check=True,
        )  # fmt: skip
    except (OSError, subprocess.SubprocessError) as error:
        _log.info("libcamera does not say which camera %s is: %s", uri, error)  # the trial says why, in better words
        return parsed.target
    return done.stdout.strip() or parsed.target


def _encoder(spec: CameraSpec, status: CameraStatus) -> str:
    codes_itself = status.native is not None and status.native.form == "H264"
    on_the_chip = spec.encoder == "hardware" and parse_uri(spec.uri).scheme == "picamera2"
    return "hardware" if codes_itself or on_the_chip else "software"


def _seen(condition: str, role: str) -> str:
    if condition == "unusable":
        return "Its pictures hold nothing that can be looked at."
    return words(f"camera.{condition}", role, "therapist")


def _problem(spec: CameraSpec, status: CameraStatus, coded: Coded, *, has_given: bool) -> str | None:
    """What is wrong, where, and what to do; None when a session can have its pictures."""
    where = f"[cameras.{spec.role}] in kiosk.toml"
    detail = status.detail or f"{spec.uri} gave no frame within {OPEN_WITHIN_S:.0f} s"
    match status.state:
        case CameraState.MISSING:
            return f"No picture. {_sentence(detail)} If that is not the camera meant, change uri under {where}."
        case CameraState.OPEN if not coded.sizes:
            cause = status.detail or "no packet came"
            return f"Pictures, but none can be coded ({cause}). Try another encoder under {where}."
        case CameraState.OPEN:
            return None
        case _:
            what = "It stopped giving pictures." if has_given else "No picture."
            advice = "Check its cable, then switch the kiosk off and on."
            return f"{what} {_sentence(detail)} {advice}"


def _attention(spec: CameraSpec, status: CameraStatus, coded: Coded) -> list[str]:
    """What is not as it was asked for, with the real figures."""
    found = []
    native = status.native
    if native is not None and not native.serves(spec):
        found.append(
            f"It gives {native.width}x{native.height}, not the {spec.width}x{spec.height} asked for; its pictures are "
            "enlarged, and small writing stays as coarse as it is."
        )
    if status.fps is not None and status.fps < SLOW_SHARE * spec.fps:
        found.append(f"It gives {status.fps:.1f} frames a second, not the {spec.fps:g} asked for.")
    elif coded.per_s is not None and coded.per_s < SLOW_SHARE * spec.fps:
        found.append(
            f"Only {coded.per_s:.1f} of its {spec.fps:g} frames a second are coded: this machine has no time for more."
        )
    if status.restarts:
        found.append(f"Its process had to be started anew ({status.restarts} times).")
    return found


def _sentence(words_: str) -> str:
    """With a capital, unless it begins with a name, and one full stop."""
    return f"{words_.rstrip('.')}."
