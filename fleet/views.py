"""What a reader of the fleet is told: the models behind the API's JSON and the console's pages.

Every fact carries its age in seconds, measured by the fleet on its own monotonic clock; null is "never" or "not known".
What is too old to be believed is `unknown`, never the last good value.
"""

from datetime import datetime
from typing import Any, Final, Literal

from pydantic import BaseModel, ConfigDict, Field

from wire.ledger import ClockTrust
from wire.minutes import Minutes, Span
from wire.signals import Severity, Verdict

VERDICT_LIMIT_S: Final = 90.0
"""News older than this is no verdict any more: the time after which a silent kiosk is offline."""


class View(BaseModel):
    """A frozen model that is only ever shown."""

    model_config = ConfigDict(frozen=True)


class PresenceView(View):
    """Whether a kiosk is heard."""

    state: Literal["online", "unknown", "offline"]
    since: datetime | None
    """When this state began; null when the kiosk was never heard."""
    last_heard_at: datetime | None
    age_s: float | None
    """Since the last sign of life; null when it was never heard."""


class SignalView(View):
    """One active signal with its words for each reader."""

    id: str
    role: str | None
    severity: Severity
    since: datetime
    evidence: dict[str, Any]
    outranked: bool
    """Held back by a stronger signal of the same camera; it changes no verdict."""
    aide: str
    therapist: str
    it: str


class SessionLine(View):
    """One session in a list."""

    id: str
    kiosk: str
    campus: str
    state: str
    """`running`, `paused`, `interrupted`, `ended`, `cancelled`, or `unknown` while its start has not arrived."""
    started_at: datetime | None
    ended_at: datetime | None
    started_by: str | None
    ended_by: str | None
    minutes: Minutes
    complete: bool
    """Ended or cancelled, and every ledger row up to its last is held here."""
    age_s: float | None
    """Since the last row of this session arrived."""


class SessionView(SessionLine):
    """One session with its timeline."""

    timeline: tuple[Span, ...]
    clock: ClockTrust
    """How far `started_at` may be believed."""


class KioskView(View):
    """One kiosk as the board shows it."""

    id: str
    campus: str
    presence: PresenceView
    verdict: Verdict
    """`unknown` while the kiosk is not online or its news is older than 90 s."""
    reported_verdict: Verdict | None
    """What the kiosk last said of itself, however old."""
    verdict_age_s: float | None
    signals: tuple[SignalView, ...]
    state: str | None
    """What the kiosk last said it was doing: `idle`, `live`, `buffering`, `paused`, …"""
    state_age_s: float | None
    session: SessionLine | None
    """The session that runs, or was running when the kiosk was last heard."""
    version: str | None
    boot: str | None
    epoch: str | None
    ledger_through: int
    """Rows 1 to this one of the current epoch are held without a hole."""
    backlog_rows: int | None
    health: dict[str, Any] | None = Field(description="The last vitals; a null inside is `not known`.")
    health_age_s: float | None
