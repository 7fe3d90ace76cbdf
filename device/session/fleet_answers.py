"""Whether an answer of the fleet is about the rows that are held here. Pure; at one that is not, nothing is done."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from device.errors import AnswerRefused
from wire.messages import LedgerAck

_BOUND: Final = "nothing is deleted, and the rows are sent again"


@dataclass(frozen=True, slots=True)
class Held:
    """What of the current epoch is here."""

    epoch: str
    durable: int
    """The last seq on the disk; what is in memory only was never sent."""
    sent: int | None
    """The last seq sent since this agent came up; None where nobody counts."""
    hash_of: Callable[[int], str]
    """Of a seq; empty when its row is not here."""


def check(ack: LedgerAck, held: Held) -> None:
    """Let pass what can be true of these rows.

    An acknowledgement of more than this agent has sent is true only with the row's hash: then a life before this one
    sent it, and nobody who does not hold the row knows that.

    Raises:
        AnswerRefused: with what was said, and what is so.
    """
    if ack.epoch != held.epoch:
        raise AnswerRefused(f"an answer to epoch {ack.epoch[:40]}, and the ledger is in {held.epoch}; {_BOUND}")
    told = [one for one in (ack.through, ack.replay_from, ack.fork_at) if one is not None]
    if len(told) != 1:
        raise AnswerRefused(f"an answer that says {len(told)} things at once; {_BOUND}")
    if ack.fork_at is not None and ack.fork_at > held.durable:
        raise AnswerRefused(f"a fork at row {ack.fork_at}, and the last row is {held.durable}; {_BOUND}")
    if ack.replay_from is not None and ack.replay_from > held.durable + 1:
        raise AnswerRefused(f"a replay from row {ack.replay_from}, and the last row is {held.durable}; {_BOUND}")
    if ack.through is not None:
        _check_through(ack.through, ack.hash, held)


def _check_through(through: int, said: str | None, held: Held) -> None:
    if through > held.durable:
        raise AnswerRefused(f"row {through} is acknowledged, and the last row is {held.durable}; {_BOUND}")
    if through == 0:
        return
    own = held.hash_of(through)
    if said is not None and own and said != own:
        raise AnswerRefused(f"row {through} is acknowledged with another hash than it has here; {_BOUND}")
    if held.sent is not None and through > held.sent and (said is None or not own):
        raise AnswerRefused(f"row {through} is acknowledged, and rows were sent through {held.sent}; {_BOUND}")
