"""Recordings that kiosks send: asked for over MQTT, sent by tus, signed for."""

import json
import stat
import subprocess
import sys
from pathlib import Path

import httpx
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.fleet.calling import Caller
from tests.fleet.sending import PATH, Sending, announced, no_segment, receipt
from tests.fleet.uploads.kit import is_true, listed
from tests.fleet.world import BEGAN, Fleet, Kiosk


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
