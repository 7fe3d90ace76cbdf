"""What is true of sound, network, certificate, software and schedule, before any hold time: pure, with evidence."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from device.netcheck.rows import Result
from device.netcheck.verdicts import LOST_SHARE, SLOW_MS
from device.readiness import Key
from device.session.clock import Instant
from device.session.windows import usable
from wire.ledger import ClockTrust
from wire.messages import Config
from wire.schedule import Schedule

Found = dict[Key, dict[str, Any]]

EXPIRES_WITHIN: Final = timedelta(days=30)
STALE_AFTER: Final = timedelta(hours=24)
_NAMED: Final = 4


@dataclass(frozen=True, slots=True)
class SoundFacts:
    """What is known of microphone and loudspeaker; None is unknown, and raises nothing."""

    has_microphone: bool | None = None
    has_speaker: bool | None = None
    is_silent: bool | None = None
    rms_dbfs: float | None = None
    """Of the last second that was listened to."""
    floor_dbfs: float | None = None


@dataclass(frozen=True, slots=True)
class LineFacts:
    """What is known of the line to the fleet."""

    median_ms: float | None = None
    lost_share: float | None = None
    needed_bps: int = 0
    result: Result | None = None
    """Of the last network check."""


def of_sound(facts: SoundFacts) -> Found:
    """Whether something is not plugged in, or hears nothing."""
    missing = [
        name for name, has in (("microphone", facts.has_microphone), ("speaker", facts.has_speaker)) if has is False
    ]
    if missing:
        return {("audio.missing", None): {"missing": missing}}
    if facts.is_silent:
        return {("audio.silent", None): {"rms_dbfs": facts.rms_dbfs, "floor_dbfs": facts.floor_dbfs}}
    return {}


def of_line(facts: LineFacts) -> Found:
    """Whether the line is weak, and whether the network filters."""
    found: Found = {}
    weak = {}
    if facts.median_ms is not None and facts.median_ms > SLOW_MS:
        weak["round_trip_ms"] = facts.median_ms
    if facts.lost_share is not None and facts.lost_share > LOST_SHARE:
        weak["lost_share"] = facts.lost_share
    upload_bps = facts.result.upload_bps if facts.result else None
    if upload_bps is not None and upload_bps < facts.needed_bps:
        weak |= {"upload_bps": upload_bps, "needed_bps": facts.needed_bps}
    if weak:
        found["link.poor", None] = weak
    rows = facts.result.filtered if facts.result else ()
    if rows:
        found["link.filtered", None] = {
            "found": [{"what": row.name, "where": row.where, "says": row.says, "do": row.do} for row in rows[:_NAMED]]
        }
    return found


def of_certificate(ends: datetime | None, now: Instant) -> Found:
    """Whether the kiosk's certificate is about to end, or did; a clock that was never set cannot tell."""
    if ends is None or now.trust is ClockTrust.UNSET:
        return {}
    evidence = {"ends": ends.isoformat(timespec="seconds")}
    if now.wall >= ends:
        return {("certificate.expired", None): evidence}
    return {("certificate.expiring", None): evidence} if ends - now.wall <= EXPIRES_WITHIN else {}


def of_software(desired: Config | None, running: str, now: Instant) -> Found:
    """Whether another version was to run by now."""
    if desired is None or desired.version in {None, running} or now.trust is ClockTrust.UNSET:
        return {}
    if desired.version_by is not None and now.wall < desired.version_by:
        return {}
    return {("software.behind", None): {"running": running, "desired": desired.version}}


def of_schedule(schedule: Schedule | None, now: Instant) -> Found:
    """Whether the schedule is old; nothing where none was ever sent."""
    held = usable(schedule, now)
    if held is None or now.wall - held.as_of <= STALE_AFTER:
        return {}
    return {("schedule.stale", None): {"as_of": held.as_of.isoformat(timespec="seconds")}}


def of_shutters(closed: Mapping[str, bool]) -> Found:
    """Which camera's shutter is closed, by its contact."""
    return {("camera.shuttered", role): {"contact": "closed"} for role, is_closed in closed.items() if is_closed}
