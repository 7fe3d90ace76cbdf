"""Slows down whoever tries wrong secrets: after five, each further try from that address has to wait longer. Pure."""

from collections import OrderedDict
from dataclasses import dataclass
from typing import Final

FREE_TRIES: Final = 5
FIRST_WAIT_S: Final = 1.0
LONGEST_WAIT_S: Final = 300.0
FORGET_AFTER_S: Final = 900.0
MOST_CLIENTS: Final = 10_000


@dataclass(slots=True)
class _Tries:
    wrong: int
    at_s: float


class Backoff:
    """Wrong tries by client address, bounded in memory: the longest quiet is forgotten first."""

    def __init__(self) -> None:
        self._tries: OrderedDict[str, _Tries] = OrderedDict()

    def wait_s(self, client: str, now_s: float) -> float:
        """How long this client has to wait before its next try counts; 0 is not at all."""
        tries = self._tries.get(client)
        if tries is None or tries.wrong < FREE_TRIES:
            return 0.0
        wait_s: float = min(FIRST_WAIT_S * 2.0 ** min(tries.wrong - FREE_TRIES, 20), LONGEST_WAIT_S)
        return max(0.0, tries.at_s + wait_s - now_s)

    def wrong(self, client: str, now_s: float) -> bool:
        """The client tried a wrong secret; whether from now on it has to wait."""
        tries = self._tries.pop(client, None)
        if tries is None or now_s - tries.at_s > FORGET_AFTER_S:
            tries = _Tries(0, now_s)
        tries.wrong, tries.at_s = tries.wrong + 1, now_s
        self._tries[client] = tries
        while len(self._tries) > MOST_CLIENTS:
            self._tries.popitem(last=False)
        return tries.wrong >= FREE_TRIES

    def right(self, client: str) -> None:
        """The client knew a secret."""
        self._tries.pop(client, None)
