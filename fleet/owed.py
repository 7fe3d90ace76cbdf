"""What a student is owed, beside what is booked and what was provided. Pure.

Owed counts whole weeks (Monday to Sunday) or months in the campus's own time; a mandate that begins or ends within one
owes that one in proportion to its days. `booked` are planned minutes; `provided` is only what a clinician confirmed,
and null while nobody confirmed any: what a kiosk recorded is told beside it as `held`, which is not the same.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta, tzinfo

from fleet.planning import Plan, State
from fleet.store.campuses import Mandate


@dataclass(frozen=True, slots=True)
class Stretch:
    """One week or month."""

    first: date
    last: date
    per: str
    owed_minutes: float
    booked_minutes: int
    """Of bookings that stand."""
    settled_minutes: int
    """Of bookings that will not be held."""
    held_minutes: float
    """Elapsed in sessions of these bookings, as the kiosk's record has it."""
    provided_minutes: float | None = None
    """Confirmed by clinicians; null: nothing of it was confirmed."""


def stretches(
    mandates: Iterable[Mandate],
    plans: Iterable[Plan],
    held_ms: Mapping[str, int],
    days: tuple[date, date],
    zone: tzinfo,
    provided_ms: Mapping[str, int] | None = None,
) -> list[Stretch]:
    """Owed, booked and held in each week or month that touches the days from the first to the last, by beginning.

    Args:
        mandates: the student's.
        plans: the student's bookings, cancelled ones left out of every sum.
        held_ms: by booking, the elapsed milliseconds of its sessions.
        days: first and last.
        zone: the campus's.
        provided_ms: by booking, what clinicians confirmed of its sessions; one that nobody confirmed is not in it.
    """
    confirmed = provided_ms or {}
    known = [(plan.start.astimezone(zone).date(), plan) for plan in plans if plan.state is not State.CANCELLED]
    owing = list(mandates)
    found = []
    for per in sorted({one.per for one in owing} or {"week"}):
        of = [one for one in owing if one.per == per]
        for first, last in _periods(days, per):
            here = [plan for day, plan in known if first <= day <= last]
            provided = [confirmed[plan.id] for plan in here if plan.id in confirmed]
            found.append(
                Stretch(
                    first,
                    last,
                    per,
                    owed_minutes=round(sum(_share(one, first, last) * one.minutes for one in of), 1),
                    booked_minutes=sum(plan.minutes for plan in here if plan.state is State.PLANNED),
                    settled_minutes=sum(plan.minutes for plan in here if plan.state is State.SETTLED),
                    held_minutes=round(sum(held_ms.get(plan.id, 0) for plan in here) / 60_000, 1),
                    provided_minutes=round(sum(provided) / 60_000, 1) if provided else None,
                )
            )
    return sorted(found, key=lambda one: (one.first, one.per))


def default_days(now: datetime, zone: tzinfo) -> tuple[date, date]:
    """The four weeks around this one: three before, to the end of this."""
    today = now.astimezone(zone).date()
    monday = today - timedelta(days=today.weekday())
    return monday - timedelta(weeks=3), monday + timedelta(days=6)


def _periods(days: tuple[date, date], per: str) -> Iterator[tuple[date, date]]:
    first, last = days
    begins = first.replace(day=1) if per == "month" else first - timedelta(days=first.weekday())
    while begins <= last:
        after = (begins + timedelta(days=32)).replace(day=1) if per == "month" else begins + timedelta(days=7)
        yield begins, after - timedelta(days=1)
        begins = after


def _share(mandate: Mandate, first: date, last: date) -> float:
    """Which part of a period's days the mandate covers."""
    since, until = max(mandate.from_day, first), min(mandate.until_day, last)
    return max(0, (until - since).days + 1) / ((last - first).days + 1)
