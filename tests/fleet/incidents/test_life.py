"""An incident's life as a pure function of what is seen: opening, resolving, coming again, flapping, closing."""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fleet.incidents import (
    FLAP_HOLD,
    REOPENS_WITHIN,
    REPORT_LASTS,
    SAID_AGAIN_AFTER,
    Event,
    Fact,
    Incident,
    Key,
    Place,
    Sight,
    State,
    What,
    acknowledged,
    look,
    resolved,
    suppressed,
    tried,
)
from fleet.own_signals import HELP_ADULT
from wire.signals import Severity

BEGAN = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
COVERED: Key = ("camera.covered", "overhead")
WRONG = Fact(Severity.ATTENTION, {"dark_share": 0.99})
GONE = Sight.CLEAR


@dataclass
class Life:
    """One signal's incidents, with a clock."""

    key: Key = COVERED
    now: datetime = BEGAN
    incident: Incident | None = None
    events: list[Event] = field(default_factory=list)
    made: int = 0

    def see(self, seen: Fact | Sight, after: timedelta = timedelta(0)) -> Incident:
        self.step(seen, after)
        assert self.incident is not None
        return self.incident

    def step(self, seen: Fact | Sight, after: timedelta = timedelta(0)) -> None:
        """A look as the watch takes it: what is a week old is closed before something new can open."""
        self.now += after
        if isinstance(seen, Fact) and self.incident is not None and self.incident.state is State.RESOLVED:
            self._look(Sight.UNKNOWN)
        self._look(seen)

    def _look(self, seen: Fact | Sight) -> None:
        if self.incident is not None and self.incident.state is State.CLOSED:
            self.incident = None
        before = self.incident
        place = Place(f"i-{self.made}", "lincoln-12", "lincoln")
        self.incident, events = look(before, self.key, seen, place, self.now)
        self.made += before is None and self.incident is not None
        self.events += events

    @property
    def told(self) -> list[What]:
        return [event.what for event in self.events]


def test_it_opens_with_its_evidence_and_resolves_when_the_signal_clears() -> None:
    life = Life()
    opened = life.see(WRONG)
    assert (opened.state, opened.evidence, opened.opened_at) == (State.OPEN, WRONG.evidence, BEGAN)
    over = life.see(GONE, timedelta(minutes=3))
    assert (over.state, over.resolved_at) == (State.RESOLVED, BEGAN + timedelta(minutes=3))
    assert life.told == [What.OPENED, What.RESOLVED]


def test_what_is_only_good_to_know_opens_nothing_and_keeps_nothing_open() -> None:
    life = Life()
    incident, events = look(None, COVERED, Fact(Severity.INFO), Place("i", "k-1", "c-1"), BEGAN)
    assert (incident, events) == (None, ())
    life.see(WRONG)
    assert life.see(Fact(Severity.INFO), timedelta(minutes=1)).state is State.RESOLVED


def test_what_is_not_known_changes_nothing() -> None:
    life = Life()
    opened = life.see(WRONG)
    assert life.see(Sight.UNKNOWN, timedelta(days=30)) == opened
    assert life.told == [What.OPENED]


def test_within_seven_days_it_is_the_same_one_and_later_another() -> None:
    life = Life()
    first = life.see(WRONG)
    life.see(GONE, timedelta(hours=1))
    again = life.see(WRONG, REOPENS_WITHIN - timedelta(seconds=1))
    assert (again.id, again.opening, again.opened_at) == (first.id, 2, BEGAN)
    assert again.turned_at == life.now
    life.see(GONE, timedelta(hours=1))
    other = life.see(WRONG, REOPENS_WITHIN)
    assert (other.id, other.opening) == ("i-1", 1)
    assert life.told == [
        What.OPENED, What.RESOLVED, What.REOPENED, What.RESOLVED, What.CLOSED, What.OPENED,
    ]  # fmt: skip


def test_whoever_acknowledged_the_last_time_has_not_this_time() -> None:
    life = Life()
    life.incident, _ = acknowledged(life.see(WRONG), "ida", life.now)
    assert life.incident is not None
    assert life.incident.acknowledged_by == "ida"
    assert acknowledged(life.incident, "max", life.now) == (life.incident, ())
    life.see(GONE, timedelta(hours=1))
    assert life.see(WRONG, timedelta(hours=1)).acknowledged_by is None


def test_three_openings_in_half_an_hour_flap_and_are_held_until_it_was_quiet() -> None:
    life = Life()
    for _ in range(2):
        life.see(WRONG, timedelta(minutes=2))
        life.see(GONE, timedelta(minutes=2))
    held = life.see(WRONG, timedelta(minutes=2))
    assert held.flapping
    for _ in range(5):
        assert life.see(GONE, timedelta(minutes=4)).state is State.OPEN
        assert life.see(WRONG, timedelta(minutes=4)).state is State.OPEN
    assert life.incident is not None
    assert (life.incident.flaps, life.incident.opening) == (5, 3)
    life.see(GONE)
    assert life.see(GONE, FLAP_HOLD - timedelta(seconds=1)).state is State.OPEN
    settled = life.see(GONE, timedelta(seconds=1))
    assert (settled.state, settled.flapping) == (State.RESOLVED, False)
    assert life.told[-2:] == [What.SETTLED, What.RESOLVED]


def test_openings_far_apart_do_not_flap() -> None:
    life = Life()
    for _ in range(6):
        life.see(WRONG, timedelta(minutes=12))
        assert life.see(GONE, timedelta(minutes=12)).state is State.RESOLVED


def test_it_may_get_worse_and_better_and_keeps_what_it_showed() -> None:
    life = Life()
    life.see(WRONG)
    worse = life.see(Fact(Severity.BLOCKED, {"clearing": True}), timedelta(seconds=2))
    assert (worse.severity, worse.evidence) == (Severity.BLOCKED, WRONG.evidence)
    assert life.see(WRONG).severity is Severity.ATTENTION
    assert life.told == [What.OPENED, What.WORSENED, What.EASED]


def test_what_the_kiosk_tried_is_told_once_each() -> None:
    life = Life()
    one, first = tried(life.see(WRONG), "reopen (silent)", BEGAN)
    assert one is not None
    assert [event.what for event in first] == [What.REMEDY]
    assert tried(one, "reopen (silent)", BEGAN) == (one, ())


def test_a_call_for_help_is_over_when_a_person_says_so_or_after_a_day() -> None:
    life = Life((HELP_ADULT, None))
    called = Fact(Severity.ATTENTION, said_by="kiosk")
    life.see(called)
    assert life.see(GONE, timedelta(hours=1)).state is State.OPEN
    over, events = resolved(life.see(GONE), life.now, "ida")
    assert over is not None
    assert (over.state, events[0].who) == (State.RESOLVED, "ida")
    assert life.see(GONE, REPORT_LASTS).state is State.RESOLVED


def test_a_second_call_counts_after_two_minutes_and_asks_anew() -> None:
    life = Life((HELP_ADULT, None))
    called = Fact(Severity.ATTENTION, said_by="kiosk")
    life.incident, _ = acknowledged(life.see(called), "ida", life.now)
    assert life.see(called, SAID_AGAIN_AFTER - timedelta(seconds=1)).opening == 1
    again = life.see(called, timedelta(seconds=1))
    assert (again.opening, again.acknowledged_by) == (2, None)


def test_suppression_has_an_end_and_may_be_ended() -> None:
    opened = Life().see(WRONG)
    quiet, _ = suppressed(opened, BEGAN + timedelta(hours=2), "being painted", "ida", BEGAN)
    assert quiet is not None
    assert quiet.is_suppressed(BEGAN + timedelta(hours=1, minutes=59))
    assert not quiet.is_suppressed(BEGAN + timedelta(hours=2))
    loud, events = suppressed(quiet, BEGAN, "done", "max", BEGAN + timedelta(hours=1))
    assert loud is not None
    assert not loud.is_suppressed(BEGAN + timedelta(hours=1))
    assert [event.what for event in events] == [What.UNSUPPRESSED]


SEEN = st.one_of(
    st.sampled_from([Sight.CLEAR, Sight.UNKNOWN]),
    st.builds(Fact, st.sampled_from(Severity), st.just({"n": 1}), st.sampled_from([None, "kiosk"])),
)
STEPS = st.lists(
    st.tuples(
        SEEN, st.sampled_from([0, 1, 30, 119, 120, 601, 1_801, 90_000, 604_800]).map(lambda s: timedelta(seconds=s))
    ),
    max_size=40,
)


@given(STEPS, st.sampled_from([COVERED, (HELP_ADULT, None)]))
def test_any_history_is_told_whole(steps: list[tuple[Fact | Sight, timedelta]], key: Key) -> None:
    """The state follows from the timeline, ids are used once, and nothing is resolved that was not open."""
    life = Life(key)
    for seen, after in steps:
        life.step(seen, after)
    state = None
    for event in life.events:
        if event.what in {What.OPENED, What.REOPENED}:
            assert state in ({None, State.CLOSED} if event.what is What.OPENED else {State.RESOLVED})
            state = State.OPEN
        elif event.what is What.CLOSED:
            assert state is State.RESOLVED
            state = State.CLOSED
        else:
            assert state is State.OPEN
            state = State.RESOLVED if event.what is What.RESOLVED else state
    assert (life.incident.state if life.incident else state) == state
    assert life.told.count(What.OPENED) == life.made
    assert life.events == sorted(life.events, key=lambda event: event.at)
    if life.incident is not None and life.incident.state is State.OPEN:
        assert life.incident.resolved_at is None
        assert life.incident.severity is not Severity.INFO


@pytest.mark.parametrize("key", [COVERED, (HELP_ADULT, None)])
@given(steps=STEPS)
def test_a_look_that_finds_the_same_again_says_nothing(key: Key, steps: list[tuple[Fact | Sight, timedelta]]) -> None:
    life = Life(key)
    life.see(WRONG if key == COVERED else Fact(Severity.ATTENTION, said_by="kiosk"))
    for seen, after in steps:
        life.step(seen, after)
        count = len(life.events)
        life.step(seen)
        assert len(life.events) == count
