"""A session as it really was, to the nanosecond, beside the rows that a kiosk writes of it.

The truth is kept here by other means than the fold's: every stretch of time is noted as it is lived through.
"""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import strategies as st

from wire.ledger import ClockTrust, Row, checked
from wire.minutes import Until

SECOND = 1_000_000_000
MINUTE = 60 * SECOND
SESSION = "s-1"
BOTH = frozenset({"overhead", "front"})
_NINE = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Now:
    """What is so."""

    mode: str = "running"
    cause: str | None = None
    link_up: bool = True
    giving: frozenset[str] = BOTH
    missing: frozenset[str] = frozenset()
    therapist: bool | None = None


@dataclass(slots=True)
class History:
    """One session; time passes only by `lasts`."""

    needs: frozenset[str] = BOTH
    now: Now = field(default_factory=Now)
    trust: ClockTrust = ClockTrust.SYNCED
    wrong: timedelta = timedelta(0)
    """How far the wall clock is from the truth."""
    rows: list[Row] = field(default_factory=list)
    lived: list[tuple[int, int, Now]] = field(default_factory=list)
    """Stretches of the session's line, which leaves out what nobody can know the length of."""
    at_ns: int = 0
    """The end of that line."""
    over: bool = False
    held_ns: int | None = None
    held_from: str = "running"
    _true_ns: int = 0
    _boot: int = 1
    _booted_ns: int = -20 * SECOND

    def start(self, **data: Any) -> "History":
        """The press."""
        told = {"by": "button", "needs": sorted(self.needs), "giving": sorted(self.now.giving),
                "missing": sorted(self.now.missing), "link_up": self.now.link_up}  # fmt: skip
        if self.now.therapist is not None:
            told["therapist_known"] = True
        return self.write("session.started", **(told | data))

    def lasts(self, ns: int) -> "History":
        """Time passes."""
        if not self.over:
            self.lived.append((self.at_ns, self.at_ns + ns, self.now))
        self.at_ns += ns
        self._true_ns += ns
        return self

    @property
    def until(self) -> Until:
        """This moment."""
        return Until(f"boot-{self._boot}", self._mono_ns())

    # What people do

    def pause(self) -> "History":
        self._is(mode="paused")
        return self.write("session.paused", by="button")

    def resume(self, by: str = "button") -> "History":
        self._is(mode="running", cause=None)
        return self.write("session.resumed", by=by)

    def hold(self) -> "History":
        """The button was pressed and is now held for 2 s."""
        self.held_from = self.now.mode
        if self.now.mode == "running":
            self.pause()
        self.held_ns, held_mono_ns = self.at_ns, self._mono_ns()
        self.lasts(2 * SECOND)
        return self.write("session.ending", held_mono_ns=held_mono_ns)

    def undo(self) -> "History":
        self.held_ns = None
        return self if self.held_from == "paused" else self.resume()

    def hold_counts(self) -> "History":
        """Ten seconds later: the session ended as of the hold."""
        assert self.held_ns is not None
        ended_ns = self.held_ns
        self.lasts(10 * SECOND)
        return self._end("hold", ended_ns)

    def end(self, by: str = "kiosk") -> "History":
        return self._end(by, self.at_ns)

    def go_on(self, after_ns: int, link_up: bool = True, giving: frozenset[str] = BOTH) -> "History":
        """A press soon after the end."""
        self.over = False
        if self.lived:
            begin = self.lived[-1][1]
            self._is(mode="interrupted", cause="person")
            self.lived.append((begin, self.at_ns, self.now))
        self.lasts(after_ns)
        therapist = None if self.now.therapist is None else False  # whoever was there has to join again
        self.now = Now(link_up=link_up, giving=giving, therapist=therapist)
        return self.write("session.continued", by="button", link_up=link_up, giving=sorted(giving), missing=[])

    # What the world does

    def link(self, *, up: bool) -> "History":
        self._is(link_up=up)
        return self.write("link.up" if up else "link.down")

    def camera(self, role: str, change: str) -> "History":
        """A camera is `lost`, `back` or `closed`."""
        giving, missing = self.now.giving - {role}, self.now.missing - {role}
        self._is(
            giving=giving | ({role} if change == "back" else set()),
            missing=missing | ({role} if change == "lost" else set()),
        )
        return self.write(f"camera.{change}", role=role, reason="session")

    def therapist(self, *, joins: bool) -> "History":
        self._is(therapist=joins)
        return self.write("therapist.joined" if joins else "therapist.left")

    def extend(self, ms: int) -> "History":
        return self.write("session.extended", by_ms=ms)

    def step_clock(self, by: timedelta, trust: ClockTrust = ClockTrust.SYNCED) -> "History":
        """The wall clock jumps."""
        self.wrong += by
        self.trust = trust
        return self.write("clock.set", offset_ms=by // timedelta(milliseconds=1), trust=trust.value)

    def power_cut(self, off_ns: int, *, unseen_ns: int = 0, trust: ClockTrust = ClockTrust.SYNCED) -> "History":
        """Dark for a while; of the last `unseen_ns` nothing durable tells."""
        lost = self._lost(unseen_ns, "power")
        known = ClockTrust.UNSET not in {self.trust, trust}
        self.trust = trust
        if known:
            self.lasts(off_ns)
        else:
            self._forget(unseen_ns)
            self._true_ns += off_ns
        self._boot += 1
        self._booted_ns = self._true_ns - 20 * SECOND
        return self.write("power.lost", **lost)

    def agent_killed(self, off_ns: int) -> "History":
        """The machine runs on."""
        lost = self._lost(0, "unknown")
        self.lasts(off_ns)
        return self.write("power.lost", **lost)

    # How it is kept

    def write(self, type_: str, **data: Any) -> "History":
        """The row that the kiosk writes now."""
        wall = _NINE + timedelta(microseconds=self._true_ns // 1_000) + self.wrong
        told = {"seq": len(self.rows) + 1, "type": type_, "session": SESSION, "at": wall, "mono_ns": self._mono_ns(),
                "boot": f"boot-{self._boot}", "clock": self.trust, "data": checked(type_, data)}  # fmt: skip
        self.rows.append(Row.model_validate(told))
        return self

    def true_ns(self, which: Callable[[str, str | None, Now], bool]) -> int:
        """How long `which` was so: of mode and cause as they count, and of everything else."""
        return sum(end - begin for begin, end, now in self.lived if which(*self._counted(now), now))

    def true_elapsed_ns(self) -> int:
        return sum(end - begin for begin, end, _ in self.lived)

    def _counted(self, now: Now) -> tuple[str, str | None]:
        if now.mode == "running" and self.needs and now.missing >= self.needs:
            return "interrupted", "camera"
        return now.mode, now.cause

    def _mono_ns(self) -> int:
        return self._true_ns - self._booted_ns

    def _is(self, **change: Any) -> None:
        self.now = replace(self.now, **change)

    def _end(self, by: str, ended_ns: int) -> "History":
        back_ns = self.at_ns - ended_ns
        wall = _NINE + timedelta(microseconds=(self._true_ns - back_ns) // 1_000) + self.wrong
        self.lived = [(begin, min(end, ended_ns), now) for begin, end, now in self.lived if begin < ended_ns]
        self.over, self.held_ns = True, None
        return self.write(
            "session.ended", by=by, boot=f"boot-{self._boot}", mono_ns=self._mono_ns() - back_ns, at=wall.isoformat()
        )

    def _lost(self, unseen_ns: int, cause: str) -> dict[str, Any]:
        """What `power.lost` will say; from there on the session is interrupted, and nothing is known of the world."""
        wall = _NINE + timedelta(microseconds=(self._true_ns - unseen_ns) // 1_000) + self.wrong
        told = {"boot": f"boot-{self._boot}", "mono_ns": self._mono_ns() - unseen_ns, "at": wall.isoformat(),
                "clock": self.trust.value, "cause": cause}  # fmt: skip
        therapist = None if self.now.therapist is None else False
        self.now = Now("interrupted", cause, link_up=False, giving=frozenset(), therapist=therapist)
        if unseen_ns:
            begin, end, before = self.lived.pop()
            assert end - begin >= unseen_ns
            self.lived += [(begin, end - unseen_ns, before), (end - unseen_ns, end, self.now)]
        return told

    def _forget(self, unseen_ns: int) -> None:
        """What was not seen before a gap of unknown length belongs to that gap."""
        if unseen_ns:
            self.lived.pop()
            self.at_ns -= unseen_ns


LENGTHS = st.integers(1, 3_000) | st.integers(1, 5 * SECOND) | st.integers(SECOND, 20 * MINUTE)


@st.composite
def histories(draw: st.DrawFn, *, cuts: bool) -> History:
    """Any valid session, still running or over; with `cuts`, power fails now and then under trusted clocks."""
    missing = draw(st.sampled_from([frozenset(), frozenset({"front"})]))
    needs = draw(st.sampled_from([BOTH, frozenset({"overhead"}), frozenset()]))
    now = Now(
        link_up=draw(st.booleans()),
        giving=draw(st.sampled_from([BOTH - missing, frozenset()])),
        missing=missing,
        therapist=draw(st.sampled_from([None, False])),
    )
    told = History(needs=needs, now=now).start(planned_ms=1_800_000, planned_end_in_ms=draw(st.integers(0, 1_800_000)))
    for _ in range(draw(st.integers(0, 25))):
        told.lasts(draw(LENGTHS))
        draw(st.sampled_from(_possible(told, cuts=cuts)))(draw)
    told.lasts(draw(LENGTHS))
    return told


def _possible(told: History, *, cuts: bool) -> list[Callable[[st.DrawFn], object]]:
    """What can happen now."""
    if told.over:
        return [lambda draw: told.go_on(draw(st.integers(1, 100 * SECOND)), draw(st.booleans()))]
    if told.held_ns is not None:
        return [lambda _: told.undo(), lambda _: told.hold_counts()]
    if told.now.mode == "interrupted":
        return [lambda _: told.resume("power"), lambda _: told.pause()]
    found: list[Callable[[st.DrawFn], object]] = [
        lambda _: told.pause() if told.now.mode == "running" else told.resume(),
        lambda _: told.hold(),
        lambda _: told.end(),
        lambda draw: told.link(up=draw(st.booleans())),
        lambda draw: told.camera(
            draw(st.sampled_from(sorted(BOTH))), draw(st.sampled_from(["lost", "lost", "back", "closed"]))
        ),
        lambda draw: told.agent_killed(draw(LENGTHS)),
        lambda draw: told.extend(draw(st.sampled_from([300_000, 900_000]))),
    ]
    if told.now.therapist is not None:
        found.append(lambda draw: told.therapist(joins=draw(st.booleans())))
    if cuts:
        found.append(lambda draw: told.power_cut(draw(st.integers(30 * SECOND, 10 * MINUTE))))
    return found
