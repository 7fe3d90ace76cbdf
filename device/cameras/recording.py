"""What a camera's recorder is told to keep, and what it tells of it. Both sides of the process boundary know this."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

PRE_ROLL_S: Final = 15.0
"""Twice as long as a silent network goes unnoticed in a session: an echo every 2 s, given 5 s to be answered."""


class Keep(StrEnum):
    """What becomes of a camera's coded pictures."""

    NOTHING = "nothing"
    """Nobody may keep any."""
    PRE_ROLL = "pre-roll"
    """The last seconds, in memory only."""
    ALL = "all"
    """Sealed onto the disk, the pre-roll first."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What to keep, and whose it is. Times of the kiosk's clock are found through one instant known in both."""

    keep: Keep = Keep.NOTHING
    number: int = 0
    """Counts the plans of one agent; the recorder names the last one that it follows."""
    folder: str = ""
    fleet_key: str = ""
    """Base64 of the fleet's X25519 public key: what is sealed to it only the fleet can open."""
    kiosk: str = ""
    campus: str = ""
    session: str = ""
    booking: str | None = None
    boot: str = ""
    clock: str = "unset"
    at: str = "1970-01-01T00:00:00+00:00"
    mono_ns: int = 0
    anchor_ns: int = 0
    """`at` and `mono_ns` as CLOCK_MONOTONIC of the machine has them."""

    def instant(self, captured_ns: int) -> tuple[datetime, int]:
        """When a picture was taken by the kiosk's clock: wall time and its boot's monotonic nanoseconds."""
        later_ns = captured_ns - self.anchor_ns
        return datetime.fromisoformat(self.at) + timedelta(microseconds=later_ns / 1_000), self.mono_ns + later_ns

    def same_but_for_time(self, other: "Plan") -> bool:
        """Whether two plans keep the same, for the same session: then what is being written goes on."""
        mine = replace(
            self, number=other.number, at=other.at, mono_ns=other.mono_ns, anchor_ns=other.anchor_ns, clock=other.clock
        )
        return mine == other


NOTHING: Final = Plan()
"""What a recorder follows before it was told anything."""


@dataclass(frozen=True, slots=True)
class Sealed:
    """A segment that is whole and durable under its final name."""

    segment: str
    session: str
    role: str
    ms: int
    bytes: int
    hash: str
    """BLAKE2b-256 over the file, hex."""
    frames: int
    at: str
    mono_ns: int
    boot: str
    clock: str


@dataclass(frozen=True, slots=True)
class Failed:
    """Writing was given up for now; the pictures meanwhile are lost."""

    role: str
    reason: str


Event = Sealed | Failed
