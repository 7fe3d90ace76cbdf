"""Facts for a ledger, without a machine that makes them, and the rows that it made of them."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from device.session.clock import Instant
from device.session.ledger_files import epochs
from device.session.states import Fact
from wire.ledger import ClockTrust, verified
from wire.messages import WireRow

_BEGAN = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)


def instant(second: float = 0) -> Instant:
    """A moment of one boot."""
    return Instant(round(second * 1e9), _BEGAN + timedelta(seconds=second), "boot-1", ClockTrust.SYNCED)


def fact(second: float, type_: str = "help.asked", session: str | None = "s-1", **data: Any) -> Fact:
    """What happened at a second of that boot."""
    return Fact(type_, data, session, instant(second))


def facts(count: int, first: int = 0) -> list[Fact]:
    """So many facts, one a second."""
    return [fact(first + n) for n in range(count)]


def short_session(name: str = "s-1", booking: str | None = "b-0900") -> Iterator[Fact]:
    """A session with a pause, ended by a hold."""
    yield fact(1, "session.started", name, by="button", booking=booking, link_up=True, giving=("overhead", "front"))
    yield fact(61, "session.paused", name, by="button")
    yield fact(91, "session.resumed", name, by="button")
    yield fact(121, "link.down", name, reason="the fleet does not answer")
    end = instant(181)
    yield fact(191, "session.ended", name, by="hold", boot=end.boot, mono_ns=end.mono_ns, at=end.wall.isoformat())


def all_rows(path: Path) -> list[WireRow]:
    """The rows of a ledger of one epoch, their numbers and chain verified."""
    ((epoch, rows),) = epochs(path)
    verified(epoch, rows, 1)
    return rows
