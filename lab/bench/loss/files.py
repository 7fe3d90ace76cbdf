"""The ledger's file: killed before each write, sync and rename, at random, and refused at each of them."""

import errno
import os
import random
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

from lab.bench.loss import traced
from lab.bench.loss.table import Row, Table
from lab.bench.loss.traced import Fault
from lab.bench.loss.writer import Work, check, damaged, emptied

_ERRORS: Final = {"ENOSPC": errno.ENOSPC, "EIO": errno.EIO, "EROFS": errno.EROFS}
_LONG: Final = 25
"""Calls in a row that a disk refuses when it stays full for a while."""
Start = Callable[[Path], Path]


def kills(table: Table, folder: Path, points: int, *, promise_early: bool = False) -> None:
    """Kill before every Nth write, sync and rename of three lives of a ledger, and a fifth of the points at random."""
    if why := traced.trouble():
        table.skip("kill -9 at every write, fsync, rename", why)
        return
    lost = doubled = tried = facts = 0
    troubles: list[str] = []
    for start, fault, seen in _points(folder, points - points // 5, Work(folder, promise_early=promise_early)):
        path = start(folder)
        ended = traced.run(Work(path, promise_early=promise_early, first=_first(start)), fault)
        found = check(path, ended.said, _first(start))
        tried += ended.killed
        lost, doubled, facts = lost + len(found.lost), doubled + len(found.doubled), facts + found.promised
        troubles += [f"at {fault.at} of {seen}: {found.trouble}"] if found.trouble else []
        troubles += [line for line in ended.said if line.startswith("failed")]
    by_call = tried
    chance = random.Random(1)
    for _ in range(points // 5):
        path = emptied(folder)
        said = _killed_at_random(Work(path, rounds=60, promise_early=promise_early), chance.uniform(0.0, 0.12))
        found = check(path, said)
        tried += 1
        lost, doubled, facts = lost + len(found.lost), doubled + len(found.doubled), facts + found.promised
    note = f"{by_call} before a call, {tried - by_call} at random; begun, at work, and while a damaged one is set aside"
    table.add(
        Row("kill -9 at every write, fsync, rename, at random", tried, "kills", lost, doubled, facts, note,
            "; ".join(troubles[:2]))
    )  # fmt: skip


def refusals(table: Table, folder: Path, most_each: int) -> None:
    """Let every Nth call that writes fail, once and for a while; the ledger must go on and write all of it later."""
    if why := traced.trouble() or (None if traced.can_fail_calls() else "calls can be failed on x86-64 only"):
        table.skip("ENOSPC, EIO, read-only at every write", why)
        return
    for name, number in _ERRORS.items():
        lost = doubled = tried = facts = 0
        troubles: list[str] = []
        for start, fault, _seen in _points(folder, most_each, Work(folder)):
            path = start(folder)
            refused = Fault(fault.at, number, calls=_LONG if fault.at % 2 else 1)
            ended = traced.run(Work(path, first=_first(start)), refused)
            found = check(path, ended.said, _first(start))
            tried += 1
            lost, doubled, facts = lost + len(found.lost), doubled + len(found.doubled), facts + found.promised
            troubles += [line for line in ended.said if line.startswith("failed")]
            troubles += ["not all was written in the end"] if found.promised < _written() else []
        note = f"half of them once, half for {_LONG} calls in a row; the process lives on"
        table.add(
            Row(f"{name} at every write, fsync, rename", tried, "refusals", lost, doubled, facts, note,
                "; ".join(troubles[:2]))
        )  # fmt: skip
    emptied(folder)


def unreadable(table: Table, folder: Path, most: int) -> None:
    """EIO at every Nth read of a start: the old file is kept, and what can be read goes on."""
    if not traced.can_fail_calls() or traced.trouble():
        table.skip("EIO at every read of a start", "calls cannot be failed here")
        return
    lost = doubled = tried = facts = 0
    troubles: list[str] = []
    reads = 0
    for at in range(1, most + 1):
        path = damaged(folder)
        ended = traced.run(Work(path, rounds=3, first=21), Fault(at, errno.EIO, kinds=traced.READS))
        reads = max(reads, ended.seen.get("read", 0))
        found = check(path, ended.said, 21)
        tried += 1
        lost, doubled, facts = lost + len(found.lost), doubled + len(found.doubled), facts + found.promised
        troubles += [line for line in ended.said if line.startswith("failed")]
        if at > reads:
            break
    table.add(
        Row("EIO at every read of a start and a few rows", tried, "refusals", lost, doubled, facts,
            f"of {reads} reads", "; ".join(troubles[:2]))
    )  # fmt: skip


def _points(folder: Path, points: int, work: Work) -> Iterator[tuple[Start, Fault, int]]:
    """Where to strike: evenly through the calls of each life of a ledger, every one when there are points enough."""
    lives: list[tuple[Start, int]] = []
    starts: tuple[Start, ...] = (emptied, damaged)
    for start in starts:
        path = start(folder)
        lives.append(
            (start, traced.run(Work(path, promise_early=work.promise_early, first=_first(start)), Fault()).points)
        )
    for start, seen in lives:
        share = max(1, points * seen // sum(count for _, count in lives))
        turns = -(-share // seen)
        step = max(1.0, seen / share)
        for _ in range(turns):
            at = 1.0
            while at <= seen:
                yield start, Fault(round(at)), seen
                at += step


def _first(start: Start) -> int:
    return 21 if start is damaged else 1


def _written() -> int:
    """How many facts a whole life writes: in rounds of one, two and three."""
    rounds = Work(Path()).rounds
    return sum(1 + round_ % Work(Path()).most_together for round_ in range(rounds))


def _killed_at_random(work: Work, after_s: float) -> list[str]:
    hears, says = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            work(lambda line: _said(says, line))
        finally:
            os._exit(0)
    os.close(says)
    time.sleep(after_s)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    with os.fdopen(hears, "rb") as file:
        return file.read().decode().splitlines()


def _said(says: int, line: str) -> None:
    os.write(says, f"{line}\n".encode())
