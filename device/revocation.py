"""What has to go because a consent was taken back: decisions only, on what the schedule and the ledger say."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from device.segment_budget import Kept
from wire.ledger import ClockTrust
from wire.schedule import Consent, Schedule


@dataclass(frozen=True, slots=True)
class Gap:
    """A stretch without consent: from where it was taken back to where it was given anew, if it was."""

    since: datetime
    until: datetime | None = None

    def overlaps(self, start: datetime, end: datetime) -> bool:
        """Whether something that was recorded from `start` to `end` reaches into it."""
        return end > self.since and (self.until is None or start < self.until)


def revoked(schedule: Schedule | None) -> dict[str, tuple[Gap, ...]]:
    """When each student's consent was taken back, and until when that counts."""
    told: dict[str, list[Consent]] = defaultdict(list)
    if schedule is not None:
        for one in (*schedule.consents, *(one for booking in schedule.bookings for one in booking.consents)):
            told[one.student].append(one)
    return {student: gaps for student, own in told.items() if (gaps := _gaps(own))}


def doomed(
    kept: Iterable[Kept],
    students: Mapping[str, Iterable[str]],
    gaps: Mapping[str, Sequence[Gap]],
    duration: Callable[[Kept], timedelta],
) -> list[Kept]:
    """The segments in which there may be a picture taken after one of their students' consents was taken back.

    Args:
        kept: what there is.
        students: of each session.
        gaps: by student, as `revoked` gives them.
        duration: of a segment; asked only where it matters.
    """
    found = []
    for one in kept:
        without = [gap for student in students.get(one.session, ()) for gap in gaps.get(student, ())]
        if without and (one.clock is ClockTrust.UNSET or _reaches(one, without, duration)):
            found.append(one)
    return found


def _reaches(one: Kept, gaps: Iterable[Gap], duration: Callable[[Kept], timedelta]) -> bool:
    end = one.at + duration(one)
    return any(gap.overlaps(one.at, end) for gap in gaps)


def _gaps(consents: Iterable[Consent]) -> tuple[Gap, ...]:
    own = list(consents)
    found = set()
    for at in {one.revoked_at for one in own if one.revoked_at is not None}:
        again = [
            one.since
            for one in own
            if one.since is not None and one.since >= at and (one.revoked_at is None or one.revoked_at > at)
        ]
        found.add(Gap(at, min(again, default=None)))
    return tuple(sorted(found, key=lambda gap: gap.since))
