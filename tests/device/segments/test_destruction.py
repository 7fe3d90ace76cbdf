"""Segments that must go are gone, whatever state they are in and whatever the disk does meanwhile."""

import errno
import os
from pathlib import Path

import pytest

from device.errors import ShelfError
from device.segments import Outcome, Shelf
from tests.device.segments.kit import NS, Disk, PowerCut, a_shelf, flip, half_written, listing, outcomes, whole
from tests.sealed import facts, pieces, sealed
from wire.segments import HEAD_BYTES


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
