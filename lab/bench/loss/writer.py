"""A kiosk's ledger at work, as a child that is killed, cut off or refused; it says what it promised, and we look after.

Each fact is known by its number, which is its monotonic time, so that whoever finds the ledger later can tell which of
the promised ones are missing and which are there twice.
"""

import os
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Final

from device.errors import AnswerRefused, LedgerUnwritable, StartError
from device.session.clock import Instant
from device.session.ledger import Ledger
from device.session.ledger_files import look
from device.session.opening import open_ledger
from device.session.states import Fact
from wire.ledger import ClockTrust, Row, distinct
from wire.messages import LedgerAck

BEGAN: Final = datetime(2026, 3, 2, 9, tzinfo=UTC)
_TRIES: Final = 50
Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Work:
    """What the child does with the ledger at `path`."""

    path: Path
    rounds: int = 12
    most_together: int = 3
    checkpoint_pages: int = 6
    """So small, a few rows reach the file itself; the product's own is SQLite's 1,000."""
    first: int = 1
    """The number of the first fact."""
    promise_early: bool = False
    """The mutation: an effect is shown before its row is durable."""

    def __call__(self, say: Say) -> None:
        """Append, acknowledge, remember, fork, prune, for as long as it goes."""
        ledger = _opened(self.path)
        ledger._db.execute(f"pragma wal_autocheckpoint={self.checkpoint_pages}")  # noqa: SLF001  # the bench's own haste
        number = self.first
        for round_ in range(self.rounds):
            facts = [a_fact(number + one) for one in range(1 + round_ % self.most_together)]
            number += len(facts)
            promise = f"promised {number - 1}"
            if self.promise_early:
                say(promise)
            durable = _tried(partial(ledger.append, facts))
            if durable and not self.promise_early:
                say(promise)
            if round_ % 4 == 1:
                _tried(partial(ledger.keep, "alive", {"at": number}))
            if round_ % 4 == 2:
                _acknowledged(ledger, say)
            if round_ % 6 == 4:
                _tried(lambda: ledger.prune(Instant(1, BEGAN + timedelta(days=40), "late", ClockTrust.SYNCED)))
            if round_ == self.rounds // 2:
                _tried(lambda: ledger.fork(max(1, ledger.acked)))
        for _ in range(_TRIES):
            if _tried(ledger.write_waiting):
                say(f"promised {number - 1}")
                break
        ledger.close()


def a_fact(number: int) -> Fact:
    """The fact with this number."""
    at = Instant(number, BEGAN + timedelta(seconds=number), "bench", ClockTrust.SYNCED)
    return Fact("help.asked", {}, f"s-{number // 60}", at)  # as many rows as a session has


def _opened(path: Path) -> Ledger:
    """The ledger, opened as the agent does, and tried again as its unit does."""
    for _ in range(_TRIES):
        with suppress(StartError):
            return open_ledger(path, Instant(10**12, BEGAN, "bench", ClockTrust.SYNCED))
    raise StartError("the ledger cannot be opened, however often it is tried")


def _tried(work: Callable[[], object]) -> bool:
    try:
        work()
    except LedgerUnwritable:
        return False
    return True


def _acknowledged(ledger: Ledger, say: Say) -> None:
    """What a fleet would answer that has all but the last row."""
    rows = ledger.rows(after=max(0, ledger.durable - 2), limit=1)
    batch = ledger.batch(rows[0].seq - 1) if rows else None
    if batch is None:
        return
    held = [row.mono_ns for row in ledger.rows() if row.seq <= rows[0].seq]
    say(f"fleet holds {' '.join(str(one) for one in held)}")
    with suppress(LedgerUnwritable, AnswerRefused):
        ledger.take_ack(LedgerAck(epoch=ledger.epoch, through=rows[0].seq, hash=batch.rows[0].hash))


@dataclass(slots=True)
class Found:
    """What was left."""

    lost: list[int] = field(default_factory=list)
    doubled: list[int] = field(default_factory=list)
    promised: int = 0
    trouble: str = ""


def check(path: Path, said: Sequence[str], first: int = 1) -> Found:
    """Open the ledger as the next start does, and compare it with what was promised."""
    promised = max((int(line.split()[1]) for line in said if line.startswith("promised ")), default=first - 1)
    held = {int(word) for line in said if line.startswith("fleet holds ") for word in line.split()[2:]}
    found = Found(promised=max(0, promised - first + 1))
    ledger = _opened(path)
    ledger.close()
    rows: list[Row] = []
    for one in look(path):
        rows += one.rows
        if one.damage:
            found.trouble = one.damage
        numbers = [row.mono_ns for row in one.rows if row.type == "help.asked"]
        found.doubled += [number for number in set(numbers) if numbers.count(number) > 1]
    there = [row.mono_ns for row in distinct(rows) if row.type == "help.asked"]
    found.lost = sorted(set(range(first, promised + 1)) - set(there) - held)
    found.doubled += [number for number in set(there) if there.count(number) > 1]
    return found


def emptied(folder: Path) -> Path:
    """A fresh ledger's path in `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    for one in folder.iterdir():
        one.unlink()
    return folder / "ledger.db"


def damaged(folder: Path) -> Path:
    """A ledger as a power cut left it, with a frame of its log damaged since."""
    made = emptied(folder)
    ledger = Ledger.open(made)
    for number in range(1, 21):
        ledger.append([a_fact(number)])
    files = {part: made.with_name(made.name + part).read_bytes() for part in ("", "-wal")}
    ledger.close()
    for part, data in files.items():
        made.with_name(made.name + part).write_bytes(data)
    log = made.with_name(f"{made.name}-wal")
    with log.open("r+b") as file:
        file.seek(-3 * 4_120, os.SEEK_END)
        file.write(bytes(512))
    return made
