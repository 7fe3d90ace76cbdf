from hypothesis import given
from hypothesis import strategies as st

from device.cameras.pace import Pace


class Clock:
    """Time that passes only by sleeping or by being pushed."""

    def __init__(self) -> None:
        self.now_ns = 1_000

    def __call__(self) -> int:
        return self.now_ns

    def sleep(self, seconds: float) -> None:
        assert seconds > 0
        self.now_ns += round(seconds * 1e9)


def test_a_reader_in_time_gets_every_beat() -> None:
    clock = Clock()
    pace = Pace(25, clock, clock.sleep)
    assert [pace.next(1.0) for _ in range(5)] == [0, 1, 2, 3, 4]
    assert clock.now_ns - 1_000 == 4 * 40_000_000


def test_a_late_reader_misses_beats_and_the_clock_does_not_slow() -> None:
    clock = Clock()
    pace = Pace(10, clock, clock.sleep)
    assert pace.next(1.0) == 0
    clock.sleep(0.75)
    assert pace.next(1.0) == 7
    assert pace.next(1.0) == 8


def test_a_beat_that_is_not_due_in_time_is_waited_for_only_so_long() -> None:
    clock = Clock()
    pace = Pace(1, clock, clock.sleep)
    assert pace.next(0.25) == 0
    assert [pace.next(0.25) for _ in range(4)] == [None, None, None, 1]
    assert clock.now_ns - 1_000 == 1_000_000_000


@given(fps=st.floats(0.5, 240), naps_s=st.lists(st.floats(0, 3), min_size=1, max_size=40))
def test_beats_only_ever_rise_and_are_never_early(fps: float, naps_s: list[float]) -> None:
    clock = Clock()
    pace = Pace(fps, clock, clock.sleep)
    last = -1
    for nap_s in naps_s:
        clock.now_ns += round(nap_s * 1e9)
        beat = pace.next(10.0)
        assert beat is not None
        assert beat > last
        assert (clock.now_ns - 1_000) * fps / 1e9 >= beat - 1e-3
        last = beat
