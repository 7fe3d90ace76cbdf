"""How well the fleet answers, by the echoes that are asked anyway. Pure; times are seconds of one monotonic clock."""

from collections import deque
from statistics import median
from typing import Final

WINDOW: Final = 12
"""A minute of echoes outside sessions."""
ENOUGH: Final = 5


class LinkQuality:
    """The last echoes: when they were asked, and after how long they were answered."""

    def __init__(self) -> None:
        self._answers: deque[tuple[int, float | None]] = deque(maxlen=WINDOW)

    def asked(self, number: int) -> None:
        """An echo went out."""
        self._answers.append((number, None))

    def answered(self, number: int, took_ms: float) -> None:
        """It came back."""
        for at, (asked, _) in enumerate(self._answers):
            if asked == number:
                self._answers[at] = (asked, took_ms)

    def forget(self) -> None:
        """The connection is another: what the last one was like says nothing of it."""
        self._answers.clear()

    @property
    def median_ms(self) -> float | None:
        """Of those answered; None while there are too few to tell."""
        took = [one for _, one in self._answers if one is not None]
        return round(median(took), 1) if len(took) >= ENOUGH else None

    @property
    def lost_share(self) -> float | None:
        """Of those asked but the newest, which may still be on its way; None while there are too few."""
        before = list(self._answers)[:-1]
        lost = sum(one is None for _, one in before)
        return round(lost / len(before), 2) if len(before) >= ENOUGH else None
