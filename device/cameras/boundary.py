"""What crosses the boundary between the agent and a camera's worker process.

Both sides hold one end of an AF_UNIX SOCK_SEQPACKET pair; each packet is one JSON object. The agent sends the set-up
once, then orders; the worker sends reports, what became of its recording, and stills that were asked for. Pictures
never travel here: previews lie in preview.py's slot, coded ones on bus.py, a still comes as a descriptor of memory.
"""

import dataclasses
import importlib
import json
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Final, Self, cast

from device.cameras.errors import BadCameraSpec, BadMessage
from device.cameras.recording import Failed, Keep, Plan, Sealed
from device.cameras.source import CameraSpec, Native, SourceFactory

DEFAULT_FACTORY: Final = "device.cameras.sources:open_source"
MAX_PACKET: Final = 64 * 1024
HEARTBEAT_S: Final = 0.25
_MAX_DETAIL: Final = 400


class Do(StrEnum):
    """What the agent may order."""

    OPEN = "open"
    CLOSE = "close"
    REOPEN = "reopen"
    PREVIEW = "preview"
    STILL = "still"
    """One picture in full size."""
    CODE = "code"
    """Begin or stop to encode."""
    KEYFRAME = "keyframe"
    BITRATE = "bitrate"
    RECORD = "record"
    """Follow a plan."""
    AIM = "aim"
    """Tell how the camera is aimed and focused, for a while."""
    LEARN = "learn"
    """Learn the camera anew, as it is now."""
    REFER = "refer"
    """Judge the pictures by a reference that was learned before, or by none."""
    STOP = "stop"


class View(StrEnum):
    """What a still shows."""

    PICTURE = "picture"
    """All that the camera sees."""
    WORKSHEET = "worksheet"
    """The mat or the page on it, straight from above, its shadows evened."""


class WorkerState(StrEnum):
    """What the worker says of its camera."""

    CLOSED = "closed"
    OPENING = "opening"
    OPEN = "open"
    MISSING = "missing"
    STALLED = "stalled"
    """Open, but the last wait for a frame was in vain."""
    FAILED = "failed"
    """It broke or cannot be opened; tried again every second."""


@dataclass(frozen=True, slots=True)
class Setup:
    """The first packet: which camera, and what opens it."""

    spec: CameraSpec
    factory: str = DEFAULT_FACTORY
    """`module:function`, called with the spec and `factory_args`."""
    factory_args: dict[str, Any] = field(default_factory=dict)
    mat: dict[str, Any] | None = None
    """The desk mat that is looked for, as `KitMat.plain` has it."""
    checked: bool = True
    """Whether anything looks at the pictures."""
    cards: dict[str, Any] | None = None
    """The student cards that are looked for, as `KitCards.plain` has them."""

    def packet(self) -> bytes:
        """The packet that carries this."""
        return json.dumps(dataclasses.asdict(self)).encode()

    @classmethod
    def parse(cls, packet: bytes) -> Self:
        """Read a set-up packet.

        Raises:
            BadMessage: it is none.
        """
        body = _object(packet)
        try:
            spec, args = CameraSpec(**body["spec"]), dict(body["factory_args"])
            looked_for = body.get("mat"), bool(body.get("checked", True)), body.get("cards")
            return cls(spec, str(body["factory"]), args, *looked_for)
        except (KeyError, TypeError, ValueError, BadCameraSpec) as error:
            raise BadMessage(f"not a camera's set-up: {error}") from error


@dataclass(frozen=True, slots=True)
class Order:
    """One thing the worker is to do."""

    do: Do
    number: int = 0
    """Counts the orders of one agent to one worker; the worker's reports name the last one it has taken."""
    for_s: float = 0.0
    """Previews and aiming: how long they are wanted."""
    on: bool = False
    """Coding only."""
    bitrate_bps: int = 0
    """Bitrate only."""
    plan: Plan | None = None
    """Recording only."""
    view: View = View.PICTURE
    """Stills only."""
    reference: dict[str, Any] | None = None
    """References only, as `device.vision.stored.to_plain` has it."""
    max_bytes: int = 0
    """Stills only: how large the JPEG may be; 0 is no limit."""

    def packet(self) -> bytes:
        """The packet that carries this."""
        return json.dumps(dataclasses.asdict(self)).encode()

    @classmethod
    def parse(cls, packet: bytes) -> Self:
        """Read an order packet.

        Raises:
            BadMessage: it is none.
        """
        body = _object(packet)
        try:
            plan = body.get("plan")
            return cls(
                Do(body["do"]),
                int(body.get("number", 0)),
                float(body.get("for_s", 0.0)),
                bool(body.get("on", False)),
                int(body.get("bitrate_bps", 0)),
                None if plan is None else Plan(**{**plan, "keep": Keep(plan["keep"])}),
                View(body.get("view", View.PICTURE)),
                None if body.get("reference") is None else dict(body["reference"]),
                int(body.get("max_bytes", 0)),
            )
        except (KeyError, TypeError, ValueError) as error:
            raise BadMessage(f"not an order to a camera: {error}") from error


@dataclass(frozen=True, slots=True, kw_only=True)
class Output:
    """What a worker makes of its camera's pictures. Times are CLOCK_MONOTONIC, nanoseconds."""

    native: Native | None = None
    """What the open camera really gives."""
    packets: int = 0
    """Coded pictures since the worker started."""
    last_packet_ns: int | None = None
    """When the newest coded picture was taken."""
    left_out: int = 0
    """Frames that the encoder had no time for."""
    keep: Keep = Keep.NOTHING
    """What the recorder does, by its own word."""
    plan: int = 0
    """The number of the last plan that the recorder follows."""
    segment: str | None = None
    """The segment being written."""
    lost: int = 0
    """Coded pictures that the disk was too slow for, or refused."""
    seen: tuple[dict[str, Any], ...] | None = None
    """What the picture checks find true; None while they have not looked."""
    unchecked: str = ""
    """Why the picture checks can say nothing, in words; empty while they work."""
    mat: dict[str, float] | None = None
    """What is known of the desk mat; None while nobody looked."""
    corners: list[list[float]] | None = None
    """The mat's, clockwise from its own upper left, in shares of the picture's width and height."""
    aim: dict[str, float] | None = None
    """How the camera is aimed and focused; None while nobody aims it."""
    cards: tuple[int, ...] | None = None
    """The student cards that lie there, by their markers' numbers; None while nobody looks for any."""


@dataclass(frozen=True, slots=True)
class Report(Output):
    """The worker's heartbeat, and at once whenever its state changes. Times are CLOCK_MONOTONIC, nanoseconds."""

    state: WorkerState
    sent_ns: int
    order: int = 0
    """The number of the last order taken."""
    device_open: bool = False
    """Whether the device may be open: set before it is opened, cleared after it is closed."""
    opened_ns: int | None = None
    frames: int = 0
    """Since the worker started."""
    fps: float | None = None
    """Frames per second over the last 2 s; None unless open."""
    last_frame_ns: int | None = None
    """None until the worker's first frame."""
    detail: str = ""
    """Plain words about what is wrong."""

    def packet(self) -> bytes:
        """The packet that carries this."""
        body = dataclasses.asdict(self)
        body["detail"], body["unchecked"] = self.detail[:_MAX_DETAIL], self.unchecked[:_MAX_DETAIL]
        return json.dumps(body).encode()

    @classmethod
    def parse(cls, packet: bytes) -> Self:
        """Read a report packet.

        Raises:
            BadMessage: it is none.
        """
        body = _object(packet)
        try:
            body["state"] = WorkerState(body["state"])
            body["keep"] = Keep(body.get("keep", Keep.NOTHING))
            native, seen, cards = body.get("native"), body.get("seen"), body.get("cards")
            body["native"] = None if native is None else Native(**native)
            body["seen"] = None if seen is None else tuple(seen)
            body["cards"] = None if cards is None else tuple(cards)
            return cls(**body)
        except (KeyError, TypeError, ValueError) as error:
            raise BadMessage(f"not a camera's report: {error}") from error


def output_of(report: Report | None) -> dict[str, Any]:
    """The output that a report tells of, by the names of `Output`; nothing without one."""
    return {} if report is None else {one.name: getattr(report, one.name) for one in dataclasses.fields(Output)}


@dataclass(frozen=True, slots=True)
class StillTaken:
    """A picture in full size, as JPEG in the memory whose descriptor comes with this packet."""

    captured_ns: int
    length: int
    """Bytes; 0 when there is nothing to show: `words` says why."""
    px_per_mm: float | None = None
    """Of a worksheet that was set straight by the mat."""
    words: str = ""
    origin: str = ""
    """Of a worksheet: what it was set straight by."""
    width_px: int = 0
    height_px: int = 0


@dataclass(frozen=True, slots=True)
class Learned:
    """The reference that was asked for."""

    reference: dict[str, Any]
    """As `device.vision.stored.to_plain` has it."""


Told = Report | Sealed | Failed | StillTaken | Learned
_TOLD: Final[dict[str, type[Sealed] | type[Failed] | type[StillTaken] | type[Learned]]] = {
    "sealed": Sealed,
    "failed": Failed,
    "still": StillTaken,
    "learned": Learned,
}


def pack_told(told: Sealed | Failed | StillTaken | Learned) -> bytes:
    """The packet that carries what is no report."""
    name = next(name for name, kind in _TOLD.items() if isinstance(told, kind))
    return json.dumps({"told": name, **dataclasses.asdict(told)}).encode()


def parse_told(packet: bytes) -> Told:
    """Read whatever a worker may send.

    Raises:
        BadMessage: it is none of it.
    """
    body = _object(packet)
    kind = _TOLD.get(body.pop("told", ""))
    if kind is None:
        return Report.parse(packet)
    try:
        return kind(**body)
    except TypeError as error:
        raise BadMessage(f"not a worker's word: {error}") from error


def load_factory(name: str) -> SourceFactory:
    """Find the source factory that `module:function` names.

    Raises:
        BadMessage: there is no such function.
    """
    module, _, function = name.partition(":")
    try:
        factory = getattr(importlib.import_module(module), function)
    except (ImportError, AttributeError, ValueError) as error:
        raise BadMessage(f"{name!r} names no source factory: {error}") from error
    return cast("SourceFactory", factory)


def _object(packet: bytes) -> dict[str, Any]:
    try:
        body = json.loads(packet)
    except ValueError as error:
        raise BadMessage("a packet is not JSON") from error
    if not isinstance(body, dict):
        raise BadMessage("a packet is not a JSON object")
    return body
