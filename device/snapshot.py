"""One consistent picture of the kiosk, from which screen, messages and readiness are derived; nothing kept twice."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from device.session.clock import Instant
from device.session.states import State
from wire.minutes import SessionRecord
from wire.signals import ActiveSignal, Verdict


@dataclass(frozen=True, slots=True)
class CameraView:
    """What is shown of one camera. Ages are seconds; None is "never" or "cannot be known"."""

    state: str
    fps: float | None = None
    last_frame_age_s: float | None = None
    pid: int | None = None
    detail: str = ""


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
    unwritten: bool = False
    """The ledger cannot be written; facts are in memory only."""
    identify: bool = False
    """The fleet asked this kiosk to show which one it is."""
