"""The shelf of sealed segments: what a crash leaves is kept, what must go is gone, whatever the disk does meanwhile."""

import errno
import logging
import os
import stat
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from device.errors import ShelfError
from device.segment_budget import Kept, evictions, last_before, of_session, older_than, oldest_first, room_bytes
from device.segments import Outcome, Recovered, Shelf
from device.session.clock import Instant
from tests.sealed import ends, facts, pieces, sealed
from wire.ledger import ClockTrust
from wire.segments import HEAD_BYTES, SegmentFacts, scan

NS: Final = 1_000_000_000
PIECES: Final = pieces(b"what a player needs", b"a" * 400, b"b" * 400, b"c" * 400)


class PowerCut(BaseException):
    """The process ends here; nothing after this instant was done."""


class Disk:
    """The calls that change the disk, counted; before or after one of them the power is cut, or it is refused."""

    CALLS: Final = ("rename", "unlink", "ftruncate", "fsync")

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.done: list[str] = []
        self.cut_at: float | None = None
        self._refusal: tuple[int, str, str] | None = None
        for name in self.CALLS:
            monkeypatch.setattr(os, name, self._watched(name, getattr(os, name)))

    def refuses(self, number: int, name: str, path: str = "") -> None:
        """From now on the call of that name fails with errno `number` for files whose path has `path` in it."""
        self._refusal = (number, name, path)

    def works_again(self) -> None:
        self._refusal = None

    def _watched(self, name: str, real: Callable[..., Any]) -> Callable[..., Any]:
        def call(*given: Any, **named: Any) -> Any:
            if not isinstance(given[0], int) and not os.path.lexists(given[0]):
                return real(*given, **named)  # which changes nothing
            if self._refusal is not None and name == self._refusal[1] and self._refusal[2] in str(given[0]):
                raise OSError(self._refusal[0], os.strerror(self._refusal[0]), str(given[0]))
            self._maybe_cut()
            result = real(*given, **named)
            self.done.append(name)
            self._maybe_cut()
            return result

        return call

    def _maybe_cut(self) -> None:
        """Before call n the number is n, after it n + a half."""
        if self.cut_at is not None:
            self.cut_at -= 0.5
            if self.cut_at < 0:
                raise PowerCut


@pytest.fixture
def disk(monkeypatch: pytest.MonkeyPatch) -> Disk:
    return Disk(monkeypatch)


@pytest.fixture
def shelf(tmp_path: Path) -> Shelf:
    return Shelf(tmp_path / "segments")


@contextmanager
def a_shelf() -> Iterator[tuple[Shelf, Path]]:
    """A fresh shelf and its folder, for tests that need many."""
    with tempfile.TemporaryDirectory() as folder:
        yield Shelf(Path(folder)), Path(folder)


def half_written(shelf: Shelf, *, cut: int = 7, about: SegmentFacts | None = None, end: bool = False) -> SegmentFacts:
    """A `.part` from which the last `cut` bytes are missing."""
    about = about or facts()
    file = sealed(PIECES if end else PIECES[:-1], about)
    shelf.part(about.segment).write_bytes(file[: len(file) - cut])
    return about


def whole(shelf: Shelf, **change: Any) -> SegmentFacts:
    """A `.seg`."""
    about = half_written(shelf, cut=0, about=facts(**change), end=True)
    shelf.keep(about.segment)
    return about


def flip(path: Path, at: int) -> None:
    file = bytearray(path.read_bytes())
    file[at] ^= 1
    path.write_bytes(file)


def listing(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def outcomes(found: list[Recovered]) -> dict[str, Outcome]:
    return {one.segment: one.outcome for one in found}


# Recovery


def test_a_half_written_segment_is_cut_to_its_last_whole_record_and_kept(shelf: Shelf) -> None:
    about = half_written(shelf)
    [found] = shelf.recover()
    kept = shelf.part(about.segment).with_suffix(".seg")
    with kept.open("rb") as file:
        seen = scan(file)
    assert (found.segment, found.outcome, found.duration_ms) == (about.segment, Outcome.KEPT, 500)
    assert found.header == seen.header
    assert (found.bytes, found.hash) == (kept.stat().st_size, seen.hash)
    assert found.cut_bytes == len(sealed(PIECES[:-1], about)) - 7 - found.bytes
    assert found.reason == "cut within record 4"
    assert seen.is_cut
    assert seen.damage is None
    assert not shelf.part(about.segment).exists()
    assert shelf.recover() == []


@settings(deadline=None)
@given(st.integers(0, len(sealed(PIECES))))
def test_a_part_cut_at_any_byte_gives_its_whole_records_and_nothing_else(cut: int) -> None:
    about = facts()
    file = sealed(PIECES, about)
    sound = max((end for end in ends(file) if end <= cut), default=None)
    with a_shelf() as (shelf, folder):
        shelf.part(about.segment).write_bytes(file[:cut])
        [found] = shelf.recover()
        if cut == 0:
            assert listing(folder) == {}
        elif sound is None:
            assert listing(folder) == {f"quarantine/{about.segment}.part": file[:cut]}
        elif sound < ends(file)[2]:
            assert (found.outcome, found.header is not None) == (Outcome.REMOVED, True)
            assert listing(folder) == {}
        else:
            assert listing(folder) == {f"{about.segment}.seg": file[:sound]}
            assert (found.outcome, found.bytes, found.cut_bytes) == (Outcome.KEPT, sound, cut - sound)


def test_a_part_that_reached_its_end_is_kept_whole(shelf: Shelf) -> None:
    about = half_written(shelf, cut=0, end=True)
    [found] = shelf.recover()
    assert (found.segment, found.cut_bytes, found.duration_ms, found.reason) == (about.segment, 0, 750, None)


def test_only_the_parts_of_one_camera_are_recovered_while_the_other_records(shelf: Shelf) -> None:
    desk, student = half_written(shelf), half_written(shelf, about=facts(role="front"))
    nobody = shelf.part(facts().segment)
    nobody.write_bytes(b"CARR")
    assert outcomes(shelf.recover("front")) == {student.segment: Outcome.KEPT}
    assert shelf.part(desk.segment).exists()
    assert nobody.exists()
    assert outcomes(shelf.recover()) == {desk.segment: Outcome.KEPT, nobody.stem: Outcome.QUARANTINED}


def test_one_bad_file_goes_to_quarantine_with_its_reason_and_stops_no_other(shelf: Shelf, tmp_path: Path) -> None:
    good, bad, twin = half_written(shelf), half_written(shelf), facts()
    flip(shelf.part(bad.segment), 30)
    shelf.part(twin.segment).write_bytes(sealed(PIECES, facts()))
    found = {one.segment: one for one in shelf.recover()}
    assert outcomes(list(found.values())) == {
        good.segment: Outcome.KEPT, bad.segment: Outcome.QUARANTINED, twin.segment: Outcome.QUARANTINED,
    }  # fmt: skip
    assert found[bad.segment].reason == "the hash of its header does not fit"
    assert found[bad.segment].header is None
    assert "under another's name" in (found[twin.segment].reason or "")
    aside = {path.name for path in (tmp_path / "segments" / "quarantine").iterdir()}
    assert aside == {f"{bad.segment}.part", f"{twin.segment}.part"}


def test_a_part_damaged_before_its_first_picture_is_set_aside_and_not_removed(shelf: Shelf) -> None:
    about = half_written(shelf)
    flip(shelf.part(about.segment), ends(sealed(PIECES, about))[0] + 20)
    [found] = shelf.recover()
    assert (found.outcome, found.reason) == (Outcome.QUARANTINED, "the hash of record 1 does not fit")


def test_recovery_cut_off_at_any_step_ends_the_same_when_run_again(disk: Disk) -> None:
    """F5."""

    def broken() -> tuple[list[SegmentFacts], dict[str, bytes]]:
        abouts = [facts() for _ in range(5)]
        files = {about.segment: sealed(PIECES[:-1], about) for about in abouts}
        cuts = [-7, len(files[abouts[1].segment]), 4, ends(files[abouts[3].segment])[1], 0]
        return abouts, {name: file[:cut] for cut, (name, file) in zip(cuts, files.items(), strict=True)}

    _, parts = broken()
    results = []
    for half_steps in [None, *range(100)]:
        with a_shelf() as (shelf, folder):
            for name, file in parts.items():
                shelf.part(name).write_bytes(file)
            disk.cut_at = None if half_steps is None else half_steps / 2
            try:
                shelf.recover()
                was_cut = False
            except PowerCut:
                was_cut = True
            disk.cut_at = None
            Shelf(folder).recover()
            results.append(listing(folder))
            if half_steps is not None and not was_cut:
                break
    assert len(results) > 20
    assert len(results[0]) == 3
    assert all(result == results[0] for result in results)


def test_a_kept_file_is_durable_before_it_has_its_name_and_the_name_after(shelf: Shelf, disk: Disk) -> None:
    half_written(shelf)
    shelf.recover()
    assert disk.done == ["ftruncate", "fsync", "rename", "fsync"]
    about = half_written(shelf)
    disk.done.clear()
    shelf.keep(about.segment)
    assert disk.done == ["fsync", "rename", "fsync"]


def test_a_disk_that_refuses_one_file_leaves_it_and_recovers_the_others(shelf: Shelf, disk: Disk) -> None:
    """F1, F2, F3."""
    first, second = sorted((half_written(shelf), half_written(shelf)), key=lambda about: about.segment)
    for number, words in ((errno.EIO, "fails"), (errno.EROFS, "read-only"), (errno.ENOSPC, "full")):
        disk.refuses(number, "rename", first.segment)
        left = [one for one in shelf.recover() if one.outcome is Outcome.LEFT]
        assert [one.segment for one in left] == [first.segment]
        assert words in (left[0].reason or "")
    assert [one.segment for one in shelf.contents()] == [second.segment]
    disk.works_again()
    assert outcomes(shelf.recover()) == {first.segment: Outcome.KEPT}


def test_files_of_other_people_are_not_touched(shelf: Shelf, tmp_path: Path) -> None:
    for name in ("notes.part", "notes.seg", "notes.gone"):
        (tmp_path / "segments" / name).write_bytes(b"mine")
    assert shelf.recover() == shelf.check() == []
    assert shelf.contents() == []
    assert len(listing(tmp_path)) == 3


# What lies there


def test_the_folder_is_open_to_its_user_alone(shelf: Shelf, tmp_path: Path) -> None:
    for folder in (tmp_path / "segments", tmp_path / "segments" / "quarantine"):
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700


def test_a_check_sets_aside_what_is_damaged_and_nothing_else(shelf: Shelf, tmp_path: Path) -> None:
    good, rotten, headless = whole(shelf), whole(shelf), whole(shelf)
    cut = half_written(shelf)
    shelf.recover()
    flip(shelf.part(rotten.segment).with_suffix(".seg"), -50)
    flip(shelf.part(headless.segment).with_suffix(".seg"), 3)
    found = {one.segment: one for one in shelf.check()}
    assert outcomes(list(found.values())) == dict.fromkeys((rotten.segment, headless.segment), Outcome.QUARANTINED)
    assert found[rotten.segment].reason == "the hash of record 5 does not fit"
    assert found[rotten.segment].header is not None
    assert {one.segment for one in shelf.contents()} == {good.segment, cut.segment}
    assert len(list((tmp_path / "segments" / "quarantine").iterdir())) == 2
    assert shelf.check() == []


def test_contents_come_oldest_first_with_what_their_headers_say(shelf: Shelf) -> None:
    nine = datetime(2026, 3, 2, 9, tzinfo=UTC)
    later = whole(shelf, at=nine + timedelta(seconds=1), mono_ns=1)
    second = whole(shelf, at=nine, mono_ns=8, role="front", session="session-2")
    first = whole(shelf, at=nine, mono_ns=7)
    shelf.mark_uploaded(second.segment)
    half_written(shelf)
    kept = shelf.contents()
    assert [one.segment for one in kept] == [first.segment, second.segment, later.segment]
    assert [one.uploaded for one in kept] == [False, True, False]
    assert (kept[1].role, kept[1].session, kept[1].mono_ns) == ("front", "session-2", 8)
    assert kept[1].bytes == len(sealed(PIECES, second))


def test_what_cannot_be_read_is_not_among_the_contents_and_complained_of_once(
    shelf: Shelf, caplog: pytest.LogCaptureFixture
) -> None:
    about = whole(shelf)
    flip(shelf.part(about.segment).with_suffix(".seg"), 20)
    with caplog.at_level(logging.INFO):
        assert shelf.contents() == shelf.contents() == []
    [line] = caplog.messages
    assert line == f"{about.segment}.seg: the hash of its header does not fit"


def test_an_upload_is_remembered_over_a_restart_and_durably(shelf: Shelf, tmp_path: Path, disk: Disk) -> None:
    about = whole(shelf)
    disk.done.clear()
    shelf.mark_uploaded(about.segment)
    shelf.mark_uploaded(about.segment)
    assert disk.done == ["fsync", "fsync"] * 2
    assert [one.uploaded for one in Shelf(tmp_path / "segments").contents()] == [True]
    with pytest.raises(ShelfError, match="not on the shelf"):
        shelf.mark_uploaded(facts().segment)


def test_no_id_reaches_another_file(shelf: Shelf, tmp_path: Path) -> None:
    """H3."""
    (tmp_path / "keys.seg").write_bytes(b"keep me")
    for act in (shelf.destroy, shelf.mark_uploaded, shelf.part, shelf.keep):
        with pytest.raises(ShelfError, match="no segment's id"):
            act("../keys")
    assert (tmp_path / "keys.seg").exists()


# Destruction


def test_a_destroyed_segment_is_gone_and_its_wrapped_key_first(shelf: Shelf, tmp_path: Path) -> None:
    about = whole(shelf)
    path = shelf.part(about.segment).with_suffix(".seg")
    before = path.read_bytes()
    os.link(path, tmp_path / "the blocks on the card")
    shelf.mark_uploaded(about.segment)
    shelf.destroy(about.segment)
    assert listing(tmp_path / "segments") == {}
    after = (tmp_path / "the blocks on the card").read_bytes()
    assert after == bytes(min(len(before), HEAD_BYTES)) + before[HEAD_BYTES:]
    shelf.destroy(about.segment)


def test_a_large_segment_loses_its_head_only(shelf: Shelf, tmp_path: Path) -> None:
    about = facts()
    file = sealed(pieces(b"init", bytes(200_000)), about)
    shelf.part(about.segment).write_bytes(file)
    os.link(shelf.part(about.segment), tmp_path / "card")
    shelf.destroy(about.segment)
    assert (tmp_path / "card").read_bytes() == bytes(HEAD_BYTES) + file[HEAD_BYTES:]


def test_a_destruction_cut_off_at_any_step_is_not_begun_or_ends_at_the_next_start(disk: Disk) -> None:
    """F5."""
    not_begun = ended = 0
    for half_steps in range(100):
        with a_shelf() as (shelf, folder):
            about = whole(shelf)
            shelf.mark_uploaded(about.segment)
            before = listing(folder)
            disk.cut_at = half_steps / 2
            try:
                shelf.destroy(about.segment)
                was_cut = False
            except PowerCut:
                was_cut = True
            disk.cut_at = None
            again = Shelf(folder)
            assert again.recover() == again.check() == []
            if listing(folder) == before:
                not_begun += 1
            else:
                assert listing(folder) == {}
                ended += 1
            again.destroy(about.segment)
            assert listing(folder) == {}
            if not was_cut:
                break
    assert not_begun == 1, "only before the very first step"
    assert ended > 6


def test_the_order_of_destruction_is_mark_then_zeros_then_unlink(shelf: Shelf, disk: Disk) -> None:
    about = whole(shelf)
    disk.done.clear()
    shelf.destroy(about.segment)
    assert disk.done[:6] == ["rename", "fsync", "fsync", "fsync", "unlink", "fsync"]


def test_a_full_disk_does_not_keep_a_segment_from_being_destroyed(shelf: Shelf, tmp_path: Path, disk: Disk) -> None:
    """F1."""
    about = whole(shelf)
    disk.refuses(errno.ENOSPC, "rename")
    shelf.destroy(about.segment)
    assert listing(tmp_path) == {}


@pytest.mark.parametrize(
    ("number", "words"),
    [
        (errno.ENOSPC, "the disk is full; free some space"),
        (errno.EROFS, "the disk is read-only; restart"),
        (errno.EIO, "the disk fails; change the card"),
        (errno.EACCES, "chown"),
        (errno.EMFILE, "Too many open files"),
    ],
)
def test_every_refusal_of_the_disk_is_told_in_words(shelf: Shelf, disk: Disk, number: int, words: str) -> None:
    """F1, F2."""
    about = whole(shelf)
    disk.refuses(number, "fsync")
    with pytest.raises(ShelfError, match=f"{about.segment}.*{words}"):
        shelf.destroy(about.segment)
    fresh = half_written(shelf)
    with pytest.raises(ShelfError, match=words):
        shelf.keep(fresh.segment)


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "segments").write_bytes(b"")
    with pytest.raises(ShelfError, match=f"{tmp_path / 'segments'} cannot be made: "):
        Shelf(tmp_path / "segments")


def test_a_doomed_file_that_fails_is_complained_of_and_stops_nothing(
    shelf: Shelf, disk: Disk, caplog: pytest.LogCaptureFixture
) -> None:
    about, other = whole(shelf), half_written(shelf)
    disk.cut_at = 1.0
    with pytest.raises(PowerCut):
        shelf.destroy(about.segment)
    disk.cut_at = None
    disk.refuses(errno.EIO, "unlink", about.segment)
    assert outcomes(shelf.recover()) == {other.segment: Outcome.KEPT}
    assert caplog.messages == [f"{about.segment}.gone: the disk fails; change the card"]


# What is destroyed of a session


def test_a_session_is_destroyed_in_whatever_state_its_files_are(shelf: Shelf, tmp_path: Path) -> None:
    rotten, headless = whole(shelf), whole(shelf)
    flip(shelf.part(rotten.segment).with_suffix(".seg"), -50)
    flip(shelf.part(headless.segment).with_suffix(".seg"), 3)
    shelf.check()
    mine = {rotten.segment, headless.segment, whole(shelf).segment, half_written(shelf).segment}
    unchecked = whole(shelf)
    flip(shelf.part(unchecked.segment).with_suffix(".seg"), 3)
    other, other_part = whole(shelf, session="session-2"), half_written(shelf, about=facts(session="session-2"))
    gone = shelf.destroy_session("session-1")
    assert {one.segment for one in gone} == mine | {unchecked.segment}
    assert {one.role for one in gone} == {"overhead", "unknown"}
    assert set(listing(tmp_path / "segments")) == {f"{other.segment}.seg", f"{other_part.segment}.part"}
    assert shelf.destroy_session("session-1") == []


def test_from_a_moment_on_nothing_taken_then_or_later_stays(shelf: Shelf) -> None:
    """Segments here last 750 ms."""
    before = whole(shelf, mono_ns=9 * NS)
    spanning = whole(shelf, mono_ns=10 * NS)
    after = whole(shelf, mono_ns=11 * NS)
    front = whole(shelf, mono_ns=9 * NS, role="front")
    rebooted = whole(shelf, mono_ns=50 * NS, boot="boot-2")
    stranger = whole(shelf, mono_ns=50 * NS, session="session-2")
    gone = shelf.destroy_session("session-1", 10 * NS + NS // 2, "boot-1")
    assert [one.segment for one in gone] == [spanning.segment, after.segment]
    left = {one.segment for one in shelf.contents()}
    assert left == {before.segment, front.segment, rebooted.segment, stranger.segment}


def test_a_part_still_written_at_that_moment_goes_too(shelf: Shelf, tmp_path: Path) -> None:
    kept, part = whole(shelf, mono_ns=8 * NS), half_written(shelf, about=facts(mono_ns=9 * NS))
    gone = shelf.destroy_session("session-1", 600 * NS, "boot-1")
    assert [one.segment for one in gone] == [part.segment]
    assert set(listing(tmp_path / "segments")) == {f"{kept.segment}.seg"}


def test_what_may_reach_beyond_a_moment_unseen_goes_too(shelf: Shelf) -> None:
    """Behind the damage there may be more."""
    rotten = whole(shelf, mono_ns=9 * NS)
    flip(shelf.part(rotten.segment).with_suffix(".seg"), -50)
    assert [one.segment for one in shelf.destroy_session("session-1", 600 * NS, "boot-1")] == [rotten.segment]


def test_one_that_cannot_be_destroyed_saves_no_other(shelf: Shelf, disk: Disk) -> None:
    """F3."""
    _, second, _ = sorted(whole(shelf).segment for _ in range(3))
    disk.refuses(errno.EIO, "unlink", second)
    with pytest.raises(ShelfError, match=f"1 of 3 are not destroyed: {second}"):
        shelf.destroy_session("session-1")
    assert shelf.contents() == []
    disk.works_again()
    shelf.destroy(second)
    assert shelf.held("session-1") == []


def test_a_moment_needs_the_boot_in_which_it_counts(shelf: Shelf) -> None:
    with pytest.raises(ValueError, match="boot"):
        shelf.destroy_session("session-1", 5)


# Room


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
