from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from device.cameras import ladder
from device.cameras.boundary import Report, WorkerState
from device.cameras.ladder import CameraState, Cause, Life, Rung

S = 1_000_000_000
OPEN = Report(
    WorkerState.OPEN, sent_ns=100 * S, order=1, device_open=True, opened_ns=90 * S, frames=99, last_frame_ns=100 * S
)
ALIVE = Life(spawned_ns=80 * S, heard_ns=100 * S, report=OPEN)


def stalled_for(seconds: float) -> Report:
    return replace(OPEN, last_frame_ns=OPEN.sent_ns - round(seconds * S))


def test_a_worker_that_speaks_and_gives_frames_is_left_alone() -> None:
    assert ladder.next_rung(ALIVE, 100 * S + S)[0] is Rung.WAIT
    assert ladder.state_of(ALIVE, wanted=True, recovering=False) is CameraState.OPEN


def test_silence_of_a_second_and_a_half_is_answered_with_a_kill() -> None:
    assert ladder.next_rung(ALIVE, 100 * S + 1_499_999_999)[0] is Rung.WAIT
    assert ladder.next_rung(ALIVE, 100 * S + 1_500_000_000) == (Rung.KILL, Cause.DEAF)


def test_a_slow_machine_has_ten_seconds_to_start_a_worker() -> None:
    newborn = Life(spawned_ns=0)
    assert ladder.next_rung(newborn, 9_999_999_999)[0] is Rung.WAIT
    assert ladder.next_rung(newborn, 10 * S) == (Rung.KILL, Cause.DEAF)


def test_a_worker_that_hung_up_has_half_a_second_to_end_and_is_killed_only_once() -> None:
    leaving = replace(ALIVE, hung_up_ns=100 * S)
    assert ladder.next_rung(leaving, 100 * S + S // 2 - 1)[0] is Rung.WAIT
    assert ladder.next_rung(leaving, 100 * S + S // 2) == (Rung.KILL, Cause.DIED)
    assert ladder.next_rung(replace(leaving, killed_ns=101 * S), 200 * S)[0] is Rung.WAIT


def test_an_open_camera_without_a_frame_for_two_seconds_is_reopened_and_after_five_more_killed() -> None:
    life = replace(ALIVE, report=stalled_for(2.0))
    assert ladder.state_of(life, wanted=True, recovering=False) is CameraState.STALLED
    assert ladder.next_rung(life, 100 * S) == (Rung.REOPEN, Cause.SILENT)
    asked = replace(life, reopen_asked_ns=100 * S, heard_ns=105 * S)
    assert ladder.next_rung(asked, 105 * S - 1)[0] is Rung.WAIT
    assert ladder.next_rung(asked, 105 * S) == (Rung.KILL, Cause.SILENT)
    assert ladder.next_rung(replace(ALIVE, report=stalled_for(1.9)), 100 * S)[0] is Rung.WAIT


def test_a_source_that_took_long_to_reopen_has_its_five_seconds_from_then() -> None:
    reopened = replace(stalled_for(5.0), opened_ns=103 * S, sent_ns=107 * S)
    life = replace(ALIVE, report=reopened, reopen_asked_ns=100 * S, heard_ns=107 * S)
    assert ladder.next_rung(life, 107 * S)[0] is Rung.WAIT
    assert ladder.next_rung(replace(life, heard_ns=108 * S), 108 * S) == (Rung.KILL, Cause.SILENT)


def test_a_frame_answers_a_reopening_and_the_next_silence_begins_anew() -> None:
    back = replace(OPEN, last_frame_ns=101 * S, sent_ns=101 * S)
    life = replace(ALIVE, report=back, reopen_asked_ns=100 * S, heard_ns=109 * S)
    assert ladder.next_rung(life, 109 * S)[0] is Rung.WAIT
    again = replace(life, report=replace(back, sent_ns=103 * S))
    assert ladder.next_rung(again, 109 * S) == (Rung.REOPEN, Cause.SILENT)


@pytest.mark.parametrize("state", [WorkerState.MISSING, WorkerState.FAILED])
def test_a_reopened_source_that_turns_out_to_be_gone_kills_nobody(state: WorkerState) -> None:
    life = replace(ALIVE, report=replace(stalled_for(3.0), state=state), reopen_asked_ns=90 * S)
    assert ladder.next_rung(life, 101 * S)[0] is Rung.WAIT


def test_a_camera_just_opened_has_two_seconds_for_its_first_frame() -> None:
    fresh = replace(OPEN, opened_ns=99 * S, frames=0, last_frame_ns=None)
    assert not ladder.is_stalled(fresh)
    assert ladder.is_stalled(replace(fresh, sent_ns=101 * S))


def test_a_busy_agent_that_reads_late_does_not_call_the_camera_stalled() -> None:
    late = replace(ALIVE, heard_ns=130 * S)
    assert ladder.next_rung(late, 130 * S)[0] is Rung.WAIT
    assert ladder.state_of(late, wanted=True, recovering=False) is CameraState.OPEN


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
    assert ladder.state_of(life, wanted=wanted, recovering=False) is shown


def test_after_a_death_the_camera_is_restarting_until_a_frame_comes() -> None:
    blank = replace(ALIVE, report=replace(OPEN, frames=0, last_frame_ns=None, sent_ns=91 * S))
    opening = replace(ALIVE, report=replace(OPEN, state=WorkerState.OPENING, opened_ns=None))
    for life in (None, Life(0), replace(ALIVE, killed_ns=1), blank, opening):
        assert ladder.state_of(life, wanted=True, recovering=True) is CameraState.RESTARTING
    for life in (None, Life(0), blank, opening):
        assert ladder.state_of(life, wanted=True, recovering=False) is CameraState.OPENING
    assert ladder.state_of(None, wanted=False, recovering=False) is CameraState.CLOSED


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


@given(
    deaths=st.lists(st.tuples(st.integers(0, 30 * S), st.integers(0, 1), st.booleans()), max_size=30),
)
def test_only_workers_that_gave_no_frame_though_one_was_wanted_make_pauses_grow(
    deaths: list[tuple[int, int, bool]],
) -> None:
    row: tuple[int, ...] = ()
    now_ns, failed, count = 0, False, 0
    for lived_ns, frames, wanted in deaths:
        now_ns += lived_ns
        life = Life(now_ns - lived_ns, report=replace(OPEN, frames=frames))
        row = ladder.fruitless(row, life, now_ns, wanted=wanted)
        failed = ladder.has_failed(row, already=failed)
        count = 0 if frames else count + wanted
        assert len(row) == min(count, ladder.FAILED_AFTER)
        if frames:
            assert not failed
            assert ladder.pause_s(len(row), failed=failed) == 0
        if failed:
            assert count >= ladder.FAILED_AFTER
            assert ladder.pause_s(len(row), failed=failed) == 30


def test_a_worker_that_was_never_heard_counts_as_fruitless_if_a_frame_was_wanted() -> None:
    assert ladder.fruitless((), Life(0), 5, wanted=True) == (5,)
    assert ladder.fruitless((), Life(0), 5, wanted=False) == ()


def test_five_fruitless_workers_within_a_minute_make_a_failed_camera_and_a_frame_ends_that() -> None:
    quick, slow = (*range(0, 60 * S, 15 * S), 60 * S), tuple(range(0, 100 * S, 20 * S))
    assert ladder.has_failed(quick, already=False)
    assert not ladder.has_failed(quick[:4], already=False)
    assert not ladder.has_failed(slow, already=False)
    assert ladder.has_failed(slow, already=True)
    assert not ladder.has_failed((), already=True)
    assert ladder.state_of(None, wanted=True, recovering=True, failed=True) is CameraState.FAILED
    assert ladder.state_of(None, wanted=False, recovering=True, failed=True) is CameraState.RESTARTING


def test_the_pauses_are_those_of_the_ladder() -> None:
    assert [ladder.pause_s(count, failed=False) for count in range(6)] == [0, 0, 1, 2, 4, 8]
    assert ladder.pause_s(1, failed=True) == 30


@given(
    silent_ns=st.integers(0, 20 * S),
    spoke=st.booleans(),
    killed=st.booleans(),
)
def test_nobody_is_killed_twice_or_while_speaking(silent_ns: int, spoke: bool, killed: bool) -> None:
    life = Life(0, heard_ns=0 if spoke else None, report=OPEN if spoke else None, killed_ns=0 if killed else None)
    is_killed = ladder.next_rung(life, silent_ns)[0] is Rung.KILL
    limit_ns = ladder.DEAF_AFTER_NS if spoke else ladder.START_GRACE_NS
    assert is_killed == (not killed and silent_ns >= limit_ns)
