"""The fold of a session's rows, held against what the stopwatch noted of the same session."""

from collections.abc import Callable
from typing import Final

from tests.wire.stopwatch import Now, Truth
from wire.minutes import Gap, Minutes, SessionRecord

_MS: Final = 1_000_000
_DATED_NS: Final = 2_000
"""A date is kept to the microsecond; a gap has two."""


def compare(truth: Truth, record: SessionRecord) -> None:
    """Hold the fold of the rows against what the stopwatch noted."""
    found = record.minutes
    assert found.elapsed_ms == found.running_ms + found.paused_ms + sum(found.interrupted_ms.values())
    if truth.over == "cancelled":
        assert (record.state, found) == ("cancelled", Minutes(planned_ms=found.planned_ms))
        return
    assert (record.state == "ended") is (truth.over is not None)
    if truth.over in {"hold", "power"}:
        assert record.ended_by == truth.over

    def so(which: Callable[[str, str | None, Now], bool]) -> int:
        return sum(end - begin for begin, end, now in truth.lived if which(*truth.mode(now), now))

    def running(which: Callable[[Now], bool]) -> int:
        return so(lambda mode, _, now: mode == "running" and which(now))

    true(found.running_ms, running(lambda _: True))
    true(found.paused_ms, so(lambda mode, _, __: mode == "paused"))
    true(found.buffered_ms, running(lambda now: not now.link_up))
    true(found.camera_ms, running(lambda now: now.giving >= truth.needs))
    assert found.cameras_ms.keys() == truth.needs
    for role, ms in found.cameras_ms.items():
        true(ms, running(lambda now, role=role: role in now.giving))  # type: ignore[misc]
    if truth.knows_therapist:
        true(found.connected_ms, running(lambda now: now.therapist))
    else:
        assert found.connected_ms is None
    if not truth.misdated:
        over_boots(truth, found, so)


def over_boots(truth: Truth, found: Minutes, so: Callable[[Callable[[str, str | None, Now], bool]], int]) -> None:
    """The figures that a gap between boots can be a part of, and the bounds."""
    wrong_ns = gaps(truth, found)
    # A gap that is not certain is told in whole milliseconds, with the rest of one cut off.
    dated_ns = _DATED_NS * len(truth.gaps) + _MS * len(found.bounds.gaps if found.bounds else ())
    for cause in {"power", "camera", "person", "unknown"} | found.interrupted_ms.keys():
        true_ns = so(lambda mode, why, _, cause=cause: (mode, why) == ("interrupted", cause))  # type: ignore[misc]
        here_ns, slack_ns = (wrong_ns, dated_ns) if cause == "power" else (0, 0)
        true(found.interrupted_ms.get(cause, 0), true_ns + here_ns, slack_ns)
    elapsed_ns = so(lambda _, __, ___: True)
    true(found.elapsed_ms, elapsed_ns + wrong_ns, dated_ns)
    if truth.planned_ns is None:
        assert found.overrun_ms == 0
    else:
        true(found.overrun_ms, max(0, elapsed_ns + wrong_ns - max(0, truth.planned_ns)), dated_ns)
    bounds = found.bounds
    if bounds is None:
        assert (wrong_ns, found.unknown_gaps) == (0, 0)
        return
    lost_ns = sum(end - begin for begin, end in unsure(truth, found))
    between(bounds.elapsed_min_ms, elapsed_ns, bounds.elapsed_max_ms)
    between(bounds.lost_min_ms, lost_ns, bounds.lost_max_ms)
    assert found.unknown_gaps <= len(bounds.gaps)


def gaps(truth: Truth, found: Minutes) -> int:
    """By how much the figures are off for gaps that no time source dates, each of which lies within its bounds."""
    wrong_ns = 0
    for gap, (begin, end) in zip(found.bounds.gaps if found.bounds else (), unsure(truth, found), strict=True):
        between(gap.min_ms, end - begin, gap.max_ms)
        assert gap.max_ms is None or gap.counted_ms <= gap.max_ms
        assert gap.cause == "power"
        wrong_ns += gap.counted_ms * _MS - (end - begin)
    return wrong_ns


def unsure(truth: Truth, found: Minutes) -> list[tuple[int, int]]:
    """Which of the true gaps the fold says it is not sure of, found by where they lie."""
    told: list[Gap] = list(found.bounds.gaps) if found.bounds else []
    matched: list[tuple[int, int]] = []
    shift_ns = 0
    for begin, end in truth.gaps:
        at_ns = begin - truth.began_ns + shift_ns
        if told and abs(told[0].at_ms * _MS - at_ns) < _MS * (2 + len(matched)):
            shift_ns += told.pop(0).counted_ms * _MS - (end - begin)
            matched.append((begin, end))
    assert not told, "a gap that is none"
    return matched


def true(ms: int | None, ns: int, dated_ns: int = 0) -> None:
    """A figure is within a millisecond of the truth."""
    assert ms is not None
    assert abs(ms * _MS - ns) <= _MS + dated_ns, f"{ms} ms, and it was {ns / _MS:.3f} ms"


def between(least_ms: int, ns: int, most_ms: int | None) -> None:
    """The truth lies within its bounds."""
    assert least_ms * _MS <= ns, f"at least {least_ms} ms, and it was {ns / _MS:.3f} ms"
    assert most_ms is None or ns <= most_ms * _MS, f"at most {most_ms} ms, and it was {ns / _MS:.3f} ms"
