"""Sealing on the kiosk: what it writes tells nothing, and nothing stays with which it could be opened."""

import base64
import io
import string
import struct

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from nacl import bindings
from nacl.public import PrivateKey, SealedBox

from device.cameras.crypt import Sealer, fleet_key
from device.cameras.errors import BadKey
from tests.sealed import FLEET, PUBLIC, facts, pieces, sealed, taken_apart, video
from wire.errors import BadSegment
from wire.segments import Kind, SegmentHeader, key_id, pack_header, scan


def secret_of(header: SegmentHeader) -> bytes:
    return SealedBox(FLEET).decrypt(base64.b64decode(header.wrapped_key))


def opened(file: bytes) -> list[bytes]:
    """The pieces in a file, opened with nothing but libsodium and the form as it is written down."""
    header, records = taken_apart(file)
    _, header_hash = pack_header(header)
    state = bindings.crypto_secretstream_xchacha20poly1305_state()
    stream = base64.b64decode(header.stream)
    bindings.crypto_secretstream_xchacha20poly1305_init_pull(state, stream, secret_of(header))
    plains = []
    for record in records:
        bound = header_hash + struct.pack(">BII", record.kind, record.start_ms, record.duration_ms)
        plain, tag = bindings.crypto_secretstream_xchacha20poly1305_pull(state, record.plain, bound)
        is_final = tag == bindings.crypto_secretstream_xchacha20poly1305_TAG_FINAL
        assert is_final is (record.kind is Kind.END)
        plains.append(plain)
    return plains


def test_a_sealed_file_holds_no_plain_piece_of_the_video() -> None:
    file = sealed(video())
    plain = b"".join(piece.plain for piece in video())
    assert len(file) > len(plain) > 40_000
    for piece in video():
        assert piece.plain[4:8] in {b"ftyp", b"moof", b"mfra"}
        assert piece.plain[:8] not in file
    windows = {plain[at : at + 16] for at in range(len(plain) - 15)}
    assert not any(file[at : at + 16] in windows for at in range(len(file) - 15))


def test_the_fleet_opens_each_piece_bound_to_what_is_said_in_clear() -> None:
    assert opened(sealed(video())) == [piece.plain for piece in video()]


def test_the_header_says_the_facts_and_the_key() -> None:
    about = facts(booking="booking-7", role="front")
    header, _ = taken_apart(sealed(video(), about))
    assert type(about).model_validate(header.model_dump()) == about
    assert header.key_id == key_id(PUBLIC)


@settings(deadline=None)
@given(st.lists(st.binary(max_size=300), min_size=1, max_size=6), st.booleans())
def test_hash_and_length_are_those_of_the_file_at_any_time(plains: list[bytes], with_end: bool) -> None:
    sealer = Sealer(facts(), PUBLIC)
    file = sealer.header
    for one in pieces(*plains, end=b"" if with_end else None):
        file += sealer.seal(one.kind, one.start_ms, one.duration_ms, one.plain)
        found = scan(io.BytesIO(file))
        assert (found.hash, found.good_bytes, found.damage) == (sealer.hash, sealer.bytes_out, None)
    assert found.ended is with_end


def test_nothing_is_kept_with_which_this_kiosk_could_open_it() -> None:
    sealer = Sealer(facts(), PUBLIC)
    secret = secret_of(scan(io.BytesIO(sealer.header)).header)
    kept = [value for value in vars(sealer).values() if isinstance(value, bytes)]
    assert secret not in b"".join(kept)
    assert secret not in bytes(sealer._state.statebuf)


def test_each_segment_has_its_own_key_even_of_the_same_facts() -> None:
    about = facts()
    first, second = (taken_apart(sealed(video(), about)) for _ in range(2))
    assert secret_of(first[0]) != secret_of(second[0])
    assert first[1][1].plain != second[1][1].plain


def test_pieces_go_in_their_order_and_none_after_the_end() -> None:
    sealer = Sealer(facts(), PUBLIC)
    with pytest.raises(BadSegment, match="FRAGMENT cannot come after the header"):
        sealer.seal(Kind.FRAGMENT, 0, 250, b"")
    sealer.seal(Kind.INIT, 0, 0, b"init")
    sealer.seal(Kind.END, 0, 0, b"")
    with pytest.raises(BadSegment, match="FRAGMENT cannot come after END"):
        sealer.seal(Kind.FRAGMENT, 0, 250, b"")


def test_a_piece_that_was_refused_changes_nothing() -> None:
    sealer = Sealer(facts(), PUBLIC)
    file = sealer.header + sealer.seal(Kind.INIT, 0, 0, b"init")
    with pytest.raises(BadSegment, match="-1 ms"):
        sealer.seal(Kind.FRAGMENT, -1, 250, b"")
    with pytest.raises(BadSegment, match="67108865 bytes"):
        sealer.seal(Kind.FRAGMENT, 0, 250, bytes(64 * 1024 * 1024 + 1))
    file += sealer.seal(Kind.FRAGMENT, 0, 250, b"pictures")
    assert scan(io.BytesIO(file)).hash == sealer.hash
    assert opened(file) == [b"init", b"pictures"]


def test_a_key_is_read_from_a_line_of_base64() -> None:
    assert fleet_key(f" {base64.b64encode(PUBLIC).decode()}\n") == PUBLIC


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "0 bytes instead of 32"),
        ("not a key!", "not base64"),
        ("schlüssel", "not base64"),
        (base64.b64encode(PUBLIC[:31]).decode(), "31 bytes instead of 32"),
        (base64.b64encode(bytes(32)).decode(), "is not a key"),
        (base64.b64encode(b"\1" + bytes(31)).decode(), "is not a key"),
        (base64.b64encode(bytes(PrivateKey.generate()) * 2).decode(), "64 bytes instead of 32"),
        (string.printable, "not base64"),
    ],
    ids=[
        "none",
        "words",
        "letters",
        "short",
        "zero",
        "one",
        "long",
        "anything",
    ],  # a fresh key has another text each time
)
def test_what_is_no_key_is_refused_with_what_to_do(text: str, words: str) -> None:
    with pytest.raises(BadKey, match=f"{words}.*carrel-fleet segment-key"):
        fleet_key(text)


def test_nothing_is_sealed_for_what_is_no_key() -> None:
    with pytest.raises(BadKey):
        Sealer(facts(), bytes(32))
