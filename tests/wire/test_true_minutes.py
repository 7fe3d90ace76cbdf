"""Minutes against the truth: the real session machine writes the rows, beside a stopwatch that knows the true time.

Whatever happens to session, link, power, clock and cameras, in whatever order the fleet gets the rows: the split adds
up exactly, each figure is true to a millisecond, and what no clock could know has bounds with the truth between them.
"""

import json
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from device.errors import Refused
from device.session import limits, whys
from device.session import states as s
from device.session.states import ROLES, CameraFact
from fleet.store import sessions
from tests.device.session.kiosk import MINUTE, booking
from tests.fleet import world
from tests.wire.against_truth import compare
from tests.wire.stopwatch import Watched
from wire.ledger import ClockTrust, Row, distinct, row_of
from wire.messages import WireRow
from wire.minutes import Minutes, Until, fold

NINE: Final = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
NIGHTS: Final = (
    NINE,
    datetime(2026, 3, 8, 7, 50, tzinfo=UTC),  # 1:50 in Chicago, ten minutes before there is no 2:00
    datetime(2026, 11, 1, 6, 50, tzinfo=UTC),  # 1:50, and soon 1:50 again
    datetime(2026, 6, 30, 23, 55, tzinfo=UTC),
    datetime(2026, 7, 1, 4, 55, tzinfo=UTC),  # midnight in Chicago
)
SECONDS: Final = st.sampled_from([0.001, 0.0123456, 0.2, 1, 2.5, 4, 6, 9.99, 30, 100, 125]) | st.floats(0.001, 200)
OFF_S: Final = st.sampled_from([1.0, 25.0, 60.0, 300.0, 590.0, 598.5, 700.0, 4_000.0, 200_000.0]) | st.floats(1, 900)
SHORT_S: Final = st.floats(1, 400)
BEHIND: Final = st.sampled_from([0.0, 1.5, 45.0, 600.0, 86_400.0]) | st.floats(0, 1_000)
STEPS: Final = st.timedeltas(timedelta(days=-15_000), timedelta(days=15_000))


def bookings(at: datetime) -> list[Any]:
    """Back to back, overlapping, with one camera, with none."""
    slots = [(0, 20, 2), (10, 20, 1), (25, 30, 2), (40, 5, 0), (60, 45, 2), (1_440, 30, 2)]
    return [
        booking(f"b-{number:04}", at + minute * MINUTE, length, needs=["overhead", "front"][:needs])
        for number, (minute, length, needs) in enumerate(slots)
    ]


class TrueMinutes(RuleBasedStateMachine):
    """A kiosk, a stopwatch and a fleet."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp(prefix="carrel-"))
        self.open = ExitStack()
        self.open.callback(shutil.rmtree, self.folder)
        self.kiosk = Watched(self.folder, NINE, "UTC")
        self.open.callback(lambda: self.kiosk.close())  # noqa: PLW0108  # the one that there is then
        self.fleet = self.open.enter_context(world.running_fleet(self.folder))
        self.wire = world.Kiosk(epoch=self.kiosk.ledger.epoch)
        self.arrived: set[int] = set()

    @initialize(
        at=st.sampled_from(NIGHTS), warm_up_s=st.sampled_from([0.0, 1.2, 7.0]), trust=st.sampled_from(ClockTrust),
        behind_s=BEHIND, booked=st.booleans(), up=st.booleans(), idle=st.sampled_from(["closed", "watch"]),
    )  # fmt: skip
    def comes_up(
        self, at: datetime, warm_up_s: float, trust: ClockTrust, behind_s: float, *, booked: bool, up: bool, idle: str
    ) -> None:
        self.kiosk.close()
        self.kiosk = Watched(self.folder, at, "America/Chicago")
        self.kiosk.warm_up_s, self.kiosk.idle = warm_up_s, idle
        self.kiosk.sets(trust, timedelta(seconds=behind_s))
        self.kiosk.up()
        if booked:
            self.kiosk.hold_schedule(*bookings(at))
        if up:
            self.kiosk.restore_link()

    def teardown(self) -> None:
        try:
            self._everything_arrives()
        finally:
            self.open.close()

    @property
    def then(self) -> Watched:
        """The kiosk a little later: nothing happens twice in one nanosecond."""
        self.kiosk.wait(seconds=0.001)
        return self.kiosk

    # People

    @rule(by=st.sampled_from(["button", "screen"]), seconds=SECONDS)
    def press(self, by: str, seconds: float) -> None:
        self.then.press(by)
        self.kiosk.wait(seconds=seconds)

    @precondition(lambda self: self.kiosk.state.session is None)
    @rule()
    def a_session_gets_going(self) -> None:
        """What most of this is about, too rare by itself."""
        for _ in range(2):
            if self.kiosk.state.session is None:
                self.then.press()
        self.kiosk.wait(seconds=20)

    @rule(seconds=st.sampled_from([2.0, 6.0, 10.0, 15.0]), after_s=st.sampled_from([0.5, 4.0, 15.0]))
    def hold(self, seconds: float, after_s: float) -> None:
        self.then.hold(seconds)
        self.kiosk.wait(seconds=after_s)

    @rule()
    def hold_on_screen(self) -> None:
        self.then.hold_on_screen()

    @rule(name=st.sampled_from(["extend", "still-here", "reason", "not-this-student"]))
    def somebody_asks(self, name: str) -> None:
        try:
            self.then.ask(name, {"extend": "10", "reason": whys.REASONS[0]}.get(name, ""))
        except Refused:
            assert self.kiosk.state.session is None

    @rule(joins=st.booleans())
    def the_therapist(self, *, joins: bool) -> None:
        type_ = "therapist.joined" if joins else "therapist.left"
        self.then.tell(s.Noted(type_, {}, only_in_session=True))

    # The world

    @rule(seconds=SECONDS)
    def seconds_pass(self, seconds: float) -> None:
        self.then.wait(seconds=seconds)

    @rule(minutes=st.sampled_from([3, 9.9, 16, 61, 1_441]))
    def minutes_pass(self, minutes: float) -> None:
        self.then.wait(minutes=minutes)

    @rule(up=st.booleans())
    def the_link_changes(self, *, up: bool) -> None:
        if up:
            self.then.restore_link()
        else:
            self.then.cut_link()

    @rule(role=st.sampled_from(ROLES), works=st.booleans())
    def a_camera_changes(self, role: str, *, works: bool) -> None:
        if works:
            self.then.camera_back(role)
        else:
            self.then.camera_lost(role)

    @rule()
    def both_cameras_fail(self) -> None:
        for role in ROLES:
            self.then.camera_lost(role)

    @rule(roles=st.sampled_from([ROLES[:1], ROLES[1:], ROLES, ROLES]), then_pauses=st.booleans())
    def cameras_fall_silent(self, roles: tuple[str, ...], *, then_pauses: bool) -> None:
        """They stay open and give nothing, until they are closed on purpose maybe."""
        for role in roles:
            if self.then.state.cameras[role].giving:
                self.kiosk.tell(s.CameraChanged(role, CameraFact(open=True), "silent"))
        self.kiosk.wait(seconds=7)
        if then_pauses:
            for _ in range(2):
                self.kiosk.press()
                self.kiosk.wait(seconds=7)

    @rule(numbers=st.lists(st.sampled_from([10, 11]), unique=True))
    def cards_are_laid_down(self, numbers: list[int]) -> None:
        self.then.lay(*sorted(numbers))

    # Clock and power

    @rule(trust=st.sampled_from(ClockTrust), behind_s=BEHIND)
    def the_clock_is_set(self, trust: ClockTrust, behind_s: float) -> None:
        """By a time source, by hand, or not any more."""
        self.then.is_told_the_time(trust, timedelta(seconds=behind_s))

    @rule(by=STEPS, seconds=SECONDS)
    def the_clock_jumps_and_is_put_right(self, by: timedelta, seconds: float) -> None:
        if self.kiosk.trust is not ClockTrust.UNSET:
            self.then.jumps_and_is_put_right(by, seconds)

    @rule(seconds=OFF_S, trust=st.sampled_from(ClockTrust), saved_s=st.sampled_from([0.0, 0.5, 30.0]))
    def power_is_cut(self, seconds: float, trust: ClockTrust, saved_s: float) -> None:
        """A held clock stood still meanwhile, or was even kept a little before the cut."""
        self.then.power_off()
        self._off(seconds, trust, saved_s)
        self.kiosk.up()

    @precondition(lambda self: self.kiosk.state.session is not None)
    @rule(
        cuts=st.lists(st.tuples(SHORT_S, st.sampled_from(ClockTrust), SECONDS), min_size=1, max_size=3),
        saved_s=st.sampled_from([0.0, 30.0]),
        told=st.booleans(),
        gone=st.booleans(),
    )
    def a_bad_hour(
        self, cuts: list[tuple[float, ClockTrust, float]], saved_s: float, *, told: bool, gone: bool
    ) -> None:
        """Short cuts, after which the session goes on by a clock that stood still; the time may be told in the end.

        Or the power is gone for good before the last boot wrote anything else.
        """
        for number, (seconds, trust, on_s) in enumerate(cuts, 1):
            self.then.power_off()
            self._off(seconds, ClockTrust.HELD if trust is ClockTrust.UNSET else trust, saved_s)
            self.kiosk.up()
            if not gone or number < len(cuts):
                self.kiosk.wait(seconds=on_s)
        if gone:
            self.kiosk.power_off()
            self._off(4_000, ClockTrust.HELD if told else ClockTrust.UNSET, saved_s)
            self.kiosk.up()
        elif told:
            self.then.is_told_the_time(ClockTrust.SYNCED, timedelta(0))

    @rule(seconds=OFF_S, trust=st.sampled_from(ClockTrust))
    def power_is_cut_beside_a_clock_that_runs_on(self, seconds: float, trust: ClockTrust) -> None:
        self.then.power_off()
        self.kiosk.stall(seconds)
        self.kiosk.sets(trust, self.kiosk.behind)
        self.kiosk.up()

    @rule(
        seconds=OFF_S, boot_s=st.sampled_from([5.0, 89.0, 95.0]), trust=st.sampled_from(ClockTrust), again=st.booleans()
    )
    def a_press_while_it_boots(self, seconds: float, boot_s: float, trust: ClockTrust, *, again: bool) -> None:
        """And maybe the power goes once more before a row was written."""
        for _ in range(1 + again):
            self.then.power_off()
            self._off(seconds, trust, 0.0)
            self.kiosk.begin_boot()
            self.kiosk.press()
            pressed_s = self.kiosk.truth_s - 0.03
            self.kiosk.wait(seconds=boot_s)
        running, asked = self.kiosk.ledger.last_session(), len(self.kiosk.rows("session.started"))
        self.kiosk.finish_boot()
        if self.kiosk.truth_s - pressed_s > limits.BOOT_PRESS_NS / 1e9:
            assert len(self.kiosk.rows("session.started")) == asked, f"that press was too long ago, after {running}"

    @rule(seconds=st.sampled_from([0.5, 3.0, 30.0]))
    def the_agent_is_killed(self, seconds: float) -> None:
        self.then.restart_agent(seconds)

    def _off(self, seconds: float, trust: ClockTrust, saved_s: float) -> None:
        self.kiosk.stall(seconds)
        self.kiosk.sets(trust, self.kiosk.behind + timedelta(seconds=seconds + saved_s))

    # The fleet

    @rule(pieces=st.lists(st.tuples(st.integers(1, 500), st.integers(1, 30)), min_size=1, max_size=4))
    def some_rows_arrive(self, pieces: list[tuple[int, int]]) -> None:
        """In any order, some twice, with holes between."""
        self._rows_of_the_wire()
        for number, length in pieces:
            first = 1 + number % self.wire.head
            self._arrive(first, min(first + length, self.wire.head))
        self._the_fleet_says_the_same()

    @rule()
    def the_newest_rows_arrive(self) -> None:
        """Live rows go first; what is older is a hole until then."""
        self._rows_of_the_wire()
        self._arrive(max(1, self.wire.head - 10), self.wire.head)
        self._the_fleet_says_the_same()

    def _everything_arrives(self) -> None:
        """Whatever was still missing, last things first, and then all of it once more."""
        self._rows_of_the_wire()
        for first in [*range(1, self.wire.head + 1, 40)][::-1]:
            self._arrive(first, min(first + 60, self.wire.head))
        self._the_fleet_says_the_same()
        for session, rows in self._sessions(self.kiosk.rows()):
            with self.fleet.database.read() as connection:
                line = sessions.one(connection, session)
            assert line is not None
            assert Minutes.model_validate_json(line.minutes) == fold(rows).minutes
            assert line.complete is (self.kiosk.truths[session].over is not None)

    def _rows_of_the_wire(self) -> None:
        query = "select body, hash from rows where seq > ? order by seq"
        found = self.kiosk.ledger._db.query(query, [self.wire.head])
        self.wire.rows += [WireRow(**row) for row in found]
        self.wire.epoch = self.kiosk.ledger.epoch

    def _arrive(self, first: int, last: int) -> None:
        self.fleet.take(self.wire.sends(first, last))
        self.arrived |= set(range(first, last + 1))

    def _the_fleet_says_the_same(self) -> None:
        """As the kiosk would of just these rows; and that it is not all, where something is missing."""
        self.fleet.settle()
        through = next(seq for seq in range(self.wire.head + 2) if seq + 1 not in self.arrived)
        here = [row_of(self.wire.rows[seq - 1].body) for seq in sorted(self.arrived)]
        for session, rows in self._sessions(here):
            with self.fleet.database.read() as connection:
                line = sessions.one(connection, session)
            assert line is not None
            own = fold(distinct(rows))
            assert (line.state, Minutes.model_validate_json(line.minutes)) == (own.state, own.minutes)
            assert line.timeline == json.dumps([json.loads(one.model_dump_json()) for one in own.spans]).replace(
                " ", ""
            )
            behind_a_hole = any(row.seq > through for row in rows)
            assert line.complete is (own.state in sessions.OVER and not behind_a_hole)

    def _sessions(self, rows: list[Row]) -> Iterator[tuple[str, list[Row]]]:
        found: dict[str, list[Row]] = {}
        for row in rows:
            if row.session:
                found.setdefault(row.session, []).append(row)
        yield from found.items()

    # The minutes

    @invariant()
    def the_minutes_are_true(self) -> None:
        self.kiosk.time_is()
        now = self.kiosk.now()
        told = dict(self._sessions(self.kiosk.rows()))
        assert told.keys() == self.kiosk.truths.keys()
        for session, rows in told.items():
            compare(self.kiosk.truths[session], fold(rows, Until(now.boot, now.mono_ns)))


TestTrueMinutes = TrueMinutes.TestCase
TestTrueMinutes.settings = settings(
    max_examples=40,
    stateful_step_count=30,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],  # real files are written, on machines that are shared
)
