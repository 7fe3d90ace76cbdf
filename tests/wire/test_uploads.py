"""The messages of an upload: bounded, and what a receipt signs is the same text for ever."""

from typing import Any

import pytest

from wire.codec import encode, read, validate
from wire.errors import BadPayload
from wire.uploads import MOST_BYTES, Receipt, TicketState, UploadRequest, UploadTicket

SEGMENT = "0c6e1b1e-5d1f-4a57-9f6f-0d7a2f9a4a10"
ASKED: dict[str, Any] = {
    "segment": SEGMENT, "bytes": 4_194_304, "hash": "9a" * 32, "row": 43,
    "epoch": "5f0f3a51-3a2b-5c4e-9a57-6f0f9f0e2c11",
}  # fmt: skip
RECEIPT = Receipt(
    kiosk="lincoln-12", segment=SEGMENT, hash="9a" * 32, bytes=4_194_304, stored_at="2026-11-24T09:00:00+00:00"
)


def test_golden_messages_are_read_for_ever() -> None:
    golden = (
        b'{"segment":"0c6e1b1e-5d1f-4a57-9f6f-0d7a2f9a4a10","bytes":4194304,"hash":"' + b"9a" * 32 + b'",'
        b'"epoch":"5f0f3a51-3a2b-5c4e-9a57-6f0f9f0e2c11","row":43}'
    )
    assert encode(UploadRequest.model_validate(ASKED)) == golden
    assert read(UploadRequest, golden[:-1] + b',"later":true}') == UploadRequest.model_validate(ASKED)
    ticket = read(
        UploadTicket, b'{"segment":"%s","hash":"%s","state":"refused","reason":"x"}' % (SEGMENT.encode(), b"9a" * 32)
    )
    assert (ticket.state, ticket.url, ticket.receipt) == (TicketState.REFUSED, None, None)


def test_what_a_receipt_signs_is_every_field_but_the_signature() -> None:
    assert RECEIPT.signed_text() == (
        f"carrel segment receipt 1\nlincoln-12\n{SEGMENT}\n{'9a' * 32}\n4194304\n2026-11-24T09:00:00+00:00"
    )
    assert RECEIPT.model_copy(update={"signature": "x"}).signed_text() == RECEIPT.signed_text()
    for name, value in {
        "kiosk": "lincoln-4",
        "segment": SEGMENT[::-1],
        "hash": "0" * 64,
        "bytes": 1,
        "stored_at": "",
    }.items():
        assert RECEIPT.model_copy(update={name: value}).signed_text() != RECEIPT.signed_text()


@pytest.mark.parametrize(
    "change",
    [
        {"segment": "../../etc/passwd"}, {"segment": SEGMENT + "\n"}, {"segment": SEGMENT.upper()}, {"bytes": 0},
        {"bytes": MOST_BYTES + 1}, {"hash": "9A" * 32}, {"hash": ""}, {"row": 0}, {"epoch": "x" * 36},
    ],
)  # fmt: skip
def test_what_does_not_fit_is_no_request(change: dict[str, Any]) -> None:
    with pytest.raises(BadPayload):
        validate(UploadRequest, ASKED | change)
