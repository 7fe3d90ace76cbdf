"""Recordings that kiosks send: asked for over MQTT, sent by tus, whole or not at all, signed for, destroyed in time."""

import base64
import errno
import fcntl
import json
import os
import resource
import socket
import stat
import subprocess
import sys
import threading
import time
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from nacl.signing import SigningKey

from device import receipts
from device.errors import UploadTrouble
from fleet import upload_keys
from fleet.errors import NotSignedIn, SettingsUnusable
from fleet.segment_store import Busy, FolderStore, OtherOffset, StoreFails, StoreFull
from fleet.store import audit
from fleet.upload_tickets import Grant, granted, token
from fleet.uploads import Uploads
from tests.fleet.calling import Caller
from tests.fleet.sending import PATH, Sending, announced, no_segment, receipt, segment
from tests.fleet.test_api import problem
from tests.fleet.world import BEGAN, Fleet, Kiosk, running_fleet
from wire.topics import Channel
from wire.uploads import MOST_CHUNK_BYTES


@pytest.fixture
def client(caller: Caller) -> httpx.Client:
    return caller.client


@pytest.fixture
def sending(fleet: Fleet, client: httpx.Client, kiosk: Kiosk) -> Sending:
    return announced(fleet, client, kiosk)


def listed(caller: Caller, sending: Sending) -> dict[str, Any]:
    with sending.fleet.database.read() as connection:
        query = f"select session from segments where id = '{sending.id}'"
        session = connection.exec_driver_sql(query).scalar_one()
    answer = caller.get(f"/api/v1/sessions/{session}/segments")
    assert answer.status_code == 200, answer.text
    (one,) = (one for one in answer.json()["items"] if one["id"] == sending.id)
    return dict(one)


def is_true(fleet: Fleet, sending: Sending, answer: httpx.Response) -> bool:
    key = receipts.receipt_key(upload_keys.receipt_public(fleet.parts.settings.data_dir))
    asked = sending.request(1)
    receipts.require(receipt(answer), key, sending.kiosk.id, asked.segment, asked.hash, asked.bytes)
    return True


# The way that is meant


def test_a_segment_is_sent_in_pieces_and_signed_for(fleet: Fleet, caller: Caller, sending: Sending) -> None:
    assert sending.ticket["state"] == "send"
    assert sending.ticket["url"] == f"{fleet.parts.settings.kiosk_url}{PATH}"
    assert sending.create().headers["Location"] == f"{sending.ticket['url']}/{sending.id}"
    assert sending.head().headers["Upload-Offset"] == "0"
    assert listed(caller, sending)["state"] == "arriving"
    sending.send()
    assert sending.stored.read_bytes() == sending.file
    assert not sending.part.exists()
    assert stat.S_IMODE(sending.stored.stat().st_mode) == 0o600
    whole = sending.head()
    assert whole.headers["Upload-Offset"] == whole.headers["Upload-Length"] == str(len(sending.file))
    assert is_true(fleet, sending, whole)
    said = listed(caller, sending)
    assert (said["state"], said["bytes"], said["role"]) == ("stored", len(sending.file), "overhead")
    assert said["started_at"].startswith(BEGAN.isoformat()[:19])


def test_completing_twice_gives_the_same_receipt_and_so_does_asking_again(fleet: Fleet, sending: Sending) -> None:
    first = sending.send()
    again = sending.patch(len(sending.file), b"")
    assert again.status_code == 204
    assert receipt(again) == first
    ticket = sending.ask()
    assert ticket["state"] == "stored"
    assert ticket["receipt"] == json.loads(first.model_dump_json())
    assert sending.stored.read_bytes() == sending.file


def test_what_was_whole_when_the_fleet_died_is_completed_by_an_empty_piece(fleet: Fleet, sending: Sending) -> None:
    sending.create()
    store = fleet.parts.uploads.segments
    store.append(sending.id, 0, sending.file)
    store.finish(sending.id)  # it had its name, and the row was not written
    assert sending.head().headers["Upload-Offset"] == str(len(sending.file))
    assert is_true(fleet, sending, sending.patch(len(sending.file), b""))


def test_the_server_says_what_it_knows(client: httpx.Client) -> None:
    for path in (PATH, f"{PATH}/{no_segment()}"):
        told = client.options(path).headers
        assert told["Tus-Version"] == told["Tus-Resumable"] == "1.0.0"
        assert told["Tus-Extension"] == "creation,checksum,termination"
        assert told["Tus-Checksum-Algorithm"] == "sha256,sha1"


def test_a_stored_segment_opens_by_its_id(fleet: Fleet, sending: Sending, tmp_path: Path) -> None:
    sending.send()
    config = tmp_path / "fleet.toml"
    config.write_text(f'data_dir = "{fleet.parts.settings.data_dir}"\n')
    command = [sys.executable, "-m", "fleet.cli", "open-segment", sending.id, "--config", str(config), "-o", "-"]
    done = subprocess.run(command, capture_output=True, check=False, cwd=tmp_path)
    assert b"it is sealed to key" in done.stderr, "it was found, and is sealed to the test's own key"


# What is refused over MQTT


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


# What is refused over HTTP


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


# Many at once, and trouble


def test_of_two_connections_one_wins(tmp_path: Path) -> None:
    store, name = FolderStore(tmp_path), no_segment()
    store.begin(name)
    with (tmp_path / f"{name}.part").open("r+b") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        with pytest.raises(Busy):
            store.append(name, 0, b"x")
    assert store.append(name, 0, b"x") == 1
    with pytest.raises(OtherOffset):
        store.append(name, 0, b"x")


def test_two_that_race_leave_every_byte_once(fleet: Fleet, sending: Sending) -> None:
    sending.create()
    statuses: list[int] = []

    def race() -> None:
        with httpx.Client(base_url=sending.client.base_url, timeout=30) as own:
            offset = 0
            while offset < len(sending.file):
                mine = Sending(fleet, own, sending.kiosk, sending.file, sending.ticket)
                answer = mine.patch(offset, sending.file[offset : offset + 20_000])
                statuses.append(answer.status_code)
                offset = int(mine.head().headers["Upload-Offset"])

    threads = [threading.Thread(target=race) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert set(statuses) <= {204, 409, 423}
    assert statuses.count(204) >= len(sending.file) // 20_000
    assert sending.stored.read_bytes() == sending.file


def test_a_hundred_slow_connections_hold_up_nobody(sending: Sending) -> None:
    sending.create()
    url = sending.client.base_url
    slow = []
    try:
        for _ in range(100):
            sock = socket.create_connection((url.host, url.port or 80), timeout=10)
            head = [f"PATCH {sending.address} HTTP/1.1", f"Host: {url.host}", "Content-Length: 50000",
                    *(f"{name}: {value}" for name, value in sending.headers(
                        Content_Type="application/offset+octet-stream", Upload_Offset="0").items())]  # fmt: skip
            sock.sendall("\r\n".join([*head, "", "x"]).encode())
            slow.append(sock)
        sending.send()
    finally:
        for sock in slow:
            sock.close()
    assert sending.stored.read_bytes() == sending.file


def test_half_a_piece_counts_as_far_as_it_came_unless_it_had_a_checksum(sending: Sending) -> None:
    sending.create()
    url = sending.client.base_url
    for checksum, kept in (("sha256 AAAA", 0), (None, 500)):
        told = {"Content_Type": "application/offset+octet-stream", "Upload_Offset": "0"}
        told |= {"Upload_Checksum": checksum} if checksum else {}
        with socket.create_connection((url.host, url.port or 80), timeout=10) as sock:
            lines = [f"PATCH {sending.address} HTTP/1.1", f"Host: {url.host}", "Content-Length: 1000"]
            lines += [f"{name}: {value}" for name, value in sending.headers(**told).items()]
            sock.sendall("\r\n".join([*lines, "", ""]).encode() + sending.file[:500])
            time.sleep(0.5)  # it is read
            sock.shutdown(socket.SHUT_WR)
            sock.recv(1)
        waited = threading.Event()
        for _ in range(200):
            if sending.part.stat().st_size == kept and kept:
                break
            waited.wait(0.01 if kept else 0.002)
        assert sending.part.read_bytes() == sending.file[:kept]


def test_a_full_disk_is_said_and_keeps_what_is_whole(sending: Sending) -> None:
    """The disk's own refusal, by a limit on the size of files: to a program it looks like a full disk."""
    sending.create()
    assert sending.patch(0, sending.file[:50_000]).status_code == 204
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (80_000, hard))
    try:
        answer = sending.patch(50_000, sending.file[50_000:150_000])
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert "no room" in problem(answer, 507)["detail"]
    assert sending.part.read_bytes() == sending.file[:50_000], "half a piece is none"
    assert sending.head().headers["Upload-Offset"] == "50000"
    sending.patch(50_000, sending.file[50_000:])
    assert sending.stored.read_bytes() == sending.file


def test_full_is_told_from_failing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store, name = FolderStore(tmp_path), no_segment()
    store.begin(name)
    for number, error in ((errno.ENOSPC, StoreFull), (errno.EIO, StoreFails)):

        def refuse(_fd: int, number: int = number) -> None:
            raise OSError(number, os.strerror(number))

        with monkeypatch.context() as patch:
            patch.setattr(os, "fsync", refuse)
            with pytest.raises(error):
                store.append(name, 0, b"x" * 10)
        assert store.offset(name) == 0


def test_what_never_came_whole_is_let_go_after_a_week(fleet: Fleet, sending: Sending) -> None:
    sending.create()
    sending.patch(0, sending.file[:1_000])
    old = sending.part.stat().st_mtime
    fleet.clock.pass_(6 * 86_400)
    fleet.settle()
    assert sending.part.exists()
    fleet.clock.pass_(2 * 86_400)
    os.utime(sending.part, (old, fleet.clock.at.timestamp() - 8 * 86_400))
    fleet.settle()
    assert not sending.part.exists()
    sending.ask()
    sending.send()


# What has to be gone


def said_wrong(fleet: Fleet, kiosk: Kiosk, session: str, **data: Any) -> None:
    first = kiosk.write("student.wrong", session, student=None, **data)
    fleet.take(kiosk.sends(first))


def gone(fleet: Fleet) -> list[tuple[str, str | None]]:
    with fleet.database.read() as connection:
        audit.verify(connection)
        return [(row.about, row.detail) for row in audit.newest(connection, 100) if row.what == "segment.destroyed"]


def on_disk(fleet: Fleet) -> bytes:
    return b"".join(path.read_bytes() for path in fleet.parts.settings.segments_dir.rglob("*") if path.is_file())


def test_not_this_student_destroys_what_came_and_what_is_coming(
    fleet: Fleet, client: httpx.Client, caller: Caller, kiosk: Kiosk
) -> None:
    session = kiosk.press()
    whole, half = (announced(fleet, client, kiosk, session) for _ in range(2))
    other = announced(fleet, client, kiosk)
    for one in (whole, other):
        one.send()
    half.create()
    half.patch(0, half.file[:100_000])
    said_wrong(fleet, kiosk, session, by="card", card=3)
    assert whole.stored.exists(), "a card destroys nothing"
    said_wrong(fleet, kiosk, session)
    assert not whole.stored.exists()
    assert not half.part.exists()
    assert on_disk(fleet) == other.file
    assert sorted(gone(fleet)) == sorted([(whole.id, "not-this-student"), (half.id, "not-this-student")])
    assert (listed(caller, whole)["state"], listed(caller, whole)["destroyed_why"]) == ("destroyed", "not-this-student")
    assert problem(half.patch(100_000, half.file[100_000:]), 410)
    assert problem(half.create(), 410)
    assert half.ask()["reason"] == "not-this-student"
    assert on_disk(fleet) == other.file


def test_a_disk_that_refuses_to_destroy_stops_nothing_and_is_asked_again(
    fleet: Fleet, sending: Sending, monkeypatch: pytest.MonkeyPatch
) -> None:
    sending.send()
    with fleet.database.read() as connection:
        session = connection.exec_driver_sql("select session from segments").scalar_one()
    unlink = Path.unlink

    def refuse(path: Path, missing_ok: bool = False) -> None:
        if path == sending.stored:
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        unlink(path, missing_ok)

    with monkeypatch.context() as patch:
        patch.setattr(Path, "unlink", refuse)
        said_wrong(fleet, sending.kiosk, session)
        assert sending.stored.exists()
        assert gone(fleet) == [], "what is still there is not called destroyed"
        assert fleet.acks(sending.kiosk)[-1]["through"] == sending.kiosk.head
    fleet.clock.pass_(3_601)
    fleet.settle()
    assert not sending.stored.exists()
    assert gone(fleet) == [(sending.id, "not-this-student")]


def test_nothing_comes_in_of_a_session_that_is_known_to_be_of_another(fleet: Fleet, client: httpx.Client) -> None:
    kiosk = Kiosk()
    session = kiosk.press()
    kiosk.write("student.wrong", session, student=None)
    assert announced(fleet, client, kiosk, session).ticket["reason"] == "not-this-student"


def test_a_piece_that_crosses_its_destruction_leaves_nothing(fleet: Fleet, sending: Sending) -> None:
    sending.create()
    sending.patch(0, sending.file[:-10])
    with fleet.database.read() as connection:
        session = connection.exec_driver_sql("select session from segments").scalar_one()
    grant = fleet.parts.uploads.grant(sending.ticket["token"], sending.id, fleet.clock.at)
    fleet.parts.uploads.segments.append(sending.id, len(sending.file) - 10, sending.file[-10:])
    said_wrong(fleet, sending.kiosk, session)  # between the last byte and its completion
    assert problem(sending.patch(len(sending.file), b""), 410)
    assert grant.segment == sending.id
    assert on_disk(fleet) == b""


def test_a_consent_that_is_taken_back_destroys_what_came_after_it(fleet: Fleet, client: httpx.Client) -> None:
    kiosk = Kiosk()
    sent: dict[str, Sending] = {}
    for name, student, minutes in (("before", "s-0418", 0), ("after", "s-0418", 10), ("other", "s-0502", 10)):
        session = no_segment()
        kiosk.write("session.started", session, by="button", students=[student], planned_ms=None)
        one = Sending(fleet, client, kiosk, segment(kiosk, session))
        one.write(session, started_at=(BEGAN + timedelta(minutes=minutes)).isoformat())
        fleet.take(kiosk.is_born(), kiosk.sends())
        one.ask()
        one.send()
        sent[name] = one
    with fleet.database.write() as connection:
        since = BEGAN + timedelta(minutes=5)
        arguments: dict[str, Any] = {"student": "s-0418", "since": since}
        assert fleet.parts.uploads.destroy_since(connection, fleet.clock.at, "consent-revoked", **arguments) == 1
    assert [name for name, one in sent.items() if one.stored.exists()] == ["before", "other"]
    assert gone(fleet) == [(sent["after"].id, "consent-revoked")]
    with fleet.database.write() as connection, pytest.raises(ValueError, match="name a student"):
        fleet.parts.uploads.destroy_since(connection, fleet.clock.at, "consent-revoked", kiosk=kiosk.id)


# Receipts and secrets


def test_a_receipt_with_anything_changed_counts_for_nothing(fleet: Fleet, sending: Sending) -> None:
    true = sending.send()
    key = receipts.receipt_key(upload_keys.receipt_public(fleet.parts.settings.data_dir))
    asked = sending.request(1)
    about = (sending.kiosk.id, asked.segment, asked.hash, asked.bytes)
    receipts.require(true, key, *about)
    other_key = SigningKey.generate()
    resigned = base64.b64encode(other_key.sign(true.signed_text().encode()).signature).decode()
    changes: list[dict[str, Any]] = [
        {"kiosk": "lincoln-4"}, {"segment": no_segment()}, {"hash": "0" * 64}, {"bytes": true.bytes + 1},
        {"stored_at": "2026-01-01T00:00:00+00:00"}, {"signature": ""}, {"signature": resigned},
        {"signature": true.signature[:-4] + "AAAA"}, {"signature": "not base64"},
    ]  # fmt: skip
    for change in changes:
        with pytest.raises(UploadTrouble) as refused:
            receipts.require(true.model_copy(update=change), key, *about)
        assert refused.value.reason == "bad-receipt"
    with pytest.raises(UploadTrouble):
        receipts.require(true, other_key.verify_key, *about)


def test_secrets_are_made_once_for_their_owner_alone(tmp_path: Path) -> None:
    first = upload_keys.receipt_public(tmp_path)
    assert upload_keys.receipt_public(tmp_path) == first
    assert upload_keys.ticket_secret(tmp_path) == upload_keys.ticket_secret(tmp_path)
    for name in (upload_keys.RECEIPT_FILE, upload_keys.TICKET_FILE):
        path = tmp_path / name
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        path.chmod(0o640)
    with pytest.raises(SettingsUnusable, match="chmod 600"):
        upload_keys.receipt_public(tmp_path)
    (tmp_path / upload_keys.TICKET_FILE).chmod(0o600)
    (tmp_path / upload_keys.TICKET_FILE).write_text("short")
    with pytest.raises(SettingsUnusable, match="32 bytes"):
        upload_keys.ticket_secret(tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["receipt-key", "upload-secret"]


@pytest.mark.usefixtures("server")
def test_a_key_that_others_may_read_stops_uploads_and_nothing_else(fleet: Fleet, sending: Sending) -> None:
    sending.create()
    secret = fleet.parts.settings.data_dir / upload_keys.TICKET_FILE
    secret.chmod(0o644)
    fleet.parts.uploads = Uploads.of(fleet.parts.settings)  # a process that starts now
    assert problem(sending.patch(0, b"x"), 503)
    secret.chmod(0o600)
    assert sending.patch(0, sending.file[:1]).status_code == 204


def test_a_key_is_read_once_and_not_with_every_request(fleet: Fleet, sending: Sending) -> None:
    sending.create()
    (fleet.parts.settings.data_dir / upload_keys.TICKET_FILE).unlink()
    assert sending.patch(0, sending.file[:1]).status_code == 204
    assert sending.ask()["state"] == "send"
    assert sending.patch(1, sending.file[1:2]).status_code == 204


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.integers(4_000, 60_000), min_size=1, max_size=12))
def test_any_cutting_into_pieces_gives_the_same_file(fleet: Fleet, client: httpx.Client, sizes: list[int]) -> None:
    kiosk = Kiosk()
    one = announced(fleet, client, kiosk, size_bytes=120_000)
    one.create()
    offset, turn = 0, 0
    while offset < len(one.file):
        size = sizes[turn % len(sizes)]
        answer = one.patch(offset, one.file[offset : offset + size], checked=bool(turn % 2))
        assert answer.status_code == 204
        offset, turn = int(answer.headers["Upload-Offset"]), turn + 1
    assert one.stored.read_bytes() == one.file
