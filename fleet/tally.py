"""The health score: how long each kiosk was ready within bell times, added up as time goes by. Pure.

Only time that this service watched is counted: a night without the fleet is no night without kiosks. The score is the
ready share of the time counted.
"""

from collections.abc import Iterable
from typing import Any, Final

from fleet.clock import Instant
from fleet.notices import School
from fleet.store.readiness_days import Spent
from wire.signals import Verdict

LONGEST_STEP_S: Final = 30.0
"""Between two looks further apart than this the service slept, and saw nothing."""


class Tally:
    """Used by one thread."""

    def __init__(self) -> None:
        self._at: Instant | None = None
        self._ms: dict[tuple[str, str, str], dict[Verdict, int]] = {}

    def add(self, verdicts: Iterable[tuple[str, str, Verdict]], school: School, now: Instant) -> None:
        """Kiosk, campus and verdict of each kiosk, as it is now; the time since the last call was spent so."""
        before, self._at = self._at, now
        if before is None or not 0 < (passed_s := now.mono_s - before.mono_s) <= LONGEST_STEP_S:
            return
        days: dict[str, str | None] = {}
        for kiosk, campus, verdict in verdicts:
            if campus not in days:
                days[campus] = f"{school.local(campus, now.at):%Y-%m-%d}" if school.bells(campus, now.at) else None
            day = days[campus]
            if day is not None:
                spent = self._ms.setdefault((kiosk, campus, day), {})
                spent[verdict] = spent.get(verdict, 0) + round(passed_s * 1_000)

    def take(self) -> list[Spent]:
        """What was added up since the last call."""
        taken, self._ms = self._ms, {}
        return [Spent(kiosk, campus, day, ms) for (kiosk, campus, day), ms in taken.items()]

    def give_back(self, spent: Iterable[Spent]) -> None:
        """These could not be kept after all."""
        for one in spent:
            kept = self._ms.setdefault((one.kiosk, one.campus, one.day), {})
            for verdict, ms in one.ms.items():
                kept[verdict] = kept.get(verdict, 0) + ms


def score(row: Any) -> float | None:
    """The ready share of the time that a row of `readiness_days` counts; None of none."""
    counted_ms = row.ready_ms + row.attention_ms + row.blocked_ms + row.unknown_ms
    return None if counted_ms == 0 else float(round(row.ready_ms / counted_ms, 4))
