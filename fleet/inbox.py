"""Messages waiting for the ingest: bounded in number and bytes, so that a flood cannot grow memory.

What a kiosk says of the moment does not wait behind anybody's backlog: with 200 kiosks that send theirs at once, an
echo in its turn would be answered when its kiosk had long called the link down. Facts keep their order.
"""

import threading
from collections import deque
from typing import Final

from fleet.incoming import Raw
from wire.topics import Channel

MOST_MESSAGES: Final = 20_000
MOST_BYTES: Final = 64 * 1024 * 1024
FACT_BYTES_AT_ONCE: Final = 1024 * 1024
"""A transaction of more would keep the present waiting."""
_FACTS: Final = tuple(f"/{channel}" for channel in (Channel.LEDGER, Channel.REPLY, Channel.UPLOAD))


class Inbox:
    """Filled by the link's thread, emptied by the ingest's."""

    def __init__(self, most_messages: int = MOST_MESSAGES, most_bytes: int = MOST_BYTES) -> None:
        self._most_messages, self._most_bytes = most_messages, most_bytes
        self._moment: deque[Raw] = deque()
        self._facts: deque[Raw] = deque()
        self._bytes = 0
        self._some = threading.Condition()
        self._dropped = 0

    def put(self, raw: Raw) -> None:
        """Let a message wait, or count it as dropped when too much waits already. Returns at once."""
        with self._some:
            if len(self._moment) + len(self._facts) >= self._most_messages or self._bytes >= self._most_bytes:
                self._dropped += 1
                return
            (self._facts if is_fact(raw) else self._moment).append(raw)
            self._bytes += len(raw.payload)
            self._some.notify()

    def take(self, most: int, timeout_s: float) -> list[Raw]:
        """Up to `most` messages of the moment, then up to `most` facts; none when none came within `timeout_s`."""
        with self._some:
            if self.is_empty:
                self._some.wait(timeout_s)
            taken = [self._moment.popleft() for _ in range(min(most, len(self._moment)))]
            facts_bytes, most_facts = 0, min(most, len(self._facts))
            while most_facts and facts_bytes < FACT_BYTES_AT_ONCE:
                taken.append(self._facts.popleft())
                facts_bytes, most_facts = facts_bytes + len(taken[-1].payload), most_facts - 1
            self._bytes -= sum(len(raw.payload) for raw in taken)
        return taken

    @property
    def is_empty(self) -> bool:
        """Whether nothing waits."""
        return not (self._moment or self._facts)

    def take_dropped(self) -> int:
        """How many were dropped since the last call."""
        with self._some:
            dropped, self._dropped = self._dropped, 0
        return dropped

    def wake(self) -> None:
        """Let `take` return now."""
        with self._some:
            self._some.notify_all()


def is_fact(raw: Raw) -> bool:
    """Whether a message has to be kept, or is about such; else it tells of the moment only."""
    return raw.topic.endswith(_FACTS)
