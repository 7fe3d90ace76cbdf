"""What has to go because a consent was taken back: decisions only, on what the schedule and the ledger say."""

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime, timedelta

from device.segment_budget import Kept
from wire.ledger import ClockTrust
from wire.messages import Schedule


def revoked(schedule: Schedule | None) -> dict[str, datetime]:
    """Since when each student's consent is taken back; the earliest counts."""
    found: dict[str, datetime] = {}
    for booking in schedule.bookings if schedule else ():
        for consent in booking.consents:
            at = consent.revoked_at
            if at is not None:
                found[consent.student] = min(at, found.get(consent.student, at))
    return found


def doomed(
    kept: Iterable[Kept],
    students: Mapping[str, Iterable[str]],
    since: Mapping[str, datetime],
    duration: Callable[[Kept], timedelta],
) -> list[Kept]:
    """The segments in which there may be a picture taken after one of their students' consents was taken back.

    Args:
        kept: what there is.
        students: of each session.
        since: by student, as `revoked` gives it.
        duration: of a segment; asked only where it matters.
    """
    found = []
    for one in kept:
        limits = [since[student] for student in students.get(one.session, ()) if student in since]
        if limits and (one.clock is ClockTrust.UNSET or one.at + duration(one) > min(limits)):
            found.append(one)
    return found
