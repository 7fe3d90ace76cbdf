"""Recordings that kiosks may not send so: what is refused over MQTT and over HTTP."""

import base64
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fleet.errors import NotSignedIn
from fleet.segment_store import FolderStore, StoreFails
from fleet.upload_tickets import Grant, granted, token
from tests.fleet.calling import Caller
from tests.fleet.sending import PATH, Sending, announced, no_segment
from tests.fleet.test_api import problem
from tests.fleet.world import BEGAN, Fleet, Kiosk, running_fleet
from wire.topics import Channel
from wire.uploads import MOST_CHUNK_BYTES


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"row": 4_000}, "row-unknown"),
        ({"row": 1}, "other-row"),
        ({"hash": "0" * 64}, "other-row"),
        ({"bytes": 17}, "other-row"),
        ({"segment": no_segment()}, "other-row"),
        ({"epoch": "0" * 8 + "-0000-0000-0000-" + "0" * 12}, "row-unknown"),
    ],
)
def test_only_what_the_ledger_tells_of_is_taken(sending: Sending, change: dict[str, Any], reason: str) -> None:
    ticket = sending.ask(change.pop("row", None), **change)
    assert (ticket["state"], ticket["reason"]) == ("refused", reason)
    assert "token" not in ticket


def test_no_kiosk_takes_anothers_segment(fleet: Fleet, sending: Sending) -> None:
    other = Kiosk(id="lincoln-4")
    theirs = Sending(fleet, sending.client, other, sending.file)
    row = theirs.write(other.press())
    fleet.take(other.is_born(), other.sends())
    assert theirs.ask(row)["reason"] == "another-kiosks"


def test_pictures_go_over_https_only_but_on_this_machine(tmp_path: Path, client: httpx.Client, kiosk: Kiosk) -> None:
    for number, (url, state) in enumerate(
        [("http://fleet.example", "refused"), ("https://fleet.example", "send"), ("http://127.0.0.1:8000", "send")]
    ):
        folder = tmp_path / str(number)
        folder.mkdir()
        with running_fleet(folder, upload_url=url) as fleet:
            ticket = announced(fleet, client, Kiosk()).ticket
            assert ticket["state"] == state
            assert ticket.get("reason") == ("no-address" if state == "refused" else None)


def test_a_request_that_was_retained_or_does_not_fit_is_let_fall(fleet: Fleet, sending: Sending) -> None:
    before = len(fleet.post.to(sending.kiosk, Channel.UPLOAD_TICKET))
    asked = sending.request(sending.kiosk.head)
    fleet.take(sending.kiosk.says(Channel.UPLOAD, asked, retained=True))
    fleet.take(sending.kiosk.says(Channel.UPLOAD, b'{"segment":"../../etc/passwd","bytes":1}'))
    assert len(fleet.post.to(sending.kiosk, Channel.UPLOAD_TICKET)) == before
    assert fleet.dropped("malformed") == 1


def test_a_token_is_for_its_kiosk_segment_and_quarter_of_an_hour(
    fleet: Fleet, client: httpx.Client, sending: Sending
) -> None:
    sending.create()
    other = announced(fleet, client, sending.kiosk, "")
    other.ticket, mine = sending.ticket, other.ticket
    assert problem(other.patch(0, other.file[:100]), 403)["detail"] == "This token is for another segment."
    other.ticket = mine
    for text in ("x", "a.b", f"{mine['token'][:-2]}AA", mine["token"].upper(), "é", "." * 3_000):
        answer = client.head(
            sending.address, headers={b"Tus-Resumable": b"1.0.0", b"Authorization": f"Bearer {text}".encode()}
        )
        assert answer.status_code == 401
    fleet.clock.pass_(15 * 60)
    assert sending.patch(0, sending.file[:100]).status_code == 401
    assert sending.part.stat().st_size == 0
    sending.ask()
    sending.send()


def test_people_have_no_way_in(caller: Caller, sending: Sending) -> None:
    ticket = sending.ticket["token"]
    for told in (caller.token(), {}, {"Authorization": "Bearer"}, {"Authorization": f"Basic {ticket}"}):
        assert sending.client.head(sending.address, headers={"Tus-Resumable": "1.0.0", **told}).status_code == 401


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 400), st.integers(1, 255))
def test_a_token_with_any_other_byte_is_none(at: int, turn: int) -> None:
    secret = b"s" * 32
    grant = Grant(kiosk="lincoln-12", segment=no_segment(), hash="0" * 64, bytes=7, until=BEGAN)
    text = bytearray(token(secret, grant).encode())
    assert granted(secret, text.decode(), BEGAN - timedelta(seconds=1)) == grant
    text[at % len(text)] = (text[at % len(text)] ^ turn) % 128
    if text.decode() != token(secret, grant):
        with pytest.raises(NotSignedIn):
            granted(secret, text.decode(), BEGAN - timedelta(seconds=1))
    with pytest.raises(NotSignedIn):
        granted(b"t" * 32, token(secret, grant), BEGAN - timedelta(seconds=1))


def test_offset_length_and_type_have_to_fit(sending: Sending) -> None:
    size = len(sending.file)
    assert problem(sending.create(Upload_Length=str(size + 1)), 400)
    assert problem(sending.create(Upload_Length="many"), 400)
    assert sending.head().status_code == 404
    assert problem(sending.patch(0, b"x"), 404)
    sending.create()
    sending.patch(0, sending.file[:1_000])
    for offset in (0, 999, 1_001, size):
        answer = sending.patch(offset, b"x")
        assert problem(answer, 409)
        assert answer.headers["Upload-Offset"] == "1000"
    assert problem(sending.patch(1_000, sending.file[1_000:] + b"more"), 413)
    assert problem(sending.patch(1_000, b"x", Content_Type="application/json"), 415)
    assert problem(sending.patch(1_000, b"x", Upload_Offset="-1"), 400)
    assert problem(sending.patch(1_000, b"x", Tus_Resumable="0.2.2"), 412)
    assert sending.part.read_bytes() == sending.file[:1_000]


def test_a_longer_body_than_announced_is_refused_though_it_announces_nothing(sending: Sending) -> None:
    sending.create()

    def chunks() -> Any:
        yield sending.file
        yield b"more"

    headers = sending.headers(Content_Type="application/offset+octet-stream", Upload_Offset="0")
    answer = sending.client.patch(sending.address, content=chunks(), headers=headers)
    assert problem(answer, 413)
    assert sending.part.stat().st_size == 0


def test_no_piece_is_larger_than_a_mebibyte(fleet: Fleet, client: httpx.Client, kiosk: Kiosk) -> None:
    large = announced(fleet, client, kiosk, size_bytes=MOST_CHUNK_BYTES + 400_000)
    large.create()
    assert large.patch(0, large.file[: MOST_CHUNK_BYTES + 1]).status_code == 413
    assert large.patch(0, large.file[:MOST_CHUNK_BYTES]).status_code == 204


@pytest.mark.parametrize("kind", ["sha256", "sha1"])
def test_a_checksum_that_does_not_fit_keeps_nothing(sending: Sending, kind: str) -> None:
    sending.create()
    wrong = base64.b64encode(b"w" * (32 if kind == "sha256" else 20)).decode()
    assert problem(sending.patch(0, b"x" * 100, Upload_Checksum=f"{kind} {wrong}"), 460)
    assert problem(sending.patch(0, b"x" * 100, Upload_Checksum="md5 AAAA"), 400)
    assert problem(sending.patch(0, b"x" * 100, Upload_Checksum=f"{kind} not-base64"), 400)
    assert sending.part.stat().st_size == 0


def test_the_whole_has_to_be_what_was_announced(sending: Sending) -> None:
    changed = bytearray(sending.file)
    changed[-40] ^= 1
    sending.create()
    answer = sending.patch(0, bytes(changed))
    assert "not what was announced" in problem(answer, 422)["detail"]
    assert not sending.part.exists()
    assert not sending.stored.exists()
    sending.send()  # and from the beginning it can be sent


@pytest.mark.parametrize("name", ["..%2f..%2fetc%2fpasswd", "%2e%2e", "a" * 300, "x.seg", "%00", "..", "A" * 36])
def test_no_name_leads_out_of_the_folder(fleet: Fleet, sending: Sending, name: str) -> None:
    before = {path for path in fleet.parts.settings.data_dir.rglob("*") if path.is_file()}
    for method in ("HEAD", "PATCH", "DELETE"):
        answer = sending.client.request(method, f"{PATH}/{name}", headers=sending.headers())
        assert answer.status_code in {403, 404, 405}
    assert {path for path in fleet.parts.settings.data_dir.rglob("*") if path.is_file()} == before
    with pytest.raises(StoreFails):
        FolderStore(fleet.parts.settings.segments_dir).begin("../x")


def test_termination_lets_go_what_is_unfinished_and_keeps_what_is_whole(sending: Sending) -> None:
    sending.create()
    sending.patch(0, sending.file[:1_000])
    assert sending.client.delete(sending.address, headers=sending.headers()).status_code == 204
    assert not sending.part.exists()
    assert sending.head().status_code == 404
    sending.send()
    assert sending.client.delete(sending.address, headers=sending.headers()).status_code == 204
    assert sending.stored.read_bytes() == sending.file
