"""What the ledger tells at boot: the session that was open, the bookings that are done, the schedule last heard."""

import logging
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from device.release import BUILT
from device.session import states as s
from device.session.clock import Instant
from device.session.ledger import Ledger
from wire.cards import by_card
from wire.ledger import ClockTrust, Row
from wire.minutes import Until, fold
from wire.schedule import Schedule

_log = logging.getLogger(__name__)

_NEWEST: Final = 2_000
"""Rows in which to look for a trusted time; a kiosk that has written more without one knows only when it was built."""
_RESTARTS_WITHIN: Final = timedelta(hours=1)
_STARTS_KEPT: Final = 20


@dataclass(frozen=True, slots=True)
class Found:
    """What the last boot left behind."""

    done: frozenset[str]
    overdue: frozenset[str]
    made_up: frozenset[str]
    explained: frozenset[str]
    schedule: Schedule | None
    session: str | None
    rows: list[Row]
    open: s.OpenSession | None
    alive: Instant | None
    """The last instant known to be lived through."""
    segments: frozenset[str]
    wrong_students: frozenset[str]


def find(ledger: Ledger) -> Found:
    """Read what the ledger holds of before."""
    kept = ledger.kept("schedule")
    schedule = Schedule.model_validate(kept) if kept else None
    session = ledger.last_session()
    rows = ledger.session_rows(session) if session else []
    alive = ledger.kept("alive")
    return Found(
        done=ledger.booked(),
        overdue=ledger.overdue(),
        made_up=ledger.named("student.confirmed", "makes_up"),
        explained=ledger.named("reason.given", "booking"),
        schedule=schedule,
        session=session,
        rows=rows,
        open=_open_session(session, rows, alive, schedule),
        alive=_last_lived(rows[-1], alive) if rows else None,
        segments=ledger.segments(),
        wrong_students=ledger.wrong_students(),
    )


def remember_alive(ledger: Ledger, at: Instant) -> None:
    """Keep `at` as an instant lived through, for the next boot to count from."""
    ledger.keep("alive", {"mono_ns": at.mono_ns, "wall": at.wall.isoformat(), "boot": at.boot, "trust": at.trust.value})


def clock_floor(ledger: Ledger) -> datetime:
    """The newest wall time that a trusted clock of this kiosk wrote down; no true clock shows less.

    The newest row that has one, not the highest time: one that was wrong was put right by a later row.
    """
    row = next((one for one in reversed(ledger.newest(_NEWEST)) if one.clock is ClockTrust.SYNCED), None)
    if row is None:
        return BUILT
    lived = _last_lived(row, ledger.kept("alive"))
    return max(BUILT, lived.wall if lived.trust is ClockTrust.SYNCED else row.at)


def prove_writable(ledger: Ledger, at: Instant) -> None:
    """Write something small, because only that shows whether the disk still takes it; raises `LedgerUnwritable`."""
    ledger.keep("proof", at.wall.isoformat(timespec="seconds"))


def count_start(ledger: Ledger, at: Instant) -> list[datetime]:
    """Keep this start, and give those within the last hour, this one included."""
    starts = [datetime.fromisoformat(start) for start in ledger.kept("starts") or []]
    starts = [*(one for one in starts if _within_hour(one, at)), at.wall][-_STARTS_KEPT:]
    ledger.keep("starts", [one.isoformat() for one in starts])
    return starts


def within_hour(starts: Iterable[datetime], at: Instant) -> int:
    """How many of `starts` were within the last hour."""
    return sum(_within_hour(one, at) for one in starts)


def _within_hour(start: datetime, at: Instant) -> bool:
    return timedelta(0) <= at.wall - start < _RESTARTS_WITHIN


def _open_session(session: str | None, rows: list[Row], alive: Any, schedule: Schedule | None) -> s.OpenSession | None:
    if session is None or not rows:
        return None
    last = _last_lived(rows[-1], alive)
    record = fold(rows, Until(last.boot, last.mono_ns))
    if record.state in {"ended", "cancelled", "unknown"}:
        return None
    started = next(row for row in rows if row.type == "session.started")
    left_ms = started.data.get("planned_end_in_ms")
    extended_ms = sum(row.data["by_ms"] for row in rows if row.type == "session.extended")
    begun = record.started_at or started.at
    bookings = schedule.bookings if schedule else ()
    return s.OpenSession(
        id=session,
        booking=next((one for one in bookings if one.id == record.booking), None),
        needs=frozenset(started.data["needs"]),
        last=last,
        elapsed_ms=record.minutes.elapsed_ms,
        planned_end=None if left_ms is None else begun + timedelta(milliseconds=left_ms + extended_ms),
        paused=record.state == "paused",
        held=_held(rows),
        wrong_student=any(row.type == "student.wrong" and not by_card(row.data) for row in rows),
        said=_said(session, rows),
    )


def _said(session: str, rows: list[Row]) -> s.CardsSaid:
    """What cards said of the session, so that nothing is said twice.

    That another booking's card was put away and this one's shown is no row: after a boot its own card has to be seen.
    """
    told = [row for row in rows if row.data.get("card") is not None]
    confirmed = {row.data["student"]: row.data["card"] for row in told if row.type == "student.confirmed"}
    wrong = dict.fromkeys(row.data["card"] for row in told if row.type == "student.wrong")
    return s.CardsSaid(session, tuple(confirmed.items()), tuple(wrong))


def _last_lived(row: Row, alive: Any) -> Instant:
    noted = _noted(alive)
    if noted is not None and noted.boot == row.boot and noted.mono_ns >= row.mono_ns:
        return noted
    return Instant(row.mono_ns, row.at, row.boot, row.clock)


def _noted(alive: Any) -> Instant | None:
    """The instant that `remember_alive` kept; None where there is none, or what is there is damaged."""
    if alive is None:
        return None
    try:
        wall = datetime.fromisoformat(alive["wall"])
        noted = Instant(int(alive["mono_ns"]), wall.astimezone(UTC), str(alive["boot"]), ClockTrust(alive["trust"]))
    except (KeyError, TypeError, ValueError, OverflowError) as error:
        _log.warning("the note of the last instant lived is damaged (%r); the last row counts instead", error)
        return None
    return noted


def _held(rows: list[Row]) -> Instant | None:
    """When the hold began, if the session was on its way to its end."""
    changes = [row for row in rows if row.type == "state.changed"]
    if not changes or changes[-1].data["after"] != s.Phase.ENDING:
        return None
    ending = next(row for row in reversed(rows) if row.type == "session.ending")
    now = Instant(ending.mono_ns, ending.at, ending.boot, ending.clock)
    return now.earlier(ending.data["held_mono_ns"])
