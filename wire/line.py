"""A session drawn as a line of nanoseconds from its start, row by row: what was so, and from when to when."""

from dataclasses import dataclass, field, replace
from datetime import timedelta
from enum import StrEnum

from wire.codec import Model, validate
from wire.errors import BadPayload
from wire.gaps import Boots, Dates, power_lost
from wire.ledger import Row, SessionContinued, SessionEnded, SessionExtended, SessionStarted


class Mode(StrEnum):
    """What a stretch of a session was."""

    RUNNING = "running"
    PAUSED = "paused"
    INTERRUPTED = "interrupted"


@dataclass(frozen=True, slots=True)
class Flags:
    """What holds on a stretch of the line."""

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


@dataclass(frozen=True, slots=True)
class GapNs:
    """Where the line leaves one boot and goes on in another, of which not both are dated by a time source."""

    boot: str
    """The one after it."""
    at_ns: int
    cause: str
    counted_ns: int
    """How long it is on the line: 0 where no clock tells."""
    least_ns: int
    most_ns: int | None
    known: bool
    """Whether clocks of both boots tell a length at all."""


@dataclass(slots=True)
class Line:
    """The session as a line of nanoseconds from its start, drawn row by row."""

    start: Row
    told: SessionStarted
    dates: Dates
    boots: Boots
    now: Flags = field(init=False)
    cursor_ns: int = 0
    end_ns: int | None = None
    ended: SessionEnded | None = None
    cancelled: bool = False
    extended_ms: int = 0
    gaps: list[GapNs] = field(default_factory=list)
    """Those that no time source dates on both sides."""
    pieces: list[tuple[int, int, Flags]] = field(default_factory=list)
    boot: str = ""
    """The one that it has reached."""
    _offset_ns: dict[str, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.boot = self.start.boot
        self._offset_ns[self.boot] = -self.start.mono_ns
        self.now = Flags(
            link_up=self.told.link_up,
            giving=frozenset(self.told.giving),
            lost=frozenset(self.told.missing),
            therapist=False if self.told.therapist_known else None,
        )

    def place(self, boot: str, mono_ns: int) -> int:
        """Where an instant lies on the line; an unknown boot continues it after a gap by trusted wall time."""
        if boot not in self._offset_ns:
            self._offset_ns[boot] = self.cursor_ns + self._gap_ns(boot, mono_ns) - mono_ns
            self.boot = boot
        return mono_ns + self._offset_ns[boot]

    def instant(self, place_ns: int) -> int:
        """The monotonic instant, in the boot that the line has reached, of a place in it."""
        return place_ns - self._offset_ns[self.boot]

    def reach(self, place_ns: int) -> None:
        """Draw on to `place_ns` with what holds now; a place already passed changes nothing."""
        if place_ns > self.cursor_ns:
            self.pieces.append((self.cursor_ns, place_ns, self.now))
            self.cursor_ns = place_ns

    def _gap_ns(self, boot: str, mono_ns: int) -> int:
        """How long the gap from the cursor to an instant of a new boot counts."""
        here_ns = self.instant(self.cursor_ns)
        before, after = self.dates.at(self.boot, here_ns), self.dates.at(boot, mono_ns)
        known = before is not None and after is not None and after >= before  # else one of them is wrong
        gap_ns = 0
        if before is not None and after is not None and known:
            gap_ns = (after - before) // timedelta(microseconds=1) * 1_000
        if known and self.boots.is_dated(self.boot) and self.boots.is_dated(boot):
            return gap_ns
        least_ns, most_ns = self.boots.between(self.boot, here_ns, boot, mono_ns)
        if most_ns is not None:
            gap_ns = min(gap_ns, most_ns)  # a held clock may have stood still for longer than this gap
        self.gaps.append(GapNs(boot, self.cursor_ns, self.now.cause or "unknown", gap_ns, least_ns, most_ns, known))
        return gap_ns

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
        lost = power_lost(row)
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
                extended = read(SessionExtended, row)
                self.extended_ms += extended.by_ms if extended else 0
            case "session.ended":
                written = SessionEnded(by="unknown", boot=row.boot, mono_ns=row.mono_ns, at=row.at)
                self.ended = read(SessionEnded, row) or written
                end = here
                if self.ended.boot in self._offset_ns:
                    self.boot = self.ended.boot
                    end = self.place(self.ended.boot, self.ended.mono_ns)
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
        self.now = Flags(Mode.INTERRUPTED, cause, link_up=False, therapist=therapist)

    def _cut(self, end_ns: int) -> None:
        self.end_ns = self.cursor_ns = end_ns
        order = list(self._offset_ns)
        reached = order.index(self.boot)
        self.gaps = [
            replace(gap, counted_ns=min(gap.counted_ns, end_ns - gap.at_ns))
            for gap in self.gaps
            if gap.at_ns <= end_ns and order.index(gap.boot) <= reached
        ]
        self.pieces = [(begin, min(end, end_ns), flags) for begin, end, flags in self.pieces if begin < end_ns]

    def _continue(self, row: Row) -> None:
        self.end_ns = self.ended = None
        self._interrupt("person")
        self.reach(self.place(row.boot, row.mono_ns))
        self._change(mode=Mode.RUNNING, cause=None)
        seen = read(SessionContinued, row)
        if seen is not None:
            self._change(link_up=seen.link_up, giving=frozenset(seen.giving), lost=frozenset(seen.missing))


def read(model: type[Model], row: Row) -> Model | None:
    """What `row` says; None when its data do not fit."""
    try:
        return validate(model, row.data)
    except BadPayload:
        return None  # written by something else than this contract's machine; there is nobody to tell in a fold
