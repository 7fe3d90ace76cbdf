"""What holds for the minutes of every history, however it went."""

from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.wire.history import MINUTE, History, Now, histories
from wire.ledger import EVENTS, ClockTrust, Row
from wire.minutes import Minutes, Until, fold

FIGURES = ("elapsed_ms", "running_ms", "buffered_ms", "camera_ms", "overrun_ms")
STEPS = st.timedeltas(timedelta(days=-30_000), timedelta(days=30_000))


def now_of(told: History) -> Minutes:
    return fold(told.rows, told.until).minutes


def near(ms: int | None, ns: int) -> bool:
    """Within a millisecond; with a gap between boots, whose ends are dated to the microsecond, a hair more."""
    return ms is not None and abs(ms * 1_000_000 - ns) <= 1_010_000


@settings(max_examples=100, deadline=None)
@given(histories(cuts=True))
def test_the_split_adds_up_and_no_part_is_more_than_the_whole(told: History) -> None:
    found = now_of(told)
    assert found.elapsed_ms == found.running_ms + found.paused_ms + sum(found.interrupted_ms.values())
    parts = [found.buffered_ms, found.camera_ms, *found.cameras_ms.values(), found.connected_ms or 0]
    assert max(parts) <= found.running_ms
    assert found.overrun_ms <= found.elapsed_ms
    assert all(ms > 0 for ms in found.interrupted_ms.values())


@settings(max_examples=100, deadline=None)
@given(histories(cuts=True))
def test_spans_lie_end_to_end_from_the_start_to_the_end(told: History) -> None:
    record = fold(told.rows, told.until)
    at_ms = 0
    for span in record.spans:
        assert span.start_ms == at_ms
        assert span.end_ms > span.start_ms
        at_ms = span.end_ms
    assert at_ms == record.minutes.elapsed_ms
    for before, after in pairwise(record.spans):
        same = {"start_ms": 0, "end_ms": 0}
        assert before.model_copy(update=same) != after.model_copy(update=same), "what did not change is one span"


@settings(max_examples=200, deadline=None)
@given(histories(cuts=True))
def test_minutes_are_true_to_a_millisecond(told: History) -> None:
    found = now_of(told)

    def running(now: Now) -> bool:
        return not (told.needs and now.missing >= told.needs) and now.mode == "running"

    assert near(found.elapsed_ms, told.true_elapsed_ns())
    assert near(found.running_ms, told.true_ns(lambda mode, _, __: mode == "running"))
    assert near(found.paused_ms, told.true_ns(lambda mode, _, __: mode == "paused"))
    for why in ("power", "camera", "person", "unknown"):
        true_ns = told.true_ns(lambda mode, cause, _, why=why: (mode, cause) == ("interrupted", why))  # type: ignore[misc]
        assert near(found.interrupted_ms.get(why, 0), true_ns)
    assert near(found.buffered_ms, told.true_ns(lambda _, __, now: running(now) and not now.link_up))
    assert near(found.camera_ms, told.true_ns(lambda _, __, now: running(now) and now.giving >= told.needs))
    assert set(found.cameras_ms) == told.needs
    for role, ms in found.cameras_ms.items():
        assert near(ms, told.true_ns(lambda _, __, now, role=role: running(now) and role in now.giving))  # type: ignore[misc]
    if told.now.therapist is None:
        assert found.connected_ms is None
    else:
        assert near(found.connected_ms, told.true_ns(lambda _, __, now: running(now) and bool(now.therapist)))


@settings(max_examples=60, deadline=None)
@given(histories(cuts=True), st.lists(st.integers(0, 90 * MINUTE), min_size=2, max_size=6).map(sorted))
def test_minutes_only_grow(told: History, waits: list[int]) -> None:
    boot, last_ns = told.until.boot, told.rows[-1].mono_ns
    found = [fold(told.rows, Until(boot, last_ns + wait)).minutes for wait in waits]
    for before, after in pairwise(found):
        for name in FIGURES:
            assert getattr(before, name) <= getattr(after, name)
        # Milliseconds are shared out so that they add up: of two, the one that stands still may give one back.
        assert before.paused_ms <= after.paused_ms + 1
        assert sum(before.interrupted_ms.values()) <= sum(after.interrupted_ms.values()) + 1


@settings(max_examples=100, deadline=None)
@given(histories(cuts=False), st.data())
def test_clock_steps_of_any_size_change_no_minute(told: History, data: st.DataObject) -> None:
    wrong, stepped = timedelta(0), []
    for row in told.rows:
        if data.draw(st.booleans()):
            wrong = data.draw(STEPS)
        trust = data.draw(st.sampled_from(ClockTrust))
        stepped.append(row.model_copy(update={"at": row.at + wrong, "clock": trust}))
    assert fold(stepped, told.until).minutes == now_of(told)
    assert fold(stepped, told.until).spans == fold(told.rows, told.until).spans


@settings(max_examples=60, deadline=None)
@given(histories(cuts=True))
def test_the_moment_of_the_last_row_is_what_no_moment_means(told: History) -> None:
    last = told.rows[-1]
    assert fold(told.rows) == fold(told.rows, Until(last.boot, last.mono_ns))


# Rows that no kiosk of ours writes

ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63) | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=5), inner, max_size=2),
    max_leaves=4,
)
FIELDS = sorted({name for model in EVENTS.values() for name in model.model_fields})
STRANGE_ROWS = st.builds(
    Row,
    seq=st.integers(1, 2**63 - 1),
    type=st.sampled_from([*EVENTS, "camera.melted"]),
    session=st.just("s-1"),
    at=st.datetimes().map(lambda at: at.replace(tzinfo=datetime.fromisoformat("2026-01-01T00:00:00Z").tzinfo)),
    mono_ns=st.integers(0, 2**63 - 1),
    boot=st.sampled_from(["boot-1", "boot-2", "boot-3"]),
    clock=st.sampled_from(ClockTrust),
    data=st.dictionaries(st.sampled_from(FIELDS), ANYTHING | st.sampled_from(["front", "power", "boot-1"]), max_size=6),
)


@settings(max_examples=200, deadline=None)
@given(st.lists(STRANGE_ROWS, max_size=12), st.booleans())
def test_rows_of_any_kind_fold_without_an_error(rows: list[Row], started: bool) -> None:
    told: dict[str, Any] = {"type": "session.started", "data": {"by": "button"}}
    start = [row.model_copy(update=told) for row in rows[:1] if started]
    found = fold([*start, *rows]).minutes
    assert found.elapsed_ms == found.running_ms + found.paused_ms + sum(found.interrupted_ms.values())


def test_an_end_that_cannot_be_read_is_an_end_where_it_stands() -> None:
    told = History().start().lasts(MINUTE).end()
    told.rows[-1] = told.rows[-1].model_copy(update={"data": {"by": 7}})
    found = fold(told.rows)
    assert (found.state, found.ended_by, found.minutes.elapsed_ms) == ("ended", "unknown", 60_000)


def test_a_start_that_cannot_be_read_is_no_start() -> None:
    told = History().start().lasts(MINUTE)
    told.rows[0] = told.rows[0].model_copy(update={"data": {"by": 7}})
    assert fold(told.rows).state == "unknown"
