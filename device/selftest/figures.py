"""The figures of a camera on trial, and what they mean. Pure."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from statistics import median
from typing import Any, Final

from device.cameras.ladder import START_GRACE_NS, CameraState
from device.cameras.source import CameraSpec, Packet
from device.cameras.status import CameraStatus
from device.cameras.uri import parse_uri
from device.readiness import SLOW_SHARE
from wire.signal_table import words

OPEN_WITHIN_S: Final = START_GRACE_NS / 1e9 + 10.0
"""A cold Pi takes ten seconds to start a worker, and libcamera a few more to give a picture."""


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
        if not self.sizes:
            self.first_ns = packet.captured_ns
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
    px_per_mm: float | None
    """How finely the desk mat is seen; None where none was found."""
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


def result(
    spec: CameraSpec, id_: str, status: CameraStatus, coded: Coded, *, first_frame_ms: int | None
) -> CameraResult:
    """What the figures of a trial mean.

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
        px_per_mm=(status.mat or {}).get("px_per_mm"),
        attention=" ".join(_attention(spec, status, coded)) or None,
        problem=_problem(spec, status, coded, has_given=first_frame_ms is not None),
    )


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
            return f"No picture: {_sentence(detail)} If that is not the camera meant, change uri under {where}."
        case CameraState.OPEN if not coded.sizes:
            return f"It gives pictures that nobody can code as H.264. Change width, height or encoder under {where}."
        case CameraState.OPEN:
            return None
        case _:
            what = "It stopped giving pictures" if has_given else "No picture"
            advice = "Check its cable, then switch the kiosk off and on."
            return f"{what}: {_sentence(detail)} {advice}"


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


def _sentence(detail: str) -> str:
    return detail if detail.endswith((".", "?")) else f"{detail}."
