"""A kiosk without its machine: the real session machine and a real ledger file on a clock that the test moves.

It does what the agent does: every moment of `wake_at` gets a `Tick`, facts are written before the new state counts, the
cameras follow the state, and a boot reads its past from the ledger.
"""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

from device import boot, effects
from device.errors import LedgerUnwritable
from device.session import states as s
from device.session.clock import NS_PER_S, Instant
from device.session.ledger import Ledger
from device.session.machine import step, wake_at
from device.session.states import ROLES, CameraFact, Phase, State
from wire.ledger import ClockTrust, Row
from wire.minutes import Minutes, SessionRecord, Until, fold
from wire.schedule import Booking, Schedule

NINE: datetime = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
MINUTE: timedelta = timedelta(minutes=1)
_MINUTE_S = 60
_SETTLE_NS = 30_000_000
_ALIVE_EVERY_NS = 2 * NS_PER_S
_BOOT_TAKES_NS = 20 * NS_PER_S


def booking(name: str, start: datetime, minutes: int = 30, **more: object) -> Booking:
    """A booking as the fleet sends it."""
    told = {"id": name, "start": start, "planned_ms": minutes * 60_000, "therapist": "th-lane", "students": ["s-0418"]}
    return Booking.model_validate(told | more)


def in_session(kiosk: "Kiosk") -> "Kiosk":
    """Pressed, and past the seconds in which a press does nothing."""
    kiosk.press()
    kiosk.wait(seconds=20)
    assert kiosk.is_(Phase.LIVE) or kiosk.is_(Phase.BUFFERING)
    return kiosk


def at(kiosk: "Kiosk", minute: float) -> None:
    """Wait until so many minutes past nine."""
    kiosk.wait(seconds=minute * 60 - (kiosk.now().wall - NINE).total_seconds())


class Kiosk:
    """One kiosk; `up` boots it, and everything else is what people and the world do to it."""

    def __init__(self, folder: Path, at: datetime = NINE, trust: ClockTrust = ClockTrust.SYNCED) -> None:
        self.path = folder / "ledger.db"
        self.trust = trust
        self.idle = "closed"
        self.warm_up_s = 0.0
        """From opening a camera to its first picture."""
        self.link_up = False
        self.broken: set[str] = set()
        self.lying: tuple[int, ...] = ()
        self.state = State()
        self.disk_full = False
        self._wall_at_zero = at
        self._truth_ns = 0
        self._boots = 0
        self._booted_ns = 0
        self._slept_ns = 0
        self.life_began = 0
        """The seq after which the rows of the running agent begin."""
        self._read: list[Row] = []
        self._down_ns = 0
        self._pictures_at: dict[str, int] = {}
        self.ledger = Ledger.open(self.path)

    # The clock

    def now(self) -> Instant:
        """This moment, as the kiosk's own clocks have it."""
        wall = self._wall_at_zero + timedelta(microseconds=self._truth_ns // 1_000)
        mono_ns = self._truth_ns - self._booted_ns + _BOOT_TAKES_NS
        return Instant(mono_ns, wall, f"boot-{self._boots}", self.trust, self._slept_ns)

    @property
    def truth_s(self) -> float:
        """Seconds that really passed since the test began."""
        return self._truth_ns / NS_PER_S

    def wait(self, *, minutes: float = 0, seconds: float = 0) -> None:
        """Let time pass, with a tick at each moment that the machine named."""
        until_ns = self._truth_ns + round((minutes * _MINUTE_S + seconds) * NS_PER_S)
        while True:
            now = self.now()
            moments = [*self._pictures_at.values()]
            wake_ns = wake_at(self.state, now)
            if wake_ns is not None and wake_ns <= now.mono_ns:  # it stalled
                self.tell(s.Tick())
                wake_ns = wake_at(self.state, now)
            if wake_ns is not None:
                assert wake_ns > now.mono_ns, "the machine wants a tick that changes nothing"
                moments.append(self._truth_ns + wake_ns - now.mono_ns)
            next_ns = min(moments, default=until_ns)
            if next_ns > until_ns:
                break
            self._truth_ns = next_ns
            self._show_pictures()
            self.tell(s.Tick())
            if next_ns == until_ns:
                break
        self._truth_ns = until_ns

    def stall(self, seconds: float) -> None:
        """Let time pass without any tick: the agent hangs at a slow disk."""
        self._truth_ns += round(seconds * NS_PER_S)

    def step_clock(self, by: timedelta, trust: ClockTrust = ClockTrust.SYNCED) -> None:
        """The wall clock jumps."""
        self._wall_at_zero += by
        self.trust = trust
        self.tell(s.ClockStepped(round(by.total_seconds() * 1_000)))

    def suspend(self, *, minutes: float = 0, seconds: float = 0, noticed: bool = True) -> None:
        """The machine sleeps, as a laptop does; `noticed` when nothing else happened before the agent looked."""
        length_ns = round((minutes * _MINUTE_S + seconds) * NS_PER_S)
        self._truth_ns += length_ns
        self._slept_ns += length_ns
        if noticed:
            self.tell(s.Tick())

    # Power

    def up(self) -> "Kiosk":
        """The agent comes up and reads its past."""
        self._boots += 1
        self._booted_ns = self._truth_ns
        return self._start_agent()

    def cut_power(self, *, minutes: float = 0, seconds: float = 0) -> None:
        """No power for a while, then a boot."""
        self._stop_agent()
        self._truth_ns += round((minutes * _MINUTE_S + seconds) * NS_PER_S)
        self.up()

    def restart_agent(self, seconds: float = 3) -> None:
        """The machine runs on, only the agent is killed and started again."""
        self._stop_agent()
        self._truth_ns += round(seconds * NS_PER_S)
        self._start_agent()

    def power_off(self) -> None:
        """The plug is pulled; `begin_boot` puts it back."""
        self._stop_agent()

    def begin_boot(self) -> None:
        """Power is back; nothing is read yet."""
        self._boots += 1
        self._booted_ns = self._truth_ns
        self._new_agent()

    def finish_boot(self) -> None:
        """The ledger is read, and the machine goes to work."""
        found = boot.find(self.ledger)
        if found.schedule:
            self.tell(s.ScheduleSet(found.schedule))
        self.tell(s.Booted("0.1.0", found.open, found.done, found.overdue, found.made_up, found.explained))

    def close(self) -> None:
        """The test is over."""
        self.ledger.close()

    # The button, the screen

    def press(self, by: str = "button") -> None:
        """A hand presses the button, or the screen's."""
        down_ns = self.now().mono_ns
        if by == "button":
            self.wait(seconds=_SETTLE_NS / NS_PER_S)
        self._down_ns = down_ns
        self.tell(s.Pressed(by, down_ns))

    def hold(self, seconds: float = 2.0) -> None:
        """A hand holds the button down."""
        self.press()
        down_ns = self._down_ns
        self.wait(seconds=2.0 - _SETTLE_NS / NS_PER_S)
        self.tell(s.Held("button", down_ns))
        self.wait(seconds=min(seconds, 10.0) - 2.0)
        if seconds >= 10.0:
            self.tell(s.Stuck(down_ns, 10_000))
            self.wait(seconds=seconds - 10.0)
            self.tell(s.Freed())

    def hold_on_screen(self) -> None:
        """The screen's button, held: no press comes before it."""
        self.tell(s.Held("screen", self.now().mono_ns))

    def ask(self, name: str, value: str = "") -> None:
        """An action on the screen; raises `Refused`."""
        self.tell(s.Asked(name, value))

    # The world

    def hold_schedule(self, *bookings: Booking, cards: Mapping[int, str] | None = None) -> None:
        """The fleet sends its schedule; the ledger keeps it for the next boot."""
        schedule = Schedule(revision=1, as_of=self.now().wall, bookings=bookings, cards=dict(cards or {}))
        self.ledger.keep("schedule", schedule.model_dump(mode="json"))
        self.tell(s.ScheduleSet(schedule))

    def cut_link(self) -> None:
        """The fleet stops to answer."""
        self.link_up = False
        self.tell(s.LinkChanged(up=False, reason="the fleet does not answer"))

    def restore_link(self) -> None:
        """The fleet answers."""
        self.link_up = True
        self.tell(s.LinkChanged(up=True))

    def lay(self, *numbers: int) -> None:
        """These picture cards lie on the desk from now on; they are seen whenever the camera is open."""
        self.lying = numbers
        self._follow()

    def camera_lost(self, role: str) -> None:
        """A camera is unplugged."""
        self.broken.add(role)
        self._follow()

    def camera_back(self, role: str) -> None:
        """It is plugged in again."""
        self.broken.discard(role)
        self._follow()

    def storage(self, *, ok: bool) -> None:
        """The disk refuses, or has room again."""
        self.tell(s.StorageChanged(ok=ok))

    def update(self, *, switching: bool) -> None:
        """An update begins or ends to switch releases."""
        self.tell(s.UpdateChanged(switching=switching))

    # What can be seen

    def is_(self, phase: Phase) -> bool:
        """Whether the kiosk is in `phase` now."""
        return self.state.phase is phase

    def refusal(self) -> str | None:
        """Why the screen says that nothing was started, while it says so."""
        return self.state.refused.reason if self.state.refused else None

    def any_camera_open(self) -> bool:
        """Whether a camera's device is open now."""
        return any(fact.open for fact in self.state.cameras.values())

    def rows(self, *types: str) -> list[Row]:
        """The rows of these types, or all, oldest first."""
        self._read += self.ledger.rows(after=len(self._read))
        return [row for row in self._read if not types or row.type in types]

    def types(self, after: int = 0) -> list[str]:
        """The types of all rows after seq `after`, but for those of states and cameras."""
        passing = ("state.", "camera.", "boot")
        return [row.type for row in self.rows() if row.seq > after and not row.type.startswith(passing)]

    def record(self, session: str | None = None) -> SessionRecord:
        """What the ledger says of a session, the last one unless another is named."""
        name = session or self.ledger.last_session()
        now = self.now()
        return fold(self.ledger.session_rows(name) if name else [], Until(now.boot, now.mono_ns))

    def minutes(self, session: str | None = None) -> Minutes:
        """The minutes of a session, the last one unless another is named."""
        return self.record(session).minutes

    # How it works

    def tell(self, event: s.Event) -> None:
        """Hand an event to the machine, as the agent does."""
        state, facts = step(self.state, event, self.now())
        self._write(facts)
        self.state = state
        self._follow()

    def _write(self, facts: Sequence[s.Fact]) -> None:
        if not facts:
            return
        try:
            self.ledger.append(facts)
        except LedgerUnwritable:
            if not self.disk_full:
                self.disk_full = True
                self.tell(s.StorageChanged(ok=False))

    def _follow(self) -> None:
        """Open and close the cameras as the state wants them."""
        wanted, reason = effects.cameras_for(self.state, self.now(), idle=self.idle, purpose=None)
        for role in ROLES:
            known = self.state.cameras[role]
            if not wanted:
                self._pictures_at.pop(role, None)
                fact = CameraFact()
            elif role in self.broken:
                fact = CameraFact(missing=True)
            elif known.open or not self.warm_up_s:
                fact = CameraFact(open=True, giving=known.giving or not self.warm_up_s)
            else:
                self._pictures_at[role] = self._truth_ns + round(self.warm_up_s * NS_PER_S)
                fact = CameraFact(open=True)
            if fact != known:
                self.tell(s.CameraChanged(role, fact, reason))
        overhead = self.state.cameras["overhead"]
        if overhead.open and self.state.cards != self.lying:
            self.tell(s.CardsSeen(self.lying))

    def _show_pictures(self) -> None:
        for role, at_ns in list(self._pictures_at.items()):
            if at_ns <= self._truth_ns:
                del self._pictures_at[role]
                self.tell(s.CameraChanged(role, CameraFact(open=True, giving=True), "session"))

    def _start_agent(self) -> "Kiosk":
        self._new_agent()
        self.finish_boot()
        return self

    def _new_agent(self) -> None:
        self.state, self.link_up = State(), False
        self.life_began = self.ledger.head

    def _stop_agent(self) -> None:
        now = self.now()
        if self.state.session:  # the agent keeps this every two seconds; the last time may be that long ago
            alive_ns = max(now.mono_ns - _ALIVE_EVERY_NS // 2, self.rows()[-1].mono_ns)
            boot.remember_alive(self.ledger, now.earlier(alive_ns))
        self._pictures_at.clear()
        self.ledger.close()
        self.ledger = Ledger.open(self.path)
