"""What a reader is told of a booking's forecast: the items of `GET readiness`, and what the board shows."""

from datetime import datetime
from typing import Literal

from pydantic import Field

from fleet.clock import Instant
from fleet.forecast import Forecast, Overdue, Phase
from fleet.planning import State
from fleet.views import View
from fleet.vitals_now import LinkQuality
from wire.minutes import Minutes
from wire.preflight import Preflight
from wire.signals import Verdict


class Evidence(View):
    """What the verdict rests on."""

    what: str
    """`checked` or `last heard`."""
    at: datetime | None
    age_s: float | None
    """Null: there is none."""


class LinkView(View):
    """How good the way to the kiosk is."""

    quality: Literal["good", "fair", "slow", "poor", "unknown"]
    round_trip_ms: float | None


class HeldView(View):
    """The session of the booking, as far as its rows came."""

    id: str
    state: str
    started_at: datetime | None
    minutes: Minutes
    age_s: float
    """Since its last row arrived."""


class ForecastView(View):
    """One booking of a day: will its kiosk be ready, and what came of it."""

    booking: str
    campus: str
    time_zone: str
    """The campus's, by its IANA name."""
    room: str
    room_name: str
    kiosk: str | None
    """Null while none stands in the room."""
    start: datetime
    end: datetime
    minutes: int
    late_min: int | None
    therapist: str
    students: tuple[str, ...] | None
    """Opaque references; null for readers who may not know."""
    state: State
    phase: Phase
    verdict: Verdict
    """`unknown` also where nothing is to be foretold any more."""
    reasons: tuple[str, ...]
    needs: tuple[str, ...] = Field(description="What would have to change")
    evidence: Evidence
    next_look_at: datetime | None
    """When the kiosk will look by itself."""
    link: LinkView
    presence: Literal["online", "unknown", "offline"] | None
    doing: str | None
    """What the kiosk last said it was doing."""
    in_session: bool
    overdue: Overdue | None
    session: HeldView | None
    preflight: Preflight | None
    """The kiosk's last look, whatever it was for."""
    point_person: str | None
    """Who of the building is told first."""
    office: str | None
    still: Literal["off"] = "off"
    """No picture exists before a session, and stills of one are asked for and audited at their own address."""


def evidence_of(found: Forecast, now: Instant) -> Evidence:
    """The evidence with its age."""
    at = found.evidence_at
    age_s = None if at is None else round(max(0.0, (now.at - at).total_seconds()), 3)
    return Evidence(what=found.evidence, at=at, age_s=age_s)


def link_view(link: LinkQuality) -> LinkView:
    """The quality of a link."""
    return LinkView.model_validate({"quality": link.word, "round_trip_ms": link.round_trip_ms})
