"""A naive stopwatch beside a kiosk: it knows the true time, which the kiosk's clocks need not, and it reads no row.

It looks at what the kiosk does from moment to moment and writes down every stretch. The fold has only the rows.
"""

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from device.session import limits
from device.session import states as s
from device.session.clock import NS_PER_S
from device.session.machine import step
from device.session.states import ROLES, Phase, Session, State
from device.session.windows import planned_end
from tests.device.session.kiosk import Kiosk
from wire.ledger import ClockTrust

_RUNNING: Final = {Phase.STARTING, Phase.LIVE, Phase.BUFFERING}
_MODES: Final = {**dict.fromkeys(_RUNNING, "running"), Phase.PAUSED: "paused", Phase.ENDING: "paused"}
_NEVER_SET: Final = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Now:
    """What is so."""

    mode: str = "running"
    cause: str | None = None
    link_up: bool = False
    giving: frozenset[str] = frozenset()
    lost: frozenset[str] = frozenset()
    therapist: bool = False


@dataclass(slots=True)
class Truth:
    """One session as it really was, in nanoseconds of true time."""

    needs: frozenset[str]
    now: Now
    began_ns: int
    reached_ns: int
    planned_ns: int | None
    """From the start to the planned end, as the kiosk's clock had it when it started."""
    down_ns: int | None
    went_on_ns: int
    lived: list[tuple[int, int, Now]] = field(default_factory=list)
    gaps: list[tuple[int, int]] = field(default_factory=list)
    """From the last moment known to be lived through in one boot to the first that the next boot wrote of."""
    over: str | None = None
    continued: bool = False
    knows_therapist: bool = False
    misdated: bool = False
    """It ended while a time source told the wrong time, and none of its rows tells of the right one."""

    def reach(self, at_ns: int) -> None:
        """Everything stays as it is until then."""
        if at_ns > self.reached_ns:
            self.lived.append((self.reached_ns, at_ns, self.now))
        self.reached_ns = at_ns

    def back_to(self, at_ns: int) -> None:
        """What came after that moment does not count."""
        self.lived = [(begin, min(end, at_ns), now) for begin, end, now in self.lived if begin < at_ns]
        self.gaps = [(begin, end) for begin, end in self.gaps if begin < at_ns]
        self.reached_ns = at_ns

    def mode(self, now: Now) -> tuple[str, str | None]:
        """Running without any picture of a needed camera is an interruption."""
        if now.mode == "running" and self.needs and now.lost >= self.needs:
            return "interrupted", "camera"
        return now.mode, now.cause


class Watched(Kiosk):
    """A kiosk under a stopwatch. Its clock is right while it is synchronised, and never ahead while it is held."""

    def __init__(self, folder: Path, at: datetime, zone: str) -> None:
        super().__init__(folder, at)
        self.zone = zone
        self.behind = timedelta(0)
        self.truths: dict[str, Truth] = {}
        self._zero = at
        self._alive_ns: int | None = None
        self._alive_boot = 0
        self._hand_ns = 0
        """When the button, or the screen's, went down for what ends a session."""

    # The clock

    def sets(self, trust: ClockTrust, behind: timedelta) -> None:
        """From here on the wall clock is that far behind the truth; one never set counts from 1970."""
        self.trust, self.behind = trust, timedelta(0) if trust is ClockTrust.SYNCED else behind
        truth = timedelta(microseconds=self._truth_ns // 1_000)
        self._wall_at_zero = _NEVER_SET - truth if trust is ClockTrust.UNSET else self._zero - self.behind

    def is_told_the_time(self, trust: ClockTrust, behind: timedelta) -> None:
        """The clock jumps, by whatever that takes."""
        before = self._wall_at_zero
        self.sets(trust, behind)
        offset = self._wall_at_zero - before
        if offset:
            self.tell(s.ClockStepped(round(offset.total_seconds() * 1_000)))

    def jumps_and_is_put_right(self, by: timedelta, seconds: float) -> None:
        """A wrong jump of any size, in either direction, and some time later the right one."""
        trust, behind, before, session = self.trust, self.behind, self._wall_at_zero, self.state.session
        self._wall_at_zero += by
        self.tell(s.ClockStepped(round(by.total_seconds() * 1_000)))
        self.wait(seconds=seconds)
        self.trust, self.behind, self._wall_at_zero = trust, behind, before
        if session and not self.state.session:
            self.truths[session.id].misdated = True
        self.tell(s.ClockStepped(-round(by.total_seconds() * 1_000)))

    # What the stopwatch sees

    def tell(self, event: s.Event) -> None:
        before = self.state
        state, facts = step(before, event, self.now())
        self._write(facts)
        self.state = state
        self._see(before, state, event)
        self._follow()

    def time_is(self) -> None:
        """Look at the watch."""
        if self.state.session:
            self.truths[self.state.session.id].reach(self._truth_ns)

    def _new_agent(self) -> None:
        super()._new_agent()
        self.state = State(time_zone=self.zone)

    def _stop_agent(self) -> None:
        self.time_is()
        super()._stop_agent()
        alive = self.ledger.kept("alive")
        if self.state.session:
            self._alive_ns, self._alive_boot = self._truth_at(alive["mono_ns"]), self._boots

    def _truth_at(self, mono_ns: int) -> int:
        return self._truth_ns - (self.now().mono_ns - mono_ns)

    def _see(self, before: State, after: State, event: s.Event) -> None:
        if isinstance(event, s.Held) and after.phase is Phase.ENDING and before.phase is not Phase.ENDING:
            self._hand_ns = self._truth_at(event.down_ns)
        if isinstance(event, s.Booted) and event.open:
            self._back_after_power(event.open.id)
        was, is_ = before.session, after.session
        if isinstance(event, s.Booted) and event.open and not (is_ and is_.id == event.open.id):
            truth = self.truths[event.open.id]
            truth.over = "hold" if event.open.held else "power"
            truth.back_to(self._hand_ns if event.open.held else self._alive_ns or 0)
        elif was is not None and (is_ is None or is_.id != was.id):
            self._over(before, was, event)
        if is_ is not None:
            self._goes_on(before, after, is_, event)

    def _back_after_power(self, session: str) -> None:
        truth, dark_ns = self.truths[session], self._alive_ns
        assert dark_ns is not None
        truth.back_to(dark_ns)
        same_boot = self._alive_boot == self._boots
        truth.now = Now("interrupted", "unknown" if same_boot else "power")
        truth.reach(self._truth_ns)
        if not same_boot:
            truth.gaps.append((dark_ns, self._truth_ns))

    def _over(self, before: State, was: Session, event: s.Event) -> None:
        truth = self.truths[was.id]
        truth.reach(self._truth_ns)
        if isinstance(event, s.Stuck) and event.down_ns == truth.down_ns:
            truth.over = "kiosk" if truth.continued else "cancelled"
            truth.back_to(truth.went_on_ns if truth.continued else truth.began_ns)
        elif before.phase is Phase.ENDING:
            truth.over = "hold"
            truth.back_to(self._hand_ns)
        else:
            truth.over = "something"
            truth.back_to(min(self._truth_ns, self._truth_at(limits.ends_ns(before, was))))

    def _goes_on(self, before: State, after: State, session: Session, event: s.Event) -> None:
        truth = self.truths.get(session.id)
        seen = Now(
            link_up=after.link_up,
            giving=frozenset(role for role in ROLES if after.cameras[role].giving),
            lost=frozenset(role for role in ROLES if after.cameras[role].missing),
        )
        if truth is None:
            truth = self.truths[session.id] = self._begun(session, seen, event)
        elif truth.over:
            assert before.session is None, "it was continued"
            truth.now = Now("interrupted", "person")
            truth.reach(self._truth_ns)
            truth.over, truth.continued, truth.went_on_ns = None, True, self._truth_ns
            truth.down_ns = event.down_ns if isinstance(event, s.Pressed) else None
            truth.now = seen
        truth.reach(self._truth_ns)
        if isinstance(event, s.Asked) and event.name == "extend" and truth.planned_ns is not None:
            truth.planned_ns += int(event.value) * 60 * NS_PER_S
        therapist = truth.now.therapist
        if isinstance(event, s.Noted) and event.type.startswith("therapist."):
            therapist, truth.knows_therapist = event.type == "therapist.joined", True
        mode = _MODES.get(after.phase, "interrupted")
        truth.now = replace(
            truth.now, mode=mode, cause=truth.now.cause if mode == "interrupted" else None, link_up=after.link_up,
            giving=seen.giving, lost=self._lost(truth.now.lost, before, after), therapist=therapist,
        )  # fmt: skip

    def _begun(self, session: Session, seen: Now, event: s.Event) -> Truth:
        planned = planned_end(session.booking) - self.now().wall if session.booking else None
        down_ns = event.down_ns if isinstance(event, s.Pressed) else None
        return Truth(
            needs=session.needs, now=seen, began_ns=self._truth_ns, reached_ns=self._truth_ns, down_ns=down_ns,
            planned_ns=None if planned is None else planned // timedelta(microseconds=1) * 1_000,
            went_on_ns=self._truth_ns,
        )  # fmt: skip

    @staticmethod
    def _lost(lost: frozenset[str], before: State, after: State) -> frozenset[str]:
        """Which cameras failed, and gave nothing since; one that was closed on purpose did not fail."""
        found = set(lost)
        for role in ROLES:
            was, is_ = before.cameras[role], after.cameras[role]
            if is_.giving:
                found.discard(role)
            elif is_.missing or (was.giving and is_.open):
                found.add(role)
            elif was.open and not is_.open:
                found.discard(role)
        return frozenset(found)
