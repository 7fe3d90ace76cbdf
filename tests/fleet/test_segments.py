"""Opening sealed segments at the fleet: real video, cut and damaged and forged in every way."""

import base64
import io
import os
import stat
import subprocess
import sys
import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from nacl import bindings
from nacl.public import PrivateKey

from device.cameras.crypt import Sealer, fleet_key
from device.segments import Shelf
from fleet.errors import Refused, SegmentUnreadable, SettingsUnusable
from fleet.segment_keys import SegmentKey, SegmentKeys
from fleet.segments import Opened, open_segment, open_to_file
from tests.sealed import (
    FLEET,
    PUBLIC,
    Piece,
    ends,
    facts,
    frames,
    pieces,
    put_together,
    sealed,
    taken_apart,
    video,
)
from wire.segments import Kind, key_id, scan

NOW: Final = datetime(2026, 3, 2, 9, tzinfo=UTC)
PLAIN: Final = [piece.plain for piece in video()]
FILE: Final = sealed(video(), facts())
ENDS: Final = ends(FILE)
SMALL: Final = pieces(b"init", b"first", b"", b"third")


class OneKey(SegmentKeys):
    """The key to which the tests seal, as if it lay in a folder."""

    def __init__(self) -> None:
        super().__init__(Path("keys"))

    def find(self, id_: str) -> SegmentKey | None:
        return SegmentKey(FLEET, NOW) if id_ == key_id(PUBLIC) else None


def opened(file: bytes) -> tuple[Opened | SegmentUnreadable, bytes]:
    """What the fleet says of a file, and the plain bytes it gave."""
    out = io.BytesIO()
    with tempfile.NamedTemporaryFile() as sealed_file:
        path = Path(sealed_file.name)
        path.write_bytes(file)
        try:
            return open_segment(path, OneKey(), out), out.getvalue()
        except SegmentUnreadable as error:
            return error, out.getvalue()


def refusal(file: bytes) -> str:
    """The words with which a file is refused from its first piece on."""
    said, plain = opened(file)
    assert isinstance(said, SegmentUnreadable)
    assert plain == b""
    return str(said)


# What is whole, and what is cut


def test_a_real_video_comes_out_byte_for_byte_and_plays() -> None:
    said, plain = opened(FILE)
    assert plain == b"".join(PLAIN)
    assert isinstance(said, Opened)
    assert (said.ended, said.where, said.duration_ms, said.bytes) == (True, None, 1000, len(plain))
    assert said.header.session == "session-1"
    assert frames(plain) == 16


@settings(deadline=None)
@given(st.integers(ENDS[0], len(FILE) - 1))
def test_a_video_cut_at_any_byte_and_recovered_on_the_kiosk_gives_every_whole_fragment(cut: int) -> None:
    about = scan(io.BytesIO(FILE)).header
    whole = sum(end <= cut for end in ENDS) - 1
    said, plain = opened(FILE[:cut])
    assert plain == b"".join(PLAIN[:whole])
    assert isinstance(said, Opened)
    assert (said.ended, said.duration_ms) == (False, 250 * max(0, whole - 1))
    assert said.where == (f"cut after record {whole}" if cut in ENDS else f"cut within record {whole + 1}")
    with tempfile.TemporaryDirectory() as folder:
        shelf = Shelf(Path(folder))
        shelf.part(about.segment).write_bytes(FILE[:cut])
        shelf.recover()
        kept = Path(folder) / f"{about.segment}.seg"
        assert kept.exists() is (whole > 1)
        if whole > 1:
            assert opened(kept.read_bytes())[1] == plain
            assert frames(plain) == 4 * (whole - 1)


# What was changed


@settings(deadline=None)
@given(st.integers(0, len(FILE) * 8 - 1))
def test_with_any_bit_flipped_it_is_never_opened_silently_and_all_before_it_still_opens(bit: int) -> None:
    file = bytearray(FILE)
    file[bit // 8] ^= 1 << bit % 8
    said, plain = opened(bytes(file))
    assert isinstance(said, SegmentUnreadable) or not said.ended
    assert plain == b"".join(PLAIN[: max(0, sum(end <= bit // 8 for end in ENDS) - 1)])


@settings(deadline=None)
@given(st.integers(0, len(SMALL) - 1), st.integers(0, 7), st.integers(0, 40))
def test_a_changed_piece_does_not_open_even_when_all_hashes_are_made_to_fit(which: int, bit: int, at: int) -> None:
    header, records = taken_apart(sealed(SMALL))
    one = records[which]
    changed = bytearray(one.plain)
    changed[at % len(changed)] ^= 1 << bit
    records[which] = Piece(one.kind, one.start_ms, one.duration_ms, bytes(changed))
    said, plain = opened(put_together(header, records))
    assert isinstance(said, SegmentUnreadable)
    assert f"record {which + 1} does not open: changed or damaged" in str(said)
    assert plain == b"".join(piece.plain for piece in SMALL[:which])


@pytest.mark.parametrize("change", [{"start_ms": 1}, {"duration_ms": 251}])
def test_a_changed_time_does_not_open(change: dict[str, int]) -> None:
    header, records = taken_apart(sealed(SMALL))
    one = {"start_ms": records[1].start_ms, "duration_ms": records[1].duration_ms} | change
    records[1] = Piece(Kind.FRAGMENT, one["start_ms"], one["duration_ms"], records[1].plain)
    said, plain = opened(put_together(header, records))
    assert "record 2 does not open" in str(said)
    assert plain == b"init"


def test_a_fragment_cannot_be_made_the_end() -> None:
    """Nobody can make a cut segment look whole."""
    header, records = taken_apart(sealed(pieces(b"init", b"first", end=None)))
    records[1] = Piece(Kind.END, records[1].start_ms, records[1].duration_ms, records[1].plain)
    said, _ = opened(put_together(header, records))
    assert isinstance(said, SegmentUnreadable)


def test_an_end_that_does_not_close_the_stream_is_no_end(monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(bindings, "crypto_secretstream_xchacha20poly1305_TAG_FINAL", 0)
        file = sealed(SMALL)
    said, plain = opened(file)
    assert "record 5 is not the kind of piece that it says" in str(said)
    assert plain == b"initfirstthird"


@pytest.mark.parametrize(
    "change",
    [
        {"session": "session-2"}, {"role": "front"}, {"at": NOW + timedelta(hours=1)}, {"campus": "washington"},
        {"wrapped_key": "AAAA"}, {"wrapped_key": "?"}, {"wrapped_key": "é"}, {"stream": "AAAA"}, {"stream": "?"},
        {"stream": base64.b64encode(bytes(24)).decode()},
    ],
)  # fmt: skip
def test_a_changed_header_opens_nothing_even_when_all_hashes_are_made_to_fit(change: dict[str, object]) -> None:
    header, records = taken_apart(FILE)
    words = refusal(put_together(header.model_copy(update=change), records))
    assert "changed or damaged; nothing of it can be opened" in words


@settings(deadline=None)
@given(st.permutations(range(len(SMALL))), st.integers(1, len(SMALL)))
def test_pieces_left_out_or_in_another_order_open_only_as_far_as_they_are_in_place(order: list[int], left: int) -> None:
    header, records = taken_apart(sealed(SMALL))
    order = order[:left]
    said, plain = opened(put_together(header, [records[one] for one in order]))
    in_place = next((at for at, one in enumerate(order) if at != one), len(order))
    assert plain == b"".join(piece.plain for piece in SMALL[:in_place])
    if order != list(range(len(SMALL))):
        assert isinstance(said, SegmentUnreadable) or not said.ended


@settings(deadline=None)
@given(st.integers(0, len(SMALL) - 1))
def test_pieces_of_two_segments_cannot_be_exchanged(which: int) -> None:
    about = facts()
    (header, records), (_, others) = (taken_apart(sealed(SMALL, about)) for _ in range(2))
    records[which] = others[which]
    said, plain = opened(put_together(header, records))
    assert f"record {which + 1} does not open" in str(said)
    assert plain == b"".join(piece.plain for piece in SMALL[:which])


def test_pieces_under_the_header_of_another_segment_do_not_open() -> None:
    (header, _), (_, others) = (taken_apart(sealed(SMALL, facts(session=name))) for name in ("session-1", "session-2"))
    assert "record 1 does not open" in refusal(put_together(header, others))


def test_bytes_after_the_end_are_told() -> None:
    said, plain = opened(FILE + b"more")
    assert plain == b"".join(PLAIN)
    assert isinstance(said, SegmentUnreadable)
    assert "there are bytes after the end: changed or damaged; only the 1.00 s before that can be opened" in str(said)


def test_a_foreign_key_is_named_with_where_it_belongs() -> None:
    other = PrivateKey.generate()
    words = refusal(sealed(SMALL, key=bytes(other.public_key)))
    id_ = key_id(bytes(other.public_key))
    assert f"it is sealed to key {id_}; put {id_}.key into keys" in words


def test_a_key_that_only_says_it_is_ours_opens_nothing() -> None:
    header, records = taken_apart(sealed(SMALL, key=bytes(PrivateKey.generate().public_key)))
    assert "does not open" in refusal(put_together(header.model_copy(update={"key_id": key_id(PUBLIC)}), records))


def test_what_is_no_segment_is_named(tmp_path: Path) -> None:
    assert "no segment" in refusal(b"\0\0\0\x18ftyp")
    assert "no segment" in refusal(b"")
    with pytest.raises(SegmentUnreadable, match=r"nowhere\.seg: cannot be read: No such file"):
        open_segment(tmp_path / "nowhere.seg", OneKey(), io.BytesIO())
    with pytest.raises(SegmentUnreadable, match="cannot be read"):
        open_segment(tmp_path, OneKey(), io.BytesIO())


# Into a file


def test_the_file_is_there_whole_or_not_at_all_and_for_its_owner_alone(tmp_path: Path) -> None:
    path, out = tmp_path / "a.seg", tmp_path / "a.mp4"
    path.write_bytes(FILE)
    open_to_file(path, OneKey(), out)
    assert out.read_bytes() == b"".join(PLAIN)
    assert stat.S_IMODE(out.stat().st_mode) == 0o600
    with pytest.raises(Refused, match=r"exists.*--force"):
        open_to_file(path, OneKey(), out)
    path.write_bytes(FILE[: ENDS[3]])
    open_to_file(path, OneKey(), out, force=True)
    assert frames(out.read_bytes()) == 8
    path.write_bytes(b"rubbish")
    with pytest.raises(SegmentUnreadable):
        open_to_file(path, OneKey(), out, force=True)
    assert frames(out.read_bytes()) == 8, "a failure leaves what was there"
    assert sorted(tmp_path.iterdir()) == [out, path]


def test_of_a_damaged_segment_the_file_holds_what_comes_before(tmp_path: Path) -> None:
    path, out = tmp_path / "a.seg", tmp_path / "a.mp4"
    file = bytearray(FILE)
    file[ENDS[3] + 100] ^= 1
    path.write_bytes(file)
    with pytest.raises(SegmentUnreadable, match=r"record 4 does not fit: changed or damaged; only the 0\.50 s"):
        open_to_file(path, OneKey(), out)
    assert frames(out.read_bytes()) == 8


def test_the_segment_itself_is_never_overwritten_nor_a_folder(tmp_path: Path) -> None:
    path = tmp_path / "a.seg"
    path.write_bytes(FILE)
    with pytest.raises(Refused, match="is the sealed segment itself"):
        open_to_file(path, OneKey(), path, force=True)
    for out in (tmp_path, tmp_path / "nowhere" / "a.mp4"):
        with pytest.raises(Refused, match="cannot be written"):
            open_to_file(path, OneKey(), out, force=True)
    assert path.read_bytes() == FILE
    assert list(tmp_path.iterdir()) == [path]


# The keys


def test_keys_are_private_files_and_the_newest_is_current(tmp_path: Path) -> None:
    keys = SegmentKeys(tmp_path / "segment-keys")
    assert keys.current() is None
    old, new = keys.make(NOW), keys.make(NOW + timedelta(days=1))
    older = keys.make(NOW - timedelta(days=1))
    os.utime(tmp_path / "segment-keys" / f"{new.id}.key", (0, 0))  # as a copy from a backup may have it
    current = SegmentKeys(tmp_path / "segment-keys").current()
    assert current is not None
    assert current.public == new.public
    for key in (old, new, older):
        path = tmp_path / "segment-keys" / f"{key.id}.key"
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        assert base64.b64decode(path.read_text().splitlines()[0]) == bytes(key.private)
        found = keys.find(key.id)
        assert found is not None
        assert bytes(found.private) == bytes(key.private)
    assert stat.S_IMODE((tmp_path / "segment-keys").stat().st_mode) == 0o700
    assert keys.find("0" * 16) is None
    assert len(list((tmp_path / "segment-keys").iterdir())) == 3


def test_an_old_key_goes_on_opening(tmp_path: Path) -> None:
    keys = SegmentKeys(tmp_path / "keys")
    old = keys.make(NOW)
    (tmp_path / "a.seg").write_bytes(sealed(SMALL, key=fleet_key(old.public)))
    keys.make(NOW + timedelta(days=1))
    out = io.BytesIO()
    assert open_segment(tmp_path / "a.seg", keys, out).ended
    assert out.getvalue() == b"".join(piece.plain for piece in SMALL)


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o644, 0o610, 0o602])
def test_a_key_that_others_may_use_is_refused_with_the_way_out(tmp_path: Path, mode: int) -> None:
    """F7."""
    keys = SegmentKeys(tmp_path)
    key = keys.make(NOW)
    path = tmp_path / f"{key.id}.key"
    path.chmod(mode)
    for use in (keys.current, lambda: keys.find(key.id)):
        with pytest.raises(SettingsUnusable, match=f"{path}: .*`chmod 600 {path}`"):
            use()
    path.chmod(0o600)
    assert keys.current() == keys.find(key.id) == key


@pytest.mark.parametrize(
    "text", [b"", b"AAAA\n", b"AAAA\n2026-03-02T09:00:00+00:00\n", b"\xff\n\n", b"?\n2026-03-02T09:00:00+00:00\n"]
)
def test_a_file_that_is_no_key_is_named(tmp_path: Path, text: bytes) -> None:
    path = tmp_path / "0123456789abcdef.key"
    path.touch(0o600)
    path.write_bytes(text)
    with pytest.raises(SettingsUnusable, match=f"{path}: not a segment key"):
        SegmentKeys(tmp_path).current()


def test_a_key_under_another_name_is_refused(tmp_path: Path) -> None:
    key = SegmentKeys(tmp_path).make(NOW)
    (tmp_path / f"{key.id}.key").rename(tmp_path / "0123456789abcdef.key")
    with pytest.raises(SettingsUnusable, match="another key than its name says"):
        SegmentKeys(tmp_path).find("0123456789abcdef")


def test_a_key_half_written_by_a_crash_is_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """F5."""

    class PowerCut(BaseException):
        pass

    def cut(*_: object) -> None:
        raise PowerCut

    for name in ("fsync", "rename"):
        with monkeypatch.context() as patch:
            patch.setattr(os, name, cut)
            with pytest.raises(PowerCut):
                SegmentKeys(tmp_path).make(NOW)
    assert SegmentKeys(tmp_path).current() is None
    assert SegmentKeys(tmp_path).make(NOW) == SegmentKeys(tmp_path).current()


def test_a_folder_for_keys_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "keys").write_bytes(b"")
    with pytest.raises(SettingsUnusable, match="the key cannot be written"):
        SegmentKeys(tmp_path / "keys").make(NOW)


# From the command line


def carrel_fleet(*arguments: str) -> "subprocess.CompletedProcess[bytes]":
    return subprocess.run([sys.executable, "-m", "fleet.cli", *arguments], capture_output=True, timeout=60, check=False)


def test_a_segment_is_opened_from_the_command_line(tmp_path: Path) -> None:
    config = tmp_path / "fleet.toml"
    config.write_text('data_dir = "data"\n')
    here = ("--config", str(config))
    printed = carrel_fleet("segment-key", *here).stdout
    assert carrel_fleet("segment-key", *here).stdout == printed
    path = tmp_path / "one.seg"
    sealer = Sealer(facts(role="front"), fleet_key(printed.decode()))
    path.write_bytes(
        sealer.header + b"".join(sealer.seal(one.kind, one.start_ms, one.duration_ms, one.plain) for one in video())
    )
    assert carrel_fleet("segment-key", "--new", *here).stdout != printed

    done = carrel_fleet("open-segment", str(path), *here)
    assert (done.returncode, done.stdout) == (0, b"")
    assert done.stderr == b"front, session session-1, 2026-03-02 09:00:00 UTC (clock synced), 1.00 s, whole\n"
    assert frames((tmp_path / "one.mp4").read_bytes()) == 16

    again = carrel_fleet("open-segment", str(path), *here)
    assert again.returncode == 1
    assert b"one.mp4 exists" in again.stderr
    assert carrel_fleet("open-segment", str(path), "--force", *here).returncode == 0

    path.write_bytes(path.read_bytes()[: ENDS[3] + 10])
    piped = carrel_fleet("open-segment", str(path), "-o", "-", *here)
    assert piped.returncode == 0
    assert frames(piped.stdout) == 8
    assert piped.stderr.endswith(b" 0.50 s, cut within record 4\n")

    path.write_bytes(b"rubbish")
    refused = carrel_fleet("open-segment", str(path), "--force", *here)
    assert (refused.returncode, refused.stdout) == (1, b"")
    [line] = refused.stderr.splitlines()
    assert line == f"carrel-fleet: {path}: no segment: it does not begin with CARRELSG".encode()
    assert not (tmp_path / "data" / "fleet.sqlite").exists()


def test_a_pipe_that_closes_is_told_in_a_line(tmp_path: Path) -> None:
    config, path = tmp_path / "fleet.toml", tmp_path / "one.seg"
    config.write_text('data_dir = "data"\n')
    key = SegmentKeys(tmp_path / "data" / "segment-keys").make(NOW)
    path.write_bytes(sealed(pieces(b"init", bytes(1_000_000)), key=fleet_key(key.public)))
    command = [sys.executable, "-m", "fleet.cli", "open-segment", str(path), "-o", "-", "--config", str(config)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()
        assert process.stderr.read() == b"carrel-fleet: standard output cannot be written: Broken pipe\n"
        assert process.wait(20) == 1
