"""A session's spans laid out on one line: pieces that never overlap and leave no gap. Pure."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final

from fleet.views import SessionView
from wire.minutes import Mode, Span

WHOLE: Final = 1_000_000
"""The length of the drawing, in its own unit."""


class Kind(StrEnum):
    """What a piece of the bar, or a line beside it, stands for; also its class in `static/timeline.css`."""

    RUNNING = "running"
    BUFFERED = "buffered"
    PAUSED = "paused"
    INTERRUPTED = "interrupted"
    SILENT = "silent"
    PLANNED = "planned"
    CONNECTED = "connected"


LEGEND: Final = {
    Kind.RUNNING: "running",
    Kind.BUFFERED: "running without network",
    Kind.PAUSED: "paused",
    Kind.INTERRUPTED: "interrupted",
    Kind.SILENT: "not heard from",
    Kind.PLANNED: "planned",
    Kind.CONNECTED: "therapist connected",
}
"""The word for each kind."""

CAUSES: Final = {
    "power": "no power",
    "camera": "no camera",
    "person": "ended and continued",
    "unknown": "cause unknown",
}
"""The words for the causes of an interruption; another cause is called by its own name."""


@dataclass(frozen=True, slots=True)
class Piece:
    """A stretch of one kind, in milliseconds from the start."""

    kind: Kind
    start_ms: int
    end_ms: int
    cause: str | None = None


@dataclass(frozen=True, slots=True)
class Drawing:
    """A session laid out: what to draw, and how long the whole is."""

    pieces: tuple[Piece, ...]
    connected: tuple[Piece, ...]
    planned_ms: int | None
    length_ms: int

    def place(self, at_ms: float) -> int:
        """Where an instant lies, in millionths of the drawing's length."""
        return round(at_ms * WHOLE / self.length_ms)


def lay_out(session: SessionView, silent_ms: int = 0) -> Drawing:
    """The pieces of `session`, which never overlap and leave no gap.

    Args:
        session: the session with its spans.
        silent_ms: how long nobody has heard whether a session that has not ended goes on.
    """
    pieces = tuple(_merged(_pieces(session.timeline)))
    end_ms = pieces[-1].end_ms if pieces else 0
    if silent_ms > 0:
        pieces = (*pieces, Piece(Kind.SILENT, end_ms, end_ms + silent_ms))
        end_ms += silent_ms
    planned_ms = session.minutes.planned_ms
    if session.minutes.overrun_ms:
        planned_ms = session.minutes.elapsed_ms - session.minutes.overrun_ms
    connected = tuple(
        _merged(Piece(Kind.CONNECTED, span.start_ms, span.end_ms) for span in session.timeline if span.therapist)
    )
    return Drawing(pieces, connected, planned_ms, max(end_ms, planned_ms or 0, _SHORTEST_MS))


def legend(drawing: Drawing) -> tuple[tuple[Kind, str], ...]:
    """The kinds that the drawing shows, each with its word."""
    shown = {piece.kind for piece in (*drawing.pieces, *drawing.connected)}
    if drawing.planned_ms:
        shown.add(Kind.PLANNED)
    return tuple((kind, LEGEND[kind]) for kind in Kind if kind in shown)


def _pieces(spans: Sequence[Span]) -> Iterator[Piece]:
    reached_ms = 0
    for span in spans:
        start_ms, end_ms = max(span.start_ms, reached_ms), max(span.end_ms, reached_ms)
        if start_ms > reached_ms:
            yield Piece(Kind.INTERRUPTED, reached_ms, start_ms, "unknown")
        if end_ms > start_ms:
            kind = _KINDS[span.mode]
            if kind is Kind.RUNNING and not span.link_up:
                kind = Kind.BUFFERED
            yield Piece(kind, start_ms, end_ms, (span.cause or "unknown") if kind is Kind.INTERRUPTED else None)
        reached_ms = max(start_ms, end_ms)


def _merged(pieces: Iterable[Piece]) -> Iterator[Piece]:
    last: Piece | None = None
    for piece in pieces:
        if last and (last.kind, last.cause, last.end_ms) == (piece.kind, piece.cause, piece.start_ms):
            last = replace(last, end_ms=piece.end_ms)
            continue
        if last:
            yield last
        last = piece
    if last:
        yield last


_SHORTEST_MS: Final = 60_000
"""A session of seconds is not drawn as if it had filled the line."""
_KINDS: Final = {Mode.RUNNING: Kind.RUNNING, Mode.PAUSED: Kind.PAUSED, Mode.INTERRUPTED: Kind.INTERRUPTED}
