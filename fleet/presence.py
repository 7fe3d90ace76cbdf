"""Whether a kiosk is heard: birth, death and the age of its last sign, folded into online, unknown or offline. Pure.

A broker that dies with its node never publishes a kiosk's will, and a retained birth is replayed for ever: only a live
message is a sign of life, and silence alone makes a kiosk unknown and then offline.
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from fleet.clock import Instant

UNKNOWN_AFTER_S: Final = 45.0
OFFLINE_AFTER_S: Final = 90.0


class Reach(StrEnum):
    """What is known of a kiosk's presence."""

    ONLINE = "online"
    UNKNOWN = "unknown"
    OFFLINE = "offline"


@dataclass(frozen=True, slots=True)
class Presence:
    """What decides; `reach` and `since` say what it comes to at a given moment."""

    listening: Instant
    """Since when this process listens: a silence before it is not the kiosk's."""
    birth: int = 0
    """The highest birth number of the current ledger."""
    epoch: str | None = None
    heard: Instant | None = None
    """The last sign of life; None is never."""
    heard_here: bool = False
    """Whether that sign came to this process; one remembered from an earlier run proves nothing now."""
    online_since: datetime | None = None
    dead_since: datetime | None = None
    """When the current birth's death came."""

    def reach(self, now: Instant) -> Reach:
        """The state at `now`."""
        if self.dead_since is not None:
            return Reach.OFFLINE
        silence_s = self._silent_from.age_s(now)
        if silence_s >= OFFLINE_AFTER_S:
            return Reach.OFFLINE
        if not self.heard_here or silence_s >= UNKNOWN_AFTER_S:
            return Reach.UNKNOWN
        return Reach.ONLINE

    def since(self, now: Instant) -> datetime | None:
        """When the state at `now` began; None for a kiosk that was never heard."""
        if self.heard is None:
            return self.dead_since
        match self.reach(now):
            case Reach.ONLINE:
                return self.online_since
            case Reach.UNKNOWN if not self.heard_here:
                return self.listening.at
            case Reach.UNKNOWN:
                return self._silent_from.at + timedelta(seconds=UNKNOWN_AFTER_S)
            case Reach.OFFLINE:
                return self.dead_since or self._silent_from.at + timedelta(seconds=OFFLINE_AFTER_S)

    @property
    def _silent_from(self) -> Instant:
        return self.heard if self.heard is not None and self.heard_here else self.listening


def sign(presence: Presence, now: Instant) -> Presence:
    """After a live message of the kiosk."""
    online = presence.reach(now) is Reach.ONLINE
    since = presence.online_since if online else now.at
    return Presence(presence.listening, presence.birth, presence.epoch, now, True, since, None)  # noqa: FBT003  # in order; far cheaper than replace


def born(presence: Presence, birth: int, epoch: str | None, *, retained: bool, now: Instant) -> Presence:
    """After a birth. One replayed by the broker (`retained`) tells the number and is no sign of life."""
    new_ledger = epoch is not None and epoch != presence.epoch
    if retained:
        if birth <= presence.birth:
            return presence
        return replace(presence, birth=birth, epoch=epoch or presence.epoch, dead_since=None)
    if birth < presence.birth and not new_ledger:
        return sign(presence, now)
    # A new ledger file begins its births at 1 again.
    return sign(replace(presence, birth=birth, epoch=epoch or presence.epoch), now)


def died(presence: Presence, birth: int, *, retained: bool, now: Instant) -> Presence:
    """After a death or a will; one that belongs to an earlier birth changes nothing."""
    if birth < presence.birth or (presence.dead_since is not None and birth == presence.birth):
        return presence
    since = presence.heard.at if retained and presence.heard is not None else now.at
    return replace(presence, birth=birth, dead_since=since)
