"""Recovery of segments: what a crash leaves is kept, whatever the disk does meanwhile."""

import errno
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from device.segments import Outcome, Shelf
from tests.device.segments.kit import PIECES, Disk, PowerCut, a_shelf, flip, half_written, listing, outcomes
from tests.sealed import ends, facts, sealed
from wire.segments import SegmentFacts, scan


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
