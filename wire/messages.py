"""The MQTT messages of the contract, one model each. Ages are seconds, instants are aware UTC, unknown is null."""

from enum import StrEnum
from typing import Annotated, Any, Final, Literal

from pydantic import AwareDatetime, Field, NonNegativeInt, PositiveInt

from wire.codec import WireModel
from wire.preflight import Preflight
from wire.signals import ActiveSignal, Verdict

PROTOCOL: Final = 1

ShortText = Annotated[str, Field(max_length=200)]


class PresenceState(StrEnum):
    """What a birth or a death says."""

    ONLINE = "online"
    OFFLINE = "offline"


class Presence(WireModel):
    """Birth, planned death and will. `birth` rises with each connection; a death counts only for the current one."""

    state: PresenceState
    birth: PositiveInt
    boot: ShortText
    version: ShortText
    protocol: int = PROTOCOL
    epoch: ShortText | None = None


class Health(WireModel):
    """Vitals of the machine. What it has no sensor or tool for is null, which reads `unknown`."""

    at: AwareDatetime
    uptime_s: float | None = None
    temperature_c: float | None = None
    undervoltage_now: bool | None = None
    undervoltage_since_boot: bool | None = None
    throttled_now: bool | None = None
    throttled_since_boot: bool | None = None
    cpu_load_1m: float | None = None
    memory_used_share: float | None = None
    storage_free_bytes: NonNegativeInt | None = None
    storage_total_bytes: NonNegativeInt | None = None
    agent_rss_bytes: NonNegativeInt | None = None
    clock: str | None = None
    clock_source: ShortText | None = None
    """By what the kiosk knows the time: `ntp`, `fleet`, `carried` (since one of them was believed) or `machine`."""
    clock_off_s: float | None = None
    """How far its machine's own clock is ahead of the fleet's time."""
    link_round_trip_ms: float | None = None
    backlog_rows: NonNegativeInt | None = None
    ledger_answers_refused: NonNegativeInt | None = None
    """Answers of the fleet about other rows than the kiosk has, since its agent came up."""
    model: ShortText | None = None
    segments: NonNegativeInt | None = None
    """Sealed pieces of video on the kiosk's disk."""
    segment_bytes: NonNegativeInt | None = None
    recording_room_bytes: NonNegativeInt | None = None
    storage_written_today_bytes: NonNegativeInt | None = None
    storage_written_bytes: NonNegativeInt | None = None
    """Since this kiosk counts."""
    storage_years_left: float | None = None
    """An estimate from the card's rated endurance and the days before today."""
    cameras: dict[str, dict[str, Any]] = Field(default_factory=dict)
    cameras_set_up_at: AwareDatetime | None = None
    """When somebody confirmed them as they are; null when nobody did, or one is another by now."""
    cameras_set_up_by: ShortText | None = None
    """In which role."""


class Readiness(WireModel):
    """The kiosk's own verdict with the active signals, and what it is doing now."""

    verdict: Verdict
    signals: tuple[ActiveSignal, ...] = ()
    at: AwareDatetime
    state: ShortText | None = None
    session: ShortText | None = None
    room: ShortText | None = None
    """Where the kiosk stands, as its own screen says."""
    config_revision: NonNegativeInt | None = None
    preflight: Preflight | None = None
    """The last look at everything that a session needs, if there was one since the agent came up."""


class WireRow(WireModel):
    """One ledger row as it is stored: `body` is the row's own JSON text, `hash` chains it to the row before."""

    body: Annotated[str, Field(max_length=16_384)]
    hash: Annotated[str, Field(pattern=r"^[0-9a-f]{64}\z")]


class LedgerBatch(WireModel):
    """Consecutive rows `first`, `first + 1`, …; `prev` is the hash of row `first - 1` (of the epoch for row 1)."""

    epoch: Annotated[str, Field(pattern=r"^[0-9a-f-]{36}\z")]
    first: PositiveInt
    prev: Annotated[str, Field(max_length=64)]
    rows: Annotated[tuple[WireRow, ...], Field(min_length=1, max_length=1000)]


class LedgerAck(WireModel):
    """Exactly one of: committed through n (with that row's hash), replay from n, forked at n."""

    epoch: str
    through: NonNegativeInt | None = None
    hash: str | None = None
    replay_from: PositiveInt | None = None
    fork_at: PositiveInt | None = None


class Config(WireModel):
    """Desired settings; the kiosk reports in its readiness the revision that it runs."""

    revision: NonNegativeInt
    version: ShortText | None = None
    """The release that is to run; null leaves it to the kiosk."""
    version_by: AwareDatetime | None = None
    """The end of the campus's window for it."""
    settings: dict[str, Any] = Field(default_factory=dict)


class Command(WireModel):
    """A request to one kiosk: run once, never after `expires_at`, never for another ledger epoch."""

    id: Annotated[str, Field(min_length=8, max_length=64)]
    name: Annotated[str, Field(min_length=1, max_length=40)]
    args: dict[str, Any] = Field(default_factory=dict)
    expires_at: AwareDatetime
    epoch: str


class Reply(WireModel):
    """The answer to a command."""

    id: str
    ok: bool
    result: dict[str, Any] | None = None
    error: ShortText | None = None
    detail: ShortText | None = None


class Echo(WireModel):
    """Asked by the kiosk, answered by the fleet with the same `n` once its store has proved to work."""

    sender: Literal["kiosk", "fleet"] = Field(alias="from")
    n: NonNegativeInt
    at: AwareDatetime | None = None
    """The fleet's time as it answers: what a kiosk without NTP goes by, and a second source for one with it."""
