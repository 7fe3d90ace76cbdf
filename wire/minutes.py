"""True minutes: a pure, versioned fold from a session's ledger rows to what it really delivered.

Used by the kiosk's screen, the fleet and the reports alike. Durations come from the monotonic clock within a boot;
across boots from trusted wall time, and where that is missing the gap has bounds (`wire/gaps.py`), which are said.
Nanoseconds are added up and cut to milliseconds last, so that each figure is true to one, and the split adds up to
elapsed exactly.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from pydantic import AwareDatetime, Field, NonNegativeInt

from wire.codec import WireModel
from wire.gaps import Boots, Dates
from wire.ledger import ClockTrust, Row, SessionStarted
from wire.line import Flags, Line, Mode, read

__all__ = ["FOLD_VERSION", "Bounds", "Gap", "Minutes", "Mode", "SessionRecord", "Span", "Until", "fold"]

FOLD_VERSION: Final = 2
"""Rises when the same rows would give other minutes; an ADR says why (2: docs/adr/0020)."""

_NS_PER_MS: Final = 1_000_000


class Gap(WireModel):
    """An interruption over a restart of the machine whose length no time source tells, for lack of a date on a side."""

    at_ms: NonNegativeInt
    """Where it begins, in milliseconds from the session's start as the figures count them."""
    cause: str
    counted_ms: NonNegativeInt
    """How long the figures count it: by clocks that were carried over the restart, and 0 where none was."""
    min_ms: NonNegativeInt
    max_ms: NonNegativeInt | None
    """Null while no row of the session that is dated by a time source follows."""


class Bounds(WireModel):
    """How far a session's figures can be from the truth, as the machine restarted and no clock could be trusted."""

    elapsed_min_ms: NonNegativeInt
    elapsed_max_ms: NonNegativeInt | None
    lost_min_ms: NonNegativeInt
    """Of all these gaps together: several between two dates share what lies between those."""
    lost_max_ms: NonNegativeInt | None
    gaps: tuple[Gap, ...] = ()


class Minutes(WireModel):
    """The figures of one session. Null is "nothing can know it", never zero."""

    elapsed_ms: NonNegativeInt = 0
    running_ms: NonNegativeInt = 0
    paused_ms: NonNegativeInt = 0
    interrupted_ms: dict[str, NonNegativeInt] = Field(default_factory=dict)
    buffered_ms: NonNegativeInt = 0
    camera_ms: NonNegativeInt = 0
    cameras_ms: dict[str, NonNegativeInt] = Field(default_factory=dict)
    connected_ms: NonNegativeInt | None = None
    overrun_ms: NonNegativeInt = 0
    planned_ms: NonNegativeInt | None = None
    provided_ms: NonNegativeInt | None = None
    unknown_gaps: NonNegativeInt = 0
    """Reboots without trusted time on both sides: each adds an interruption of unknown length, counted as 0 ms."""
    bounds: Bounds | None = None
    """Null: a time source dates every boot, and each figure is true to a millisecond."""
    fold_version: int = FOLD_VERSION


class Span(WireModel):
    """A stretch of a session in which nothing changed, in milliseconds from its start."""

    start_ms: NonNegativeInt
    end_ms: NonNegativeInt
    mode: Mode
    cause: str | None = None
    link_up: bool = True
    cameras: tuple[str, ...] = ()
    therapist: bool | None = None


class SessionRecord(WireModel):
    """What the rows say of one session."""

    state: str
    """`running`, `paused`, `interrupted`, `ended` or `cancelled`; `unknown` while the start has not arrived."""
    started_at: AwareDatetime | None = None
    started_by: str | None = None
    ended_at: AwareDatetime | None = None
    ended_by: str | None = None
    booking: str | None = None
    therapist: str | None = None
    students: tuple[str, ...] = ()
    clock: ClockTrust = ClockTrust.UNSET
    """How far `started_at` may be believed."""
    minutes: Minutes = Minutes()
    spans: tuple[Span, ...] = ()


@dataclass(frozen=True, slots=True)
class Until:
    """The instant up to which a session that still runs is counted."""

    boot: str
    mono_ns: int


def fold(rows: Iterable[Row], until: Until | None = None) -> SessionRecord:
    """The record of one session; a row whose data do not fit its type moves no minutes.

    Args:
        rows: the rows that carry this session's id, in ledger order.
        until: now, for a session that still runs; without it the last row is the last thing known.
    """
    kept = list(rows)
    begin = next((n for n, row in enumerate(kept) if row.type == "session.started"), None)
    told = None if begin is None else read(SessionStarted, kept[begin])
    if begin is None or told is None:
        return SessionRecord(state="unknown")
    line = Line(kept[begin], told, Dates(kept), Boots(kept))
    for row in kept[begin + 1 :]:
        line.take(row)
    if until is not None and line.end_ns is None:
        line.arrive(until.boot, until.mono_ns)
    return _record(line)


def _record(line: Line) -> SessionRecord:
    spans = () if line.cancelled else _spans(line)
    ended = line.ended if line.end_ns is not None else None
    state = line.now.counts_as(frozenset(line.told.needs))[0].value
    if line.cancelled:
        state = "cancelled"
    elif ended is not None:
        state = "ended"
    return SessionRecord(
        state=state,
        started_at=line.dates.at(line.start.boot, line.start.mono_ns) or line.start.at,
        started_by=line.told.by,
        ended_at=(line.dates.at(ended.boot, ended.mono_ns) or ended.at) if ended else None,
        ended_by=ended.by if ended else None,
        booking=line.told.booking,
        therapist=line.told.therapist,
        students=line.told.students,
        clock=line.dates.trust(line.start.boot),
        minutes=_minutes(line),
        spans=spans,
    )


def _minutes(line: Line) -> Minutes:
    if line.cancelled:
        return Minutes(planned_ms=line.told.planned_ms)
    needs = frozenset(line.told.needs)
    counted = [(end - begin, flags, *flags.counts_as(needs)) for begin, end, flags in line.pieces]
    split = _shared_out(counted)
    running = [(ns, flags) for ns, flags, mode, _ in counted if mode is Mode.RUNNING]
    running_ns, running_ms = sum(ns for ns, _ in running), split.pop((Mode.RUNNING, None), 0)

    def part_ms(lengths_ns: Iterable[int]) -> int:
        ns = sum(lengths_ns)
        return running_ms if ns == running_ns else ns // _NS_PER_MS

    elapsed_ms = line.cursor_ns // _NS_PER_MS
    planned_end_ms = None if line.told.planned_end_in_ms is None else line.told.planned_end_in_ms + line.extended_ms
    knows_therapist = any(flags.therapist is not None for flags in (line.now, *(one[1] for one in counted)))
    return Minutes(
        elapsed_ms=elapsed_ms,
        running_ms=running_ms,
        paused_ms=split.pop((Mode.PAUSED, None), 0),
        interrupted_ms={cause or "unknown": ms for (_, cause), ms in split.items() if ms},
        buffered_ms=part_ms(ns for ns, flags in running if not flags.link_up),
        camera_ms=part_ms(ns for ns, flags in running if needs <= flags.giving),
        cameras_ms={role: part_ms(ns for ns, flags in running if role in flags.giving) for role in sorted(needs)},
        connected_ms=part_ms(ns for ns, flags in running if flags.therapist) if knows_therapist else None,
        overrun_ms=0 if planned_end_ms is None else max(0, elapsed_ms - max(0, planned_end_ms)),
        planned_ms=line.told.planned_ms,
        unknown_gaps=sum(not gap.known for gap in line.gaps),
        bounds=_bounds(line),
    )


def _bounds(line: Line) -> Bounds | None:
    """The least and the most of everything: what was lived through is certain, and so are gaps between two dates."""
    if not line.gaps:
        return None
    here_ns = line.instant(line.cursor_ns)
    least_ns, most_ns = line.boots.between(line.start.boot, line.start.mono_ns, line.boot, here_ns)
    certain_ns = line.cursor_ns - sum(gap.counted_ns for gap in line.gaps)
    least_ns = max(least_ns, certain_ns + max(gap.least_ns for gap in line.gaps))
    most_ns = None if most_ns is None else max(most_ns, least_ns)
    return Bounds(
        elapsed_min_ms=least_ns // _NS_PER_MS,
        elapsed_max_ms=_up(most_ns),
        lost_min_ms=(least_ns - certain_ns) // _NS_PER_MS,
        lost_max_ms=None if most_ns is None else _up(most_ns - certain_ns),
        gaps=tuple(
            Gap(
                at_ms=gap.at_ns // _NS_PER_MS,
                cause=gap.cause,
                counted_ms=gap.counted_ns // _NS_PER_MS,
                min_ms=gap.least_ns // _NS_PER_MS,
                max_ms=_up(gap.most_ns),
            )
            for gap in line.gaps
        ),
    )


def _up(ns: int | None) -> int | None:
    return None if ns is None else -(-ns // _NS_PER_MS)


def _spans(line: Line) -> tuple[Span, ...]:
    spans: list[Span] = []
    for begin, end, flags in line.pieces:
        mode, cause = flags.counts_as(frozenset(line.told.needs))
        span = Span(
            start_ms=begin // _NS_PER_MS,
            end_ms=end // _NS_PER_MS,
            mode=mode,
            cause=cause,
            link_up=flags.link_up,
            cameras=tuple(sorted(flags.giving)),
            therapist=flags.therapist,
        )
        last = spans[-1] if spans else None
        if last and last.model_copy(update={"start_ms": 0, "end_ms": 0}) == span.model_copy(
            update={"start_ms": 0, "end_ms": 0}
        ):
            spans[-1] = last.model_copy(update={"end_ms": span.end_ms})
        elif span.end_ms > span.start_ms:
            spans.append(span)
    return tuple(spans)


def _shared_out(counted: Iterable[tuple[int, Flags, Mode, str | None]]) -> dict[tuple[Mode, str | None], int]:
    """Milliseconds of each mode and cause: each within one of its nanoseconds, all together those of the whole.

    Cutting every stretch to milliseconds instead would be wrong by one more with each pause.
    """
    ns: dict[tuple[Mode, str | None], int] = {(Mode.RUNNING, None): 0, (Mode.PAUSED, None): 0}
    for length_ns, _, mode, cause in counted:
        ns[mode, cause] = ns.get((mode, cause), 0) + length_ns
    shares: dict[tuple[Mode, str | None], int] = {}
    before = 0
    for key in sorted(ns, key=lambda one: (list(Mode).index(one[0]), one[1] or "")):
        shares[key] = (before + ns[key]) // _NS_PER_MS - before // _NS_PER_MS
        before += ns[key]
    return shares
