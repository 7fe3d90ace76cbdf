"""What may come over the wire as JSON, and what is refused with one clear reason."""

import json
import math
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from wire.codec import MAX_DEPTH, MAX_PAYLOAD_BYTES, compact, decode, encode, read, validate
from wire.errors import BadPayload
from wire.ledger import row_of
from wire.messages import Echo, Health, LedgerAck, Presence
from wire.schedule import Booking

LARGEST = 2**63 - 1
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-LARGEST, LARGEST) | st.floats(allow_nan=False, allow_infinity=False)
    # every character that UTF-8 has
    | st.text(st.characters(exclude_categories=["Cs"])),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)  # fmt: skip


@settings(max_examples=60, deadline=None)
@given(st.dictionaries(st.text(max_size=8), JSON, max_size=5), st.booleans())
def test_what_json_can_say_is_read_back(value: dict[str, Any], ascii_only: bool) -> None:
    text = json.dumps(value, ensure_ascii=ascii_only)
    assert decode(text.encode()) == value
    assert decode(compact(value).encode()) == value


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=200))
def test_any_bytes_are_an_object_or_a_bad_payload(payload: bytes) -> None:
    try:
        value = decode(payload)
    except BadPayload:
        return
    assert isinstance(value, dict)


# M2 of docs/threat-model.md


@pytest.mark.parametrize(
    ("payload", "reason"),
    [
        (b"", "not JSON"),
        (b"Start!", "not JSON"),
        (b'{"a":1}x', "not JSON"),
        (b'{"a":1', "not JSON"),
        (b'\xef\xbb\xbf{"a":1}', "not JSON"),
        (b'{"a":"\xff"}', "not UTF-8 at byte 6"),
        ('{"a":"ü"}'.encode("utf-16"), "not UTF-8"),
        (b'{"a":"\xed\xa0\x80"}', "not UTF-8"),
        (b'{"a":"\x00"}', "not JSON"),
        (b'{"a":NaN}', "NaN is not JSON"),
        (b'{"a":-Infinity}', "-Infinity is not JSON"),
        (b'{"a":1e999}', "not finite"),
        (b'{"a":-1e999}', "not finite"),
        (b'{"a":1,"a":2}', "twice"),
        (b'{"a":{"b":1,"b":1}}', "twice"),
        (b'{"a":' + b"9" * 5_000 + b"}", "5000 digits"),
        (b'{"a":-' + b"9" * 5_000 + b"}", "digits"),
        (b'{"a":9223372036854775808}', "64 bits"),
        (b'{"a":9999999999999999999}', "64 bits"),
        (b"[1]", "a JSON list"),
        (b'"presence"', "a JSON str"),
        (b"null", "a JSON NoneType"),
        (b"7", "a JSON int"),
        (b'{"a":"\\ud800"}', "half a character"),
        (b'{"\\uDFFF":1}', "half a character"),
        (b'{"a":"\\ud83d\\u0041"}', "half a character"),
    ],
)
def test_what_is_no_message_is_refused_with_its_reason(payload: bytes, reason: str) -> None:
    with pytest.raises(BadPayload, match=reason):
        decode(payload)


@pytest.mark.parametrize("nest", [(b'{"a":', b"}"), (b"[", b"]")])
@pytest.mark.parametrize("depth", [MAX_DEPTH, 900, 100_000])
def test_deep_nests_are_refused_before_they_hurt_anyone(nest: tuple[bytes, bytes], depth: int) -> None:
    opens, closes = nest
    payload = (b'{"a":' + opens * depth + b"1" + closes * depth + b"}")[: MAX_PAYLOAD_BYTES]  # fmt: skip
    with pytest.raises(BadPayload, match=r"nested too deep|not JSON"):
        decode(payload)


def test_nests_as_deep_as_allowed_can_be_written_again() -> None:
    value: dict[str, Any] = {}
    for _ in range(MAX_DEPTH - 1):
        value = {"a": value}
    assert decode(compact(value).encode()) == value
    assert encode(Health.model_validate({"at": "2026-03-02T09:00:00Z", "cameras": {"front": {}}}))


def test_many_small_nests_beside_each_other_are_no_deep_nest() -> None:
    value = {"rows": [{"n": [n]} for n in range(1_000)]}
    assert decode(json.dumps(value).encode()) == value


def test_a_whole_character_from_two_halves_is_a_character() -> None:
    assert decode(b'{"a":"\\ud83d\\ude00"}') == {"a": "😀"}


def test_the_largest_numbers_that_fit_are_read() -> None:
    assert decode(f'{{"a":{LARGEST},"b":{-LARGEST}}}'.encode()) == {"a": LARGEST, "b": -LARGEST}


# M3


def test_ten_megabytes_are_refused_by_size() -> None:
    with pytest.raises(BadPayload, match="10000000 bytes, more than the 262144"):
        decode(b"[" * 10_000_000)


def test_the_largest_payload_allowed_is_read() -> None:
    head, tail = b'{"a":"', b'"}'
    text = b"x" * (MAX_PAYLOAD_BYTES - len(head) - len(tail))
    assert len(decode(head + text + tail)["a"]) == len(text)
    with pytest.raises(BadPayload, match="bytes"):
        decode(head + text + b"x" + tail)


# Models


def test_what_does_not_fit_its_model_is_named() -> None:
    with pytest.raises(BadPayload, match="birth"):
        read(Presence, b'{"state":"online","birth":0,"boot":"b","version":"1"}')
    with pytest.raises(BadPayload, match="state"):
        validate(Presence, {"birth": 1, "boot": "b", "version": "1"})
    with pytest.raises(BadPayload, match="students"):
        validate(Booking, {"id": "b-1", "start": "2026-03-02T09:00:00Z", "planned_ms": 1, "therapist": "th-lane",
                           "students": ["s-1234567"]})  # fmt: skip


@pytest.mark.parametrize("number", ['"99999999999999999999"', '"-99999999999999999999"'])
def test_a_number_written_as_text_is_held_to_64_bits_too(number: str) -> None:
    with pytest.raises(BadPayload, match=r"64 bits|greater than"):
        read(LedgerAck, f'{{"epoch":"e","through":{number}}}'.encode())
    with pytest.raises(BadPayload, match=r"64 bits|greater than"):
        read(Echo, f'{{"from":"kiosk","n":{number}}}'.encode())


@pytest.mark.parametrize("body", ["", "{}", "[]", "ü", '{"seq":1}', '{"seq":0,"type":"help.asked"}'])
def test_a_body_that_is_no_row_is_a_bad_payload(body: str) -> None:
    with pytest.raises(BadPayload):
        row_of(body)


def test_what_cannot_be_known_goes_out_as_null() -> None:
    health = Health.model_validate({"at": "2026-03-02T09:00:00Z", "temperature_c": math.nan})
    assert decode(encode(health))["temperature_c"] is None


def test_a_stored_text_holds_no_number_that_json_has_not() -> None:
    with pytest.raises(ValueError, match="JSON"):
        compact({"a": math.inf})
