"""What the fleet answers to ledger rows: committed through, send again from, or forked at. Pure but for its memory."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from fleet.clock import Instant
from fleet.store.ledger import Outcome
from wire.messages import LedgerAck

ASK_EVERY_S: Final = 5.0
"""A hole is asked for at most so often: after an outage live rows come first and the backlog is on its way anyway."""
STEP_BACK_ROWS: Final = 1_000
_MOST_ASKED: Final = 10_000


@dataclass(slots=True)
class _Asked:
    at_s: float
    stranger_asks: int = 0


class Answers:
    """Remembers what it asked for, to ask neither too often nor for ever."""

    def __init__(self) -> None:
        self._asked: dict[tuple[str, str], _Asked] = {}

    def to(self, outcome: Outcome, now: Instant) -> list[LedgerAck]:
        """The answers to a committed outcome; of a fork nothing is acknowledged."""
        key = outcome.kiosk, outcome.epoch
        if len(self._asked) >= _MOST_ASKED:  # somebody makes up ledgers; asking once too often does no harm
            self._asked.clear()
        if outcome.fork_at is not None:
            self._asked.pop(key, None)
            return [LedgerAck(epoch=outcome.epoch, fork_at=outcome.fork_at)]
        if outcome.stranger_at is not None:
            return self._to_stranger(key, outcome, outcome.stranger_at, now)
        answers = []
        if outcome.through:
            answers.append(LedgerAck(epoch=outcome.epoch, through=outcome.through, hash=outcome.hash))
        if outcome.hole_at is None:
            self._asked.pop(key, None)
        elif self._may_ask(key, now):
            answers.append(LedgerAck(epoch=outcome.epoch, replay_from=outcome.hole_at))
        return answers

    def _to_stranger(self, key: tuple[str, str], outcome: Outcome, seq: int, now: Instant) -> list[LedgerAck]:
        """Find the lowest row that differs: ask 1,000 rows back, then from the first, then let it fork here."""
        asks = self._asked[key].stranger_asks if key in self._asked else 0
        if seq == 1 or asks >= 2:
            self._asked.pop(key, None)
            return [LedgerAck(epoch=outcome.epoch, fork_at=seq)]
        if asks and not self._may_ask(key, now):
            return []
        self._asked[key] = _Asked(now.mono_s, asks + 1)
        replay_from = max(1, seq - STEP_BACK_ROWS) if asks == 0 else 1
        return [LedgerAck(epoch=outcome.epoch, replay_from=replay_from)]

    def _may_ask(self, key: tuple[str, str], now: Instant) -> bool:
        asked = self._asked.get(key)
        if asked is None:
            self._asked[key] = _Asked(now.mono_s)
            return True
        if now.mono_s - asked.at_s < ASK_EVERY_S:
            return False
        asked.at_s = now.mono_s
        return True


def latest(outcomes: Iterable[Outcome]) -> list[Outcome]:
    """What is left to answer: a plain acknowledgement stands for every earlier one of its kiosk and epoch."""
    kept: dict[tuple[str, str], Outcome] = {}
    others = []
    for outcome in outcomes:
        if outcome.fork_at is None and outcome.stranger_at is None and outcome.hole_at is None:
            kept[outcome.kiosk, outcome.epoch] = outcome
        else:
            others.append(outcome)
    return [*others, *kept.values()]
