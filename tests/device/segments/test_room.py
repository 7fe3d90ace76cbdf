"""Room for segments: what is given up for it, and what is old."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, Final

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from device.segment_budget import Kept, evictions, last_before, of_session, older_than, oldest_first, room_bytes
from device.segments import Shelf
from device.session.clock import Instant
from tests.device.segments.kit import NS, PIECES, half_written, whole
from tests.sealed import sealed
from wire.ledger import ClockTrust


def test_room_is_what_quota_and_disk_leave_and_uploaded_segments_are_room(shelf: Shelf) -> None:
    size = len(sealed(PIECES, whole(shelf)))
    assert shelf.room(10 * size, 0) == 9 * size
    part = len(sealed(PIECES[:-1], half_written(shelf, cut=0)))
    assert shelf.room(10 * size, 0) == 9 * size - part
    shelf.mark_uploaded(shelf.contents()[0].segment)
    assert shelf.room(10 * size, 0) == 10 * size - part
    assert shelf.room(0, 0) == 0
    assert shelf.room(10 * size, 2**62) == 0


def kept_segments() -> st.SearchStrategy[list[Kept]]:
    one = st.builds(
        Kept,
        segment=st.uuids().map(str),
        role=st.sampled_from(["overhead", "front"]),
        session=st.sampled_from(["session-1", "session-2"]),
        bytes=st.integers(0, 1000),
        at=st.datetimes(datetime(1970, 1, 1), datetime(2030, 1, 1), timezones=st.just(UTC)),  # noqa: DTZ001  # the strategy adds it
        mono_ns=st.integers(0, 10**15),
        boot=st.sampled_from(["boot-1", "boot-2"]),
        clock=st.sampled_from(ClockTrust),
        uploaded=st.booleans(),
    )
    return st.lists(one, max_size=8, unique_by=lambda kept: kept.segment)


@settings(deadline=None)
@given(kept_segments(), st.integers(-10, 5000))
def test_no_more_is_given_up_than_needed_and_nothing_unsent_before_all_that_is_sent(
    kept: list[Kept], need: int
) -> None:
    given_up = evictions(kept, need)
    freed = [one.bytes for one in given_up]
    assert sum(freed) >= need or len(given_up) == len(kept)
    assert sum(freed[:-1]) < need or not freed
    if any(not one.uploaded for one in given_up):
        assert all(one in given_up for one in kept if one.uploaded)
    for uploaded in (True, False):
        group = [one for one in given_up if one.uploaded is uploaded]
        assert group == oldest_first(one for one in kept if one.uploaded is uploaded)[: len(group)]


@settings(deadline=None)
@given(kept_segments(), st.integers(0, 5000), st.integers(0, 9000), st.integers(0, 9000), st.integers(0, 9000))
def test_what_there_is_room_for_fits_once_the_uploaded_ones_are_given_up(
    kept: list[Kept], parts: int, free: int, quota: int, reserve: int
) -> None:
    used = sum(one.bytes for one in kept) + parts
    room = room_bytes(kept, used, free, quota, reserve)
    freed = sum(one.bytes for one in kept if one.uploaded)
    assert room >= 0
    assert room == 0 or (used - freed + room <= quota and free + freed - room >= reserve)
    more = room + 1
    assert used - freed + more > quota or free + freed - more < reserve


@settings(deadline=None)
@given(kept_segments(), st.integers(0, 10**15))
def test_the_session_from_a_moment_on_and_the_last_before_it_share_nothing(kept: list[Kept], moment: int) -> None:
    mine = of_session(kept, "session-1", boot="boot-1")
    since, last = of_session(mine, "session-1", moment, "boot-1"), last_before(mine, moment)
    assert all(one.session == "session-1" and one.mono_ns >= moment for one in since)
    assert all(one.mono_ns < moment for one in last)
    for one in mine:
        covered = one in since or any(other.role == one.role and other.mono_ns >= one.mono_ns for other in last)
        assert covered


NOON: Final = Instant(mono_ns=0, wall=datetime(2026, 3, 2, 12, tzinfo=UTC), boot="boot-2", trust=ClockTrust.SYNCED)
NINE: Final = Kept("a", "front", "s", 1, datetime(2026, 3, 2, 9, tzinfo=UTC), 5, "boot-1", ClockTrust.HELD)


@pytest.mark.parametrize(
    ("change", "now", "is_old"),
    [
        ({}, {}, True),
        ({"at": datetime(2026, 3, 2, 11, tzinfo=UTC)}, {}, False),
        ({"clock": ClockTrust.UNSET, "at": datetime(1970, 1, 1, tzinfo=UTC)}, {}, False),
        ({}, {"trust": ClockTrust.UNSET, "wall": datetime(2038, 1, 1, tzinfo=UTC)}, False),
        ({"boot": "boot-2", "clock": ClockTrust.UNSET}, {"mono_ns": 3 * 3600 * NS}, True),
        ({"boot": "boot-2", "at": datetime(1970, 1, 1, tzinfo=UTC)}, {"mono_ns": 1 * 3600 * NS}, False),
        ({"at": datetime(2038, 1, 1, tzinfo=UTC)}, {}, False),
    ],
    ids=["old", "young", "made in 1970", "we are in 2038", "this boot, old", "this boot, young", "from the future"],
)
def test_a_segment_is_old_only_where_its_age_is_known(
    change: dict[str, Any], now: dict[str, Any], is_old: bool
) -> None:
    """T1: a kiosk that boots in 1970 loses nothing when its clock is set."""
    assert bool(older_than([replace(NINE, **change)], 2, replace(NOON, **now))) is is_old
