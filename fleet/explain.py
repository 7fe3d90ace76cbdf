"""The ledger rows behind a session's minutes, for anyone who wants to add them up."""

from collections.abc import Iterator

from fleet.clock import moment
from fleet.errors import NotFound
from fleet.lost import lost_in_words
from fleet.sessions import is_complete, record_of
from fleet.store import sessions as store
from fleet.store.engine import Database
from wire.codec import compact
from wire.ledger import row_of
from wire.minutes import Bounds, SessionRecord


def explain(database: Database, session: str) -> Iterator[str]:
    """Lines of text: each row in order, each stretch of the timeline, the figures with the stretches they add up from.

    Raises:
        NotFound: no row of such a session is held.
    """
    with database.read() as connection:
        line = store.one(connection, session)
        rows = store.rows_of(connection, session, line.kiosk) if line is not None else []
    if line is None:
        raise NotFound(f"there is no session {session!r}")
    yield f"session {session} of kiosk {line.kiosk}, campus {line.campus}"
    yield ""
    for kept in rows:
        row = row_of(kept.body)
        yield f"{kept.epoch[:8]} {row.seq:>6}  {row.at.isoformat()} ({row.clock.value})  boot {row.boot[:8]} "
        yield f"{'':>15}  {row.mono_ns / 1e9:.3f} s  {row.type}  {compact(row.data)}"
        if not kept.contiguous:
            yield f"{'':>15}  a row before this one is missing, it arrived {moment(kept.received_us).isoformat()}"
    record = record_of(session, rows)
    yield ""
    for span in record.spans:
        cause = f" ({span.cause})" if span.cause else ""
        link = "link up" if span.link_up else "link down"
        yield f"{span.start_ms:>9} to {span.end_ms:>9} ms  {span.mode.value}{cause}, {link}, {', '.join(span.cameras)}"
    yield ""
    yield f"state {record.state}, {'complete' if is_complete(record, rows) else 'not complete'}"
    missing = sum(not kept.contiguous for kept in rows)
    if missing:
        yield f"{missing} rows stand after a hole: the figures change when the missing ones arrive"
    adds = _stretches(record)
    for name, value in record.minutes.model_dump(exclude={"bounds"}).items():
        yield f"{name} {value}{adds.get(name, '')}"
    if record.minutes.bounds:
        yield from _bounds(record.minutes.bounds)


def _bounds(bounds: Bounds) -> Iterator[str]:
    """The gaps that no time source dates on both sides, and what that leaves open."""
    yield ""
    yield f"{lost_in_words(bounds)}:"
    for gap in bounds.gaps:
        yield f"{gap.at_ms:>9} ms  {gap.cause}, counted as {gap.counted_ms} ms, {_from_to(gap.min_ms, gap.max_ms)}"
    yield f"lost in all {_from_to(bounds.lost_min_ms, bounds.lost_max_ms)}"
    yield f"elapsed {_from_to(bounds.elapsed_min_ms, bounds.elapsed_max_ms)}"


def _from_to(min_ms: int, max_ms: int | None) -> str:
    return f"at least {min_ms} ms" if max_ms is None else f"between {min_ms} and {max_ms} ms"


def _stretches(record: SessionRecord) -> dict[str, str]:
    """By figure, the stretches of the timeline whose lengths it is the sum of."""
    spans = record.spans
    found = {
        "elapsed_ms": [(one.start_ms, one.end_ms) for one in spans],
        "running_ms": [(one.start_ms, one.end_ms) for one in spans if one.mode == "running"],
        "paused_ms": [(one.start_ms, one.end_ms) for one in spans if one.mode == "paused"],
        "interrupted_ms": [(one.start_ms, one.end_ms) for one in spans if one.mode == "interrupted"],
        "buffered_ms": [(one.start_ms, one.end_ms) for one in spans if one.mode == "running" and not one.link_up],
    }
    return {
        name: " = " + " + ".join(f"({end} - {start})" for start, end in some) for name, some in found.items() if some
    }
