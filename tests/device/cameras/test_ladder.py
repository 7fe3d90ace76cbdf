from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from device.cameras import ladder
from device.cameras.boundary import Report, WorkerState
from device.cameras.ladder import CameraState, Life, Rung

S = 1_000_000_000
OPEN = Report(
    WorkerState.OPEN, sent_ns=100 * S, order=1, device_open=True, opened_ns=90 * S, frames=99, last_frame_ns=100 * S
)
ALIVE = Life(spawned_ns=80 * S, heard_ns=100 * S, report=OPEN)


def stalled_for(seconds: float) -> Report:
    return replace(OPEN, last_frame_ns=OPEN.sent_ns - round(seconds * S))


def test_a_worker_that_speaks_and_gives_frames_is_left_alone() -> None:
    assert ladder.next_rung(ALIVE, 100 * S + S) is Rung.WAIT
    assert ladder.state_of(ALIVE, wanted=True, first=True) is CameraState.OPEN


def test_silence_of_a_second_and_a_half_is_answered_with_a_kill() -> None:
    assert ladder.next_rung(ALIVE, 100 * S + 1_499_999_999) is Rung.WAIT
    assert ladder.next_rung(ALIVE, 100 * S + 1_500_000_000) is Rung.KILL


def test_a_slow_machine_has_ten_seconds_to_start_a_worker() -> None:
    newborn = Life(spawned_ns=0)
    assert ladder.next_rung(newborn, 9_999_999_999) is Rung.WAIT
    assert ladder.next_rung(newborn, 10 * S) is Rung.KILL


def test_a_worker_that_hung_up_has_half_a_second_to_end_and_is_killed_only_once() -> None:
    leaving = replace(ALIVE, hung_up_ns=100 * S)
    assert ladder.next_rung(leaving, 100 * S + S // 2 - 1) is Rung.WAIT
    assert ladder.next_rung(leaving, 100 * S + S // 2) is Rung.KILL
    assert ladder.next_rung(replace(leaving, killed_ns=101 * S), 200 * S) is Rung.WAIT


def test_an_open_camera_without_a_frame_for_two_seconds_is_stalled_and_reopened_every_three() -> None:
    life = replace(ALIVE, report=stalled_for(2.0))
    assert ladder.state_of(life, wanted=True, first=True) is CameraState.STALLED
    assert ladder.next_rung(life, 100 * S) is Rung.REOPEN
    asked = replace(life, reopen_asked_ns=100 * S, heard_ns=103 * S)
    assert ladder.next_rung(asked, 103 * S - 1) is Rung.WAIT
    assert ladder.next_rung(asked, 103 * S) is Rung.REOPEN
    assert ladder.next_rung(replace(ALIVE, report=stalled_for(1.9)), 100 * S) is Rung.WAIT


def test_a_camera_just_opened_has_two_seconds_for_its_first_frame() -> None:
    fresh = replace(OPEN, opened_ns=99 * S, frames=0, last_frame_ns=None)
    assert not ladder.is_stalled(fresh)
    assert ladder.is_stalled(replace(fresh, sent_ns=101 * S))


def test_a_busy_agent_that_reads_late_does_not_call_the_camera_stalled() -> None:
    late = replace(ALIVE, heard_ns=130 * S)
    assert ladder.next_rung(late, 130 * S) is Rung.WAIT
    assert ladder.state_of(late, wanted=True, first=True) is CameraState.OPEN


@pytest.mark.parametrize("state", [WorkerState.CLOSED, WorkerState.OPENING, WorkerState.MISSING, WorkerState.FAILED])
def test_a_camera_that_is_not_open_cannot_be_stalled(state: WorkerState) -> None:
    assert not ladder.is_stalled(replace(stalled_for(50), state=state))


@pytest.mark.parametrize(
    ("said", "wanted", "shown"),
    [
        (WorkerState.CLOSED, False, CameraState.CLOSED),
        (WorkerState.CLOSED, True, CameraState.OPENING),
        (WorkerState.OPENING, True, CameraState.OPENING),
        (WorkerState.OPEN, False, CameraState.OPEN),
        (WorkerState.MISSING, True, CameraState.MISSING),
        (WorkerState.FAILED, True, CameraState.MISSING),
    ],
)
def test_the_words_of_a_worker_become_the_kiosks(said: WorkerState, wanted: bool, shown: CameraState) -> None:
    life = replace(ALIVE, report=replace(OPEN, state=said))
    assert ladder.state_of(life, wanted=wanted, first=False) is shown


def test_between_two_workers_the_camera_is_restarting_but_not_before_the_first() -> None:
    assert ladder.state_of(None, wanted=True, first=False) is CameraState.RESTARTING
    assert ladder.state_of(Life(0), wanted=True, first=False) is CameraState.RESTARTING
    assert ladder.state_of(replace(ALIVE, killed_ns=1), wanted=True, first=True) is CameraState.RESTARTING
    assert ladder.state_of(Life(0), wanted=True, first=True) is CameraState.OPENING
    assert ladder.state_of(None, wanted=False, first=True) is CameraState.CLOSED


def test_what_is_not_known_of_a_device_counts_as_open() -> None:
    closed = replace(OPEN, state=WorkerState.CLOSED, device_open=False, order=2)
    never_told = replace(ALIVE, report=None)
    assert not ladder.may_be_open(None, last_order=3)
    assert not ladder.may_be_open(never_told, last_order=0)
    assert ladder.may_be_open(never_told, last_order=1)
    assert not ladder.may_be_open(replace(ALIVE, report=closed), last_order=2)
    # The word "closed" is older than the order to open.
    assert ladder.may_be_open(replace(ALIVE, report=closed), last_order=3)
    # Killed is not yet dead.
    assert ladder.may_be_open(replace(ALIVE, killed_ns=1), last_order=1)


@given(deaths=st.lists(st.tuples(st.integers(0, 60 * S), st.integers(0, 3)), max_size=30))
def test_pauses_grow_only_over_deaths_that_are_young_and_without_a_frame(deaths: list[tuple[int, int]]) -> None:
    young, pause_s = 0, 0.0
    for lived_ns, frames in deaths:
        young = ladder.young_deaths(young, lived_ns, frames)
        before_s, pause_s = pause_s, ladder.pause_s(young)
        assert 0 <= pause_s <= 15
        if frames or lived_ns >= 10 * S:
            assert pause_s == 0
        else:
            assert pause_s >= before_s


def test_the_pauses_are_those_of_the_ladder() -> None:
    assert [ladder.pause_s(young) for young in range(9)] == [0, 0, 1, 2, 4, 8, 15, 15, 15]


@given(
    silent_ns=st.integers(0, 20 * S),
    spoke=st.booleans(),
    killed=st.booleans(),
)
def test_nobody_is_killed_twice_or_while_speaking(silent_ns: int, spoke: bool, killed: bool) -> None:
    life = Life(0, heard_ns=0 if spoke else None, report=OPEN if spoke else None, killed_ns=0 if killed else None)
    is_killed = ladder.next_rung(life, silent_ns) is Rung.KILL
    limit_ns = ladder.DEAF_AFTER_NS if spoke else ladder.START_GRACE_NS
    assert is_killed == (not killed and silent_ns >= limit_ns)
