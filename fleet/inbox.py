"""Messages waiting for the ingest: bounded in number and bytes, so that a flood cannot grow memory."""

import threading
from collections import deque
from typing import Final

from fleet.incoming import Raw

MOST_MESSAGES: Final = 20_000
MOST_BYTES: Final = 64 * 1024 * 1024


class Inbox:
    """Filled by the link's thread, emptied by the ingest's."""

    def __init__(self, most_messages: int = MOST_MESSAGES, most_bytes: int = MOST_BYTES) -> None:
        self._most_messages, self._most_bytes = most_messages, most_bytes
        self._waiting: deque[Raw] = deque()
        self._bytes = 0
        self._some = threading.Condition()
        self._dropped = 0

    def put(self, raw: Raw) -> None:
        """Let a message wait, or count it as dropped when too much waits already. Returns at once."""
        with self._some:
            if len(self._waiting) >= self._most_messages or self._bytes >= self._most_bytes:
                self._dropped += 1
                return
            self._waiting.append(raw)
            self._bytes += len(raw.payload)
            self._some.notify()

    def take(self, most: int, timeout_s: float) -> list[Raw]:
        """Up to `most` messages in order; none when none came within `timeout_s`."""
        with self._some:
            if not self._waiting:
                self._some.wait(timeout_s)
            taken = [self._waiting.popleft() for _ in range(min(most, len(self._waiting)))]
            self._bytes -= sum(len(raw.payload) for raw in taken)
        return taken

    @property
    def is_empty(self) -> bool:
        """Whether nothing waits."""
        return not self._waiting

    def take_dropped(self) -> int:
        """How many were dropped since the last call."""
        with self._some:
            dropped, self._dropped = self._dropped, 0
        return dropped

    def wake(self) -> None:
        """Let `take` return now."""
        with self._some:
            self._some.notify_all()
