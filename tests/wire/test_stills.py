"""What may be asked of a still, and that the largest one fits a message."""

import base64
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from nacl.public import PrivateKey, SealedBox

from wire.codec import MAX_PAYLOAD_BYTES, decode, encode, validate
from wire.errors import BadPayload
from wire.messages import Reply
from wire.stills import MAX_JPEG_BYTES, StillReply, hash_of, sharp_enough, unfit, whole

FIGURES: dict[str, Any] = {
    "role": "overhead", "view": "worksheet", "origin": "mat", "px_per_mm": 3.94, "width_px": 1182, "height_px": 1734,
    "bytes": 171_204, "hash": "9a" * 32, "sharp": True, "session": "s-1", "captured_at": "2026-03-02T09:05:03Z",
    "key_id": "0123456789abcdef", "sealed": "AAAA",
}  # fmt: skip


def test_the_largest_still_fits_a_message_sealed_and_with_the_longest_of_words() -> None:
    jpeg = b"\xff" * MAX_JPEG_BYTES
    sealed = base64.b64encode(SealedBox(PrivateKey.generate().public_key).encrypt(jpeg)).decode()
    told = StillReply(
        role="r" * 40, view="v" * 40, origin="o" * 40, px_per_mm=3.141592653589793, width_px=10_000, height_px=10_000,
        bytes=len(jpeg), hash=hash_of(jpeg), sharp=True, session="s" * 40, captured_at=datetime.now(UTC),
        key_id="0" * 16, sealed=sealed,
    )  # fmt: skip
    reply = Reply(id="i" * 64, ok=True, result=told.model_dump(mode="json"), detail="d" * 200)
    assert len(encode(reply)) <= MAX_PAYLOAD_BYTES
    assert decode(encode(reply))["result"]["sealed"] == sealed


@pytest.mark.parametrize("args", [{}, {"role": "overhead"}, {"view": "worksheet"}, whole({})])
def test_what_may_be_asked_for(args: dict[str, Any]) -> None:
    assert unfit(args) is None
    assert whole(args) == {"role": "overhead", "view": "worksheet"}


@pytest.mark.parametrize(
    ("args", "words"),
    [
        ({"role": "front"}, "child's face"),
        ({"role": "side"}, "'overhead'"),
        ({"role": None}, "'overhead'"),
        ({"role": ["overhead"]}, "'overhead'"),
        ({"view": "picture"}, "'worksheet'"),
        ({"zoom": 4}, "takes no 'zoom'"),
    ],
)
def test_what_may_not(args: dict[str, Any], words: str) -> None:
    assert words in (unfit(args) or "")


@given(st.dictionaries(st.sampled_from(["role", "view", "zoom", ""]), st.one_of(st.none(), st.text(), st.integers())))
def test_nothing_but_the_desks_worksheet_is_ever_taken(args: dict[str, Any]) -> None:
    assert (unfit(args) is None) is (args.items() <= whole({}).items())


@pytest.mark.parametrize(
    "change",
    [
        {"px_per_mm": 0}, {"px_per_mm": -1.0}, {"px_per_mm": 1e9}, {"width_px": 0}, {"height_px": 10_001}, {"bytes": 0},
        {"bytes": MAX_JPEG_BYTES + 1}, {"hash": "9A" * 32}, {"hash": "9a" * 31}, {"sealed": ""}, {"captured_at": "now"},
        {"origin": ""}, {"session": None}, {"key_id": "../../etc/passwd"},
    ],
)  # fmt: skip
def test_figures_that_cannot_be_are_refused(change: dict[str, Any]) -> None:
    assert validate(StillReply, FIGURES).px_per_mm == 3.94
    with pytest.raises(BadPayload):
        validate(StillReply, FIGURES | change)


def test_handwriting_needs_three_pixels_to_the_millimetre() -> None:
    assert sharp_enough(3.0)
    assert not sharp_enough(2.99)
    assert not sharp_enough(float("nan"))
