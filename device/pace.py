"""How much may be under way to the fleet at once, so that what happens now hardly waits behind it. Pure.

Nobody tells a kiosk how fast its line is, or how busy the fleet. Both show in the time from sending to the answer: it
is kept near half a second, by sending less where it takes longer, and more where it takes less. On a line of 32 kB/s
that comes to some 16 kB; where a line is fast, the bounds are all that is felt.
"""

from collections import deque
from typing import Final

AIM_S: Final = 0.5
"""From sending to the answer. With a row of now behind it and one more on its way, that row waits under a second."""
LEAST_BYTES: Final = 4 * 1024
START_BYTES: Final = 16 * 1024
"""Half a second of a poor line: the first thing that is sent must not be what everyone waits for."""
_LEAST_SHARE: Final = 0.5
"""One late answer does not say that the line lost more than half of its speed."""


class Pace:
    """The bytes that may be under way, by how long answers take."""

    def __init__(self, most_bytes: int) -> None:
        self._most = most_bytes
        self._window = min(START_BYTES, most_bytes)

    @property
    def window_bytes(self) -> int:
        """So much may be under way."""
        return self._window

    def answered(self, took_s: float, size_bytes: int) -> None:
        """An answer to what was sent `took_s` ago, when `size_bytes` were under way with it."""
        if took_s > AIM_S:
            self._window = max(LEAST_BYTES, int(self._window * max(_LEAST_SHARE, AIM_S / took_s)))
        elif took_s < AIM_S / 2 and size_bytes * 2 >= self._window:  # less has not tried what the line carries
            self._window = min(self._most, self._window * 2)

    def unanswered(self) -> None:
        """No answer came at all."""
        self._window = LEAST_BYTES


class Flight:
    """What of a row of messages is under way, and what their answers tell of the pace."""

    def __init__(self, most_bytes: int) -> None:
        self._pace = Pace(most_bytes)
        self._sent: deque[tuple[int, int, int, float]] = deque()
        self._bytes = 0
        self._judged_at_s = float("-inf")

    @property
    def next_bytes(self) -> int:
        """How large the next message may be; 0 while enough is under way."""
        window = self._pace.window_bytes
        return 0 if self._bytes >= window else window // 2

    def sent(self, last: int, size_bytes: int, now_s: float) -> None:
        """A message that ends with number `last` went off."""
        self._bytes += size_bytes
        self._sent.append((last, size_bytes, self._bytes, now_s))

    def answered(self, through: int, now_s: float) -> None:
        """All through that number has arrived."""
        sent_s, with_bytes = None, 0
        while self._sent and self._sent[0][0] <= through:
            _, size_bytes, with_bytes, sent_s = self._sent.popleft()
            self._bytes -= size_bytes
        # Once for each window: answers to what went off before the last change say nothing of that change.
        if sent_s is not None and sent_s >= self._judged_at_s:
            self._pace.answered(now_s - sent_s, with_bytes)
            self._judged_at_s = now_s

    def unanswered(self) -> None:
        """Nothing came back: it is all to be sent again, and gently."""
        self._pace.unanswered()
        self.forget()

    def forget(self) -> None:
        """Nothing is under way any more."""
        self._sent.clear()
        self._bytes = 0
