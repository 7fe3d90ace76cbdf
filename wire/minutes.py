"""True minutes: a pure, versioned fold from a session's ledger rows to what it really delivered.

Used by the kiosk's screen, the fleet and the reports alike. Durations come from the monotonic clock within a boot;
across boots from trusted wall time, and where that is missing the gap is unknown and said to be. Nanoseconds are added
up and cut to milliseconds last, so that each figure is true to one, and the split adds up to elapsed exactly.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from pydantic import AwareDatetime, Field, NonNegativeInt

from wire.codec import Model, WireModel, validate
from wire.errors import BadPayload
from wire.ledger import (
    ClockTrust,
    PowerLost,
    Row,
    SessionContinued,
    SessionEnded,
    SessionExtended,
    SessionStarted,
)

FOLD_VERSION: Final = 1
"""Rises when the same rows would give other minutes; an ADR says why."""

_NS_PER_MS: Final = 1_000_000


class Mode(StrEnum):
    """What a stretch of a session was."""

    RUNNING = "running"
    PAUSED = "paused"
    INTERRUPTED = "interrupted"


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
    told = None if begin is None else _read(SessionStarted, kept[begin])
    if begin is None or told is None:
        return SessionRecord(state="unknown")
    line = _Line(kept[begin], told, _Dates(kept))
    for row in kept[begin + 1 :]:
        line.take(row)
    if until is not None and line.end_ns is None:
        line.arrive(until.boot, until.mono_ns)
    return line.record()


def _read(model: type[Model], row: Row) -> Model | None:
    try:
        return validate(model, row.data)
    except BadPayload:
        return None  # written by something else than this contract's machine; there is nobody to tell in a fold


@dataclass(frozen=True, slots=True)
class _Flags:
    mode: Mode = Mode.RUNNING
    cause: str | None = None
    link_up: bool = True
    giving: frozenset[str] = frozenset()
    lost: frozenset[str] = frozenset()
    therapist: bool | None = None

    def counts_as(self, needs: frozenset[str]) -> tuple[Mode, str | None]:
        """Running without any picture is an interruption by the cameras."""
        if self.mode is Mode.RUNNING and needs and self.lost >= needs:
            return Mode.INTERRUPTED, "camera"
        return self.mode, self.cause


class _Dates:
    """The wall time of any instant, by its boot's best anchor: the last synchronised row, else the last held one."""

    def __init__(self, rows: list[Row]) -> None:
        self._anchors: dict[str, Row] = {}
        for row in rows:
            known = self._anchors.get(row.boot)
            if row.clock is ClockTrust.UNSET or (
                row.clock is ClockTrust.HELD and known is not None and known.clock is ClockTrust.SYNCED
            ):
                continue
            self._anchors[row.boot] = row

    def trust(self, boot: str) -> ClockTrust:
        anchor = self._anchors.get(boot)
        return anchor.clock if anchor else ClockTrust.UNSET

    def at(self, boot: str, mono_ns: int) -> datetime | None:
        anchor = self._anchors.get(boot)
        if anchor is None:
            return None
        try:
            return anchor.at + timedelta(microseconds=(mono_ns - anchor.mono_ns) / 1_000)
        except OverflowError:  # a date that no calendar has
            return None


@dataclass(slots=True)
class _Line:
    """The session as a line of nanoseconds from its start, drawn row by row."""

    start: Row
    told: SessionStarted
    dates: _Dates
    now: _Flags = field(init=False)
    cursor_ns: int = 0
    end_ns: int | None = None
    ended: SessionEnded | None = None
    cancelled: bool = False
    extended_ms: int = 0
    unknown_gaps_ns: list[int] = field(default_factory=list)
    """Where on the line the gaps of unknown length lie."""
    pieces: list[tuple[int, int, _Flags]] = field(default_factory=list)
    _offset_ns: dict[str, int] = field(default_factory=dict)
    _boot: str = ""

    def __post_init__(self) -> None:
        self._boot = self.start.boot
        self._offset_ns[self._boot] = -self.start.mono_ns
        self.now = _Flags(
            link_up=self.told.link_up,
            giving=frozenset(self.told.giving),
            lost=frozenset(self.told.missing),
            therapist=False if self.told.therapist_known else None,
        )

    def place(self, boot: str, mono_ns: int) -> int:
        """Where an instant lies on the line; an unknown boot continues it after a gap by trusted wall time."""
        if boot not in self._offset_ns:
            before = self.dates.at(self._boot, self.cursor_ns - self._offset_ns[self._boot])
            after = self.dates.at(boot, mono_ns)
            gap_ns = 0
            if before is None or after is None or after < before:  # then one of them is wrong
                self.unknown_gaps_ns.append(self.cursor_ns)
            else:
                gap_ns = (after - before) // timedelta(microseconds=1) * 1_000
            self._offset_ns[boot] = self.cursor_ns + gap_ns - mono_ns
            self._boot = boot
        return mono_ns + self._offset_ns[boot]

    def reach(self, place_ns: int) -> None:
        """Draw on to `place_ns` with what holds now; a place already passed changes nothing."""
        if place_ns > self.cursor_ns:
            self.pieces.append((self.cursor_ns, place_ns, self.now))
            self.cursor_ns = place_ns

    def arrive(self, boot: str, mono_ns: int) -> int:
        """Draw on to an instant, and say where it lies; what came before a boot that nothing announced is unknown."""
        if boot not in self._offset_ns:
            self._interrupt("unknown")
        here = self.place(boot, mono_ns)
        self.reach(here)
        return here

    def take(self, row: Row) -> None:
        """Draw on to `row` and let it change what holds."""
        if self.cancelled:
            return
        if self.end_ns is not None:
            if row.type == "session.continued":
                self._continue(row)
            return
        lost = _read(PowerLost, row) if row.type == "power.lost" else None
        if lost is not None:
            if lost.boot in self._offset_ns:
                self.reach(self.place(lost.boot, lost.mono_ns))
            self._interrupt(lost.cause)
            self.reach(self.place(row.boot, row.mono_ns))
        else:
            self._apply(row, self.arrive(row.boot, row.mono_ns))

    def _apply(self, row: Row, here: int) -> None:  # noqa: C901  # one arm for each type that changes the line
        role = str(row.data.get("role", ""))
        match row.type:
            case "session.paused" | "session.ending":
                self._change(mode=Mode.PAUSED, cause=None)
            case "session.resumed":
                self._change(mode=Mode.RUNNING, cause=None)
            case "session.extended":
                extended = _read(SessionExtended, row)
                self.extended_ms += extended.by_ms if extended else 0
            case "session.ended":
                written = SessionEnded(by="unknown", boot=row.boot, mono_ns=row.mono_ns, at=row.at)
                self.ended = _read(SessionEnded, row) or written
                known = self.ended.boot in self._offset_ns
                end = self.place(self.ended.boot, self.ended.mono_ns) if known else here
                self._cut(max(0, min(end, here)))
            case "session.cancelled":
                self.cancelled = True
            case "camera.back":
                self._change(giving=self.now.giving | {role}, lost=self.now.lost - {role})
            case "camera.lost":
                self._change(giving=self.now.giving - {role}, lost=self.now.lost | {role})
            case "camera.closed":
                self._change(giving=self.now.giving - {role}, lost=self.now.lost - {role})
            case "link.up" | "link.down":
                self._change(link_up=row.type == "link.up")
            case "therapist.joined" | "therapist.left":
                self._change(therapist=row.type == "therapist.joined")
            case _:
                pass  # a fact that moves no minutes

    def _change(self, **changes: object) -> None:
        self.now = replace(self.now, **changes)  # type: ignore[arg-type]  # names are those of the fields above

    def _interrupt(self, cause: str) -> None:
        # The agent that comes up next knows of no link, camera or therapist before it has told so.
        therapist = None if self.now.therapist is None else False
        self.now = _Flags(Mode.INTERRUPTED, cause, link_up=False, therapist=therapist)

    def _cut(self, end_ns: int) -> None:
        self.end_ns = self.cursor_ns = end_ns
        self.unknown_gaps_ns = [one for one in self.unknown_gaps_ns if one < end_ns]
        self.pieces = [(begin, min(end, end_ns), flags) for begin, end, flags in self.pieces if begin < end_ns]

    def _continue(self, row: Row) -> None:
        self.end_ns = self.ended = None
        self._interrupt("person")
        self.reach(self.place(row.boot, row.mono_ns))
        self._change(mode=Mode.RUNNING, cause=None)
        seen = _read(SessionContinued, row)
        if seen is not None:
            self._change(link_up=seen.link_up, giving=frozenset(seen.giving), lost=frozenset(seen.missing))

    def _spans(self) -> tuple[Span, ...]:
        spans: list[Span] = []
        for begin, end, flags in self.pieces:
            mode, cause = flags.counts_as(frozenset(self.told.needs))
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

    def record(self) -> SessionRecord:
        spans = () if self.cancelled else self._spans()
        ended = self.ended if self.end_ns is not None else None
        state = self.now.counts_as(frozenset(self.told.needs))[0].value
        if self.cancelled:
            state = "cancelled"
        elif ended is not None:
            state = "ended"
        return SessionRecord(
            state=state,
            started_at=self.dates.at(self.start.boot, self.start.mono_ns) or self.start.at,
            started_by=self.told.by,
            ended_at=(self.dates.at(ended.boot, ended.mono_ns) or ended.at) if ended else None,
            ended_by=ended.by if ended else None,
            booking=self.told.booking,
            therapist=self.told.therapist,
            students=self.told.students,
            clock=self.dates.trust(self.start.boot),
            minutes=self._minutes(),
            spans=spans,
        )

    def _minutes(self) -> Minutes:
        if self.cancelled:
            return Minutes(planned_ms=self.told.planned_ms)
        needs = frozenset(self.told.needs)
        counted = [(end - begin, flags, *flags.counts_as(needs)) for begin, end, flags in self.pieces]
        split = _shared_out(counted)
        running = [(ns, flags) for ns, flags, mode, _ in counted if mode is Mode.RUNNING]
        running_ns, running_ms = sum(ns for ns, _ in running), split.pop((Mode.RUNNING, None), 0)

        def part_ms(lengths_ns: Iterable[int]) -> int:
            ns = sum(lengths_ns)
            return running_ms if ns == running_ns else ns // _NS_PER_MS

        elapsed_ms = self.cursor_ns // _NS_PER_MS
        planned_end_ms = None if self.told.planned_end_in_ms is None else self.told.planned_end_in_ms + self.extended_ms
        knows_therapist = any(flags.therapist is not None for flags in (self.now, *(one[1] for one in counted)))
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
            planned_ms=self.told.planned_ms,
            unknown_gaps=len(self.unknown_gaps_ns),
        )


def _shared_out(counted: Iterable[tuple[int, _Flags, Mode, str | None]]) -> dict[tuple[Mode, str | None], int]:
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
