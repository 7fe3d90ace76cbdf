"""Whatever happens in whatever order, the ledger tells one story that holds together."""

import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from device import boot
from device.cameras.recording import Keep
from device.errors import Refused
from device.session import cards, whys
from device.session.consent import permission
from device.session.states import ROLES, Phase
from tests.device.session.kiosk import NINE, Kiosk, booking
from wire.ledger import ClockTrust, Row, verified
from wire.messages import WireRow
from wire.minutes import Until, fold
from wire.schedule import Booking

SECONDS = st.sampled_from([0.001, 0.2, 1, 2.5, 4, 6, 9.99, 30, 100, 125])
MINUTES = st.sampled_from([3, 9.9, 10, 16, 61])
STEPS = st.sampled_from([timedelta(seconds=-3), timedelta(hours=1), timedelta(hours=-1), timedelta(days=400)])
CARDS = {10: "s-0418", 11: "s-0502", 12: "s-0777"}
"""13 is nobody's."""
RUNNING = {Phase.STARTING, Phase.LIVE, Phase.BUFFERING}
_STATES = {
    Phase.STARTING: {"running", "interrupted"},
    Phase.LIVE: {"running", "interrupted"},
    Phase.BUFFERING: {"running", "interrupted"},
    Phase.PAUSED: {"paused"},
    Phase.ENDING: {"paused"},
    Phase.BOOTING: {"interrupted"},
}


def school_day() -> list[Booking]:
    """Bookings back to back, and one that overlaps."""
    slots: list[tuple[int, int, tuple[str, ...]]] = [
        (5, 20, ("s-0418",)), (25, 20, ("s-0502",)), (40, 30, ("s-0418", "s-0777")), (90, 1, ("s-0418",)),
        (120, 45, ("s-0502",)),
    ]  # fmt: skip
    return [
        booking(
            f"b-{n:04}", NINE + timedelta(minutes=minute), length, needs=["overhead", "front"][: n % 3],
            students=students, record="always", consents=[{"student": one} for one in students],
        )
        for n, (minute, length, students) in enumerate(slots)
    ]  # fmt: skip


class AnyHistory(RuleBasedStateMachine):
    """A kiosk to which everything may happen."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp(prefix="carrel-"))
        self.kiosk = Kiosk(self.folder)

    @initialize(warm_up_s=st.sampled_from([0.0, 1.2, 7.0]), idle=st.sampled_from(["closed", "watch"]))
    def comes_up(self, warm_up_s: float, idle: str) -> None:
        self.kiosk.warm_up_s, self.kiosk.idle = warm_up_s, idle
        self.kiosk.up()

    def teardown(self) -> None:
        self.kiosk.close()
        shutil.rmtree(self.folder)

    @property
    def then(self) -> Kiosk:
        """The kiosk a little later: nothing happens twice in one nanosecond."""
        self.kiosk.wait(seconds=0.001)
        return self.kiosk

    @rule(by=st.sampled_from(["button", "screen"]))
    def press(self, by: str) -> None:
        self.then.press(by)

    @rule(seconds=st.sampled_from([2.0, 6.0, 10.0, 15.0]))
    def hold(self, seconds: float) -> None:
        self.then.hold(seconds)

    @rule()
    def hold_on_screen(self) -> None:
        self.then.hold_on_screen()

    @rule(seconds=SECONDS)
    def seconds_pass(self, seconds: float) -> None:
        self.then.wait(seconds=seconds)

    @rule(minutes=MINUTES)
    def minutes_pass(self, minutes: float) -> None:
        self.then.wait(minutes=minutes)

    @rule(seconds=SECONDS)
    def the_agent_hangs(self, seconds: float) -> None:
        self.then.stall(seconds)

    @rule(up=st.booleans())
    def the_link_changes(self, up: bool) -> None:
        if up:
            self.then.restore_link()
        else:
            self.then.cut_link()

    @rule(role=st.sampled_from(ROLES), works=st.booleans())
    def a_camera_changes(self, role: str, works: bool) -> None:
        if works:
            self.then.camera_back(role)
        else:
            self.then.camera_lost(role)

    @rule(seconds=SECONDS, trust=st.sampled_from(list(ClockTrust)))
    def power_is_cut(self, seconds: float, trust: ClockTrust) -> None:
        self.kiosk.trust = trust
        self.then.cut_power(seconds=seconds)

    @rule()
    def power_is_cut_for_long(self) -> None:
        self.then.cut_power(minutes=14)

    @rule()
    def the_agent_is_killed(self) -> None:
        self.then.restart_agent()

    @rule(by=STEPS, trust=st.sampled_from(list(ClockTrust)))
    def the_clock_is_stepped(self, by: timedelta, trust: ClockTrust) -> None:
        self.then.step_clock(by, trust)

    @rule()
    def a_schedule_arrives(self) -> None:
        self.then.hold_schedule(*school_day(), cards=CARDS)

    @rule(numbers=st.lists(st.sampled_from([10, 11, 12, 13]), unique=True, max_size=3))
    def cards_are_laid_down(self, numbers: list[int]) -> None:
        self.then.lay(*sorted(numbers))

    @rule(ok=st.booleans())
    def storage_changes(self, ok: bool) -> None:
        self.then.storage(ok=ok)

    @rule(switching=st.booleans())
    def an_update_switches(self, switching: bool) -> None:
        self.then.update(switching=switching)

    @rule()
    def a_pupil_with_a_card_presses(self) -> None:
        """What all that is about cards begins with, too rare by itself."""
        self.then.hold_schedule(*school_day(), cards=CARDS)
        self.kiosk.lay(10)
        self.then.press("button")

    @rule(
        name=st.sampled_from(
            ["extend", "still-here", "help", "absent", "not-this-student", "reason", "help-over", "skip-reason"]
        )
    )
    def somebody_asks(self, name: str) -> None:
        value = {"extend": "10", "reason": whys.REASONS[0]}.get(name, "")
        running = self.then.state.session is not None
        try:
            self.kiosk.ask(name, value)
        except Refused:
            assert not running or name in {"help-over", "skip-reason"}

    @invariant()
    def every_session_is_open_or_over_once_and_never_two_at_a_time(self) -> None:
        open_, over = None, set()
        for row in self.kiosk.rows():
            match row.type:
                case "session.started":
                    assert open_ is None
                    assert row.session not in over
                    open_ = row.session
                case "session.continued":
                    assert open_ is None
                    assert row.session in over
                    open_ = row.session
                case "session.ended" | "session.cancelled":
                    assert row.session == open_
                    over.add(row.session)
                    open_ = None
                case "session.paused" | "session.resumed" | "session.ending" | "session.extended" | "power.lost":
                    assert row.session == open_ is not None
                case _:
                    pass
        running = self.kiosk.state.session
        assert open_ == (running.id if running else None)

    @invariant()
    def cards_are_told_of_once_and_only_what_is_so(self) -> None:
        confirmed: set[tuple[str | None, str]] = set()
        booked: dict[str | None, list[str]] = {}
        for row in self.kiosk.rows("session.started", "student.confirmed", "student.wrong"):
            told = row.data
            if row.type == "session.started":
                booked[row.session] = told["students"] if told["booking"] else []
            elif row.data["card"] is not None:
                assert told["by"] == "card"
                assert told["student"] == CARDS[told["card"]]
                own = not booked[row.session] or told["student"] in booked[row.session]
                if row.type == "student.confirmed":
                    assert own
                    assert (row.session, told["student"]) not in confirmed
                    confirmed.add((row.session, told["student"]))
                    assert told["makes_up"] is None or not booked[row.session]
                else:
                    assert not own
        made_up = [row.data["makes_up"] for row in self.kiosk.rows("student.confirmed") if row.data["makes_up"]]
        assert len(made_up) == len(set(made_up)), "no booking is made up for twice"

    @invariant()
    def cards_only_ever_take_permission_away(self) -> None:
        state, now = self.kiosk.state, self.kiosk.now()
        may, without = permission(state, now), permission(replace(state, cards=(), said=None), now)
        assert may == without or (may.keep is Keep.NOTHING and may.reason == "other-card")
        if state.session and cards.lying_in(state, state.session).others and state.phase in RUNNING:
            assert may.keep is Keep.NOTHING

    @invariant()
    def a_closed_camera_sees_no_card(self) -> None:
        state = self.kiosk.state
        assert state.cards == (self.kiosk.lying if state.cameras["overhead"].open else ())

    @invariant()
    def states_follow_from_each_other(self) -> None:
        now = Phase.BOOTING.value
        for row in self.kiosk.rows("boot", "state.changed"):
            if row.type == "boot":
                now = Phase.BOOTING.value
            else:
                assert row.data["before"] == now
                assert row.data["after"] != now
                now = row.data["after"]
        assert now == self.kiosk.state.phase

    @invariant()
    def the_minutes_add_up(self) -> None:
        now = self.kiosk.now()
        for session, rows in self._sessions():
            record = fold(rows, Until(now.boot, now.mono_ns))
            told = record.minutes
            assert told.elapsed_ms == told.running_ms + told.paused_ms + sum(told.interrupted_ms.values())
            assert max(told.buffered_ms, told.camera_ms, *told.cameras_ms.values(), 0) <= told.running_ms
            if self.kiosk.state.session and self.kiosk.state.session.id == session:
                assert record.state in _STATES[self.kiosk.state.phase]
            else:
                assert record.state in {"ended", "cancelled"}

    @invariant()
    def the_next_boot_would_find_what_is(self) -> None:
        found = boot.find(self.kiosk.ledger)
        running = self.kiosk.state.session
        assert (found.open.id if found.open else None) == (running.id if running else None)
        if found.open:
            assert found.open.paused is (self.kiosk.state.phase in {Phase.PAUSED, Phase.ENDING})
            assert (found.open.held is not None) is (self.kiosk.state.phase is Phase.ENDING)
            assert found.open.last.mono_ns <= self.kiosk.now().mono_ns
            assert running is not None
            assert found.open.said is not None
            said = cards.said_of(self.kiosk.state, running)
            assert dict(found.open.said.confirmed) == dict(said.confirmed)
            assert set(found.open.said.stopped_by) >= set(said.stopped_by), "a boot forgets no stop"

    @invariant()
    def cameras_are_open_only_where_they_may_be(self) -> None:
        if self.kiosk.state.phase in {Phase.PAUSED, Phase.ENDING}:
            assert not self.kiosk.any_camera_open()
        open_ = {role for role, fact in self.kiosk.state.cameras.items() if fact.open}
        life = self.kiosk.rows()[self.kiosk.life_began :]
        for role in ROLES:
            told = [row.type for row in life if row.data.get("role") == role]
            known = [one for one in told if one in {"camera.opened", "camera.closed"}]
            assert (known[-1:] == ["camera.opened"]) is (role in open_)

    @rule()
    def the_chain_holds(self) -> None:
        kept = list(self.kiosk.ledger._db.query("select body, hash from rows order by seq"))
        verified(self.kiosk.ledger.epoch, [WireRow(**row) for row in kept], 1)

    def _sessions(self) -> Iterator[tuple[str, list[Row]]]:
        found: dict[str, list[Row]] = {}
        for row in self.kiosk.rows():
            if row.session:
                found.setdefault(row.session, []).append(row)
        yield from found.items()


TestAnyHistory = AnyHistory.TestCase
TestAnyHistory.settings = settings(
    max_examples=60,
    stateful_step_count=25,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],  # a real file is written, on machines that are shared
)
