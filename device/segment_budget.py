"""Which sealed segments a kiosk keeps and which it gives up. Decisions only; device/segments.py carries them out."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Self

from device.session.clock import NS_PER_S, Instant
from wire.ledger import ClockTrust
from wire.segments import SegmentFacts


@dataclass(frozen=True, slots=True)
class Kept:
    """One segment on the shelf."""

    segment: str
    role: str
    session: str
    bytes: int
    at: datetime
    """When its first picture was taken, believed as far as `clock` says."""
    mono_ns: int
    """The same by the monotonic clock of `boot`."""
    boot: str
    clock: ClockTrust
    uploaded: bool = False
    """The fleet has it and said so."""

    @classmethod
    def told(cls, header: SegmentFacts, size_bytes: int, *, uploaded: bool) -> Self:
        """A file of that size, as its header tells it."""
        return cls(
            segment=header.segment,
            role=header.role,
            session=header.session,
            bytes=size_bytes,
            at=header.at,
            mono_ns=header.mono_ns,
            boot=header.boot,
            clock=header.clock,
            uploaded=uploaded,
        )


def oldest_first(kept: Iterable[Kept]) -> list[Kept]:
    """By wall clock, then by the monotonic one, then by name so that the order is always the same."""
    return sorted(kept, key=lambda one: (one.at, one.mono_ns, one.segment))


def room_bytes(kept: Iterable[Kept], used_bytes: int, free_bytes: int, quota_bytes: int, reserve_bytes: int) -> int:
    """How much may still be written: within the quota, and with the reserve left on the disk.

    What is uploaded counts as room, for it is given up first. Never negative.
    """
    uploaded = sum(one.bytes for one in kept if one.uploaded)
    return max(0, min(free_bytes - reserve_bytes, quota_bytes - used_bytes) + uploaded)


def evictions(kept: Iterable[Kept], need_bytes: int) -> list[Kept]:
    """What to give up for `need_bytes`: uploaded segments oldest first, then the others oldest first.

    No more than needed. Everything when even that is too little: the ledger's room goes before any video.
    """
    given: list[Kept] = []
    freed = 0
    for one in sorted(oldest_first(kept), key=lambda one: not one.uploaded):
        if freed >= need_bytes:
            break
        given.append(one)
        freed += one.bytes
    return given


def older_than(kept: Iterable[Kept], hours: float, now: Instant) -> list[Kept]:
    """The segments whose first picture is more than `hours` old, oldest first.

    One whose age nobody knows (its clock, or ours, was never set, and it is of another boot) is not among them: a
    kiosk that wakes up in 1970 would else give up everything when its clock is set.
    """
    limit = timedelta(hours=hours)
    return [one for one in oldest_first(kept) if (age := _age(one, now)) is not None and age > limit]


def of_session(
    kept: Iterable[Kept], session: str, since_mono_ns: int | None = None, boot: str | None = None
) -> list[Kept]:
    """The segments of a session, or only those begun at or after `since_mono_ns` of `boot`, oldest first.

    Raises:
        ValueError: a monotonic time without the boot in which it counts.
    """
    if since_mono_ns is not None and boot is None:
        raise ValueError("a monotonic time counts within one boot: name it")
    return [
        one
        for one in oldest_first(kept)
        if one.session == session and boot in {None, one.boot} and one.mono_ns >= (since_mono_ns or 0)
    ]


def last_before(kept: Iterable[Kept], mono_ns: int) -> list[Kept]:
    """Of each camera the last segment begun before `mono_ns`: no other one can reach beyond it."""
    last: dict[str, Kept] = {}
    for one in sorted(kept, key=lambda one: one.mono_ns):
        if one.mono_ns < mono_ns:
            last[one.role] = one
    return list(last.values())


def _age(one: Kept, now: Instant) -> timedelta | None:
    if one.boot == now.boot:
        return timedelta(seconds=(now.mono_ns - one.mono_ns) / NS_PER_S)
    if ClockTrust.UNSET in {one.clock, now.trust}:
        return None
    return now.wall - one.at
