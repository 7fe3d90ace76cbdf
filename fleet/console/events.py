"""The streams that keep a page true: what changed on it, as server-sent events.

A change anywhere in the fleet makes a stream look at its own page again, at most as often as looking is cheap, and send
what differs from what its reader has. So nothing is missed and nothing depends on which change came when.
"""

import asyncio
import json
import logging
import time
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Final

from fleet.console.board import Board, BoardRow
from fleet.errors import StoreDown

_log = logging.getLogger(__name__)

KEEP_ALIVE_S: Final = 10.0
"""A stream says at least every so often that it lives, and looks at its page again."""
LIFE_S: Final = 900.0
"""After this the reader is asked to connect anew, so that who may read what is looked at again."""
_LONGEST_PAUSE_S: Final = 4.0  # a change is shown within 5 s
_SHORTEST_PAUSE_S: Final = 0.25

Changes = AsyncIterator[set[str]]
Look = Callable[[], Awaitable[list[str]]]
"""Looks at a page and returns the events that bring its reader up to date."""


def event(name: str, data: dict[str, Any]) -> str:
    """One server-sent event; JSON keeps line breaks out of it."""
    return f"event: {name}\ndata: {json.dumps(data, ensure_ascii=False)}\n\n"


async def stream(changes: Changes, look: Look, tick: Callable[[], str]) -> AsyncGenerator[str, None]:
    """The text of one stream, until `changes` ends, its reader leaves or its life is over.

    Args:
        changes: ends when the fleet stops.
        look: called at the start, after changes, and every `KEEP_ALIVE_S`.
        tick: the event that says that the stream lives, and the fleet's time.
    """
    news = asyncio.Event()
    pump = asyncio.create_task(_pump(changes, news), name="console-changes")
    until = time.monotonic() + LIFE_S
    ticked = -KEEP_ALIVE_S
    try:
        await asyncio.sleep(0)  # the pump listens from here on: no change falls between it and the first look
        yield "retry: 2000\n\n"
        while not pump.done():
            if time.monotonic() - ticked >= KEEP_ALIVE_S:
                ticked = time.monotonic()
                yield f": keep-alive\n\n{tick()}"
            news.clear()
            began = time.monotonic()
            for text in await look():
                yield text
            cost_s = time.monotonic() - began
            if time.monotonic() > until:
                yield event("again", {})
                return
            await asyncio.wait({pump}, timeout=min(_LONGEST_PAUSE_S, max(_SHORTEST_PAUSE_S, 10 * cost_s)))
            if not pump.done():
                with suppress(TimeoutError):
                    await asyncio.wait_for(news.wait(), max(0.0, ticked + KEEP_ALIVE_S - time.monotonic()))
    except StoreDown as error:
        _log.info("a console's stream ends, its page will ask again: %s", error)
    finally:
        pump.cancel()
        with suppress(asyncio.CancelledError):
            await pump


@dataclass(slots=True)
class Shown:
    """What the reader of one board has on the page, so that only what differs is sent."""

    render_row: Callable[[BoardRow, datetime], str]
    render_summary: Callable[[Board], str]
    render_showing: Callable[[Board], str]
    rows: dict[str, BoardRow] = field(default_factory=dict)
    summary: str | None = None
    order: tuple[tuple[str, ...], str, str] | None = None

    def news(self, board: Board, now: datetime) -> list[str]:
        """The events that make the reader's page `board`, looked at `now`; a row that left is in no order any more."""
        summary, showing = self.render_summary(board), self.render_showing(board)
        events = []
        for row in board.rows:
            known = self.rows.get(row.id)
            if known is None or _differs(known, row):
                data = {"id": row.id, "html": self.render_row(row, now)}
                events.append(event("kiosk", data if summary == self.summary else data | {"summary": summary}))
                self.summary = summary
                self.rows[row.id] = row
        order = (tuple(row.id for row in board.rows), summary, showing)
        if order != self.order:
            events.append(event("order", {"ids": order[0], "summary": summary, "showing": showing}))
            self.order = order
        self.rows = {row.id: self.rows[row.id] for row in board.rows}
        return events


@dataclass(slots=True)
class Watched:
    """What the reader of one kiosk's page must be told: that it has news. The page then asks for its content."""

    kiosk: str
    known: object = None
    touched: bool = True

    async def among(self, changes: Changes) -> Changes:
        """Those of `changes` that concern this kiosk."""
        async for changed in changes:
            if self.kiosk in changed:
                self.touched = True
                yield changed

    def news(self, state: object) -> list[str]:
        """One event if the kiosk was touched, or if `state` differs though nobody said so."""
        if not self.touched and state == self.known:
            return []
        self.touched, self.known = False, state
        return [event("kiosk", {"id": self.kiosk})]


def _differs(old: BoardRow, new: BoardRow) -> bool:
    """Whether a reader would see it; the same instant measured twice may differ by a second."""
    if _moved(old.telling.evidence_at, new.telling.evidence_at):
        return True
    was, is_ = old.telling.running, new.telling.running
    if was and is_:
        if _moved(was.at, is_.at):
            return True
        is_ = replace(is_, at=was.at)
    return replace(old.telling, evidence_at=None) != replace(new.telling, evidence_at=None, running=is_)


def _moved(old: datetime | None, new: datetime | None) -> bool:
    if old is None or new is None:
        return old is not new
    return abs((new - old).total_seconds()) > 1.5


async def _pump(changes: Changes, news: asyncio.Event) -> None:
    try:
        async for _ in changes:
            news.set()
    finally:
        news.set()
