"""What is wrong with the clock, with its evidence: what, where, and what to do. Pure."""

from datetime import timedelta
from typing import Any, Final

from device.session.clock import NS_PER_S, Instant
from device.session.trust import OFF, Opinion, Refusal, Source
from wire.ledger import ClockTrust

HELD_IS_LONG_NS: Final = 600 * NS_PER_S
"""A time source answers within minutes of a start, or is not to be had: until then nothing is said."""
_CHECK: Final = "see that the kiosk reaches an NTP server (UDP 123), and which: timedatectl timesync-status"
_WHY: Final = {
    Refusal.BEFORE_FLOOR: "it shows less than a trusted clock of this kiosk once did",
    Refusal.FAR_AHEAD: "it is over 400 days ahead of all that this kiosk has known",
    Refusal.JUMPED: "it jumped by more than 48 h since NTP was believed first in this boot",
    Refusal.CONTRADICTED: "the fleet's time is over 48 h from it",
}
_USED: Final = {
    Source.NTP: "the machine's clock, as NTP set it",
    Source.FLEET: "the fleet's time",
    Source.CARRIED: "the time since a source was last believed",
    Source.MACHINE: "nothing: schedule, consents and commands wait for a true time",
}


def conditions(now: Instant, clock: Opinion | None) -> dict[tuple[str, str | None], dict[str, Any]]:
    """The clock's signals that are true now, each with its evidence."""
    found: dict[tuple[str, str | None], dict[str, Any]] = {}
    long_held = clock is not None and now.trust is ClockTrust.HELD and now.mono_ns >= HELD_IS_LONG_NS
    if now.trust is ClockTrust.UNSET or long_held:
        found["clock.unset", None] = {
            "shows": now.wall.isoformat(timespec="seconds"), "trust": now.trust.value, "do": _CHECK,
        }  # fmt: skip
    if clock is not None and (clock.refused or clock.is_off):
        found["clock.drift", None] = _drift(clock)
    return found


def _drift(clock: Opinion) -> dict[str, Any]:
    evidence: dict[str, Any] = {"used": _USED[clock.source], "do": _CHECK}
    if clock.shows is not None:
        evidence["shows"] = clock.shows.isoformat(timespec="seconds")
    if clock.off is not None:
        evidence |= {"offset_s": _s(clock.off), "true_to_s": _s(clock.off_error), "limit_s": OFF.total_seconds()}
    if clock.refused:
        evidence |= {"refused": clock.refused.value, "because": _WHY[clock.refused], "beside_s": _s(clock.beside)}
    return evidence


def _s(length: timedelta) -> float:
    return round(length.total_seconds(), 3)
