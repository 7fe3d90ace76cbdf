"""What lies on the shelf of segments: listed, checked, remembered, and nothing beside it."""

import logging
import stat
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from device.errors import ShelfError
from device.segments import Outcome, Shelf
from tests.device.segments.kit import PIECES, Disk, flip, half_written, outcomes, whole
from tests.sealed import facts, sealed


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
