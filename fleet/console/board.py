"""The board: which kiosks stand on it, in which order, and what the counts above it say. Pure.

The order is that of what cannot wait:
1. a session runs, or ran when the kiosk was last heard: without network, silent, paused, undisturbed;
2. cannot run a session; 3. needs a hand; 4. not heard from; 5. offline; 6. ready.
Within a group by campus, then kiosk, so that no row moves unless its own standing changes.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, tzinfo
from typing import Final

from fleet.console.standing import BADGES, COUNTED, Badge, Standing, standing, was_in_session
from fleet.console.words import Telling, tell
from fleet.views import KioskView

PAGE_ROWS: Final = 50
"""Fifty rows keep the page under 100 KiB however many kiosks a district has."""


@dataclass(frozen=True, slots=True)
class Question:
    """What a reader asked to see: words in the kiosk's or campus's name, one standing, a page from 1."""

    words: str = ""
    show: Standing | None = None
    page: int = 1


@dataclass(frozen=True, slots=True)
class BoardRow:
    """One kiosk on the board."""

    id: str
    campus: str
    telling: Telling
    room: str | None = None


@dataclass(frozen=True, slots=True)
class Count:
    """How many kiosks have a standing, in words that fit the number."""

    standing: Standing
    badge: Badge
    number: int
    word: str


@dataclass(frozen=True, slots=True)
class Board:
    """One page of the board."""

    question: Question
    rows: tuple[BoardRow, ...]
    counts: tuple[Count, ...]
    """Of all kiosks whose name matches, whatever the standing and the page asked for."""
    total: int
    """Of all kiosks that this reader may see."""
    found: int
    """Of the kiosks that answer the question, on all its pages."""
    pages: int
    closed: tuple[str, ...] = ()
    """What campuses of this reader are closed just now, in words."""


def board(kiosks: Iterable[KioskView], question: Question, now: datetime, zone: tzinfo | None) -> Board:
    """The page of the board that answers `question`; a page past the last is the last."""
    everyone = list(kiosks)
    named = [(one, standing(one)) for one in everyone if _matches(one, question.words)]
    numbers = dict.fromkeys(Standing, 0)
    for _, where in named:
        numbers[where] += 1
    asked = sorted((one for one in named if question.show in {None, one[1]}), key=_place)
    pages = max(1, -(-len(asked) // PAGE_ROWS))
    page = min(max(1, question.page), pages)
    return Board(
        question=Question(question.words, question.show, page),
        rows=tuple(row(kiosk, now, zone) for kiosk, _ in asked[(page - 1) * PAGE_ROWS : page * PAGE_ROWS]),
        counts=tuple(
            Count(where, BADGES[where], number, COUNTED[where][number > 1])
            for where, number in numbers.items()
            if number
        ),
        total=len(everyone),
        found=len(asked),
        pages=pages,
    )


def row(kiosk: KioskView, now: datetime, zone: tzinfo | None) -> BoardRow:
    """The board's row of `kiosk`."""
    return BoardRow(kiosk.id, kiosk.campus, tell(kiosk, now, zone), kiosk.room)


def _matches(kiosk: KioskView, words: str) -> bool:
    name = f"{kiosk.campus} {kiosk.id} {kiosk.room or ''}".casefold()
    return all(word in name for word in words.casefold().split())


def _place(one: tuple[KioskView, Standing]) -> tuple[int, str, str]:
    kiosk, where = one
    silent_in_session = where in {Standing.UNKNOWN, Standing.OFFLINE} and was_in_session(kiosk)
    return (_SILENT_IN_SESSION if silent_in_session else _PLACES[where], kiosk.campus, kiosk.id)


_SILENT_IN_SESSION: Final = 1
_PLACES: Final = {
    Standing.BUFFERING: 0,
    Standing.PAUSED: 2,
    Standing.LIVE: 3,
    Standing.BLOCKED: 4,
    Standing.ATTENTION: 5,
    Standing.UNKNOWN: 6,
    Standing.OFFLINE: 7,
    Standing.READY: 8,
}
