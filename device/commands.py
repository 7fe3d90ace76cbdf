"""Requests of the fleet: checked once, run once, never after their expiry, never for another ledger epoch."""

from typing import Final

from device.session.clock import Instant
from wire.calls import HELP_ANSWERED
from wire.ledger import ClockTrust
from wire.messages import Command

KNOWN: Final = frozenset({"identify", "netcheck", "preflight", "still", "tone", HELP_ANSWERED})
WITHOUT_CLOCK: Final = frozenset({"identify", "preflight"})
"""What runs even while the clock is unset, when no expiry can be judged: neither can do harm late."""


def refusal(command: Command, *, epoch: str, now: Instant) -> str | None:
    """Why `command` is not run, as the reply's `error`; None when it is. A repeated id is found by the ledger."""
    if command.name not in KNOWN:
        return "unknown_command"
    if command.epoch != epoch:
        return "wrong_epoch"
    if now.trust is ClockTrust.UNSET:
        return None if command.name in WITHOUT_CLOCK else "clock_untrusted"
    return "expired" if now.wall >= command.expires_at else None
