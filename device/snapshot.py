"""One consistent picture of the kiosk, from which screen, messages and readiness are derived; nothing kept twice."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from device.cameras.recording import Keep
from device.cameras.source import Native
from device.session.clock import Instant
from device.session.states import State
from device.session.trust import Opinion
from wire.minutes import SessionRecord
from wire.preflight import Preflight
from wire.signals import ActiveSignal, Verdict


@dataclass(frozen=True, slots=True)
class CameraView:
    """What is shown of one camera. Ages are seconds; None is "never" or "cannot be known"."""

    state: str
    fps: float | None = None
    last_frame_age_s: float | None = None
    pid: int | None = None
    detail: str = ""
    native: Native | None = None
    """What the camera really gives."""
    seen: tuple[dict[str, Any], ...] | None = None
    """What the picture checks find; None while nobody looked."""
    unchecked: str = ""
    """Why the picture checks can say nothing; empty while they work."""
    mat: dict[str, float] | None = None
    """What is known of the desk mat: markers found, pixels per millimetre, for how long it has been missing."""
    corners: list[list[float]] | None = None
    """The mat's, clockwise from its own upper left, in shares of the picture's width and height."""
    aim: dict[str, float] | None = None
    """How the camera is aimed and focused; None while nobody aims it."""
    restarts: int = 0
    coded: int = 0
    """Coded pictures of its present process."""
    last_packet_ns: int | None = None
    segment: str | None = None
    """The segment being written."""
    lost: int = 0
    """Coded pictures that the disk was too slow for, or refused."""


@dataclass(frozen=True, slots=True)
class RecordingView:
    """What is kept of the pictures, and what lies on the disk."""

    keep: str = "nothing"
    """`nothing`, `pre-roll` (in memory only) or `all`."""
    reason: str = "no-session"
    segments: int = 0
    bytes: int = 0
    room_bytes: int | None = None
    """What may still be written; None when nobody knows."""
    upload_trouble: str | None = None
    """Why segments are not sent to the fleet at the moment, as a stable word."""


@dataclass(frozen=True, slots=True)
class SetupView:
    """Whether the cameras were set up, and whether somebody is at it."""

    stage: str = "closed"
    at: datetime | None = None
    """When they were confirmed as they are; None when they were not, or one is another by now."""
    by: str | None = None
    """In which role somebody confirmed them."""
    px_per_mm: float | None = None
    """How fine the desk was seen then."""


@dataclass(frozen=True, slots=True)
class PreflightView:
    """How the kiosk looks itself over before a booking."""

    looking: bool = False
    last: Preflight | None = None
    """What the last look found, of whatever age."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where the kiosk stands and whom its screen says to call."""

    kiosk: str
    campus: str
    room: str
    help_call: str
    """For example `214`; empty when nobody is named."""
    therapist_call: str = ""
    """The number to reach the therapist by telephone when the network is down."""
    time_zone: str = "UTC"


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The kiosk at one instant."""

    at: Instant
    place: Place
    state: State
    verdict: Verdict = Verdict.UNKNOWN
    signals: tuple[ActiveSignal, ...] = ()
    record: SessionRecord | None = None
    """The running session up to now, else the one that ended last in this boot."""
    record_id: str | None = None
    link_since: datetime | None = None
    """Since when the link is as it is; None before the first answer or failure."""
    cameras: Mapping[str, CameraView] = field(default_factory=dict)
    lamp: str = "off"
    camera_lamp: bool = False
    backlog_rows: int = 0
    backlog_bytes: int = 0
    recording: RecordingView = RecordingView()
    setup: SetupView = SetupView()
    preflight: PreflightView = PreflightView()
    unwritten: bool = False
    """The ledger cannot be written; facts are in memory only."""
    clock: Opinion | None = None
    """What is made of the machine's clock."""
    identify: bool = False
    """The fleet asked this kiosk to show which one it is."""
    unknown: Mapping[str, str] = field(default_factory=dict)
    """By signal, why it cannot be known here, as a short stable word."""

    @property
    def is_recorded(self) -> bool:
        """Whether pictures really go onto the disk now: allowed to is not enough."""
        return self.recording.keep == Keep.ALL and any(view.segment for view in self.cameras.values())
